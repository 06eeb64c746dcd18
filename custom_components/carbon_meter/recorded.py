"""What the recorder holds of a meter already: for a site whose own files are new or lost."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from homeassistant.components.recorder.const import DOMAIN as RECORDER_DOMAIN
from homeassistant.components.recorder.statistics import (
    get_last_statistics,
    statistics_during_period,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance

from .carbon.site import figures as names
from .carbon.tally import Tally
from .figure_series import moment, statistic_id

_SERIES: Final[Mapping[str, str]] = {
    "energy_import": names.IMPORT,
    "volume": names.IMPORT,
    "energy_export": names.EXPORT,
    "carbon": names.CARBON,
}
"""What the ids of the series end in that a meter's ledger goes on from, by figure."""

_THOUSAND: Final = 1000.0
"""Wh, g and L in what the series are kept in."""


async def async_recorded_total(hass: HomeAssistant, owner: str) -> tuple[int, Tally] | None:
    """Return up to when a meter's hours are in the record and their sums, None without any.

    For a meter whose file was lost: its series go on instead of falling back to zero.
    """
    if RECORDER_DOMAIN not in hass.config.components:
        return None
    sums: dict[str, float] = {}
    through = 0
    for what, figure in _SERIES.items():
        recorded = statistic_id(owner, what)
        found = await get_instance(hass).async_add_executor_job(
            get_last_statistics, hass, 1, recorded, False, {"sum"}
        )
        if rows := found.get(recorded):
            sums[figure] = (rows[0].get("sum") or 0.0) * _THOUSAND
            through = max(through, int(rows[0]["end"]))
    if not sums:
        return None
    return through, Tally(
        import_energy=sums.get(names.IMPORT, 0.0),
        export_energy=sums.get(names.EXPORT, 0.0),
        carbon=sums.get(names.CARBON, 0.0),
    )


async def async_recorded_before(hass: HomeAssistant, owner: str, until: int) -> dict[str, float]:
    """Return what a meter had come to in the record by an hour, in Wh, L and g by figure."""
    if RECORDER_DOMAIN not in hass.config.components:
        return {}
    series = {statistic_id(owner, what): figure for what, figure in _SERIES.items()}
    found = await get_instance(hass).async_add_executor_job(
        statistics_during_period,
        hass,
        datetime.fromtimestamp(0, UTC),
        moment(until),
        set(series),
        "hour",
        None,
        {"sum"},
    )
    return {
        series[recorded]: (rows[-1].get("sum") or 0.0) * _THOUSAND
        for recorded, rows in found.items()
        if rows
    }
