"""What fed a site in each interval, with the carbon of each part: the supply mix at one node."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..flow.amounts import (
    FloatArray,
    ImpossibleAmountError,
    amount,
    amounts,
    grams,
    intensity_of,
    per_interval,
)
from ..grade import Grade
from .allocation import Allocation, NodeEnergy, Sink, Source, allocate
from .battery import Battery
from .storage import GRADES, StorageUse, Supplied, estimated_at_best, quality_of, run_storage


@dataclass(frozen=True, kw_only=True)
class SupplyIntensity:
    """What the site's supply emits, in gCO2eq/kWh: one number or one for each interval."""

    grid: float | FloatArray
    solar: float | FloatArray
    """0 with direct factors; with those of the life cycle what making the panels emits."""

    grid_grade: Grade | Sequence[Grade] = Grade.MEASURED
    solar_grade: Grade = Grade.YEARLY


class SupplyMix:
    """The supply of one node: a connection to the grid, solar, batteries, a home.

    `batteries` are ledgers that are carried on; they are charged with the mix of their
    interval, losses included.
    """

    def __init__(self, batteries: Sequence[Battery] = (), *, how: Allocation) -> None:
        """Take the ledgers, and how sources are matched with sinks."""
        self.batteries = tuple(batteries)
        self.how = how

    def weigh(
        self,
        energy: NodeEnergy,
        intensity: SupplyIntensity,
        *,
        starts: object,
        seconds: float,
    ) -> WeighedSupply:
        """Weigh consecutive intervals and carry the batteries on through them.

        The figures of `energy` are in Wh, [T] or one number for all intervals; with several
        batteries `charge` and `discharge` are [T, B]. `starts` are the beginnings of the T
        intervals in seconds since 1970 UTC, each `seconds` long.

        Energy that leaves without having come in (source UNMETERED) has the intensity of the
        grid, and is graded as estimated at best; so has what a battery gives beyond what its
        ledger has seen. Neither is taken for clean.

        Raises ImpossibleAmountError before any battery is changed.
        """
        begin = amounts("starts", starts, signed=True).reshape(-1)
        length, count = len(begin), len(self.batteries)
        amount("seconds", seconds)
        charge = _by_battery("charge", energy.charge, length, count)
        discharge = _by_battery("discharge", energy.discharge, length, count)
        matched = allocate(
            replace(energy, charge=charge.sum(axis=-1), discharge=discharge.sum(axis=-1)),
            self.how,
        )
        flows = _broadcast("energy", matched, (length, len(Source), len(Sink)))
        supplied = _supplied(intensity, length)
        charging = flows[..., Sink.CHARGE]
        total = charging.sum(axis=-1, keepdims=True)
        mix = np.divide(charging, total, out=np.zeros_like(charging), where=total > 0.0)
        run = run_storage(
            self.batteries,
            StorageUse(
                starts=begin,
                seconds=seconds,
                charge=charge,
                discharge=discharge,
                mix=np.repeat(mix[:, np.newaxis, :], count, axis=1),
            ),
            supplied,
            places=[Source.BATTERY] * count,
            fallback=Source.GRID,
        )
        return WeighedSupply(
            energy=flows,
            intensity=supplied.intensity,
            quality=supplied.quality,
            unbacked=run.unbacked.sum(axis=-1),
            written_off=run.written_off.sum(axis=-1),
        )


@dataclass(frozen=True, kw_only=True)
class WeighedSupply:
    """T intervals of a supply. Grams in are grams out: see `carbon`."""

    energy: FloatArray
    """[T, Source, Sink] Wh."""

    intensity: FloatArray
    """[T, Source] gCO2eq/kWh."""

    quality: FloatArray
    """[T, Source, grade]: the part of each source's energy that is known so well."""

    unbacked: FloatArray
    """[T] Wh that batteries gave without having been seen to take them."""

    written_off: FloatArray
    """[T] grams of energy that faded away inside batteries: the site's own consumption."""

    @property
    def carbon(self) -> FloatArray:
        """Return [T, Source, Sink] grams; CHARGE is what batteries carry over, not emissions."""
        return grams(self.energy, self.intensity[..., np.newaxis])

    def to(self, sink: Sink) -> FloatArray:
        """Return [T] grams that went to a sink, never negative."""
        carbon: FloatArray = self.carbon[..., sink].sum(axis=-1)
        return carbon

    def mix_of(self, sink: Sink) -> FloatArray:
        """Return [T] gCO2eq/kWh of what went to a sink, NaN where nothing did."""
        return intensity_of(self.to(sink), self.energy[..., sink].sum(axis=-1))

    def shares_of(self, sink: Sink) -> FloatArray:
        """Return [T, Source], the part of each source in what went to a sink; 0 without energy."""
        energy = self.energy[..., sink]
        total = energy.sum(axis=-1, keepdims=True)
        shares: FloatArray = np.divide(energy, total, out=np.zeros_like(energy), where=total > 0.0)
        return shares

    def by_grade(self, sink: Sink) -> dict[Grade, FloatArray]:
        """Return [T] Wh that went to a sink by how well their intensity is known."""
        energy = self.energy[..., sink][..., np.newaxis] * self.quality
        return {grade: energy[..., index].sum(axis=-1) for index, grade in enumerate(GRADES)}

    @property
    def residual(self) -> FloatArray:
        """Return [T] Wh by which the meters disagree: came in less went out."""
        unaccounted = self.energy[..., Sink.UNMETERED].sum(axis=-1)
        residual: FloatArray = unaccounted - self.energy[:, Source.UNMETERED, :].sum(axis=-1)
        return residual


def _supplied(intensity: SupplyIntensity, length: int) -> Supplied:
    """Return the sources as they are before the batteries are run."""
    supplied = Supplied(
        intensity=np.zeros((length, len(Source))),
        quality=np.zeros((length, len(Source), len(GRADES))),
    )
    grid = per_interval("grid intensity", intensity.grid, length)
    solar = per_interval("solar intensity", intensity.solar, length)
    known = quality_of(intensity.grid_grade, length)
    supplied.intensity[:, Source.GRID] = supplied.intensity[:, Source.UNMETERED] = grid
    supplied.intensity[:, Source.SOLAR] = solar
    supplied.quality[:, Source.GRID] = known
    supplied.quality[:, Source.SOLAR] = quality_of(intensity.solar_grade, length)
    supplied.quality[:, Source.UNMETERED] = estimated_at_best(known)
    return supplied


def _by_battery(name: str, values: object, length: int, count: int) -> FloatArray:
    """Return what each battery took or gave, [T, B]."""
    array = amounts(name, values)
    if count == 0:
        if array.any():
            raise ImpossibleAmountError(name, "there is no battery to charge or discharge")
        return np.zeros((length, 0))
    if array.ndim < 2:
        if count > 1:
            raise ImpossibleAmountError(name, f"expected figures for each of {count} batteries")
        array = array[..., np.newaxis]
    return _broadcast(name, array, (length, count))


def _broadcast(name: str, array: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Return an array in the shape that is needed."""
    try:
        return np.broadcast_to(array, shape)
    except ValueError as err:
        raise ImpossibleAmountError(name, f"{array.shape} does not fit {shape}") from err
