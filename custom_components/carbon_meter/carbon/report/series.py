"""What a report is made of: the measured intervals of a site, and what is agreed about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import tzinfo
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..accounting.contracts import Contract
from ..accounting.figures import Label
from ..accounting.normalised import Reference
from ..factors.amounts import Measure
from ..factors.editions import Span
from ..factors.factor import Stage
from ..flow.amounts import FloatArray, ImpossibleAmountError, amount, amounts, grams
from ..grade import BEST_FIRST, Grade

UNKNOWN: Final = -1
"""In `SiteSeries.grades`: nothing is known of the interval's intensity."""

_NOTHING: Final[FloatArray] = np.zeros(())
_NOT_KNOWN: Final[FloatArray] = np.full((), np.nan)

_GAPPY: Final = frozenset(
    {
        "intensity",
        "export_intensity",
        "marginal",
        "carbon_free",
        "consumption_carbon",
        "export_carbon",
    }
)
"""What may be NaN where nobody knows it."""

_PLACES: Final[Mapping[Grade, int]] = {grade: place for place, grade in enumerate(BEST_FIRST)}


@dataclass(frozen=True, kw_only=True)
class CarrierSeries:
    """Carbon of another carrier than electricity, as one of its factors weighs it."""

    label: Label
    carbon: FloatArray
    """[T] g; NaN where no factor was known."""

    quantity: FloatArray
    """[T] in `unit`: what the carbon is of."""

    unit: str = "Wh"


@dataclass(frozen=True, kw_only=True)
class SiteSeries:
    """T intervals of a site: in order, of one length, possibly with holes between them.

    Each array is [T], or one number for all; None, or NaN, in an array of intensities or of
    carbon is a gap. Energy is in Wh, carbon in g, intensity in gCO2eq/kWh.

    Raises ImpossibleAmountError for numbers that cannot be or do not fit.
    """

    starts: FloatArray
    """Seconds since 1970 UTC."""

    seconds: float
    """The length of each interval."""

    grid_import: FloatArray
    """Gross: export is not taken off it."""

    intensity: FloatArray
    """The average of the grid."""

    grade: Grade | Sequence[Grade | None] | NDArray[np.integer[Any]]
    """How well the intensity is known; as numbers, places in `grade.BEST_FIRST`. Where there
    is no intensity it does not matter."""

    grid_export: FloatArray = field(default_factory=_NOTHING.copy)
    solar: FloatArray = field(default_factory=_NOTHING.copy)
    charge: FloatArray = field(default_factory=_NOTHING.copy)
    discharge: FloatArray = field(default_factory=_NOTHING.copy)
    consumption: FloatArray | None = None
    """What was used at the site; None where no meter counts it: what the others leave."""

    solar_charge: FloatArray | None = None
    """The part of `charge` that is solar, from the supply mix; None: only what neither the
    import of the interval can have been nor its export."""

    consumption_carbon: FloatArray = field(default_factory=_NOT_KNOWN.copy)
    """What the supply mix brought to the consumption."""

    export_carbon: FloatArray = field(default_factory=_NOT_KNOWN.copy)
    """What the supply mix sent away with the export."""

    export_intensity: FloatArray | None = None
    """The average of the grid for what is exported, where `intensity` is that of the very moments
    in which the site imported; None: the same."""

    marginal: FloatArray | None = None
    """Marginal intensity; None where no source tells it."""

    carbon_free: FloatArray = field(default_factory=_NOT_KNOWN.copy)
    """The carbon-free part of the grid's energy, 0 to 1."""

    carriers: Sequence[CarrierSeries] = ()

    def __post_init__(self) -> None:
        """Check everything, and keep it as arrays of one length."""
        if amount("seconds", self.seconds) == 0.0:
            raise ImpossibleAmountError("seconds", "an interval has a length")
        starts = amounts("starts", self.starts, signed=True).reshape(-1)
        if (np.diff(starts) < self.seconds).any():
            raise ImpossibleAmountError("starts", "the intervals overlap or are not in order")
        object.__setattr__(self, "starts", starts)
        for entry in fields(self):
            value = getattr(self, entry.name)
            if entry.name not in {"starts", "seconds", "grade", "carriers"} and value is not None:
                checked = _checked(entry.name, value, self.length, gaps=entry.name in _GAPPY)
                object.__setattr__(self, entry.name, checked)
        if (self.carbon_free > 1.0).any():
            raise ImpossibleAmountError("carbon_free", "a part is more than all")
        object.__setattr__(self, "grade", _places(self.grade, self.intensity))
        carriers = tuple(self._carrier(carrier) for carrier in self.carriers)
        object.__setattr__(self, "carriers", carriers)

    def _carrier(self, carrier: CarrierSeries) -> CarrierSeries:
        """Return what is told of a carrier, checked."""
        name = str(carrier.label)
        return CarrierSeries(
            label=carrier.label,
            carbon=_checked(name, carrier.carbon, self.length, gaps=True),
            quantity=_checked(name, carrier.quantity, self.length, gaps=False),
            unit=carrier.unit,
        )

    @property
    def length(self) -> int:
        """Return how many intervals there are."""
        return len(self.starts)

    @property
    def grades(self) -> NDArray[np.int64]:
        """Return [T] places in `BEST_FIRST`, UNKNOWN where there is no intensity."""
        return np.asarray(self.grade, dtype=np.int64)

    def within(self, start: float, end: float) -> tuple[int, int]:
        """Return the first interval that begins in [start, end) and the one after the last."""
        first, after = np.searchsorted(self.starts, [start, max(start, end)])
        return int(first), int(after)


