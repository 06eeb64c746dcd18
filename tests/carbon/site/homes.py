"""Homes for the tests of a site's book: what their meters count, and what the grid is like."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from custom_components.carbon_meter.carbon.archive.archive import Archive
from custom_components.carbon_meter.carbon.grade import BEST_FIRST, Grade
from custom_components.carbon_meter.carbon.intervals import HOUR, INTERVAL
from custom_components.carbon_meter.carbon.site.book import SITE_OWNER, Entered, SiteBook, SitePlan
from custom_components.carbon_meter.carbon.site.entries import GridEntry, HourEntry, grid_hour
from custom_components.carbon_meter.carbon.site.meters import Role, SiteMeter, SiteMeters
from custom_components.carbon_meter.carbon.site.schedule import Schedule
from custom_components.carbon_meter.carbon.site.weighing import SiteFactors, SiteIntervals
from custom_components.carbon_meter.carbon.supply.battery import Battery

T = 1_767_225_600
"""2026-01-01 00:00 UTC."""

DAY = 24 * HOUR
SLOTS = HOUR // INTERVAL
SOLAR = 45.0


def meter(name: str, role: Role, parent: str | None = None, **how: bool) -> SiteMeter:
    return SiteMeter(id=name, role=role, parent=parent, **how)


HOME = SiteMeters(
    [
        meter("grid", Role.GRID),
        meter("pv", Role.SOLAR),
        meter("cells", Role.BATTERY),
        meter("kitchen", Role.SUBMETER),
        meter("oven", Role.SUBMETER, "kitchen"),
    ]
)


def cells(**how: object) -> Battery:
    return Battery(**{"charging": 0.95, "discharging": 0.95} | how)


def plan_of(meters: SiteMeters = HOME, **how: object) -> SitePlan:
    """Return a plan with solar energy at 45 g and a battery called cells, where there is one."""
    given: dict[str, object] = {
        "factors": SiteFactors(solar=Schedule.constant(SOLAR)),
        "batteries": lambda: {"cells": cells()} if "cells" in meters.place else {},
    }
    return SitePlan(meters=meters, **given | how)


def intervals_of(
    meters: SiteMeters,
    imported: Mapping[str, Sequence[float]],
    exported: Mapping[str, Sequence[float]],
    grid: Sequence[float],
) -> SiteIntervals:
    """Return an hour or more of intervals; what is not told of an hour is 0."""
    length = -(-len(grid) // SLOTS) * SLOTS
    table = np.zeros((2, len(meters.ids), length))
    for way, told in enumerate((imported, exported)):
        for name, values in told.items():
            table[way, meters.place[name], : len(values)] = values
    value = np.zeros(length)
    value[: len(grid)] = grid
    return SiteIntervals(
        starts=T + np.arange(length) * float(INTERVAL),
        imported=table[0],
        exported=table[1],
        grid_carbon=table[0] * value / 1000.0,
        grid=value,
        grades=np.zeros(length, dtype=np.intp),
    )


@dataclass(kw_only=True)
class Truth:
    """What has flowed in consecutive hours: [2, 12 * hours] Wh by meter, g/kWh of the grid."""

    flows: dict[str, np.ndarray]
    grid: np.ndarray
    grade: Grade = Grade.MEASURED
    start: int = T
    source: str = "live"
    absent: set[int] = field(default_factory=set)
    """Hours of which nothing is told."""

    @property
    def hours(self) -> list[int]:
        count = len(self.grid) // SLOTS
        return [
            hour
            for hour in range(self.start, self.start + count * HOUR, HOUR)
            if hour not in self.absent
        ]

    @property
    def end(self) -> float:
        return float(self.start + len(self.grid) // SLOTS * HOUR)

    def part(self, hour: int) -> slice:
        first = (hour - self.start) // INTERVAL
        return slice(first, first + SLOTS)

    def entry(self, name: str, hour: int, *, scale: float = 1.0) -> HourEntry:
        imported, exported = self.flows[name][:, self.part(hour)] * scale
        fine = np.array([imported, exported, imported * self.grid[self.part(hour)] / 1000.0])
        return HourEntry(
            meter=name,
            hour=hour,
            total=fine.sum(axis=1),
            fine=fine,
            known=np.ones(SLOTS, dtype=bool),
            measured=float(HOUR),
        )

    def entries(self, hours: Iterable[int] | None = None) -> list[HourEntry]:
        wanted = self.hours if hours is None else hours
        return [self.entry(name, hour) for hour in wanted for name in self.flows]

    def told(self, hour: int, *, grade: Grade | None = None, scale: float = 1.0) -> GridEntry:
        kind = grade or self.grade
        return grid_hour(
            hour,
            [(float(value) * scale, kind, self.source) for value in self.grid[self.part(hour)]],
        )

    def all_told(self) -> list[GridEntry]:
        return [self.told(hour) for hour in self.hours]


def random_home(seed: int, hours: int, *, meters: SiteMeters = HOME) -> Truth:
    """Return hours of a home whose balance closes: load, sun, a battery, import and export."""
    rng = np.random.default_rng(seed)
    count = hours * SLOTS
    load = rng.uniform(0.0, 400.0, count) * (rng.random(count) < 0.9)
    sun = rng.uniform(0.0, 600.0, count) * (rng.random(count) < 0.5)
    charge = np.clip(sun - load, 0.0, 150.0) * (rng.random(count) < 0.8)
    charge += rng.uniform(0.0, 50.0, count) * (rng.random(count) < 0.1)
    given = rng.uniform(0.0, 120.0, count) * ((charge == 0.0) & (rng.random(count) < 0.5))
    net = load + charge - sun - given
    none = np.zeros(count)
    flows = {
        "grid": np.array([np.maximum(net, 0.0), np.maximum(-net, 0.0)]),
        "pv": np.array([none, sun]),
        "cells": np.array([charge, given]),
        "kitchen": np.array([load * 0.6, none]),
        "oven": np.array([load * 0.2, none]),
    }
    return Truth(
        flows={name: flow for name, flow in flows.items() if name in meters.place},
        grid=rng.uniform(20.0, 900.0, count),
    )


def book_in(folder: Path, plan: SitePlan | None = None) -> SiteBook:
    return SiteBook(Archive(folder / "site.db"), plan or plan_of())


def enter(book: SiteBook, truth: Truth, **how: object) -> Entered:
    """Enter everything at once, a little after it has happened."""
    return book.enter(truth.entries(), truth.all_told(), **{"now": truth.end + 60.0} | how)


def figures(book: SiteBook) -> dict[tuple[str, str, int], float]:
    """Return all hourly figures of a book."""
    archive = book.archive
    first, last = archive.first_hour(), archive.last_hour()
    found: dict[tuple[str, str, int], float] = {}
    totals = archive.totals()
    for owner, of_owner in totals.items():
        series = archive.hourly(owner, list(of_owner), first, last + HOUR)
        for name, row in zip(series.figures, series.values, strict=True):
            found |= {
                (owner, name, int(hour)): float(value)
                for hour, value in zip(series.hours, row, strict=True)
                if value
            }
    return found


def imbalance(totals: Mapping[str, Mapping[str, float]], batteries: Iterable[Battery]) -> float:
    """Return the grams by which a site's account does not close, as a part of them."""
    site = totals[SITE_OWNER]
    came = sum(
        site.get(name, 0.0)
        for name in ("carbon", "generation_carbon", "unmetered_carbon", "unbacked_carbon")
    )
    went = sum(site.get(n, 0.0) for n in ("consumption_carbon", "export_carbon", "written_off"))
    went += sum(battery.carbon for battery in batteries)
    return abs(came - went) / max(came, 1e-9)


def energy_imbalance(totals: Mapping[str, Mapping[str, float]]) -> float:
    """Return the Wh by which a site's energies do not close, as a part of them."""
    site = totals[SITE_OWNER]
    came = sum(site.get(n, 0.0) for n in ("import", "generation", "discharge", "unmetered"))
    went = sum(site.get(name, 0.0) for name in ("consumption", "export", "charge"))
    return abs(came - went) / max(came, 1e-9)


def place_in_grades(grade: Grade) -> int:
    return BEST_FIRST.index(grade)
