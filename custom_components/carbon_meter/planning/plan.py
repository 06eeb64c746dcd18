"""A plan: when a load runs, what that adds up to, and what it saves against running at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
import math
from typing import Any, Final, Self

import numpy as np

from ..carbon.flow.amounts import FloatArray
from .objective import SAME, Objective, Weights
from .signal import Signal
from .slots import Slots

_KWH: Final = 1000.0
"""Wh."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of time [start, end), seconds since 1970 UTC, with one power in W."""

    start: float
    end: float
    power: float

    @property
    def energy(self) -> float:
        """Return the energy in Wh."""
        return self.power * (self.end - self.start) / 3600.0


class Wish(StrEnum):
    """What a plan keeps as far as it can, the most important first."""

    SAFETY = "safety"
    """The fuse."""

    DEADLINE = "deadline"
    """The energy, or the run, by its deadline."""

    COMFORT = "comfort"
    """Temperatures; energy that is nice to have; how often a load starts."""

    QUIET = "quiet"
    """Hours in which the load should not run."""

    FORECAST = "forecast"
    """Running only where something is known of carbon or price."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Relaxed:
    """A wish that could not be kept, by how much, and what keeping the rest of it costs."""

    wish: Wish
    amount: float
    unit: str
    """Of the amount: `Wh`, `W`, `s`, `K` or `starts`."""

    cost: float | None = None
    """How much less the objective were without the wish, in g or currency; None: not known."""

    def as_dict(self) -> dict[str, Any]:
        """Return it for an attribute, an action's response, or a file."""
        return {
            "wish": self.wish.value,
            "amount": self.amount,
            "unit": self.unit,
            "cost": self.cost,
        }


class ReasonKind(StrEnum):
    """Why a plan is as it is."""

    MOVED = "moved"
    """Later is better."""

    NO_BENEFIT = "no_benefit"
    """Nothing is gained by waiting: it runs at once."""

    MUST_RUN = "must_run"
    """What is left of the time is needed: it runs at once."""

    GOES_ON = "goes_on"
    """It has been started, by its plan or by hand, and is not interrupted."""

    NOTHING_TO_DO = "nothing_to_do"
    """No energy, no run, is asked for."""

    NOT_KNOWN = "not_known"
    """Nothing is known of carbon or price in the whole window: it runs at once."""

    NO_ROOM = "no_room"
    """Other loads and the fuse leave no room for it, now or later: it does not run."""

    KEPT = "kept"
    """The plan before was kept: a new one gains too little."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """Why a plan is as it is, with the numbers that a sentence about it needs."""

    kind: ReasonKind
    numbers: Mapping[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return it for an attribute, an action's response, or a file."""
        return {"kind": self.kind.value, **self.numbers}


@dataclass(frozen=True, kw_only=True, slots=True)
class Margin:
    """What a gain must exceed to count: in g or currency, and as a part of what is compared."""

    absolute: float = 0.0
    relative: float = 0.0

    def is_exceeded(self, gain: float, of: float) -> bool:
        """Return whether a gain on a value is worth a change; rounding never is."""
        return gain > max(self.absolute, max(self.relative, SAME) * abs(of))


