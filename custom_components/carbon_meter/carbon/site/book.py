"""The book of a site: hours go in, the carbon of every owner comes out, and stays right.

Hourly figures follow from what the archive holds (energies, intensities, the plans and the
batteries of their time) and from the factors, and from nothing else. Late energy, a revised
intensity or a new factor is written there and the hours that it touches are weighed again; doing
that twice changes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from ..archive.archive import Archive
from ..archive.rows import AuditEntry
from ..intervals import HOUR, floor
from ..supply.battery import Battery
from .entries import GridEntry, HourEntry
from .hours import Hours, area_owner
from .intake import TIME, TOLD_UNTIL, GridChange, check_entries, put_energies, put_grid
from .kept_plans import KeptPlans
from .learning import learn, learned
from .plan import Arrangement, SitePlan, is_learning
from .restating import SITE_OWNER, Restated, note, told as told_of
from .weighed import WeighedIntervals

__all__ = [
    "SITE_OWNER",
    "TIME",
    "TOLD_UNTIL",
    "Entered",
    "Restated",
    "SiteBook",
    "SitePlan",
    "area_owner",
]

_REVISED: Final = Restated(reason="revised_intensity")

_LEARNED_ON: Final = "learned_on"
"""Under which the archive keeps the day on which efficiencies were looked at last."""

_DAY: Final = 24 * HOUR


@dataclass(frozen=True, kw_only=True)
class Entered:
    """What an entry has changed."""

    first: int | None
    """The first hour whose figures may have changed, None for none."""

    totals: Mapping[str, Mapping[str, float]]
    """By owner and figure: the sums of all time."""

    batteries: Mapping[str, Battery]
    """The ledgers as they are now."""

    latest: WeighedIntervals | None
    """The last hours that were weighed, for what is not entered yet."""

    audit: AuditEntry | None = None


class SiteBook:
    """Keeps a site's figures; every method blocks, and belongs in an executor.

    Raises ArchiveError where the archive cannot be used, and ImpossibleAmountError for what no
    meter and no grid can have told: nothing is changed then.
    """

    def __init__(self, archive: Archive, plan: SitePlan) -> None:
        """Take the archive and what the site is made of from now on.

        Hours of the past keep the plan that held then, whatever becomes of their meters.
        """
        self.archive = archive
        self.plan = plan
        self._plans = KeptPlans(archive)
        self._hours = Hours(archive, plan, self._plans)

    def enter(  # noqa: PLR0913  # what may be told at once
        self,
        entries: Iterable[HourEntry],
        grid: Iterable[GridEntry],
        *,
        now: float,
        why: Restated | None = None,
        marginal: Iterable[GridEntry] = (),
        until: int | None = None,
    ) -> Entered:
        """Take hours of meters and of the grid; weigh what they touch.

        An intensity that is known already is replaced by one that is known better, or that the
        same source has revised; with `why` by whatever comes. Where that changes hours that
        were over, the audit trail gets an entry. `marginal` is the same of another series: it
        weighs what export avoids and nothing else. With `until` batteries are carried on up to
        there, and to the present with the next entry without.
        """
        rows, told, margin = list(entries), list(grid), list(marginal)
        check_entries(rows, [*told, *margin])
        force = why is not None
        with self.archive.transaction():
            whole = self._begin(now)
            of_grid = put_grid(self.archive, told, now=now, force=force, series="average")
            of_margin = put_grid(self.archive, margin, now=now, force=force, series="marginal")
            revised = sorted({*of_grid.revised, *of_margin.revised})
            meters = self._meters_of(revised)
            before = told_of(self.archive, revised, meters)
            parts = self._put(rows, told, of_grid)
            whole |= {*of_grid.changed, *of_grid.regraded, *of_margin.changed}
            whole |= {hour for hour, meter in parts.items() if meter is None}
            alone = {hour: meter for hour, meter in parts.items() if meter is not None}
            self._hours.weigh(whole, alone, now=now, until=until)
            audit = None
            if revised:
                audit = note(self.archive, why or _REVISED, revised, before, now=now)
            return self._entered(min({*whole, *parts}, default=None), now, audit)

    def weigh_again(
        self, start: int, end: int, *, now: float, why: Restated, with_present_plan: bool = False
    ) -> Entered:
        """Weigh the hours of [start, end) with the factors of today; note what has changed.

        With the present plan it is a correction: from now on that plan held in these hours too.
        """
        first, stop = floor(start, HOUR), min(end, floor(now, HOUR) + HOUR)
        hours = range(first, stop, HOUR)
        with self.archive.transaction():
            whole = self._begin(now) | set(hours)
            meters = dict.fromkeys([*self._meters_of(hours), *self.plan.meters.ids])
            before = told_of(self.archive, hours, meters)
            if with_present_plan and hours:
                self._plans.hold(first, hours[-1] + HOUR, self._arrangement())
                self._hours.forget(first, hours[-1] + HOUR, meters)
            self._hours.weigh(whole, {}, now=now)
            audit = note(self.archive, why, hours, before, now=now) if hours else None
            return self._entered(min(whole, default=None), now, audit)

    def _arrangement(self) -> Arrangement:
        """Return the plan as it holds now."""
        return Arrangement.of(self.plan, learned(self.archive))

    def _begin(self, now: float) -> set[int]:
        """Let the plan hold from now on; return the hours in which another one has held."""
        hour = self._plans.begin(self._arrangement(), now)
        if hour is None:
            return set()
        return {hour}

    def _meters_of(self, hours: Iterable[int]) -> list[str]:
        """Return the meters of the plans that held in some hours."""
        found: dict[str, None] = {}
        for hour in hours:
            found |= dict.fromkeys(self._plans.at(hour).meters.ids)
        return list(found)

    def _put(
        self, rows: list[HourEntry], told: list[GridEntry], grid: GridChange
    ) -> dict[int, frozenset[str] | None]:
        """Keep energies; return by hour the meters to weigh, None for all of the site's."""
        others = self._meters_of(grid.changed)
        by_hour = {entry.hour: entry for entry in told}
        sending = put_energies(self.archive, rows, by_hour, grid.changed, others)
        found: dict[int, frozenset[str] | None] = {}
        for row in rows:
            so_far = found.get(row.hour, frozenset())
            apart = so_far is not None and (row.meter, row.hour) not in sending
            if so_far is not None and apart and self._hours.is_apart(row.meter, row.hour):
                found[row.hour] = so_far | {row.meter}
            else:
                found[row.hour] = None
        return found

    def _entered(self, first: int | None, now: float, audit: AuditEntry | None) -> Entered:
        """Return what has changed; the sums are read anew, so that nothing drifts."""
        totals = self.archive.totals()
        self._learn(totals, now)
        return Entered(
            first=first,
            totals=totals,
            batteries=self._hours.batteries(),
            latest=self._hours.latest,
            audit=audit,
        )

    def _learn(self, totals: Mapping[str, Mapping[str, float]], now: float) -> None:
        """Once a day, see how efficient batteries are; what is new holds from the next hour on."""
        day = floor(now, _DAY)
        cells = self._plans.at(floor(now, HOUR)).cells
        ledgers = self.plan.batteries() if cells else {}
        capacities = {
            name: cells[name].capacity
            for name in cells
            if name in self.plan.meters.place and is_learning(self.plan, ledgers, name)
        }
        if not capacities or self.archive.get(_LEARNED_ON) == day:
            return
        self.archive.put(_LEARNED_ON, day)
        if learn(self.archive, self.plan.meters, capacities, totals, now):
            self._plans.change_at(floor(now, HOUR) + HOUR, self._arrangement())
