"""A source that has to be asked: in the background, again after failures, told when it cannot be.

Plugins' sources and live providers have this in common.
"""

from abc import abstractmethod
import asyncio
from typing import ClassVar, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from ..const import LOGGER
from .issue import SourceIssue
from .recurring import Recurring, back_off
from .rung import Changed, Rung


class RefreshedRung(Rung):
    """A rung that a site does not wait for, neither at its set-up nor later."""

    limit: ClassVar[float]
    """Seconds that one refresh may take."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, source_id: str) -> None:
        """Take the site's entry and the id by which the source is known."""
        self._issue = SourceIssue(hass, entry.entry_id, source_id)
        self._recurring = Recurring(hass, entry, f"intensity {source_id}", self._async_update)
        self._failures = 0
        self._changed: Changed = lambda: None

    @override
    @callback
    def async_start(self, changed: Changed) -> CALLBACK_TYPE:
        self._changed = changed
        self._recurring.async_start()
        return self._stop

    @callback
    def _stop(self) -> None:
        self._recurring.async_stop()
        self._issue.clear()

    @override
    async def async_ask(self) -> None:
        await self._recurring.async_now()

    @property
    def _name(self) -> str:
        """Return how the source is called in what is told of it."""
        return self.info.name

    @abstractmethod
    async def _async_fetch(self) -> float | None:
        """Fetch what is new; return in how many seconds to ask again, None for never."""

    async def _async_update(self) -> float | None:
        """Fetch, tell how it went, and return in how many seconds to ask again."""
        try:
            async with asyncio.timeout(self.limit):
                wait = await self._async_fetch()
        except Exception as err:  # noqa: BLE001  # whatever it is, it is told and tried again
            self._failures += 1
            wait = self._failed(err)
            # Part of the answers may have come before.
            self._changed()
            return wait
        if self._failures:
            LOGGER.info("%s: answers again", self._name)
        self._failures = 0
        self._succeeded()
        self._changed()
        return wait

    def _failed(self, err: Exception) -> float:
        """Tell that the source cannot be had; return in how many seconds to ask again."""
        self._tell(err)
        return back_off(self._failures)

    def _succeeded(self) -> None:
        """Take back what was told."""
        self._issue.clear()

    def _tell(self, err: Exception) -> None:
        """Tell that the source cannot be had: in the log once until it can."""
        self._log(err)
        self._issue.tell("intensity_source_failed", {"source": self._name, "error": said_by(err)})

    def _log(self, err: Exception) -> None:
        if self._failures <= 1:
            LOGGER.warning("%s: %s", self._name, said_by(err), exc_info=err)


def said_by(err: Exception) -> str:
    """Return what an error says, in words."""
    return str(err) or ("no answer in time" if isinstance(err, TimeoutError) else repr(err))
