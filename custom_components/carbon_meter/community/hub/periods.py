"""What a view of a community is made of, and how JSON has it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from ..contract.message import Flow, Kind
from ..ledger.calendar import Grain
from ..ledger.cells import Scope


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
    """Homes in the figure, of those that are members, 0 to 1.

    None where the figure has more: some have left since, and it cannot be made again yet.
    """

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
    state: str | None = None
    """Provisional or final; open is a month or year that still runs."""

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
    """None where the hours that show all of it hold less than 90 % of the solar energy shown."""

    cfe_score: float | None = None
    """24/7 carbon-free score, 0 to 1, over the hours that show import.

    None if none does, or if the carbon-free part is said of no import. Where it is said of some
    hours, the others count against it, as if they had none. Batteries are a load when they
    charge, and without both solar energy and export the score is that of the import alone.
    """

    shared_suppressed: str | None = None
    """Why nothing is said of what was shared, where a flow is hidden; None where none is."""

    score_suppressed: str | None = None
    """The same of the score."""

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
        "shared_suppressed": what.shared_suppressed,
        "score_suppressed": what.score_suppressed,
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
