"""A battery, again and again: charged while it is clean, used while it is not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
import math
from typing import Any, Final

import numpy as np

from ...carbon.flow.amounts import ImpossibleAmountError, amount
from ..alternatives import Storage
from ..battery import BatteryLoad
from ..battery_plan import plan_battery
from ..objective import Objective
from ..plan import Margin, Piece
from ..signal import Signal
from ..slots import Slots
from .daily import Daily
from .held import Held, number, number_or_none
from .job import NO_TARGET, Around, Planned, Seen, Target
from .rolling import RollingTask, figure_at, fitted, reach
from .taken import power_of
from .times import is_moment, moment_or_none
from .watch import Watch, place_of

_HOLD: Final = 300.0
"""s that a level that is not told any more is believed."""

_SWITCH: Final = 900.0
"""s between two changes of power, unless it is full or empty."""

_FOLLOWS: Final = 0.9
_NEAR: Final = 50.0
"""The part of what the site takes, and W beyond what it gives, from which and up to which a plan is
what the battery does by itself."""

_OFF: Final = 0.05
"""By how much of its capacity a content may be off its plan."""

USUAL_NET: Final = 400.0
"""W that a home takes where nobody knows, 3.5 MWh in a year: about what a household of the Union
uses. A battery without a forecast of its site gives no more than that, and exports nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StorageSettings:
    """What is known of a battery. Energy in Wh, power in W.

    `efficiency` is that of the round trip, 0 to 1, `reserve` the per cent that stay in it. Each
    kWh that goes through it wears off `wear_carbon` g and `wear_cost` of its making, and each kWh
    that it gives has to save `least_gain` g beyond that, where carbon is weighed. Raises
    ImpossibleAmountError for what cannot be.
    """

    name: str
    capacity: float
    charge: float
    discharge: float
    zone: tzinfo
    efficiency: float = 0.9
    reserve: float = 10.0
    wear_carbon: float = 0.0
    wear_cost: float = 0.0
    least_gain: float = 0.0
    usual_net: float = USUAL_NET
    horizon: float = 24.0
    """h that are planned."""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if amount("reserve", self.reserve) > 100.0:
            raise ImpossibleAmountError("reserve", "more than all")
        amount("least_gain", self.least_gain)
        amount("usual_net", self.usual_net, signed=True)
        if amount("efficiency", self.efficiency) == 0.0:
            raise ImpossibleAmountError("efficiency", "what gives nothing back is no battery")
        if amount("horizon", self.horizon) == 0.0:
            raise ImpossibleAmountError("horizon", "nothing is planned in no time")
        # What else no battery has.
        self.load(Around(signal=Signal.of(_NO_SLOTS, [])), _NO_SLOTS, 0.0)

    def load(self, around: Around, slots: Slots, level: float) -> BatteryLoad:
        """Return the battery over some slots, from a level in per cent on.

        In the end it holds as much as at the start, so that no plan lives on what was in it. What
        it gives beyond what the site takes is exported, and counts nothing.
        """
        one_way = math.sqrt(self.efficiency)
        return BatteryLoad(
            capacity=self.capacity,
            content=self.content(level),
            charge=self.charge,
            discharge=self.discharge,
            charging=one_way,
            discharging=one_way,
            reserve=self.content(self.reserve),
            wear_carbon=self.wear_carbon + self.least_gain,
            wear_cost=self.wear_cost,
            net=fitted(around, around.net, slots, self.usual_net),
            export=0.0,
        )

    def content(self, level: float) -> float:
        """Return the Wh of a level in per cent."""
        return self.capacity * level / 100.0


