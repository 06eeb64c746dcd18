"""What the runs of one load have really saved, as it is kept; beside the inventory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from ..planning.plan import Piece, joined, runs
from ..planning.realised import Saving
from .session import Session
from .stored import pieces_as_list, pieces_from_list

MOST_KEPT: Final = 400
"""Runs that are kept one by one; older ones are in the sums only."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ran:
    """A run that is finished and waits for the intensities to come true."""

    ended: float
    """When it was found to be finished, seconds since 1970 UTC."""

    taken: tuple[Piece, ...]
    """What it took, as the load itself saw it."""

    baseline: tuple[Piece, ...]
    saved: float | None
    """The gCO2eq that its first plan expected to save."""

    @classmethod
    def of(cls, session: Session, taken: tuple[Piece, ...], ended: float) -> Self:
        """Return a run that has ended, with what it is compared with.

        A day of what is never done ends with the day, also for what it is compared with.
        """
        baseline = session.baseline
        if session.until is not None:
            baseline = joined(
                Piece(piece.start, min(piece.end, ended), piece.power) for piece in baseline
            )
        return cls(ended=ended, taken=taken, baseline=baseline, saved=session.saved)

    @property
    def start(self) -> float:
        """Return when it or its counterfactual began, whichever was first."""
        return min(piece.start for piece in (*self.taken, *self.baseline))

    @property
    def end(self) -> float:
        """Return when it or its counterfactual ended, whichever was last."""
        return max(piece.end for piece in (*self.taken, *self.baseline))

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {
            "ended": self.ended,
            "taken": pieces_as_list(self.taken),
            "baseline": pieces_as_list(self.baseline),
            "saved": self.saved,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return what `as_dict` gave; raises ValueError, KeyError or TypeError otherwise."""
        taken = pieces_from_list(data["taken"])
        if not taken:
            raise ValueError("a run has taken something")
        return cls(
            ended=float(data["ended"]),
            taken=taken,
            baseline=pieces_from_list(data["baseline"]),
            saved=None if data["saved"] is None else float(data["saved"]),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Booked:
    """A run whose saving is known."""

    runs: tuple[tuple[float, float], ...]
    """From when to when it really ran."""

    saving: Saving

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {"runs": [list(run) for run in self.runs], "saving": self.saving.as_dict()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return what `as_dict` gave; raises ValueError, KeyError or TypeError otherwise."""
        found = tuple((float(start), float(end)) for start, end in data["runs"])
        return cls(runs=found, saving=Saving.from_dict(data["saving"]))


@dataclass(kw_only=True, slots=True)
class Realised:
    """What the runs of a load have saved against their counterfactuals, in all."""

    carbon: float = 0.0
    """gCO2eq of emissions that were avoided; below zero where it became worse."""

    cost: float = 0.0
    """Currency, of the runs of which all prices are known."""

    energy: float = 0.0
    """Wh that the runs took."""

    runs: int = 0
    waiting: list[Ran] = field(default_factory=list)
    """Runs of which the intensities have not come true."""

    history: list[Booked] = field(default_factory=list)
    """The last runs, the newest at the end."""

    version: int = 0
    """Rises with every change."""

    _told: tuple[int, dict[str, Any]] = (-1, {})
    """What `as_dict` gave last, and of which version it was."""

    @property
    def pending(self) -> int:
        """Return how many runs wait for their intensities."""
        return len(self.waiting)

    @property
    def latest(self) -> Saving | None:
        """Return what the last run has saved, None before the first."""
        return self.history[-1].saving if self.history else None

    def wait_for(self, ran: Ran) -> None:
        """Take a run that is finished."""
        self.waiting.append(ran)
        del self.waiting[:-MOST_KEPT]
        self.version += 1

    def book(self, ran: Ran, taken: tuple[Piece, ...], saving: Saving | None) -> None:
        """Book what a run has saved in place of its waiting; None for one that took nothing."""
        self.waiting.remove(ran)
        self.version += 1
        if saving is None:
            return
        self.runs += 1
        self.carbon += saving.carbon.value
        self.cost += saving.cost or 0.0
        self.energy += saving.energy
        self.history.append(Booked(runs=tuple(runs(taken)), saving=saving))
        del self.history[:-MOST_KEPT]

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart, the same object until there is a change.

        Hundreds of runs are written with every plan.
        """
        if self._told[0] != self.version:
            self._told = (self.version, self._as_dict())
        return self._told[1]

    def _as_dict(self) -> dict[str, Any]:
        return {
            "carbon": self.carbon,
            "cost": self.cost,
            "energy": self.energy,
            "runs": self.runs,
            "waiting": [ran.as_dict() for ran in self.waiting],
            "history": [booked.as_dict() for booked in self.history],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return what `as_dict` gave; raises ValueError, KeyError or TypeError otherwise."""
        return cls(
            carbon=float(data["carbon"]),
            cost=float(data["cost"]),
            energy=float(data["energy"]),
            runs=int(data["runs"]),
            waiting=[Ran.from_dict(each) for each in data["waiting"]],
            history=[Booked.from_dict(each) for each in data["history"]],
        )
