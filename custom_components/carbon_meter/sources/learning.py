"""What a site learns from its sources: forecast and typical hours, in a file of their own."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from copy import copy, deepcopy
from typing import Any, Final
from zoneinfo import ZoneInfo

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.storage import Store

from ..carbon.forecast.forecaster import Forecaster
from ..carbon.forecast.history import History, step_of
from ..carbon.forecast.source import ForecastSource
from ..carbon.forecast.typical import TypicalHourSource
from ..carbon.grade import Grade
from ..carbon.intensity.ladder import Ladder
from ..carbon.intensity.source import IntensityInterval, SourceInfo
from ..carbon.intervals import HOUR
from ..const import DOMAIN, LOGGER
from ..drivers.clock import now
from .filling import Filling
from .live import LiveRung
from .recurring import Recurring
from .rung import Changed, Rung

_VERSION: Final = 1
_DAY: Final = 86400.0

_FIRST: Final = 60.0
"""Seconds from when Home Assistant has started until something is computed."""

_PAST_THE_HOUR: Final = 150.0
"""Seconds after each full hour: what the hour before ended with has come."""

_HELD: Final = 14 * _DAY
"""Seconds for which sources hold what they told."""

_REVISED: Final = 3 * _DAY
"""Seconds for which what they told may still change."""

_BETWEEN_SAVES: Final = 0.9 * HOUR
"""Seconds: the file may have some hundred kilobytes."""


class Learning:
    """Keeps the history of a site's sources, and learns from it each hour.

    The history is what the sources told themselves (measured, estimated), the first of them that
    told it. It is known by the id of the first one, and begins anew with another.
    """

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, rungs: Sequence[Rung], zone: ZoneInfo
    ) -> None:
        """Take the sources that tell, at least one, in the user's order."""
        info = rungs[0].info
        self._hass = hass
        self._key = info.id
        self._first = rungs[0]
        self._told = Ladder([_Told(rung) for rung in rungs])
        self.forecast = ForecastSource(
            info,
            History(),
            Forecaster(zone),
            clock=now,
            in_thread=hass.async_add_executor_job,
        )
        self.typical = TypicalHourSource(info, zone)
        self._store = _store(hass, entry.entry_id)
        self._recurring = Recurring(hass, entry, f"forecast of {info.id}", self._async_learn)
        self._appending = asyncio.Lock()
        self._appended_at: float | None = None
        self._learned_at = self._saved_at = self._step_chosen_at = 0.0
        self._changed: Changed = lambda: None
        live = next((rung for rung in rungs if isinstance(rung, LiveRung)), None)
        self._filling = (
            Filling(hass, entry, live, self._async_append, self._async_learn_soon) if live else None
        )

    async def async_load(self) -> None:
        """Read what was known before; what is of another source, or cannot be read, is left."""
        data = await self._store.async_load()
        if not isinstance(data, Mapping) or data.get("key") != self._key:
            return
        try:
            await self._hass.async_add_executor_job(self._restore, data)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as err:
            LOGGER.warning("The history for the forecast begins anew: it cannot be read: %r", err)

    def _restore(self, data: Mapping[str, Any]) -> None:
        """Take what a file holds; what is filled up already counts only with the history."""
        self.typical.restore(data["typical"])
        # Only then is it taken in its own step.
        self.forecast.history = History(data["forecast"]["history"]["step"])
        self.forecast.restore(data["forecast"])
        self._learned_at = float(data["learned_at"])
        if self._filling is not None and data["filling"] is not None:
            self._filling.restore(data["filling"])

    @callback
    def async_start(self, changed: Changed) -> CALLBACK_TYPE:
        """Learn while the site is loaded, as soon as Home Assistant is up; returns how to stop."""
        self._changed = changed

        @callback
        def begin(_hass: HomeAssistant) -> None:
            self._recurring.async_start(_FIRST)
            if self._filling is not None:
                history = self.forecast.history
                self._filling.async_start(history.end if len(history.values) else None)

        unsubscribe: list[Callable[[], None]] = [
            async_at_started(self._hass, begin),
            self._hass.bus.async_listen(EVENT_HOMEASSISTANT_FINAL_WRITE, self._async_final_write),
        ]

        @callback
        def stop() -> None:
            for unsub in unsubscribe:
                unsub()
            self._recurring.async_stop()
            if self._filling is not None:
                self._filling.async_stop()

        return stop

    @callback
    def _async_learn_soon(self) -> None:
        """Learn from a past that has come now."""
        self._learned_at = 0.0
        self._recurring.async_soon()

    async def _async_learn(self) -> float:
        """Take what was told, forecast, learn typical hours each day; return when to go on."""
        moment = now()
        since = _HELD if self._appended_at is None else _REVISED
        told = self._told.intervals(moment - since, moment)
        await self._async_append(told)
        self._appended_at = moment
        if len(self.forecast.history.values):
            await self.forecast.refresh()
            if not 0 <= moment - self._learned_at < _DAY:
                history = copy(self.forecast.history)
                await self._hass.async_add_executor_job(self.typical.learn, history)
                self._learned_at = moment
            self._changed()
            if not 0 <= moment - self._saved_at < _BETWEEN_SAVES:
                await self.async_save()
        return HOUR - moment % HOUR + _PAST_THE_HOUR

    async def _async_append(self, told: Sequence[IntensityInterval]) -> None:
        """Put what was told into the history, outside the event loop, in the step of the source."""
        if not told:
            return
        moment = now()
        async with self._appending:
            before = self.forecast.history
            step = before.step
            if not len(before.values) or not 0 <= moment - self._step_chosen_at < _DAY:
                self._step_chosen_at = moment
                spoken = self._first.intervals(moment - _REVISED, moment)
                step = step_of(each for each in spoken if each.grade is not Grade.FORECAST)
            self.forecast.history = await self._hass.async_add_executor_job(
                _appended, before, step, told, moment
            )

    async def _async_final_write(self, _event: Event) -> None:
        await self.async_save()

    async def async_save(self) -> None:
        """Write the file now, outside the event loop, if there is anything to write."""
        if not len(self.forecast.history.values):
            return
        self._saved_at = now()
        # What goes on changes neither arrays nor lists of this copy.
        frozen = copy(self.forecast)
        frozen.history, frozen.track = copy(frozen.history), deepcopy(frozen.track)
        rest = {
            "key": self._key,
            "learned_at": self._learned_at,
            "filling": self._filling.as_dict() if self._filling is not None else None,
            "typical": self.typical.as_dict(),
        }
        forecast = await self._hass.async_add_executor_job(frozen.as_dict)
        await self._store.async_save({**rest, "forecast": forecast})