class StorageJob:
    """Charges and discharges a battery where that saves more than it loses and wears off.

    Where its level is not known, or where nothing is gained, nothing is said: it does what it
    does by itself, mostly to use up what the site makes. So it is where the plan is just that:
    one power for an hour would export when the site takes less, and import when it takes more.
    """

    def __init__(self, settings: StorageSettings) -> None:
        """Start with a battery of which nothing is known."""
        self.settings = settings
        self.content_change: float | None = None
        """Wh by which its content rose on the day that `done` has told last, where known."""

        self._around: Around | None = None
        """What it was planned with last."""

        self._level: float | None = None
        self._measured = 0.0
        self._power: Held[float] = Held(_SWITCH)
        self._daily = Daily(settings.zone)
        self._morning: float | None = None
        """Its level when the day began."""

        self._changes: list[float | None] = []
        self._watch = Watch(
            settings.content(settings.reserve),
            settings.capacity,
            allowed=_OFF * settings.capacity,
        )

    def see(self, seen: Seen) -> bool:
        """Take what is seen; return whether a new plan is needed."""
        now = seen.moment
        if not is_moment(now):
            return False
        if seen.level is not None and 0.0 <= seen.level <= 100.0:
            self._level, self._measured = seen.level, now
        level = self._level_at(now)
        day = self._daily.see(now, None if seen.power is None else power_of(seen, 0.0))
        if day is not None:
            if day:
                known = None not in {level, self._morning}
                self._changes.append(self._rise(level) if known else None)
            self._morning = level
        elif self._morning is None:
            self._morning = level
        return self._watch.see(now, None if level is None else self.settings.content(level))

    def task(self, now: float, around: Around) -> RollingTask | None:
        """Return what is to be planned now, None where its level is not known."""
        level = self._level_at(now)
        self._around = around
        if level is None or not is_moment(now):
            return None
        return RollingTask(
            start=now,
            end=reach(around.signal, now, self.settings.horizon),
            made=partial(_member, self.settings, around, level),
            planner=_Planner(settings=self.settings, around=around, level=level),
            fine=False,
        )

    def member(self, around: Around, start_level: float | None) -> Storage:
        """Return what takes part in a simulation over a signal; half full without a level."""
        level = 50.0 if start_level is None else start_level
        return _member(self.settings, around, level)

    def target(self, planned: Planned | None, now: float) -> Target:
        """Return what it should do at a moment of its plan: W, below zero it gives."""
        if planned is not None and place_of(planned, now) is None:
            planned = None
        self._watch.expect(planned, now)
        level = self._level_at(now)
        if level is None or planned is None or not planned.plan.pieces:
            self._power.forget()
            return NO_TARGET
        power = float(planned.plan.power_at(now))
        if self._is_usual(power, now):
            self._power.forget()
            return NO_TARGET
        held = self._power.take(power, now, at_once=power * (self._power.value or 0.0) > 0.0)
        if (held > 0.0 and level >= 100.0) or (held < 0.0 and level <= self.settings.reserve):
            held = self._power.take(0.0, now, at_once=True)
        return Target(run=held != 0.0, power=held)

    def done(self) -> tuple[Piece, ...] | None:
        """Return what it took, and gave below zero, on a local day that is over, once."""
        pieces = self._daily.done()
        if pieces is not None:
            self.content_change = self._changes.pop(0) if self._changes else None
        return pieces

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {
            "level": self._level,
            "measured": self._measured or None,
            "morning": self._morning,
            "changes": list(self._changes),
            "power": self._power.as_dict(),
            "daily": self._daily.as_dict(),
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take what `as_dict` gave; raises ValueError, KeyError or TypeError for anything else."""
        level, measured = _level(data["level"]), moment_or_none(data["measured"])
        morning = _level(data["morning"])
        changes = [number_or_none(each) for each in data["changes"]]
        power: Held[float] = Held(_SWITCH)
        power.restore(data["power"], number)
        daily = Daily(self.settings.zone)
        daily.restore(data["daily"])
        self._level, self._measured, self._morning = level, measured or 0.0, morning
        self._changes, self._power, self._daily = changes, power, daily

    def _is_usual(self, power: float, now: float) -> bool:
        """Return whether a power is what the battery does by itself, where its site is known."""
        around = self._around
        if around is None:
            return False
        net = figure_at(around, around.net, now, math.nan)
        if math.isnan(net):
            return False
        if power < 0.0:
            return power <= -_FOLLOWS * min(net, self.settings.discharge)
        return net < 0.0 and power <= _NEAR - net

    def _level_at(self, now: float) -> float | None:
        """Return its level in per cent, None where it was not told for too long."""
        return self._level if abs(now - self._measured) <= _HOLD else None

    def _rise(self, level: float | None) -> float:
        """Return by how many Wh its content has risen since the day began."""
        return self.settings.content((level or 0.0) - (self._morning or 0.0))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Planner:
    """Plans a battery from what was known of it at a moment."""

    settings: StorageSettings
    around: Around
    level: float

    def __call__(self, signal: Signal, objective: Objective, margin: Margin) -> Planned:
        """Return its plan; it computes."""
        load = self.settings.load(self.around, signal.slots, self.level)
        found = plan_battery(load, signal, objective, margin=margin)
        return Planned(plan=found.plan, contents=found.contents)


def _member(settings: StorageSettings, around: Around, level: float) -> Storage:
    """Return what takes part in a simulation, from a level in per cent on."""
    load = settings.load(around, around.signal.slots, level)
    return Storage(name=settings.name, load=load)


def _level(value: Any) -> float | None:
    """Return a level in per cent or None; raises ValueError or TypeError for anything else."""
    found = number_or_none(value)
    if found is not None and not 0.0 <= found <= 100.0:
        raise ValueError(f"{found} % is no level")
    return found


_NO_SLOTS: Final = Slots(np.empty(0), np.empty(0))
