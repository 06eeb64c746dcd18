"""Keeps a site's book: brings what its meters have booked into the archive, every five minutes."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util

from .carbon.archive.archive import Archive
from .carbon.archive.errors import ArchiveError
from .carbon.intensity.ladder import Ladder
from .carbon.intervals import HOUR, INTERVAL, floor
from .carbon.site import figures as names
from .carbon.site.book import TOLD_UNTIL, Entered, Restated, SiteBook, SitePlan
from .carbon.site.entries import GridEntry, HourEntry, grid_entry, take_entries
from .carbon.site.including import include
from .carbon.site.meters import Role
from .carbon.supply.battery import Battery
from .carbon.tally import Tally
from .const import ARCHIVE_ISSUE, DOMAIN, LOGGER
from .coordinator import MeterCoordinator
from .intensity import SiteIntensity

_REVISED: Final = 48 * HOUR
"""Seconds for which an intensity that changes is looked at again: as long as sources keep it."""

_UNATTENDED: Final = 14 * 24 * HOUR
"""Seconds of intensities that are told after Home Assistant was away."""

_AT_ONCE: Final = 24
"""Hours of intensities that are looked up before others have their turn."""

_UNPUBLISHED: Final = "unpublished"
"""Under which the archive keeps the first hour that the recorder does not have as it is now."""

_OFFSETS: Final = "live_offsets"
"""Under which the archive keeps what live sensors leave out: what changed long after the fact."""

_BEGAN: Final = "began"
"""Under which the archive keeps the first hour of each meter that its own ledger has booked."""

_CONTINUED: Final = "continued"
"""Under which the archive keeps from when on it has the hours of meters that began before it."""

_FILLED: Final = "filled"
"""Under which the archive keeps up to when the past of each meter was filled in."""

type Totals = Mapping[str, Mapping[str, float]]


def archive_path(hass: HomeAssistant, entry_id: str) -> Path:
    """Return where the archive of a site lies."""
    return Path(hass.config.path(".storage", f"{DOMAIN}.{entry_id}.db"))


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What a meter's ledger had come to when it was entered."""

    energy: float
    carbon: float


@dataclass(frozen=True, kw_only=True)
class _Today:
    """The grams of the site's gross import since local midnight, as far as they are entered."""

    midnight: float = 0.0
    carbon: float = 0.0


@dataclass(frozen=True, kw_only=True)
class _Change:
    """What a change to the book has left behind."""

    entered: Entered
    offsets: dict[str, dict[str, float]]
    unpublished: int | None
    today: _Today