NO_MARGIN: Final = Margin()
"""Any gain counts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What running adds up to."""

    energy: float
    """Wh."""

    value: float
    """The objective in g or currency, penalties for starts included, `unknown` energy not."""

    second: float
    """What decides among plans of the same value, in g or currency."""

    unknown: float
    """Wh in slots of which the objective is not known."""

    carbon: float | None
    """gCO2eq by the middle of the forecast; None where a slot's intensity is not known."""

    cost: float | None
    """Currency; None where a slot's price is not known."""

    @property
    def keys(self) -> tuple[float, float, float]:
        """Return what outcomes are compared by, in this order."""
        return self.unknown, self.value, self.second

    def as_dict(self) -> dict[str, Any]:
        """Return it for an attribute, an action's response, or a file."""
        return {
            "energy": self.energy,
            "value": self.value,
            "unknown": self.unknown,
            "carbon": self.carbon,
            "cost": self.cost,
        }


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Plan:
    """When a load runs.

    `lower_bound` is a value of the objective that no plan for the same wishes can beat, and
    `baseline` what the same energy adds up to when it runs at once. Where wishes could not be
    kept, `relaxed` names them; there is a plan always.
    """

    slots: Slots
    pieces: tuple[Piece, ...]
    outcome: Outcome
    baseline: Outcome
    baseline_pieces: tuple[Piece, ...]
    lower_bound: float
    reason: Reason
    relaxed: tuple[Relaxed, ...] = ()

    @property
    def power(self) -> FloatArray:
        """Return the mean power of each slot in W."""
        return energies(self.slots, self.pieces) / self.slots.hours

    @property
    def energy(self) -> float:
        """Return the energy in Wh."""
        return self.outcome.energy

    @property
    def value(self) -> float:
        """Return the objective, in g or currency."""
        return self.outcome.value

    @property
    def carbon(self) -> float | None:
        """Return gCO2eq, None where not known."""
        return self.outcome.carbon

    @property
    def cost(self) -> float | None:
        """Return the cost in currency, None where not known."""
        return self.outcome.cost

    @property
    def gap(self) -> float:
        """Return how much better a plan might be at the most, as a part of this one's value."""
        missed = self.value - self.lower_bound
        if missed <= SAME * max(abs(self.value), abs(self.lower_bound)):
            return 0.0
        return missed / abs(self.value) if self.value else math.inf

    @property
    def saved_carbon(self) -> float | None:
        """Return gCO2eq less than running at once, None where one of them is not known."""
        return _difference(self.baseline.carbon, self.outcome.carbon)

    @property
    def saved_cost(self) -> float | None:
        """Return currency less than running at once, None where one of them is not known."""
        return _difference(self.baseline.cost, self.outcome.cost)

    @property
    def is_moved(self) -> bool:
        """Return whether it runs at other times than at once."""
        return self.pieces != self.baseline_pieces

    @property
    def start(self) -> float | None:
        """Return when it first runs, None where it never does."""
        return self.pieces[0].start if self.pieces else None

    @property
    def end(self) -> float | None:
        """Return when it has run, None where it never does."""
        return self.pieces[-1].end if self.pieces else None

    def power_at(self, moment: float) -> float:
        """Return the power in W that is planned for a moment."""
        return sum(piece.power for piece in self.pieces if piece.start <= moment < piece.end)

    def as_dict(self) -> dict[str, Any]:
        """Return the plan for an attribute or an action's response."""
        return {
            "pieces": [[piece.start, piece.end, piece.power] for piece in self.pieces],
            **self.outcome.as_dict(),
            "lower_bound": self.lower_bound,
            "gap": self.gap if math.isfinite(self.gap) else None,
            "baseline": self.baseline.as_dict(),
            "baseline_pieces": [
                [piece.start, piece.end, piece.power] for piece in self.baseline_pieces
            ],
            "saved_carbon": self.saved_carbon,
            "saved_cost": self.saved_cost,
            "is_moved": self.is_moved,
            "reason": self.reason.as_dict(),
            "relaxed": [relaxed.as_dict() for relaxed in self.relaxed],
        }


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Weighing:
    """A signal and what one Wh adds to the objective in its slots: worked out once for a plan."""

    signal: Signal
    weights: Weights
    per_start: float = 0.0
    """What each start adds to the objective, in g or currency."""

    @classmethod
    def of(cls, signal: Signal, objective: Objective, per_start: float = 0.0) -> Self:
        """Return the weighing of a signal by an objective."""
        return cls(signal=signal, weights=objective.weights(signal), per_start=per_start)

    @property
    def slots(self) -> Slots:
        """Return the slots of the signal."""
        return self.signal.slots

    def outcome(self, pieces: Sequence[Piece], *, starts: int | None = None) -> Outcome:
        """Return what pieces add up to; `starts` of them are new, all runs where not told."""
        energy = energies(self.slots, pieces)
        used = energy != 0.0
        if starts is None:
            starts = len(runs(pieces))
        known = self.weights.known
        return Outcome(
            energy=float(energy.sum()),
            value=float(self.weights.first @ energy) + self.per_start * starts,
            second=float(self.weights.second @ energy),
            unknown=float(energy[~known].sum()),
            carbon=_total(self.signal.carbon, energy, used),
            cost=None if self.signal.price is None else _total(self.signal.price, energy, used),
        )


def energies(slots: Slots, pieces: Sequence[Piece]) -> FloatArray:
    """Return the Wh of pieces in each slot."""
    if not pieces or len(slots) == 0:
        return np.zeros(len(slots))
    starts, ends, powers = np.array([(p.start, p.end, p.power) for p in pieces]).T
    common = np.minimum(ends[:, None], slots.ends) - np.maximum(starts[:, None], slots.starts)
    energy: FloatArray = powers @ np.maximum(common, 0.0) / 3600.0
    return energy


def joined(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Return pieces in the order of time, those of one power that touch as one; none is empty."""
    found: list[Piece] = []
    for piece in sorted(pieces, key=lambda piece: piece.start):
        if piece.end <= piece.start or piece.power == 0.0:
            continue
        if found and found[-1].end == piece.start and found[-1].power == piece.power:
            piece = Piece(found.pop().start, piece.end, piece.power)  # noqa: PLW2901
        found.append(piece)
    return tuple(found)


def runs(pieces: Sequence[Piece]) -> list[tuple[float, float]]:
    """Return when it runs without a pause, whatever the power."""
    found: list[tuple[float, float]] = []
    for piece in pieces:
        if found and found[-1][1] == piece.start:
            found[-1] = (found[-1][0], piece.end)
        else:
            found.append((piece.start, piece.end))
    return found


def _total(figures: FloatArray, energy: FloatArray, used: Any) -> float | None:
    """Return the sum of energy in Wh times figures per kWh, None where one is not known."""
    total = float(figures[used] @ energy[used]) / _KWH
    return total if math.isfinite(total) else None


def _difference(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else before - after
