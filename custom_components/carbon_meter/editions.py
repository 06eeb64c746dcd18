"""What another edition of the emission factors changes: hours of the past are weighed with it.

What the factors of a site were is kept in its archive. Where they say something else of days gone
by, because a publisher has corrected a table or a user has put another file there, these hours
are restated. Settings that a user changes say nothing of what was.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
import json
import math
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import numpy as np
from numpy.typing import NDArray

from .carbon.archive.archive import Archive
from .carbon.archive.errors import ArchiveError
from .carbon.archive.rows import UNKNOWN_GRADE
from .carbon.factors.factor import EmissionFactor
from .carbon.flow.amounts import FloatArray
from .carbon.grade import BEST_FIRST, Grade
from .carbon.intensity.library import LibrarySource
from .carbon.intensity.source import IntensityInterval
from .carbon.intervals import HOUR, INTERVAL, floor
from .carbon.site.book import Restated, SitePlan
from .carbon.site.entries import GridEntry
from .carbon.site.schedule import Schedule
from .carbon.site.weighed import PER_HOUR
from .carbon.site.yearly import FactorSpans, factor_spans
from .const import CONF_CARRIER, CONF_CARRIERS, CONF_DETAILS, CONF_ZONE, LOGGER, SUBENTRY_METER
from .data import CarbonMeterConfigEntry, Site
from .libraries import async_get_libraries
from .plans import PlanParts, async_plan_parts, figure_of

_STATE: Final = "factors"
"""Under which the archive keeps what the factors of the site were."""

REASON: Final = "new_edition"
"""In the audit trail."""

_LIBRARY: Final = "library:"
"""Begins the source of an intensity that is a yearly factor."""

_AHEAD: Final = 2 * 86400
"""Seconds: as far as a plan reaches beyond today."""

_SPAN: Final = 31 * 24 * HOUR
"""Seconds of the grid's intensity that are in memory at once."""

_YEARLY: Final = BEST_FIRST.index(Grade.YEARLY)

type Steps = list[list[float]]
"""Values by the moment from which each holds."""


@dataclass(frozen=True, kw_only=True)
class Factors:
    """What the factors of a site say, and by which settings."""

    settings: str
    """A digest of them."""

    since: int
    """From when on these settings hold; what was before keeps its factors."""

    until: int
    """Up to when hours have been weighed with these factors, at most."""

    steps: Mapping[str, Steps]
    """By what they weigh."""

    editions: Mapping[str, str]
    """The tables by what they weigh."""

    def as_dict(self) -> dict[str, Any]:
        """Return what is kept of it."""
        return {
            "settings": self.settings,
            "since": self.since,
            "until": self.until,
            "steps": dict(self.steps),
            "editions": dict(self.editions),
        }


async def async_follow_editions(hass: HomeAssistant, entry: CarbonMeterConfigEntry) -> None:
    """Restate what the factors say otherwise than they did; nothing where nothing differs."""
    try:
        await _async_follow(hass, entry)
    except ArchiveError as err:
        LOGGER.error("The past was not compared with the emission factors: %s", err)


async def async_settle_past(hass: HomeAssistant, entry: CarbonMeterConfigEntry) -> None:
    """Follow the editions of the factors, then go on with what was being filled in."""
    await async_follow_editions(hass, entry)
    try:
        await entry.runtime_data.backfill.async_resume()
    except ArchiveError as err:
        LOGGER.error("What was being filled in does not go on: %s", err)


async def async_stop_settling(site: Site) -> None:
    """Stop what works on the past; it goes on when the site is set up again."""
    if site.settling is not None and not site.settling.done():
        site.settling.cancel()
        await asyncio.wait([site.settling])
    await site.backfill.async_stop()


