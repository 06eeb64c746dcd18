"""Readings out of the states of entities."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
import math
from typing import Any, Final

from homeassistant.core import State

from ..metering.entities.counter import AdoptedCounter
from ..metering.entities.integral import LONGEST_STANDING, PowerIntegral
from ..metering.quantities import QUANTITIES
from ..metering.readings import Fault, Reading
from .sources import EntitySource, is_integrated
from .states import ImpossibleStateError, cycle_of, is_coarse, value_of

type States = Mapping[str, State | None]
"""The states of entities by their references."""

_METHOD: Final = "power held until the next report (left Riemann sum)"


@dataclass(kw_only=True)
class _Draft:
    """A reading that is being made of the states at one moment."""

    time: float
    states: States
    values: dict[str, float] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)

    def finished(self) -> Reading:
        """Return the reading."""
        return Reading(
            time=self.time,
            values=self.values,
            faults=tuple(self.faults),
            held=frozenset(self.held),
        )


class EntityReadings:
    """Makes readings of what the entities of one meter say.

    A counter is news with each report; until the next one the reading repeats it and says so
    in `held`. A power or a voltage stands for `LONGEST_STANDING` seconds without a report and
    is unknown from then on. Where a quantity has several sources all of them must be known.
    """

    def __init__(self, sources: Sequence[EntitySource]) -> None:
        """Start without a word."""
        self._by_quantity: dict[str, list[EntitySource]] = defaultdict(list)
        for source in sources:
            self._by_quantity[source.quantity].append(source)
        self._counters = {
            _key(source): AdoptedCounter(net=source.net)
            for source in sources
            if QUANTITIES[source.quantity].counter
        }
        self._integral = PowerIntegral() if is_integrated(sources) else None
        self._integrated: dict[str, float] = {}
        self._missed: list[Fault] = []
        self._newest = -math.inf
        self._time: float | None = None
        self._told: dict[str, float] = {}
        self.available = False
        """Whether any entity said something the last time."""

    @property
    def details(self) -> Mapping[str, Any]:
        """Return how the energy comes about, for diagnostics."""
        if self._integral is None:
            return {"energy_from": "counters"}
        return {
            "energy_from": _METHOD,
            "longest_standing": LONGEST_STANDING,
            "not_integrated": self._integral.missed,
        }

    def stands(self, now: float) -> bool:
        """Return whether the last word of any entity is not too old to be repeated."""
        return now - self._newest <= LONGEST_STANDING

    def power_told(self, states: States) -> None:
        """Take note of a power at the moment of its report; only of use where it is integrated."""
        if self._integral is not None:
            self._integrate(states)

    def advance(self, now: float) -> None:
        """Let the power that stands count up to now."""
        if self._integral is not None:
            self._integral.advance(now)

    def take(self, now: float, states: States) -> Reading:
        """Return the reading of now, in seconds since 1970 UTC.

        Its time is that of the newest report, now where there is no newer one.
        """
        told = [state.last_reported_timestamp for state in states.values() if state is not None]
        newest = max(told, default=-math.inf)
        fresh = self._time is not None and self._time < newest <= now
        time = newest if fresh else now
        self._newest, self._time = newest, time
        self.available = False
        draft = _Draft(time=time, states=states)
        for quantity, sources in self._by_quantity.items():
            if QUANTITIES[quantity].counter:
                self._count(draft, quantity, sources)
            else:
                self._measure(draft, quantity, sources)
        if self._integral is not None:
            self._integrate(states)
            self._integral.advance(time)
            draft.faults += self._missed
            self._missed = []
            if "power" in draft.values:
                draft.values["energy_import"] = self._integral.imported
                draft.values["energy_export"] = self._integral.exported
        return draft.finished()

    def _count(self, draft: _Draft, quantity: str, sources: Sequence[EntitySource]) -> None:
        """Add a counter to a reading."""
        total = backwards = 0.0
        news = net = False
        for source in sources:
            state = draft.states.get(source.entity)
            value = self._value(source, state, draft.faults)
            if value is None or state is None:
                return
            counter = self._counters[_key(source)]
            news |= counter.observe(
                draft.time,
                state.last_reported_timestamp,
                value,
                cycle=cycle_of(state),
                coarse=is_coarse(state, quantity),
            )
            total += counter.forwards
            backwards += counter.backwards
            net |= source.net
        draft.values[quantity] = total
        counted = {quantity}
        if net:
            draft.values["energy_export"] = backwards
            counted.add("energy_export")
        if not news:
            draft.held |= counted

    def _measure(self, draft: _Draft, quantity: str, sources: Sequence[EntitySource]) -> None:
        """Add what stands at a moment to a reading."""
        total = 0.0
        news = False
        for source in sources:
            state = draft.states.get(source.entity)
            value = self._value(source, state, draft.faults)
            if value is None or state is None:
                return
            told = state.last_reported_timestamp
            if draft.time - told > LONGEST_STANDING:
                return
            news |= told != self._told.get(_key(source))
            self._told[_key(source)] = told
            total += source.sign * value
        draft.values[quantity] = total
        if not news:
            draft.held.add(quantity)

    def _value(
        self, source: EntitySource, state: State | None, faults: list[Fault]
    ) -> float | None:
        """Return what one entity says, None with a fault where it cannot be a value."""
        try:
            value = value_of(state, source.quantity, net=source.net)
        except ImpossibleStateError as err:
            self.available = True
            where = state.entity_id if state is not None else source.entity
            faults.append(Fault(quantity=source.quantity, register=where, reason=str(err)))
            return None
        self.available |= value is not None
        return value

    def _integrate(self, states: States) -> None:
        """Tell the integral what the power is and since when, once for each report."""
        if self._integral is None:
            return
        sources = self._by_quantity["power"]
        total: float | None = 0.0
        told: dict[str, float] = {}
        for source in sources:
            state = states.get(source.entity)
            value = self._value(source, state, [])
            told[source.entity] = state.last_reported_timestamp if state is not None else -math.inf
            total = None if value is None or total is None else total + source.sign * value
        if told == self._integrated:
            self._integral.resume()
            return
        self._integrated = told
        since = max(told.values())
        if math.isinf(since):
            return
        missed = self._integral.tell(since, total)
        if missed:
            self._missed.append(
                Fault(
                    quantity="energy_import",
                    register=sources[0].entity,
                    reason=f"the power was not known for {missed:.0f} s: not integrated",
                )
            )

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {
            "time": self._time,
            "counters": {key: counter.as_dict() for key, counter in self._counters.items()},
            "integral": self._integral.as_dict() if self._integral is not None else None,
            "integrated": {
                entity: told for entity, told in self._integrated.items() if math.isfinite(told)
            },
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take what was known before a restart; of entities that are new there is nothing."""
        self._time = data["time"]
        for quantity, sources in self._by_quantity.items():
            for source in sources:
                stored = data["counters"].get(f"{quantity} {source.entity}")
                if stored is not None:
                    self._counters[_key(source)] = AdoptedCounter.from_dict(stored, net=source.net)
        if self._integral is not None and data["integral"] is not None:
            self._integral = PowerIntegral.from_dict(data["integral"])
            self._integrated = dict(data["integrated"])


def _key(source: EntitySource) -> str:
    return f"{source.quantity} {source.entity}"
