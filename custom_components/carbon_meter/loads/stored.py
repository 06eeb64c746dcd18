"""Plans as they are kept in a file."""

from collections.abc import Mapping, Sequence
import math
from typing import Any

import numpy as np

from ..carbon.flow.amounts import FloatArray
from ..planning.jobs.job import Planned
from ..planning.plan import Outcome, Piece, Plan, Reason, ReasonKind, Relaxed, Wish
from ..planning.slots import Slots


def pieces_as_list(pieces: Sequence[Piece]) -> list[list[float]]:
    """Return pieces as rows of start, end and power."""
    return [[piece.start, piece.end, piece.power] for piece in pieces]


def pieces_from_list(rows: Any) -> tuple[Piece, ...]:
    """Return the pieces that `pieces_as_list` gave; raises ValueError or TypeError otherwise."""
    found = tuple(Piece(*(_finite(value) for value in row)) for row in rows)
    if any(piece.end < piece.start for piece in found):
        raise ValueError("a piece ends before it begins")
    return found


def planned_as_dict(planned: Planned) -> dict[str, Any]:
    """Return a plan with what it leads to."""
    plan = planned.plan
    return {
        "edges": plan.slots.edges.tolist(),
        "pieces": pieces_as_list(plan.pieces),
        "baseline_pieces": pieces_as_list(plan.baseline_pieces),
        "outcome": _outcome_as_dict(plan.outcome),
        "baseline": _outcome_as_dict(plan.baseline),
        "lower_bound": plan.lower_bound if math.isfinite(plan.lower_bound) else None,
        "reason": [plan.reason.kind.value, dict(plan.reason.numbers)],
        "relaxed": [relaxed.as_dict() for relaxed in plan.relaxed],
        "contents": _row_as_list(planned.contents),
        "shares": _row_as_list(planned.shares),
    }


def planned_from_dict(data: Mapping[str, Any]) -> Planned:
    """Return the plan that `planned_as_dict` gave.

    Raises ValueError, KeyError or TypeError for anything else.
    """
    edges = np.array(data["edges"], dtype=np.float64)
    slots = Slots.at(edges) if len(edges) else Slots(edges, edges)
    kind, numbers = data["reason"]
    plan = Plan(
        slots=slots,
        pieces=pieces_from_list(data["pieces"]),
        outcome=_outcome_from_dict(data["outcome"]),
        baseline=_outcome_from_dict(data["baseline"]),
        baseline_pieces=pieces_from_list(data["baseline_pieces"]),
        lower_bound=-math.inf if (bound := _optional(data["lower_bound"])) is None else bound,
        reason=Reason(
            kind=ReasonKind(kind),
            numbers={str(key): float(value) for key, value in dict(numbers).items()},
        ),
        relaxed=tuple(
            Relaxed(
                wish=Wish(each["wish"]),
                amount=_finite(each["amount"]),
                unit=str(each["unit"]),
                cost=_optional(each["cost"]),
            )
            for each in data["relaxed"]
        ),
    )
    contents = _row_from_list(data["contents"], len(slots))
    shares = _row_from_list(data["shares"], len(slots))
    return Planned(plan=plan, contents=contents, shares=shares)


def _outcome_as_dict(outcome: Outcome) -> dict[str, Any]:
    """Return what a plan adds up to."""
    return {**outcome.as_dict(), "second": outcome.second}


def _outcome_from_dict(data: Mapping[str, Any]) -> Outcome:
    """Return what a plan adds up to, as it was kept."""
    return Outcome(
        energy=_finite(data["energy"]),
        value=_finite(data["value"]),
        second=_finite(data["second"]),
        unknown=_finite(data["unknown"]),
        carbon=_optional(data["carbon"]),
        cost=_optional(data["cost"]),
    )


def _row_as_list(row: FloatArray | None) -> list[float | None] | None:
    """Return one number for each slot, None for what is not known: JSON has no NaN."""
    if row is None:
        return None
    return [value if math.isfinite(value) else None for value in row.tolist()]


def _row_from_list(row: Any, count: int) -> FloatArray | None:
    """Return one number for each slot, NaN for what is not known."""
    if row is None:
        return None
    found = np.array([math.nan if value is None else float(value) for value in row])
    if found.shape != (count,):
        raise ValueError(f"{len(found)} numbers for {count} slots")
    return found


def _optional(value: Any) -> float | None:
    return None if value is None else _finite(value)


def _finite(value: Any) -> float:
    """Return a number; raises ValueError for what is none."""
    found = float(value)
    if not math.isfinite(found):
        raise ValueError(f"{value} is no finite number")
    return found
