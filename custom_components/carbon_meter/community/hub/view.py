"""What a community has published, in the units people read: for entities, the panel and export.

Everything here follows from published cells, so it gives away no more than they do. Suppressed
cells are there with their reason; nothing is scaled up for what they hide.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Final

from ..contract.message import Flow, Kind
from ..ledger.calendar import Grain
from ..ledger.cells import Scope, State
from ..ledger.figures import Energy, score_of, shared_in
from ..privacy.publish import COMPLETE, PublicCell
from .periods import FlowFigures, Period, SharedFigures, View
from .publishing import Publisher

_KILO: Final = 1000
_MG_PER_KG: Final = 1_000_000
_SOLAR: Final = frozenset({Flow.PV, Flow.GRID_IMPORT, Flow.GRID_EXPORT})
_TOGETHER: Final = (
    frozenset({Flow.BATTERY_IN, Flow.BATTERY_OUT}),
    frozenset({Flow.PV, Flow.GRID_EXPORT}),
)
"""One without the other would balance wrongly."""

_SCORED: Final = frozenset({Flow.GRID_IMPORT}.union(*_TOGETHER))


def view(  # noqa: PLR0913  # what of which time, and whose
    publisher: Publisher,
    grain: Grain,
    begin: int,
    end: int,
    *,
    scope: Scope = Scope.COMMUNITY,
    name: str | None = None,
    with_hours: bool = True,
) -> View:
    """Return what is published of the times of a scope that begin in [begin, end).

    Without hours nothing is said of what was shared, and no score; of years they are many.
    It reads from the disk: it belongs in an executor.
    """
    cells = publisher.cells(grain, begin, end, scope=scope, name=name)
    by_time: dict[int, list[PublicCell]] = defaultdict(list)
    for cell in cells:
        by_time[cell.key.begin].append(cell)
    hours = cells
    if not with_hours:
        hours = []
    elif grain is not Grain.HOUR and cells:
        until = max(cell.end for cell in cells)
        hours = publisher.cells(Grain.HOUR, min(by_time), until, scope=scope, name=name)
    periods = tuple(
        _period(
            [_figures(cell) for cell in here],
            (first, here[0].end),
            [hour for hour in hours if first <= hour.key.begin < here[0].end],
        )
        for first, here in by_time.items()
    )
    return View(
        grain=grain,
        scope=scope,
        name=publisher.name(scope, name),
        begin=begin,
        end=end,
        periods=periods,
        whole=_period(_added_up(cells), (begin, end), hours),
    )


def so_far(publisher: Publisher, grain: Grain, now: int) -> Period | None:
    """Return what the published days of a running month or year come to; None without any.

    It is a sum of what anybody may see. What no day could show is not in it; the month may be
    able to when it is decided, after its end.
    """
    begin = publisher.begin(grain, now)
    cells = publisher.cells(Grain.DAY, begin, now)
    if not cells:
        return None
    flows = [
        each if each.suppressed is not None else replace(each, state=State.OPEN.value)
        for each in _added_up(cells)
    ]
    return Period(begin=begin, end=max(cell.end for cell in cells), flows=tuple(flows))


def _period(
    flows: Iterable[FlowFigures], span: tuple[int, int], hours: Sequence[PublicCell]
) -> Period:
    """Return a period with what follows from its hours."""
    flows = tuple(flows)
    solar = shared_in(_amounts(hours, _SOLAR))
    harvest = sum((each.kwh or 0.0) * _KILO for each in flows if each.flow is Flow.PV)
    score = score_of(_amounts(hours, {Flow.GRID_IMPORT}, also=_SCORED))
    shared = None
    if solar.hours and solar.generated >= COMPLETE * harvest:
        shared = SharedFigures(
            generated_kwh=solar.generated / _KILO,
            used_at_home_kwh=solar.used_at_home / _KILO,
            shared_kwh=solar.shared / _KILO,
            exported_kwh=solar.exported / _KILO,
            self_consumption=solar.self_consumption,
            hours=solar.hours,
        )
    return Period(
        begin=span[0],
        end=span[1],
        flows=flows,
        shared=shared,
        cfe_score=None if score is None else score.score,
        shared_suppressed=None if shared else _hidden(flows, hours, _SOLAR),
        score_suppressed=None if score else _hidden(flows, hours, {Flow.GRID_IMPORT}),
    )


def _hidden(
    flows: Iterable[FlowFigures], hours: Iterable[PublicCell], needed: Collection[Flow]
) -> str | None:
    """Return why one of these flows is hidden: in the period itself, else in an hour of it."""
    for each in flows:
        if each.flow in needed and each.suppressed is not None:
            return each.suppressed
    for cell in hours:
        if cell.key.flow in needed and cell.suppressed is not None:
            return cell.suppressed.value
    return None


def _amounts(
    hours: Iterable[PublicCell],
    needed: Collection[Flow],
    *,
    also: Collection[Flow] = (),
) -> dict[int, dict[Flow, Energy]]:
    """Return energy by hour and flow, of the hours that hide none of the needed flows.

    Solar energy cannot be balanced against an import that is hidden. Of the flows of batteries
    there are both or none, and so of solar energy and export.
    """
    by_hour: dict[int, dict[Flow, Energy]] = defaultdict(dict)
    hidden: dict[int, set[Flow]] = defaultdict(set)
    for cell in hours:
        key = cell.key
        if key.flow not in needed and key.flow not in also:
            continue
        if cell.suppressed is not None:
            hidden[key.begin].add(key.flow)
            continue
        flows = by_hour[key.begin]
        told = Energy(cell.wh or 0, cell.carbon_free)
        flows[key.flow] = flows[key.flow] + told if key.flow in flows else told
    for hour, flows in by_hour.items():
        for pair in _TOGETHER:
            if (hidden[hour] - flows.keys()) & pair:
                hidden[hour] |= pair
                for flow in pair:
                    flows.pop(flow, None)
    return {
        hour: flows
        for hour, flows in by_hour.items()
        if not (hidden[hour] - flows.keys()) & set(needed)
    }


def _figures(cell: PublicCell) -> FlowFigures:
    """Return a cell in the units people read."""
    key = cell.key
    if cell.suppressed is not None or cell.wh is None or cell.homes is None:
        reason = None if cell.suppressed is None else cell.suppressed.value
        return FlowFigures(flow=key.flow, kind=key.kind, suppressed=reason)
    kwh = cell.wh / _KILO
    kg = None if cell.mg is None else cell.mg / _MG_PER_KG
    expected = cell.expected or 0
    time = expected * (cell.end - key.begin)
    return FlowFigures(
        flow=key.flow,
        kind=key.kind,
        kwh=kwh,
        kg=kg,
        intensity=None if cell.mg is None or not cell.wh else cell.mg / cell.wh,
        kwh_per_home=kwh / cell.homes if cell.homes else None,
        kg_per_home=None if kg is None or not cell.homes else kg / cell.homes,
        homes=cell.homes,
        expected=cell.expected,
        participation=_part(cell.homes, expected),
        coverage=None if cell.coverage is None else cell.coverage / 100,
        completeness=_part(cell.seconds or 0, time),
        told=None if cell.told is None else cell.told / 100,
        estimated_kwh=None if cell.estimated is None else cell.estimated / _KILO,
        carbon_free_kwh=None if cell.carbon_free is None else cell.carbon_free / _KILO,
        is_approximate=cell.is_approximate,
        is_current=cell.is_current,
        state=None if cell.state is None else cell.state.value,
        revision=cell.revision,
        quantiles={part: wh / _KILO for part, wh in cell.quantiles.items()},
    )


def _added_up(cells: Iterable[PublicCell]) -> list[FlowFigures]:
    """Return the shown cells of all times together, by flow and kind.

    How many homes that is cannot be said: not all are in each of them. Where all cells of a
    flow are suppressed, so is the sum.
    """
    series: dict[tuple[Flow, Kind], list[PublicCell]] = defaultdict(list)
    for cell in cells:
        series[cell.key.flow, cell.key.kind].append(cell)
    result = []
    for (flow, kind), every in sorted(series.items()):
        shown = [cell for cell in every if cell.suppressed is None]
        if not shown:
            reason = every[-1].suppressed
            result.append(
                FlowFigures(flow=flow, kind=kind, suppressed=reason.value if reason else None)
            )
            continue
        wh = sum(cell.wh or 0 for cell in shown)
        mg = _sum(cell.mg for cell in shown)
        free = _sum(cell.carbon_free for cell in shown)
        estimated = _sum(cell.estimated for cell in shown)
        seconds = sum(cell.seconds or 0 for cell in shown)
        time = sum((cell.expected or 0) * (cell.end - cell.key.begin) for cell in every)
        measured = sum((cell.coverage or 0) * (cell.seconds or 0) for cell in shown)
        result.append(
            FlowFigures(
                flow=flow,
                kind=kind,
                kwh=wh / _KILO,
                kg=None if mg is None else mg / _MG_PER_KG,
                intensity=None if mg is None or not wh else mg / wh,
                coverage=measured / seconds / 100 if seconds else None,
                completeness=_part(seconds, time),
                estimated_kwh=None if estimated is None else estimated / _KILO,
                carbon_free_kwh=None if free is None else free / _KILO,
                is_approximate=any(cell.is_approximate for cell in shown),
                is_current=all(cell.is_current for cell in shown),
                state=_weakest(shown),
            )
        )
    return result


def _weakest(shown: Iterable[PublicCell]) -> str:
    """Return the state of a sum of cells: final only if all of them are."""
    is_final = all(cell.state is State.FINAL for cell in shown)
    return (State.FINAL if is_final else State.PROVISIONAL).value


def _part(shown: int, every: int) -> float | None:
    """Return a part of a whole, 0 to 1; None where it is more, or where there is no whole."""
    return shown / every if 0 <= shown <= every and every else None


def _sum(amounts: Iterable[int | None]) -> int | None:
    """Return a sum, None if any of it is unknown."""
    whole = 0
    for each in amounts:
        if each is None:
            return None
        whole += each
    return whole
