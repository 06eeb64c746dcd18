"""Keeps a site's book: brings what its meters have booked into the archive, every five minutes."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .book_changes import REVISED, BookChanges, Change, Today
from .carbon.archive.archive import Archive
from .carbon.archive.errors import ArchiveError
from .carbon.intensity.ladder import Ladder
from .carbon.intervals import HOUR, INTERVAL, floor
from .carbon.site import figures as names
from .carbon.site.book import Entered, Restated, SitePlan
from .carbon.site.entries import GridEntry, HourEntry, grid_entry, take_entries
from .carbon.site.including import include
from .carbon.site.meters import Role
from .carbon.supply.battery import Battery
from .carbon.tally import Tally
from .const import ARCHIVE_ISSUE, DOMAIN, LOGGER
from .coordinator import MeterCoordinator
from .intensity import SiteIntensity
from .repair_issue import RepairIssue

_UNATTENDED: Final = 14 * 24 * HOUR
"""Seconds of intensities that are told after Home Assistant was away."""

_AT_ONCE: Final = 24
"""Hours of intensities that are looked up before others have their turn."""

type Totals = Mapping[str, Mapping[str, float]]


def archive_path(hass: HomeAssistant, entry_id: str) -> Path:
    """Return where the archive of a site lies."""
    return Path(hass.config.path(".storage", f"{DOMAIN}.{entry_id}.db"))


class Bookkeeper:
    """The book of one site in a running Home Assistant.

    What the book says is at most five minutes old; what a grid connection has let through since
    is added in `carbon_of`.
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
        self._changes: BookChanges | None = None
        self._is_troubled = False
        self.unpublished: int | None = None
        """The first hour that the record does not have as it is now, None for none."""

        self._listeners: set[Callable[[], None]] = set()
        self._working = asyncio.Lock()
        self._seen: dict[str, float] = {}
        """The grams that each ledger had come to when it was entered."""

        self._look_back = 0.0
        self._since = 0
        self._entered: Entered | None = None
        self._offsets: Mapping[str, Mapping[str, float]] = {}
        """What live sensors leave out of the sums of `_entered`: the two change together."""

        self._today = Today()

    @property
    def totals(self) -> Totals:
        """Return the sums of all time, by owner and figure."""
        return {} if self._entered is None else self._entered.totals

    @property
    def batteries(self) -> Mapping[str, Battery]:
        """Return the ledgers of the site's batteries by their meters."""
        return {} if self._entered is None else self._entered.batteries

    @property
    def changed(self) -> int | None:
        """Return the first hour whose figures the last change may have touched, None for none."""
        return None if self._entered is None else self._entered.first

    @property
    def plan(self) -> SitePlan:
        """Return what the site is made of."""
        return self._made.plan

    @property
    def continued(self) -> Mapping[str, int]:
        """Return from when on the archive has the hours of a meter that began before it."""
        return self._made.continued

    @property
    def filled(self) -> Mapping[str, int]:
        """Return up to when the past of a meter was filled in."""
        return self._made.filled

    @property
    def _made(self) -> BookChanges:
        """Return what makes changes to the book."""
        if self._changes is None:
            raise RuntimeError("the book of a site needs a plan before all else")
        return self._changes

    @callback
    def async_add_listener(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call back when the book has changed; returns how to stop it."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    @callback
    def intensity_changed(self) -> None:
        """Take note that intensities of the past may have changed."""
        self._look_back = max(self._look_back, REVISED)

    async def async_plan(self, plan: SitePlan) -> None:
        """Go on with another plan, from now on."""
        async with self._working:
            changes = await self._hass.async_add_executor_job(BookChanges, self.archive, plan)
            first, told = await self._hass.async_add_executor_job(changes.span)
            now = dt_util.utcnow().timestamp()
            self._changes, self._offsets = changes, changes.offsets
            self._since = floor(now, HOUR) if first is None else first
            if told is not None and self._entered is None:
                self._look_back = min(_UNATTENDED, REVISED + max(now - told, 0.0))

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
        await self._hass.async_add_executor_job(self._made.go_on, meter_id, until, bases)

    async def async_enter(self) -> bool:
        """Bring in what is new; return whether that could be done.

        Where the archive cannot be used nothing is lost: it is told, and brought in the next time.
        """
        async with self._working:
            now = dt_util.utcnow().timestamp()
            entries: list[HourEntry] = []
            seen: dict[str, float] = {}
            for meter_id, meter in self._meters.items():
                ledger = meter.account.ledger
                entries += take_entries(meter_id, ledger)
                seen[meter_id] = ledger.total.carbon
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
                    partial(self._made.enter, entries, grid, marginal, now)
                )
            except Exception as err:
                for entry in entries:
                    self._meters[entry.meter].account.ledger.touch([entry.hour])
                self._look_back = max(look_back, REVISED)
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
        return await self._hass.async_add_executor_job(self._made.began)

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
                partial(
                    self._made.fill,
                    list(entries),
                    list(grid),
                    until=until,
                    now=now,
                    present=self._entered,
                )
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
                partial(
                    self._made.restate,
                    start,
                    end,
                    list(grid),
                    why,
                    now=now,
                    with_present_plan=with_present_plan,
                )
            )
            self._done(done)
            return done.entered

    def _done(self, done: Change) -> None:
        """Take what the book has become."""
        self._entered, self._offsets, self._today = done.entered, done.offsets, done.today
        self.unpublished = done.unpublished
        for listener in list(self._listeners):
            listener()

    @callback
    def _tell(self, err: ArchiveError | None) -> None:
        """Tell that the archive cannot be used, and what to do; take it back when it can."""
        issue = RepairIssue(self._hass, f"{ARCHIVE_ISSUE}{self._site_id}")
        if err is None:
            if self._is_troubled:
                self._is_troubled = False
                issue.clear()
                LOGGER.info("The archive can be used again")
            return
        if not self._is_troubled:
            LOGGER.error("%s", err)
        self._is_troubled = True
        issue.tell("archive_failed", {"error": str(err)})

    # What it says now

    def total(self, owner: str, figure: str) -> float:
        """Return the sum of a figure as it was lived: less what was filled in or restated late."""
        late = self._offsets.get(owner, {}).get(figure, 0.0)
        return self.totals.get(owner, {}).get(figure, 0.0) - late

    def carbon_of(self, meter_id: str) -> float:
        """Return the grams of what a meter let through, up to its last reading."""
        return self.total(meter_id, names.CARBON) + self._since_entered(meter_id)

    def _since_entered(self, meter_id: str) -> float:
        """Return the grams of what a meter let through since the book was brought up to date.

        Nothing of a sub-meter where not only the grid supplies the site: all meters together
        tell what fed it, and a guess until then would have to be taken back.
        """
        seen = self._seen.get(meter_id)
        if seen is None or meter_id not in self._meters:
            return 0.0
        meters = self.plan.meters
        if meters.sources and meter_id not in meters.grids:
            return 0.0
        return self._meters[meter_id].account.ledger.total.carbon - seen

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
            await self._hass.async_add_executor_job(self._made.published, until)

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
