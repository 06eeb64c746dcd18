"""The calendar of a load: when it has run, runs and will run, by its plan."""

from collections.abc import Iterator, Mapping
from datetime import datetime
import math
from typing import Final, NamedTuple, override

from homeassistant.components.calendar import (
    CalendarEntity,
    CalendarEntityDescription,
    CalendarEvent,
)
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .data import CarbonMeterConfigEntry
from .load_descriptions import by_run
from .load_entity import LoadEntity, async_add_loads
from .loads.keys import CONF_POWER, LoadKind
from .loads.load import Load
from .loads.planner import SitePlanner
from .planning.plan import runs

PARALLEL_UPDATES: Final = 0

LOAD_PLAN: Final = CalendarEntityDescription(key="load_plan", translation_key="load_plan")


class Run(NamedTuple):
    """When a load runs, in seconds since 1970 UTC, and what is told of it."""

    start: float
    end: float
    title: str
    description: str


async def async_setup_entry(
    hass: HomeAssistant,
    entry: CarbonMeterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the calendar of each load."""
    planner = entry.runtime_data.planner
    texts = await async_get_translations(hass, hass.config.language, "common", {DOMAIN})

    def make(load: Load, device: DeviceInfo) -> list[LoadCalendar]:
        return [LoadCalendar(load, device, planner, texts)]

    await async_add_loads(hass, entry, Platform.CALENDAR, async_add_entities, make)


class LoadCalendar(LoadEntity, CalendarEntity):
    """The runs of a load: those of its plan, and before them those that were really seen."""

    def __init__(
        self, load: Load, device: DeviceInfo, planner: SitePlanner, texts: Mapping[str, str]
    ) -> None:
        """Take the load, and how to speak of its runs."""
        super().__init__(load, device, LOAD_PLAN)
        self._planner = planner
        self._texts = texts

    @property
    @override
    def event(self) -> CalendarEvent | None:
        """Return the run of now, or the one that comes next."""
        now = dt_util.utcnow().timestamp()
        # What is shown is whole seconds: a run whose last part of one lasts must not stay.
        return next((self._event(run) for run in self._planned() if round(run.end) > now), None)

    @override
    async def async_get_events(
        self, hass: HomeAssistant, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        """Return the runs that touch a stretch of time, in order."""
        start, end = start_date.timestamp(), end_date.timestamp()
        past = list(self._past())
        seen = max((run.end for run in past), default=-math.inf)
        coming = [run for run in self._planned() if run.end > seen]
        told = sorted([*past, *coming], key=lambda run: run.start)
        return [self._event(run) for run in told if run.start < end and run.end > start]

    def _planned(self) -> Iterator[Run]:
        """Yield the runs of the plan, with its reason."""
        load, plan = self._load, self._load.plan
        if plan is None:
            return
        title, why = load.name, load.explanation
        if load.kind is LoadKind.LIGHT_ZONE:
            full = float(load.data[CONF_POWER])
            for piece in plan.pieces:
                share = 100.0 * piece.power / full
                yield Run(piece.start, piece.end, f"{title} {share:.0f} %", why)
            return
        for piece in by_run(plan.pieces):
            if load.kind is LoadKind.BATTERY:
                title = f"{load.name} {piece.energy / 1000.0:+.2f} kWh"
            yield Run(piece.start, piece.end, title, why)

    def _past(self) -> Iterator[Run]:
        """Yield the runs that are over, as they were really seen, with what they saved."""
        title, realised = self._load.name, self._load.realised
        for booked in realised.history:
            said = self._said(booked.saving.energy, booked.saving.carbon.value)
            yield from (Run(*run, title, said) for run in booked.runs)
        for ran in realised.waiting:
            said = self._said(sum(max(piece.energy, 0.0) for piece in ran.taken), None)
            yield from (Run(*run, title, said) for run in runs(ran.taken))

    def _said(self, energy: float, avoided: float | None) -> str:
        """Return a sentence on what a run in Wh took, and avoided in g; None is not known yet."""
        speaker = self._planner.speaker
        return self._texts[f"component.{DOMAIN}.common.{_key(avoided)}"].format(
            energy=speaker.energy(energy), carbon=speaker.mass(abs(avoided or 0.0))
        )

    def _event(self, run: Run) -> CalendarEvent:
        start, end = (
            dt_util.as_local(dt_util.utc_from_timestamp(round(moment)))
            for moment in (run.start, run.end)
        )
        if end.replace(tzinfo=None) < start.replace(tzinfo=None):
            # In the hour that comes twice. Home Assistant compares what clocks show, and refuses
            # what ends before it begins: it is shown until they show its start again.
            end = start.replace(fold=1)
        return CalendarEvent(start=start, end=end, summary=run.title, description=run.description)


def _key(avoided: float | None) -> str:
    """Return the text for what a run avoided in g."""
    if avoided is None:
        return "load_pending"
    return "load_avoided" if avoided >= 0.0 else "load_worse"
