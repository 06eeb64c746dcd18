"""What a community has published, in the units people read: for entities, the panel and export.

Everything here follows from published cells, so it gives away no more than they do. Suppressed
cells are there with their reason; nothing is scaled up for what they hide.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from ..contract.message import Flow, Kind
from ..ledger.calendar import Grain
from ..ledger.cells import CellKey, Scope
from ..ledger.figures import score_of, shared_in, spread
from ..ledger.ledger import Ledger
from ..privacy.publish import PublicCell
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


@dataclass(frozen=True, kw_only=True, slots=True)
class FlowFigures:
    """One flow of a scope in one time; of a suppressed one there is nothing but the reason."""

    flow: Flow
    kind: Kind
    suppressed: str | None = None
    kwh: float | None = None
    kg: float | None = None
    """kgCO2eq."""

    intensity: float | None = None
    """gCO2eq/kWh, None without energy."""

    kwh_per_home: float | None = None
    """By the homes in the figure."""

    kg_per_home: float | None = None
    homes: int | None = None
    expected: int | None = None
    participation: float | None = None
    """Homes in the figure, of those that are members, 0 to 1."""

    coverage: float | None = None
    """Measured part of what was told, 0 to 1."""

    completeness: float | None = None
    """Time in the figure, of that of all members, 0 to 1; low for a flow that few homes have."""

    told: float | None = None
    """Part of what was told that may be shown, 0 to 1."""

    estimated_kwh: float | None = None
    carbon_free_kwh: float | None = None
    is_approximate: bool = False
    is_current: bool = True
    revision: int | None = None
    quantiles: Mapping[float, float] = field(default_factory=dict)
    """kWh of a home, rounded to preferred numbers; see docs/community/figures.md."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SharedFigures:
    """Where the solar energy of a scope went, over the hours of which everything is shown."""

    generated_kwh: float
    used_at_home_kwh: float
    shared_kwh: float
    exported_kwh: float
    self_consumption: float | None
    hours: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """An hour, day, month or year of one scope."""

    begin: int
    """Seconds since 1970 UTC."""

    end: int
    flows: tuple[FlowFigures, ...]
    shared: SharedFigures | None = None
    """None where no hour shows solar energy."""

    cfe_score: float | None = None
    """24/7 carbon-free score, 0 to 1, over the hours that show import; None if none does.

    What is not known or may not be shown counts against it: import of which not all homes know
    the carbon-free part has none, batteries are a load when they charge, and without both solar
    energy and export the score is that of the import alone.
    """

    def flow(self, flow: Flow, kind: Kind = Kind.AVERAGE) -> FlowFigures | None:
        """Return the figures of a flow, None if nobody has told of it."""
        for each in self.flows:
            if (each.flow, each.kind) == (flow, kind):
                return each
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """What a scope has published of a time."""

    grain: Grain
    scope: Scope
    name: str
    begin: int
    end: int
    periods: tuple[Period, ...]
    whole: Period
    """All periods added up, without those that are suppressed."""


def view(  # noqa: PLR0913  # what of which time, and whose
    publisher: Publisher,
    grain: Grain,
    begin: int,
    end: int,
    *,
    scope: Scope = Scope.COMMUNITY,
    name: str | None = None,
) -> View:
    """Return what is published of the times of a scope that begin in [begin, end).

    It reads from the disk: it belongs in an executor.
    """
    cells = publisher.cells(grain, begin, end, scope=scope, name=name)
    by_time: dict[int, list[PublicCell]] = defaultdict(list)
    for cell in cells:
        by_time[cell.key.begin].append(cell)
    hours = cells
    if grain is not Grain.HOUR and cells:
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


def latest(
    publisher: Publisher,
    grain: Grain,
    *,
    scope: Scope = Scope.COMMUNITY,
    name: str | None = None,
) -> Period | None:
    """Return the newest time of which anything is shown, None if nothing ever was."""
    begin = publisher.latest(grain, scope=scope, name=name)
    if begin is None:
        return None
    return view(publisher, grain, begin, begin + 1, scope=scope, name=name).periods[0]


def exact_spread(ledger: Ledger, key: CellKey) -> dict[float, float] | None:
    """Return quantiles in kWh over the homes of a cell, for the hub's operator.

    They show single homes. None unless every home of the cell tells at level `clear`.
    """
    begin, end = key.begin, ledger.calendar.end(key.grain, key.begin)
    told = ledger.contributions(begin, end, key.flow, key.kind, with_level=True)
    homes = ledger.homes_of(key)
    clear = {told.names[home] for home in set(told.home[told.is_clear].tolist())}
    hidden = {told.names[home] for home in set(told.home[~told.is_clear].tolist())}
    if not homes or not homes.keys() <= clear - hidden:
        return None
    return {quantile: wh / _KILO for quantile, wh in spread(homes).items()}


