"""Whether a set of values can come from an electricity meter in service.

Used where a device does not say who it is: the map that yields a consistent
picture is the likely one.
"""

from collections.abc import Mapping
from typing import Final

_NOMINAL_BANDS: Final = ((90.0, 150.0), (190.0, 300.0), (330.0, 520.0), (600.0, 760.0))
"""V; 100 to 127, 220 to 277, 380 to 480 and 690 V systems, with what tolerance and noise allow."""

_FREQUENCY: Final = (45.0, 65.0)
_PHASES: Final = ("l1", "l2", "l3")


def is_nominal_voltage(value: float | None) -> bool:
    """Return whether a voltage is near one that networks are run at."""
    return value is not None and any(low <= value <= high for low, high in _NOMINAL_BANDS)


def is_plausible(values: Mapping[str, float], phases: int) -> bool:
    """Return whether the values look like a meter with this many phases.

    Voltage near a nominal one (two phases of three suffice, and one where nothing
    but that phase is wired), frequency from 45 to 65 Hz, and an active power that the
    voltages and currents can carry. `values` are in the units of `QUANTITIES`; what
    is absent is not held against it, except the voltage, without which nothing is
    shown.
    """
    frequency = values.get("frequency")
    if frequency is not None and not _FREQUENCY[0] <= frequency <= _FREQUENCY[1]:
        return False
    per_phase = [key for key in _PHASES if is_nominal_voltage(values.get(f"voltage_{key}"))]
    whole = is_nominal_voltage(values.get("voltage"))
    if phases == 3:
        between = is_nominal_voltage(values.get("voltage_l1_l2"))
        delta = between and (whole or values.get("voltage_l1", 0) == 0)
        single = len(per_phase) == 1 and _is_only_phase(values, per_phase[0])
        if len(per_phase) < 2 and not delta and not single:
            return False
    elif not (whole or per_phase):
        return False
    return _power_fits(values)


def _is_only_phase(values: Mapping[str, float], phase: str) -> bool:
    """Return whether a three-phase meter says that just one of its phases is wired.

    It knows no other voltage, or the others are zero and the total is the power of
    that phase. A single-phase meter that fills the holes in its map with zeros has
    no total there.
    """
    others = [values.get(f"voltage_{key}") for key in _PHASES if key != phase]
    if others == [None, None]:
        return is_nominal_voltage(values.get("voltage"))
    total, part = values.get("power"), values.get(f"power_{phase}")
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
    return abs(power) <= apparent * 1.05 + 20