class _Told:
    """A source without its forecasts."""

    refresh_after: float | None = None

    def __init__(self, rung: Rung) -> None:
        """Take the source."""
        self._rung = rung

    @property
    def info(self) -> SourceInfo:
        """Return what the source is."""
        return self._rung.info

    async def refresh(self) -> None:
        """There is nothing to fetch."""

    def intervals(self, start: float, end: float) -> Sequence[IntensityInterval]:
        """Return what the source measured or estimated of [start, end)."""
        told = self._rung.intervals(start, end)
        return [each for each in told if each.grade in (Grade.MEASURED, Grade.ESTIMATED)]


def _appended(
    before: History, step: int, told: Sequence[IntensityInterval], moment: float
) -> History:
    """Return a history with what was told, in steps of `step` seconds."""
    history = copy(before)
    if history.step != step:
        history = history.resampled(step) if len(history.values) else History(step)
    history.append(told, moment)
    return history


def _store(hass: HomeAssistant, entry_id: str) -> Store[dict[str, Any]]:
    return Store(
        hass,
        _VERSION,
        f"{DOMAIN}.{entry_id}.forecast",
        atomic_writes=True,
        serialize_in_event_loop=False,
    )


async def async_forget(hass: HomeAssistant, entry_id: str) -> None:
    """Delete what a site has learned."""
    await _store(hass, entry_id).async_remove()
