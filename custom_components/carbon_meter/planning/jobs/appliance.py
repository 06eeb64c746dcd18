"""An appliance that is filled and made ready, and then runs once, without a pause.

It is ready when its entity turns on, or by hand. From then on it waits for the start of its plan;
once it runs it is never interrupted. Where nothing is seen of it, what it was told counts as done.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, tzinfo
from enum import StrEnum
import math
from typing import Any, Final

import numpy as np

from ..block import Profile
from ..loads import BlockLoad
from ..plan import Piece
from ..window import Window
from .held import flag, number
from .job import NO_TARGET, Around, Planned, Seen, Target
from .run_watch import UNCONFIRMED, RunWatch, Turn
from .taken import GAP, Finished
from .tasks import MovableTask
from .times import TimesOfDay, is_moment, moment_or_none, next_at, quiet_within

_MINUTE: Final = 60.0
"""Seconds."""


class Phase(StrEnum):
    """Where an appliance is."""

    IDLE = "idle"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    """It has run and has not been made ready again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplianceSettings:
    """What an appliance does and by when; `zone` is that of its times of day."""

    profile: Profile
    finish_by: time
    zone: tzinfo
    quiet: TimesOfDay | None = None
    standby_watts: float = 10.0
    """W up to which it does not run."""

    name: str = ""
    """What it is called in plans."""


