"""Plans of a site's loads in Home Assistant: made anew when something changes, and followed."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util

from ..bookkeeper import Bookkeeper
from ..const import LOGGER
from ..coordinator import MeterCoordinator
from ..drivers.clock import now as clock
from ..intensity import SiteIntensity
from ..planning.explain import Speaker
from ..planning.jobs.job import Around, Planned
from ..planning.objective import Objective
from ..planning.plan import Margin
from ..planning.signal import Signal
from ..planning.site import Fuse
from .alarm import Alarm
from .asking import Requests
from .computing import Terms, computed
from .issues import LoadIssues
from .keys import CONF_METER, CONF_PLANNING, SUBENTRY_LOAD, LoadKind
from .load import Load
from .loads_store import LoadsStore
from .main_fuse import MainFuse
from .observer import Observer
from .options import PlanningOptions
from .prices import SitePrices
from .realised import Ran
from .round import Round
from .savings import Savings
from .settings import LoadSettingsError, job_of
from .solver import Solver
from .surroundings import Surroundings

_LOOK: Final = timedelta(seconds=30)
"""How often every load is looked at, also when nothing changes."""

_SETTLING: Final = timedelta(minutes=15)
"""How often runs are looked at that wait for the intensities to come true."""

_KEEPING: Final = timedelta(minutes=5)
"""How often the progress of what runs is written."""

_DEBOUNCE: Final = 10.0
"""Seconds that are waited for what comes with a new forecast or price."""

_BETWEEN: Final = 60.0
"""Seconds between plans that a forecast or a price asks for."""

_BETWEEN_OWN: Final = 10.0
"""Seconds between plans that loads ask for."""

_SLOT: Final = "slot"
"""The key of the signal's edges among those of loads."""


