"""Hours of a site as its community is told them: read from the archive, so in an executor.

Energies and grams are those of the site's book. A flow counts as measured in an interval of five
minutes where all its meters were read in it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..carbon.archive.archive import Archive
from ..carbon.archive.rows import SLOTS, EnergySeries
from ..carbon.flow.amounts import FloatArray
from ..carbon.grade import BEST_FIRST, Grade
from ..carbon.intervals import HOUR, INTERVAL
from ..carbon.site import figures as names
from ..carbon.site.kept_plans import KeptPlans
from ..carbon.site.meters import Role, SiteMeters
from ..carbon.site.restating import SITE_OWNER
from ..community.contract.message import Flow, Quality
from ..community.member.figures import FlowFigures, HourFigures, Intensity
from .intensity_names import origin_of

_ENOUGH: Final = HOUR / 2
"""Seconds of an hour; what was measured for less is mostly taken from the time around it."""

_LONGEST: Final = 31 * 24 * HOUR
"""Seconds that are in memory at once."""


@dataclass(frozen=True, kw_only=True)
class CarrierMeter:
    """A meter of gas, heat, water or fuel."""

    flow: Flow
    energy: float
    """Wh of what the ledger counts as one, 0 for what is no energy."""

    figures: tuple[str, ...]
    """Under which the archive keeps its grams."""

    intensity: Intensity


@dataclass(frozen=True, kw_only=True)
class HomeBook:
    """What the hours of a home are read from."""

    archive: Archive
    meters: SiteMeters
    """As they are now; each hour is read by the meters of its time."""

    zone: str
    solar: Intensity
    mix: Intensity
    """Of what batteries and the export carry: the mix of the home's own supply."""

    carriers: Mapping[str, CarrierMeter] = field(default_factory=dict)
    carbon_free: float | None = None
    """The part of the grid's energy that is carbon-free, 0 to 1; None where nobody tells it."""

    expects_better: bool = True
    """Whether some source may still tell the intensity of hours that are over."""


@dataclass(frozen=True, kw_only=True)
class _Part:
    """One flow by the hour: [H] each."""

    wh: FloatArray
    grams: FloatArray
    covered: FloatArray
    origins: Sequence[Intensity]
    carbon_free: FloatArray | None = None


def flows_of(meters: SiteMeters, carriers: Mapping[str, CarrierMeter]) -> tuple[Flow, ...]:
    """Return the flows that a home has, in the order of the contract."""
    found: set[Flow] = {carrier.flow for carrier in carriers.values()}
    if meters.grids:
        found |= {Flow.GRID_IMPORT, Flow.GRID_EXPORT}
        if meters.with_role(Role.BATTERY):
            found |= {Flow.BATTERY_IN, Flow.BATTERY_OUT}
    if meters.with_role(Role.SOLAR):
        found.add(Flow.PV)
    return tuple(flow for flow in Flow if flow in found)


def read_hours(book: HomeBook, start: int, end: int) -> Iterator[HourFigures]:
    """Yield the hours of [start, end), both full hours, in order; raises ArchiveError."""
    plans = KeptPlans(book.archive)
    plans.load()
    if not book.archive.plans():
        return
    for first, stop, plan in plans.stretches(start, end):
        for begin in range(first, stop, _LONGEST):
            yield from _read(book, plan.meters, begin, min(begin + _LONGEST, stop))


