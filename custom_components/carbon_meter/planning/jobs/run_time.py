"""A load that runs for so many hours each day, in runs that may be moved: a pump, a filter.

A day is from the end of one window to the end of the next, so that what runs before its window
counts for it. Hours are counted from what is seen, and where nothing is, from what it was told.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import time, tzinfo
import math
from typing import Any, Final

from ...carbon.flow.amounts import ImpossibleAmountError, amount
from ..loads import RunLoad
from ..plan import Piece
from ..run_time import FREELY, RESTED, Rules, State
from ..window import Window
from .held import flag, number
from .job import Around, Planned, Seen, Target
from .taken import Course, Finished, held, power_of
from .tasks import MovableTask
from .times import TimesOfDay, daily_window, is_moment, moment_or_none, quiet_within

_RUNS: Final = 0.1
"""The part of its power from which on it runs: less is its standby."""

_DONE: Final = 1.0
"""Seconds of its run time that do not matter."""

_LEAST: Final = 600.0
"""Seconds that it runs after its longest pause, where it has no least run."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunTimeSettings:
    """What a load of one power in W has to run each day, in hours, between two times of day.

    Without `begin` and `end`, or with the same, its window is the whole day. After `longest_pause`
    seconds it runs for a least run, whatever the plan and the quiet hours. Raises
    ImpossibleAmountError for numbers that cannot be.
    """

    power: float
    hours: float
    zone: tzinfo
    begin: time | None = None
    end: time | None = None
    rules: Rules = FREELY
    longest_pause: float | None = None
    quiet: TimesOfDay | None = None
    name: str = ""
    """What it is called in plans."""

    def __post_init__(self) -> None:
        """Refuse what no load does."""
        if amount("power", self.power) == 0.0:
            raise ImpossibleAmountError("power", "a load draws something")
        amount("hours", self.hours)
        amount("longest_pause", self.longest_pause or 0.0)