class SitePlanner:
    """The loads of one site. The event loop is never blocked: plans are made in an executor."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        intensity: SiteIntensity,
        keeper: Bookkeeper,
        meters: Mapping[str, MeterCoordinator],
    ) -> None:
        """Take the site's parts; `async_load` comes before all else."""
        self.loads: dict[str, Load] = {}
        self.signal: Signal | None = None
        """What plans were made with last."""

        self._hass = hass
        self._entry = entry
        self._intensity = intensity
        self._meters = meters
        self._zone = dt_util.get_default_time_zone()
        self.options = PlanningOptions.of(entry.options.get(CONF_PLANNING))
        self.prices = SitePrices(hass, self.options)
        self.surroundings = Surroundings(
            hass, intensity, keeper, self.prices, [key for key in self._metered() if key in meters]
        )
        self._fuse = MainFuse(self.options, self.surroundings)
        self.solver = Solver(hass, entry, self._figures_changed)
        self._store = LoadsStore(hass, entry.entry_id)
        self._savings = Savings(hass, intensity, keeper, self.prices, meters)
        self._issues = LoadIssues(hass, entry)
        self._observers: dict[str, Observer] = {}
        self._planning = asyncio.Lock()
        self._stops: list[CALLBACK_TYPE] = []
        self._listeners: set[Callable[[], None]] = set()
        self._unused: dict[str, Any] = {}
        """What was kept of loads that cannot be used now."""

        self._requests = Requests(hass, self._begin)
        self._alarm = Alarm(hass, self._rung)
        self._is_closed = False

    # What is read

    @property
    def objective(self) -> Objective:
        """Return what plans make small."""
        return self.options.objective

    @property
    def preference(self) -> Objective:
        """Return what alternatives are ranked by: the same."""
        return self.options.objective

    @property
    def margin(self) -> Margin:
        """Return what a change of plan has to gain."""
        return self.options.margin

    @property
    def fuse(self) -> Fuse | None:
        """Return the main fuse with what is not planned, for the slots of `signal`."""
        if self._fuse.limit is None:
            return None
        base = None if self.signal is None else self._fuse.base(self.signal.slots)
        return Fuse(limit=self._fuse.limit, base=base)

    @property
    def speaker(self) -> Speaker:
        """Return how sentences are made in this home."""
        config = self._hass.config
        return Speaker(language=config.language, zone=self._zone, currency=config.currency)

    def zone_of_day(self) -> tzinfo:
        """Return the time zone of the home."""
        return self._zone

    def signal_over(self, start: float, end: float) -> Signal:
        """Return what came true and what is forecast of [start, end)."""
        return self.surroundings.signal_over(start, end, clock())

    async def async_around(self, end: float | None = None, load: Load | None = None) -> Around:
        """Return what surrounds the site's loads, or one of them, for 72 h or until `end`."""
        now = clock()
        site = await self.surroundings.async_around(now, end)
        if load is None:
            return site
        return await self.surroundings.async_around_of(site, load.settings(), now)

    @callback
    def async_add_listener(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call back when plans were made; returns how to stop it."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    # From set-up to unloading

    async def async_load(self) -> None:
        """Read what was kept, and set up the loads that can be used; the others are told."""
        stored = await self._store.async_load()
        now = clock()
        kept = stored.get("kept")
        moment = float(kept) if isinstance(kept, int | float) else now
        parts = stored.get("loads")
        parts = parts if isinstance(parts, Mapping) else {}
        self.prices.restore(stored.get("prices"))
        for subentry in self._entry.get_subentries_of_type(SUBENTRY_LOAD):
            part = parts.get(subentry.subentry_id)
            if (load := self._made(subentry)) is None:
                self._unused[subentry.subentry_id] = part
                continue
            if isinstance(part, Mapping):
                load.restore(part, moment, now)
            self.loads[load.id] = load
            self._observers[load.id] = Observer(
                self._hass, subentry.data, self._meters.get(subentry.data.get(CONF_METER, ""))
            )
        self._store.async_collect_with(self._content)

    def _metered(self) -> list[str]:
        """Return the ids of the meters that measure one load alone."""
        loads = self._entry.get_subentries_of_type(SUBENTRY_LOAD)
        return [subentry.data[CONF_METER] for subentry in loads if CONF_METER in subentry.data]

    def _made(self, subentry: ConfigSubentry) -> Load | None:
        """Return the load of a subentry, None where its data cannot be."""
        try:
            job = job_of(subentry.data, self._zone, subentry.title)
        except LoadSettingsError as err:
            LOGGER.error("%s: %s", subentry.title, err)
            self._issues.tell(subentry, "load_unusable", str(err))
            return None
        return Load(subentry, job, self)

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Plan and follow plans from now on; returns how to stop."""
        hass = self._hass
        for load in self.loads.values():
            self._observe(load)
        self._stops = [
            self.prices.async_start(self._figures_changed),
            self._intensity.async_add_listener(self._figures_changed),
            *(
                observer.async_start(partial(self._observe, self.loads[load_id]))
                for load_id, observer in self._observers.items()
            ),
        ]
        if self.loads:
            self._stops += [
                async_track_time_interval(hass, self._look, _LOOK),
                async_track_time_interval(hass, self._async_settle, _SETTLING),
                async_track_time_interval(hass, self._keep_progress, _KEEPING),
                async_at_started(hass, self._async_started),
            ]
            if not hass.is_running:
                self._requests.ask(self.loads)
        return self._stop

    async def _async_started(self, _hass: HomeAssistant) -> None:
        """Look again: now the entities of other integrations are there."""
        self._look()
        self._requests.ask(self.loads)

    @callback
    def _stop(self) -> None:
        """Follow nothing any more."""
        self._is_closed = True
        for stop in self._stops:
            stop()
        self._stops = []
        self._alarm.stop()
        self._requests.stop()

    async def async_close(self) -> None:
        """Stop, and write what must survive: the site is unloaded."""
        self._stop()
        await self._store.async_close()
        self._issues.clear_all()
        self.solver.async_close()

    @callback
    def async_keep(self) -> None:
        """Write what must survive a restart, soon."""
        if not self._is_closed:
            self._store.async_schedule()

    @callback
    def _keep_progress(self, _now: datetime) -> None:
        """Write how far runs are that are going on."""
        if any(load.target.run for load in self.loads.values()):
            self.async_keep()

    def _content(self) -> dict[str, Any]:
        """Return what must survive a restart; of loads that cannot be used, what was there."""
        loads = {key: part for key, part in self._unused.items() if part is not None}
        loads |= {key: load.as_dict() for key, load in self.loads.items()}
        return {"loads": loads, "prices": self.prices.as_dict()}

    # Looking

    @callback
    def _look(self, _now: datetime | None = None) -> None:
        """Look at every load."""
        for load in self.loads.values():
            self._observe(load)

    @callback
    def _observe(self, load: Load, *, asks: bool = True) -> None:
        """Look at a load: what it does, and what it should do now; it may ask for a plan."""
        try:
            is_needed = load.observe(self._observers[load.id].seen(clock()))
        except Exception as err:  # noqa: BLE001  # the other loads go on
            self._failed(load, err)
            return
        if is_needed and asks:
            self._requests.ask((load.id,), spacing=_BETWEEN_OWN)
        self._arm()

    @callback
    def _figures_changed(self) -> None:
        """Plan anew soon: a forecast or a price has come."""
        self._requests.ask(self.loads, delay=_DEBOUNCE, spacing=_BETWEEN)

    @callback
    def _arm(self) -> None:
        """Wake up at the next moment at which anything is planned to change."""
        if self._is_closed:
            return
        now = clock()
        edges = {load.id: load.next_edge(now) for load in self.loads.values()}
        if self.signal is not None:
            ahead = self.signal.slots.ends[self.signal.slots.ends > now]
            edges[_SLOT] = float(ahead[0]) if len(ahead) else None
        self._alarm.set(edges)

    @callback
    def _rung(self, due: Collection[str]) -> None:
        """Do what is planned for now, and plan anew what has come to an edge."""
        self._requests.ask(self.loads if _SLOT in due else due, spacing=_BETWEEN_OWN)
        self._look()

    # Planning

    @callback
    def _begin(self, load_ids: tuple[str, ...]) -> None:
        """Plan what was asked for, in the background."""
        if not self._is_closed:
            self._entry.async_create_background_task(
                self._hass, self._async_plan_asked(load_ids), f"plans of {self._entry.title}"
            )

    async def _async_plan_asked(self, load_ids: Collection[str]) -> None:
        """Plan loads; what goes wrong with all of them is told in the log."""
        try:
            await self.async_replan(load_ids)
        except Exception:  # noqa: BLE001  # the next plans may succeed
            LOGGER.exception("%s: no plans could be made", self._entry.title)

    async def async_replan(self, load_ids: Collection[str] | None = None) -> None:
        """Plan loads anew now, all of them where none are named; returns when that is done.

        Those under one fuse are planned together. One at a time is at work for a site.
        """
        async with self._planning:
            wanted = self._together(self.loads if load_ids is None else load_ids)
            if wanted and not self._is_closed:
                await self._async_plan(wanted)

    def _together(self, load_ids: Collection[str]) -> list[Load]:
        """Return the loads that are to be planned: under a fuse all are, as one depends on all."""
        if self._fuse.limit is not None and any(key in self.loads for key in load_ids):
            return list(self.loads.values())
        return [load for key, load in self.loads.items() if key in load_ids]

    async def _async_plan(self, loads: Collection[Load]) -> None:
        """Plan loads, and follow the plans."""
        for load in loads:
            await self._observers[load.id].async_refresh(clock())
            self._observe(load, asks=False)
        now = clock()
        made = Round(now, await self.surroundings.async_around(now))
        self.signal = made.site.signal
        for load in loads:
            around = await self.surroundings.async_around_of(made.site, load.settings(), now)
            try:
                made.take(load, around)
            except Exception as err:  # noqa: BLE001  # the other loads go on
                self._failed(load, err)
        found: Mapping[str, Planned | Exception] = {}
        if made.wanted:
            terms = await self._async_terms(made, made.site.signal)
            found = await self._hass.async_add_executor_job(computed, made.wanted, terms)
        if self._is_closed:
            return
        for load in loads:
            try:
                if made.give(load, found.get(load.id)):
                    self._issues.clear(load.subentry, "load_failed")
            except Exception as err:  # noqa: BLE001  # the other loads go on
                self._failed(load, err)
        self._arm()
        for listener in list(self._listeners):
            listener()

    async def _async_terms(self, made: Round, signal: Signal) -> Terms:
        """Return what the plans keep to; HiGHS is installed where it is of use."""
        limit = self._fuse.limit
        movable = sum(each.task.load is not None for each in made.wanted)
        below_zero = signal.price is not None and bool((signal.price < 0.0).any())
        has_battery = any(self.loads[each.id].kind is LoadKind.BATTERY for each in made.wanted)
        is_of_use = (limit is not None and movable > 1) or (has_battery and below_zero)
        return Terms(
            signal=signal,
            objective=self.objective,
            margin=self.margin,
            now=made.now,
            limit=limit,
            base=None if limit is None else self._fuse.base(signal.slots),
            others=tuple(made.others),
            use_solver=is_of_use and await self.solver.async_is_there(),
        )

    def has_room(self, load: Load, power: float) -> bool:
        """Return whether the fuse lets a load draw so much now, beside what the others draw."""
        return self._fuse.has_room(load, power, self.loads.values())

    def _failed(self, load: Load, err: Exception) -> None:
        """Tell once that a load cannot be planned; it keeps the plan that it has."""
        if self._issues.tell(load.subentry, "load_failed", f"{type(err).__name__}: {err}"):
            LOGGER.error("%s cannot be planned", load.name, exc_info=err)

    # Savings

    def ran(self, load: Load, ran: Ran) -> None:
        """Take a run that is finished: its saving is known when the intensities are."""
        load.realised.wait_for(ran)
        self.async_keep()

    async def _async_settle(self, _now: datetime) -> None:
        """Book the savings of runs whose intensities have come true."""
        for load in self.loads.values():
            try:
                if await self._savings.async_settle(load, clock()):
                    self.async_keep()
                    load.tell()
            except Exception as err:  # noqa: BLE001  # the other loads have theirs
                self._failed(load, err)
