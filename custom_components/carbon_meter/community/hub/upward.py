"""A community as a member of a larger one: its published hours as footprints.

What goes up is what anybody may see, so it needs no guard of its own. The larger hub takes the
community for one home of many.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from ..contract.message import Flow, Footprint, Item, Kind, Level, Quality
from ..ledger.calendar import HOUR, Grain
from ..privacy.publish import PublicCell
from .publishing import Publisher

METHOD: Final = "community@1"
"""How the carbon of these footprints is computed: summed up from homes."""

SOFTWARE: Final = "carbon_meter community"
_LARGEST: Final = (1 << 40) - 1
"""The most that a footprint can say, by CM-34."""

_KINDS: Final = (Kind.AVERAGE, Kind.RESIDUAL, Kind.MARGINAL)
"""Which kind of intensity goes up where several are published: a footprint has one for a flow."""


def footprints(  # noqa: PLR0913  # what of which time, for whom, and when
    publisher: Publisher, begin: int, end: int, *, community: str, home: str, now: float
) -> list[Footprint]:
    """Return the hours in [begin, end) of which something is or was shown, for a larger community.

    `community` and `home` are what the larger one calls itself and this one. The revision
    rises with every change of the figures; whoever sends them counts again where only the coverage
    has changed, as it does with the number of members. A flow that is suppressed, or of which no
    carbon can be said, goes up as missing: a gap, not zero. So does an hour that is hidden now
    and was not before: the larger community takes it out. Number and run are set on sending.
    """
    hours: dict[int, list[PublicCell]] = defaultdict(list)
    for cell in publisher.cells(Grain.HOUR, begin, end):
        hours[cell.key.begin].append(cell)
    result = []
    for hour, cells in sorted(hours.items()):
        items = _items(cells)
        revision = sum((cell.revision or 0) + 1 for cell in cells) - 1
        # Of what has never changed nothing was ever shown.
        is_new = all(not cell.revision for cell in cells)
        if is_new and all(item.quality is Quality.MISSING for item in items):
            continue
        result.append(
            Footprint(
                community=community,
                home=home,
                boot="0",
                seq=1,
                start=hour,
                duration=HOUR,
                revision=revision,
                at=int(now * 1000),
                items=items,
                method=METHOD,
                software=SOFTWARE,
                synced=True,
                offset_ms=None,
                level=Level.CLEAR,
                is_final=False,
            )
        )
    return result


def _items(cells: Iterable[PublicCell]) -> tuple[Item, ...]:
    """Return one item for each flow."""
    flows: dict[Flow, list[PublicCell]] = defaultdict(list)
    for cell in cells:
        flows[cell.key.flow].append(cell)
    return tuple(_item(flow, every) for flow, every in sorted(flows.items()))


def _item(flow: Flow, cells: list[PublicCell]) -> Item:
    """Return a flow as it is published by the first kind of intensity that is shown."""
    by_kind = {cell.key.kind: cell for cell in cells}
    for kind in _KINDS:
        cell = by_kind.get(kind)
        if cell is not None and (item := _shown(flow, cell)) is not None:
            return item
    return Item(
        flow=flow,
        wh=0,
        mg=0,
        source="community",
        zone=cells[0].key.name,
        kind=cells[0].key.kind,
        version=METHOD,
        resolution=HOUR,
        coverage=0,
        quality=Quality.MISSING,
    )


def _shown(flow: Flow, cell: PublicCell) -> Item | None:
    """Return a shown cell as an item; None where there is nothing to say, or too much."""
    if cell.suppressed is not None or cell.wh is None or cell.mg is None:
        return None
    if cell.wh > _LARGEST or abs(cell.mg) > _LARGEST:
        return None
    coverage = _coverage(cell)
    return Item(
        flow=flow,
        wh=cell.wh,
        mg=cell.mg,
        source="community",
        zone=cell.key.name,
        kind=cell.key.kind,
        version=METHOD,
        resolution=HOUR,
        coverage=coverage,
        quality=Quality.MEASURED if coverage and cell.estimated == 0 else Quality.ESTIMATED,
        carbon_free=cell.carbon_free,
    )


def _coverage(cell: PublicCell) -> int:
    """Return the measured part of the time of all members, in parts of 10000, rounded down.

    A home that has told nothing is not covered. Where more is shown than members there are, some
    have left since; then it is the measured part of what was told.
    """
    measured = 100 * (cell.coverage or 0)
    time = (cell.expected or 0) * (cell.end - cell.key.begin)
    told = cell.seconds or 0
    return measured * told // time if told < time else measured
