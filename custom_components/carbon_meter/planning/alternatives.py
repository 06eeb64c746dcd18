"""What a site could do: the alternatives of a decision, and what each member of a site does in one.

Every member is simulated with the model that plans it, over a forecast or over what was recorded.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, Protocol

import numpy as np

from ..carbon.flow.amounts import amount
from .battery import BatteryLoad
from .battery_plan import plan_battery
from .objective import Goal, Objective
from .plan import Outcome, Plan, Weighing, Wish
from .signal import Signal
from .slot_powers import pieces_of
from .thermal import ThermalLoad
from .thermal_plan import FELT, plan_thermal
from .zones import NO_ADJUSTMENT, Adjustment, AirZone, LightZone

_NEUTRAL: Final = Objective.carbon()
"""What plans are made by whose baseline alone is asked for."""


class Way(StrEnum):
    """What is done, in one word."""

    NOTHING = "nothing"
    """Everything runs at once, thermostats keep their setpoints, the battery rests."""

    CLEANEST = "cleanest"
    CHEAPEST = "cheapest"
    BETWEEN = "between"
    """Cost, with a price on carbon."""

    RELAXED = "relaxed"
    """The cleanest, with more room for comfort."""

    SETPOINT = "setpoint"
    """Setpoints of zones are moved."""

    SCHEDULE = "schedule"
    """Schedules of zones are moved."""

    DIMMED = "dimmed"
    """Lights are dimmed while it is worst."""

    COMBINED = "combined"
    """What is best for loads, and what is worth it in zones, together."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Alternative:
    """One thing that a site could do.

    Without an `objective` loads run at once. `kelvin` widens the comfort of thermal loads on both
    sides; `adjustment` is for zones.
    """

    way: Way
    objective: Objective | None = None
    kelvin: float = 0.0
    adjustment: Adjustment = NO_ADJUSTMENT
    dims_by: Objective | None = None
    """What lights are dimmed by, where it is not the objective."""

    combined: tuple[Alternative, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it for an attribute or an action's response."""
        found: dict[str, Any] = {"way": self.way.value}
        if self.combined:
            found["parts"] = [part.way.value for part in self.combined]
        for part in self.parts():
            match part.way:
                case Way.BETWEEN if part.objective is not None:
                    found["price_per_kg"] = part.objective.price_per_kg
                case Way.RELAXED:
                    found["comfort_kelvin"] = part.kelvin
                case Way.SETPOINT:
                    found["setpoint_kelvin"] = part.adjustment.kelvin
                case Way.SCHEDULE:
                    found["minutes_earlier"] = part.adjustment.earlier / 60.0
                case Way.DIMMED:
                    found["light"] = part.adjustment.dim
        return found

    def parts(self) -> tuple[Alternative, ...]:
        """Return the alternatives that it is combined of; itself where it is not."""
        return self.combined or (self,)

    @classmethod
    def combining(cls, *parts: Alternative) -> Alternative:
        """Return what is done in all of them: one for loads, and different ones for zones."""
        adjustments = [part.adjustment for part in parts]
        return cls(
            way=Way.COMBINED,
            objective=next((part.objective for part in parts if part.objective), None),
            kelvin=max(part.kelvin for part in parts),
            adjustment=Adjustment(
                kelvin=max(each.kelvin for each in adjustments),
                earlier=next((each.earlier for each in adjustments if each.earlier), 0.0),
                dim=min(each.dim for each in adjustments),
            ),
            dims_by=next((part.dims_by for part in parts if part.dims_by), None),
            combined=parts,
        )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Simulated:
    """What one member does in one alternative; `plan` where it is planned."""

    outcome: Outcome
    discomfort: float = 0.0
    """K h outside the comfort."""

    dimmed: float = 0.0
    """Hours of full light that were taken away."""

    late: float = 0.0
    """Wh that are missing at their deadline."""

    plan: Plan | None = None


class Planned(Protocol):
    """A load that plans itself, such as those of `loads`."""

    @property
    def name(self) -> str:
        """Return what it is called."""

    def planned(self, signal: Signal, objective: Objective) -> Plan:
        """Return its plan."""


class Member(Protocol):
    """Something at a site that does more or less in different alternatives."""

    @property
    def name(self) -> str:
        """Return what it is called."""

    def simulate(self, signal: Signal, alternative: Alternative) -> Simulated:
        """Return what it does."""


@dataclass(frozen=True, slots=True)
class Movable:
    """A load whose run can be moved."""

    load: Planned

    @property
    def name(self) -> str:
        """Return what it is called."""
        return self.load.name

    def simulate(self, signal: Signal, alternative: Alternative) -> Simulated:
        """Return what it does: its plan, or running at once."""
        plan = self.load.planned(signal, alternative.objective or _NEUTRAL)
        missed = [each for each in plan.relaxed if each.wish is Wish.DEADLINE]
        late = sum(each.amount for each in missed if each.unit == "Wh")
        if alternative.objective is None:
            return Simulated(outcome=plan.baseline, late=late)
        return Simulated(outcome=plan.outcome, late=late, plan=plan)


@dataclass(frozen=True, kw_only=True, slots=True)
class Warmth:
    """Something that is heated or cooled ahead of time."""

    name: str
    load: ThermalLoad

    def simulate(self, signal: Signal, alternative: Alternative) -> Simulated:
        """Return what it does: its plan, or a thermostat; comfort is that of the load itself."""
        load, slots = self.load, signal.slots
        wide = alternative.kelvin
        if wide:
            load = replace(load, low=np.subtract(load.low, wide), high=np.add(load.high, wide))
        found = plan_thermal(load, signal, alternative.objective or _NEUTRAL)
        at_once = alternative.objective is None
        temperatures = found.baseline_temperatures if at_once else found.temperatures
        missed = np.maximum(self.load.low - temperatures, temperatures - self.load.high)
        # Rounding is no discomfort.
        missed = np.where(missed > FELT, missed, 0.0)
        return Simulated(
            outcome=found.plan.baseline if at_once else found.plan.outcome,
            discomfort=float(missed @ slots.hours),
            plan=None if at_once else found.plan,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Storage:
    """A battery."""

    name: str
    load: BatteryLoad

    def simulate(self, signal: Signal, alternative: Alternative) -> Simulated:
        """Return what it does: its plan, or nothing."""
        found = plan_battery(self.load, signal, alternative.objective or _NEUTRAL)
        if alternative.objective is None:
            return Simulated(outcome=found.plan.baseline)
        return Simulated(outcome=found.plan.outcome, plan=found.plan)


@dataclass(frozen=True, slots=True)
class Zone:
    """A part of a building that is adjusted."""

    zone: AirZone | LightZone

    @property
    def name(self) -> str:
        """Return what it is called."""
        return self.zone.name

    def simulate(self, signal: Signal, alternative: Alternative) -> Simulated:
        """Return what it takes when it is adjusted."""
        objective = alternative.dims_by or alternative.objective or _NEUTRAL
        weighing = Weighing.of(signal, objective)
        used = self.zone.used(signal.slots, weighing.weights.first, alternative.adjustment)
        pieces = pieces_of(signal.slots, used.powers)
        return Simulated(
            outcome=weighing.outcome(pieces), discomfort=used.discomfort, dimmed=used.dimmed
        )


def standard_alternatives(
    members: tuple[Member, ...],
    objective: Objective,
    *,
    kelvin: float = 1.0,
    has_price: bool = True,
) -> tuple[Alternative, ...]:
    """Return the alternatives of a site: those that make a difference to one of its members.

    Between the cleanest and the cheapest there are weights only where there is a price; they are
    put in later, when it is known what the two cost. `kelvin` is how far comfort is relaxed and
    setpoints are moved, `objective` what lights are dimmed by.
    """
    amount("kelvin", kelvin)
    clean = Objective.lexicographic(Goal.CARBON) if has_price else Objective.carbon()
    found = [Alternative(way=Way.NOTHING), Alternative(way=Way.CLEANEST, objective=clean)]
    if has_price:
        cheap = Objective.lexicographic(Goal.COST)
        found.append(Alternative(way=Way.CHEAPEST, objective=cheap))
    if any(isinstance(member, Warmth) for member in members):
        found.append(Alternative(way=Way.RELAXED, objective=clean, kelvin=kelvin))
    zones = [member.zone for member in members if isinstance(member, Zone)]
    if any(isinstance(zone, AirZone) for zone in zones):
        found += [
            Alternative(way=Way.SETPOINT, adjustment=Adjustment(kelvin=by))
            for by in (kelvin, 2.0 * kelvin)
        ]
    if zones:
        found += [
            Alternative(way=Way.SCHEDULE, adjustment=Adjustment(earlier=60.0 * minutes))
            for minutes in (30.0, 60.0, -30.0)
        ]
    if any(isinstance(zone, LightZone) for zone in zones):
        found.append(Alternative(way=Way.DIMMED, adjustment=Adjustment(dim=0.8), dims_by=objective))
    return tuple(found)


def between(
    cleanest: tuple[float, float], cheapest: tuple[float, float]
) -> tuple[Alternative, ...]:
    """Return three weights between two alternatives, each given by its carbon in g and its cost.

    The middle one counts a kg as much as it costs to avoid one by going all the way from the
    cheapest to the cleanest; the others a third of it, and three times. None where the cheapest is
    as clean.
    """
    carbon, cost = cheapest[0] - cleanest[0], cleanest[1] - cheapest[1]
    if not (carbon > 1e-9 * abs(cheapest[0]) and cost > 0.0):
        return ()
    price = cost / carbon * 1000.0
    return tuple(
        Alternative(way=Way.BETWEEN, objective=Objective.weighted(price * part))
        for part in (1.0 / 3.0, 1.0, 3.0)
    )
