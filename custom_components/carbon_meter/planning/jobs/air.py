"""The air of a zone: cooled, or heated, ahead of the hours in which carbon is worst."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from ..alternatives import Zone
from ..objective import Objective
from ..plan import Margin, Piece, ReasonKind
from ..signal import Signal
from ..thermal_plan import plan_thermal
from .air_settings import START_UP, AirSettings
from .body_load import without_power
from .daily import Daily
from .held import Held, flag, number
from .job import NO_TARGET, Around, Planned, Seen, Stretches, Target
from .rolling import RollingTask, figure_at, reach
from .schedule import joined_stretches, without
from .setpoint import CHANGE, rounded
from .taken import power_of
from .thermometer import Thermometer
from .times import is_moment
from .watch import Watch, ahead_of, place_of

_STAYS: Final = 3600.0
_GONE: Final = 1800.0
"""s that somebody who is there is taken to stay, and nobody, where a schedule says otherwise."""

_OFF: Final = 0.5
_OFF_PART: Final = 0.25
"""By how much a temperature may be off its plan, in K and as a part of the comfort."""


class AirJob:
    """Moves the setpoint of a zone: ahead of its occupation, and while somebody is there.

    A zone in which nobody is may drift as far as the setback. Where the temperature is not known
    for half an hour, a setpoint that was moved goes back, and nothing else is said.
    """

    def __init__(self, settings: AirSettings) -> None:
        """Start with a zone of which nothing is known."""
        self.settings = settings
        self._thermometer = Thermometer(self._after)
        self._setpoint: Held[float] = Held(CHANGE)
        self._daily = Daily(settings.zone)
        allowed = max(_OFF, _OFF_PART * (settings.high - settings.low))
        self._watch = Watch(settings.low, settings.high, allowed=allowed)
        self._outside = settings.usual_outside
        self._power: float | None = None
        self._wanted: bool | None = None
        self._calendar: Stretches | None = None
        self._was_occupied: bool | None = None

    @property
    def base_setpoint(self) -> float:
        """Return the setpoint that is not moved."""
        return self.settings.setpoint

    def see(self, seen: Seen) -> bool:
        """Take what is seen; return whether a new plan is needed."""
        now = seen.moment
        if not is_moment(now):
            return False
        self._thermometer.see(now, seen.level, self._power)
        power = power_of(seen, self.settings.power)
        self._daily.see(now, power)
        self._power = None if power is None else max(power, 0.0)
        is_new = seen.is_wanted != self._wanted or seen.stretches != self._calendar
        self._wanted, self._calendar = seen.is_wanted, seen.stretches
        # A zone is cool, or warm, in its empty hours: that is no reason for a new plan.
        level = self._thermometer.at(now)
        occupied = bool(self.occupied_within(now, now + 1.0))
        is_off = self._watch.see(now, level)
        return is_new or (is_off and (occupied or level is None))

    def occupied_within(self, start: float, end: float) -> Stretches:
        """Return when somebody is there: who is there now counts more than any schedule."""
        settings = self.settings
        if self._calendar is not None:
            found = joined_stretches(list(self._calendar), start, end)
        else:
            found = settings.occupied_within(start, end)
        if self._wanted:
            return joined_stretches([*found, (start, start + _STAYS)], start, end)
        if self._wanted is False:
            return without(found, start, start + _GONE)
        return found

    def task(self, now: float, around: Around) -> RollingTask | None:
        """Return what is to be planned now, None where the temperature is not known."""
        level = self._thermometer.at(now)
        if level is None or not is_moment(now):
            return None
        self._outside = figure_at(around, around.outside, now, self._outside)
        end = reach(around.signal, now, self.settings.horizon)
        # Who comes soon after the end makes a lead before it.
        occupied = self.occupied_within(now, end + self.settings.lead * 3600.0)
        edges = {each for part in occupied for each in part}
        edges |= {start - self.settings.lead * 3600.0 for start, _ in occupied}
        return RollingTask(
            start=now,
            end=end,
            made=partial(_member, self.settings, around, level, occupied),
            planner=_Planner(settings=self.settings, around=around, level=level, occupied=occupied),
            fine=False,
            marks=tuple(sorted(each for each in edges if now < each < end)),
        )

    def member(self, around: Around, start_level: float | None) -> Zone:
        """Return what takes part in a simulation over a signal, past or to come, by its schedule.

        Without a level it begins at its setpoint.
        """
        slots = around.signal.slots
        occupied: Stretches = ()
        if len(slots):
            lead = self.settings.lead * 3600.0
            occupied = self.settings.occupied_within(slots.start, slots.end + lead)
        level = self.settings.setpoint if start_level is None else start_level
        return _member(self.settings, around, level, occupied)

    def target(self, planned: Planned | None, now: float) -> Target:
        """Return what the thermostat should be set to at a moment of its plan."""
        if planned is not None and place_of(planned, now) is None:
            planned = None
        self._watch.expect(planned, now)
        level = self._thermometer.at(now)
        settings = self.settings
        if level is None:
            return self._as_usual(now)
        occupied = bool(self.occupied_within(now, now + 1.0))
        changed = self._was_occupied is (not occupied)
        self._was_occupied = occupied
        is_missed = occupied and not settings.low <= level <= settings.high
        run, wanted = self._planned(planned, now, occupied=occupied)
        if is_missed:
            wanted = settings.setpoint
        asked = self._setpoint.take(wanted, now, at_once=is_missed or changed)
        return Target(run=run, setpoint=asked)

    def done(self) -> tuple[Piece, ...] | None:
        """Return what was taken on a local day that is over, once."""
        return self._daily.done()

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {
            "thermometer": self._thermometer.as_dict(),
            "setpoint": self._setpoint.as_dict(),
            "daily": self._daily.as_dict(),
            "wanted": self._wanted,
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take what `as_dict` gave; raises ValueError, KeyError or TypeError for anything else."""
        thermometer = Thermometer(self._after)
        thermometer.restore(data["thermometer"])
        setpoint: Held[float] = Held(CHANGE)
        setpoint.restore(data["setpoint"], number)
        daily = Daily(self.settings.zone)
        daily.restore(data["daily"])
        self._wanted = None if data["wanted"] is None else flag(data["wanted"])
        self._thermometer, self._setpoint, self._daily = thermometer, setpoint, daily

    def _after(self, now: float, level: float, seconds: float, power: float) -> float:
        del now
        return self.settings.after(level, seconds, power, self._outside)

    def _as_usual(self, now: float) -> Target:
        """Return what is said while nothing is known: a setpoint that was moved goes back."""
        asked = self._setpoint.value
        if asked is None or asked == self.settings.setpoint:
            return NO_TARGET
        self._setpoint.forget()
        return Target(setpoint=self.settings.setpoint)

    def _planned(
        self, planned: Planned | None, now: float, *, occupied: bool
    ) -> tuple[bool | None, float]:
        """Return whether a plan runs at a moment, and the setpoint that it asks for."""
        settings = self.settings
        usual = settings.setpoint if occupied else settings.setback_setpoint
        found = None if planned is None else ahead_of(planned, now, CHANGE)
        if planned is None or found is None:
            comes = self._wanted is not False and self.occupied_within(now, now + START_UP)
            return None, settings.setpoint if comes else usual
        run, level = found
        if occupied and planned.plan.reason.kind is not ReasonKind.MOVED:
            return run, usual
        if not run and not occupied:
            return run, usual
        shift = level - settings.setpoint
        shift = rounded(shift, up=run is not settings.source.cools)
        least, most = settings.shifts
        return run, settings.setpoint + min(max(shift, least), most)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Planner:
    """Plans the air of a zone from what was known of it at a moment."""

    settings: AirSettings
    around: Around
    level: float
    occupied: Stretches

    def __call__(self, signal: Signal, objective: Objective, margin: Margin) -> Planned:
        """Return its plan; it computes."""
        load = self.settings.load(self.around, signal.slots, self.level, self.occupied)
        found = plan_thermal(load, signal, objective, margin=margin)
        # A plan cannot be told to rest, but where the zone drifts to when it does.
        idle = self.settings.idle(signal.slots, self.occupied)
        if idle.any():
            resting = without_power(load, signal.slots, found.temperatures, idle)
            found = plan_thermal(resting, signal, objective, margin=margin)
        return Planned(plan=found.plan, contents=found.temperatures)


def _member(settings: AirSettings, around: Around, level: float, occupied: Stretches) -> Zone:
    """Return what takes part in a simulation, from a level on."""
    return Zone(settings.air_zone(around, level, occupied))
