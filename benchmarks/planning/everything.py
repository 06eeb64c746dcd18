"""Small random problems, solved by trying everything: what the planner has to equal.

Slots are of several lengths, weights often the same. All times are whole units, so that an
optimal plan is among those that switch with the units (see `planning/run_time.py`).
"""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Final

import numpy as np

from custom_components.carbon_meter.carbon.flow.amounts import FloatArray
from custom_components.carbon_meter.planning.block import Profile, plan_block
from custom_components.carbon_meter.planning.charging import (
    Charger,
    Connection,
    Need,
    plan_charging,
)
from custom_components.carbon_meter.planning.cheapest import plan_cheapest
from custom_components.carbon_meter.planning.objective import Objective
from custom_components.carbon_meter.planning.run_time import Rules, plan_run_time
from custom_components.carbon_meter.planning.signal import Signal
from custom_components.carbon_meter.planning.slots import Slots
from custom_components.carbon_meter.planning.window import Window

START: Final = 1_793_750_400.0
_CARBON: Final = Objective.carbon()
_MINUTE: Final = 60.0

type Answer = tuple[float, float, float]
"""What the planner's plan emits, what the best of everything tried does, and a peer's choice."""


def small_problems(count: int) -> Iterator[Answer]:
    """Yield the answers to so many problems, of each kind in turn."""
    rng = np.random.default_rng(2026)
    kinds: tuple[Callable[[np.random.Generator], Answer], ...] = (_block, _cheapest, _runs, _car)
    for number in range(count):
        yield kinds[number % len(kinds)](rng)


def _signal(rng: np.random.Generator, lengths: list[int], most: int) -> Signal:
    count = int(rng.integers(2, most))
    edges = START + np.concatenate([[0], np.cumsum(rng.choice(lengths, count))])
    few = rng.random() < 0.5
    carbon = rng.integers(1, 9, count) * 50.0 if few else rng.uniform(10, 700, count)
    return Signal.of(Slots.at(edges), carbon)


def _minutes(signal: Signal) -> FloatArray:
    """Return the intensity of each minute."""
    return np.repeat(signal.carbon, (signal.slots.seconds / _MINUTE).astype(np.int64))


def _block(rng: np.random.Generator) -> Answer:
    """Return the answers for a run with a profile; the peer starts with slots only."""
    signal = _signal(rng, [300, 900, 1800, 3600], 8)
    minutes = _minutes(signal)
    powers = rng.choice([0.0, 150.0, 700.0, 2000.0], int(rng.integers(1, 5)))
    powers[0] = 1000.0
    step = int(rng.integers(1, max(2, len(minutes) // len(powers))))
    course = np.repeat(powers, step)[: len(minutes)]
    profile = Profile.of(course, _MINUTE)
    window = Window(start=START, end=signal.slots.end)
    plan = plan_block(signal, _CARBON, profile, window)
    emitted = np.correlate(minutes, course) / 60_000.0
    starts = ((signal.slots.starts - START) / _MINUTE).astype(np.int64)
    return plan.value, float(emitted.min()), float(emitted[starts[starts < len(emitted)]].min())


def _cheapest(rng: np.random.Generator) -> Answer:
    """Return the answers for a run time; the peer rounds up to whole slots."""
    signal = _signal(rng, [300, 900, 1800, 3600], 10)
    minutes = _minutes(signal)
    count = int(rng.integers(1, len(minutes) + 1))
    window = Window(start=START, end=signal.slots.end)
    plan = plan_cheapest(signal, _CARBON, window, power=1000.0, run_time=count * _MINUTE)
    tried = float(np.sort(minutes)[:count].sum()) / 60.0
    order = np.argsort(signal.carbon)
    whole = np.cumsum(signal.slots.seconds[order])
    used = order[: int(np.searchsorted(whole, count * _MINUTE - 1e-6)) + 1]
    return plan.value, tried, float(signal.carbon[used] @ signal.slots.hours[used])


def _runs(rng: np.random.Generator) -> Answer:
    """Return the answers for runs with rules; the peer takes one run."""
    signal = _signal(rng, [900, 1800], 6)
    cells = np.repeat(signal.carbon, (signal.slots.seconds / 900).astype(np.int64))
    ran = int(rng.integers(1, len(cells) + 1))
    least, pause = int(rng.integers(1, ran + 1)), int(rng.integers(1, 3))
    most, per_start = int(rng.integers(1, 4)), float(rng.choice([0.0, 5.0]))
    plan = plan_run_time(
        signal,
        _CARBON,
        Window(start=START, end=signal.slots.end),
        Rules(
            least_run=900.0 * least,
            least_pause=900.0 * pause,
            most_starts=most,
            per_start=per_start,
        ),
        power=1000.0,
        run_time=900.0 * ran,
    )
    best = one_run = np.inf
    for bits in product((0, 1), repeat=len(cells)):
        if sum(bits) != ran:
            continue
        edges = np.flatnonzero(np.diff([0, *bits, 0]))
        lengths, pauses = edges[1::2] - edges[::2], edges[2::2] - edges[1:-1:2]
        if lengths.min() < least or (pauses < pause).any() or len(lengths) > most:
            continue
        value = float(cells @ bits) / 4.0 + per_start * len(lengths)
        best = min(best, value)
        one_run = min(one_run, value) if len(lengths) == 1 else one_run
    return plan.value, best, one_run


def _car(rng: np.random.Generator) -> Answer:
    """Return the answers for two deadlines; the peer charges at once."""
    count, most = int(rng.integers(2, 6)), int(rng.integers(1, 4))
    carbon = rng.integers(1, 9, count) * 40.0
    signal = Signal.of(Slots.of(START, START + 3600 * count, 3600), carbon)
    first = int(rng.integers(1, count + 1))
    must = int(rng.integers(0, first * most + 1))
    total = must + int(rng.integers(0 if must else 1, count * most - must + 1 if must else 2))
    plan = plan_charging(
        signal,
        _CARBON,
        Connection(start=START, charger=Charger(least=300.0, most=1000.0 * most)),
        [
            Need(energy=1000.0 * must, deadline=START + 3600.0 * first),
            Need(energy=1000.0 * (total - must), deadline=signal.slots.end),
        ],
    )
    best = min(
        float(np.dot(each, carbon))
        for each in product(range(most + 1), repeat=count)
        if sum(each) == total and sum(each[:first]) >= must
    )
    return plan.value, best, plan.baseline.value