@dataclass(frozen=True, kw_only=True)
class SiteTerms:
    """What is agreed about a site. Factors hold on the days of their spans, in its own time.

    Raises ImpossibleAmountError for a factor that is not of generation per kWh.
    """

    zone: tzinfo
    market: str
    """The boundary within which contracts can deliver to the site."""

    factors: Sequence[Span]
    """The average of the location; see `factors.editions.spans`."""

    losses: Sequence[Span] = ()
    loss_share: float | None = None
    """The part that is lost on the way, used on days without a factor of losses."""

    upstream: Sequence[Span] = ()
    contracts: Sequence[Contract] = ()
    """A volume is per calendar year; a profile or an intensity by interval is [T]."""

    references: Sequence[Reference] = ()
    """What to divide by; of a product how much is made in a year."""

    def __post_init__(self) -> None:
        """Refuse factors that electricity cannot be weighed with."""
        for factor in (span.factor for span in self.factors if span.factor is not None):
            if factor.source.stage is not Stage.GENERATION or factor.measure is not Measure.ENERGY:
                problem = f"{factor.source.id} has {factor.source.stage} per {factor.measure}"
                raise ImpossibleAmountError("factors", problem)


def weigh(energy: FloatArray, factor: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return [T] g of an energy in Wh, and [T] Wh that a gap in the factor leaves unweighed."""
    gap = np.isnan(factor)
    carbon: FloatArray = np.where(gap, 0.0, grams(energy, np.where(gap, 0.0, factor)))
    return carbon, np.where(gap, energy, 0.0)


def _checked(name: str, values: object, length: int, *, gaps: bool) -> FloatArray:
    """Return one number for each interval."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as err:
        raise ImpossibleAmountError(name, f"not an array of numbers ({err})") from err
    if array.shape not in {(), (1,), (length,)}:
        raise ImpossibleAmountError(name, f"expected {length} numbers, not {array.shape}")
    amounts(name, np.where(np.isnan(array), 0.0, array) if gaps else array)
    return np.broadcast_to(array, (length,))


def _places(grades: object, intensity: FloatArray) -> NDArray[np.int64]:
    """Return the place of each interval's grade, UNKNOWN where its intensity is."""
    length = len(intensity)
    try:
        if isinstance(grades, Grade):
            places = np.full(length, _PLACES[grades])
        elif isinstance(grades, np.ndarray) and np.issubdtype(grades.dtype, np.integer):
            places = grades.astype(np.int64)
        else:
            listed = [UNKNOWN if grade is None else _PLACES[grade] for grade in grades]  # type: ignore[attr-defined]
            places = np.array(listed, dtype=np.int64)
    except (TypeError, KeyError) as err:
        raise ImpossibleAmountError("grade", f"no list of grades ({err!r})") from err
    if places.shape != (length,):
        raise ImpossibleAmountError("grade", f"expected {length} grades, not {places.shape}")
    known = ~np.isnan(intensity)
    if (known & ((places < 0) | (places >= len(BEST_FIRST)))).any():
        raise ImpossibleAmountError("grade", "an intensity without a grade")
    return np.where(known, places, UNKNOWN)
