"""Whether what a meter says can be true.

The values of one reading are held against each other and against what networks are run at,
successive readings against the clock, and the counters against the power. A check begins to
be told after three readings in a row that fail it (registers are not read at one moment: a
load that is switched in between fails one) and is over after three in a row that are well
within. One impossible value between possible ones is a spike. Nothing is changed: what is
found is told.
"""

from collections.abc import Iterable, Mapping
import math
from typing import Final

from .incidents import WHOLE_METER, Incident, Reason
from .metering_error import OwnError
from .plausibility import is_nominal_voltage
from .readings import Reading
from .tree_error import CLASS_ERROR

_IN_A_ROW: Final = 3

_WELL_WITHIN: Final = 0.8
"""Part of the tolerance below which a check passes again."""

_CARRIED: Final = 1.05
_ROUNDED: Final = 20.0
"""W that the rounding of registers and their reading at other moments make of a difference."""

_ROUNDED_CURRENT: Final = 0.5
"""A per phase: some meters say whole amperes."""

_PHASE_SUM: Final = 0.04
"""Part of the sum of |P| by which total and phases may differ: two figures of class 2
(IEC 62053-21, 2 % each)."""

_POWER_FACTOR: Final = 0.05
_LEAST_APPARENT: Final = 100.0
"""VA below which rounded figures give no power factor."""

_FREQUENCIES: Final = (42.5, 69.0)
"""Hz: 50 - 15 % to 60 + 15 %, the widest that EN 50160 allows networks without a synchronous
connection at any time (4.2.1), for both frequencies."""

_CLOCK: Final = 2.0
"""Seconds; NTP slews what is below 0.128 s and sets what is more, an event loop is late by less."""

_STARTING: Final = 11.5
"""W per phase at which a meter need not count yet: 0.5 % of 10 A at 230 V (starting current of
class 2, IEC 62053-21)."""

_PHASES: Final = ("l1", "l2", "l3")
_VOLTAGES: Final = ("voltage", "voltage_l1", "voltage_l2", "voltage_l3")
_POWERS: Final = tuple(f"power_{phase}" for phase in _PHASES)
_APPARENT: Final = tuple(
    (f"power_factor{phase}", f"power{phase}", f"apparent_power{phase}")
    for phase in ("", "_l1", "_l2", "_l3")
)
_CARRIERS: Final = tuple((f"voltage_{phase}", f"current_{phase}") for phase in _PHASES)


class _Watch:
    """One check of one quantity: tells once when it begins to fail and once when it passes."""

    __slots__ = ("_bad", "_begun", "_good", "_ongoing", "_patience", "_worst", "key", "unit")

    def __init__(
        self, reason: Reason, quantity: str, unit: str, *, patience: int = _IN_A_ROW
    ) -> None:
        self.key = (reason, quantity)
        self.unit = unit
        self._patience = patience
        self._bad = self._good = 0
        self._begun = self._worst = 0.0
        self._ongoing = False

    def resume(self, incident: Incident) -> None:
        """Go on with what was told before a restart."""
        self._ongoing = True
        self._begun, self._worst = incident.time, incident.amount

    def see(self, time: float, strain: float, amount: float) -> Incident | None:
        """Take how far a check is strained, 1 at its limit, and by what; return what is new."""
        if strain <= _WELL_WITHIN:
            if not (self._bad or self._ongoing):
                return None
            return self._passed(time)
        if not strain > 1:
            return None
        self._good = 0
        self._bad += 1
        if self._bad == 1 and not self._ongoing:
            self._begun, self._worst = time, amount
        if abs(amount) > abs(self._worst):
            self._worst = amount
        if self._ongoing or self._bad < self._patience:
            return None
        self._ongoing = True
        return self._incident(None)

    def _passed(self, time: float) -> Incident | None:
        """Take a pass after a failure."""
        self._good += 1
        if self._ongoing:
            if self._good < self._patience:
                return None
            self._ongoing, self._bad, self._good = False, 0, 0
            return self._incident(time)
        self._bad = self._good = 0
        reason, quantity = self.key
        if reason not in _SPIKES:
            return None
        return Incident(
            time=self._begun,
            reason=Reason.SPIKE,
            quantity=quantity,
            amount=self._worst,
            unit=self.unit,
            ended=self._begun,
        )

    def _incident(self, ended: float | None) -> Incident:
        reason, quantity = self.key
        return Incident(
            time=self._begun,
            reason=reason,
            quantity=quantity,
            amount=self._worst,
            unit=self.unit,
            ended=ended,
        )


