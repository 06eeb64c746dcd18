"""What must come out of the books of the demo's home, worked out by hand in plain Python.

Shares nothing with the integration but the rules: within five minutes all that comes into the
house is mixed, whatever leaves the mix carries its intensity, and a battery first gives, then
takes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
import math

GRID, SOLAR, BATTERY = "grid", "solar", "battery"
"""Names of the nodes that supply; every other one takes from the mix of the site."""


@dataclass(frozen=True, kw_only=True)
class Flows:
    """Five minutes: Wh by node that came in there and that went out, and gCO2eq/kWh of the grid."""

    imported: Mapping[str, float]
    exported: Mapping[str, float]
    grid: float


@dataclass(kw_only=True)
class Books:
    """Energies in Wh and carbon in g, summed over the intervals."""

    drawn_carbon: dict[str, float] = field(default_factory=dict)
    """Of the sub-meters."""

    import_carbon: float = 0.0
    export_carbon: float = 0.0
    avoided: float = 0.0
    """What the grid would have emitted for the export."""

    used: float = 0.0
    used_carbon: float = 0.0
    charge_carbon: float = 0.0
    discharge_carbon: float = 0.0
    opening_carbon: float = 0.0
    """Part of the discharge that nobody saw go in: weighed as the grid's."""

    content: float = 0.0
    """Wh in the cells."""

    stored_carbon: float = 0.0


def books_of(intervals: Iterable[Flows], *, round_trip: float) -> Books:
    """Return what the intervals come to; the battery's ledger begins empty."""
    books = Books()
    one_way = math.sqrt(round_trip)
    for flows in intervals:
        _add(books, flows, one_way)
    return books


def _add(books: Books, flows: Flows, one_way: float) -> None:
    """Add five minutes."""
    bought, sold = flows.imported[GRID], flows.exported[GRID]
    made = flows.exported[SOLAR]
    charged, given = flows.imported[BATTERY], flows.exported[BATTERY]
    out_of_battery = _give(books, given, one_way, flows.grid)
    of_grid = bought / 1000 * flows.grid
    came = bought + made + given
    # What the roof makes emits nothing: direct emissions.
    per_wh = (of_grid + out_of_battery) / came if came else 0.0
    for node, energy in flows.imported.items():
        if node not in {GRID, SOLAR, BATTERY}:
            books.drawn_carbon[node] = books.drawn_carbon.get(node, 0.0) + energy * per_wh
    books.import_carbon += of_grid
    books.export_carbon += sold * per_wh
    books.avoided += sold / 1000 * flows.grid
    books.used += came - sold - charged
    books.used_carbon += (came - sold - charged) * per_wh
    books.charge_carbon += charged * per_wh
    books.content += charged * one_way
    books.stored_carbon += charged * per_wh


def _give(books: Books, given: float, one_way: float, grid: float) -> float:
    """Take what the battery gives out of its content; return its carbon in g."""
    backed = min(given, books.content * one_way)
    part = backed / one_way / books.content if backed else 0.0
    carbon = books.stored_carbon * part
    opening = (given - backed) / 1000 * grid
    books.content -= backed / one_way
    books.stored_carbon -= carbon
    books.opening_carbon += opening
    books.discharge_carbon += carbon + opening
    return carbon + opening
