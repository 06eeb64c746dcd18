"""Something to heat or to cool, again and again: a tank, a room, a floor."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np

from ..alternatives import Warmth
from ..objective import Objective
from ..plan import Margin, Piece, ReasonKind
from ..signal import Signal
from ..thermal_plan import plan_thermal
from .daily import Daily
from .held import Held, flag
from .hygiene import LONGEST, Hygiene, heating_time, latest
from .job import NO_TARGET, Around, Planned, Seen, Target
from .rolling import RollingTask, figure_at, reach
from .setpoint import CHANGE, Setpoint, rounded, whole
from .taken import power_of
from .thermometer import Thermometer
from .times import is_moment
from .warmth_settings import Steering, WarmthSettings
from .watch import Watch, ahead_of, place_of

_SWITCH: Final = 900.0
"""s between two switches, unless the comfort is missed."""

_OFF: Final = 0.5
_OFF_PART: Final = 0.25
"""By how much a temperature may be off its plan, in K and as a part of the comfort."""

_RUNS: Final = 0.1
"""The part of its greatest power from which on it runs: less is its standby."""

_START: Final = 180.0
"""s of full power that a start counts as in a plan, so that it does not switch for nothing."""


class WarmthJob:
    """Keeps a body within its comfort, and heats or cools ahead while it is clean.

    The baseline of its plans is a thermostat that keeps the near limit of the same comfort. A
    temperature that is not measured is worked out for half an hour; after that nothing is planned
    or said, so that the device does what it does by itself.
    """

    def __init__(self, settings: WarmthSettings) -> None:
        """Start with a body of which nothing is known."""
        self.settings = settings
        self._thermometer = Thermometer(self._after)
        self._hygiene = None if settings.hygiene is None else Hygiene(settings.hygiene)
        self._setpoint = Setpoint()
        self._run: Held[bool] = Held(_SWITCH)
        self._daily = Daily(settings.zone)
        allowed = max(_OFF, _OFF_PART * (settings.high - settings.low))
        self._watch = Watch(settings.low, settings.high, allowed=allowed)
        self._outside = settings.usual_outside
        self._power: float | None = None
        """W that were seen, or asked for, last; None: not known."""

        self._asked: float | None = None
        """W that were asked for last."""

    @property
    def base_setpoint(self) -> float | None:
        """Return the setpoint of a room that its user has chosen, None where it is not known."""
        return self._setpoint.base

    def see(self, seen: Seen) -> bool:
        """Take what is seen; return whether a new plan is needed."""
        now = seen.moment
        if not is_moment(now):
            return False
        is_measured = self._thermometer.see(now, seen.level, self._power)
        power = power_of(seen, self.settings.most)
        self._daily.see(now, power)
        if power is not None:
            self._power = max(power, 0.0)
        else:
            run = self._run.value
            self._power = None if run is None else float(run) * self.settings.most
        level = self._thermometer.at(now)
        is_due = False
        if self._hygiene is not None:
            before = self._hygiene.due(now)
            must = level is not None and self._must_heat(now, level)
            # What is worked out is no proof that it was hot.
            measured = level if is_measured else None
            is_heated = self._power is None or self._runs
            self._hygiene.see(now, measured, heated=must and is_heated)
            is_due = self._hygiene.due(now) != before
        is_new = self._moves_setpoint and self._setpoint.see(seen.setpoint)
        return self._watch.see(now, level) or is_new or is_due

    def task(self, now: float, around: Around) -> RollingTask | None:
        """Return what is to be planned now, None where the temperature is not known."""
        level = self._thermometer.at(now)
        if level is None or not is_moment(now):
            return None
        self._outside = figure_at(around, around.outside, now, self._outside)
        end = reach(around.signal, now, self.settings.horizon)
        due, needed = self._due(now, level)
        soon = now + latest(needed)
        deadline = due if due is not None and due <= end else None
        # What was missed is done as soon as can be.
        hot = () if deadline is None else (max(deadline, soon),)
        return RollingTask(
            start=now,
            end=end,
            made=partial(_member, self.settings, around, level, self._setpoint.base),
            planner=_Planner(
                settings=self.settings,
                around=around,
                level=level,
                base=self._setpoint.base,
                deadlines=hot,
                running=self._runs,
            ),
            fine=self.settings.steering is not Steering.SETPOINT,
            marks=hot,
            deadline=deadline,
            run_time=0.0 if deadline is None else needed,
        )

    def member(self, around: Around, start_level: float | None) -> Warmth:
        """Return what takes part in a simulation over a signal, past or to come.

        What is switched counts as any power: inside of a slot it is switched as often as needed.
        Without a level it begins in the middle of the comfort.
        """
        level = self.settings.middle if start_level is None else start_level
        return _member(self.settings, around, level, self._setpoint.base)

    def target(self, planned: Planned | None, now: float) -> Target:
        """Return what the device should do at a moment of its plan."""
        if planned is not None and place_of(planned, now) is None:
            planned = None
        self._watch.expect(planned, now)
        level = self._thermometer.at(now)
        if level is None:
            self._run.forget()
            return self._as_usual(now)
        if self.settings.steering is Steering.SETPOINT:
            tank = self.settings.is_tank
            return (
                self._of_tank(planned, now, level) if tank else self._of_room(planned, now, level)
            )
        power = 0.0 if planned is None else float(planned.plan.power_at(now))
        forced = self._forced(now, level)
        if forced is None and planned is None:
            return NO_TARGET
        wanted = power > 0.0 if forced is None else forced
        run = self._run.take(wanted, now, at_once=forced is not None)
        if not run:
            return Target(run=False, power=0.0)
        if forced:
            power = self.settings.most
        elif power <= 0.0:
            # It is still too early to switch off: as before.
            power = self._asked or self.settings.most
        self._asked = power
        return Target(run=True, power=power)

    def done(self) -> tuple[Piece, ...] | None:
        """Return what was taken on a local day that is over, once."""
        return self._daily.done()

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {
            "thermometer": self._thermometer.as_dict(),
            "hygiene": None if self._hygiene is None else self._hygiene.as_dict(),
            "setpoint": self._setpoint.as_dict(),
            "run": self._run.as_dict(),
            "daily": self._daily.as_dict(),
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take what `as_dict` gave; raises ValueError, KeyError or TypeError for anything else."""
        thermometer, setpoint = Thermometer(self._after), Setpoint()
        run: Held[bool] = Held(_SWITCH)
        daily = Daily(self.settings.zone)
        hygiene = None if self.settings.hygiene is None else Hygiene(self.settings.hygiene)
        thermometer.restore(data["thermometer"])
        setpoint.restore(data["setpoint"])
        run.restore(data["run"], flag)
        daily.restore(data["daily"])
        if hygiene is not None and data["hygiene"] is not None:
            hygiene.restore(data["hygiene"])
        self._thermometer, self._setpoint, self._hygiene = thermometer, setpoint, hygiene
        self._run, self._daily = run, daily

    @property
    def _runs(self) -> bool:
        """Return whether it was seen to run, or else told to."""
        return (self._power or 0.0) > _RUNS * self.settings.most

    @property
    def _moves_setpoint(self) -> bool:
        return self.settings.steering is Steering.SETPOINT and not self.settings.is_tank

    def _after(self, now: float, level: float, seconds: float, power: float) -> float:
        return self.settings.after(now, level, seconds, power, self._outside)

    def _due(self, now: float, level: float) -> tuple[float | None, float]:
        """Return by when the tank has to be hot, if it has to, and the seconds that takes."""
        if self._hygiene is None:
            return None, 0.0
        return self._hygiene.due(now), min(self._heating_time(level), LONGEST)

    def _heating_time(self, level: float) -> float:
        settings, outside = self.settings, self._outside
        assert settings.hygiene is not None  # noqa: S101  # asked for tanks that have one only
        return heating_time(
            settings.body,
            level=level,
            wanted=settings.hygiene.temperature,
            heat=settings.heat(outside),
            surroundings=outside if settings.surroundings is None else settings.surroundings,
        )

    def _must_heat(self, now: float, level: float) -> bool:
        """Return whether all the time to a weekly deadline is needed."""
        hygiene = self._hygiene
        return hygiene is not None and hygiene.must_heat(now, self._heating_time(level))

    def _hottest(self, now: float) -> float:
        """Return how warm a tank may be now."""
        if self._hygiene is None or not self._hygiene.is_near(now):
            return self.settings.high
        return max(self.settings.high, self._hygiene.settings.temperature)

    def _forced(self, now: float, level: float) -> bool | None:
        """Return whether it has to run, or must not; None where the plan decides."""
        settings = self.settings
        if self._must_heat(now, level):
            return True
        if settings.source.cools:
            is_short, is_enough = level > settings.high, level <= settings.low
        else:
            is_short, is_enough = level < settings.low, level >= self._hottest(now)
        if is_short or is_enough:
            return is_short
        return None

    def _as_usual(self, now: float) -> Target:
        """Return what is said while nothing is known: a setpoint that was moved goes back."""
        base = self._setpoint.base
        if base is None or not self._setpoint.is_moved:
            return NO_TARGET
        return Target(setpoint=self._setpoint.ask(base, now, at_once=True))

    def _of_room(self, planned: Planned | None, now: float, level: float) -> Target:
        """Return the setpoint of a room: that of its user, moved as the plan moves the room."""
        settings, base = self.settings, self._setpoint.base
        if base is None:
            return NO_TARGET
        is_missed = not settings.low <= level <= settings.high
        run, planned_level = _ahead(planned, now)
        is_moved = planned is not None and planned.plan.reason.kind is ReasonKind.MOVED
        if is_missed or planned_level is None or not is_moved:
            asked = self._setpoint.ask(base, now, at_once=is_missed)
            return Target(run=run, setpoint=asked)
        shift = rounded(planned_level - base, up=run is not settings.source.cools)
        down, up = min(settings.shift_down, base - settings.low), settings.high - base
        shift = min(max(shift, -whole(down)), whole(min(settings.shift_up, up)))
        return Target(run=run, setpoint=self._setpoint.ask(base + shift, now))

    def _of_tank(self, planned: Planned | None, now: float, level: float) -> Target:
        """Return the setpoint of a tank: the temperature that it should have at the slot's end."""
        settings = self.settings
        run, planned_level = _ahead(planned, now)
        if self._hygiene is not None and self._must_heat(now, level):
            hot = rounded(self._hygiene.settings.temperature, up=True)
            return Target(run=True, setpoint=self._setpoint.ask(hot, now, at_once=True))
        if planned_level is None:
            return NO_TARGET
        wanted = rounded(planned_level, up=run is not settings.source.cools)
        wanted = min(max(wanted, settings.low), self._hottest(now))
        at_once = not settings.low <= level <= self._hottest(now)
        return Target(run=run, setpoint=self._setpoint.ask(wanted, now, at_once=at_once))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Planner:
    """Plans a body from what was known of it at a moment."""

    settings: WarmthSettings
    around: Around
    level: float
    base: float | None
    deadlines: tuple[float, ...]
    running: bool

    def __call__(self, signal: Signal, objective: Objective, margin: Margin) -> Planned:
        """Return its plan; it computes."""
        settings = self.settings
        load = settings.load(
            signal.slots,
            self.around,
            start=self.level,
            base=self.base,
            deadlines=self.deadlines,
            stages=settings.switched,
            running=self.running,
        )
        weights = objective.weights(signal)
        known = np.abs(weights.first[weights.known])
        per_start = float(known.mean()) * settings.most * _START / 3600.0 if len(known) else 0.0
        found = plan_thermal(load, signal, objective, per_start=per_start, margin=margin)
        return Planned(plan=found.plan, contents=found.temperatures)


def _member(settings: WarmthSettings, around: Around, level: float, base: float | None) -> Warmth:
    """Return what takes part in a simulation, from a level on."""
    slots = around.signal.slots
    deadlines: tuple[float, ...] = ()
    if settings.hygiene is not None and len(slots):
        deadlines = settings.hygiene.deadlines(slots.start, slots.end)
    load = settings.load(slots, around, start=level, base=base, deadlines=deadlines)
    return Warmth(name=settings.name, load=load)


def _ahead(planned: Planned | None, now: float) -> tuple[bool | None, float | None]:
    """Return whether a plan runs until a setpoint may change again, and how warm it is then."""
    found = None if planned is None else ahead_of(planned, now, CHANGE)
    return (None, None) if found is None else found
