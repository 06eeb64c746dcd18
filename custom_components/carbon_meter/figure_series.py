"""Which figures of a site's book are series of the record: their names, units and sums."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
import math
from typing import Final

from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.const import UnitOfEnergy, UnitOfMass, UnitOfRatio, UnitOfVolume
import numpy as np

from .carbon.archive.archive import Archive
from .carbon.flow.amounts import FloatArray, intensity_of
from .carbon.intervals import HOUR, INTERVAL
from .carbon.site import figures as names
from .carbon.site.book import TIME
from .const import DOMAIN, UNIT_INTENSITY

_COVERAGE: Final = "coverage"
_INTENSITY: Final = "intensity"


@dataclass(frozen=True, kw_only=True, slots=True)
class FigureSeries:
    """A figure as a series of sums: `what` ends its id, `label` its name."""

    figure: str
    what: str
    label: str
    unit: str = UnitOfMass.KILOGRAMS
    unit_class: str = "mass"
    always: bool = False
    """Whether it is written even while it is nothing."""


def _carbon(figure: str, label: str, what: str | None = None) -> FigureSeries:
    return FigureSeries(figure=figure, what=what or figure, label=label)


def _energy(figure: str, label: str, what: str, *, always: bool = False) -> FigureSeries:
    return FigureSeries(
        figure=figure,
        what=what,
        label=label,
        unit=UnitOfEnergy.KILO_WATT_HOUR,
        unit_class="energy",
        always=always,
    )


VOLUME_SERIES: Final = (
    FigureSeries(
        figure=names.IMPORT,
        what="volume",
        label="volume",
        unit=UnitOfVolume.CUBIC_METERS,
        unit_class="volume",
        always=True,
    ),
)
IMPORT_SERIES: Final = (_energy(names.IMPORT, "imported energy", "energy_import", always=True),)
METER_SERIES: Final = (
    *IMPORT_SERIES,
    _energy(names.EXPORT, "exported energy", "energy_export", always=True),
    _carbon(names.CARBON, "carbon"),
    _carbon(names.GENERATION_CARBON, "carbon of generation"),
    _carbon(names.CHARGE_CARBON, "carbon charged"),
    _carbon(names.DISCHARGE_CARBON, "carbon discharged"),
    _carbon(names.AVOIDED_EXPORT, "carbon avoided by export (average)"),
    _carbon(names.AVOIDED_EXPORT_MARGINAL, "carbon avoided by export (marginal)"),
)
SITE_SERIES: Final = (
    _energy(names.IMPORT, "imported energy", "energy_import"),
    _energy(names.EXPORT, "exported energy", "energy_export"),
    _energy(names.GENERATION, "generated energy", "energy_generated"),
    _energy(names.CHARGE, "energy charged", "energy_charged"),
    _energy(names.DISCHARGE, "energy discharged", "energy_discharged"),
    _energy(names.CONSUMPTION, "used energy", "energy_used"),
    _carbon(names.CARBON, "carbon (location-based, hourly)"),
    _carbon(names.CARBON_ANNUAL, "carbon (location-based, annual)"),
    _carbon(names.CONSUMPTION_CARBON, "carbon of used energy"),
    _carbon(names.EXPORT_CARBON, "carbon of exported energy"),
    _carbon(names.GENERATION_CARBON, "carbon of generation"),
    _carbon(names.AVOIDED_EXPORT, "carbon avoided by export (average)"),
    _carbon(names.AVOIDED_EXPORT_MARGINAL, "carbon avoided by export (marginal)"),
    _carbon(names.TRANSMISSION, "carbon of transmission losses"),
    _carbon(names.UPSTREAM, "carbon of fuel supply"),
)
AREA_SERIES: Final = (
    _energy(names.CONSUMPTION, "used energy", "energy_used"),
    _carbon(names.CARBON, "carbon"),
)


def of_carriers(figures: Sequence[str]) -> tuple[FigureSeries, ...]:
    """Return the series of what gas, heat, water or fuel emits, by account and stage."""
    return tuple(
        _carbon(figure, f"carbon ({figure.replace('_', ' ')})", f"carbon_{figure}")
        for figure in figures
    )


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Whose figures they are, in the book and in the record."""

    names: tuple[str, ...]
    """In the archive; the figures of several are summed."""

    statistic: str
    """What ids of its series begin with."""

    title: str
    series: tuple[FigureSeries, ...]
    ratio: tuple[str, str] | None = None
    """The carbon and the energy whose ratio is its intensity."""

    meter: str | None = None
    """The id of the meter that it is, None for what is more than one."""

    members: tuple[str, ...] = ()
    """The meters whose readings make up its coverage."""


type Series = tuple[StatisticMetaData, list[StatisticData]]


