"""What a run has saved: against its counterfactual, by the intensities that came true.

The counterfactual is running at once, with as much energy as the run has really taken. What is
saved is emissions that were avoided: told beside the inventory of the site, never part of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ..carbon.accounting.avoided import avoided_by_shift
from ..carbon.accounting.figures import Account, Figure, Label
from ..carbon.flow.amounts import FloatArray
from ..carbon.intensity.source import IntensityInterval, IntensityKind
from .objective import SAME
from .plan import Piece, Plan, energies, joined
from .slots import Slots


@dataclass(frozen=True, kw_only=True, slots=True)
class Saving:
    """What one run has saved against running at once; below zero it made things worse.

    `carbon` is a figure of the account of avoided emissions, which refuses to be added to any
    inventory.
    """

    load: str
    start: float
    end: float
    """Of the run and its counterfactual together, seconds since 1970 UTC."""

    energy: float
    """Wh that the run has taken."""

    carbon: Figure
    cost: float | None
    """Currency; None where a price is not known."""

    coverage: float
    """The part of the energies of both, 0 to 1, for whose time an intensity is known."""

    planned: float | None = None
    """The gCO2eq that the plan expected to save."""

    def as_dict(self) -> dict[str, Any]:
        """Return what is kept in a file."""
        return {
            "load": self.load,
            "start": self.start,
            "end": self.end,
            "energy": self.energy,
            "carbon": self.carbon.value,
            "kind": self.carbon.label.kind.value,
            "cost": self.cost,
            "coverage": self.coverage,
            "planned": self.planned,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the saving that `as_dict` gave.

        Raises ValueError, KeyError or TypeError for anything else.
        """
        label = Label(account=Account.AVOIDED, kind=IntensityKind(data["kind"]))
        return cls(
            load=str(data["load"]),
            start=float(data["start"]),
            end=float(data["end"]),
            energy=float(data["energy"]),
            carbon=Figure(label=label, value=float(data["carbon"])),
            cost=None if data["cost"] is None else float(data["cost"]),
            coverage=float(data["coverage"]),
            planned=None if data["planned"] is None else float(data["planned"]),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class PriceInterval:
    """The price over [start, end), in seconds since 1970 UTC and currency/kWh."""

    start: float
    end: float
    value: float


def realised_saving(  # noqa: PLR0913  # a run, and what came true
    load: str,
    plan: Plan,
    taken: Sequence[Piece],
    intensities: Sequence[IntensityInterval],
    *,
    kind: IntensityKind = IntensityKind.AVERAGE,
    prices: Sequence[PriceInterval] = (),
) -> Saving | None:
    """Return what a run has saved, None where it has taken nothing.

    `taken` is what the load's meter says that it really took, as pieces of mean power in W, and
    `intensities` are those that came true. The counterfactual is the baseline of the plan, brought
    to the same energy: it ends when it has taken as much, or goes on at its greatest power. Time of
    which no intensity is known is in neither sum, and told by `coverage`. Raises
    ImpossibleAmountError for powers and intensities that cannot be.
    """
    run = joined(taken)
    energy = sum(piece.energy for piece in run)
    if not energy > 0.0:
        return None
    without = with_energy(plan.baseline_pieces or run, energy)
    slots = slots_of([*run, *without], [*intensities, *prices])
    actual, baseline = energies(slots, run), energies(slots, without)
    intensity = values_of(slots, intensities)
    known = np.isfinite(intensity)
    both = actual + baseline
    return Saving(
        load=load,
        start=slots.start,
        end=slots.end,
        energy=energy,
        carbon=avoided_by_shift(
            np.where(known, baseline, 0.0),
            np.where(known, actual, 0.0),
            np.where(known, intensity, 0.0),
            kind=kind,
        ),
        cost=_saved_cost(slots, baseline - actual, prices),
        coverage=float(both[known].sum() / both.sum()),
        planned=plan.saved_carbon,
    )


def with_energy(pieces: Sequence[Piece], energy: float) -> tuple[Piece, ...]:
    """Return a course brought to an energy in Wh: cut off, or going on at its greatest power."""
    found: list[Piece] = []
    left = energy
    for piece in pieces:
        if piece.power <= 0.0 or left <= 0.0:
            continue
        seconds = min(piece.end - piece.start, left / piece.power * 3600.0)
        found.append(Piece(piece.start, piece.start + seconds, piece.power))
        left -= found[-1].energy
    if found and left > SAME * energy:
        power = max(piece.power for piece in found)
        end = found[-1].end
        found.append(Piece(end, end + left / power * 3600.0, power))
    return joined(found)


def slots_of(pieces: Sequence[Piece], values: Sequence[IntensityInterval | PriceInterval]) -> Slots:
    """Return slots that end wherever a power, an intensity or a price changes."""
    start, end = min(piece.start for piece in pieces), max(piece.end for piece in pieces)
    moments = [moment for each in (*pieces, *values) for moment in (each.start, each.end)]
    edges = np.unique(np.clip(np.array(moments), start, end))
    return Slots.at(edges)


def values_of(slots: Slots, values: Sequence[IntensityInterval | PriceInterval]) -> FloatArray:
    """Return the value of each slot, NaN where none is known; the first told counts."""
    found = np.full(len(slots), np.nan)
    for each in reversed(values):
        found[slots.places(each.start, each.end)] = each.value
    return found


def _saved_cost(slots: Slots, saved: FloatArray, prices: Sequence[PriceInterval]) -> float | None:
    """Return the cost of energy in Wh by slot, None where a price is not known."""
    if not prices:
        return None
    price = values_of(slots, prices)
    used = saved != 0.0
    if not np.isfinite(price[used]).all():
        return None
    return float(saved[used] @ price[used]) / 1000.0
