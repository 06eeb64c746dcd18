"""HiGHS, which is installed when a site first has a use for it."""

from collections.abc import Callable
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.requirements import RequirementsNotFound, async_process_requirements

from ..const import DOMAIN, LOGGER
from ..planning.programme import has_highs
from ..repair_issue import RepairIssue

REQUIREMENT: Final = "highspy>=1.12"

_ISSUE: Final = "solver_missing_"
"""The repair issue of a site without it, before the id of its entry."""


class Solver:
    """Whether HiGHS can be used.

    It is no requirement of the integration: most sites have no use for it, and where there is none
    for a machine all else must work. Without it plans under a fuse are near the best.
    """

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, installed: Callable[[], None]
    ) -> None:
        """Take the site that would use it; nothing is installed before it is asked for.

        `installed` is called once it can be used that could not when it was asked for.
        """
        self._hass = hass
        self._entry = entry
        self._installed = installed
        self._issue = RepairIssue(hass, f"{_ISSUE}{entry.entry_id}", warns=True)
        self._is_there: bool | None = None

    async def async_is_there(self) -> bool:
        """Return whether it can be used now.

        The first time it is looked for; where it is not there it is installed in the background.
        """
        if self._is_there is not None:
            return self._is_there
        found = self._is_there = await self._hass.async_add_executor_job(_can_be_used)
        if not found:
            self._entry.async_create_background_task(
                self._hass, self._async_install(), "installation of HiGHS"
            )
        return found

    async def _async_install(self) -> None:
        """Install it; tell where that cannot be."""
        try:
            await async_process_requirements(self._hass, DOMAIN, [REQUIREMENT], is_built_in=False)
        except RequirementsNotFound as err:
            LOGGER.warning("Plans are made without HiGHS: %s", err)
            self._tell()
            return
        self._is_there = await self._hass.async_add_executor_job(_can_be_imported)
        if self._is_there:
            self._installed()
        else:
            self._tell()

    @callback
    def _tell(self) -> None:
        self._issue.tell("solver_missing", {"requirement": REQUIREMENT})

    @callback
    def async_close(self) -> None:
        """The site is unloaded."""
        self._issue.clear()


def _can_be_used() -> bool:
    """Return whether it is installed and works; it blocks."""
    return has_highs() and _can_be_imported()


def _can_be_imported() -> bool:
    """Return whether it works on this machine; importing it blocks."""
    try:
        import highspy  # noqa: F401, PLC0415  # optional, and heavy
    except ImportError, OSError:
        return False
    return True
