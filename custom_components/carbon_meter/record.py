"""The record: hourly external statistics of energy, carbon and intensity.

Rows are absolute, so that writing an hour again changes nothing, and an hour that
late energy touches is written anew with all that follow.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from homeassistant.components.recorder.const import DOMAIN as RECORDER_DOMAIN
from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import (
    async_add_external_statistics,
    get_last_statistics,
)
from homeassistant.const import (
    UnitOfEnergy,
    UnitOfMass,
    UnitOfPower,
    UnitOfRatio,
    UnitOfVolume,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util

from .carbon.intensity.ladder import Ladder
from .carbon.intervals import HOUR, floor
from .carbon.ledger import HourRow
from .carbon.tally import Tally
from .const import DOMAIN, UNIT_INTENSITY, Carrier, carrier_of
from .coordinator import MeterCoordinator
from .intensity import SiteIntensity

_LATEST_INTENSITY: Final = 14 * 24 * HOUR
"""Seconds for which intensities are written after the fact."""


@dataclass(frozen=True, kw_only=True)
class _Series:
    """One series of sums: how it is named, and which total it shows by the thousand."""

    what: str
    label: str
    unit: str
    unit_class: str
    total: str

    def value(self, row: HourRow) -> float:
        """Return the sum up to the end of an hour: kWh of Wh, kg of g, m³ of L."""
        total: float = getattr(row.total, self.total)
        return total / 1000


_VOLUME: Final = _Series(
    what="volume",
    label="volume",
    unit=UnitOfVolume.CUBIC_METERS,
    unit_class="volume",
    total="import_energy",
)
_IMPORT: Final = _Series(
    what="energy_import",
    label="imported energy",
    unit=UnitOfEnergy.KILO_WATT_HOUR,
    unit_class="energy",
    total="import_energy",
)
_EXPORT: Final = _Series(
    what="energy_export",
    label="exported energy",
    unit=UnitOfEnergy.KILO_WATT_HOUR,
    unit_class="energy",
    total="export_energy",
)
_CARBON: Final = _Series(
    what="carbon", label="carbon", unit=UnitOfMass.KILOGRAMS, unit_class="mass", total="carbon"
)
_SERIES: Final = (_VOLUME, _IMPORT, _EXPORT, _CARBON)


def _series_of(meter: MeterCoordinator) -> tuple[_Series, ...]:
    """Return the series of a meter; gas, water and heat flow one way and have no carbon yet."""
    quantities = meter.profile.quantities
    if carrier_of(meter.subentry.data) is Carrier.ELECTRICITY:
        return _IMPORT, _EXPORT, _CARBON
    return (_IMPORT,) if "energy_import" in quantities else (_VOLUME,)


def statistic_id(owner: str, what: str) -> str:
    """Return the id of a series; `owner` is the id of the site's entry or the meter's subentry."""
    return f"{DOMAIN}:{owner.lower()}_{what}"


async def async_recorded_total(hass: HomeAssistant, owner: str) -> tuple[int, Tally] | None:
    """Return up to when a meter's hours are in the record and their sums, None without any.

    For a meter whose file was lost: its series go on instead of falling back to zero.
    """
    if RECORDER_DOMAIN not in hass.config.components:
        return None
    sums: dict[str, float] = {}
    through = 0
    for series in _SERIES:
        recorded = statistic_id(owner, series.what)
        found = await get_instance(hass).async_add_executor_job(
            get_last_statistics, hass, 1, recorded, False, {"sum"}
        )
        if rows := found.get(recorded):
            sums[series.total] = (rows[0].get("sum") or 0.0) * 1000
            through = max(through, int(rows[0]["end"]))
    if not sums:
        return None
    return through, Tally(
        import_energy=sums.get("import_energy", 0.0),
        export_energy=sums.get("export_energy", 0.0),
        carbon=sums.get("carbon", 0.0),
    )


class Record:
    """Writes the finished hours of one site to the recorder."""

    def __init__(
        self,
        hass: HomeAssistant,
        site: tuple[str, str],
        intensity: SiteIntensity,
        meters: Mapping[str, MeterCoordinator],
    ) -> None:
        """Take the site's id and title, its intensity and its meters."""
        self._hass = hass
        self._site_id, self._site_title = site
        self._intensity = intensity
        self._meters = meters
        self.intensity_until: int | None = None
        """End of the last hour whose intensity is written."""

    async def async_publish(self) -> None:
        """Write every hour that is finished and not yet written as it is now known.

        Between two meters others have their turn.
        """
        recorded = RECORDER_DOMAIN in self._hass.config.components
        now = dt_util.utcnow().timestamp()
        if recorded:
            self._publish_intensity(now)
        for subentry_id, meter in self._meters.items():
            await asyncio.sleep(0)
            until = meter.account.booked_until
            rows = [] if until is None else meter.account.ledger.unpublished(min(until, now))
            if rows:
                if recorded:
                    self._publish_meter(subentry_id, meter, rows)
                # Without a recorder the hours are let go all the same.
                meter.account.ledger.published(rows)
            # Power does not wait for counters; an hour that goes on changing is written again.
            self._publish_power(subentry_id, meter, now, recorded=recorded)

    def _publish_meter(
        self, subentry_id: str, meter: MeterCoordinator, rows: list[HourRow]
    ) -> None:
        title = meter.subentry.title
        for series in _series_of(meter):
            self._write(
                StatisticMetaData(
                    mean_type=StatisticMeanType.NONE,
                    has_sum=True,
                    name=f"{title} {series.label}",
                    source=DOMAIN,
                    statistic_id=statistic_id(subentry_id, series.what),
                    unit_class=series.unit_class,
                    unit_of_measurement=series.unit,
                ),
                (
                    StatisticData(start=_start(row.start), state=value, sum=value)
                    for row in rows
                    for value in (series.value(row),)
                ),
            )
        self._write(
            StatisticMetaData(
                mean_type=StatisticMeanType.ARITHMETIC,
                has_sum=False,
                name=f"{title} coverage",
                source=DOMAIN,
                statistic_id=statistic_id(subentry_id, "coverage"),
                unit_class="unitless",
                unit_of_measurement=UnitOfRatio.PERCENTAGE,
            ),
            (
                StatisticData(start=_start(row.start), mean=share, min=share, max=share)
                for row in rows
                for share in (_coverage(row),)
            ),
        )

    def _publish_power(
        self, subentry_id: str, meter: MeterCoordinator, until: float, *, recorded: bool
    ) -> None:
        """Write mean, minimum and maximum of the power of every finished hour."""
        rows = meter.watch.power.rows(until)
        if rows and recorded:
            self._write(
                StatisticMetaData(
                    mean_type=StatisticMeanType.ARITHMETIC,
                    has_sum=False,
                    name=f"{meter.subentry.title} power",
                    source=DOMAIN,
                    statistic_id=statistic_id(subentry_id, "power"),
                    unit_class="power",
                    unit_of_measurement=UnitOfPower.WATT,
                ),
                (
                    StatisticData(
                        start=_start(row.start), mean=row.mean, min=row.minimum, max=row.maximum
                    )
                    for row in rows
                ),
            )
        meter.watch.power.published(rows)

    def _publish_intensity(self, now: float) -> None:
        """Write the mean intensity of each finished hour."""
        end = floor(now, HOUR)
        if self.intensity_until is None or self.intensity_until > end:
            # Never written, or by a clock that was ahead.
            self.intensity_until = end - HOUR
        start = max(self.intensity_until, end - _LATEST_INTENSITY)
        rows = [
            row
            for hour in range(start, end, HOUR)
            if (row := _mean_intensity(self._intensity.ladder, hour)) is not None
        ]
        if rows:
            self._write(
                StatisticMetaData(
                    mean_type=StatisticMeanType.ARITHMETIC,
                    has_sum=False,
                    name=f"{self._site_title} carbon intensity",
                    source=DOMAIN,
                    statistic_id=statistic_id(self._site_id, "intensity"),
                    unit_class=None,
                    unit_of_measurement=UNIT_INTENSITY,
                ),
                rows,
            )
        self.intensity_until = max(end, start)

    def _write(self, metadata: StatisticMetaData, rows: Iterable[StatisticData]) -> None:
        async_add_external_statistics(self._hass, metadata, list(rows))

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {"intensity_until": self.intensity_until}

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take what was known before a restart."""
        self.intensity_until = data["intensity_until"]


def _start(moment: int) -> datetime:
    return datetime.fromtimestamp(moment, UTC)


def _coverage(row: HourRow) -> float:
    """Return the share of the hour that readings account for, in per cent."""
    return min(100.0, 100 * row.hour.measured_time / HOUR)


def _mean_intensity(ladder: Ladder, hour: int) -> StatisticData | None:
    """Return the time-weighted mean over an hour, None where no source knows any of it."""
    known = ladder.intervals(hour, hour + HOUR)
    time = sum(interval.end - interval.start for interval in known)
    if not time:
        return None
    total = sum(interval.value * (interval.end - interval.start) for interval in known)
    return StatisticData(
        start=_start(hour),
        mean=total / time,
        min=min(interval.value for interval in known),
        max=max(interval.value for interval in known),
    )