async def _async_follow(hass: HomeAssistant, entry: CarbonMeterConfigEntry) -> None:
    site = entry.runtime_data
    libraries = await async_get_libraries(hass)
    parts = async_plan_parts(hass, entry, libraries, site.meters)
    settings = _settings(hass, entry)
    now = dt_util.utcnow().timestamp()
    keeper = site.keeper

    def compare() -> _Found:
        return _compare(keeper.archive, keeper.plan, site.intensity.library, parts, settings, now)

    found = await hass.async_add_executor_job(compare)
    if found.stretch is not None:
        start, end = found.stretch
        why = Restated(reason=REASON, detail=found.detail)
        # Up to now everything is told, so that only what was told can have changed.
        await keeper.async_enter()
        # What has begun is brought to its end: the live sensors follow from it.
        await asyncio.shield(keeper.async_restate(start, end, found.grid, why))
        LOGGER.info(
            "Hours since %s are restated: %s", datetime.fromtimestamp(start, UTC), why.detail
        )
    await hass.async_add_executor_job(keeper.archive.put, _STATE, found.present.as_dict())
    if found.stretch is not None:
        await site.record.async_publish()


@dataclass(frozen=True, kw_only=True)
class _Found:
    """What differs: which hours, their grid, and what to say of it."""

    present: Factors
    stretch: tuple[int, int] | None = None
    grid: Sequence[GridEntry] = ()
    detail: str = ""


def _settings(hass: HomeAssistant, entry: CarbonMeterConfigEntry) -> str:
    """Return a digest of the settings that decide about factors."""
    options = entry.options
    told = {
        "zone": options.get(CONF_ZONE) or hass.config.country,
        "time_zone": hass.config.time_zone,
        "details": options.get(CONF_DETAILS),
        "carriers": options.get(CONF_CARRIERS),
        "meters": {
            one.subentry_id: one.data.get(CONF_CARRIER)
            for one in entry.get_subentries_of_type(SUBENTRY_METER)
            if one.data.get(CONF_CARRIER)
        },
    }
    return sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def _compare(  # noqa: PLR0913, PLR0917  # what the past and the present are read from
    archive: Archive,
    plan: SitePlan,
    library: LibrarySource,
    parts: PlanParts,
    settings: str,
    now: float,
) -> _Found:
    """Compare what was with what the factors say now; runs in the executor."""
    first = archive.first_hour()
    begin = floor(now, HOUR) if first is None else first
    kept: dict[str, Any] | None = archive.get(_STATE)
    since = 0 if kept is None else int(kept["since"])
    if kept is not None and kept["settings"] != settings:
        since, kept = floor(now, HOUR) + HOUR, None
    present = Factors(
        settings=settings,
        since=since,
        until=floor(now, HOUR) + _AHEAD,
        steps=_steps(plan),
        editions=_editions(parts, begin, now),
    )
    end = floor(now, HOUR) + HOUR
    begin = max(begin, since)
    grid, sources = yearly_again(archive, library, begin, end)
    told = [f"{old} → {new}" for old, new in sorted(sources)]
    edges = [edge for entry in grid for edge in (entry.hour, entry.hour + HOUR)]
    if kept is not None:
        for name, (start, stop) in _differing(kept, present, begin, end).items():
            edges += [start, stop]
            old, new = kept["editions"].get(name, "-"), present.editions.get(name, "-")
            told.append(f"{name}: {old} → {new}")
    if not edges:
        return _Found(present=present)
    return _Found(
        present=present,
        stretch=(floor(min(edges), HOUR), min(max(edges), end)),
        grid=grid,
        detail="; ".join(told),
    )


def _steps(plan: SitePlan) -> dict[str, Steps]:
    """Return the factors of a plan by what they weigh."""
    factors = plan.factors
    schedules: dict[str, Schedule | None] = {
        "solar": factors.solar,
        "annual": factors.annual,
        "transmission": factors.transmission,
        "upstream": factors.upstream,
    }
    for meter_id, figures in plan.carriers.items():
        schedules |= {f"{meter_id} {figure}": schedule for figure, schedule in figures.items()}
    return {
        name: []
        if schedule is None
        else np.column_stack((schedule.moments, schedule.values)).tolist()
        for name, schedule in schedules.items()
    }


