"""Hours of a site: weighed with the plan and the batteries of their time, and kept."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from ..archive.archive import Archive
from ..archive.rows import UNKNOWN_GRADE
from ..flow.amounts import FloatArray
from ..grade import BEST_FIRST
from ..intervals import HOUR, INTERVAL, floor
from ..supply.battery import Battery
from . import figures as names
from .intake import runs
from .kept_plans import KeptPlans
from .meters import SITE, Role, SiteMeters
from .mixes import Mixes
from .plan import Arrangement, Cells, SitePlan
from .restating import SITE_OWNER
from .weighed import PER_HOUR, Figures, WeighedIntervals, by_hour
from .weighing import SiteIntervals, SiteSupply

DAY: Final = 24 * HOUR

_AREA: Final = "area:"

_CHUNK: Final = 7 * DAY
"""Seconds that are weighed at once where nothing is carried on from one day to the next."""

_AHEAD: Final = 2 * DAY
"""Seconds beyond the present that are weighed: what lies further off was a clock gone wrong."""

_WEIGHINGS: Final = "weighings"
"""Under which the archive counts how often hours were weighed."""

_MATRIX: Final = 2_000_000
"""Elements of the equations of a network that are in memory at once."""

type _Ledgers = dict[str, tuple[Cells, Battery]]


def area_owner(area_id: str) -> str:
    """Return the owner of an area's figures."""
    return f"{_AREA}{area_id}"


