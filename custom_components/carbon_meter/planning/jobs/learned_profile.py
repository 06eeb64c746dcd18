"""The course of power of an appliance, learned from its runs.

A run begins when the power rises above standby and ends when it has been there for ten minutes.
Runs of one programme differ by some minutes and by noise: they are put on top of one another so
that they differ by the least area (a search over shifts, as in the alignment of signals by their
cross-correlation, but with absolute differences, which one long pause does not rule), and the
median of each step is taken, which no single odd run moves.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from ...carbon.flow.amounts import FloatArray
from ..block import Profile
from ..plan import Piece, energies
from ..slots import Slots
from .held import flag, number
from .taken import GAP, POSSIBLE, Course
from .times import is_moment, moment_or_none

_STEP: Final = 60.0
_MOST_STEPS: Final = 240
"""Seconds of a step, and how many there are before steps get longer."""

_KEPT: Final = 5
"""Runs that are kept, the newest."""

_SHORTEST: Final = 180.0
_LONGEST: Final = 12 * 3600.0
"""Seconds of a run: less is a lamp, more no programme."""

_OVER: Final = 600.0
"""Seconds at standby that end a run."""

_ALIKE: Final = 0.35
"""The part by which energy and duration of runs of one programme may differ."""

_SHIFT: Final = 10
"""Steps by which runs are moved against each other at the most."""

_FLOOR: Final = 10.0
_OF_STANDBY: Final = 2.0
"""W, and times the standby power: above both it runs."""

_STANDBY_MOST: Final = 50.0
_STANDBY_PACE: Final = 2.0
"""W beyond which nothing is standby, and W per hour by which the figure for it moves."""


class ProfileLearner:
    """Learns the profile of an appliance from its power; see the module."""

    def __init__(self) -> None:
        """Start without a run."""
        self._runs: list[Profile] = []
        self._standby = 0.0
        self._course = Course()
        self._last: float | None = None
        self._started: float | None = None
        self._down_since: float | None = None
        self._is_whole = False
        self._is_resting = False

    @property
    def threshold(self) -> float:
        """Return the W above which it runs."""
        return max(_FLOOR, _OF_STANDBY * self._standby)

    @property
    def runs(self) -> int:
        """Return how many of the runs that are kept are of the programme that counts."""
        return len(self._programme())

    @property
    def confidence(self) -> float:
        """Return how likely the next run is of that programme, 0 before there is one.

        By Laplace's rule of succession: (s + 1) / (n + 2) with s such runs among n.
        """
        return (self.runs + 1.0) / (len(self._runs) + 2.0) if self._runs else 0.0

    def profile(self) -> Profile | None:
        """Return the median of the runs of the programme that counts, None before there is one."""
        runs = self._programme()
        return _median(runs) if runs else None

    def see(self, moment: float, power: float | None) -> bool:
        """Take the power in W at a moment; return whether a run was learned from.

        What is None or cannot be is left out; where the clock goes back the run is not learned.
        """
        if power is None or not is_moment(moment) or not abs(power) <= POSSIBLE:
            return False
        power = max(0.0, power)
        gap = 0.0 if self._last is None else moment - self._last
        self._last = moment
        if gap < 0.0:
            self._forget()
            self._is_resting = False
            return False
        is_up = power > self.threshold
        if self._started is None:
            self._rest(moment, power, gap, is_up=is_up)
            return False
        self._course.see(moment, power)
        self._is_whole &= gap <= GAP
        if moment - self._started > _LONGEST:
            # That is no programme: a standby power that is another now, perhaps.
            self._is_whole = False
            self._learn_standby(power, gap)
        if is_up:
            self._down_since = None
        elif self._down_since is None:
            self._down_since = moment
        elif moment - self._down_since >= _OVER:
            return self._finish(self._started, self._down_since)
        return False

    def _rest(self, moment: float, power: float, gap: float, *, is_up: bool) -> None:
        """Take a power while it does not run: a run begins, or standby is learned."""
        if is_up:
            # Of a run that was on before anybody looked the beginning is missing.
            self._is_whole = self._is_resting and gap <= GAP
            self._started, self._down_since = moment, None
            self._course = Course()
            self._course.see(moment, power)
        else:
            self._learn_standby(power, gap)
        self._is_resting = not is_up

    def _learn_standby(self, power: float, gap: float) -> None:
        """Move the standby power towards a reading at one pace: that finds the median over time."""
        if power <= _STANDBY_MOST:
            step = _STANDBY_PACE * min(gap, GAP) / 3600.0
            self._standby += min(max(power - self._standby, -step), step)

    def _finish(self, started: float, ended: float) -> bool:
        """End a run; return whether it was one to learn from."""
        pieces, is_whole = self._course.pieces, self._is_whole
        self._forget()
        self._is_resting = True
        if not is_whole or not _SHORTEST <= ended - started <= _LONGEST:
            return False
        self._runs = [*self._runs, _resampled(pieces, started, ended)][-_KEPT:]
        return True

    def _forget(self) -> None:
        """Let go of the run that goes on."""
        self._started = self._down_since = None
        self._course, self._is_whole = Course(), False

    def _programme(self) -> list[Profile]:
        """Return the runs that are most alike, the most of them, among as many the newest."""
        best: list[Profile] = []
        for run in reversed(self._runs):
            alike = [other for other in self._runs if _is_alike(run, other)]
            if len(alike) > len(best):
                best = alike
        return best

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {
            "runs": [
                {"step": run.step, "powers": [round(power, 1) for power in run.powers.tolist()]}
                for run in self._runs
            ],
            "standby": self._standby,
            "course": self._course.as_dict(),
            "last": self._last,
            "started": self._started,
            "down_since": self._down_since,
            "is_whole": self._is_whole,
            "is_resting": self._is_resting,
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take what `as_dict` gave; raises ValueError, KeyError or TypeError for anything else."""
        new = ProfileLearner()
        new._runs = [Profile.of(run["powers"], run["step"]) for run in data["runs"]][-_KEPT:]
        new._standby = min(max(0.0, number(data["standby"])), _STANDBY_MOST)
        new._course.restore(data["course"])
        new._last = moment_or_none(data["last"])
        new._started = moment_or_none(data["started"])
        new._down_since = moment_or_none(data["down_since"])
        new._is_whole = flag(data["is_whole"])
        new._is_resting = flag(data["is_resting"])
        self.__dict__.update(new.__dict__)


