"""A grid as it was, hour by hour, and forecasts of it that are wrong and change each hour."""

import csv
from datetime import UTC, datetime
import gzip
from pathlib import Path

import numpy as np
import pytest

from custom_components.carbon_meter.planning.plan import Piece
from custom_components.carbon_meter.planning.signal import Signal
from custom_components.carbon_meter.planning.slots import Slots

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "carbon"
"""Beside the checkout: hourly carbon intensity (Electricity Maps, ODbL 1.0), no part of it."""

HOUR = 3600.0
_AHEAD = 72
"""Hours of a forecast."""


class Grid:
    """What came true in gCO2eq/kWh from `start` on, and what was forecast at each hour."""

    def __init__(self, start: float, hours: np.ndarray, *, seed: int = 0, error: float = 0.12):
        """Take the hours that came true, and how wrong forecasts are three days ahead."""
        self.start = start
        self.hours = hours
        self.error = error
        self.seed = seed
        self._made: tuple[int, Signal] | None = None

    @property
    def end(self) -> float:
        """Return until when it is known."""
        return self.start + HOUR * len(self.hours)

    def forecast(self, now: float, *, is_known: bool = True) -> Signal:
        """Return the forecast of an hour, with errors that grow with the time ahead."""
        first = int((now - self.start) // HOUR)
        if not is_known:
            return Signal.of(_hours(self.start + first * HOUR, _AHEAD), np.full(_AHEAD, np.nan))
        if self._made is None or self._made[0] != first:
            chance = np.random.default_rng([self.seed, first])
            values = self.hours[first : first + _AHEAD]
            steps = chance.normal(0.0, self.error / 8.0, len(values))
            wrong = np.clip(np.cumsum(steps), -2 * self.error, 2 * self.error)
            slots = _hours(self.start + first * HOUR, len(values))
            self._made = (first, Signal.of(slots, values * np.exp(wrong)))
        return self._made[1]

    def grams(self, pieces: list[Piece]) -> float:
        """Return the gCO2eq of some pieces by what came true."""
        total = 0.0
        for piece in pieces:
            at = piece.start
            while at < piece.end:
                hour = int((at - self.start) // HOUR)
                until = min(piece.end, self.start + (hour + 1) * HOUR)
                total += piece.power * (until - at) / HOUR / 1000.0 * float(self.hours[hour])
                at = until
        return total

    def mean(self, start: float, end: float) -> float:
        """Return the mean intensity of some time."""
        return self.grams([Piece(start, end, 1000.0)]) / ((end - start) / HOUR)


def made(start: float, days: int, *, seed: int = 0) -> Grid:
    """Return a grid with sun at noon, wind for days, and noise."""
    chance = np.random.default_rng(seed)
    hours = np.arange(24 * days)
    wind = np.repeat(np.cumsum(chance.normal(0.0, 60.0, days)) * 0.9 ** np.arange(days) ** 0.1, 24)
    wind = np.clip(wind, -150.0, 150.0)
    sun = 140.0 * np.cos((hours - 13) * np.pi / 12.0)
    values = 380.0 + wind - sun + chance.normal(0.0, 25.0, len(hours))
    return Grid(start, np.clip(values, 20.0, None), seed=seed)


def recorded(name: str, start: float, days: int, *, seed: int = 0) -> Grid:
    """Return a grid as it was in 2023; skips the test where the data are not there."""
    path = DATA / f"{name}_2023_hourly.csv.gz"
    if not path.exists():
        pytest.skip("the recorded intensities do not lie beside the checkout")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    ending = "(LCA)"
    column = next(key for key in rows[0] if key.endswith(ending))
    values = np.array([float(row[column] or "nan") for row in rows])
    known = np.isfinite(values)
    values = np.interp(np.arange(len(values)), np.flatnonzero(known), values[known])
    first = int((start - datetime(2023, 1, 1, tzinfo=UTC).timestamp()) // HOUR)
    return Grid(start, values[first : first + 24 * days], seed=seed)


def _hours(start: float, count: int) -> Slots:
    return Slots.at(start + HOUR * np.arange(count + 1))