def as_object(what: View | Period) -> dict[str, Any]:
    """Return a view or a period as JSON has it; times in ISO 8601, UTC."""
    if isinstance(what, View):
        return {
            "grain": what.grain.value,
            "scope": what.scope.value,
            "name": what.name,
            "begin": moment(what.begin),
            "end": moment(what.end),
            "periods": [as_object(each) for each in what.periods],
            "whole": as_object(what.whole),
        }
    return {
        "begin": moment(what.begin),
        "end": moment(what.end),
        "flows": [_flow_object(each) for each in what.flows],
        "shared": None if what.shared is None else asdict(what.shared),
        "cfe_score": what.cfe_score,
    }


def moment(at: int) -> str:
    """Return a moment in ISO 8601, UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat()


def _flow_object(figures: FlowFigures) -> dict[str, Any]:
    quantiles = {f"{round(part * 100)}": kwh for part, kwh in figures.quantiles.items()}
    return asdict(figures) | {
        "flow": figures.flow.value,
        "kind": figures.kind.value,
        "quantiles": quantiles,
    }


def _period(
    flows: Iterable[FlowFigures], span: tuple[int, int], hours: Sequence[PublicCell]
) -> Period:
    """Return a period with what follows from its hours."""
    solar = shared_in(_amounts(hours, _SOLAR))
    known = _amounts(hours, {Flow.GRID_IMPORT}, also=_SCORED)
    free = _amounts(hours, {Flow.GRID_IMPORT}, also=_SCORED, carbon_free=True)
    score = score_of(known, free)
    return Period(
        begin=span[0],
        end=span[1],
        flows=tuple(flows),
        shared=SharedFigures(
            generated_kwh=solar.generated / _KILO,
            used_at_home_kwh=solar.used_at_home / _KILO,
            shared_kwh=solar.shared / _KILO,
            exported_kwh=solar.exported / _KILO,
            self_consumption=solar.self_consumption,
            hours=solar.hours,
        )
        if solar.hours
        else None,
        cfe_score=None if score is None else score.score,
    )


def _amounts(
    hours: Iterable[PublicCell],
    needed: Collection[Flow],
    *,
    also: Collection[Flow] = (),
    carbon_free: bool = False,
) -> dict[int, dict[Flow, int]]:
    """Return Wh by hour and flow, of the hours that hide none of the needed flows.

    Solar energy cannot be balanced against an import that is hidden. Of the flows of batteries
    there are both or none, and so of solar energy and export.
    """
    by_hour: dict[int, dict[Flow, int]] = defaultdict(dict)
    hidden: dict[int, set[Flow]] = defaultdict(set)
    for cell in hours:
        key = cell.key
        if key.flow not in needed and key.flow not in also:
            continue
        if cell.suppressed is not None:
            hidden[key.begin].add(key.flow)
            continue
        flows = by_hour[key.begin]
        amount = (cell.carbon_free if carbon_free else cell.wh) or 0
        flows[key.flow] = flows.get(key.flow, 0) + amount
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
        kwh_per_home=kwh / cell.homes,
        kg_per_home=None if kg is None else kg / cell.homes,
        homes=cell.homes,
        expected=cell.expected,
        participation=min(1.0, cell.homes / expected) if expected else None,
        coverage=None if cell.coverage is None else cell.coverage / 100,
        completeness=min(1.0, (cell.seconds or 0) / time) if time else None,
        told=None if cell.told is None else cell.told / 100,
        estimated_kwh=None if cell.estimated is None else cell.estimated / _KILO,
        carbon_free_kwh=None if cell.carbon_free is None else cell.carbon_free / _KILO,
        is_approximate=cell.is_approximate,
        is_current=cell.is_current,
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
                completeness=min(1.0, seconds / time) if time else None,
                estimated_kwh=None if estimated is None else estimated / _KILO,
                carbon_free_kwh=None if free is None else free / _KILO,
                is_approximate=any(cell.is_approximate for cell in shown),
                is_current=all(cell.is_current for cell in shown),
            )
        )
    return result


def _sum(amounts: Iterable[int | None]) -> int | None:
    """Return a sum, None if any of it is unknown."""
    whole = 0
    for each in amounts:
        if each is None:
            return None
        whole += each
    return whole
