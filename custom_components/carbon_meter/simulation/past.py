"""What was: intensity, price, net power and temperatures that are recorded of some time.

The intensity is that of the archive, by its grades. Prices and temperatures are the recorder's
hourly means of the entities that the site plans with; where an entity has none they are unknown.
"""

from dataclasses import dataclass
from typing import Final

from homeassistant.components.recorder.const import DOMAIN as RECORDER_DOMAIN
from homeassistant.components.recorder.statistics import get_metadata, statistics_during_period
from homeassistant.const import UnitOfTemperature
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
import numpy as np

from ..carbon.archive.archive import Archive
from ..carbon.archive.errors import ArchiveError
from ..carbon.archive.rows import UNKNOWN_GRADE
from ..carbon.flow.amounts import FloatArray
from ..carbon.intervals import HOUR, INTERVAL, floor
from ..carbon.site import figures as names
from ..carbon.site.book import SITE_OWNER
from ..figure_series import moment
from ..planning.slots import Slots
from ..refusals import failed

_UNITS: Final = {"temperature": UnitOfTemperature.CELSIUS.value}
"""In which units statistics are asked for, by what they measure."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Past:
    """What is recorded of the hours of [start, end), for each of its slots; NaN for unknown."""

    slots: Slots
    carbon: FloatArray
    """gCO2eq/kWh."""

    net: FloatArray
    """W that the site used beyond what it generated."""

    grade: FloatArray
    """Places in BEST_FIRST of the worst grade of the intensity in a slot."""


async def async_past(
    hass: HomeAssistant, archive: Archive, start: float, end: float, step: int
) -> Past:
    """Return what the archive holds of some hours, in slots of a divisor of the hour.

    Raises HomeAssistantError, translated, where the archive cannot be used.
    """
    first, stop = floor(start, HOUR), floor(end + HOUR - 1, HOUR)
    try:
        return await hass.async_add_executor_job(_read, archive, first, stop, step)
    except ArchiveError as err:
        raise failed("archive_unusable", err) from err


def _read(archive: Archive, start: int, end: int, step: int) -> Past:
    """Read the archive; runs in the executor."""
    grid = archive.grid(start, end)
    counted = archive.hourly(SITE_OWNER, (names.CONSUMPTION, names.GENERATION), start, end)
    used, generated = counted.dense(start, end)
    known = np.isin(np.arange(start, end, HOUR), counted.hours)
    net = np.where(known, used - generated, np.nan)
    count = step // INTERVAL
    places = np.where(grid.grade == UNKNOWN_GRADE, -1.0, grid.grade).reshape(-1, count)
    carbon = _means(grid.value, count)
    return Past(
        slots=Slots.of(start, end, step),
        carbon=carbon,
        net=np.repeat(net, HOUR // step),
        grade=np.where(np.isfinite(carbon), places.max(axis=1), np.nan),
    )


def _means(values: FloatArray, count: int) -> FloatArray:
    """Return the means of so many intervals each; NaN where fewer than half are known."""
    rows = values.reshape(-1, count)
    known = np.isfinite(rows)
    numbers = known.sum(axis=1)
    sums = np.where(known, rows, 0.0).sum(axis=1)
    return np.where(2 * numbers >= count, sums / np.maximum(numbers, 1), np.nan)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Means:
    """The hourly means of an entity in its unit, of a temperature in °C; NaN for unknown."""

    values: FloatArray
    unit: str | None


async def async_means(hass: HomeAssistant, entity_id: str, slots: Slots) -> Means | None:
    """Return what the recorder holds of an entity in some slots; None where that is nothing."""
    if RECORDER_DOMAIN not in hass.config.components or len(slots) == 0:
        return None
    return await get_instance(hass).async_add_executor_job(_means_of, hass, entity_id, slots)


def _means_of(hass: HomeAssistant, entity_id: str, slots: Slots) -> Means | None:
    """Read the recorder; runs in its executor."""
    start, end = floor(slots.start, HOUR), int(slots.end)
    known = get_metadata(hass, statistic_ids={entity_id}).get(entity_id)
    if known is None:
        return None
    found = statistics_during_period(
        hass, moment(start), moment(end), {entity_id}, "hour", _UNITS, {"mean"}
    )
    hours = {int(row["start"]): row.get("mean") for row in found.get(entity_id, [])}
    values = np.array(
        [
            np.nan if (mean := hours.get(floor(float(begin), HOUR))) is None else mean
            for begin in slots.starts
        ]
    )
    if not np.isfinite(values).any():
        return None
    return Means(values=values, unit=known[1]["unit_of_measurement"])
