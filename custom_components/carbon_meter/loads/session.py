"""One run of a load, from its first plan on: what it is compared with, and what it did so far.

A plan that is made anew in the middle of a run knows nothing of the hours before. To the user it is
one plan: moved from when the load could have run first, with all that it saves since then.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from ..planning.decision import is_better
from ..planning.objective import Objective
from ..planning.plan import (
    NO_MARGIN,
    Piece,
    Plan,
    Reason,
    ReasonKind,
    Weighing,
    joined,
)
from ..planning.realised import with_energy
from ..planning.signal import Signal
from .stored import pieces_as_list, pieces_from_list

type SignalOver = Callable[[float, float], Signal]
"""Gives the signal of [start, end): what came true and what is forecast."""

_AT_ONCE: Final = frozenset(
    {ReasonKind.NO_BENEFIT, ReasonKind.MUST_RUN, ReasonKind.GOES_ON, ReasonKind.KEPT}
)
"""Reasons of a plan made on the way that say nothing of the whole run."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """What is kept of a run that is planned."""

    since: float | None = None
    """When it was planned first, seconds since 1970 UTC; None before that."""

    baseline: tuple[Piece, ...] = ()
    """Running at once, as it was planned first."""

    saved: float | None = None
    """The gCO2eq that the first plan expected to save."""

    until: float | None = None
    """Up to when the plans say what it is compared with; None where it is never too short."""

    begun: tuple[Piece, ...] = ()
    """What earlier plans of the run have let it take."""

    def planned(self, plan: Plan, now: float, *, is_rolling: bool = False) -> Self:
        """Return the session with the plan that was made now; the first one sets its baseline.

        What is never done is planned for some hours: later plans go on where the first one ends.
        """
        if self.since is None:
            return replace(
                self,
                since=now,
                baseline=plan.baseline_pieces,
                saved=plan.saved_carbon,
                until=plan.slots.end if is_rolling and len(plan.slots) else None,
            )
        if self.until is None or not len(plan.slots) or plan.slots.end <= self.until:
            return self
        later = [
            Piece(max(piece.start, self.until), piece.end, piece.power)
            for piece in plan.baseline_pieces
            if piece.end > self.until
        ]
        return replace(self, baseline=joined([*self.baseline, *later]), until=plan.slots.end)

    def passed(self, plan: Plan, made: float, now: float) -> Self:
        """Return the session after a plan has been followed from when it was made until now."""
        parts = [
            Piece(max(piece.start, made), min(piece.end, now), piece.power)
            for piece in plan.pieces
            if piece.end > made and piece.start < now
        ]
        return replace(self, begun=joined([*self.begun, *parts])) if parts else self

    def shown(self, plan: Plan, signal_over: SignalOver, objective: Objective) -> Plan:
        """Return a plan as one of the whole run."""
        pieces = joined([*self.begun, *plan.pieces])
        energy = sum(piece.energy for piece in pieces)
        without = with_energy(self.baseline, energy) if energy > 0.0 else ()
        if not without or (not self.begun and without == plan.baseline_pieces):
            return plan
        start = min(pieces[0].start, without[0].start)
        end = max(pieces[-1].end, without[-1].end)
        weighing = Weighing.of(signal_over(start, end), objective)
        outcome, baseline = weighing.outcome(pieces), weighing.outcome(without)
        reason = plan.reason
        if reason.kind in _AT_ONCE and is_better(outcome, baseline, NO_MARGIN):
            later = pieces[0].start - without[0].start
            reason = Reason(kind=ReasonKind.MOVED, numbers={**reason.numbers, "later": later})
        return replace(
            plan,
            slots=weighing.slots,
            pieces=pieces,
            outcome=outcome,
            baseline=baseline,
            baseline_pieces=without,
            lower_bound=plan.lower_bound + outcome.value - plan.value,
            reason=reason,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {
            "since": self.since,
            "baseline": pieces_as_list(self.baseline),
            "saved": self.saved,
            "until": self.until,
            "begun": pieces_as_list(self.begun),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return what `as_dict` gave; raises ValueError, KeyError or TypeError otherwise."""
        return cls(
            since=None if data["since"] is None else float(data["since"]),
            baseline=pieces_from_list(data["baseline"]),
            saved=None if data["saved"] is None else float(data["saved"]),
            until=None if data["until"] is None else float(data["until"]),
            begun=pieces_from_list(data["begun"]),
        )
