"""Weighing hours of the past again on purpose, and what was told of them before."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from homeassistant.core import HomeAssistant
import numpy as np

from .carbon.archive.archive import Archive
from .carbon.archive.rows import UNKNOWN_GRADE, AuditEntry
from .carbon.flow.amounts import FloatArray
from .carbon.grade import BEST_FIRST, Grade
from .carbon.intensity.kept import KeptSource
from .carbon.intensity.ladder import Ladder
from .carbon.intensity.source import IntensityInterval, SourceInfo
from .carbon.intervals import HOUR, INTERVAL, floor
from .carbon.site import figures as names
from .carbon.site.book import SITE_OWNER, Restated, SitePlan
from .carbon.site.entries import GridEntry, grid_entry
from .carbon.site.weighed import PER_HOUR
from .data import Site
from .figure_series import moment

_USER: Final = "user"
"""The source of an intensity that a person has given."""

_HISTORY: Final = SourceInfo(id="history", name="History")

_AT_ONCE: Final = 24
"""Hours of intensities that are looked up before others have their turn."""

_OF_SITE: Final = (
    names.CARBON,
    names.CARBON_ANNUAL,
    names.CONSUMPTION_CARBON,
    names.EXPORT_CARBON,
    names.GENERATION_CARBON,
    names.AVOIDED_EXPORT,
    names.AVOIDED_EXPORT_MARGINAL,
    names.TRANSMISSION,
    names.UPSTREAM,
)
_OF_METER: Final = (
    names.CARBON,
    names.GENERATION_CARBON,
    names.CHARGE_CARBON,
    names.DISCHARGE_CARBON,
    names.AVOIDED_EXPORT,
    names.AVOIDED_EXPORT_MARGINAL,
)

_NOTHING: Final = 1e-6
"""Grams that are no change."""

_DIGITS: Final = 6
"""Of kg: milligrams and less are noise."""

type _Told = dict[str, dict[str, FloatArray]]
"""By owner and figure: g by hour."""


async def async_restate(  # noqa: PLR0913  # what makes up a restatement
    hass: HomeAssistant,
    site: Site,
    start: int,
    end: int,
    *,
    grid: Sequence[GridEntry],
    why: Restated,
    with_present_plan: bool = False,
    meters: Iterable[str] = (),
) -> dict[str, Any]:
    """Weigh the hours that [start, end) touches again, with another grid where one is given.

    Returns the carbon before and after in kg, by the site, the meters and figure (of `meters` only
    where some are named), how many hours have changed, and the ids in the audit trail. Raises
    ArchiveError.
    """
    keeper, archive = site.keeper, site.keeper.archive
    await keeper.async_enter()
    first, stop = floor(start, HOUR), floor(end + HOUR - 1, HOUR)
    wanted = _wanted(keeper.plan, tuple(meters))

    def told() -> tuple[_Told, int]:
        newest = archive.audit(1)
        return _read(archive, wanted, first, stop), newest[0].id or 0 if newest else 0

    before, newest = await hass.async_add_executor_job(told)
    # What has begun is brought to its end: the live sensors follow from it.
    await asyncio.shield(
        keeper.async_restate(first, stop, grid, why, with_present_plan=with_present_plan)
    )
    after, _ = await hass.async_add_executor_job(told)
    entries = await hass.async_add_executor_job(archive.audit)
    await site.record.async_publish()
    return {
        "start": moment(first).isoformat(),
        "end": moment(stop).isoformat(),
        "before": _sums(before),
        "after": _sums(after),
        "hours_changed": _changed(before, after, (stop - first) // HOUR),
        "audit_ids": [
            one.id for one in entries if (one.id or 0) > newest and one.reason == why.reason
        ],
    }


def _wanted(plan: SitePlan, meters: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the figures to tell by owner."""
    found: dict[str, tuple[str, ...]] = {} if meters else {SITE_OWNER: _OF_SITE}
    for meter_id in meters or (*plan.meters.ids, *plan.carriers):
        found[meter_id] = tuple(plan.carriers.get(meter_id, _OF_METER))
    return found


def _read(archive: Archive, wanted: Mapping[str, Sequence[str]], start: int, end: int) -> _Told:
    """Return figures by owner, hour by hour."""
    found: _Told = {}
    for owner, figures in wanted.items():
        dense = archive.hourly(owner, figures, start, end).dense(start, end)
        found[owner] = dict(zip(figures, dense, strict=True))
    return found


def _sums(told: _Told) -> dict[str, dict[str, float]]:
    """Return kg by owner and figure; what is nothing is left out."""
    return {
        owner: {
            name: round(float(values.sum()) / 1000.0, _DIGITS)
            for name, values in figures.items()
            if values.any()
        }
        for owner, figures in told.items()
        if any(values.any() for values in figures.values())
    }


def _changed(before: _Told, after: _Told, hours: int) -> int:
    """Return in how many hours any figure has changed."""
    changed = np.zeros(hours, dtype=np.bool_)
    for owner, figures in after.items():
        for name, values in figures.items():
            changed |= np.abs(values - before[owner][name]) > _NOTHING
    return int(changed.sum())


def given(start: int, end: int, value: float) -> list[GridEntry]:
    """Return one intensity in gCO2eq/kWh for [start, end), full intervals of five minutes."""
    found: list[GridEntry] = []
    for hour in range(floor(start, HOUR), end, HOUR):
        slots = hour + INTERVAL * np.arange(PER_HOUR)
        inside = (slots >= start) & (slots < end)
        values = np.where(inside, value, np.nan)
        measured = BEST_FIRST.index(Grade.MEASURED)
        found.append(
            GridEntry(
                hour=hour,
                value=values,
                low=values,
                high=values,
                grade=np.where(inside, measured, UNKNOWN_GRADE).astype(np.uint8),
                source=tuple(_USER if one else "" for one in inside.tolist()),
            )
        )
    return found


async def async_from_history(site: Site, start: int, end: int) -> list[GridEntry]:
    """Return what the user's sources say now of [start, end), full hours where they know any."""
    told: list[IntensityInterval] = []
    async for past in site.intensity.async_history(start, end):
        told += past.intervals
    history = KeptSource(_HISTORY)
    history.take(sorted(told, key=lambda interval: interval.start))
    ladder = Ladder([history])
    found: list[GridEntry] = []
    for hour in range(floor(start, HOUR), end, HOUR):
        entry = grid_entry(ladder, hour)
        if np.isfinite(entry.value).any():
            found.append(entry)
        if not (hour // HOUR) % _AT_ONCE:
            await asyncio.sleep(0)
    return found


def audit_as_dict(entry: AuditEntry) -> dict[str, Any]:
    """Return an entry of the audit trail for people: times in UTC, kg."""
    return {
        "id": entry.id,
        "when": moment(int(entry.when)).isoformat(),
        "reason": entry.reason,
        "detail": entry.detail,
        "start": moment(entry.start).isoformat(),
        "end": moment(entry.end).isoformat(),
        "owners": list(entry.owners),
        "before": {name: round(value / 1000.0, _DIGITS) for name, value in entry.before.items()},
        "after": {name: round(value / 1000.0, _DIGITS) for name, value in entry.after.items()},
    }