def _read(book: HomeBook, meters: SiteMeters, start: int, end: int) -> Iterator[HourFigures]:
    """Yield hours in which the home had these meters."""
    parts = _parts(book, meters, start, end)
    grid = book.archive.grid(start, end).grade
    good = (grid == BEST_FIRST.index(Grade.MEASURED)).reshape(-1, SLOTS).all(axis=1)
    for place in range((end - start) // HOUR):
        flows = {flow: _figures(part, place) for flow, part in parts.items()}
        whole = all(one.covered >= HOUR for one in flows.values())
        if flows:
            yield HourFigures(
                start=start + place * HOUR,
                flows=flows,
                is_final=whole and (bool(good[place]) or not book.expects_better),
            )


def _figures(part: _Part, place: int) -> FlowFigures:
    """Return one hour of a flow. Nothing counted and nothing read is a gap, not a zero."""
    wh, grams = float(part.wh[place]), float(part.grams[place])
    covered = float(part.covered[place])
    if not (covered or wh or grams):
        return FlowFigures(
            wh=None,
            grams=None,
            covered=0.0,
            quality=Quality.MISSING,
            intensity=part.origins[place],
        )
    return FlowFigures(
        wh=wh,
        grams=grams,
        covered=covered,
        quality=Quality.MEASURED if covered >= _ENOUGH else Quality.ESTIMATED,
        intensity=part.origins[place],
        carbon_free=None if part.carbon_free is None else float(part.carbon_free[place]),
    )


def _parts(book: HomeBook, meters: SiteMeters, start: int, end: int) -> dict[Flow, _Part]:
    """Return what each flow was in some hours."""
    found: dict[Flow, _Part] = {}
    if meters.grids:
        found |= _of_grid(book, meters, start, end)
        if batteries := meters.with_role(Role.BATTERY):
            found |= _of_batteries(book, batteries, start, end)
    if panels := meters.with_role(Role.SOLAR):
        wh, grams = _sums(book, panels, (names.GENERATION, names.GENERATION_CARBON), start, end)
        found[Flow.PV] = _Part(
            wh=wh,
            grams=grams,
            covered=_covered(book.archive.energy(panels, start, end)),
            origins=[book.solar] * len(wh),
            carbon_free=wh,
        )
    for flow in dict.fromkeys(carrier.flow for carrier in book.carriers.values()):
        found[flow] = _of_carrier(book, flow, start, end)
    return {flow: found[flow] for flow in Flow if flow in found}


def _of_grid(book: HomeBook, meters: SiteMeters, start: int, end: int) -> dict[Flow, _Part]:
    """Return import, weighed by the grid's intensity, and export, by the home's own mix."""
    figures = (names.IMPORT, names.EXPORT, names.CARBON, names.EXPORT_CARBON)
    imported, exported, carbon, sent = _sums(book, (SITE_OWNER,), figures, start, end)
    energy = book.archive.energy(meters.grids, start, end)
    covered = _covered(energy)
    grid = book.archive.grid(start, end)
    by_slot = energy.imported.sum(axis=0)
    origins = [
        origin_of(
            grid.value[part], grid.grade[part], grid.source[part].tolist(), by_slot[part], book.zone
        )
        for part in (slice(at, at + SLOTS) for at in range(0, len(grid.value), SLOTS))
    ]
    share = book.carbon_free
    return {
        Flow.GRID_IMPORT: _Part(
            wh=imported,
            grams=carbon,
            covered=covered,
            origins=origins,
            carbon_free=None if share is None else imported * share,
        ),
        Flow.GRID_EXPORT: _Part(
            wh=exported, grams=sent, covered=covered, origins=[book.mix] * len(origins)
        ),
    }


def _of_batteries(
    book: HomeBook, batteries: Sequence[str], start: int, end: int
) -> dict[Flow, _Part]:
    """Return what went into batteries and came out, by the mix that charged them."""
    charged, given = _sums(book, (SITE_OWNER,), (names.CHARGE, names.DISCHARGE), start, end)
    figures = (names.CHARGE_CARBON, names.DISCHARGE_CARBON)
    into, out_of = _sums(book, batteries, figures, start, end)
    covered = _covered(book.archive.energy(batteries, start, end))
    origins = [book.mix] * len(charged)
    return {
        Flow.BATTERY_IN: _Part(wh=charged, grams=into, covered=covered, origins=origins),
        Flow.BATTERY_OUT: _Part(wh=given, grams=out_of, covered=covered, origins=origins),
    }


def _of_carrier(book: HomeBook, flow: Flow, start: int, end: int) -> _Part:
    """Return what the meters of one carrier counted."""
    mine = {one: carrier for one, carrier in book.carriers.items() if carrier.flow is flow}
    count = (end - start) // HOUR
    wh, grams = np.zeros(count), np.zeros(count)
    for meter_id, carrier in mine.items():
        used, *weighed = _sums(book, (meter_id,), (names.IMPORT, *carrier.figures), start, end)
        wh = wh + used * carrier.energy
        grams = grams + sum(weighed, np.zeros(count))
    origin = next(iter(mine.values())).intensity
    return _Part(
        wh=wh,
        grams=grams,
        covered=_covered(book.archive.energy(list(mine), start, end)),
        origins=[origin] * count,
    )


def _sums(
    book: HomeBook, owners: Sequence[str], figures: Sequence[str], start: int, end: int
) -> NDArray[np.float64]:
    """Return [F, H] figures, summed over owners; never below 0 by a rounding."""
    total = np.zeros((len(figures), (end - start) // HOUR))
    for owner in owners:
        total += book.archive.hourly(owner, figures, start, end).dense(start, end)
    return np.maximum(total, 0.0)


def _covered(energy: EnergySeries) -> FloatArray:
    """Return by hour the seconds in which all of some meters were read."""
    everywhere = energy.known.all(axis=0).reshape(-1, SLOTS)
    seconds: FloatArray = everywhere.sum(axis=1) * float(INTERVAL)
    return seconds
