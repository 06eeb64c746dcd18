"""Steps in power: a device starts, stops, a load jumps.

After G. W. Hart, "Nonintrusive appliance load monitoring", Proceedings of the IEEE 80(12),
1992, pages 1870 to 1891: the power is cut into steady states, a state being a few samples
in a row within a tolerance (Hart: three within 15 W or var), and what lies between two of
them is one change, however many samples it takes. Here the tolerance follows the noise of the
load, level and noise are known at every sample, and a change is told a few samples after it
is over.

Only differences count: a constant load more or less, import or export, changes nothing.
"""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
import math
from typing import Final

_TOLERANCE: Final = 30.0
"""W by which a sample leaves its steady state, at least: twice what Hart allows within one."""

_TOLERANCE_NOISE: Final = 6.0
"""The same in standard deviations of the noise."""

_FLAT: Final = 15.0
"""W within which the samples of a new steady state lie, at least (Hart 1992)."""

_FLAT_NOISE: Final = 4.0
"""The same in standard deviations: four normal samples span less in 97 of 100 cases."""

_SETTLED: Final = 4
"""Samples that make a steady state."""

_FOLLOW: Final = 0.25
"""Share by which the level follows a sample of its state.

A ramp that gains no more than this share of the tolerance with each sample, 7.5 W, is followed and
is no step.
"""

_TREND_NOISE: Final = 2.0
"""Standard deviations by which the means of four samples and the four before may differ: three of
the difference of two such means, sqrt(2 / 4)."""

_SHARP: Final = 0.6
"""Part of a change that lies between two samples if it is a switch and not a ramp."""

_NOISE_SHARE: Final = 1 / 60
_QUIET_SHARE: Final = 1 / 300
"""Share by which the noise follows a sample, and one that repeats the last (a meter that is asked
more often than it measures)."""

_RESIDUAL: Final = math.sqrt(2.0 / math.pi) * math.sqrt(1 + _FOLLOW / (2 - _FOLLOW))
"""Mean distance of normal noise with standard deviation 1 from the level that follows it."""

_SECOND_DIFFERENCE: Final = math.sqrt(6.0) * math.sqrt(2.0 / math.pi)
"""Mean |x[i] - 2 x[i-1] + x[i-2]| of normal noise with standard deviation 1; of a ramp it is 0."""

LONGEST_SPACING: Final = 10.5
"""Seconds between two samples; beyond it what happened between them is not known."""

_LONGEST_RAMP: Final = 300
_RESTLESS: Final = 30
"""Samples that a change may take, and those of them in which it gets no further."""

_OPEN_RISES: Final = 32
_LIKENESS: Final = 0.2
"""Part of its size by which a device may have changed while it ran (motors warm up)."""

_REST: Final = 1800.0
"""Seconds; the rest is the lowest steady level of half an hour to an hour."""