def _editions(parts: PlanParts, begin: int, now: float) -> dict[str, str]:
    """Return which tables the factors of the past and the present are from."""
    start = datetime.fromtimestamp(begin, parts.time_zone).date()
    end = datetime.fromtimestamp(now, parts.time_zone).date() + timedelta(days=1)
    known: FactorSpans = factor_spans(parts.library, parts.zone, start, end)
    tracks = {
        "annual": known.generation,
        "transmission": known.losses,
        "upstream": known.upstream,
    }
    found = {
        name: _named(span.factor for span in track if span.factor is not None)
        for name, track in tracks.items()
    }
    for meter_id, account in parts.carriers.items():
        tables = _named(factor for day in (start, end) for factor in account.factors(day))
        found |= {
            f"{meter_id} {figure_of(label)}": tables
            for day in (start, end)
            for label in account.grams(day)
        }
    return found


def _named(factors: Iterator[EmissionFactor]) -> str:
    """Return the tables of factors by their names."""
    tables = (f"{factor.source.id} ({factor.source.edition})" for factor in factors)
    return ", ".join(dict.fromkeys(tables)) or "-"


def _differing(
    kept: Mapping[str, Any], present: Factors, begin: int, end: int
) -> dict[str, tuple[int, int]]:
    """Return in which part of [begin, end) factors differ from what they were, by name.

    What a schedule says of before its first step, or of after the last look, it was never asked.
    """
    found: dict[str, tuple[int, int]] = {}
    stop = min(end, int(kept["until"]))
    for name, new in present.steps.items():
        old: Steps | None = kept["steps"].get(name)
        if old is None:
            continue
        firsts = [steps[0][0] for steps in (old, new) if steps and steps[0][0] > 0.0]
        start = max([begin, *firsts])
        if start >= stop:
            continue
        moments = sorted({start, *(step[0] for step in (*old, *new) if start < step[0] < stop)})
        apart = [
            (moment, after)
            for moment, after in zip(moments, [*moments[1:], stop], strict=True)
            if not math.isclose(_at(old, moment), _at(new, moment), rel_tol=1e-12)
        ]
        if apart:
            found[name] = int(apart[0][0]), int(apart[-1][1])
    return found


def _at(steps: Steps, moment: float) -> float:
    """Return what holds at a moment, 0 without any step."""
    held = [value for begin, value in steps if begin <= moment]
    return held[-1] if held else (steps[0][1] if steps else 0.0)


def yearly_again(
    archive: Archive, library: LibrarySource, start: int, end: int
) -> tuple[list[GridEntry], set[tuple[str, str]]]:
    """Return where yearly factors of [start, end) are others now, and which took whose place.

    Reads the archive: call it in an executor.
    """
    entries: list[GridEntry] = []
    sources: set[tuple[str, str]] = set()
    for begin in range(start, end, _SPAN):
        stop = min(begin + _SPAN, end)
        kept = archive.grid(begin, stop)
        ours = np.array([source.startswith(_LIBRARY) for source in kept.source.tolist()])
        ours &= kept.grade == _YEARLY
        if not ours.any():
            continue
        value, source = _by_slot(library.intervals(begin, stop), begin, stop)
        differs = ours & ~np.isclose(kept.value, value, rtol=1e-12, atol=0.0)
        for place in np.unique(np.flatnonzero(differs) // PER_HOUR).tolist():
            part = slice(place * PER_HOUR, (place + 1) * PER_HOUR)
            told = np.where(differs[part], value[part], np.nan)
            grade = np.where(differs[part], _YEARLY, UNKNOWN_GRADE).astype(np.uint8)
            names = source[part].tolist()
            entries.append(
                GridEntry(
                    hour=begin + place * HOUR,
                    value=told,
                    low=told,
                    high=told,
                    grade=grade,
                    source=tuple(names),
                )
            )
            sources |= set(
                zip(
                    kept.source[part][differs[part]].tolist(),
                    source[part][differs[part]].tolist(),
                    strict=True,
                )
            )
    return entries, sources


def _by_slot(
    intervals: Sequence[IntensityInterval], start: int, end: int
) -> tuple[FloatArray, NDArray[np.object_]]:
    """Return value and source of each five minutes; factors change at a local midnight."""
    slots = np.arange(start, end, INTERVAL)
    places = np.searchsorted([one.start for one in intervals], slots, side="right") - 1
    values = np.array([one.value for one in intervals])
    names = np.array([one.source for one in intervals], dtype=np.object_)
    return values[places], names[places]
