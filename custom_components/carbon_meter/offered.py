"""A source of carbon intensity that another integration offers, made and kept up to date."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util

from .carbon.intensity.checked import CheckedSource
from .carbon.intensity.kept import KEPT_AHEAD, KEPT_BEHIND, KeptSource
from .carbon.intensity.ladder import Ladder
from .carbon.intensity.source import IntensityInterval, SourceInfo
from .const import DOMAIN, LOGGER
from .plugin import IntensityOffer

_FETCH_LIMIT: Final = 60.0
"""Seconds that a source gets for one refresh."""

_SHORTEST_WAIT: Final = 10.0
"""Seconds between two refreshes, however often the source wants to be asked."""

_FIRST_RETRY: Final = 60.0
_LONGEST_RETRY: Final = 3600.0


class OfferedSource:
    """The first rung of a site's ladder, from a plugin.

    It is made and refreshed in the background while the site is loaded. While it cannot be
    had, what it said before is believed for the time that it was said of.
    """

    refresh_after: float | None = None

    def __init__(
        self,
        hass: HomeAssistant,
        entry_id: str,
        offer: tuple[str, IntensityOffer | None],
        options: Mapping[str, Any],
    ) -> None:
        """Take the key of the offer and, where its integration is there, the offer."""
        self._hass = hass
        self._issue_id = f"intensity_source_{entry_id}"
        self._id, self._offer = offer
        self._options = options
        self._info = SourceInfo(id=self._id, name=self._offer.name if self._offer else self._id)
        self._source: CheckedSource | None = None
        self._kept = KeptSource(self._info)
        self._failures = 0
        self._is_unreadable = False
        self._timer: CALLBACK_TYPE | None = None
        self._task: asyncio.Task[None] | None = None
        self._changed: Callable[[], None] = lambda: None

    @property
    def info(self) -> SourceInfo:
        """Return what the source is."""
        return self._source.info if self._source is not None else self._info

    async def refresh(self) -> None:
        """Nothing has to be done: it refreshes itself."""

    def intervals(self, start: float, end: float) -> Sequence[IntensityInterval]:
        """Return what the source knows of [start, end), and has said of the rest before."""
        if self._source is None:
            return self._kept.intervals(start, end)
        try:
            known = Ladder((self._source, self._kept)).intervals(start, end)
        except Exception as err:  # noqa: BLE001  # what it said before stands
            if not self._is_unreadable:
                self._is_unreadable = True
                self._tell(err)
            return self._kept.intervals(start, end)
        if self._is_unreadable:
            self._is_unreadable = False
            self._tell_recovery()
        return known

    @callback
    def async_start(self, changed: Callable[[], None]) -> CALLBACK_TYPE:
        """Make the source and keep it up to date; `changed` is called when it knows more.

        Returns how to stop.
        """
        self._changed = changed
        if self._offer is None:
            unsubscribe = async_at_started(self._hass, self._check_presence)
        else:
            unsubscribe = None
            self._run()

        @callback
        def stop() -> None:
            if unsubscribe is not None:
                unsubscribe()
            if self._timer is not None:
                self._timer()
            if self._task is not None:
                self._task.cancel()
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)

        return stop

    @callback
    def _check_presence(self, _hass: HomeAssistant) -> None:
        """Tell the user that nobody offers the source."""
        self._raise_issue("intensity_source_missing", {"source": self._id})

    @callback
    def _run(self, _now: datetime | None = None) -> None:
        """Ask the source, in the background: a site does not wait for it."""
        self._timer = None
        self._task = self._hass.async_create_background_task(
            self._async_update(), f"{DOMAIN} intensity {self._id}"
        )

    async def _async_update(self) -> None:
        """Make the source, or refresh it; then wait for as long as it says."""
        try:
            async with asyncio.timeout(_FETCH_LIMIT):
                if self._source is None:
                    self._source = await self._async_made()
                    wait = self._source.refresh_after
                else:
                    await self._source.refresh()
                    wait = self._source.refresh_after
                    wait = None if wait is None else max(wait, _SHORTEST_WAIT)
        except Exception as err:  # noqa: BLE001  # whatever it is, it is told and tried again
            self._failures += 1
            self._tell(err)
            wait = min(_LONGEST_RETRY, _FIRST_RETRY * 2.0 ** min(self._failures - 1, 10))
        else:
            self._failures = 0
            self._tell_recovery()
            self._keep()
            self._changed()
        if wait is not None:
            self._timer = async_call_later(self._hass, wait, self._run)

    async def _async_made(self) -> CheckedSource:
        assert self._offer is not None  # noqa: S101  # not started without
        return CheckedSource(await self._offer.create(self._hass, self._options), self._id)

    def _keep(self) -> None:
        """Keep what is known around now."""
        now = dt_util.utcnow().timestamp()
        self._kept.take(self.intervals(now - KEPT_BEHIND, now + KEPT_AHEAD))

    def _tell(self, err: Exception) -> None:
        """Tell that the source cannot be had: in the log once until it can."""
        text = str(err) or ("no answer in time" if isinstance(err, TimeoutError) else repr(err))
        if self._failures <= 1:
            LOGGER.warning("%s: %s", self._info.name, text, exc_info=err)
        self._raise_issue("intensity_source_failed", {"source": self._info.name, "error": text})

    def _tell_recovery(self) -> None:
        if not self._failures and not self._is_unreadable:
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)

    @callback
    def _raise_issue(self, key: str, placeholders: dict[str, str]) -> None:
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key=key,
            translation_placeholders=placeholders,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        self._keep()
        return self._kept.as_dict()

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take what `as_dict` gave before a restart."""
        self._kept.restore(data)
