"""The intensity that a site has recorded: a regular grid of time with gaps.

A forecast learns from it, and nothing is accounted with it: values are kept to a tenth of a gram,
so that two years at five minutes are some hundred kilobytes in a file.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
import math
from typing import Any, Final, Self
import zlib

import numpy as np
from numpy.typing import NDArray

from ..grade import Grade
from ..intensity.checked import HIGHEST
from ..intensity.source import IntensityInterval
from ..intervals import HOUR, INTERVAL

KEPT: Final = 2 * 366 * 86400
"""Seconds of history; two years show a season twice."""

STEPS: Final = (300, 600, 900, 1200, 1800, 3600)
"""Seconds; the grids that a history can have."""

_TOLD: Final = frozenset({Grade.MEASURED, Grade.ESTIMATED})
"""What may be learned from: a forecast must not learn from forecasts."""

_PER_GRAM: Final = 10
_GAP: Final = 65535

type Values = NDArray[np.float64]


class History:
    """gCO2eq/kWh in cells of `step` seconds that begin at multiples of it since 1970 UTC.

    A cell is NaN where less than half of it is known. Raises ValueError for a step that is not
    in `STEPS`.
    """

    def __init__(self, step: int = HOUR) -> None:
        """Start empty."""
        if step not in STEPS:
            raise ValueError(f"a history has steps of {STEPS} s, not {step!r}")
        self.step = step
        self.start = 0
        """Seconds since 1970 UTC at which the first cell begins."""

        self._values: Values = np.empty(0)

    @classmethod
    def of(cls, start: int, values: Sequence[float] | Values, *, step: int = HOUR) -> Self:
        """Return the history of a series; `start` is a multiple of `step`.

        What cannot be an intensity becomes a gap. Raises ValueError for a start off the grid.
        """
        history = cls(step)
        if start % step:
            raise ValueError(f"{start} is not a multiple of {step} s")
        taken = np.array(values, dtype=np.float64).ravel()
        taken[~((taken >= 0) & (taken <= HIGHEST))] = np.nan
        history.start = start
        history._values = taken
        history._trim()
        return history

    @property
    def values(self) -> Values:
        """Return the cells, oldest first; the first and the last are known."""
        return self._values

    @property
    def end(self) -> int:
        """Return where the last cell ends, in seconds since 1970 UTC."""
        return self.start + len(self._values) * self.step

    @property
    def days(self) -> float:
        """Return how many days are known, gaps left out."""
        return float(np.count_nonzero(np.isfinite(self._values))) * self.step / 86400

    def append(self, intervals: Iterable[IntensityInterval], now: float) -> None:
        """Take what sources told of whole cells; what was known of the same cells is replaced.

        Only what was measured or estimated for a time before `now` counts, and what can be an
        intensity. Telling the same again changes nothing. What is known of a future, from a clock
        that was wrong, is dropped.
        """
        if len(self._values) and now < self.start:
            # A clock that is set before all that is known: what it says now is worth less.
            return
        self._values = self._values[: max(0, math.ceil((now + HOUR - self.start) / self.step))]
        earliest = now - KEPT
        told = [
            (max(interval.start, earliest), min(interval.end, now), interval.value)
            for interval in intervals
            if interval.grade in _TOLD and 0 <= interval.value <= HIGHEST
        ]
        told = [(start, end, value) for start, end, value in told if start < end]
        if not told:
            return
        first = math.floor(min(start for start, _, _ in told) / self.step)
        count = math.ceil(max(end for _, end, _ in told) / self.step) - first
        self._write(first * self.step, _cells(told, first * self.step, count, self.step))

    def _write(self, start: int, values: Values) -> None:
        """Put cells over those that are there."""
        if len(self._values) == 0:
            self.start = start
        begin = min(self.start, start)
        end = max(self.end, start + len(values) * self.step)
        grid = np.full((end - begin) // self.step, np.nan)
        own = (self.start - begin) // self.step
        grid[own : own + len(self._values)] = self._values
        new = (start - begin) // self.step
        known = np.isfinite(values)
        grid[new : new + len(values)][known] = values[known]
        self.start, self._values = begin, grid
        self._trim()

    def _trim(self) -> None:
        """Let go what is too old and the gaps at both ends."""
        most = KEPT // self.step
        if len(self._values) > most:
            self.start += (len(self._values) - most) * self.step
            self._values = self._values[-most:].copy()
        known = np.flatnonzero(np.isfinite(self._values))
        if len(known) == 0:
            self.start, self._values = 0, np.empty(0)
            return
        self.start += int(known[0]) * self.step
        self._values = self._values[known[0] : known[-1] + 1]

    def hours_until(self, end: int) -> tuple[int, Values]:
        """Return the means of the hours before `end`: where the first begins, and their values.

        The hours end at `end`, which is a multiple of the step, not where the clock's hours end.
        An hour is NaN where less than half of it is known.
        """
        per_hour = HOUR // self.step
        cells = self._values[: max(0, (end - self.start) // self.step)]
        missing = (end - self.start) // self.step - len(cells)
        cells = np.concatenate([cells, np.full(max(0, missing), np.nan)])
        hours = -(-len(cells) // per_hour)
        padded = np.full(hours * per_hour, np.nan)
        padded[len(padded) - len(cells) :] = cells
        return end - hours * HOUR, _means(padded.reshape(hours, per_hour))

    def resampled(self, step: int) -> Self:
        """Return the same history on another grid, for a source that changed its step.

        Finer cells repeat the coarse value, coarser ones are the mean of at least half of theirs.
        """
        fine = math.gcd(self.step, step)
        cells = np.repeat(self._values, self.step // fine)
        before = self.start % step // fine
        after = -(before + len(cells)) % (step // fine)
        cells = np.concatenate([np.full(before, np.nan), cells, np.full(after, np.nan)])
        return self.of(
            self.start - before * fine, _means(cells.reshape(-1, step // fine)), step=step
        )

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        whole = np.rint(np.nan_to_num(self._values, nan=_GAP / _PER_GRAM) * _PER_GRAM)
        packed = zlib.compress(whole.astype("<u2").tobytes())
        return {"step": self.step, "start": self.start, "cells": b64encode(packed).decode("ascii")}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the history that `as_dict` gave, to a tenth of a gram.

        Raises ValueError, KeyError or TypeError for anything else.
        """
        unpacker = zlib.decompressobj()
        try:
            cells = unpacker.decompress(
                b64decode(data["cells"], validate=True), 2 * KEPT // INTERVAL
            )
        except zlib.error as err:
            raise ValueError(f"the cells of a history cannot be read: {err}") from err
        whole = np.frombuffer(cells, dtype="<u2").astype(np.float64)
        whole[whole == _GAP] = np.nan
        return cls.of(int(data["start"]), whole / _PER_GRAM, step=data["step"])


