"""Straightforward planners: what is written when nothing is known of the problem."""

import numpy as np

from custom_components.carbon_meter.planning.block import Profile
from custom_components.carbon_meter.planning.programme import Programme
from custom_components.carbon_meter.planning.signal import Signal


def slot_starts(signal: Signal, profile: Profile) -> float:
    """Return the least grams of a run that starts with a slot, slot by slot in Python."""
    starts, ends = signal.slots.starts.tolist(), signal.slots.ends.tolist()
    carbon, powers = signal.carbon.tolist(), profile.powers.tolist()
    best = float("inf")
    for start in starts:
        if start + profile.duration > ends[-1]:
            break
        total = 0.0
        for number, power in enumerate(powers):
            begin = start + number * profile.step
            end = begin + profile.step
            for one, other, weight in zip(starts, ends, carbon, strict=True):
                common = min(other, end) - max(one, begin)
                if common > 0:
                    total += power * common / 3600.0 * weight / 1000.0
        best = min(best, total)
    return best


def programme_of_runs(signal: Signal, *, power: float, ran: int, least: int, pause: int) -> float:
    """Return the least grams of runs in slots of one length, as a mixed integer programme."""
    count = len(signal.slots)
    weights = signal.carbon * signal.slots.hours * power / 1e6
    model = Programme()
    on = model.columns(weights, upper=np.ones(count), whole=True)
    starts = model.columns(np.zeros(count), upper=np.ones(count), whole=True)
    model.row(list(on), [1.0] * count, lower=ran, upper=ran)
    for slot in range(count):
        if slot:
            before = [starts[slot], on[slot], on[slot - 1]]
            model.row(before, [1.0, -1.0, 1.0], lower=0.0, upper=2.0)
        else:
            model.row([starts[0], on[0]], [1.0, -1.0], lower=0.0, upper=1.0)
        for later in range(slot, min(count, slot + least)):
            model.row([on[later], starts[slot]], [1.0, -1.0], lower=0.0, upper=1.0)
        if slot + least > count:
            model.upper[starts[slot]] = 0.0
        for later in range(slot + 1, min(count, slot + pause + 1)):
            model.row([on[slot], starts[later]], [1.0, 1.0], lower=0.0, upper=1.0)
    solution = model.solved(seconds=60.0, gap=0.0)
    assert solution is not None
    return solution.value * 1000.0


def programme_of_charging(
    signal: Signal, *, most: float, must: float, by: int, total: float
) -> float:
    """Return the least grams of energy by two deadlines, as a linear programme."""
    count = len(signal.slots)
    model = Programme()
    energy = model.columns(signal.carbon / 1000.0, upper=most * signal.slots.hours)
    model.row(list(energy[:by]), [1.0] * by, lower=must, upper=float("inf"))
    model.row(list(energy), [1.0] * count, lower=total, upper=total)
    solution = model.solved(seconds=60.0, gap=0.0)
    assert solution is not None
    return solution.value
