"""Whether a set of values can come from an electricity meter in service.

Used where a device does not say who it is: the map that yields a consistent
picture is the likely one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
import math
from typing import Final

_NOMINAL_BANDS: Final = ((90.0, 150.0), (190.0, 300.0), (330.0, 520.0), (600.0, 760.0))
"""V; 100 to 127, 220 to 277, 380 to 480 and 690 V systems, with what tolerance and noise allow."""

_FREQUENCY: Final = (45.0, 65.0)
_PHASES: Final = ("l1", "l2", "l3")
_PAIRS: Final = (("l1", "l2"), ("l2", "l3"), ("l3", "l1"))

_NOISE: Final = 20.0
"""W or VA that a meter may show although nothing flows, or not show although it does."""


_SPREAD: Final = 1.2
"""Phases that differ by more are not those of one network."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """How many relations between the values hold, and how many do not."""

    speaking: int
    contradicting: int


def is_nominal_voltage(value: float | None) -> bool:
    """Return whether a voltage is near one that networks are run at."""
    return value is not None and any(low <= value <= high for low, high in _NOMINAL_BANDS)


def is_frequency(value: float) -> bool:
    """Return whether networks are run at this frequency."""
    return _FREQUENCY[0] <= value <= _FREQUENCY[1]


def is_plausible(values: Mapping[str, float], phases: int) -> bool:
    """Return whether the values look like a meter with this many phases.

    Voltage near a nominal one (two phases of three suffice, and one where nothing
    but that phase is wired), frequency from 45 to 65 Hz, and an active power that the
    voltages and currents can carry. `values` are in the units of `QUANTITIES`; what
    is absent is not held against it, except the voltage, without which nothing is
    shown.
    """
    frequency = values.get("frequency")
    if frequency is not None and not is_frequency(frequency):
        return False
    per_phase = [key for key in _PHASES if is_nominal_voltage(values.get(f"voltage_{key}"))]
    whole = is_nominal_voltage(values.get("voltage"))
    if phases == 3:
        between = is_nominal_voltage(values.get("voltage_l1_l2"))
        delta = between and (whole or values.get("voltage_l1", 0) == 0)
        single = len(per_phase) == 1 and _is_only_phase(values, per_phase[0])
        # A single-phase model of the family knows what it measures without a phase.
        single = single or (whole and not any(f"voltage_{key}" in values for key in _PHASES))
        if len(per_phase) < 2 and not delta and not single:
            return False
    elif not (whole or per_phase):
        return False
    return _power_fits(values)


def _is_only_phase(values: Mapping[str, float], phase: str) -> bool:
    """Return whether a three-phase meter says that just one of its phases is wired.

    It knows no other voltage but a mean or a total, or the others are zero and the total
    is the power of that phase. A single-phase meter that fills the holes in its map with
    zeros or refuses them has no total there.
    """
    others = [values.get(f"voltage_{key}") for key in _PHASES if key != phase]
    total, part = values.get("power"), values.get(f"power_{phase}")
    if others == [None, None]:
        if is_nominal_voltage(values.get("voltage")):
            return True
        return total is not None and (part is None or abs(total - part) <= 0.05 * abs(part))
    if any(others) or not total or part is None:
        return False
    return abs(total - part) <= 0.05 * abs(part)


def _power_fits(values: Mapping[str, float]) -> bool:
    """Return whether |P| stays within the sum of U times I, 5 % and 20 W aside.

    It is not judged where the current of a phase with a voltage is not known.
    """
    power = values.get("power")
    if power is None:
        return True
    pairs = [
        (f"voltage_{key}", f"current_{key}") for key in _PHASES if values.get(f"voltage_{key}")
    ] or [("voltage", "current")]
    if not all(volts in values and amperes in values for volts, amperes in pairs):
        return True
    apparent = sum(abs(values[volts] * values[amperes]) for volts, amperes in pairs)
    return abs(power) <= apparent * 1.05 + _NOISE


def weigh(values: Mapping[str, float]) -> Evidence:
    """Return what the relations between the values say about them.

    Frequency and voltages near nominal ones, voltages between phases, mean, sums over the
    phases, apparent power and power factor. `values` are in the units of `QUANTITIES`;
    a relation of which a part is absent says nothing, nor does a zero where a model may
    have nothing to show.
    """
    verdicts = [
        *_networks(values),
        *_voltages(values),
        *_sums(values),
        *(each for suffix in ("", "_l1", "_l2", "_l3") for each in _powers(values, suffix)),
    ]
    return Evidence(speaking=verdicts.count(True), contradicting=verdicts.count(False))


def _networks(values: Mapping[str, float]) -> Iterator[bool]:
    """Yield whether frequency and voltages are those of a network; a dead phase says nothing."""
    if "frequency" in values:
        yield is_frequency(values["frequency"])
    for key in ("voltage", *(f"voltage_{phase}" for phase in _PHASES)):
        if values.get(key):
            yield is_nominal_voltage(values[key])


def _voltages(values: Mapping[str, float]) -> Iterator[bool]:
    """Yield whether the voltages fit each other: between phases 120 or 180 degrees apart."""
    lines = {phase: values.get(f"voltage_{phase}") for phase in _PHASES}
    for one, two in _PAIRS:
        between = values.get(f"voltage_{one}_{two}")
        first, second = lines[one], lines[two]
        if between and first and second:
            yield 0.9 * math.sqrt(3) <= 2 * between / (first + second) <= 2.1
    known = [value for value in lines.values() if value]
    if len(known) > 1:
        # The third phase of a high-leg delta is higher by the square root of 3.
        spread = max(known) / min(known)
        yield spread <= _SPREAD or abs(spread / math.sqrt(3) - 1) <= _SPREAD - 1
    mean = values.get("voltage")
    if mean is not None and len(known) == 3:
        low, high = min(known) * 0.97, max(known) * 1.03
        root = math.sqrt(3)
        yield low <= mean <= high or low * root <= mean <= high * root


def _sums(values: Mapping[str, float]) -> Iterator[bool]:
    """Yield whether active and reactive power of the phases add up to the total."""
    for key in ("power", "reactive_power"):
        parts = [values.get(f"{key}_{phase}") for phase in _PHASES]
        total = values.get(key)
        if total is not None and None not in parts:
            known = [part for part in parts if part is not None]
            yield abs(math.fsum(known) - total) <= 0.03 * sum(map(abs, known)) + _NOISE


def _powers(values: Mapping[str, float], suffix: str) -> Iterator[bool]:
    """Yield whether the power of a phase, or of all, fits voltage, current and power factor."""
    power = values.get(f"power{suffix}")
    if power is None:
        return
    volts, amperes = values.get(f"voltage{suffix}"), values.get(f"current{suffix}")
    apparent = values.get(f"apparent_power{suffix}")
    if suffix and volts and amperes is not None:
        flowing = abs(volts * amperes)
        yield abs(power) <= flowing * 1.05 + _NOISE
        if apparent:
            yield abs(abs(apparent) - flowing) <= 0.1 * flowing + _NOISE
        apparent = apparent or flowing
    factor = values.get(f"power_factor{suffix}")
    if apparent and factor:
        expected = abs(apparent * factor)
        yield abs(abs(power) - expected) <= 0.15 * abs(apparent) + _NOISE
