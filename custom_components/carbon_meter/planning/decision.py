"""Whether a plan is worth it: against running at once, and against the plan before it."""

from collections.abc import Sequence
from dataclasses import replace

from .objective import SAME, Objective
from .plan import (
    NO_MARGIN,
    Margin,
    Outcome,
    Piece,
    Plan,
    Reason,
    ReasonKind,
    Relaxed,
    Weighing,
    Wish,
    joined,
)
from .signal import Signal


def decided(  # noqa: PLR0913  # what a plan is made of
    weighing: Weighing,
    pieces: tuple[Piece, ...],
    at_once: tuple[Piece, ...],
    *,
    margin: Margin = NO_MARGIN,
    relaxed: Sequence[Relaxed] = (),
    bound: float | None = None,
    starts: tuple[int | None, int | None] = (None, None),
    is_forced: bool = False,
    is_at_once_good: bool = True,
) -> Plan:
    """Return the plan of the best pieces, or of running at once where nothing is gained.

    Both bring the same and keep the same wishes. `bound` is a lower bound of the objective;
    without one the pieces are optimal. `starts` are how many of the starts of the two are new,
    all of them where not told. `is_forced` tells that all the time is needed,
    `is_at_once_good` whether running at once keeps the wishes as well as the pieces do.
    """
    best = weighing.outcome(pieces, starts=starts[0])
    baseline = weighing.outcome(at_once, starts=starts[1])
    kind = _kind(weighing, best, baseline, margin, is_same=pieces == at_once)
    if kind is ReasonKind.NO_BENEFIT and not is_at_once_good:
        kind = ReasonKind.MOVED
    moved = kind is ReasonKind.MOVED
    chosen = best if moved else baseline
    if is_forced and kind is ReasonKind.NO_BENEFIT:
        kind = ReasonKind.MUST_RUN
    if chosen.unknown > 0.0:
        relaxed = (
            *relaxed,
            Relaxed(wish=Wish.FORECAST, amount=chosen.unknown, unit="Wh"),
        )
    numbers = {"gain": baseline.value - best.value, "best": best.value}
    if moved:
        numbers["later"] = pieces[0].start - at_once[0].start
    return Plan(
        slots=weighing.slots,
        pieces=pieces if moved else at_once,
        outcome=chosen,
        baseline=baseline,
        baseline_pieces=at_once,
        lower_bound=best.value if bound is None else min(bound, best.value),
        reason=Reason(kind=kind, numbers=numbers),
        relaxed=tuple(sorted(relaxed, key=lambda each: list(Wish).index(each.wish))),
    )


def is_better(new: Outcome, old: Outcome, margin: Margin) -> bool:
    """Return whether an outcome is better by more than a margin: by the first key that differs."""
    tolerance = SAME * max(abs(new.energy), abs(old.energy))
    if abs(new.unknown - old.unknown) > tolerance:
        return new.unknown < old.unknown
    if abs(new.value - old.value) > SAME * max(abs(new.value), abs(old.value)):
        return margin.is_exceeded(old.value - new.value, old.value)
    return NO_MARGIN.is_exceeded(old.second - new.second, old.second)


def keep_or_replace(  # noqa: PLR0913  # two plans, and what they are compared by
    old: Plan,
    new: Plan,
    margin: Margin,
    *,
    signal: Signal,
    objective: Objective,
    now: float,
    per_start: float = 0.0,
) -> Plan:
    """Return the new plan, or what is left of the old one unless the new gains more than a margin.

    Both are weighed with the newest signal. The old one is replaced in any case when it does not
    bring the same any more or ends after the slots of the new one, when the new one keeps a wish
    better, and when the new one has to run at once. Where other rules of a load have changed, its
    quiet hours or its power, nobody asks: the caller takes the new plan.
    """
    left = rest(old, now)
    energy = sum(piece.energy for piece in left)
    same = abs(energy - new.energy) <= 1e-6 * max(abs(energy), abs(new.energy))
    if left == new.pieces or not same or _broken(new) < _broken(old):
        return new
    is_late = bool(left) and left[-1].end > new.slots.end + 1e-3
    if is_late or new.reason.kind is ReasonKind.MUST_RUN:
        return new
    end = max(piece.end for piece in (*left, *new.pieces, *new.baseline_pieces))
    weighing = Weighing.of(signal.over(now, end), objective, per_start)
    runs_on = old.power_at(now) > 0.0
    kept = weighing.outcome(left, starts=_starts(left, now, is_on=runs_on))
    fresh = weighing.outcome(new.pieces, starts=_starts(new.pieces, now, is_on=runs_on))
    if is_better(fresh, kept, margin):
        return new
    return replace(
        new,
        slots=weighing.slots,
        pieces=left,
        outcome=kept,
        reason=Reason(
            kind=ReasonKind.KEPT,
            numbers={"gain": kept.value - fresh.value, "best": fresh.value},
        ),
        lower_bound=min(new.lower_bound, kept.value),
        relaxed=old.relaxed,
    )


def rest(plan: Plan, now: float) -> tuple[Piece, ...]:
    """Return what of a plan is still to come."""
    return joined(
        Piece(max(piece.start, now), piece.end, piece.power)
        for piece in plan.pieces
        if piece.end > now
    )


def _kind(
    weighing: Weighing, best: Outcome, baseline: Outcome, margin: Margin, *, is_same: bool
) -> ReasonKind:
    """Return why a plan is as it is."""
    if best.energy == 0.0:
        return ReasonKind.NOTHING_TO_DO
    if not weighing.weights.known.any():
        return ReasonKind.NOT_KNOWN
    if is_same or not is_better(best, baseline, margin):
        return ReasonKind.NO_BENEFIT
    return ReasonKind.MOVED


def _broken(plan: Plan) -> tuple[float, ...]:
    """Return by how much a plan breaks wishes, the most important first; not the forecast."""
    amounts = {each.wish: each.amount for each in plan.relaxed}
    return tuple(round(amounts.get(wish, 0.0), 3) for wish in Wish if wish is not Wish.FORECAST)


def _starts(pieces: tuple[Piece, ...], now: float, *, is_on: bool) -> int:
    """Return how many of the starts are new, with a load that is on now or is not."""
    from_now = bool(pieces) and pieces[0].start <= now
    return max(0, _runs(pieces) - int(is_on and from_now))


def _runs(pieces: tuple[Piece, ...]) -> int:
    return sum(
        number == 0 or piece.start != pieces[number - 1].end for number, piece in enumerate(pieces)
    )
