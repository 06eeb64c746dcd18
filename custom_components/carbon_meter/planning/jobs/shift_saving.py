"""What batteries and zones have saved in a day, by the intensities that came true.

Both are emissions that were avoided: told beside the inventory of the site, never part of it. For
loads whose runs are moved see `realised_saving`.
"""

from collections.abc import Sequence
from dataclasses import replace
import math

import numpy as np

from ...carbon.accounting.avoided import avoided_by_shift
from ...carbon.accounting.figures import Figure
from ...carbon.flow.amounts import FloatArray, ImpossibleAmountError, amount
from ...carbon.intensity.source import IntensityInterval, IntensityKind
from ..plan import Piece, energies, joined
from ..realised import PriceInterval, Saving, slots_of, values_of
from ..slots import Slots


def battery_saving(  # noqa: PLR0913  # a day of a battery, and what came true
    load: str,
    taken: Sequence[Piece],
    intensities: Sequence[IntensityInterval],
    *,
    efficiency: float,
    content_change: float | None = None,
    stored: float | None = None,
    kind: IntensityKind = IntensityKind.AVERAGE,
    prices: Sequence[PriceInterval] = (),
    planned: float | None = None,
) -> Saving | None:
    """Return what a battery has saved, None where it did nothing.

        avoided = discharged @ intensity - charged @ intensity + change / one_way * mean(charged)

    `taken` is what its meter counted: pieces of mean power in W, below zero where it gave.
    Without the battery the site would have drawn what was discharged when it was, and not what
    was charged. To compare equal energies, what it holds more (less) at the end than at the start,
    `content_change` in Wh, counts as what charging it emits: at the mean intensity of what was
    charged. Where nothing was, that is `stored`, in gCO2eq/kWh at the meter, or else the mean of
    the day. `efficiency` is that of the round trip, and one way its square root; without a
    `content_change` it tells the content, too. The energy of the saving is what was charged.
    Raises ImpossibleAmountError for numbers that cannot be.
    """
    if not 0.0 < amount("efficiency", efficiency) <= 1.0:
        raise ImpossibleAmountError("efficiency", f"{efficiency} is none of a battery")
    one_way = math.sqrt(efficiency)
    run = _checked(taken)
    if not run:
        return None
    slots = slots_of(run, [*intensities, *prices])
    charged = energies(slots, [piece for piece in run if piece.power > 0.0])
    discharged = -energies(slots, [piece for piece in run if piece.power < 0.0])
    change = content_change
    if change is None:
        change = float(charged.sum()) * one_way - float(discharged.sum()) / one_way
    found = _saving(load, slots, discharged, charged, intensities, kind=kind, prices=prices)
    intensity = values_of(slots, intensities)
    value = _mean(intensity, charged)
    if math.isnan(value):
        value = _mean(intensity, slots.hours) if stored is None else stored
    credit = 0.0 if math.isnan(value) else change / one_way * value / 1000.0
    cost = found.cost
    if cost is not None:
        price = values_of(slots, prices)
        paid = _mean(price, charged)
        cost += change / one_way * (_mean(price, slots.hours) if math.isnan(paid) else paid) / 1e3
    return replace(
        found,
        energy=float(charged.sum()),
        carbon=found.carbon + Figure(label=found.carbon.label, value=credit),
        cost=None if cost is None or math.isnan(cost) else cost,
        planned=planned,
    )


def zone_saving(  # noqa: PLR0913  # a day of a zone, and what came true
    load: str,
    without: Sequence[Piece],
    taken: Sequence[Piece],
    intensities: Sequence[IntensityInterval],
    *,
    kind: IntensityKind = IntensityKind.AVERAGE,
    prices: Sequence[PriceInterval] = (),
    planned: float | None = None,
) -> Saving | None:
    """Return what a zone has saved against its counterfactual, None where neither took anything.

    `without` is what it would have taken with its usual setpoint, or with full light. The energies
    are not brought to the same: less light is less energy, and that is a part of what is saved;
    `energy_less` tells how much. Raises ImpossibleAmountError for numbers that cannot be.
    """
    before, after = _positive(without), _positive(taken)
    if not before and not after:
        return None
    slots = slots_of([*before, *after], [*intensities, *prices])
    usual, actual = energies(slots, before), energies(slots, after)
    found = _saving(load, slots, usual, actual, intensities, kind=kind, prices=prices)
    return replace(found, energy=float(actual.sum()), planned=planned)


def energy_less(without: Sequence[Piece], taken: Sequence[Piece]) -> float:
    """Return by how many Wh a zone has taken less than its counterfactual."""
    return sum(piece.energy for piece in _positive(without)) - sum(
        piece.energy for piece in _positive(taken)
    )


def _saving(  # noqa: PLR0913  # two courses, and what came true
    load: str,
    slots: Slots,
    before: FloatArray,
    after: FloatArray,
    intensities: Sequence[IntensityInterval],
    *,
    kind: IntensityKind,
    prices: Sequence[PriceInterval],
) -> Saving:
    """Return what one energy in Wh by slot saves against another, where an intensity is known."""
    intensity = values_of(slots, intensities)
    known = np.isfinite(intensity)
    both = before + after
    saved, cost = before - after, None
    if prices:
        price, used = values_of(slots, prices), saved != 0.0
        total = float(saved[used] @ price[used]) / 1000.0
        cost = total if math.isfinite(total) else None
    return Saving(
        load=load,
        start=slots.start,
        end=slots.end,
        energy=float(after.sum()),
        carbon=avoided_by_shift(
            np.where(known, before, 0.0),
            np.where(known, after, 0.0),
            np.where(known, intensity, 0.0),
            kind=kind,
        ),
        cost=cost,
        coverage=float(both[known].sum() / both.sum()),
    )


def _positive(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Return the pieces that take something."""
    return tuple(piece for piece in _checked(pieces) if piece.power > 0.0)


def _checked(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Return pieces in order; raises ImpossibleAmountError for a power that is no number."""
    for piece in pieces:
        amount("taken", piece.power, signed=True)
    return joined(pieces)


def _mean(values: FloatArray, weights: FloatArray) -> float:
    """Return the mean of what is known, NaN where nothing has a weight."""
    weighed = np.where(np.isfinite(values), weights, 0.0)
    total = float(weighed.sum())
    return (
        float(np.where(weighed > 0.0, values, 0.0) @ weighed) / total if total > 0.0 else math.nan
    )
