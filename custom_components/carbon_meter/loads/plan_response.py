"""Plans as an action's response tells them: local times, W, kWh, g, and sentences."""

from datetime import datetime
import math
from typing import Any

from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..planning.explain import Speaker, explain, explain_relaxed
from ..planning.plan import Outcome, Piece, Plan
from .load import Load


def local(moment: float | None) -> str | None:
    """Return a moment on the local clock as ISO 8601, None for none."""
    if moment is None:
        return None
    return datetime.fromtimestamp(moment, dt_util.get_default_time_zone()).isoformat()


def local_time(told: datetime) -> datetime:
    """Return a moment as it was told; one without an offset is of the local clock.

    Raises ServiceValidationError for one that no clock shows.
    """
    try:
        moment = told if told.tzinfo else told.replace(tzinfo=dt_util.get_default_time_zone())
        return datetime.fromtimestamp(moment.timestamp(), moment.tzinfo)
    except (ValueError, OverflowError) as err:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="time_impossible",
            translation_placeholders={"time": str(told)},
        ) from err


def plan_told(plan: Plan, speaker: Speaker) -> dict[str, Any]:
    """Return all of a plan: g, currency, W and kWh, None for what is not known."""
    return {
        "start": local(plan.start),
        "end": local(plan.end),
        "runs": [_piece(piece) for piece in plan.pieces],
        "reason": plan.reason.kind.value,
        "explanation": explain(plan, speaker),
        **_outcome(plan.outcome),
        "saved_carbon": rounded(plan.saved_carbon, 1),
        "saved_cost": rounded(plan.saved_cost, 4),
        "value": rounded(plan.value, 4),
        "lower_bound": rounded(plan.lower_bound, 4),
        "gap": rounded(100.0 * plan.gap, 3),
        "at_once": {
            "start": local(plan.baseline_pieces[0].start if plan.baseline_pieces else None),
            **_outcome(plan.baseline),
        },
        "relaxed": [explain_relaxed(each, speaker) for each in plan.relaxed],
    }


def load_told(load: Load, speaker: Speaker) -> dict[str, Any]:
    """Return what a load does: its plan, and what is told of it beside that."""
    plan = load.plan
    told: dict[str, Any] = {
        "load": load.subentry.subentry_id,
        "title": load.subentry.title,
        "kind": load.kind.value,
        "run_now": load.run_now,
        "next_start": local(load.next_start),
        "deadline": local(load.deadline),
        "at_risk": load.is_at_risk,
        "overridden_until": local(load.override_until) if load.is_overridden else None,
        "made": local(load.plan_made),
    }
    if plan is None:
        return {**told, "plan": None, "explanation": speaker.text("nothing_to_do")}
    return {**told, "plan": plan_told(plan, speaker), "explanation": load.explanation}


def rounded(value: float | None, digits: int) -> float | None:
    """Return a figure without noise; None for one that JSON cannot tell."""
    return None if value is None or not math.isfinite(value) else round(value, digits)


def _piece(piece: Piece) -> dict[str, Any]:
    return {
        "start": local(piece.start),
        "end": local(piece.end),
        "power": rounded(piece.power, 1),
        "energy": rounded(piece.energy / 1000.0, 4),
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "energy": rounded(outcome.energy / 1000.0, 4),
        "carbon": rounded(outcome.carbon, 1),
        "cost": rounded(outcome.cost, 4),
    }