class Hours:
    """Weighs hours out of the archive into the archive, within a transaction of its owner."""

    def __init__(self, archive: Archive, plan: SitePlan, plans: KeptPlans) -> None:
        """Take the archive, the factors of a plan, and the plans of the past."""
        self._archive = archive
        self._plan = plan
        self._plans = plans
        self._supplies: dict[str, SiteSupply] = {}
        self._ledgers: _Ledgers | None = None
        self._mixes = Mixes()
        self._weighings = 0
        self.latest: WeighedIntervals | None = None

    def batteries(self) -> dict[str, Battery]:
        """Return the ledgers of the present batteries as they are after the last hour."""
        present = self._plan.meters.place
        return {
            name: ledger for name, (_, ledger) in (self._ledgers or {}).items() if name in present
        }

    def is_apart(self, meter_id: str, hour: int) -> bool:
        """Return whether a meter that sends nothing can be weighed in an hour without the others.

        Nobody then takes what it measures: no other figure but that of its areas depends on it.
        """
        plan = self._plans.at(hour)
        if meter_id in self._plan.carriers or meter_id not in plan.meters.place:
            return True
        if plan.meters.role(meter_id) is not Role.SUBMETER or meter_id in plan.meters.feeding:
            return False
        return meter_id not in self._supply(plan).mixed

    def forget(self, start: int, end: int, meters: Iterable[str]) -> None:
        """Forget what [start, end) has of some meters, of all areas and of the site."""
        owners = [one for one in self._archive.owners() if one.startswith(_AREA)]
        self._archive.put_hourly(
            start, end, {owner: {} for owner in (SITE_OWNER, *meters, *owners)}
        )

    def weigh(
        self,
        whole: Collection[int],
        alone: Mapping[int, frozenset[str]],
        *,
        now: float,
        until: int | None = None,
    ) -> None:
        """Weigh hours again, `whole` with all that follows, `alone` for the meters named.

        With `until` what follows is left to the next weighing without: a past that is filled in
        piece by piece need not carry batteries through all later years with each piece.
        """
        self._check_memory()
        begun = self._plans.first_battery
        wanted = set(whole)
        first = None
        if wanted or self.latest is None or (begun is not None and self._ledgers is None):
            last = self._archive.last_hour()
            if last is None:
                return
            last = min(last, floor(now, HOUR) + _AHEAD)
            if until is not None and begun is not None:
                last = min(last, until - HOUR)
                wanted = {hour for hour in wanted if hour <= last}
            if self.latest is None or (begun is not None and self._ledgers is None):
                wanted.add(last)
            carried = {hour for hour in wanted if begun is not None and hour >= begun}
            for start, end in runs(wanted - carried, _CHUNK):
                for begin, stop, plan in self._plans.stretches(start, end):
                    self._weigh_stretch(plan, begin, stop, {})
            first = self._weigh_on(min(carried), last) if carried else None
        by_meters: dict[frozenset[str], set[int]] = {}
        for hour, meters in alone.items():
            if hour not in wanted and (first is None or hour < first):
                by_meters.setdefault(meters, set()).add(hour)
        for meters, hours in by_meters.items():
            for start, end in runs(hours, 31 * DAY):
                self._weigh_alone(meters, start, end)
        if until is not None and begun is not None:
            self._forget_memory()

    def _forget_memory(self) -> None:
        """Forget what was worked out: the next weighing begins with what the archive holds."""
        self._ledgers, self.latest = None, None
        self._mixes = Mixes()

    def _check_memory(self) -> None:
        """Forget what was worked out in a transaction that has come to nothing."""
        kept = self._archive.get(_WEIGHINGS) or 0
        if kept != self._weighings:
            self._forget_memory()
        self._weighings = kept + 1
        self._archive.put(_WEIGHINGS, self._weighings)

    # With batteries: day after day

    def _weigh_on(self, dirty: int, last: int) -> int:
        """Weigh everything from the day of an hour on; return when that day begins."""
        first, ledgers, absent = self._ledgers_at(floor(dirty, DAY))
        self._archive.forget_batteries(first)
        for day in range(first, last + HOUR, DAY):
            states = {name: ledger.as_dict() for name, (_, ledger) in ledgers.items()}
            if absent or states:
                self._archive.put_batteries(day, absent | states)
            end = min(day + DAY, last + HOUR)
            for start, stop, plan in self._plans.stretches(day, end):
                _arrange(plan, ledgers, absent)
                self._weigh_stretch(plan, start, stop, ledgers)
        self._ledgers = ledgers
        return first

    def _ledgers_at(self, day: int) -> tuple[int, _Ledgers, dict[str, Any]]:
        """Return the newest ledgers at or before the beginning of a day, with their hour."""
        found = self._archive.batteries(day)
        first, states = found if found is not None else (day, {})
        ledgers: _Ledgers = {}
        absent = dict(states)
        _arrange(self._plans.at(first), ledgers, absent)
        return first, ledgers, absent

    # Stretches of one plan

    def _supply(self, plan: Arrangement) -> SiteSupply:
        """Return what weighs by a plan."""
        supply = self._supplies.get(plan.text)
        if supply is None:
            supply = SiteSupply(plan.meters, self._plan.factors, plan.network)
            self._supplies[plan.text] = supply
        return supply

    def _weigh_stretch(self, plan: Arrangement, start: int, end: int, ledgers: _Ledgers) -> None:
        """Weigh consecutive hours of one plan and keep their figures."""
        supply = self._supply(plan)
        for first, stop in _parts(start, end, supply.nodes):
            weighed = self._weighed(supply, plan.meters.ids, first, stop, ledgers)
            by_owner = weighed.hours_of_meters()
            if site := weighed.of_site():
                by_owner[SITE_OWNER] = by_hour(site)
            by_owner |= self._of_carriers(list(self._plan.carriers), first, stop)
            for area_id, members in plan.areas.items():
                by_owner[area_owner(area_id)] = _of_area(plan.meters, members, by_owner.get)
            self._keep(first, stop, by_owner)
            self._mixes.remember(weighed.mix, first, stop)
            if self.latest is None or first >= self.latest.intervals.starts[0]:
                self.latest = weighed

    def _intervals(self, meters: Sequence[str], start: int, end: int) -> SiteIntervals:
        """Return what the archive has of some meters in consecutive hours."""
        energy = self._archive.energy(meters, start, end)
        grid = self._archive.grid(start, end)
        margin = self._archive.grid(start, end, "marginal").value
        grades = np.where(grid.grade == UNKNOWN_GRADE, len(BEST_FIRST) - 1, grid.grade)
        return SiteIntervals(
            starts=np.arange(start, end, INTERVAL, dtype=np.float64),
            imported=energy.imported,
            exported=energy.exported,
            grid_carbon=energy.grid_carbon,
            grid=np.nan_to_num(grid.value),
            grades=grades.astype(np.intp),
            marginal=margin if np.isfinite(margin).any() else None,
            ids=tuple(meters),
        )

    def _weighed(
        self,
        supply: SiteSupply,
        meters: Sequence[str],
        start: int,
        end: int,
        ledgers: _Ledgers,
    ) -> WeighedIntervals:
        """Weigh what the archive has of some meters in consecutive hours."""
        return supply.weigh(
            self._intervals(meters, start, end),
            {name: ledger for name, (_, ledger) in ledgers.items()},
        )

    def _weigh_alone(self, chosen: frozenset[str], start: int, end: int) -> None:
        """Weigh meters on which nothing else depends, in consecutive hours of a month at most."""
        self._keep(start, end, self._of_carriers(sorted(chosen), start, end))
        for begin, stop, plan in self._plans.stretches(start, end):
            mine = sorted(chosen & plan.meters.place.keys())
            if not mine:
                continue
            if self._mixes.lacks(begin, stop):
                self._mix_again(begin, stop)
            intervals = self._intervals(mine, begin, stop)
            weighed = WeighedIntervals(
                meters=plan.meters,
                factors=self._plan.factors,
                intervals=intervals,
                mix=self._mixes.joined(mine, begin, stop, intervals.grades),
            )
            hours = weighed.hours_of_meters()
            self._keep(begin, stop, {one: hours[one] for one in mine})
            self._keep_areas(plan, mine, begin, stop)

    def _mix_again(self, start: int, end: int) -> None:
        """Find out what was mixed in some hours, without keeping any figure."""
        first = start
        ledgers: _Ledgers = {}
        absent: dict[str, Any] = {}
        begun = self._plans.first_battery
        if begun is not None and end > begun:
            first, ledgers, absent = self._ledgers_at(floor(start, DAY))
        sending = self._archive.owners_of(names.EXPORT, first, end)
        for begin, stop, plan in self._plans.stretches(first, end):
            _arrange(plan, ledgers, absent)
            supply = self._supply(plan)
            needed = supply.mixed | {
                place
                for meter_id in sending & plan.meters.place.keys()
                for place in plan.meters.upwards(meter_id)
                if place != SITE
            }
            for part, until in _parts(begin, stop, supply.nodes):
                weighed = self._weighed(supply, sorted(needed), part, until, ledgers)
                self._mixes.remember(weighed.mix, part, until)

    def _keep_areas(self, plan: Arrangement, touched: Sequence[str], start: int, end: int) -> None:
        """Keep the figures of the areas in which meters are, or those that they are behind."""
        around = {*touched, *(plan.meters.feeder(one) for one in touched)}
        read: dict[str, Figures] = {}

        def figures(meter_id: str) -> Figures:
            if meter_id not in read:
                series = self._archive.hourly(meter_id, (names.IMPORT, names.CARBON), start, end)
                imported, carbon = series.dense(start, end)
                read[meter_id] = {names.IMPORT: imported, names.CARBON: carbon}
            return read[meter_id]

        self._keep(
            start,
            end,
            {
                area_owner(area_id): _of_area(plan.meters, members, figures)
                for area_id, members in plan.areas.items()
                if around & set(members)
            },
        )

    def _of_carriers(self, chosen: Sequence[str], start: int, end: int) -> dict[str, Figures]:
        """Return the hourly figures of the meters that count no electricity."""
        meters = [one for one in chosen if one in self._plan.carriers]
        if not meters:
            return {}
        energy = self._archive.energy(meters, start, end)
        starts = np.arange(start, end, INTERVAL, dtype=np.float64)
        found: dict[str, Figures] = {}
        for index, meter_id in enumerate(meters):
            used = energy.imported[index]
            figures: Figures = {names.IMPORT: used}
            for name, factor in self._plan.carriers[meter_id].items():
                figures[name] = used * factor.at(starts)
            found[meter_id] = by_hour(figures)
        return found

    def _keep(self, start: int, end: int, by_owner: Mapping[str, Figures]) -> None:
        """Keep the hourly figures of owners."""
        hours = range(start, end, HOUR)
        self._archive.put_hourly(
            start,
            end,
            {
                owner: {
                    name: list(zip(hours, values.tolist(), strict=True))
                    for name, values in figures.items()
                    if values.any()
                }
                for owner, figures in by_owner.items()
            },
        )


