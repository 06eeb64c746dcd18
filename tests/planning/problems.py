"""Small planning problems, and their answers by trying everything."""

from collections.abc import Iterator, Sequence
from itertools import pairwise, product

import numpy as np

from custom_components.carbon_meter.planning.plan import Piece, Plan
from custom_components.carbon_meter.planning.signal import Signal
from custom_components.carbon_meter.planning.slots import Slots

START = 1_793_750_400.0
"""A full hour of 2026, seconds since 1970 UTC."""

HOUR = 3600.0


def slots_of(lengths: Sequence[float], start: float = START) -> Slots:
    """Return slots of so many seconds each."""
    return Slots.at(start + np.concatenate([[0.0], np.cumsum(lengths)]))


def hourly(carbon: Sequence[float | None], **others: Sequence[float | None]) -> Signal:
    """Return the signal of so many hours."""
    return Signal.of(slots_of([HOUR] * len(carbon)), carbon, **others)


def random_signal(
    rng: np.random.Generator, count: int, *, lengths: Sequence[int] = (300, 900, 1800, 3600)
) -> Signal:
    """Return slots of several lengths with numbers, many of them the same."""
    slots = slots_of(rng.choice(lengths, count))
    carbon = rng.integers(0, 8, count) * 50.0 if rng.random() < 0.5 else rng.uniform(0, 600, count)
    price = rng.integers(-3, 8, count) * 0.05
    return Signal.of(slots, carbon, price=price)


def grams(signal: Signal, pieces: Sequence[Piece]) -> float:
    """Return the carbon of pieces, worked out slot by slot."""
    total = 0.0
    rows = zip(signal.slots.starts, signal.slots.ends, signal.carbon, strict=True)
    for start, end, carbon in rows:
        for piece in pieces:
            common = min(end, piece.end) - max(start, piece.start)
            if common > 0:
                total += piece.power * common / 3600.0 * carbon / 1000.0
    return total


def stretches(bits: Sequence[int]) -> list[tuple[int, int]]:
    """Return where a row of bits is set."""
    padded = [0, *bits, 0]
    edges = [place for place in range(len(bits) + 1) if padded[place] != padded[place + 1]]
    return list(zip(edges[::2], edges[1::2], strict=True))


def all_runs(count: int, ran: int) -> Iterator[list[tuple[int, int]]]:
    """Yield all ways to run in so many of so many cells."""
    for bits in product((0, 1), repeat=count):
        if sum(bits) == ran:
            yield stretches(bits)


def check_plan(plan: Plan, energy: float, start: float, end: float) -> None:
    """Check what holds for every plan that meets its wishes."""
    assert np.isclose(plan.energy, energy, rtol=1e-9)
    assert np.isclose(plan.baseline.energy, energy, rtol=1e-9)
    assert np.isclose((plan.power * plan.slots.hours).sum(), energy, rtol=1e-9)
    for before, after in pairwise(plan.pieces):
        assert before.end <= after.start
    assert all(piece.start >= start - 1e-6 and piece.end <= end + 1e-6 for piece in plan.pieces)
    assert plan.lower_bound <= plan.value + 1e-9 * abs(plan.value)
    assert not plan.relaxed
