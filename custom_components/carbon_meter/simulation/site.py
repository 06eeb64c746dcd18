"""What is read for a simulation of a site: what was and will be around its loads, as they are."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import numpy as np

from ..carbon.flow.amounts import FloatArray
from ..carbon.grade import BEST_FIRST, Grade
from ..carbon.intervals import HOUR
from ..loads.chosen import Chosen
from ..loads.keys import CONF_BODY, CONF_HEAT_SOURCE, CONF_OUTSIDE, LoadKind
from ..loads.load import Load
from ..planning.days import days_between, filled, joined_signals
from ..planning.jobs.job import Around
from ..planning.price_list import PriceUnitError, factor_of
from ..planning.signal import Signal
from ..planning.slots import Slots
from ..planning.usual import around_over
from ..planning.window import on_slots
from ..refusals import refused
from ..report_notes import Note
from .days import Scene, Taking
from .past import Past, async_means, async_past

MOST_TURNS: Final = 4000
"""Days times loads; a year of ten loads takes about a minute."""

_FINE_DAYS: Final = 31
_FINE: Final = 900
"""Seconds of a slot of the past, for so many days; an hour for more."""

_AFTER: Final = 24 * HOUR
"""Seconds beyond the last day in which what has begun on it may end."""

_YEARLY: Final = BEST_FIRST.index(Grade.YEARLY)

_PRESENT: Final = 60.0
"""Seconds within which a simulation begins now: with what loads have to do, as they are."""


async def async_scene(hass: HomeAssistant, chosen: Chosen, start: float, end: float) -> Scene:
    """Return what is known of some time and of what loads have to do in it.

    Raises ServiceValidationError for more than can be simulated, HomeAssistantError where the
    archive cannot be used.
    """
    zone = dt_util.get_default_time_zone()
    days = len(days_between(start, end, zone))
    if days * len(chosen.loads) > MOST_TURNS:
        raise refused(
            "simulation_too_large",
            days=str(days),
            loads=str(len(chosen.loads)),
            most=str(MOST_TURNS),
        )
    reach = end + _AFTER
    coming = await chosen.planner.async_around(reach)
    # The present is where the forecast begins: not a moment of it may be missing.
    now = coming.signal.slots.start
    is_now = abs(start - now) <= _PRESENT
    start = now if is_now else start
    past: Past | None = None
    prices: FloatArray | None = None
    if start < now:
        step = _FINE if days <= _FINE_DAYS else HOUR
        archive = chosen.site.keeper.archive
        past = await async_past(hass, archive, start, min(now, reach), step)
        prices = await _async_prices(hass, chosen, past.slots)
    coming = around_over(coming, now, max(now, reach))
    signal, grade = _signal(chosen, past, prices, coming.signal, (start, now))
    net = _row(signal.slots, past, None if past is None else past.net, coming, coming.net)
    takings, notes = [], []
    for load in chosen.loads:
        outside = await _async_outside(hass, chosen, load, signal.slots, past, reach)
        if outside is None and _is_weathered(load):
            notes.append(Note(key="simulation_no_outside", placeholders={"load": load.name}))
        around = Around(signal=signal, outside=outside, net=net)
        takings.append(_taking(load, around, is_now=is_now, now=now))
    if chosen.planner.options.fuse is not None:
        notes.append(Note(key="simulation_no_fuse"))
    return Scene(
        start=start,
        end=end,
        zone=zone,
        signal=signal,
        grade=grade,
        takings=_renamed(takings),
        notes=notes,
    )


def _signal(
    chosen: Chosen,
    past: Past | None,
    prices: FloatArray | None,
    coming: Signal,
    before: tuple[float, float],
) -> tuple[Signal, FloatArray]:
    """Return what was `before` now and what will be, with the grade of each slot (NaN: unknown).

    Where the intensity changes at all, a yearly factor is not known: beside better figures it
    would be a step that nobody saw. Where it is all that there is, it stands, if there is a price
    to plan by.
    """
    signal, graded = _coming(chosen, coming)
    if past is not None:
        start, now = before
        was = Signal.of(past.slots, past.carbon, price=prices)
        signal = joined_signals(was.over(start, min(now, past.slots.end)), signal)
    around = Around(signal=coming)
    grade = _row(signal.slots, past, None if past is None else past.grade, around, graded)
    assert grade is not None  # noqa: S101  # made of a row
    unusable = grade == _YEARLY
    if not (grade < _YEARLY).any() and signal.price is not None:
        unusable[:] = False
    signal = replace(signal, carbon=np.where(unusable, np.nan, signal.carbon))
    return filled(signal), np.where(unusable, np.nan, grade)


def _coming(chosen: Chosen, signal: Signal) -> tuple[Signal, FloatArray]:
    """Return a forecast with its grades; what it leaves open is what the ladder has for it."""
    intensity = chosen.site.intensity
    known = np.isfinite(signal.carbon) & (intensity.forecast is not None)
    grade = np.where(known, float(BEST_FIRST.index(Grade.FORECAST)), np.nan)
    if known.all() or not len(signal.slots):
        return signal, grade
    carbon = np.array(signal.carbon)
    middles = (signal.slots.starts + signal.slots.ends) / 2.0
    for each in intensity.ladder.intervals(signal.slots.start, signal.slots.end):
        open_ones = ~known & (middles >= each.start) & (middles < each.end)
        carbon[open_ones] = each.value
        grade[open_ones] = BEST_FIRST.index(each.grade)
    return replace(signal, carbon=carbon), grade


def _taking(load: Load, around: Around, *, is_now: bool, now: float) -> Taking:
    """Return how a load takes part."""
    task, level = None, None
    if is_now:
        task = load.job.task(now, around)
        level = _level(load)
        if task is not None and task.is_rolling:
            task = None
    realised = load.realised
    return Taking(
        name=load.name,
        job=load.job,
        around=around,
        task=task,
        level=level,
        taken=realised.energy / realised.runs if realised.runs else None,
    )


def _level(load: Load) -> float | None:
    """Return what a store holds now, None where that is not known or cannot be."""
    level = None if load.seen is None else load.seen.level
    is_part = load.kind is not LoadKind.BATTERY or (level is not None and 0.0 <= level <= 100.0)
    return level if is_part else None


def _renamed(takings: Sequence[Taking]) -> list[Taking]:
    """Return loads of which no two have one name: what has one name is added up."""
    found: dict[str, Taking] = {}
    for taking in takings:
        name, number = taking.name, 1
        while name in found:
            number += 1
            name = f"{taking.name} ({number})"
        found[name] = replace(taking, name=name)
    return list(found.values())


def _row(
    slots: Slots,
    past: Past | None,
    was: FloatArray | None,
    coming: Around,
    will: FloatArray | None,
) -> FloatArray | None:
    """Return figures of the past and the future for some slots; None where there are none."""
    if was is None and will is None:
        return None
    found = np.full(len(slots), np.nan)
    for known, figures in (
        (coming.signal.slots, will),
        (None if past is None else past.slots, was),
    ):
        if known is not None and figures is not None:
            told = on_slots(known, figures, slots, np.nan)
            found = np.where(np.isfinite(told), told, found)
    return found


def _is_weathered(load: Load) -> bool:
    """Return whether the temperature outside matters to a load."""
    settings = load.settings()
    if load.kind is LoadKind.THERMAL:
        by_heater = settings.get(CONF_HEAT_SOURCE, "heater") == "heater"
        return settings.get(CONF_BODY, "tank") != "tank" or not by_heater
    return load.kind is LoadKind.AIR_ZONE


async def _async_outside(  # noqa: PLR0913, PLR0917  # a load, and what was and will be
    hass: HomeAssistant,
    chosen: Chosen,
    load: Load,
    slots: Slots,
    past: Past | None,
    reach: float,
) -> FloatArray | None:
    """Return the temperature outside of a load, None where nobody tells it."""
    entity = load.settings().get(CONF_OUTSIDE)
    if not _is_weathered(load) or not entity:
        return None
    coming = await chosen.planner.async_around(reach, load)
    was = None
    if past is not None and (means := await async_means(hass, entity, past.slots)) is not None:
        was = means.values
    found = _row(slots, past, was, coming, coming.outside)
    return None if found is None or not np.isfinite(found).any() else found


async def _async_prices(hass: HomeAssistant, chosen: Chosen, slots: Slots) -> FloatArray | None:
    """Return what a kilowatt-hour cost in some slots, None without any price."""
    planner = chosen.planner
    if not planner.prices.is_told:
        return None
    found = np.full(len(slots), np.nan)
    if (entity := planner.options.price_entity) is not None:
        means = await async_means(hass, entity, slots)
        if means is not None:
            with suppress(PriceUnitError):
                found = means.values * factor_of(means.unit or "")
    middles = (slots.starts + slots.ends) / 2.0
    # What the site still knows itself is finer than what is recorded.
    for each in planner.prices.intervals(slots.start, slots.end):
        found = np.where((middles >= each.start) & (middles < each.end), each.value, found)
    return found
