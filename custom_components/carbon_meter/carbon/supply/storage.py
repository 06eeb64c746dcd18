"""Batteries through many intervals, one after the other: what they take decides what they give."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..flow.amounts import FloatArray, ImpossibleAmountError, amount, amounts
from ..grade import BEST_FIRST, Grade
from .battery import Battery, Drawn, Portion

GRADES: Final = BEST_FIRST
"""The order of the last axis wherever energy is divided by grade."""


@dataclass(frozen=True, kw_only=True)
class StorageUse:
    """What the meters of B batteries counted in T intervals, and with what they were charged."""

    starts: FloatArray
    """[T] seconds since 1970 UTC."""

    seconds: float
    """The length of each interval."""

    charge: FloatArray
    """[T, B] Wh."""

    discharge: FloatArray
    """[T, B] Wh."""

    mix: FloatArray
    """[T, B, S]: the part of each source in what charges each battery, 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Supplied:
    """The S sources of T intervals; what belongs to batteries is filled in as they are run."""

    intensity: FloatArray
    """[T, S] gCO2eq/kWh."""

    quality: FloatArray
    """[T, S, grade]: the part of the source's energy that is known so well, 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class StorageRun:
    """What happened to the batteries in each interval."""

    unbacked: FloatArray
    """[T, B] Wh that came out without the ledger having seen them go in."""

    written_off: FloatArray
    """[T, B] grams whose energy had faded away."""


def quality_of(grades: Grade | Sequence[Grade], length: int) -> FloatArray:
    """Return [T, grade]: all energy of an interval in the one grade it has.

    Raises ImpossibleAmountError where there are not as many grades as intervals.
    """
    listed = [grades] * length if isinstance(grades, Grade) else list(grades)
    if len(listed) != length:
        raise ImpossibleAmountError("grade", f"expected {length} grades, not {len(listed)}")
    places = [GRADES.index(Grade(grade)) for grade in listed]
    return np.eye(len(GRADES))[places] if places else np.zeros((0, len(GRADES)))


def estimated_at_best(quality: FloatArray) -> FloatArray:
    """Return how well something is known that is only taken to be like what is known so well."""
    guessed = quality.copy()
    guessed[..., GRADES.index(Grade.ESTIMATED)] += guessed[..., GRADES.index(Grade.MEASURED)]
    guessed[..., GRADES.index(Grade.MEASURED)] = 0.0
    return guessed


def run_storage(
    batteries: Sequence[Battery],
    use: StorageUse,
    supplied: Supplied,
    *,
    places: Sequence[int],
    fallback: int,
) -> StorageRun:
    """Run batteries through intervals in order, and fill in what they supply.

    In each interval a battery first fades, then gives what it gave, then takes what it took:
    what passes through it within one interval has not been inside. `places` says at which
    source each battery stands (several may share one), `fallback` which source stands in for
    a content that nobody saw.

    The columns of the batteries in `supplied` are overwritten. Raises ImpossibleAmountError.
    """
    amounts("charge", use.charge)
    amounts("discharge", use.discharge)
    amount("seconds", use.seconds)
    stand_in_grade = np.argmax(estimated_at_best(supplied.quality[:, fallback]), axis=-1)
    run = StorageRun(unbacked=np.zeros_like(use.discharge), written_off=np.zeros_like(use.charge))
    for step in range(len(use.charge)):
        stand_in = float(supplied.intensity[step, fallback])
        grade = GRADES[int(stand_in_grade[step])]
        drawn: dict[int, list[Drawn]] = {}
        for number, battery in enumerate(batteries):
            if battery.standby:
                run.written_off[step, number] = battery.idle(use.seconds)
            given = float(use.discharge[step, number])
            if given > 0.0:
                output = battery.discharge(given, fallback=stand_in, grade=grade)
                run.unbacked[step, number] = output.unbacked
                drawn.setdefault(places[number], []).append(output)
        for place, outputs in drawn.items():
            _supply(supplied, step, place, outputs)
        for number, battery in enumerate(batteries):
            taken = float(use.charge[step, number])
            if taken > 0.0:
                mix = use.mix[step, number]
                battery.charge(_portions(taken, mix, supplied, step, float(use.starts[step])))
    return run


def _supply(supplied: Supplied, step: int, place: int, outputs: Sequence[Drawn]) -> None:
    """Fill in what batteries at one place supply in an interval."""
    energy = sum(output.energy for output in outputs)
    supplied.intensity[step, place] = sum(output.carbon for output in outputs) / energy * 1000.0
    by_grade = np.zeros(len(GRADES))
    for output in outputs:
        for part in output.parts:
            by_grade[GRADES.index(part.grade)] += part.energy
    supplied.quality[step, place] = by_grade / by_grade.sum()


def _portions(
    energy: float, mix: FloatArray, supplied: Supplied, step: int, since: float
) -> list[Portion]:
    """Return what charges a battery in an interval, by grade."""
    by_grade = mix[:, np.newaxis] * supplied.quality[step] * energy
    carbon = supplied.intensity[step] @ by_grade / 1000.0
    return [
        Portion(energy=wh, carbon=g, grade=grade, since=since)
        for grade, wh, g in zip(GRADES, by_grade.sum(axis=0).tolist(), carbon.tolist(), strict=True)
        if wh > 0.0
    ]