_SPIKES: Final = (Reason.POWER, Reason.VOLTAGE, Reason.FREQUENCY)
"""Checks of a single value, in which one failure alone is a slip of that value."""


class Consistency:
    """Checks the readings of one meter.

    `phases` is how many the meter has, `max_power` in W what no installation of its family
    carries. `ongoing` are incidents that were not over before a restart
    (`MeterAccount.ongoing`): their end is told.
    """

    def __init__(self, *, phases: int, max_power: float, ongoing: Iterable[Incident] = ()) -> None:
        """Start without a reading."""
        self._max_power = max_power
        self._phases = _POWERS[:phases] if phases > 1 else ()
        self._single = phases == 1
        self._starting = _STARTING * max(1, phases)
        self._voltages = {key: _Watch(Reason.VOLTAGE, key, "V") for key in _VOLTAGES}
        self._alive: set[str] = set()
        self._sound = True
        self._frequency = _Watch(Reason.FREQUENCY, "frequency", "Hz")
        self._power = _Watch(Reason.POWER, "power", "W")
        self._phase_sum = _Watch(Reason.PHASE_SUM, "power", "W")
        self._factors = {
            factor: _Watch(Reason.POWER_FACTOR, factor, "1") for factor, _, _ in _APPARENT
        }
        self._energy = _Watch(Reason.ENERGY_AGAINST_POWER, WHOLE_METER, "Wh", patience=1)
        self._clock: float | None = None
        self._judged: int | None = None
        watches = {
            watch.key: watch
            for watch in (
                *self._voltages.values(),
                self._frequency,
                self._power,
                self._phase_sum,
                *self._factors.values(),
                self._energy,
            )
        }
        for incident in ongoing:
            if (watch := watches.get((incident.reason, incident.quantity))) is not None:
                watch.resume(incident)
                if incident.reason is Reason.VOLTAGE:
                    self._alive.add(incident.quantity)

    def observe(self, reading: Reading, *, monotonic: float) -> tuple[Incident, ...]:
        """Check a reading; return what begins, what is over, and what was there for a moment.

        `monotonic` in seconds is a clock that nobody sets, read at the same time.
        """
        values, time = reading.values, reading.time
        told = (
            self._check_clock(time, monotonic),
            *self._check_voltages(time, values),
            self._check_frequency(time, values),
            self._check_power(time, values),
            self._check_phase_sum(time, values),
            *self._check_factors(time, values),
        )
        return tuple(incident for incident in told if incident is not None)

    def judge(self, error: OwnError) -> tuple[Incident, ...]:
        """Check counters against power in a window; one that was judged already says nothing new.

        They disagree when the difference is beyond the uncertainty of the comparison, the class
        error of both figures and what flows below the starting current of the meter.
        """
        if not error.compared or error.until == self._judged:
            return ()
        self._judged = error.until
        allowed = (
            error.uncertainty
            + 2 * CLASS_ERROR * max(error.flow, abs(error.counted))
            + self._starting * error.compared / 3600
        )
        incident = self._energy.see(
            float(error.until), abs(error.difference) / allowed, error.difference
        )
        return () if incident is None else (incident,)

    def _check_clock(self, time: float, monotonic: float) -> Incident | None:
        """Return that the clock was set since the last reading."""
        before, self._clock = self._clock, time - monotonic
        if before is None or abs(self._clock - before) <= _CLOCK:
            return None
        return Incident(
            time=time,
            reason=Reason.CLOCK,
            quantity=WHOLE_METER,
            amount=self._clock - before,
            unit="s",
            ended=time,
        )

    def _check_frequency(self, time: float, values: Mapping[str, float]) -> Incident | None:
        """Check the frequency; 0 is what a meter without voltage says."""
        frequency = values.get("frequency")
        if not frequency:
            return None
        lowest, highest = _FREQUENCIES
        outside = frequency < lowest or frequency > highest
        return self._frequency.see(time, 2.0 if outside else 0.0, frequency)

    def _check_voltages(
        self, time: float, values: Mapping[str, float]
    ) -> Iterable[Incident | None]:
        """Check each voltage that has been there; a phase that is not wired never was."""
        self._sound = True
        for key, watch in self._voltages.items():
            voltage = values.get(key)
            if voltage is None or math.isnan(voltage):
                continue
            nominal = is_nominal_voltage(voltage)
            if nominal:
                self._alive.add(key)
            elif key in self._alive:
                self._sound = False
            else:
                continue
            yield watch.see(time, 0.0 if nominal else 2.0, voltage)

    def _check_power(self, time: float, values: Mapping[str, float]) -> Incident | None:
        """Check that voltages and currents carry the power; where unknown, that the meter can.

        By a voltage that is told itself nothing else is judged.
        """
        power = values.get("power")
        if power is None:
            return None
        carriers = [pair for pair in _CARRIERS if self._sound and values.get(pair[0])]
        if not carriers and self._single and self._sound:
            carriers = [("voltage", "current")]
        strain = abs(power) / self._max_power
        if carriers and all(volts in values and amperes in values for volts, amperes in carriers):
            pairs = [(abs(values[volts]), abs(values[amperes])) for volts, amperes in carriers]
            carried = sum(volts * amperes for volts, amperes in pairs)
            most = _CARRIED * sum(volts * (amperes + _ROUNDED_CURRENT) for volts, amperes in pairs)
            # Of a plain resistor the power is all that is carried, and no strain at all.
            strain = (abs(power) - carried) / (most + _ROUNDED - carried)
        return self._power.see(time, strain, power)

    def _check_phase_sum(self, time: float, values: Mapping[str, float]) -> Incident | None:
        """Check that the phases add up to the total.

        Some meters show magnitudes for one of both, or the phases the other way round: what
        agrees with any choice of signs is no disagreement.
        """
        power = values.get("power")
        if power is None or not self._phases:
            return None
        powers = [values[key] for key in self._phases if key in values]
        if len(powers) < len(self._phases):
            return None
        difference = sum(powers) - power
        size = sum(abs(part) for part in powers)
        allowed = _PHASE_SUM * size + _ROUNDED
        if abs(difference) > _WELL_WITHIN * allowed:
            difference = min(_signed_differences(powers, power), key=abs)
        return self._phase_sum.see(time, abs(difference) / allowed, difference)

    def _check_factors(self, time: float, values: Mapping[str, float]) -> Iterable[Incident | None]:
        """Check |PF| = |P| / S where all three are known; signs follow no common convention."""
        for factor, power, apparent in _APPARENT:
            said = values.get(factor)
            if said is None:
                continue
            active, whole = values.get(power), values.get(apparent)
            if active is None or whole is None or abs(whole) < _LEAST_APPARENT:
                continue
            difference = abs(said) - abs(active / whole)
            allowed = _POWER_FACTOR + _ROUNDED / abs(whole)
            yield self._factors[factor].see(time, abs(difference) / allowed, difference)


def _signed_differences(powers: list[float], total: float) -> Iterable[float]:
    """Yield the sum of the phases less the total for every choice of their signs."""
    sums = [0.0]
    for power in powers:
        sums = [known + sign * power for known in sums for sign in (1, -1)]
    return [known - total for known in sums]
