"""How far the forecasts of a site were off, once the truth has come."""

from collections.abc import Mapping
from dataclasses import dataclass
import math
from typing import Any, Final, Self

import numpy as np

from ..intervals import HOUR, floor
from .forecast import Forecast
from .history import History, Values

DAYS: Final = 30
"""Days over which errors count."""

HORIZON_DAYS: Final = 3

_LATE: Final = 3 * 86400
"""Seconds after which a truth that has not come is not waited for."""

_SAME: Final = 0.05
"""gCO2eq/kWh; half of the last digit that a history keeps."""

_DAY: Final = 86400


@dataclass(frozen=True, kw_only=True, slots=True)
class ForecastError:
    """How good forecasts were, over so many forecast hours whose truth is known."""

    hours: int
    mae: float
    """Mean absolute error of the middle (p50), gCO2eq/kWh."""

    skill: float | None
    """1 - mae / mae of 24 h persistence, where that is known; None where that has no error."""

    coverage: float
    """Which part of the truths lay between p10 and p90; 0.8 is right."""


@dataclass(kw_only=True, slots=True)
class _Sums:
    """Errors of one day and one day of horizon."""

    hours: int = 0
    error: float = 0.0
    covered: int = 0
    compared: float = 0.0
    """Error in the hours for which persistence is known, too."""

    persistence: float = 0.0

    def add(self, other: _Sums) -> None:
        """Add the errors of another day."""
        self.hours += other.hours
        self.error += other.error
        self.covered += other.covered
        self.compared += other.compared
        self.persistence += other.persistence

    def as_list(self) -> list[float]:
        """Return the sums in a form for a JSON file."""
        return [self.hours, self.error, self.covered, self.compared, self.persistence]


@dataclass(kw_only=True, slots=True)
class _Pending:
    """The whole hours of a forecast that are not scored yet: rows p10, p50, p90; NaN if scored."""

    start: int
    rows: Values


class ErrorTrack:
    """Keeps forecasts until their hours have passed, and the errors of thirty days.

    Forecasts and truth are compared as means of clock hours, whatever the step of the source. Of
    the forecasts made in one hour the latest counts. A forecast that is n days old is held
    against the same hour of n days before: what persistence knew when it was made.
    """

    def __init__(self) -> None:
        """Start without any forecast."""
        self._pending: dict[int, _Pending] = {}
        self._sums: dict[tuple[int, int], _Sums] = {}

    def made(self, forecast: Forecast) -> None:
        """Take note of a forecast; its whole hours will be scored."""
        start = math.ceil(forecast.start / HOUR) * HOUR
        per_hour = HOUR // forecast.step
        skipped = (start - forecast.start) // forecast.step
        rows = np.stack([forecast.p10, forecast.p50, forecast.p90])[:, skipped:]
        hours = rows.shape[1] // per_hour
        if hours:
            means = rows[:, : hours * per_hour].reshape(3, hours, per_hour).mean(axis=2)
            self._pending[floor(forecast.made, HOUR)] = _Pending(start=start, rows=means)

    def score(self, history: History, now: float) -> None:
        """Compare what is known by a moment, in seconds since 1970 UTC; each hour counts once."""
        begin, truth = history.hours_until(floor(min(now, history.end), HOUR))
        for made, pending in list(self._pending.items()):
            self._score(made, pending, begin, truth)
            ends = pending.start + HOUR * np.arange(1, pending.rows.shape[1] + 1)
            pending.rows[:, ends < now - _LATE] = np.nan
            # A forecast from the future is one that was made while the clock was wrong.
            if made > now + HOUR or not np.isfinite(pending.rows).any():
                del self._pending[made]
        oldest = floor(now, _DAY) - DAYS * _DAY
        for key in [key for key in self._sums if not oldest <= key[0] <= now]:
            del self._sums[key]

    def _score(self, made: int, pending: _Pending, begin: int, truth: Values) -> None:
        """Score the hours of one forecast whose truth is known."""
        for place in np.flatnonzero(np.isfinite(pending.rows[1])):
            hour = pending.start + HOUR * int(place)
            came = _at(truth, (hour - begin) // HOUR)
            horizon = (hour - made) // _DAY
            if came is None or not 0 <= horizon < HORIZON_DAYS:
                continue
            p10, p50, p90 = (float(row) for row in pending.rows[:, place])
            error = abs(came - p50)
            before = _at(truth, (hour - begin) // HOUR - 24 * (horizon + 1))
            sums = _Sums(hours=1, error=error, covered=int(p10 - _SAME <= came <= p90 + _SAME))
            if before is not None:
                sums.compared, sums.persistence = error, abs(came - before)
            self._sums.setdefault((floor(hour, _DAY), horizon), _Sums()).add(sums)
            pending.rows[:, place] = np.nan

    def error(self, horizon_day: int | None = None) -> ForecastError | None:
        """Return the errors of the last thirty days, None where nothing is known.

        `horizon_day` is 1 for what was forecast for the first 24 hours, and so on to 3; None for
        all together.
        """
        total = _Sums()
        for (_, horizon), sums in self._sums.items():
            if horizon_day is None or horizon == horizon_day - 1:
                total.add(sums)
        if not total.hours:
            return None
        skill = 1 - total.compared / total.persistence if total.persistence > 0 else None
        return ForecastError(
            hours=total.hours,
            mae=total.error / total.hours,
            skill=skill,
            coverage=total.covered / total.hours,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart; forecasts to a tenth of a gram."""
        return {
            "pending": [
                [made, pending.start, _listed(pending.rows)]
                for made, pending in self._pending.items()
            ],
            "sums": [[day, horizon, sums.as_list()] for (day, horizon), sums in self._sums.items()],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the track that `as_dict` gave.

        Raises ValueError, KeyError or TypeError for anything else.
        """
        track = cls()
        for made, start, rows in data["pending"]:
            grid = np.array(rows, dtype=np.float64)
            if grid.ndim != 2 or len(grid) != 3:
                raise ValueError("a forecast has three rows")
            track._pending[int(made)] = _Pending(start=int(start), rows=grid)
        for day, horizon, (hours, error, covered, compared, persistence) in data["sums"]:
            track._sums[int(day), int(horizon)] = _Sums(
                hours=int(hours),
                error=float(error),
                covered=int(covered),
                compared=float(compared),
                persistence=float(persistence),
            )
        return track


def _at(truth: Values, place: int) -> float | None:
    """Return a value, None where it is not known."""
    if not 0 <= place < len(truth) or not math.isfinite(truth[place]):
        return None
    return float(truth[place])


def _listed(rows: Values) -> list[list[float | None]]:
    """Return rows for a JSON file, None for NaN."""
    return [
        [round(float(value), 1) if math.isfinite(value) else None for value in row] for row in rows
    ]