class RunTimeJob:
    """The hours of each day of a load; see `Job`. `settings` may be exchanged at any time."""

    def __init__(self, settings: RunTimeSettings) -> None:
        """Start at rest, with nothing done."""
        self.settings = settings
        self._window: tuple[float, float] | None = None
        self._begun: float | None = None
        self._ran = 0.0
        self._starts = 0
        self._is_on = False
        self._since: float | None = None
        self._known: float | None = None
        self._is_told = False
        self._is_observed = False
        self._forced_until: float | None = None
        self._course = Course()
        self._finished = Finished()

    @property
    def ran(self) -> float:
        """Return for how many hours it has run for its present window."""
        return self._ran / 3600.0

    # What is seen

    def see(self, seen: Seen) -> bool:
        """Take what is seen of it; return whether a new plan is needed.

        It is when a window ends, when the load switches, and when it has run long enough.
        """
        now = seen.moment
        if not is_moment(now):
            return False
        self._set_back(now)
        was_done = self._left <= _DONE
        power = power_of(seen, self.settings.power)
        if power is not None:
            self._is_observed = True
        elif not self._is_observed:
            power = self.settings.power if self._is_told else 0.0
        is_on = None if power is None else power > _RUNS * self.settings.power
        if is_on is not None and power is not None:
            self._course.see(now, power)
        has_ended = self._roll(now, is_on)
        if is_on is None:
            return has_ended
        has_switched = is_on != self._is_on
        self._switch(now, is_on=is_on)
        self._known = now
        return has_ended or has_switched or was_done != (self._left <= _DONE)

    @property
    def _left(self) -> float:
        """Return the seconds that it still has to run."""
        return max(0.0, self.settings.hours * 3600.0 - self._ran)

    def _set_back(self, now: float) -> None:
        """Keep moments of the past in the past where the clock has gone back."""
        if self._known is not None and now < self._known:
            self._known = now
            self._since = None if self._since is None else min(self._since, now)
            self._begun = None if self._begun is None else min(self._begun, now)
            self._forced_until = None

    def _roll(self, now: float, is_on: bool | None) -> bool:
        """Count what it ran since it was seen last; return whether its window has ended."""
        settings, before = self.settings, self._window
        self._window = daily_window(now, settings.begin, settings.end, settings.zone)
        if before is None or (now < before[1] and self._window[0] < before[1]):
            self._count(now, is_on)
            return False
        end = min(now, before[1])
        self._count(end, is_on, now)
        self._finished.put(self._course.take(end))
        self._begun, self._ran, self._starts = end, 0.0, 0
        self._count(now, is_on)
        return True

    def _count(self, until: float, is_on: bool | None, seen: float | None = None) -> None:
        """Count what it ran until a moment, with what is seen then or later."""
        if self._known is None or is_on is None:
            return
        start = self._known if self._begun is None else max(self._known, self._begun)
        gap = (until if seen is None else seen) - self._known
        self._ran += max(0.0, until - start) * held(gap, float(self._is_on), float(is_on))

    def _switch(self, now: float, *, is_on: bool) -> None:
        """Take whether it runs."""
        if is_on != self._is_on or self._since is None:
            self._starts += is_on and self._since is not None
            self._is_on, self._since = is_on, now

    # What it has to do

    def task(self, now: float, around: Around) -> MovableTask | None:
        """Return the hours that are left of its present window, None where none are."""
        settings = self.settings
        window, left, starts = self._window, self._left, self._starts
        if window is None or now >= window[1]:
            window = daily_window(now, settings.begin, settings.end, settings.zone)
            left, starts = settings.hours * 3600.0, 0
        if left <= _DONE:
            return None
        start, end = max(now, window[0]), window[1]
        rules = settings.rules
        if rules.most_starts is not None:
            rules = replace(rules, most_starts=max(0, rules.most_starts - starts))
        load = RunLoad(
            name=settings.name,
            power=settings.power,
            run_time=left - self._kept_back(start, end, left),
            window=Window(
                start=start,
                end=end,
                quiet=quiet_within(start, end, settings.quiet, settings.zone),
            ),
            rules=rules,
            state=self._state(now, start),
        )
        return MovableTask(load=load, start=now, deadline=end, run_time=left)

    def _kept_back(self, start: float, end: float, left: float) -> float:
        """Return the seconds that it will run for its longest pause once the rest has run.

        What is planned leaves them out: else it would run longer than it has to.
        """
        longest = self.settings.longest_pause
        rest = end - start - left
        if longest is None or rest < longest:
            return 0.0
        forced = self._forced_run
        return min(left, (1.0 + (rest - longest) // (longest + forced)) * forced)

    @property
    def _forced_run(self) -> float:
        """Return for how many seconds it runs after its longest pause."""
        return self.settings.rules.least_run or _LEAST

    def _state(self, now: float, start: float) -> State:
        """Return whether it runs at the start of a window, and for how long it has."""
        if self._since is None:
            return RESTED
        if self._is_on and start > now:
            return State(is_on=False, seconds=start - now)
        return State(is_on=self._is_on, seconds=max(0.0, start - self._since))

    def target(self, planned: Planned | None, now: float) -> Target:
        """Return whether it should run; least run and least pause hold for any new plan, too.

        What somebody has switched on is none of its runs.
        """
        run = self._wanted(planned, now)
        if run is None:
            return Target()
        for_now = math.inf if self._since is None else now - self._since
        if self._is_on and self._is_told and for_now < self.settings.rules.least_run:
            run = True
        elif not self._is_on and for_now < self.settings.rules.least_pause:
            run = False
        self._is_told = run
        if not self._is_observed:
            self._switch(now, is_on=run)
        return Target(run=run, power=self.settings.power if run else 0.0)

    def _wanted(self, planned: Planned | None, now: float) -> bool | None:
        """Return whether it should run by its plan and its longest pause, None: not planned yet."""
        if self._is_forced(now):
            return True
        if self._left <= _DONE:
            return False
        return None if planned is None else planned.plan.power_at(now) > 0.0

    def _is_forced(self, now: float) -> bool:
        """Return whether it has stood for its longest pause, and has not yet run for it."""
        longest, window = self.settings.longest_pause, self._window
        if longest is None or window is None or not window[0] <= now < window[1]:
            return False
        if self._forced_until is None or now >= self._forced_until:
            self._forced_until = None
            if not self._is_on and self._since is not None and now - self._since >= longest:
                self._forced_until = now + self._forced_run
        return self._forced_until is not None

    def done(self) -> tuple[Piece, ...] | None:
        """Return what it took from the end of a window to the end of the next, once."""
        return self._finished.take()

    # What survives a restart

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {
            "window": None if self._window is None else list(self._window),
            "begun": self._begun,
            "ran": self._ran,
            "starts": self._starts,
            "is_on": self._is_on,
            "since": self._since,
            "known": self._known,
            "is_told": self._is_told,
            "is_observed": self._is_observed,
            "forced_until": self._forced_until,
            "course": self._course.as_dict(),
            "finished": self._finished.as_list(),
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take what `as_dict` gave; raises ValueError, KeyError or TypeError for anything else."""
        new = RunTimeJob(self.settings)
        if data["window"] is not None:
            start, end = data["window"]
            new._window = number(start), number(end)
        new._begun = moment_or_none(data["begun"])
        new._ran = number(data["ran"])
        new._starts = int(number(data["starts"]))
        new._is_on = flag(data["is_on"])
        new._since = moment_or_none(data["since"])
        new._known = moment_or_none(data["known"])
        new._is_told = flag(data["is_told"])
        new._is_observed = flag(data["is_observed"])
        new._forced_until = moment_or_none(data["forced_until"])
        new._course.restore(data["course"])
        new._finished.restore(data["finished"])
        if new._ran < 0.0 or new._starts < 0:
            raise ValueError("less than nothing has run")
        self.__dict__.update(new.__dict__)
