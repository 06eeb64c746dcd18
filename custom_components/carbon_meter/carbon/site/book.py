"""The book of a site: hours go in, the carbon of every owner comes out, and stays right.

Hourly figures follow from what the archive holds (energies, intensities, the batteries at the
beginning of a day) and from nothing else. Late energy, a revised intensity or a new factor is
written there and the hours that it touches are weighed again; doing that twice changes nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..archive.archive import Archive
from ..archive.rows import UNKNOWN_GRADE, AuditEntry, EnergySeries, GridHour, MeterHour
from ..flow.amounts import FloatArray
from ..grade import BEST_FIRST, Grade
from ..intervals import HOUR, INTERVAL, floor
from ..supply.battery import Battery
from . import figures as names
from .entries import GridEntry, HourEntry
from .meters import Role, SiteMeters
from .schedule import Schedule
from .weighing import (
    PER_HOUR,
    Figures,
    SiteFactors,
    SiteIntervals,
    SiteSupply,
    WeighedIntervals,
    by_hour,
)

type Flags = NDArray[np.bool_]

DAY: Final = 24 * HOUR

SITE_OWNER: Final = "site"

_AREA: Final = "area:"

_TIME: Final = "#time"
"""Ends the owner of the seconds that readings of a meter account for."""

_TOLD_UNTIL: Final = "told_until"
"""Under which the archive keeps up to when the grid's intensity is settled."""

_ROUNDING: Final = 1e-9
"""Relative difference that is none."""

_CHUNK: Final = 7 * DAY
"""Seconds that are weighed at once where nothing is carried on from one day to the next."""

_CARBON: Final = (
    names.CARBON,
    names.CARBON_ANNUAL,
    names.CONSUMPTION_CARBON,
    names.EXPORT_CARBON,
    names.AVOIDED_EXPORT,
    names.TRANSMISSION,
    names.UPSTREAM,
)
"""What the audit trail tells of the site; of a meter CARBON alone."""


def area_owner(area_id: str) -> str:
    """Return the owner of an area's figures."""
    return f"{_AREA}{area_id}"


