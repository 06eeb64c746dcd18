"""The account of one meter: readings in, booked intervals out.

Between two readings the counter tells what has flowed. A reading that repeats the
one before to the last bit tells nothing (the meter is frozen): the time until it
speaks again is a gap. Energy of a gap is spread evenly over it and marked.

What is not believed is kept as an incident with its reason, and the energy that counters
showed without being believed is summed up by reason: set apart, never repaired.
"""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from ..metering.counters import Counter, CounterEvent
from ..metering.incidents import WHOLE_METER, Incident, Reason
from ..metering.profile import Profile
from ..metering.quantities import QUANTITIES
from ..metering.readings import Reading
from .intensity.ladder import Ladder
from .intensity.source import IntensityInterval
from .ledger import LONGEST, Booking, Direction, Ledger

_QUANTITY: Final = {
    Direction.IMPORT: "energy_import",
    Direction.EXPORT: "energy_export",
}

_MISSED_POLLS: Final = 2.5
"""Polling intervals between two answers from which on the time between is a gap."""

_LEARNING: Final = 0.25
"""Share by which the usual time between two answers follows what it is."""

_FROZEN: Final = 300.0
"""Seconds of identical answers from which on the time is a gap: five minutes without a word."""

_LOST_COUNTER: Final = 86400.0
"""Seconds after which the record no longer waits for a counter that has gone."""

_INCIDENTS: Final = 50


@dataclass(kw_only=True, slots=True)
class _Flow:
    """One direction: its counter and how far it is booked."""

    counter: Counter
    booked_until: float | None = None
    seen: float = 0.0
    missed: bool = False
    """Whether readings have lacked it since it was booked."""


