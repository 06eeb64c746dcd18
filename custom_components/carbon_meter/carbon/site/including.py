"""Meters that are taken into the plans of a time in which the site did not know them yet."""

from collections.abc import Mapping

from ..archive.archive import Archive
from .kept_plans import KeptPlans
from .learning import learned
from .plan import Arrangement, SitePlan


def include(archive: Archive, plan: SitePlan, past: Mapping[str, tuple[int, int]]) -> None:
    """Let the plans of the past have meters in [start, end), with the place they have now.

    `past` is by meter, in full hours; a meter that a plan has keeps its place in it. Raises
    ArchiveError.
    """
    present = Arrangement.of(plan, learned(archive))
    with archive.transaction():
        kept = KeptPlans(archive)
        kept.load()
        for meter_id, (start, end) in past.items():
            if meter_id not in present.meters.place or start >= end:
                continue
            for begin, stop, held in list(kept.stretches(start, end)):
                if meter_id not in held.meters.place:
                    kept.hold(begin, stop, _with(held, meter_id, present))


def _with(held: Arrangement, meter_id: str, present: Arrangement) -> Arrangement:
    """Return a plan of the past with one meter of the present plan."""
    member = present.members[present.meters.place[meter_id]]
    areas = {area: set(ids) for area, ids in held.areas.items()}
    for area, ids in present.areas.items():
        if meter_id in ids:
            areas.setdefault(area, set()).add(meter_id)
    cells = {name: cell for name, cell in present.cells.items() if name == meter_id}
    return Arrangement(
        members=tuple(sorted((*held.members, member), key=lambda one: one.id)),
        areas={area: tuple(sorted(ids)) for area, ids in areas.items()},
        cells={**held.cells, **cells},
        network=held.network,
    )
