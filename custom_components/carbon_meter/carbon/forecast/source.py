"""The forecast as a source of intensity: for the hours ahead, and for those that nobody told."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import copy
from dataclasses import replace
import math
from typing import Any, Final

from ..grade import Grade
from ..intensity.kept import KEPT_BEHIND
from ..intensity.source import IntensityInterval, SourceInfo
from .error_track import ErrorTrack
from .forecast import Forecast
from .forecaster import Forecaster
from .history import History

type InThread = Callable[[Callable[[], Forecast | None]], Awaitable[Forecast | None]]
"""Runs a function where it does not block the event loop, and returns what it returns."""

_EVERY: Final = 3600.0
"""Seconds from one forecast to the next."""


class ForecastSource:
    """The newest forecast that was made before each moment, from the history of one source.

    Its owner appends to `history` and calls `refresh`, one call at a time. What is ahead is also
    in `forecast`, with its band; how good it has been is in `track`.
    """

    refresh_after: float | None = _EVERY

    def __init__(
        self,
        info: SourceInfo,
        history: History,
        forecaster: Forecaster,
        *,
        clock: Callable[[], float],
        in_thread: InThread,
    ) -> None:
        """Take what the history was told by, the history and the forecaster.

        `clock` gives seconds since 1970 UTC; `in_thread` runs what computes.
        """
        self.info = replace(info, id=f"forecast:{info.id}", name=f"Forecast from {info.name}")
        self.history = history
        self.track = ErrorTrack()
        self._forecaster = forecaster
        self._clock = clock
        self._in_thread = in_thread
        self._forecasts: list[Forecast] = []

    @property
    def forecast(self) -> Forecast | None:
        """Return the newest forecast, None before the first."""
        return self._forecasts[-1] if self._forecasts else None

    async def refresh(self) -> None:
        """Score what was forecast before, learn again when it is time, and forecast anew."""
        now = self._clock()
        self.track.score(self.history, now)
        # Its arrays are never changed in place: the copy stays as it is while this goes on.
        history = copy(self.history)
        forecast = await self._in_thread(lambda: self._forecast(history, now))
        if forecast is not None:
            self.track.made(forecast)
            self._take(forecast)

    def _forecast(self, history: History, now: float) -> Forecast | None:
        """Compute; runs in a thread."""
        if self._forecaster.is_due(history, now):
            self._forecaster.fit(history, now)
        return self._forecaster.predict(history, now)

    def _take(self, forecast: Forecast) -> None:
        """Let a forecast stand from its start on; of those before what has passed is kept."""
        before = [kept.until(forecast.start) for kept in self._forecasts]
        oldest = forecast.start - KEPT_BEHIND
        self._forecasts = [kept for kept in before if len(kept.p50) and kept.end > oldest]
        self._forecasts.append(forecast)

    def intervals(self, start: float, end: float) -> Sequence[IntensityInterval]:
        """Return the middle of the forecasts of [start, end)."""
        found: list[IntensityInterval] = []
        for forecast in self._forecasts:
            first = max(0, math.floor((start - forecast.start) / forecast.step))
            last = min(len(forecast.p50), math.ceil((end - forecast.start) / forecast.step))
            for place in range(first, last):
                step_start = forecast.start + place * forecast.step
                begin, stop = max(start, step_start), min(end, step_start + forecast.step)
                if begin < stop:
                    found.append(self._interval(begin, stop, float(forecast.p50[place])))
        return found

    def _interval(self, start: float, end: float, value: float) -> IntensityInterval:
        return IntensityInterval(
            start=start, end=end, value=value, grade=Grade.FORECAST, source=self.info.id
        )

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart: history, errors and forecasts."""
        return {
            "history": self.history.as_dict(),
            "track": self.track.as_dict(),
            "forecasts": [forecast.as_dict() for forecast in self._forecasts],
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take what `as_dict` gave before a restart.

        Raises ValueError, KeyError or TypeError for anything else, and changes nothing then.
        """
        history = History.from_dict(data["history"])
        track = ErrorTrack.from_dict(data["track"])
        forecasts = [Forecast.from_dict(forecast) for forecast in data["forecasts"]]
        if history.step != self.history.step:
            history = history.resampled(self.history.step)
        self.history, self.track, self._forecasts = history, track, forecasts
