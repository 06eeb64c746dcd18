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
    run = StorageRun(unbacked=np.zeros_like(use.discharge), written_off=np.zeros_like(use.charge))
    steps = np.flatnonzero(use.charge.any(axis=-1) | use.discharge.any(axis=-1)).tolist()
    if any(battery.standby for battery in batteries):
        steps = list(range(len(use.charge)))
    stand_in = supplied.intensity[:, fallback].tolist()
    stand_in_grade = np.argmax(estimated_at_best(supplied.quality[:, fallback]), axis=-1).tolist()
    charging = _Charging(use, supplied, sorted(set(places)))
    discharge = use.discharge.tolist()
    for step in steps:
        drawn: dict[int, list[Drawn]] = {}
        for number, battery in enumerate(batteries):
            if battery.standby:
                run.written_off[step, number] = battery.idle(use.seconds)
            if (given := discharge[step][number]) > 0.0:
                output = battery.discharge(
                    given, fallback=stand_in[step], grade=GRADES[stand_in_grade[step]]
                )
                run.unbacked[step, number] = output.unbacked
                drawn.setdefault(places[number], []).append(output)
        for place, outputs in drawn.items():
            _supply(supplied, step, place, outputs)
        for number, battery in enumerate(batteries):
            if portions := charging.portions(step, number):
                battery.charge(portions)
    return run


class _Charging:
    """What charges batteries, by grade: worked out at once for all sources but batteries."""

    def __init__(self, use: StorageUse, supplied: Supplied, places: Sequence[int]) -> None:
        """Take the places of batteries, of which only the run itself tells what they give."""
        self._use, self._supplied = use, supplied
        others = np.ones(supplied.intensity.shape[-1], dtype=np.bool_)
        others[list(places)] = False
        mix, quality = use.mix[..., others], supplied.quality[:, others]
        energy = np.einsum("tbs,tsg->tbg", mix, quality) * use.charge[..., np.newaxis]
        carbon = np.einsum("tbs,ts,tsg->tbg", mix, supplied.intensity[:, others], quality)
        self._energy = energy.tolist()
        self._carbon = (carbon * use.charge[..., np.newaxis] / 1000.0).tolist()
        self._charge = use.charge.tolist()
        self._starts = use.starts.tolist()
        self._from_batteries = use.mix[..., ~others].sum(axis=-1).tolist()

    def portions(self, step: int, number: int) -> list[Portion]:
        """Return what charges a battery in an interval."""
        charge = self._charge[step][number]
        if charge <= 0.0:
            return []
        since = self._starts[step]
        if self._from_batteries[step][number] > 0.0:
            return _portions(charge, self._use.mix[step, number], self._supplied, step, since)
        return [
            Portion(energy=wh, carbon=g, grade=grade, since=since)
            for grade, wh, g in zip(
                GRADES, self._energy[step][number], self._carbon[step][number], strict=True
            )
            if wh > 0.0
        ]


def _supply(supplied: Supplied, step: int, place: int, outputs: Sequence[Drawn]) -> None:
    """Fill in what batteries at one place supply in an interval."""
    energy = sum(output.energy for output in outputs)
    supplied.intensity[step, place] = sum(output.carbon for output in outputs) / energy * 1000.0
    by_grade = dict.fromkeys(GRADES, 0.0)
    for output in outputs:
        for part in output.parts:
            by_grade[part.grade] += part.energy
    total = sum(by_grade.values())
    supplied.quality[step, place] = [part / total for part in by_grade.values()]


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
