"""What a meter counted before the site began, by the hour, out of the recorder's statistics."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
import math
from typing import Any, Final, Self

from homeassistant.components.recorder.models import StatisticMetaData
from homeassistant.components.recorder.statistics import (
    StatisticsRow,
    get_metadata,
    statistics_during_period,
)
from homeassistant.const import UnitOfEnergy, UnitOfPower, UnitOfVolume
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
import numpy as np
from numpy.typing import NDArray

from .adoption.sources import INTEGRATED, EntitySource, is_integrated, resolve
from .carbon.flow.amounts import FloatArray
from .carbon.intervals import HOUR
from .figure_series import moment
from .metering.quantities import QUANTITIES

_UNITS: Final = {
    "energy": UnitOfEnergy.WATT_HOUR.value,
    "volume": UnitOfVolume.LITERS.value,
    "power": UnitOfPower.WATT.value,
}
"""In which units statistics are asked for, by what they measure."""

_IMPORTED: Final = frozenset({INTEGRATED[0], "volume"})
_COUNTED: Final = _IMPORTED | {INTEGRATED[1]}

_LIMITS: Final = {"energy": QUANTITIES["power"].limit, "power": QUANTITIES["power"].limit}
"""Wh of an hour, or W, that no meter lets through, by what a statistic measures."""

_LOOK_BACK: Final = 31 * 24 * HOUR
"""Seconds before the first hour in which the row before it is looked for."""

_BEGINNING: Final = 10.0
"""A statistic's first row is the energy of its hour up to so many times the largest other one:
many begin with what a counter had come to."""


@dataclass(frozen=True, kw_only=True)
class PastSource:
    """One statistic and what it tells of a meter, as an `EntitySource` does of an entity."""

    statistic: str
    quantity: str
    """energy_import, energy_export, volume or power."""

    sign: int = 1
    net: bool = False

    def as_list(self) -> list[Any]:
        """Return what is kept of it."""
        return [self.statistic, self.quantity, self.sign, self.net]

    @classmethod
    def from_list(cls, kept: Sequence[Any]) -> Self:
        """Return the source as it was kept."""
        statistic, quantity, sign, net = kept
        return cls(statistic=statistic, quantity=quantity, sign=sign, net=net)


@dataclass(frozen=True, kw_only=True)
class PastEnergy:
    """Hours of one meter, in order; energies are in Wh, volumes in L, never below 0."""

    hours: NDArray[np.int64]
    """[T] starts, seconds since 1970 UTC."""

    imported: FloatArray
    exported: FloatArray
    spread: NDArray[np.bool_]
    """[T] whether the statistics tell only the sum of several hours, spread evenly over them."""

    left_out: Mapping[str, int] = field(default_factory=dict)
    """Number of hours by why a part of them is no energy."""


@dataclass(frozen=True, kw_only=True)
class _Track:
    """One statistic by the hour: [T] each, NaN where nothing can be taken."""

    values: FloatArray
    spread: NDArray[np.bool_]
    reasons: Mapping[int, str]
    """Why an hour has nothing, by its place."""


def past_sources(hass: HomeAssistant, sources: Sequence[EntitySource]) -> tuple[PastSource, ...]:
    """Return the statistics of an adopted meter: of its counters, else of its power.

    A quantity has none where an entity of it was removed: the others would be a wrong number.
    """
    wanted = {"power"} if is_integrated(sources) else _COUNTED
    statistics = {source.entity: resolve(hass, source.entity) for source in sources}
    gone = {source.quantity for source in sources if statistics[source.entity] is None}
    return tuple(
        PastSource(statistic=statistic, quantity=source.quantity, sign=source.sign, net=source.net)
        for source in sources
        if source.quantity in wanted - gone and (statistic := statistics[source.entity]) is not None
    )


async def async_past_energy(
    hass: HomeAssistant, sources: Sequence[PastSource], start: int, end: int, *, inverted: bool
) -> PastEnergy:
    """Return what a meter counted in the hours of [start, end), both full hours.

    Of a quantity with several sources all must be known. `inverted` swaps import and export.
    """
    return await get_instance(hass).async_add_executor_job(
        _read, hass, tuple(sources), start, end, inverted
    )


def _read(
    hass: HomeAssistant, sources: Sequence[PastSource], start: int, end: int, inverted: bool
) -> PastEnergy:
    """Read and add up; runs in the recorder's executor."""
    count = max((end - start) // HOUR, 0)
    ways: dict[str, list[FloatArray]] = {"import": [], "export": []}
    spread = np.zeros(count, dtype=np.bool_)
    reasons: dict[int, str] = {}
    by_quantity: dict[str, list[PastSource]] = {}
    for source in sources:
        by_quantity.setdefault(source.quantity, []).append(source)
    known = np.zeros(count, dtype=np.bool_)
    for quantity, of_quantity in by_quantity.items():
        tracks = [_track(hass, source, start, count) for source in of_quantity]
        forwards, backwards = _directions(quantity, of_quantity, tracks)
        complete = np.isfinite(forwards)
        known |= complete
        for track in tracks:
            spread |= track.spread & complete
            reasons |= track.reasons
        if len(tracks) > 1:
            reasons |= _incomplete(tracks, complete, reasons)
        ways["import"].append(np.nan_to_num(forwards))
        ways["export"].append(np.nan_to_num(backwards))
    imported, exported = (sum(ways[way], np.zeros(count)) for way in ("import", "export"))
    if inverted:
        imported, exported = exported, imported
    return PastEnergy(
        hours=start + HOUR * np.flatnonzero(known),
        imported=imported[known],
        exported=exported[known],
        spread=spread[known],
        left_out=dict(Counter(reasons.values())),
    )


def _directions(
    quantity: str, sources: Sequence[PastSource], tracks: Sequence[_Track]
) -> tuple[FloatArray, FloatArray]:
    """Return what flowed towards the site and away from it, NaN where a source is not known."""
    zero = np.zeros_like(tracks[0].values)
    if quantity == "power":
        total = sum((one.sign * t.values for one, t in zip(sources, tracks, strict=True)), zero)
        return np.maximum(total, 0.0), np.maximum(-total, 0.0)
    forwards, backwards = zero, zero
    for source, track in zip(sources, tracks, strict=True):
        forwards = forwards + (np.maximum(track.values, 0.0) if source.net else track.values)
        if source.net:
            backwards = backwards + np.maximum(-track.values, 0.0)
    return (
        (forwards, backwards) if quantity in _IMPORTED else (backwards + 0.0 * forwards, forwards)
    )


def _incomplete(
    tracks: Sequence[_Track], complete: NDArray[np.bool_], told: Mapping[int, str]
) -> dict[int, str]:
    """Return the hours that one source knows and another does not."""
    some = np.any([np.isfinite(track.values) for track in tracks], axis=0)
    return {
        place: "incomplete"
        for place in np.flatnonzero(some & ~complete).tolist()
        if place not in told
    }


def _track(hass: HomeAssistant, source: PastSource, start: int, count: int) -> _Track:
    """Return what one statistic says of `count` hours; nothing where it is none of the kind."""
    values, spread = np.full(count, np.nan), np.zeros(count, dtype=np.bool_)
    reasons: dict[int, str] = {}
    kind = kind_of(hass, source.statistic)
    if kind is None or (kind == "power") != (source.quantity == "power"):
        return _Track(values=values, spread=spread, reasons=reasons)
    last: int | None = None
    for hour, length, value, why in _amounts(hass, source, kind, start, start + count * HOUR):
        first = max((hour - start) // HOUR - length + 1, 0)
        stop = (hour - start) // HOUR + 1
        if last is not None and kind == "power":
            reasons |= dict.fromkeys(range(last, first), "unknown")
        if stop <= 0:
            continue
        last = stop
        if why:
            reasons |= dict.fromkeys(range(first, stop), why)
            continue
        values[first:stop] = value / length
        spread[first:stop] = length > 1
    return _Track(values=values, spread=spread, reasons=reasons)


def _amounts(
    hass: HomeAssistant, source: PastSource, kind: str, start: int, end: int
) -> Iterable[tuple[int, int, float, str]]:
    """Yield the rows of a statistic: the last hour, how many hours, the amount, why it is none."""
    found = statistics_during_period(
        hass,
        moment(start - _LOOK_BACK),
        moment(end),
        {source.statistic},
        "hour",
        dict(_UNITS),
        {"mean"} if kind == "power" else {"change", "sum"},
    )
    rows = found.get(source.statistic, [])
    limit = _LIMITS.get(kind, math.inf)
    largest = max((abs(row.get("change") or 0.0) for row in rows[1:]), default=math.inf)
    before: int | None = None
    for row in rows:
        hour = int(row["start"])
        length = 1 if before is None or kind == "power" else (hour - before) // HOUR
        value = row.get("mean") if kind == "power" else row.get("change")
        if value is None or not math.isfinite(value):
            if kind == "power":
                yield hour, 1, 0.0, "unknown"
            # The next sum holds what flowed in this hour.
            continue
        yield hour, length, value, _objection(row, source, value, length, limit, largest, before)
        before = hour


def _objection(  # noqa: PLR0913, PLR0917  # what a row is judged by
    row: StatisticsRow,
    source: PastSource,
    value: float,
    length: int,
    limit: float,
    largest: float,
    before: int | None,
) -> str:
    """Return why a row is no energy, empty where it is."""
    if value < 0.0 and source.quantity != "power" and not source.net:
        return "backwards"
    if abs(value) > limit * length:
        return "impossible"
    begins = before is None and value == row.get("sum")
    return "beginning" if begins and abs(value) > _BEGINNING * largest else ""


def kind_of(hass: HomeAssistant, statistic: str) -> str | None:
    """Return what a statistic measures: energy, volume or power; None for anything else.

    Reads the recorder's database: call it in its executor.
    """
    found = get_metadata(hass, statistic_ids={statistic})
    metadata: StatisticMetaData | None = found[statistic][1] if statistic in found else None
    if metadata is None or metadata["unit_class"] not in _UNITS:
        return None
    kind = str(metadata["unit_class"])
    return kind if metadata["has_sum"] or kind == "power" else None