def statistic_id(owner: str, what: str) -> str:
    """Return the id of a series; `owner` is the id of the site's entry or the meter's subentry."""
    return f"{DOMAIN}:{owner.lower()}_{what}"


def rows_of(archive: Archive, owner: Owner, start: int, end: int) -> Iterator[Series]:
    """Yield the series of an owner over the hours of [start, end), sums since the beginning.

    A figure that never was anything has no series. Reads the archive: call it in an executor.
    """
    totals = archive.totals(start)
    wanted = list(dict.fromkeys([one.figure for one in owner.series] + [*(owner.ratio or ())]))
    hourly = sum(
        (archive.hourly(name, wanted, start, end).dense(start, end) for name in owner.names),
        np.zeros((len(wanted), (end - start) // HOUR)),
    )
    hours = range(start, end, HOUR)
    for series in owner.series:
        values = hourly[wanted.index(series.figure)]
        base = sum(totals.get(name, {}).get(series.figure, 0.0) for name in owner.names)
        if series.always or base or values.any():
            yield _sums(owner, series), _summed(hours, (base + np.cumsum(values)) / 1000.0)
    if owner.ratio is not None:
        carbon, energy = (hourly[wanted.index(figure)] for figure in owner.ratio)
        if energy.any():
            yield (
                _mean(owner, _INTENSITY, "carbon intensity"),
                _meant(hours, intensity_of(carbon, energy)),
            )
    if owner.members:
        seconds = _seconds(archive, owner.members, start, end)
        shares = np.minimum(100.0 * seconds / (HOUR * len(owner.members)), 100.0)
        yield _mean(owner, _COVERAGE, "coverage"), _meant(hours, shares)


def grid_rows(archive: Archive, site: tuple[str, str], start: int, end: int) -> list[Series]:
    """Return the grid's intensity over the hours of [start, end), where it is known.

    `site` is the id and the title of its entry. Reads the archive: call it in an executor.
    """
    site_id, title = site
    known = archive.grid(start, end).value.reshape(-1, HOUR // INTERVAL)
    rows = [
        StatisticData(
            start=moment(hour),
            mean=float(np.nanmean(values)),
            min=float(np.nanmin(values)),
            max=float(np.nanmax(values)),
        )
        for hour, values in zip(range(start, end, HOUR), known, strict=True)
        if np.isfinite(values).any()
    ]
    metadata = StatisticMetaData(
        mean_type=StatisticMeanType.ARITHMETIC,
        has_sum=False,
        name=f"{title} carbon intensity",
        source=DOMAIN,
        statistic_id=statistic_id(site_id, _INTENSITY),
        unit_class=None,
        unit_of_measurement=UNIT_INTENSITY,
    )
    return [(metadata, rows)] if rows else []


def _seconds(archive: Archive, members: Sequence[str], start: int, end: int) -> FloatArray:
    """Return by hour the seconds that readings account for, summed over some meters."""
    total = np.zeros((end - start) // HOUR)
    for meter_id in members:
        series = archive.hourly(meter_id + TIME, [names.MEASURED_TIME], start, end)
        total += series.dense(start, end)[0]
    return total


def _sums(owner: Owner, series: FigureSeries) -> StatisticMetaData:
    return StatisticMetaData(
        mean_type=StatisticMeanType.NONE,
        has_sum=True,
        name=f"{owner.title} {series.label}",
        source=DOMAIN,
        statistic_id=statistic_id(owner.statistic, series.what),
        unit_class=series.unit_class,
        unit_of_measurement=series.unit,
    )


def _mean(owner: Owner, what: str, label: str) -> StatisticMetaData:
    is_coverage = what == _COVERAGE
    return StatisticMetaData(
        mean_type=StatisticMeanType.ARITHMETIC,
        has_sum=False,
        name=f"{owner.title} {label}",
        source=DOMAIN,
        statistic_id=statistic_id(owner.statistic, what if is_coverage else f"supply_{what}"),
        unit_class="unitless" if is_coverage else None,
        unit_of_measurement=UnitOfRatio.PERCENTAGE if is_coverage else UNIT_INTENSITY,
    )


def _summed(hours: Sequence[int], sums: FloatArray) -> list[StatisticData]:
    return [
        StatisticData(start=moment(hour), state=value, sum=value)
        for hour, value in zip(hours, sums.tolist(), strict=True)
    ]


def _meant(hours: Sequence[int], values: FloatArray) -> list[StatisticData]:
    """Return what has one value throughout each hour; NaN is an hour that has none."""
    return [
        StatisticData(start=moment(hour), mean=value, min=value, max=value)
        for hour, value in zip(hours, values.tolist(), strict=True)
        if not math.isnan(value)
    ]


def moment(hour: int) -> datetime:
    """Return the time of the start of an hour."""
    return datetime.fromtimestamp(hour, UTC)