@dataclass(frozen=True, kw_only=True)
class SitePlan:
    """What a site is made of."""

    meters: SiteMeters
    factors: SiteFactors
    carriers: Mapping[str, Mapping[str, Schedule]] = field(default_factory=dict)
    """Of meters that count no electricity: by figure gCO2eq per Wh, or per L."""

    areas: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Sub-meters by area."""

    batteries: Callable[[], dict[str, Battery]] = dict
    """Gives empty ledgers by meter."""


@dataclass(frozen=True, kw_only=True)
class Restated:
    """Why hours are weighed again: for the audit trail."""

    reason: str
    detail: str = ""


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
    """The last hour, for what is not entered yet."""

    audit: AuditEntry | None = None


class SiteBook:
    """Keeps a site's figures; every method blocks, and belongs in an executor.

    Raises ArchiveError where the archive cannot be used: nothing is changed then.
    """

    def __init__(self, archive: Archive, plan: SitePlan) -> None:
        """Take the archive and what the site is made of."""
        self.archive = archive
        self.plan = plan
        self._supply = SiteSupply(plan.meters, plan.factors)
        self._totals: dict[str, dict[str, float]] | None = None
        self._batteries: dict[str, Battery] = {}

    def enter(
        self,
        entries: Iterable[HourEntry],
        grid: Iterable[GridEntry],
        *,
        now: float,
        why: Restated | None = None,
    ) -> Entered:
        """Take hours of meters and of the grid; weigh what they touch.

        An intensity that is known already is replaced by one that is known better, or that the
        same source has revised; with `why` by whatever comes. Where that changes hours that
        were over, the audit trail gets an entry.
        """
        rows = list(entries)
        with self.archive.transaction():
            told = {entry.hour: entry for entry in grid}
            changed, revised = self._put_grid(told, now=now, force=why is not None)
            self._put_energies(rows, told, changed)
            before = self._sums(revised)
            dirty = {row.hour for row in rows} | set(changed)
            latest = self._weigh(dirty)
            audit = self._noted(why, revised, before, now) if revised else None
        return self._entered(min(dirty, default=None), latest, audit)

    def weigh_again(self, start: int, end: int, *, now: float, why: Restated) -> Entered:
        """Weigh the hours of [start, end) with the factors of today; note what has changed."""
        hours = list(range(floor(start, HOUR), min(end, floor(now, HOUR) + HOUR), HOUR))
        with self.archive.transaction():
            before = self._sums(hours)
            latest = self._weigh(set(hours))
            audit = self._noted(why, hours, before, now) if hours else None
        return self._entered(min(hours, default=None), latest, audit)

    def _entered(
        self, first: int | None, latest: WeighedIntervals | None, audit: AuditEntry | None
    ) -> Entered:
        """Return what has changed; the sums are read anew, so that nothing drifts."""
        if self._totals is None or first is not None:
            self._totals = self.archive.totals()
        return Entered(
            first=first,
            totals=self._totals,
            batteries=dict(self._batteries),
            latest=latest,
            audit=audit,
        )

    # What goes in

    def _put_grid(
        self, told: Mapping[int, GridEntry], *, now: float, force: bool
    ) -> tuple[dict[int, Flags], list[int]]:
        """Keep what is known better of the grid.

        Returns by hour which intervals have changed, and the hours that were settled before: what
        is told of an interval that is not over is provisional.
        """
        until = self.archive.get(_TOLD_UNTIL) or 0.0
        changed: dict[int, Flags] = {}
        revised: list[int] = []
        rows: list[GridHour] = []
        for hour, entry in sorted(told.items()):
            held = self.archive.grid(hour, hour + HOUR)
            ends = hour + INTERVAL * (1 + np.arange(PER_HOUR))
            settled = (ends <= until) & np.isfinite(held.value)
            same = np.array(held.source == np.array(entry.source, dtype=object), dtype=np.bool_)
            differs = ~np.isclose(held.value, entry.value, rtol=_ROUNDING, atol=0.0)
            better = entry.grade < held.grade
            # A yearly figure of today says nothing of yesterday: it is restated on purpose only.
            again = (
                same & (entry.grade == held.grade) & (entry.grade < BEST_FIRST.index(Grade.YEARLY))
            )
            take = np.isfinite(entry.value) & (~settled | better | ((again | force) & differs))
            if not take.any():
                continue
            rows.append(
                GridHour(
                    hour=hour,
                    value=np.where(take, entry.value, held.value),
                    grade=np.where(take, entry.grade, held.grade).astype(np.uint8),
                    source=np.where(
                        take, np.array(entry.source, dtype=object), held.source
                    ).tolist(),
                )
            )
            if (take & differs).any():
                changed[hour] = take & differs
            if (take & differs & settled).any():
                revised.append(hour)
        self.archive.put_grid(rows)
        if now > until:
            self.archive.put(_TOLD_UNTIL, now)
        return changed, revised

    def _put_energies(
        self,
        rows: Sequence[HourEntry],
        told: Mapping[int, GridEntry],
        changed: Mapping[int, Flags],
    ) -> None:
        """Keep the energies of entries, and weigh others again where the grid has changed."""
        by_hour_told: dict[int, list[HourEntry]] = {hour: [] for hour in changed}
        for row in rows:
            by_hour_told.setdefault(row.hour, []).append(row)
        for hour, of_hour in by_hour_told.items():
            owners = list(dict.fromkeys([*self.plan.meters.ids, *(row.meter for row in of_hour)]))
            held = self.archive.energy(owners, hour, hour + HOUR)
            grid = self.archive.grid(hour, hour + HOUR).value
            kept = {row.meter: self._hour_of(row, told.get(hour), held, grid) for row in of_hour}
            for index, meter in enumerate(self.plan.meters.ids):
                if hour in changed and meter not in kept and held.imported[index].any():
                    weighed = held.imported[index] * grid / 1000.0
                    carbon = np.where(changed[hour], weighed, held.grid_carbon[index])
                    kept[meter] = _meter_hour(held, index, hour, carbon)
            self.archive.put_energy(kept.values())
            times = {
                row.meter + _TIME: {names.MEASURED_TIME: [(hour, row.measured)]} for row in of_hour
            }
            self.archive.put_hourly(hour, hour + HOUR, times)

    def _hour_of(
        self, row: HourEntry, told: GridEntry | None, held: EnergySeries, grid: FloatArray
    ) -> MeterHour:
        """Return an entry as it is kept: twelve intervals whose sums are those of the hour."""
        index = held.meters.index(row.meter)
        before = np.stack([held.imported[index], held.exported[index], held.grid_carbon[index]])
        fine = before if row.fine is None else row.fine
        imported = _summed_to(fine[0], row.total[0])
        carbon = imported * np.nan_to_num(grid) / 1000.0
        if row.fine is not None and told is not None and row.meter in self.plan.meters.place:
            carbon = np.where(_is_exact(row.fine, imported, told, grid), fine[2], carbon)
        return MeterHour(
            meter=row.meter,
            hour=row.hour,
            imported=imported,
            exported=_summed_to(fine[1], row.total[1]),
            grid_carbon=carbon,
            known=row.known if row.fine is not None else row.known | held.known[index],
        )

    # What is made of it

    def _weigh(self, hours: set[int]) -> WeighedIntervals | None:
        """Weigh hours again, and what follows from them; return the last that was weighed."""
        if not hours:
            return None
        last = self.archive.last_hour()
        if last is None:
            return None
        storage = self.plan.batteries()
        carried = [name for name in storage if name in self.plan.meters.sources]
        latest: WeighedIntervals | None = None
        if not carried:
            for start, end in _runs(hours, _CHUNK):
                latest = self._weigh_chunk(start, end, {})
            return latest
        first = floor(min(hours), DAY)
        found = self.archive.batteries(first)
        if found is not None:
            first, states = found
            for name in carried:
                if name in states:
                    storage[name].restore(states[name])
        self.archive.forget_batteries(first)
        self._batteries = {name: storage[name] for name in carried}
        for day in range(first, last + HOUR, DAY):
            self.archive.put_batteries(
                day, {name: battery.as_dict() for name, battery in self._batteries.items()}
            )
            latest = self._weigh_chunk(day, min(day + DAY, last + HOUR), self._batteries)
        return latest

    def _weigh_chunk(
        self, start: int, end: int, batteries: Mapping[str, Battery]
    ) -> WeighedIntervals:
        """Weigh consecutive hours and keep their figures."""
        meters = self.plan.meters
        energy = self.archive.energy(meters.ids, start, end)
        grid = self.archive.grid(start, end)
        grades = np.where(grid.grade == UNKNOWN_GRADE, len(BEST_FIRST) - 1, grid.grade)
        weighed = self._supply.weigh(
            SiteIntervals(
                starts=_starts(start, end),
                imported=energy.imported,
                exported=energy.exported,
                grid_carbon=energy.grid_carbon,
                grid=np.nan_to_num(grid.value),
                grades=grades.astype(np.intp),
            ),
            batteries,
        )
        by_owner = {meter_id: by_hour(weighed.of_meter(meter_id)) for meter_id in meters.ids}
        if site := weighed.of_site():
            by_owner[SITE_OWNER] = by_hour(site)
        by_owner |= self._of_carriers(start, end)
        for area_id, members in self.plan.areas.items():
            by_owner[area_owner(area_id)] = self._of_area(members, by_owner)
        hours = range(start, end, HOUR)
        self.archive.put_hourly(
            start,
            end,
            {
                owner: {
                    name: list(zip(hours, values.tolist(), strict=True))
                    for name, values in found.items()
                }
                for owner, found in by_owner.items()
            },
        )
        return weighed

    def _of_carriers(self, start: int, end: int) -> dict[str, Figures]:
        """Return the hourly figures of the meters that count no electricity, and of the site."""
        meters = list(self.plan.carriers)
        if not meters:
            return {}
        energy = self.archive.energy(meters, start, end)
        starts = _starts(start, end)
        found: dict[str, Figures] = {}
        for index, meter_id in enumerate(meters):
            used = energy.imported[index]
            figures: Figures = {names.IMPORT: used}
            for name, factor in self.plan.carriers[meter_id].items():
                figures[name] = used * factor.at(starts)
            found[meter_id] = by_hour(figures)
        return found

    def _of_area(self, members: Sequence[str], by_owner: Mapping[str, Figures]) -> Figures:
        """Return what the sub-meters of an area let through, less those that lie behind them."""
        meters = self.plan.meters
        found: Figures = {}
        for meter_id in members:
            if meter_id not in by_owner or meters.role(meter_id) is not Role.SUBMETER:
                continue
            own = by_owner[meter_id]
            behind = [
                by_owner[other]
                for other in meters.ids
                if meters.feeder(other) == meter_id and meters.role(other) is Role.SUBMETER
            ]
            for name, source in ((names.CONSUMPTION, names.IMPORT), (names.CARBON, names.CARBON)):
                left = own[source] - sum(one[source] for one in behind)
                found[name] = found.get(name, 0.0) + np.maximum(left, 0.0)
        return found

    # What is told of it

    def _sums(self, hours: Sequence[int]) -> dict[str, dict[str, float]]:
        """Return by owner the carbon of some hours, as it is kept now."""
        found: dict[str, dict[str, float]] = {}
        for start, end in _runs(hours, None):
            for owner in (SITE_OWNER, *self.plan.meters.ids):
                wanted = _CARBON if owner == SITE_OWNER else (names.CARBON,)
                series = self.archive.hourly(owner, wanted, start, end)
                sums = found.setdefault(owner, dict.fromkeys(wanted, 0.0))
                for name, value in zip(series.figures, series.values.sum(axis=1), strict=True):
                    sums[name] += float(value)
        return found

    def _noted(
        self,
        why: Restated | None,
        hours: Sequence[int],
        before: Mapping[str, Mapping[str, float]],
        now: float,
    ) -> AuditEntry | None:
        """Add what has changed to the audit trail; nothing where nothing has."""
        after = self._sums(hours)
        changed = [
            owner
            for owner, sums in after.items()
            if any(abs(value - before[owner][name]) > 1e-6 for name, value in sums.items())
        ]
        if not changed:
            return None
        told = SITE_OWNER if any(after[SITE_OWNER].values()) else changed[0]
        why = why or Restated(reason="revised_intensity")
        entry = AuditEntry(
            when=now,
            reason=why.reason,
            detail=why.detail,
            start=hours[0],
            end=hours[-1] + HOUR,
            owners=tuple(changed),
            before={
                name: value for name, value in before[told].items() if value or after[told][name]
            },
            after={
                name: value for name, value in after[told].items() if value or before[told][name]
            },
        )
        self.archive.add_audit(entry)
        return entry


def _starts(start: int, end: int) -> FloatArray:
    """Return the beginnings of the intervals of some hours."""
    return np.arange(start, end, INTERVAL, dtype=np.float64)


def _meter_hour(held: EnergySeries, index: int, hour: int, carbon: FloatArray) -> MeterHour:
    """Return an hour of a meter with another carbon."""
    return MeterHour(
        meter=held.meters[index],
        hour=hour,
        imported=held.imported[index],
        exported=held.exported[index],
        grid_carbon=carbon,
        known=held.known[index],
    )


def _summed_to(shape: FloatArray, total: float) -> FloatArray:
    """Return twelve energies with a given sum: what they lack is spread evenly over them."""
    known = float(shape.sum())
    if abs(known - total) <= _ROUNDING * max(total, known):
        return shape
    if known > total:
        return shape * (total / known)
    return shape + (total - known) / len(shape)


def _is_exact(fine: FloatArray, imported: FloatArray, told: GridEntry, kept: FloatArray) -> Flags:
    """Return where the ledger has weighed with what is known now.

    Its intensity then lies between the lowest and the highest of the interval: it is the exact
    integral, which a mean is not. Elsewhere the intensity has become known only afterwards.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        weighed = fine[2] / fine[0] * 1000.0
    margin = _ROUNDING * np.maximum(told.high, 1.0)
    within = (weighed >= told.low - margin) & (weighed <= told.high + margin)
    whole = np.isclose(fine[0], imported, rtol=_ROUNDING, atol=0.0)
    exact: Flags = within & whole & np.isclose(told.value, kept, rtol=_ROUNDING)
    return exact


def _runs(hours: Iterable[int], longest: int | None) -> list[tuple[int, int]]:
    """Return hours as stretches of consecutive ones, none longer than so many seconds."""
    found: list[tuple[int, int]] = []
    for hour in sorted(hours):
        if found and found[-1][1] == hour and (longest is None or hour - found[-1][0] < longest):
            found[-1] = found[-1][0], hour + HOUR
        else:
            found.append((hour, hour + HOUR))
    return found