class StepKind(StrEnum):
    """What a step tells of the load behind the meter."""

    STARTED = "started"
    """It rose from its rest, or by more than it was above it: something was switched on."""

    STOPPED = "stopped"
    """It fell to its rest, or by what an earlier step had risen: something was switched off."""

    ROSE = "rose"
    """It jumped up while other things ran: another device, or more of the same."""

    FELL = "fell"
    """It jumped down and goes on, by what no earlier step had risen."""

    TRANSIENT = "transient"
    """It went away and came back before it settled: an inrush, a slip, a very short load."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PowerStep:
    """A change from one steady level to another. Powers in W, times in seconds."""

    time: float
    """Of the first sample off the level before, seconds since 1970 UTC."""

    kind: StepKind
    size: float
    """`after - before`; of a transient how far it went from the level before."""

    before: float
    after: float
    duration: float
    """From the first sample off the old level to the first on the new, 0 for a plain switch."""

    lasted: float
    """For how long the level before had held."""

    ran: float | None = None
    """For a fall that ends an earlier rise of like size: the time since that rise."""


class _Rest:
    """The lowest steady level of late."""

    def __init__(self) -> None:
        self._since = -math.inf
        self._before = self._now = math.inf

    def see(self, time: float, level: float) -> None:
        """Take the level of a steady sample."""
        if not 0 <= time - self._since < _REST:
            self._before = self._now if time - self._since < 2 * _REST else math.inf
            self._since, self._now = time, level
        elif level < self._now:
            self._now = level

    @property
    def level(self) -> float:
        """Return it in W."""
        return min(self._before, self._now)


class StepDetector:
    """Finds the steps in the power of one meter, sample by sample.

    Made for a sample a second, good up to one in ten seconds; of a meter that is sampled less
    often it says nothing. `tolerance` in W is the least change that counts; where the load is
    noisy it is six standard deviations of the noise. A switch is told with the fourth sample
    on its new level, a ramp with the eighth or so, and anything after 300 samples at the
    latest; a load that finds no level for 30 samples in a row is noise, to which the tolerance
    adapts. Of two changes within four samples the sum is told.
    """

    def __init__(self, *, tolerance: float = _TOLERANCE) -> None:
        """Start without a level: the first four steady samples make it."""
        self._least = tolerance
        self._flat = _FLAT * tolerance / _TOLERANCE
        self._noise = 0.0
        self._rest = _Rest()
        self._rises: list[tuple[float, float]] = []
        self._latest: deque[tuple[float, float]] = deque(maxlen=2 * _SETTLED)
        self._time: float | None = None
        self._power = self._difference = 0.0
        self._level: float | None = None
        self._since = 0.0
        self._unsettled = 0
        self._left: _Change | None = None

    @property
    def level(self) -> float | None:
        """Return the steady level in W, None before the first one."""
        return self._level

    @property
    def threshold(self) -> float:
        """Return the least change in W that counts now."""
        return max(self._least, _TOLERANCE_NOISE * self._noise)

    def observe(self, time: float, power: float | None) -> PowerStep | None:
        """Take a sample in W; return the step that it completes.

        A sample that is None or not finite is missing, no more: after more than ten seconds
        without any, or when the clock is set back, the detector starts afresh.
        """
        if power is None or not -math.inf < power < math.inf:
            return None
        if self._time is not None:
            spacing = time - self._time
            if spacing == 0:
                return None
            if not 0 < spacing <= LONGEST_SPACING:
                self._start_afresh()
        share, bend = self._bend(power)
        self._time = time
        if self._level is None:
            self._latest.append((time, power))
            self._settle_first()
            return None
        if self._left is None:
            away = abs(power - self._level)
            if away <= self.threshold:
                self._hear(share, away / _RESIDUAL)
                self._level += _FOLLOW * (power - self._level)
                self._rest.see(time, self._level)
                return None
            self._left = _Change(time, self._difference)
            self._latest.clear()
        self._hear(share, bend / _SECOND_DIFFERENCE)
        self._latest.append((time, power))
        return self._continue(self._left, self._level, power)

    def _start_afresh(self) -> None:
        """Forget what a gap may have changed; the noise of the load is as it was."""
        self._time = self._level = self._left = None
        self._unsettled = 0
        self._latest.clear()
        self._rises.clear()
        self._rest = _Rest()

    def _bend(self, power: float) -> tuple[float, float]:
        """Return how much a sample says of the noise, and its second difference in W."""
        if self._time is None:
            self._power, self._difference = power, 0.0
            return 0.0, 0.0
        difference = power - self._power
        bend = abs(difference - self._difference)
        self._power, self._difference = power, difference
        return (_NOISE_SHARE if difference else _QUIET_SHARE), bend

    def _hear(self, share: float, noise: float) -> None:
        """Let the noise follow what a sample shows of it; an edge moves it by little."""
        self._noise += share * (min(noise, 3 * self._noise + 0.2 * self._least) - self._noise)

    def _new_level(self) -> float | None:
        """Return the mean of the last four samples in W if they are flat."""
        if len(self._latest) < _SETTLED:
            return None
        powers = [power for _, power in self._latest][-_SETTLED:]
        if max(powers) - min(powers) > self._flatness:
            return None
        return sum(powers) / _SETTLED

    @property
    def _flatness(self) -> float:
        """Return within how many W the samples of a steady state lie."""
        return max(self._flat, _FLAT_NOISE * self._noise)

    def _is_moving(self, level: float) -> bool:
        """Return whether the last four samples still differ from the four before."""
        if len(self._latest) < 2 * _SETTLED:
            return True
        earlier = [power for _, power in self._latest][:_SETTLED]
        allowed = max(self._flat / 2, _TREND_NOISE * self._noise)
        return abs(level - sum(earlier) / _SETTLED) > allowed

    def _settle_first(self) -> None:
        """Take the first steady state, or the mean of what never gets steady."""
        self._unsettled += 1
        level = self._new_level()
        if level is None and self._unsettled > _RESTLESS:
            level = self._mean()
        if level is not None:
            self._level, self._since = level, self._latest[0][0]
            self._rest.see(self._latest[-1][0], level)

    def _mean(self) -> float:
        """Return the mean of the latest samples in W."""
        return sum(power for _, power in self._latest) / len(self._latest)

    def _continue(self, change: _Change, before: float, power: float) -> PowerStep | None:
        """Take a sample of a change; return the step once it is over."""
        change.take(power - before, abs(self._difference), self.threshold / 6)
        level = self._new_level()
        if level is not None and abs(level - before) <= self.threshold:
            return self._came_back(change, before, level)
        if level is not None:
            is_switch = change.sharpest >= max(_SHARP * abs(level - before), self._flatness)
            if is_switch or not self._is_moving(level):
                return self._stepped(change, before, level)
        if change.restless < _RESTLESS and change.samples < _LONGEST_RAMP:
            return None
        level = self._mean()
        if abs(level - before) > self.threshold:
            return self._stepped(change, before, level)
        self._left = None
        self._level = level
        return None

    def _came_back(self, change: _Change, before: float, after: float) -> PowerStep | None:
        """Return what came back to where it was, if it had gone far."""
        self._left = None
        self._level = after
        back = self._arrival(after)
        if abs(change.farthest) <= self.threshold or back <= change.time:
            return None
        return PowerStep(
            time=change.time,
            kind=StepKind.TRANSIENT,
            size=change.farthest,
            before=before,
            after=after,
            duration=back - change.time,
            lasted=change.time - self._since,
        )

    def _arrival(self, level: float) -> float:
        """Return the time of the first of the latest samples that stayed at a level."""
        arrived = self._latest[-1][0]
        for time, power in reversed(self._latest):
            if abs(power - level) > self._flatness:
                break
            arrived = time
        return arrived

    def _stepped(self, change: _Change, before: float, after: float) -> PowerStep:
        """Take the new level and return the step to it."""
        arrived = self._arrival(after)
        size = after - before
        rest = self._rest.level
        ran = self._running_time(change.time, -size) if size < 0 else None
        if size > 0:
            kind = StepKind.STARTED if before - rest < size / 2 else StepKind.ROSE
            self._rises.append((change.time, size))
            del self._rises[:-_OPEN_RISES]
        else:
            near_rest = after - rest < -size / 2
            kind = StepKind.STOPPED if ran is not None or near_rest else StepKind.FELL
        step = PowerStep(
            time=change.time,
            kind=kind,
            size=size,
            before=before,
            after=after,
            duration=arrived - change.time,
            lasted=change.time - self._since,
            ran=ran,
        )
        self._level, self._since, self._left = after, arrived, None
        self._rest.see(self._latest[-1][0], after)
        return step

    def _running_time(self, now: float, size: float) -> float | None:
        """Return the time since the rise that is most like a fall, and take it off the list."""
        likeness = max(self.threshold, _LIKENESS * size)
        best = min(
            range(len(self._rises)),
            key=lambda index: (abs(self._rises[index][1] - size), -index),
            default=None,
        )
        if best is None or abs(self._rises[best][1] - size) > likeness:
            return None
        time, _ = self._rises.pop(best)
        return now - time


class _Change:
    """What lies between two steady states."""

    __slots__ = ("farthest", "restless", "samples", "sharpest", "time")

    def __init__(self, time: float, difference: float) -> None:
        self.time = time
        self.samples = self.restless = 0
        self.farthest = 0.0
        self.sharpest = abs(difference)

    def take(self, away: float, difference: float, progress: float) -> None:
        """Take a sample: how far it is from the old level and from the sample before."""
        self.samples += 1
        self.restless += 1
        self.sharpest = max(self.sharpest, difference)
        if abs(away) > abs(self.farthest) + progress:
            self.restless = 0
        if abs(away) > abs(self.farthest):
            self.farthest = away