def _arrange(plan: Arrangement, ledgers: _Ledgers, absent: dict[str, Any]) -> None:
    """Bring ledgers in line with a plan: what is stored stays, whatever becomes of a battery."""
    for name in [name for name in ledgers if name not in plan.cells]:
        absent[name] = ledgers.pop(name)[1].as_dict()
    for name, cells in plan.cells.items():
        held = ledgers.get(name)
        if held is not None and held[0] == cells:
            continue
        state = held[1].as_dict() if held is not None else absent.pop(name, None)
        ledger = cells.ledger()
        ledgers[name] = cells, ledger if state is None else ledger.restore(state)


def _of_area(
    meters: SiteMeters, members: Iterable[str], figures: Callable[[str], Figures | None]
) -> Figures:
    """Return what the sub-meters of an area let through, less those that lie behind them."""
    found: Figures = {}
    for meter_id in members:
        if meter_id not in meters.place or meters.role(meter_id) is not Role.SUBMETER:
            continue
        behind = [figures(other) or {} for other in meters.behind(meter_id)]
        own = figures(meter_id) or {}
        for name, source in ((names.CONSUMPTION, names.IMPORT), (names.CARBON, names.CARBON)):
            left: FloatArray = own[source] - sum(one[source] for one in behind)
            found[name] = found.get(name, 0.0) + np.maximum(left, 0.0)
    return found


def _parts(start: int, end: int, nodes: int) -> Iterator[tuple[int, int]]:
    """Yield parts of consecutive hours for which a network's equations fit into memory."""
    longest = HOUR * max(1, _MATRIX // (PER_HOUR * nodes**2 + 1))
    for first in range(start, end, longest):
        yield first, min(first + longest, end)
