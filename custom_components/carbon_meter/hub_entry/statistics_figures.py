"""What follows from the published hours of a scope, hour by hour, for its statistics.

It is read as the view and the entities read it: what they hide is None here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from homeassistant.const import UnitOfEnergy, UnitOfRatio

from ..community.hub.publishing import Publisher
from ..community.hub.view import view
from ..community.ledger.calendar import Grain
from .figure_readers import PERCENT, Reader, median, of_import, of_shared, score
from .figures import ScopeKey

_PIECE: Final = 86400
"""Seconds that are read at once: what a view takes grows with the square of its hours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowedSeries:
    """A figure as a series of hours: `what` ends its id, `label` its name."""

    what: str
    label: str
    read: Reader
    unit: str = UnitOfRatio.PERCENTAGE
    unit_class: str = "unitless"
    is_sum: bool = False
    """Whether its hours add up to days; of the others a day has the mean."""


def _energy(what: str, label: str, read: Reader, *, is_sum: bool = False) -> FollowedSeries:
    return FollowedSeries(
        what=what,
        label=label,
        read=read,
        unit=UnitOfEnergy.KILO_WATT_HOUR,
        unit_class="energy",
        is_sum=is_sum,
    )


FOLLOWED: Final = (
    _energy("shared_generation", "shared solar energy", of_shared("shared_kwh"), is_sum=True),
    FollowedSeries(
        what="self_consumption",
        label="self-consumption",
        read=of_shared("self_consumption", PERCENT),
    ),
    FollowedSeries(what="cfe_score", label="24/7 carbon-free score", read=score),
    FollowedSeries(
        what="participation", label="participation", read=of_import("participation", PERCENT)
    ),
    FollowedSeries(what="coverage", label="coverage", read=of_import("coverage", PERCENT)),
    _energy("energy_per_home", "energy per home", of_import("kwh_per_home")),
    _energy("median_per_home", "median energy of a home", median),
)


def amounts_of(
    publisher: Publisher, scope: ScopeKey, begin: int, end: int
) -> dict[str, dict[int, float | None]]:
    """Return each figure of the decided hours in [begin, end), None where it is not shown; blocks.

    Raises LedgerError.
    """
    told: dict[str, dict[int, float | None]] = {series.what: {} for series in FOLLOWED}
    for start, until in _pieces(begin, end):
        found = view(publisher, Grain.HOUR, start, until, scope=scope[0], name=scope[1])
        for period in found.periods:
            for series in FOLLOWED:
                told[series.what][period.begin] = series.read(period)
    return told


def _pieces(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield a time in pieces."""
    for start in range(begin, end, _PIECE):
        yield start, min(end, start + _PIECE)
