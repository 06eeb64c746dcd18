"""What is kept of each owner (a meter, the site, an area) by the hour, and by which name.

Energies are in Wh (what a water meter counts in L), carbon in gCO2eq, times in seconds. All of
them are sums: an hour is the sum of its intervals, a year the sum of its hours.
"""

from typing import Final

from ..grade import BEST_FIRST, Grade

IMPORT: Final = "import"
EXPORT: Final = "export"
GENERATION: Final = "generation"
CHARGE: Final = "charge"
DISCHARGE: Final = "discharge"
CONSUMPTION: Final = "consumption"
"""What the site itself used, or an area of it."""

MEASURED_TIME: Final = "measured_time"
"""Seconds that readings account for, summed over the owner's meters."""

CARBON: Final = "carbon"
"""At the grid: gross import by the grid's intensity, interval by interval. Elsewhere: what the
meter let through, by the mix at its place."""

CARBON_ANNUAL: Final = "carbon_annual"
"""Gross import by the factor of the year."""

CONSUMPTION_CARBON: Final = "consumption_carbon"
"""What the site used, by the mix that supplied it."""

GENERATION_CARBON: Final = "generation_carbon"
CHARGE_CARBON: Final = "charge_carbon"
DISCHARGE_CARBON: Final = "discharge_carbon"
EXPORT_CARBON: Final = "export_carbon"
"""What exported energy carries out of the site: no part of its consumption."""

AVOIDED_EXPORT: Final = "avoided_export"
"""What the grid would have emitted for the export, by its average: beside the inventory."""

AVOIDED_EXPORT_MARGINAL: Final = "avoided_export_marginal"
"""The same by the marginal intensity."""

TRANSMISSION: Final = "transmission"
UPSTREAM: Final = "upstream"
"""Import by the factors of the grid's losses and of the fuels' supply: scope 3, category 3."""

UNMETERED: Final = "unmetered"
"""What left a place without any meter having seen it come: weighed as the grid's."""

UNMETERED_CARBON: Final = "unmetered_carbon"
"""What that carries."""

UNBACKED: Final = "unbacked"
"""What batteries gave without having been seen to take it."""

UNBACKED_CARBON: Final = "unbacked_carbon"
"""What that carries: it was in the battery when its ledger began, or is taken to be the grid's."""

WRITTEN_OFF: Final = "written_off"
"""Carbon of energy that faded away inside batteries."""

_GRADE: Final = "known_as_"


def graded(grade: Grade) -> str:
    """Return the name of the energy whose intensity is known so well."""
    return f"{_GRADE}{grade.value}"


GRADED: Final = tuple(graded(grade) for grade in BEST_FIRST)