class MeterAccount:
    """Books the readings of one meter.

    `weighed` says whether its import has the carbon of the site's supply (it has
    not where the meter counts what a generator makes). `poll_interval` in seconds
    is how often readings are meant to come.
    """

    def __init__(
        self, profile: Profile, ladder: Ladder, *, poll_interval: float, weighed: bool = True
    ) -> None:
        """Start a new account: the first reading is the baseline."""
        self.ledger = Ledger()
        self.incidents: deque[Incident] = deque(maxlen=_INCIDENTS)
        self._set_apart: dict[Direction, dict[Reason, float]] = {
            direction: {} for direction in Direction
        }
        self.ladder = ladder
        self._profile = profile
        self._counted = _counted(profile)
        self._poll_interval = poll_interval
        self._cadence = poll_interval
        self._frozen_after = max(_FROZEN, _MISSED_POLLS * poll_interval)
        self._weighed = weighed
        self._flows = {
            direction: _Flow(counter=self._new_counter(direction)) for direction in Direction
        }
        self._last_values: dict[str, float] | None = None
        self._answered: float | None = None
        self._changed: float | None = None
        self._covered_until: float | None = None
        self._gap = False
        self._faulty: frozenset[str] = frozenset()
        self._blank = False

    def _new_counter(self, direction: Direction) -> Counter:
        profile = self._profile
        rollover = profile.rollover.get(self._counted[direction])
        return Counter(max_power=profile.max_power, rollover=rollover)

    @property
    def booked_until(self) -> float | None:
        """Return up to when every counter is booked; None before the first reading."""
        known = [flow for flow in self._flows.values() if flow.booked_until is not None]
        if not known or self._answered is None:
            return None
        awaited = [flow for flow in known if self._is_awaited(flow)]
        return min(flow.booked_until or 0.0 for flow in awaited or known)

    def _is_awaited(self, flow: _Flow) -> bool:
        """Return whether it is worth waiting for what a counter will say."""
        if flow.booked_until is None or self._answered is None:
            return False
        return self._answered - flow.booked_until < _LOST_COUNTER

    @property
    def frozen_for(self) -> float:
        """Return for how many seconds the meter has been repeating itself, 0 while it speaks."""
        if self._answered is None or self._changed is None:
            return 0.0
        silent = self._answered - self._changed
        return silent if silent >= self._frozen_after else 0.0

    @property
    def set_apart(self) -> Mapping[Direction, Mapping[Reason, float]]:
        """Return the Wh (L of water) that counters showed without being believed, by reason.

        Of a change downwards its size: nothing that was set apart makes up for something else.
        """
        return self._set_apart

    @property
    def ongoing(self) -> tuple[Incident, ...]:
        """Return the incidents that are not over yet."""
        return tuple(incident for incident in self.incidents if incident.lasts)

    def note(self, incident: Incident) -> bool:
        """Keep an incident that was found elsewhere; return whether it says anything new.

        One that ends takes the place of its beginning. One that begins again while it lasts
        (its finder was restarted) goes on.
        """
        for index, known in enumerate(self.incidents):
            if known.lasts and known.is_about(incident):
                if incident.lasts:
                    return False
                self.incidents[index] = replace(incident, time=known.time)
                return True
        self.incidents.append(incident)
        return True

    @property
    def is_blank(self) -> bool:
        """Return whether all counters show zero that did not before: a meter behind is lost."""
        return self._blank

    def believed(self, quantity: str, value: float | None) -> float | None:
        """Return what to show of a counter: the last believed value in Wh while it is doubted."""
        for direction, flow in self._flows.items():
            if self._counted[direction] == quantity and (self._blank or flow.counter.is_doubted):
                return value if flow.counter.last is None else flow.counter.last
        return value

    def start_counters_anew(self) -> None:
        """Take the next reading as a new baseline: the counters have changed their meaning."""
        for direction, flow in self._flows.items():
            flow.counter = self._new_counter(direction)
        self._last_values = None

    def observe(self, reading: Reading) -> tuple[Incident, ...]:
        """Book what a reading tells; return what of it is not believed, with the reason.

        What a counter did other than counting, and that the meter has frozen or speaks again.
        """
        now = reading.time
        values = dict(reading.values)
        previous_answer = self._answered
        if previous_answer is not None and self._is_late(now - previous_answer):
            self._gap = True
        self._answered = now
        if values == self._last_values and _is_alive(values, reading.held):
            if self._changed is not None and now < self._changed:
                self._changed = now
            return self._freeze(now)
        thawed = self._thaw(now)
        if self._changed is not None and now - self._changed >= self._frozen_after:
            self._gap = True
        # Two readings in a row: the power of a single one may be the slip that its counter is.
        power = min(abs(said.get("power", 0.0)) for said in (values, self._last_values or {}))
        self._last_values = values
        self._changed = now
        # A register that is always impossible says nothing of the others; one that has
        # become so does.
        faulty = frozenset(fault.quantity for fault in reading.faults)
        trusted = faulty <= self._faulty
        self._faulty = faulty
        return *thawed, *self._book(reading, trusted=trusted, power=power)

    def _freeze(self, now: float) -> tuple[Incident, ...]:
        """Return that the meter has frozen, when it has just been long enough."""
        if not self.frozen_for:
            return ()
        frozen = _frozen(self._changed if self._changed is not None else now, now, ended=None)
        return (frozen,) if self.note(frozen) else ()

    def _thaw(self, now: float) -> tuple[Incident, ...]:
        """Return that the meter speaks again, if it had frozen."""
        for incident in self.incidents:
            if incident.lasts and incident.reason is Reason.FROZEN:
                thawed = _frozen(incident.time, now, ended=now)
                self.note(thawed)
                return (thawed,)
        return ()

    def _is_late(self, waited: float) -> bool:
        """Return whether readings are missing between two answers.

        What is usual is learned: on a slow line a meter is asked less often than it is meant
        to be, and that alone is no gap.
        """
        late = waited > _MISSED_POLLS * self._cadence
        usual = min(max(waited, self._poll_interval), _MISSED_POLLS * self._cadence)
        self._cadence += _LEARNING * (usual - self._cadence)
        return late

    def _book(self, reading: Reading, *, trusted: bool, power: float) -> tuple[Incident, ...]:
        """Step the counters that the reading has and book their energy."""
        now = reading.time
        incidents: list[Incident] = []
        waiting = settled = False
        gap = self._gap
        was_blank, self._blank = self._blank, self._is_blank(reading.values)
        for direction, flow in self._flows.items():
            quantity = self._counted[direction]
            value = reading.values.get(quantity)
            if value is None or (self._blank and flow.booked_until is not None):
                flow.counter.doubt()
                flow.missed = flow.booked_until is not None
                waiting |= flow.missed and self._is_awaited(flow)
                continue
            if quantity in reading.held and flow.booked_until is not None:
                waiting |= self._is_awaited(flow)
                continue
            since_last, flow.seen = abs(now - flow.seen), now
            start = flow.booked_until if flow.booked_until is not None else now
            before = flow.counter.last
            # Of a clock that was set back nobody knows how long it really was.
            step = flow.counter.step(
                value, abs(now - start), since_last=since_last, trusted=trusted, power=power
            )
            if was_blank and before and step.event is None and not step.pending:
                step = replace(step, event=CounterEvent.SPIKE, set_apart=-before)
            if step.event is not None:
                incident = Incident(
                    time=now,
                    reason=Reason(step.event.value),
                    quantity=quantity,
                    amount=step.set_apart,
                    unit=QUANTITIES[quantity].unit,
                    ended=now,
                )
                incidents.append(incident)
                self._set_energy_apart(direction, incident)
            if step.pending:
                waiting |= self._is_awaited(flow)
                continue
            gap |= flow.missed
            self.ledger.book(
                Booking(
                    direction=direction,
                    start=start,
                    end=now,
                    energy=step.energy,
                    estimated=self._gap or flow.missed or now < start,
                ),
                self._intensities(direction, start, now) if step.energy else (),
            )
            flow.booked_until, flow.missed = now, False
            settled = True
        if settled and not waiting:
            if self._covered_until is not None:
                self.ledger.cover(self._covered_until, now, estimated=gap)
            self._covered_until = now
            self._gap = False
        self.incidents.extend(incidents)
        return tuple(incidents)

    def _is_blank(self, values: Mapping[str, float]) -> bool:
        """Return whether all counters show nothing (a lost meter); a reset one soon counts."""
        pairs = [(self._flows[way], values.get(key)) for way, key in self._counted.items()]
        return not any(value for _, value in pairs) and any(
            flow.counter.last and value == 0 and self._is_awaited(flow) for flow, value in pairs
        )

    def _set_energy_apart(self, direction: Direction, incident: Incident) -> None:
        """Add what a counter showed without being believed to the sum of its reason."""
        if incident.set_apart:
            sums = self._set_apart[direction]
            sums[incident.reason] = sums.get(incident.reason, 0.0) + incident.set_apart

    def _intensities(
        self, direction: Direction, start: float, end: float
    ) -> Sequence[IntensityInterval]:
        """Return what weighs the energy of a stretch, also where a clock was set back."""
        if not self._weighed or direction is not Direction.IMPORT:
            return ()
        first = max(start, end - LONGEST) if start < end else end
        return self.ladder.intervals(first, max(end, first + 1e-3))

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {
            "ledger": self.ledger.as_dict(),
            "flows": {
                direction.value: {
                    "counter": flow.counter.as_dict(),
                    "booked_until": flow.booked_until,
                    "seen": flow.seen,
                    "missed": flow.missed,
                }
                for direction, flow in self._flows.items()
            },
            "answered": self._answered,
            "changed": self._changed,
            "covered_until": self._covered_until,
            "gap": self._gap,
            "last_values": self._last_values,
            "incidents": [incident.as_list() for incident in self.incidents],
            "set_apart": {
                direction.value: {reason.value: energy for reason, energy in sums.items()}
                for direction, sums in self._set_apart.items()
            },
        }

    @classmethod
    def from_dict(
        cls,
        data: Mapping[str, Any],
        profile: Profile,
        ladder: Ladder,
        *,
        poll_interval: float,
        weighed: bool = True,
    ) -> Self:
        """Return the account as it was stored."""
        account = cls(profile, ladder, poll_interval=poll_interval, weighed=weighed)
        account.ledger = Ledger.from_dict(data["ledger"])
        for direction, flow in account._flows.items():
            stored = data["flows"][direction.value]
            flow.counter = Counter.from_dict(
                stored["counter"],
                max_power=profile.max_power,
                rollover=profile.rollover.get(account._counted[direction]),
            )
            flow.booked_until = stored["booked_until"]
            flow.seen = stored["seen"]
            flow.missed = stored.get("missed", False)
        account._answered = data["answered"]
        account._changed = data["changed"]
        account._covered_until = data["covered_until"]
        account._gap = data["gap"]
        account._last_values = data["last_values"]
        account.incidents.extend(Incident.from_list(row) for row in data["incidents"])
        account._restore_set_apart(data.get("set_apart"))
        return account

    def _restore_set_apart(self, stored: Mapping[str, Mapping[str, float]] | None) -> None:
        """Take the sums of what was set apart; a file of version 0.1 has its incidents only."""
        for direction in Direction:
            if stored is not None:
                self._set_apart[direction] = {
                    Reason(reason): energy for reason, energy in stored[direction.value].items()
                }
                continue
            for incident in self.incidents:
                if incident.quantity == self._counted[direction]:
                    self._set_energy_apart(direction, incident)


def _frozen(since: float, now: float, *, ended: float | None) -> Incident:
    """Return the incident of a meter that repeats itself, with how long it has in seconds."""
    return Incident(
        time=since,
        reason=Reason.FROZEN,
        quantity=WHOLE_METER,
        amount=max(0.0, now - since),
        unit="s",
        ended=ended,
    )


def _counted(profile: Profile) -> Mapping[Direction, str]:
    """Return the counter of each direction; what is counted in litres only is drawn."""
    if "volume" in profile.quantities and "energy_import" not in profile.quantities:
        return {**_QUANTITY, Direction.IMPORT: "volume"}
    return _QUANTITY


def _is_alive(values: Mapping[str, float], held: Collection[str]) -> bool:
    """Return whether anything in a reading should move from one moment to the next.

    A meter at rest that reports counters and a power of zero may well say the same
    all night; one that sees a voltage or a current never does for long. What is only
    `held` from an earlier moment does not count.
    """
    return any(
        value and not QUANTITIES[key].counter and key not in held for key, value in values.items()
    )
