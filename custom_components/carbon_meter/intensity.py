"""The carbon intensity of one site: the ladder of its sources."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from itertools import takewhile
from typing import Any, Final
from zoneinfo import ZoneInfo

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from .carbon.factors.library import FactorLibrary
from .carbon.forecast.error_track import ErrorTrack
from .carbon.forecast.forecast import Forecast
from .carbon.forecast.history import step_of
from .carbon.forecast.methods import HORIZON
from .carbon.intensity.ladder import Ladder
from .carbon.intensity.library import LibrarySource
from .carbon.intensity.live.live_source import Past
from .carbon.intensity.source import IntensityInterval, IntensitySource, SourceInfo
from .carbon.intervals import HOUR
from .const import CONF_ZONE, LOGGER
from .drivers.clock import now
from .plugin import IntensityOffer
from .sources.ahead import put_together
from .sources.building import Builder
from .sources.fixed import FixedRung
from .sources.learning import Learning
from .sources.past import past_of
from .sources.rung import Rung

_PRESENT: Final = 0.01
"""Seconds for which what is said now is the present; what comes after it may be forecast."""


class SiteIntensity:
    """What a kilowatt-hour from the grid weighs at this site: before, now and in three days.

    The user's sources come first, in the user's order, then the forecast that was made before,
    the typical hour, and the yearly factor of the site's zone: there is always a figure, with its
    grade. Forecast and typical hour are learned from the sources that tell what was.

    `marginal` is what one kWh more or less changes: for decisions, never a part of an account.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        options: Mapping[str, Any],
        factors: FactorLibrary,
        offers: Mapping[str, IntensityOffer],
    ) -> None:
        """Build the sources that the options name; `offers` are those of plugins."""
        self._listeners: set[Callable[[], None]] = set()
        self._ahead: tuple[float, Forecast | None] | None = None
        time_zone = ZoneInfo(hass.config.time_zone)
        zone = options.get(CONF_ZONE) or hass.config.country
        self.library = LibrarySource(factors, zone, time_zone)

        builder = Builder(hass=hass, entry=entry, factors=factors, offers=offers)
        self._rungs = builder.sources(options)
        # Below a fixed value nobody is asked.
        self._asked = list(takewhile(lambda rung: not isinstance(rung, FixedRung), self._rungs))
        telling = [rung for rung in self._asked if rung.tells]
        self._learning = Learning(hass, entry, telling, time_zone) if telling else None
        sources: list[IntensitySource] = [*self._rungs]
        if self._learning is not None:
            sources += [self._learning.forecast, self._learning.typical]
        self.ladder = Ladder([*sources, self.library])

        self._marginal = builder.marginal(options)
        self.marginal = Ladder([self._marginal]) if self._marginal is not None else None

    @property
    def marginal_info(self) -> SourceInfo | None:
        """Return what the marginal source is, None without one."""
        return self._marginal.info if self._marginal is not None else None

    @property
    def forecast(self) -> Forecast | None:
        """Return the next 72 hours, in gCO2eq/kWh as p10, p50 and p90; None while nothing is known.

        As far as the user's sources reach with forecasts of their own, p50 is theirs, and the band
        around it as wide as that of our forecast for the same time. Beyond, all is ours. Before
        there is a forecast of ours (two days of history) the three are the same, and end where the
        source ends. Below a fixed value there is none: nothing changes.
        """
        moment = now()
        if self._ahead is None or not 0 <= moment - self._ahead[0] < 60:
            self._ahead = (moment, self._put_together(moment))
        return self._ahead[1]

    def _put_together(self, moment: float) -> Forecast | None:
        told: list[IntensityInterval] = []
        if forecasting := [rung for rung in self._asked if rung.forecasts]:
            # The step that is running has begun before.
            told = Ladder(forecasting).intervals(moment - HOUR, moment + HORIZON * HOUR)
        ours = self._learning.forecast.forecast if self._learning is not None else None
        return put_together(told, ours, step_of(told), moment)

    @property
    def can_forecast(self) -> bool:
        """Return whether any source forecasts, or tells what a forecast can be learned from."""
        return self._learning is not None or any(rung.forecasts for rung in self._rungs)

    @property
    def forecast_errors(self) -> ErrorTrack:
        """Return how good our forecasts were: `.error()` has mae, skill and coverage."""
        return self._learning.forecast.track if self._learning is not None else ErrorTrack()

    def now(self) -> IntensityInterval | None:
        """Return the best known intensity now."""
        moment = now()
        self.heard(moment + _PRESENT)
        return self.ladder.at(moment)

    def info(self, source_id: str) -> SourceInfo:
        """Return what is known of the source of an interval."""
        marginal = self.marginal.sources if self.marginal is not None else ()
        return next(
            (
                source.info
                for source in (*self.ladder.sources, *marginal)
                if source_id == source.info.id or source_id.startswith(f"{source.info.id}:")
            ),
            self.library.info,
        )

    @callback
    def heard(self, moment: float) -> None:
        """Take note that Home Assistant was there until a moment: what entities say still holds."""
        for rung in self._rungs:
            rung.heard(moment)

    @callback
    def async_add_listener(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call back when an intensity has changed, of the past or of the future.

        Returns how to stop.
        """
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    async def async_load(self) -> None:
        """Read what was learned before, ahead of `async_start`."""
        if self._learning is not None:
            await self._learning.async_load()

    async def async_save(self) -> None:
        """Write what was learned: the site is unloaded."""
        if self._learning is not None:
            await self._learning.async_save()

    @callback
    def async_start(self) -> Callable[[], None]:
        """Listen to the sources and ask them, in the background; returns how to stop."""
        stops = [rung.async_start(self._tell_listeners) for rung in self._rungs]
        if self._marginal is not None:
            stops.append(self._marginal.async_start(self._tell_listeners))
        if self._learning is not None:
            stops.append(self._learning.async_start(self._tell_listeners))

        @callback
        def stop() -> None:
            for each in stops:
                each()

        return stop

    async def async_refresh(self) -> None:
        """Ask all sources now, each as fast as its provider allows."""
        rungs = [rung for rung in (*self._rungs, self._marginal) if rung is not None]
        await asyncio.gather(*(rung.async_ask() for rung in rungs))

    async def async_history(self, start: float, end: float) -> AsyncIterator[Past]:
        """Yield what the user's sources know of [start, end), seconds since 1970 UTC.

        In the user's order: each is asked for what those before it have left. The intervals do not
        overlap; those of one source come oldest first. Nothing is raised.
        """
        async for past in past_of(self._rungs, start, end):
            yield past

    @callback
    def _tell_listeners(self) -> None:
        self._ahead = None
        for listener in list(self._listeners):
            listener()

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {
            "sources": {rung.info.id: rung.as_dict() for rung in self._rungs},
            "marginal": {rung.info.id: rung.as_dict() for rung in (self._marginal,) if rung},
        }

    def restore(self, data: Any) -> None:
        """Take what `as_dict` gave before a restart, each source its own; garbage is left out."""
        if not isinstance(data, Mapping):
            return
        sources = data.get("sources")
        if sources is None and isinstance(data.get("source"), str):
            # As it was when a site had one source.
            sources = {data["source"]: data}
        for rungs, known in ((self._rungs, sources), ([self._marginal], data.get("marginal"))):
            for rung in rungs:
                if rung is not None and isinstance(known, Mapping) and rung.info.id in known:
                    _restore(rung, known[rung.info.id])


def _restore(rung: Rung, data: Any) -> None:
    """Let a source take what it said before; it starts anew where that cannot be read."""
    try:
        rung.restore(data)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as err:
        LOGGER.warning("%s: what it said before is lost: %r", rung.info.name, err)
