"""What a plan weighs its slots with: carbon intensity and price, and how sure they are."""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np

from ..carbon.flow.amounts import FloatArray
from .slots import Slots, SlotsError

_MOST: Final = 1e6
"""gCO2eq/kWh, or currency per kWh: beyond it stands a code for "not known", no figure."""

_SHORTEST: Final = 300.0
_MOST_ADDED: Final = 1000
"""Seconds and number of the slots that are put where nothing is known."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Signal:
    """Carbon intensity in gCO2eq/kWh and price in currency/kWh for each slot.

    `carbon` is the middle of the forecast (p50), `low` and `high` its band (p10 and p90) where
    there is one. A slot of which a figure is not known has NaN. Build it with `of`, which turns
    into NaN what cannot be true.
    """

    slots: Slots
    carbon: FloatArray
    low: FloatArray | None = None
    high: FloatArray | None = None
    price: FloatArray | None = None

    @classmethod
    def of(
        cls,
        slots: Slots,
        carbon: Any,
        *,
        low: Any = None,
        high: Any = None,
        price: Any = None,
    ) -> Self:
        """Return the signal of numbers as they come: None, infinite and absurd ones are NaN.

        Carbon below zero is absurd, a price below zero is not. Raises SlotsError where there is
        not one number for each slot.
        """
        return cls(
            slots=slots,
            carbon=_clean("carbon", carbon, len(slots), least=0.0),
            low=None if low is None else _clean("low", low, len(slots), least=0.0),
            high=None if high is None else _clean("high", high, len(slots), least=0.0),
            price=None if price is None else _clean("price", price, len(slots), least=-_MOST),
        )

    def over(self, start: float, end: float) -> Signal:
        """Return the signal of [start, end); NaN where it does not reach.

        Slots are cut at both ends. Where the signal ends earlier, or begins later, slots as
        long as its last one (its first one) are put, of which nothing is known.
        """
        places = self.slots.places(start, end)
        cut = self.slots.cut(start, end)
        before, after = _edges_around(self.slots, cut, start, end)
        if len(before) == len(after) == 0:
            slots = cut
        else:
            slots = Slots.at(np.concatenate([before, cut.edges, after]))

        def row(values: FloatArray | None) -> FloatArray | None:
            if values is None:
                return None
            if slots is cut:
                return values[places]
            found = np.full(len(slots), np.nan)
            first = len(before) if len(cut) else 0
            found[first : first + len(cut)] = values[places]
            return found

        carbon = row(self.carbon)
        assert carbon is not None  # noqa: S101  # a row of a row
        return Signal(
            slots=slots,
            carbon=carbon,
            low=row(self.low),
            high=row(self.high),
            price=row(self.price),
        )

    def split(self, moments: FloatArray) -> Signal:
        """Return the same signal with slots that also end at some moments."""
        slots = self.slots
        if len(slots) == 0:
            return self
        within = moments[(moments > slots.start) & (moments < slots.end)]
        within = within[slots.starts[np.searchsorted(slots.starts, within, "right") - 1] != within]
        if len(within) == 0:
            return self
        edges = np.union1d(slots.edges, within)
        places = np.searchsorted(slots.ends, edges[:-1], side="right")

        def row(values: FloatArray | None) -> FloatArray | None:
            return None if values is None else values[places]

        return Signal(
            slots=Slots.at(edges),
            carbon=self.carbon[places],
            low=row(self.low),
            high=row(self.high),
            price=row(self.price),
        )


def _clean(name: str, values: Any, count: int, *, least: float) -> FloatArray:
    """Return numbers as they come as an array of its own, NaN for what cannot be true."""
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as err:
        raise SlotsError(f"{name}: not a row of numbers ({err})") from err
    if array.shape != (count,):
        raise SlotsError(f"{name}: {array.shape} numbers for {count} slots")
    with np.errstate(invalid="ignore"):
        array[~((array >= least) & (array <= _MOST))] = np.nan
    return array


def _edges_around(
    slots: Slots, cut: Slots, start: float, end: float
) -> tuple[FloatArray, FloatArray]:
    """Return edges of the slots that are missing before and after a cut of slots."""
    nothing = np.empty(0)
    if not end > start:
        return nothing, nothing
    first = float(slots.seconds[0]) if len(slots) else 3600.0
    last = float(slots.seconds[-1]) if len(slots) else 3600.0
    if len(cut) == 0:
        return nothing, Slots.of(start, end, _step(end - start, last)).edges
    before, after = nothing, nothing
    if cut.start > start:
        before = Slots.of(start, cut.start, _step(cut.start - start, first)).edges[:-1]
    if cut.end < end:
        after = Slots.of(cut.end, end, _step(end - cut.end, last)).edges[1:]
    return before, after


def _step(length: float, usual: float) -> float:
    """Return how long slots are that fill so many seconds."""
    return max(usual, _SHORTEST, length / _MOST_ADDED)
