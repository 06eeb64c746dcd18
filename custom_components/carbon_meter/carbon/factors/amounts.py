"""Amounts of energy, fuel and water, and carbon per each of them."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
import math
import re
from typing import Final
import unicodedata

from ..units import UnknownIntensityUnitError, to_grams_per_kwh


class Measure(StrEnum):
    """What an amount is counted in."""

    ENERGY = "kWh"
    VOLUME = "m³"
    MASS = "kg"


class HeatingValue(StrEnum):
    """Whether the heat of the vapour in the flue gas counts as energy of the fuel."""

    GROSS = "gross"  # it does: higher heating value, what gas is billed by
    NET = "net"  # it does not: lower heating value


_ENERGY: Final = {
    "wh": Fraction(1, 1000),
    "kwh": Fraction(1),
    "mwh": Fraction(1000),
    "mj": Fraction(10, 36),
    "gj": Fraction(10_000, 36),
    "tj": Fraction(10_000_000, 36),
}
_VOLUME: Final = {
    "l": Fraction(1, 1000),
    "litre": Fraction(1, 1000),
    "litres": Fraction(1, 1000),
    "kl": Fraction(1),
    "m3": Fraction(1),
    "ft3": Fraction("0.028316846592"),
    "ccf": Fraction("2.8316846592"),
    "gal": Fraction("0.003785411784"),
}
_MASS: Final = {
    "g": Fraction(1, 1000),
    "kg": Fraction(1),
    "t": Fraction(1000),
    "tonne": Fraction(1000),
    "tonnes": Fraction(1000),
    "lb": Fraction("0.45359237"),
    "lbs": Fraction("0.45359237"),
}
_UNITS: Final = {
    **{unit: (Measure.ENERGY, size) for unit, size in _ENERGY.items()},
    **{unit: (Measure.VOLUME, size) for unit, size in _VOLUME.items()},
    **{unit: (Measure.MASS, size) for unit, size in _MASS.items()},
}
_CARBON: Final = re.compile(
    r"(?P<mass>g|kg|t|lbs?)(?:co2-?(?:e|eq|equiv|equivalent)?)?/(?P<unit>[a-z]+3?)"
)

ACCEPTED_UNITS: Final = (
    "kWh, Wh, MWh, MJ, GJ and TJ of energy, m³, L, kL, ft³, CCF and US gal of volume, "
    "kg, g, t and lb of mass"
)


class UnknownUnitError(ValueError):
    """A text is not a unit of energy, volume or mass; `unit` is that text."""

    def __init__(self, unit: str) -> None:
        """Name the unit and those that are accepted."""
        self.unit = unit
        super().__init__(f"{unit!r} is not a unit of an amount: accepted are {ACCEPTED_UNITS}")


@dataclass(frozen=True, kw_only=True)
class Amount:
    """So many kWh, m³ or kg."""

    value: float
    measure: Measure


def to_amount(value: float, unit: str) -> Amount:
    """Convert an amount to kWh, m³ or kg.

    The foot is the international one, the gallon that of the US (231 cubic
    inches), CCF a hundred cubic feet; upper and lower case make no difference.
    The decimal figure is converted and rounded once.

    Raises UnknownUnitError for any other unit, ValueError for what is not finite.
    """
    measure, size = _size(unit)
    return Amount(value=_scaled(value, size), measure=measure)


def to_grams_per_measure(value: float, unit: str) -> tuple[float, Measure]:
    """Convert carbon per energy, volume or mass to g per kWh, m³ or kg.

    Raises UnknownIntensityUnitError for any other unit.
    """
    try:
        return to_grams_per_kwh(value, unit), Measure.ENERGY
    except UnknownIntensityUnitError:
        match = _CARBON.fullmatch(_plain(unit))
        if match is None or match["unit"] not in _UNITS:
            raise
    measure, size = _UNITS[match["unit"]]
    return _scaled(value, _MASS[match["mass"]] * 1000 / size), measure


def to_kwh_per(value: float, unit: str) -> tuple[float, Measure]:
    """Convert a calorific value such as 39.3 MJ/m3 to kWh per m³ or per kg.

    Raises UnknownUnitError for what is not energy per volume or mass.
    """
    energy, _, per = _plain(unit).partition("/")
    if energy not in _ENERGY or (per not in _VOLUME and per not in _MASS):
        raise UnknownUnitError(unit)
    measure, size = _UNITS[per]
    return _scaled(value, _ENERGY[energy] / size), measure


def _size(unit: str) -> tuple[Measure, Fraction]:
    """Return what a unit measures, and its size in kWh, m³ or kg."""
    try:
        return _UNITS[_plain(unit)]
    except KeyError:
        raise UnknownUnitError(unit) from None


def _plain(unit: str) -> str:
    """Return a unit without what makes no difference: case, spaces, raised figures."""
    text = unicodedata.normalize("NFKC", unit).lower()
    return re.sub(r"[\s_]+", "", re.sub(r"[\s_]+per[\s_]+", "/", text))


def _scaled(value: float, size: Fraction) -> float:
    """Return a finite figure in another unit, rounded once."""
    figure = float(value)
    if not math.isfinite(figure):
        raise ValueError(f"{figure} is not an amount")
    return figure if size == 1 else float(Fraction(str(figure)) * size)
