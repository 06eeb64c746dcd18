"""Changes to a site's book: each is made as a whole, with all that follows from it.

Everything here blocks, and belongs in an executor.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from homeassistant.util import dt as dt_util

from .carbon.archive.archive import Archive
from .carbon.intervals import HOUR, INTERVAL, floor
from .carbon.site.book import TOLD_UNTIL, Entered, Restated, SiteBook, SitePlan
from .carbon.site.entries import GridEntry, HourEntry

REVISED: Final = 48 * HOUR
"""Seconds for which an intensity that changes is looked at again: as long as sources keep it."""

_UNPUBLISHED: Final = "unpublished"
"""Under which the archive keeps the first hour that the recorder does not have as it is now."""

_OFFSETS: Final = "live_offsets"
"""Under which the archive keeps what live sensors leave out: what changed long after the fact."""

_BEGAN: Final = "began"
"""Under which the archive keeps the first hour of each meter that its own ledger has booked."""

_CONTINUED: Final = "continued"
"""Under which the archive keeps from when on it has the hours of meters that began before it."""

_BEHIND: Final = "behind"
"""Under which the archive keeps whether batteries are still to be carried on to the present."""

_FILLED: Final = "filled"
"""Under which the archive keeps up to when the past of each meter was filled in."""


@dataclass(frozen=True, kw_only=True)
class Today:
    """The grams of the site's gross import since local midnight, as far as they are entered."""

    midnight: float = 0.0
    carbon: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a change to the book has left behind."""

    entered: Entered
    offsets: Mapping[str, Mapping[str, float]]
    """What live sensors leave out of the sums in `entered`, by owner and figure."""

    unpublished: int | None
    today: Today


class BookChanges:
    """Makes the changes to one site's book. All methods raise ArchiveError."""

    def __init__(self, archive: Archive, plan: SitePlan) -> None:
        """Take up what the archive holds, with the plan that holds from now on."""
        self.archive = archive
        self.plan = plan
        self._book = SiteBook(archive, plan)
        self.offsets: dict[str, dict[str, float]] = archive.get(_OFFSETS) or {}
        """What live sensors leave out, by owner and figure."""

        self.continued: dict[str, int] = archive.get(_CONTINUED) or {}
        """From when on the archive has the hours of a meter that began before it."""

        self.filled: dict[str, int] = archive.get(_FILLED) or {}
        """Up to when the past of a meter was filled in."""

    def span(self) -> tuple[int | None, float | None]:
        """Return the first hour of the archive, and up to when the grid's intensity was told."""
        return self.archive.first_hour(), self.archive.get(TOLD_UNTIL)

    def began(self) -> dict[str, int]:
        """Return the first hour of each meter that its own ledger has booked.

        Of a meter that began before the archive it is 0.
        """
        return {**(self.archive.get(_BEGAN) or {}), **dict.fromkeys(self.continued, 0)}

    def go_on(self, meter_id: str, until: int, bases: Mapping[str, float]) -> None:
        """Keep what a meter had come to by an hour, before the archive began."""
        continued = {**self.continued, meter_id: until}
        with self.archive.transaction():
            self.archive.put(_CONTINUED, continued)
            for figure, value in bases.items():
                self.archive.put_base(meter_id, figure, value)
        self.continued = continued

    def published(self, until: int) -> None:
        """Take note that the record has everything up to the end of an hour."""
        self.archive.put(_UNPUBLISHED, until)

    def enter(
        self,
        entries: list[HourEntry],
        grid: list[GridEntry],
        marginal: list[GridEntry],
        now: float,
    ) -> Change:
        """Enter; keep what live sensors leave out and what the record lacks, all or nothing."""
        book = self._book
        if self.archive.get(_BEHIND):
            self._catch_up(now)

        def change() -> Entered:
            self._note_first(entries)
            return book.enter(entries, grid, now=now, marginal=marginal)

        return self._changed(now, change, settled=floor(now - REVISED, HOUR))

    def _catch_up(self, now: float) -> None:
        """Carry batteries on from a past that was filled in; live sensors leave that out too."""
        book = self._book

        def change() -> Entered:
            self.archive.put(_BEHIND, False)
            return book.enter([], [], now=now)

        self._changed(now, change)

    def _note_first(self, entries: Iterable[HourEntry]) -> None:
        """Keep the first hour of each meter that comes for the first time."""
        began: dict[str, int] = self.archive.get(_BEGAN) or {}
        first: dict[str, int] = {}
        for entry in entries:
            first[entry.meter] = min(entry.hour, first.get(entry.meter, entry.hour))
        if not first.keys() <= began.keys():
            self.archive.put(_BEGAN, first | began)

    def fill(
        self,
        entries: list[HourEntry],
        grid: list[GridEntry],
        *,
        until: int,
        now: float,
        present: Entered | None,
    ) -> Change:
        """Enter hours of the past; whatever that changes is left out of live sensors.

        `present` is what the book said last: its batteries and its mix stay those of the present.
        """
        book = self._book
        filled = dict(self.filled)
        for entry in entries:
            filled[entry.meter] = max(entry.hour + HOUR, filled.get(entry.meter, 0))

        def change() -> Entered:
            self.archive.put(_FILLED, filled)
            self.archive.put(_BEHIND, True)
            told: float | None = self.archive.get(TOLD_UNTIL)
            entered = book.enter(entries, grid, now=now, until=until)
            if told is not None:
                # What has ended since the last entry was not told now.
                self.archive.put(TOLD_UNTIL, told)
            if present is None:
                return entered
            return replace(entered, batteries=present.batteries, latest=present.latest)

        done = self._changed(now, change)
        self.filled = filled
        return done

    def restate(  # noqa: PLR0913  # what makes up a restatement
        self,
        start: int,
        end: int,
        grid: list[GridEntry],
        why: Restated,
        *,
        now: float,
        with_present_plan: bool,
    ) -> Change:
        """Weigh again; whatever that changes is left out of live sensors."""
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
    ) -> Change:
        """Make a change to the book, and take note of what follows from it.

        Live sensors leave out what changes before the hour `settled`, everything without one.
        """
        offsets = {owner: dict(of_owner) for owner, of_owner in self.offsets.items()}
        with self.archive.transaction():
            before = self.archive.totals(settled)
            entered = change()
            if settled is None or (entered.first is not None and entered.first < settled):
                after = self.archive.totals(settled)
                for owner in before.keys() | after.keys():
                    old, new = before.get(owner, {}), after.get(owner, {})
                    for name in old.keys() | new.keys():
                        late = new.get(name, 0.0) - old.get(name, 0.0)
                        if late:
                            mine = offsets.setdefault(owner, {})
                            mine[name] = mine.get(name, 0.0) + late
                self.archive.put(_OFFSETS, offsets)
            unpublished: int | None = self.archive.get(_UNPUBLISHED)
            if entered.first is not None:
                unpublished = min(entered.first, unpublished or entered.first)
                self.archive.put(_UNPUBLISHED, unpublished)
        self.offsets = offsets
        return Change(
            entered=entered,
            offsets=offsets,
            unpublished=unpublished,
            today=self._since_midnight(now),
        )

    def _since_midnight(self, now: float) -> Today:
        """Return what the day has brought so far, to the interval: days begin at any quarter."""
        local = dt_util.as_local(dt_util.utc_from_timestamp(now))
        midnight = dt_util.start_of_local_day(local).timestamp()
        first = floor(midnight, HOUR)
        energy = self.archive.energy(self.plan.meters.grids, first, floor(now, HOUR) + HOUR)
        begun = int(midnight - first) // INTERVAL
        return Today(midnight=midnight, carbon=float(energy.grid_carbon[:, begun:].sum()))
