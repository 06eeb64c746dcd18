"""The quantities that meters report: their names, units and physical limits.

Every value inside the integration is in the unit given here; a profile may
state another one (kW, kWh) and is converted when it is loaded.
"""

from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, kw_only=True, slots=True)
class Quantity:
    """One thing a meter can say, for the whole meter or for one phase."""

    key: str
    unit: str
    """Unit of every value with this key: V, A, W, VA, var, Hz, Wh, varh, VAh, L or 1."""

    limit: float
    """Largest magnitude that any electricity meter can truthfully report."""

    counter: bool = False
    """Whether the value accumulates: it only grows until the meter is reset."""

    signed: bool = False
    """Whether the sign carries the direction of energy, import positive."""


_PHASES: Final = ("", "_l1", "_l2", "_l3")


def _per_phase(
    key: str, *, unit: str, limit: float, counter: bool = False, signed: bool = False
) -> list[Quantity]:
    return [
        Quantity(key=key + phase, unit=unit, limit=limit, counter=counter, signed=signed)
        for phase in _PHASES
    ]


# The limits are those of grid metering at large: 500 kV lines, 100 kA bus bars, a gigawatt
# station, and counters that a gigawatt station fills in a century.
_ALL: Final = [
    *_per_phase("voltage", unit="V", limit=1e6),
    *(Quantity(key=f"voltage_{pair}", unit="V", limit=1e6) for pair in ("l1_l2", "l2_l3", "l3_l1")),
    Quantity(key="voltage_ll", unit="V", limit=1e6),
    *_per_phase("current", unit="A", limit=1e5, signed=True),
    Quantity(key="current_n", unit="A", limit=1e5, signed=True),
    Quantity(key="current_avg", unit="A", limit=1e5, signed=True),
    *_per_phase("power", unit="W", limit=1e9, signed=True),
    *_per_phase("apparent_power", unit="VA", limit=1e9, signed=True),
    *_per_phase("reactive_power", unit="var", limit=1e9, signed=True),
    *_per_phase("power_factor", unit="1", limit=1.001, signed=True),
    Quantity(key="frequency", unit="Hz", limit=1e3),
    *_per_phase("energy_import", unit="Wh", limit=1e15, counter=True),
    *_per_phase("energy_export", unit="Wh", limit=1e15, counter=True),
    *_per_phase("energy_total", unit="Wh", limit=1e15, counter=True),
    Quantity(key="reactive_energy_import", unit="varh", limit=1e15, counter=True),
    Quantity(key="reactive_energy_export", unit="varh", limit=1e15, counter=True),
    Quantity(key="reactive_energy_total", unit="varh", limit=1e15, counter=True),
    # Gas and water; a litre of gas is 10 Wh, so that what holds for Wh fits.
    Quantity(key="volume", unit="L", limit=1e15, counter=True),
]

QUANTITIES: Final = MappingProxyType({quantity.key: quantity for quantity in _ALL})
"""Every quantity by its key."""

_MULTIPLES: Final = MappingProxyType(
    {"": Fraction(1), "k": Fraction(1000), "M": Fraction(1_000_000), "m": Fraction(1, 1000)}
)


def unit_factor(unit: str, quantity: Quantity) -> Fraction:
    """Return the factor from a profile's unit to the quantity's own.

    Exact, so that an integer register keeps every digit. A power factor may be
    given in per cent.

    Raises ValueError when the units do not belong together.
    """
    if quantity.unit == "1":
        if unit in ("", "1"):
            return Fraction(1)
        if unit == "%":
            return Fraction(1, 100)
    elif (
        unit.endswith(quantity.unit) and (prefix := unit.removesuffix(quantity.unit)) in _MULTIPLES
    ):
        return _MULTIPLES[prefix]
    raise ValueError(f"the unit {unit!r} does not fit {quantity.key}, which is in {quantity.unit}")


def mirrored(key: str) -> str:
    """Return the counter that a meter mounted the other way round would count on."""
    if "_import" in key:
        return key.replace("_import", "_export")
    return key.replace("_export", "_import")