def step_of(intervals: Iterable[IntensityInterval]) -> int:
    """Return the step in which a source speaks: that of most of its intervals, else an hour."""
    lengths = [round(interval.end - interval.start) for interval in intervals]
    fitting = [length for length in lengths if length in STEPS]
    return max(set(fitting), key=fitting.count) if fitting else HOUR


def _cells(told: Iterable[tuple[float, float, float]], begin: int, count: int, step: int) -> Values:
    """Return the means of what was told in each cell, weighted by time."""
    weighted, covered = np.zeros(count), np.zeros(count)
    for start, end, value in told:
        first, last = int((start - begin) // step), math.ceil((end - begin) / step)
        edges = begin + step * np.arange(first, last + 1)
        seconds = np.diff(np.clip(edges, start, end))
        weighted[first:last] += seconds * value
        covered[first:last] += seconds
    enough = covered >= step / 2
    return np.where(enough, weighted / np.where(enough, covered, 1.0), np.nan)


def _means(rows: Values) -> Values:
    """Return the mean of what is known of each row, NaN for less than half."""
    known = np.isfinite(rows)
    count = known.sum(axis=1)
    sums = np.where(known, rows, 0.0).sum(axis=1)
    return np.where(2 * count >= rows.shape[1], sums / np.maximum(count, 1), np.nan)