class Bookkeeper:
    """The book of one site in a running Home Assistant.

    What the book says is at most five minutes old; what has flowed since is weighed with the
    last mix in `carbon_of`.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        site_id: str,
        archive: Archive,
        intensity: SiteIntensity,
        meters: Mapping[str, MeterCoordinator],
    ) -> None:
        """Take the archive, the intensity and the meters; `async_plan` comes before all else."""
        self._hass = hass
        self._site_id = site_id
        self.archive = archive
        self._intensity = intensity
        self._meters = meters
        self._book: SiteBook | None = None
        self._is_troubled = False
        self.unpublished: int | None = None
        """The first hour that the record does not have as it is now, None for none."""

        self._listeners: set[Callable[[], None]] = set()
        self._working = asyncio.Lock()
        self._seen: dict[str, _Seen] = {}
        self._look_back = 0.0
        self._since = 0
        self._offsets: dict[str, dict[str, float]] = {}
        self._entered: Entered | None = None
        self._today = _Today()
        self.continued: Mapping[str, int] = {}
        """From when on the archive has the hours of a meter that began before it."""

        self.filled: Mapping[str, int] = {}
        """Up to when the past of a meter was filled in."""

    @property
    def totals(self) -> Totals:
        """Return the sums of all time, by owner and figure."""
        return {} if self._entered is None else self._entered.totals

    @property
    def batteries(self) -> Mapping[str, Battery]:
        """Return the ledgers of the site's batteries by their meters."""
        return {} if self._entered is None else self._entered.batteries

    @property
    def plan(self) -> SitePlan:
        """Return what the site is made of."""
        assert self._book is not None  # noqa: S101  # planned before all else
        return self._book.plan

    @callback
    def async_add_listener(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call back when the book has changed; returns how to stop it."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    @callback
    def intensity_changed(self) -> None:
        """Take note that intensities of the past may have changed."""
        self._look_back = max(self._look_back, _REVISED)

    async def async_plan(self, plan: SitePlan) -> None:
        """Go on with another plan, from now on."""
        async with self._working:
            self._book = SiteBook(self.archive, plan)
            await self._hass.async_add_executor_job(self._take_up, dt_util.utcnow().timestamp())

    def _take_up(self, now: float) -> None:
        """Take up what the archive holds; runs in the executor."""
        self._offsets = self.archive.get(_OFFSETS) or {}
        self.continued = self.archive.get(_CONTINUED) or {}
        self.filled = self.archive.get(_FILLED) or {}
        first = self.archive.first_hour()
        self._since = floor(now, HOUR) if first is None else first
        told: float | None = self.archive.get(TOLD_UNTIL)
        if told is not None and self._entered is None:
            self._look_back = min(_UNATTENDED, _REVISED + max(now - told, 0.0))

    async def async_go_on(
        self, meter_id: str, folded: Tally, recorded: Mapping[str, float]
    ) -> None:
        """Let the sums of a meter that the archive does not know go on from where they were.

        `folded` is what its ledger had come to by its first open hour, `recorded` what the
        record holds of it up to then: a sub-meter's carbon is not that of its ledger.
        """
        bases = {
            names.IMPORT: folded.import_energy,
            names.EXPORT: folded.export_energy,
            names.CARBON: folded.carbon,
            **recorded,
        }
        until = self._meters[meter_id].account.ledger.first_open
        self.continued = {**self.continued, meter_id: until}
        await self._hass.async_add_executor_job(
            _put_bases, self.archive, meter_id, bases, self.continued
        )

    async def async_enter(self) -> bool:
        """Bring in what is new; return whether that could be done.

        Where the archive cannot be used nothing is lost: it is told, and brought in the next time.
        """
        async with self._working:
            now = dt_util.utcnow().timestamp()
            entries: list[HourEntry] = []
            seen: dict[str, _Seen] = {}
            for meter_id, meter in self._meters.items():
                ledger = meter.account.ledger
                entries += take_entries(meter_id, ledger)
                total = ledger.total
                seen[meter_id] = _Seen(energy=total.import_energy, carbon=total.carbon)
            hours = {entry.hour for entry in entries} | {floor(now, HOUR)}
            look_back, self._look_back = self._look_back, 0.0
            if look_back:
                start = max(floor(now - look_back, HOUR), self._since)
                hours |= set(range(start, floor(now, HOUR), HOUR))
            grid = await _told(self._intensity.ladder, hours)
            ladder = self._intensity.marginal
            marginal = [] if ladder is None else await _told(ladder, hours)
            try:
                done = await self._hass.async_add_executor_job(
                    partial(self._enter, entries, grid, marginal, now)
                )
            except Exception as err:
                for entry in entries:
                    self._meters[entry.meter].account.ledger.touch([entry.hour])
                self._look_back = max(look_back, _REVISED)
                if not isinstance(err, ArchiveError):
                    raise
                self._tell(err)
                return False
            self._tell(None)
            self._seen = seen
            self._done(done)
            return True

    async def async_began(self) -> dict[str, int]:
        """Return the first hour of each meter that its own ledger has booked; raises ArchiveError.

        What was before can be filled in. Of a meter that began before the archive it is 0.
        """
        began = await self._hass.async_add_executor_job(self.archive.get, _BEGAN)
        return {**(began or {}), **dict.fromkeys(self.continued, 0)}

    async def async_include(self, past: Mapping[str, tuple[int, int]]) -> None:
        """Let the plans of the past have meters whose hours of [start, end) are to be filled in."""
        async with self._working:
            await self._hass.async_add_executor_job(include, self.archive, self.plan, past)

    async def async_fill(
        self, entries: Iterable[HourEntry], grid: Iterable[GridEntry], until: int
    ) -> None:
        """Bring in hours of the past, all before `until`; the live sensors leave them out.

        Batteries are carried on up to there; the next entry carries them on to the present. Raises
        ArchiveError.
        """
        async with self._working:
            now = dt_util.utcnow().timestamp()
            done = await self._hass.async_add_executor_job(
                partial(self._fill, list(entries), list(grid), until, now)
            )
            self._done(done)

    async def async_restate(
        self,
        start: int,
        end: int,
        grid: Iterable[GridEntry],
        why: Restated,
        *,
        with_present_plan: bool = False,
    ) -> Entered:
        """Weigh the hours of [start, end) again, with another grid where one is given.

        The live sensors leave out what that changes. Raises ArchiveError.
        """
        async with self._working:
            now = dt_util.utcnow().timestamp()
            done = await self._hass.async_add_executor_job(
                partial(self._restate, start, end, list(grid), why, now, with_present_plan)
            )
            self._done(done)
            return done.entered

    def _done(self, done: _Change) -> None:
        """Take what the book has become."""
        self._entered, self._offsets, self._today = done.entered, done.offsets, done.today
        self.unpublished = done.unpublished
        for listener in list(self._listeners):
            listener()

    @callback
    def _tell(self, err: ArchiveError | None) -> None:
        """Tell that the archive cannot be used, and what to do; take it back when it can."""
        issue_id = f"{ARCHIVE_ISSUE}{self._site_id}"
        if err is None:
            if self._is_troubled:
                self._is_troubled = False
                ir.async_delete_issue(self._hass, DOMAIN, issue_id)
                LOGGER.info("The archive can be used again")
            return
        if not self._is_troubled:
            LOGGER.error("%s", err)
        self._is_troubled = True
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.ERROR,
            translation_key="archive_failed",
            translation_placeholders={"error": str(err)},
        )

    # In the executor

    def _enter(
        self,
        entries: list[HourEntry],
        grid: list[GridEntry],
        marginal: list[GridEntry],
        now: float,
    ) -> _Change:
        """Enter; keep what live sensors leave out and what the record lacks, all or nothing."""
        assert self._book is not None  # noqa: S101  # planned before all else
        book = self._book

        def change() -> Entered:
            self._note_first(entries)
            return book.enter(entries, grid, now=now, marginal=marginal)

        return self._changed(now, change, settled=floor(now - _REVISED, HOUR))

    def _note_first(self, entries: Iterable[HourEntry]) -> None:
        """Keep the first hour of each meter that comes for the first time."""
        began: dict[str, int] = self.archive.get(_BEGAN) or {}
        first: dict[str, int] = {}
        for entry in entries:
            first[entry.meter] = min(entry.hour, first.get(entry.meter, entry.hour))
        if not first.keys() <= began.keys():
            self.archive.put(_BEGAN, first | began)

    def _fill(
        self, entries: list[HourEntry], grid: list[GridEntry], until: int, now: float
    ) -> _Change:
        """Enter hours of the past; whatever that changes is left out of live sensors."""
        assert self._book is not None  # noqa: S101  # planned before all else
        book = self._book
        filled = dict(self.filled)
        for entry in entries:
            filled[entry.meter] = max(entry.hour + HOUR, filled.get(entry.meter, 0))

        def change() -> Entered:
            self.archive.put(_FILLED, filled)
            told: float | None = self.archive.get(TOLD_UNTIL)
            entered = book.enter(entries, grid, now=now, until=until)
            if told is not None:
                # What has ended since the last entry was not told now.
                self.archive.put(TOLD_UNTIL, told)
            if self._entered is None:
                return entered
            return replace(entered, batteries=self._entered.batteries, latest=self._entered.latest)

        done = self._changed(now, change)
        self.filled = filled
        return done

    def _restate(  # noqa: PLR0913, PLR0917  # what makes up a restatement
        self,
        start: int,
        end: int,
        grid: list[GridEntry],
        why: Restated,
        now: float,
        with_present_plan: bool,
    ) -> _Change:
        """Weigh again; whatever that changes is left out of live sensors."""
        assert self._book is not None  # noqa: S101  # planned before all else
        book = self._book

        def change() -> Entered:
            first: int | None = None
            if grid:
                first = book.enter([], grid, now=now, why=why).first
            again = book.weigh_again(
                start, end, now=now, why=why, with_present_plan=with_present_plan
            )
            known = [hour for hour in (first, again.first) if hour is not None]
            return replace(again, first=min(known, default=None))

        return self._changed(now, change)

    def _changed(
        self, now: float, change: Callable[[], Entered], settled: int | None = None
    ) -> _Change:
        """Make a change to the book, and take note of what follows from it.

        Live sensors leave out what changes before the hour `settled`, everything without one.
        """
        offsets = {owner: dict(of_owner) for owner, of_owner in self._offsets.items()}
        with self.archive.transaction():
            before = self.archive.totals(settled)
            entered = change()
            if entered.first is not None and (settled is None or entered.first < settled):
                for owner, of_owner in self.archive.totals(settled).items():
                    for name, value in of_owner.items():
                        late = value - before.get(owner, {}).get(name, 0.0)
                        if late:
                            mine = offsets.setdefault(owner, {})
                            mine[name] = mine.get(name, 0.0) + late
                self.archive.put(_OFFSETS, offsets)
            unpublished: int | None = self.archive.get(_UNPUBLISHED)
            if entered.first is not None:
                unpublished = min(entered.first, unpublished or entered.first)
                self.archive.put(_UNPUBLISHED, unpublished)
        return _Change(
            entered=entered,
            offsets=offsets,
            unpublished=unpublished,
            today=self._since_midnight(now),
        )

    def _since_midnight(self, now: float) -> _Today:
        """Return what the day has brought so far, to the interval: days begin at any quarter."""
        local = dt_util.as_local(dt_util.utc_from_timestamp(now))
        midnight = dt_util.start_of_local_day(local).timestamp()
        first = floor(midnight, HOUR)
        energy = self.archive.energy(self.plan.meters.grids, first, floor(now, HOUR) + HOUR)
        begun = int(midnight - first) // INTERVAL
        return _Today(midnight=midnight, carbon=float(energy.grid_carbon[:, begun:].sum()))

    # What it says now

    def total(self, owner: str, figure: str) -> float:
        """Return the sum of a figure as it was lived: less what was filled in or restated late."""
        late = self._offsets.get(owner, {}).get(figure, 0.0)
        return self.totals.get(owner, {}).get(figure, 0.0) - late

    def carbon_of(self, meter_id: str) -> float:
        """Return the grams of what a meter let through, up to its last reading."""
        return self.total(meter_id, names.CARBON) + self._since_entered(meter_id)

    def _since_entered(self, meter_id: str) -> float:
        """Return the grams of what a meter let through since the book was brought up to date."""
        seen = self._seen.get(meter_id)
        if seen is None or meter_id not in self._meters:
            return 0.0
        total = self._meters[meter_id].account.ledger.total
        share, others = self._mix_of(meter_id)
        energy, carbon = total.import_energy - seen.energy, total.carbon - seen.carbon
        return carbon * share + energy * others / 1000.0

    def carbon_of_site(self) -> float:
        """Return the grams of the site's gross import, up to the last readings."""
        return sum(self.carbon_of(meter_id) for meter_id in self.plan.meters.grids)

    @property
    def today(self) -> datetime:
        """Return the local midnight since which `carbon_today` counts."""
        return dt_util.utc_from_timestamp(self._today.midnight)

    def carbon_today(self) -> float:
        """Return the grams of the site's gross import since the midnight of `today`."""
        since = sum(self._since_entered(meter_id) for meter_id in self.plan.meters.grids)
        return self._today.carbon + since

    @property
    def supply_intensity(self) -> float | None:
        """Return gCO2eq/kWh of what the site used over the last intervals of the book."""
        latest = None if self._entered is None else self._entered.latest
        if latest is None:
            return None
        site = latest.of_site()
        now = dt_util.utcnow().timestamp()
        until = max(int((now - latest.intervals.starts[0]) // INTERVAL), 1)
        last = slice(max(until - 2, 0), until)
        used = float(site[names.CONSUMPTION][last].sum()) if site else 0.0
        if not used:
            return None
        return float(site[names.CONSUMPTION_CARBON][last].sum()) / used * 1000.0

    def intensity_at(self, meter_id: str, of_grid: float) -> float:
        """Return gCO2eq/kWh of what a meter is fed with now, given that of the grid."""
        share, others = self._mix_of(meter_id)
        return of_grid * share + others

    def _mix_of(self, meter_id: str) -> tuple[float, float]:
        """Return the grid's part of the last mix of a meter, and gCO2eq/kWh of all others."""
        latest = None if self._entered is None else self._entered.latest
        meters = self.plan.meters
        if latest is None or meter_id not in meters.place:
            return 1.0, 0.0
        if meters.role(meter_id) is not Role.SUBMETER:
            return 1.0, 0.0
        place = latest.place(meter_id)
        if place is None:
            return 1.0, 0.0
        now = dt_util.utcnow().timestamp()
        slot = int((now - latest.intervals.starts[0]) // INTERVAL) - 1
        slot = min(max(slot, 0), len(latest.intervals.starts) - 1)
        return float(place.grid_share[slot]), float(place.others[slot])

    async def async_published(self, until: int) -> None:
        """Take note that the record has everything up to the end of an hour."""
        async with self._working:
            self.unpublished = until
            await self._hass.async_add_executor_job(self.archive.put, _UNPUBLISHED, until)

    async def async_trim(self) -> None:
        """Let what is old take less room."""
        now = dt_util.utcnow().timestamp()
        try:
            await self._hass.async_add_executor_job(self.archive.trim, now)
        except ArchiveError as err:
            LOGGER.error("%s", err)


async def _told(ladder: Ladder, hours: Iterable[int]) -> list[GridEntry]:
    """Return what a ladder knows of some hours; others have their turn in between."""
    found: list[GridEntry] = []
    for hour in sorted(hours):
        found.append(grid_entry(ladder, hour))
        if not len(found) % _AT_ONCE:
            await asyncio.sleep(0)
    return found


def _put_bases(
    archive: Archive, meter_id: str, bases: Mapping[str, float], continued: Mapping[str, int]
) -> None:
    """Keep what a meter had come to before the archive began."""
    with archive.transaction():
        archive.put(_CONTINUED, continued)
        for figure, value in bases.items():
            archive.put_base(meter_id, figure, value)
