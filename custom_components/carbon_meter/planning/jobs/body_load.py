"""The thermal load of a body over the slots of a plan: its limits, its draws, its weekly heat."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...carbon.flow.amounts import FloatArray
from ..heat_pump import HeatSource
from ..slots import Slots
from ..thermal import Body, ThermalLoad
from .hygiene import AHEAD


def thermal_load(  # noqa: PLR0913  # what a body and its surroundings are
    slots: Slots,
    *,
    body: Body,
    source: HeatSource,
    power: float,
    start: float,
    low: FloatArray,
    high: FloatArray,
    surroundings: FloatArray,
    outside: FloatArray,
    gains: FloatArray,
    stages: tuple[float, ...] = (),
    end: float | None = None,
    running: bool = False,
) -> ThermalLoad:
    """Return a load whose limits leave out what nothing can be done about.

    What heats cannot help that a body is too warm by itself, after a sunny day or a weekly heat,
    and what cools not that it is too cold: there the limit is the course of a body that is left
    alone.
    """
    alone = left_alone(slots, body=body, start=start, surroundings=surroundings, gains=gains)
    if source.cools:
        low = np.minimum(low, alone)
    else:
        high = np.maximum(high, alone)
    return ThermalLoad(
        body=body,
        source=source,
        power=power,
        stages=stages,
        start=start,
        low=low,
        high=high,
        surroundings=surroundings,
        outside=outside,
        gains=gains,
        end=end,
        running=running,
    )


def left_alone(
    slots: Slots, *, body: Body, start: float, surroundings: FloatArray, gains: FloatArray
) -> FloatArray:
    """Return the temperature at the end of each slot of a body that is not heated."""
    found = np.empty(len(slots))
    level = start
    for slot, (keep, drift) in enumerate(_steps(slots, body, surroundings, gains)):
        found[slot] = level = keep * level + drift
    return found


def without_power(
    load: ThermalLoad, slots: Slots, temperatures: FloatArray, idle: NDArray[np.bool_]
) -> ThermalLoad:
    """Return a load that has no power in idle slots, as far as its near limit allows.

    In an idle slot the far limit is where the body drifts by itself, from the `temperatures` of a
    plan for the same load at the end of the slot before.
    """
    surroundings, gains = np.asarray(load.surroundings), np.asarray(load.gains)
    drifted = np.array(temperatures)
    level = load.start
    for slot, (keep, drift) in enumerate(_steps(slots, load.body, surroundings, gains)):
        level = keep * level + drift if idle[slot] else float(temperatures[slot])
        drifted[slot] = level
    if load.source.cools:
        low = np.where(idle, np.minimum(drifted, load.high), load.low)
        return replace(load, low=np.minimum(low, load.high))
    high = np.where(idle, np.maximum(drifted, load.low), load.high)
    return replace(load, high=np.maximum(high, load.low))


def _steps(
    slots: Slots, body: Body, surroundings: FloatArray, gains: FloatArray
) -> Iterator[tuple[float, float]]:
    """Yield of each slot what is kept of a temperature, and what comes to it by itself."""
    keep = body.keep(slots.hours)
    drift = (1.0 - keep) * surroundings + body.rise(slots.hours) * gains
    yield from zip(keep.tolist(), drift.tolist(), strict=True)


def with_weekly_heat(  # noqa: PLR0913  # a tank, and when it is hot
    slots: Slots,
    low: FloatArray,
    high: FloatArray,
    *,
    deadlines: Sequence[float],
    temperature: float,
    body: Body,
    source: HeatSource,
    power: float,
    surroundings: FloatArray,
    outside: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return limits with which a tank has a temperature at the end of the slot of each deadline.

    Half a day before it may be as warm as that, and a slot's heat warmer; from then on it cools.
    """
    low, high = low.copy(), high.copy()
    keep, rise = body.keep(slots.hours), body.rise(slots.hours)
    heat = source.performance(outside, np.full(len(slots), temperature)) * power
    most = temperature + rise * heat
    for deadline in deadlines:
        place = int(np.searchsorted(slots.ends, deadline - 1.0))
        if place == len(slots):
            continue
        low[place] = max(low[place], temperature)
        ahead = (slots.ends > deadline - AHEAD) & (slots.starts < deadline)
        high[ahead] = np.maximum(high[ahead], most[ahead])
        level = high[place]
        for slot in range(place + 1, len(slots)):
            level = keep[slot] * level + (1.0 - keep[slot]) * surroundings[slot]
            if level <= high[slot]:
                break
            high[slot] = level
    return low, high


def level_after(  # noqa: PLR0913  # what a body and its surroundings are
    seconds: float,
    *,
    body: Body,
    source: HeatSource,
    level: float,
    power: float,
    surroundings: float,
    outside: float,
    gains: float,
) -> float:
    """Return the temperature of a body after so many seconds with an electric power in W."""
    hours = np.array([seconds / 3600.0])
    performance = source.performance(np.array([outside]), np.array([level]))
    sign = -1.0 if source.cools else 1.0
    heat = sign * power * float(performance.reshape(-1)[0]) + gains
    keep, rise = float(body.keep(hours)[0]), float(body.rise(hours)[0])
    return keep * level + (1.0 - keep) * surroundings + rise * heat
