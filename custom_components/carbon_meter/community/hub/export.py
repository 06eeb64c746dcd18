"""What a community has published as a file: CSV for spreadsheets, JSON for programs."""

from collections.abc import Iterator
import csv
from io import StringIO
import json
from typing import Final

from ..privacy.quantiles import QUANTILES
from .periods import FlowFigures, View, as_object, moment

_PLAIN: Final = (
    "kwh",
    "kg",
    "intensity",
    "kwh_per_home",
    "kg_per_home",
    "homes",
    "expected",
    "participation",
    "coverage",
    "completeness",
    "told",
    "estimated_kwh",
    "carbon_free_kwh",
)
"""Figures of a flow, in the order of the columns."""

_UNITS: Final = {
    "kg": "kgCO2eq",
    "intensity": "gCO2eq_per_kwh",
    "kg_per_home": "kgCO2eq_per_home",
}
"""Columns whose name in the file says the unit, where that of the figure does not."""

COLUMNS: Final = (
    "begin_utc",
    "end_utc",
    "grain",
    "scope",
    "name",
    "flow",
    "intensity_kind",
    "suppressed",
    *(_UNITS.get(name, name) for name in _PLAIN),
    *(f"p{round(part * 100)}_kwh_per_home" for part in QUANTILES),
    "approximate",
    "current",
    "state",
    "revision",
)
"""The columns of the CSV; `suppressed` says why a row has no figures."""


def as_csv(view: View) -> str:
    """Return one row for each published cell, those that are suppressed as well."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(_rows(view))
    return out.getvalue()


def as_json(view: View) -> str:
    """Return a view as JSON, with what follows from its hours."""
    return json.dumps(as_object(view), indent=1, ensure_ascii=False, allow_nan=False)


def _rows(view: View) -> Iterator[list[object]]:
    for period in view.periods:
        for flow in period.flows:
            yield [
                moment(period.begin),
                moment(period.end),
                view.grain.value,
                view.scope.value,
                _text(view.name),
                flow.flow.value,
                flow.kind.value,
                flow.suppressed or "",
                *(_number(getattr(flow, name)) for name in _PLAIN),
                *(_number(flow.quantiles.get(part)) for part in QUANTILES),
                *_state(flow),
            ]


def _state(flow: FlowFigures) -> list[object]:
    if flow.suppressed is not None:
        return ["", "", "", ""]
    return [int(flow.is_approximate), int(flow.is_current), flow.state, flow.revision]


def _number(value: float | None) -> object:
    """Return a number without the noise of its last digits; nothing for what is unknown."""
    if value is None:
        return ""
    return value if isinstance(value, int) else float(f"{value:.12g}")


def _text(value: str) -> str:
    """Return a name that no spreadsheet takes for a formula."""
    return f"'{value}" if value[:1] in "=+-@\t\r" else value