class ApplianceJob:
    """Runs of an appliance, one each time that it is made ready; see `Job`.

    `settings` may be exchanged at any time.
    """

    def __init__(self, settings: ApplianceSettings) -> None:
        """Start idle."""
        self.settings = settings
        self.phase = Phase.IDLE
        self._ready_since: float | None = None
        self._lasts = settings.profile.duration
        self._finish_by: float | None = None
        self._is_planned = False
        self._at_once = False
        self._told: float | None = None
        self._wanted: bool | None = None
        self._is_lost = False
        self._last: float | None = None
        self._watch = RunWatch()
        self._finished = Finished()

    # What is asked for

    @property
    def is_armed(self) -> bool:
        """Return whether it waits for its start, or runs after it was made ready."""
        return self.phase is Phase.WAITING or (self.phase is Phase.RUNNING and self._is_planned)

    @property
    def deadline(self) -> float | None:
        """Return by when it should have run, None where it is not ready.

        That is what was told for this run, or else the first time of day by which a run can be
        finished that starts when it was made ready.
        """
        if not self.is_armed or self._ready_since is None:
            return None
        if self._finish_by is not None:
            return self._finish_by
        done = self._ready_since + self._lasts
        return next_at(done - 1.0, self.settings.finish_by, self.settings.zone)

    @property
    def is_unconfirmed(self) -> bool:
        """Return whether it should have started minutes ago and nothing shows that it has."""
        if self.phase is not Phase.WAITING or self._told is None or self._last is None:
            return False
        return self._last - self._told >= UNCONFIRMED

    def ready(self, now: float, finish_by: float | None = None) -> None:
        """Plan a run, by the time of day of the settings or by a moment.

        While it runs after it was made ready, nothing changes. Raises ValueError for moments that
        are none.
        """
        _check(now)
        if finish_by is not None:
            _check(finish_by)
        if self._arm(now):
            self._finish_by, self._at_once = finish_by, False

    def cancel(self) -> None:
        """Take back that it is ready; a run that has begun goes on."""
        if self.phase is Phase.WAITING:
            self.phase = Phase.IDLE
            self._told, self._at_once, self._is_lost = None, False, False

    def start_now(self, now: float) -> None:
        """Let it run at once, ready or not; raises ValueError for a moment that is none."""
        _check(now)
        if self._arm(now):
            self._at_once = True

    # What is seen

    def see(self, seen: Seen) -> bool:
        """Take what is seen of it; return whether a new plan is needed.

        It is when its phase changes, and when it waits and nobody has looked for minutes.
        """
        now, settings = seen.moment, self.settings
        if not is_moment(now):
            return False
        before = (self.phase, self._ready_since)
        is_blind = self._last is not None and now - self._last > GAP
        if self._last is not None and now < self._last:
            self._set_back(now)
        self._last = now
        told = self._told if self.phase is Phase.WAITING else None
        turn = self._watch.see(seen, settings.profile, settings.standby_watts, told)
        if turn is Turn.BEGINS:
            self._is_planned = self.phase is Phase.WAITING
            self.phase, self._is_lost = Phase.RUNNING, False
        elif turn is Turn.ENDS:
            self._finish(now)
        self._take_wanted(seen)
        is_missed = is_blind and self.phase is Phase.WAITING
        return is_missed or before != (self.phase, self._ready_since)

    def _set_back(self, now: float) -> None:
        """Keep moments of the past in the past where the clock has gone back."""
        self._watch.set_back(now)
        self._ready_since = None if self._ready_since is None else min(self._ready_since, now)
        self._told = None if self._told is None else min(self._told, now)

    def _take_wanted(self, seen: Seen) -> None:
        """Take whether it is ready: what turns on arms it, what turns off disarms it.

        Many entities turn off when a run starts: after a start was told, or while the power is
        up, it is given time to show.
        """
        now, before = seen.moment, self._wanted
        if seen.is_wanted is not None:
            self._wanted = seen.is_wanted
        if seen.is_wanted is False and before is True:
            self._is_lost = self.phase is Phase.WAITING
        elif seen.is_wanted is True and before is not True:
            self._is_lost = False
            self._arm(now)
        if self._is_lost and not self._is_starting(now) and not self._watch.is_rising:
            self.cancel()

    def _is_starting(self, now: float) -> bool:
        """Return whether it was told to run a moment ago, so that its run may have begun."""
        return self._told is not None and now - self._told < UNCONFIRMED

    def _arm(self, now: float) -> bool:
        """Let it wait for a start, unless it runs already for that; return whether it waits."""
        if self._watch.is_nearly_over(now):
            self._finish(now)
        if not self.is_armed:
            self._wait(now)
        return self.phase is Phase.WAITING

    def _wait(self, now: float) -> None:
        """Begin to wait for a start."""
        self.phase = Phase.WAITING
        self._ready_since, self._lasts = now, self.settings.profile.duration
        self._finish_by, self._at_once, self._told, self._is_lost = None, False, None, False
        self._watch.forget()

    def _finish(self, now: float) -> None:
        """Take note that it has run, and what it took."""
        pieces = self._watch.end(now, self.settings.profile)
        if self._is_planned:
            self._finished.put(pieces)
        self.phase = Phase.DONE if self._is_planned else Phase.IDLE
        self._told, self._is_planned, self._at_once = None, False, False

    # What it has to do

    def task(self, now: float, around: Around) -> MovableTask | None:
        """Return its run: still to be placed, or what is left of one that goes on."""
        deadline = self.deadline
        if deadline is None:
            return None
        settings, profile = self.settings, self.settings.profile
        quiet = quiet_within(now, deadline, settings.quiet, settings.zone)
        end = max(now, deadline)
        if self._watch.started is not None:
            left = _left(profile, now - self._watch.started)
            if left is None:
                return None
            profile, end, quiet = left, now + left.duration, ()
        elif self._at_once or self._is_starting(now):
            end, quiet = now + profile.duration, ()
        window = Window(start=now, end=end, quiet=quiet)
        return MovableTask(
            load=BlockLoad(name=settings.name, profile=profile, window=window),
            start=now,
            deadline=deadline,
            run_time=profile.duration,
        )

    def target(self, planned: Planned | None, now: float) -> Target:
        """Return whether it should run: from the start of its plan until it has run.

        A start that was missed by minutes waits for a new plan, and so does a plan that was made
        before it was ready.
        """
        if self._watch.started is not None:
            return Target(run=True, power=self._power(now - self._watch.started))
        if self.phase is Phase.WAITING:
            return self._target_waiting(planned, now)
        if self.phase is Phase.IDLE and self._watch.is_on_unmeasured:
            # Somebody has switched it on: that is no matter of a plan.
            return NO_TARGET
        return Target(run=False, power=0.0)

    def _target_waiting(self, planned: Planned | None, now: float) -> Target:
        """Return what it should do while it waits, and keep since when it was told to run."""
        start = now
        if not (self._at_once or self._is_starting(now)):
            if planned is None:
                return NO_TARGET
            planned_start = planned.plan.start
            start = now + 1.0 if planned_start is None else planned_start
            is_missed = self._told is None and now - start > GAP
            if is_missed or start < (self._ready_since or now) - 1.0:
                return NO_TARGET
        if start > now:
            self._told = None
            return Target(run=False, power=0.0)
        if self._told is None:
            self._told = now
        return Target(run=True, power=self._power(now - self._told))

    def _power(self, seconds: float) -> float:
        """Return the W of a run so many seconds after its start, 0 after its end."""
        profile = self.settings.profile
        place = int(max(0.0, seconds) / profile.step)
        return float(profile.powers[place]) if place < len(profile.powers) else 0.0

    def done(self) -> tuple[Piece, ...] | None:
        """Return what a run took that was made ready and is finished, once; None for none."""
        return self._finished.take()

    # What survives a restart

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {
            "phase": self.phase.value,
            "ready_since": self._ready_since,
            "lasts": self._lasts,
            "finish_by": self._finish_by,
            "is_planned": self._is_planned,
            "at_once": self._at_once,
            "told": self._told,
            "wanted": self._wanted,
            "is_lost": self._is_lost,
            "last": self._last,
            "watch": self._watch.as_dict(),
            "finished": self._finished.as_list(),
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take what `as_dict` gave; raises ValueError, KeyError or TypeError for anything else."""
        new = ApplianceJob(self.settings)
        new.phase = Phase(data["phase"])
        new._ready_since = moment_or_none(data["ready_since"])
        new._lasts = number(data["lasts"])
        new._finish_by = moment_or_none(data["finish_by"])
        new._is_planned = flag(data["is_planned"])
        new._at_once = flag(data["at_once"])
        new._told = moment_or_none(data["told"])
        new._wanted = None if data["wanted"] is None else flag(data["wanted"])
        new._is_lost = flag(data["is_lost"])
        new._last = moment_or_none(data["last"])
        new._watch.restore(data["watch"])
        new._finished.restore(data["finished"])
        if (new.phase is Phase.RUNNING) != (new._watch.started is not None):
            raise ValueError("it runs since no moment, or a run has no phase")
        if new.is_armed and new._ready_since is None:
            raise ValueError("it is ready since no moment")
        self.__dict__.update(new.__dict__)


def _check(moment: float) -> None:
    """Raise ValueError for what is no moment."""
    if not is_moment(moment):
        raise ValueError(f"{moment} is no moment")


def _left(profile: Profile, seconds: float) -> Profile | None:
    """Return what is left of a profile after so many seconds, None where that is nothing.

    It is known to the minute, or to a step where steps are shorter.
    """
    parts = math.ceil(profile.step / _MINUTE)
    step = profile.step / parts
    left = np.repeat(profile.powers, parts)[int(max(0.0, seconds) / step) :]
    return Profile.of(left, step) if left.any() else None
