"""Units of carbon intensity, all brought to gCO2eq/kWh."""

from fractions import Fraction
from functools import lru_cache
import math
import re
from typing import Final
import unicodedata

GRAMS_PER_KWH: Final = "gCO2eq/kWh"
"""The unit of every intensity inside this package."""

_GRAMS: Final = {
    "g": Fraction(1),
    "gram": Fraction(1),
    "grams": Fraction(1),
    "kg": Fraction(1000),
    "t": Fraction(1_000_000),
    "tonne": Fraction(1_000_000),
    "tonnes": Fraction(1_000_000),
    "lb": Fraction("453.59237"),
    "lbs": Fraction("453.59237"),
}
_KWH: Final = {
    "kwh": Fraction(1),
    "mwh": Fraction(1000),
    "gwh": Fraction(1_000_000),
    "mj": Fraction(10, 36),
    "gj": Fraction(10_000, 36),
    "tj": Fraction(10_000_000, 36),
}

ACCEPTED_UNITS: Final = (
    "g, kg, t or lb, by itself or with CO2, CO2e or CO2eq, per kWh, MWh, GWh, MJ, GJ or TJ, "
    "such as gCO2eq/kWh, kg/MWh or lb/MWh"
)

_UNIT: Final = re.compile(
    rf"(?P<mass>{'|'.join(_GRAMS)})(?:co2-?(?:e|eq|equiv|equivalent)?)?/(?P<energy>{'|'.join(_KWH)})"
)


class UnknownIntensityUnitError(ValueError):
    """A text is not a unit of carbon intensity; `unit` is that text."""

    def __init__(self, unit: str) -> None:
        """Name the unit and those that are accepted."""
        self.unit = unit
        super().__init__(
            f"{unit!r} is not a unit of carbon intensity: accepted are {ACCEPTED_UNITS}"
        )


def to_grams_per_kwh(value: float, unit: str) -> float:
    """Convert a carbon intensity to gCO2eq/kWh.

    Upper and lower case, spaces, underscores, subscripts and `per` for the
    stroke make no difference: `g CO₂eq/kWh` and `lbs_co2_per_mwh` are read. A
    unit without a gas is taken as CO2 equivalent. Nothing is guessed: short and
    long tons, carbon instead of carbon dioxide, and percentages are refused.

    The decimal figure is converted and rounded once, so that 0.5306 kg/kWh is
    530.6. One pound is 0.45359237 kg exactly (international yard and pound
    agreement, 1959). NaN and infinity stay what they are.

    Raises UnknownIntensityUnitError for any other unit.
    """
    scale = _scale(unit)
    if scale == 1 or not math.isfinite(value):
        return float(value)
    return float(Fraction(str(float(value))) * scale)


@lru_cache(maxsize=128)
def _scale(unit: str) -> Fraction:
    """Return what one of a unit is in gCO2eq/kWh."""
    text = unicodedata.normalize("NFKC", unit).lower()
    text = re.sub(r"[\s_]+per[\s_]+", "/", text)
    match = _UNIT.fullmatch(re.sub(r"[\s_]+", "", text))
    if match is None:
        raise UnknownIntensityUnitError(unit)
    return _GRAMS[match["mass"]] / _KWH[match["energy"]]
