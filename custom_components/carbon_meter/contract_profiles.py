"""What the plants behind contracts have made, interval by interval, out of the recorder."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, Literal

from homeassistant.components.recorder.const import DOMAIN as RECORDER_DOMAIN
from homeassistant.components.recorder.statistics import (
    StatisticsRow,
    get_metadata,
    statistics_during_period,
)
from homeassistant.const import UnitOfEnergy
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_conversion import EnergyConverter
import numpy as np

from .carbon.flow.amounts import FloatArray
from .carbon.intervals import HOUR, INTERVAL, floor

_PER_HOUR: Final = HOUR // INTERVAL


async def async_profiles(
    hass: HomeAssistant, statistics: frozenset[str], starts: FloatArray
) -> dict[str, FloatArray]:
    """Return the Wh of statistics in consecutive intervals, of which the first begins an hour.

    Hours are spread evenly. A statistic that the recorder does not know, or that is none of a
    growing energy, is not in it.
    """
    if not statistics or not len(starts) or RECORDER_DOMAIN not in hass.config.components:
        return {}
    read = partial(_profiles, hass, set(statistics), starts)
    return await get_instance(hass).async_add_executor_job(read)


def _profiles(
    hass: HomeAssistant, statistics: set[str], starts: FloatArray
) -> dict[str, FloatArray]:
    """Read statistics; runs in the recorder's executor.

    What the recorder has not made hours of yet comes from its five minutes.
    """
    known = get_metadata(hass, statistic_ids=statistics)
    sums = {
        name
        for name, (_, metadata) in known.items()
        if metadata["has_sum"] and metadata["unit_of_measurement"] in EnergyConverter.VALID_UNITS
    }
    found = {name: np.zeros(len(starts)) for name in sums}
    if not sums:
        return found
    first, end = float(starts[0]), float(starts[-1]) + INTERVAL
    running = floor(end - INTERVAL, HOUR)
    for name, made in _made(hass, sums, "hour", first, running).items():
        for moment, wh in made.items():
            place = int(moment - first) // INTERVAL
            found[name][place : place + _PER_HOUR] = wh / _PER_HOUR
        begun = max(made, default=first - HOUR) + HOUR
        fine = _made(hass, {name}, "5minute", max(begun, running - HOUR), end).get(name, {})
        for moment, wh in fine.items():
            found[name][int(moment - first) // INTERVAL] = wh
    return found


def _made(
    hass: HomeAssistant,
    statistics: set[str],
    period: Literal["hour", "5minute"],
    start: float,
    end: float,
) -> dict[str, dict[float, float]]:
    """Return the Wh by which statistics grew in each hour, or five minutes, of [start, end)."""
    rows: Mapping[str, Sequence[StatisticsRow]] = {}
    if start < end:
        rows = statistics_during_period(
            hass,
            dt_util.utc_from_timestamp(start),
            dt_util.utc_from_timestamp(end),
            statistics,
            period,
            {"energy": UnitOfEnergy.WATT_HOUR},
            {"change"},
        )
    # A counter that fell back has made nothing in that time.
    return {
        name: {row["start"]: max(row.get("change") or 0.0, 0.0) for row in rows.get(name, ())}
        for name in statistics
    }