def _resampled(pieces: Sequence[Piece], start: float, end: float) -> Profile:
    """Return a run in steps, with the energy that it had in each."""
    step = _STEP * np.ceil((end - start) / _STEP / _MOST_STEPS)
    count = int(np.ceil((end - start) / step))
    slots = Slots.at(start + step * np.arange(count + 1))
    return Profile.of(np.maximum(energies(slots, pieces), 0.0) / slots.hours, step)


def _is_alike(one: Profile, other: Profile) -> bool:
    """Return whether two runs are of one programme."""
    pairs = ((one.energy, other.energy), (one.duration, other.duration))
    return all(abs(a - b) <= _ALIKE * max(a, b) for a, b in pairs)


def _median(runs: Sequence[Profile]) -> Profile:
    """Return the median of each step of runs on top of one another."""
    step = max(run.step for run in runs)
    rows = [_in_steps(run, step) for run in runs]
    length = max(len(row) for row in rows)
    padded = np.stack([np.pad(row, (_SHIFT, length - len(row) + _SHIFT)) for row in rows])
    distances = np.abs(padded[:, None, :] - padded[None, :, :]).sum(axis=(1, 2))
    middle = padded[int(distances.argmin())]
    aligned = [_aligned(row, middle) for row in padded]
    found = np.median(aligned, axis=0)
    running = np.flatnonzero(found > 0.0)
    if len(running) == 0:
        return runs[-1]
    return Profile.of(found[running[0] : running[-1] + 1], step)


def _aligned(row: FloatArray, middle: FloatArray) -> FloatArray:
    """Return a row moved to where it differs least from another, not at all among the same."""
    shifts = sorted(range(-_SHIFT, _SHIFT + 1), key=abs)
    rows = [np.roll(row, shift) for shift in shifts]
    return rows[int(np.argmin([np.abs(each - middle).sum() for each in rows]))]


def _in_steps(run: Profile, step: float) -> FloatArray:
    """Return the powers of a run in longer steps."""
    counter = np.concatenate([[0.0], np.cumsum(run.powers) * run.step])
    edges = run.step * np.arange(len(counter))
    count = int(np.ceil(run.duration / step))
    taken = np.interp(step * np.arange(count + 1), edges, counter)
    return np.asarray(np.diff(taken) / step)
