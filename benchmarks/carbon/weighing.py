"""A year of two hundred meters, and a month of one of them anew, beside pandas.

The year is weighed from arrays in pieces of a week in a process of its own, whose peak memory
counts. The peer is the same in pandas as it is usually written down: a table of a week, a loop
over the intervals for the battery, columns times columns, sums by hour. Both are given the same
weeks, and their hourly figures are compared.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
import gc
from multiprocessing import get_context
from pathlib import Path
import resource
import sys
import tempfile
import time
from typing import Final

import numpy as np
from numpy.typing import NDArray
import pandas as pd  # type: ignore[import-untyped]

from benchmarks.rows import Better, Row, compare
from custom_components.carbon_meter.carbon.archive.archive import Archive
from custom_components.carbon_meter.carbon.archive.rows import GridHour, MeterHour
from custom_components.carbon_meter.carbon.intervals import HOUR, INTERVAL
from custom_components.carbon_meter.carbon.site.book import Restated, SiteBook, SitePlan
from custom_components.carbon_meter.carbon.site.entries import HourEntry
from custom_components.carbon_meter.carbon.site.meters import Role, SiteMeter, SiteMeters
from custom_components.carbon_meter.carbon.site.schedule import Schedule
from custom_components.carbon_meter.carbon.site.weighing import (
    SiteFactors,
    SiteIntervals,
    SiteSupply,
    by_hour,
)
from custom_components.carbon_meter.carbon.supply.battery import Battery

_SUBMETERS: Final = 197
_SLOTS: Final = HOUR // INTERVAL
_DAY: Final = 24 * _SLOTS
_WEEK: Final = 7 * _DAY
_WEEKS: Final = 53  # the first that hold a year
_MONTH: Final = 31  # days
_START: Final = 1_767_225_600  # 2026-01-01 00:00 UTC
_SOLAR: Final = 41.0  # gCO2eq/kWh
_ONE_WAY: Final = 0.95
_ROUNDS: Final = 5
_LIMIT_YEAR: Final = 2.0  # s
_LIMIT_MEMORY: Final = 300.0  # MB
_LIMIT_MONTH: Final = 50.0  # ms
_AGREEMENT: Final = 1e-9

type _Array = NDArray[np.float64]
type _Sums = dict[str, _Array]

_METERS: Final = SiteMeters(
    [
        SiteMeter(id="grid", role=Role.GRID),
        SiteMeter(id="pv", role=Role.SOLAR),
        SiteMeter(id="cells", role=Role.BATTERY),
        *(SiteMeter(id=f"plug_{number}", role=Role.SUBMETER) for number in range(_SUBMETERS)),
    ]
)
_FACTORS: Final = SiteFactors(solar=Schedule.constant(_SOLAR))


def run(rounds: int | None = None) -> Sequence[Row]:
    """Measure the year and the month, each beside its limit and beside pandas."""
    count = rounds or _ROUNDS
    ours: list[tuple[float, float, _Sums]] = []
    theirs: list[tuple[float, float, _Sums]] = []
    for number in range(count):
        turns = [(ours, _our_year), (theirs, _pandas_year)]
        for samples, action in turns if number % 2 else reversed(turns):
            samples.append(_apart(action))
        _check(ours[-1][2], theirs[-1][2])
        print(f"year {number}: {ours[-1][0]:.2f} s, pandas {theirs[-1][0]:.2f} s", file=sys.stderr)
    seconds, memory = [sample[0] for sample in ours], [sample[1] for sample in ours]
    year = f"weighing a year at five minutes of {len(_METERS.ids)} meters"
    months, frames = _months(count)
    month = "restating a month of one meter, book and archive"
    return [
        _row(year, "s", seconds, [_LIMIT_YEAR] * count, "the limit"),
        _row(year, "s", seconds, [sample[0] for sample in theirs], "pandas"),
        _row(f"{year}, peak of memory", "MB", memory, [_LIMIT_MEMORY] * count, "the limit"),
        _row(f"{year}, peak of memory", "MB", memory, [sample[1] for sample in theirs], "pandas"),
        _row(month, "ms", months, [_LIMIT_MONTH] * count, "the limit"),
        _row(month, "ms", months, frames, "pandas, in memory, the site's mix anew"),
    ]


def _row(what: str, unit: str, ours: Sequence[float], peer: Sequence[float], name: str) -> Row:
    return compare(
        benchmark="carbon",
        what=what,
        unit=unit,
        better=Better.LOWER,
        ours=ours,
        peer=peer,
        peer_name=name,
    )


def _apart(action: Callable[[], tuple[float, float, _Sums]]) -> tuple[float, float, _Sums]:
    """Return what an action in a process of its own gives: what it needs is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(action).result()


def _peak() -> float:
    """Return the most memory in MB that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


# The home


def _week(number: int) -> SiteIntervals:
    """Return a week of the home: its balance closes, the battery is used every day."""
    rng = np.random.default_rng(number)
    shape = (len(_METERS.ids), _WEEK)
    imported, exported = np.zeros(shape), np.zeros(shape)
    imported[3:] = rng.uniform(0.5, 3.0, (_SUBMETERS, _WEEK))
    load = imported[3:].sum(axis=0) + 50.0
    time_of_day = np.arange(_WEEK) % _DAY
    sunny = (time_of_day > 80) & (time_of_day < 220)
    exported[1] = np.where(sunny, rng.uniform(0.0, 1500.0, _WEEK), 0.0)
    imported[2] = np.clip(exported[1] - load, 0.0, 100.0)
    exported[2] = np.where(time_of_day >= 220, 40.0, 0.0)
    net = load + imported[2] - exported[1] - exported[2]
    imported[0], exported[0] = np.maximum(net, 0.0), np.maximum(-net, 0.0)
    grid = rng.uniform(100.0, 600.0, _WEEK)
    return SiteIntervals(
        starts=_START
        + np.arange(number * _WEEK, (number + 1) * _WEEK, dtype=np.float64) * INTERVAL,
        imported=imported,
        exported=exported,
        grid_carbon=imported * grid / 1000.0,
        grid=grid,
        grades=np.zeros(_WEEK, dtype=np.intp),
    )


def _our_year() -> tuple[float, float, _Sums]:
    """Return seconds, MB and the hourly carbon of some owners, summed over the weeks."""
    supply = SiteSupply(_METERS, _FACTORS)
    battery = Battery(charging=_ONE_WAY, discharging=_ONE_WAY)
    spent, found = 0.0, _Collected()
    for number in range(_WEEKS):
        intervals = _week(number)
        begin = time.perf_counter()
        weighed = supply.weigh(intervals, {"cells": battery})
        hours, site = weighed.hours_of_meters(), by_hour(weighed.of_site())
        spent += time.perf_counter() - begin
        found.add("site", site["consumption_carbon"])
        for name in ("grid", "plug_0", f"plug_{_SUBMETERS - 1}"):
            found.add(name, hours[name]["carbon"])
        found.add("all", np.sum([of_meter["import"] for of_meter in hours.values()], axis=0))
    return spent, _peak(), found.joined()


def _pandas_year() -> tuple[float, float, _Sums]:
    """Return the same of pandas."""
    spent, found, stored = 0.0, _Collected(), (0.0, 0.0)
    for number in range(_WEEKS):
        intervals = _week(number)
        begin = time.perf_counter()
        carbon, imports, site, stored = _pandas_week(intervals, stored)
        spent += time.perf_counter() - begin
        found.add("site", site.to_numpy())
        for name in ("grid", "plug_0", f"plug_{_SUBMETERS - 1}"):
            found.add(name, carbon[name].to_numpy())
        found.add("all", imports.sum(axis=1).to_numpy())
    return spent, _peak(), found.joined()


def _pandas_week(
    intervals: SiteIntervals, stored: tuple[float, float]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series, tuple[float, float]]:
    """Return hourly carbon and import by meter, the site's carbon, and what is in the battery."""
    index = pd.to_datetime(intervals.starts, unit="s", utc=True)
    columns = list(_METERS.ids)
    imported = pd.DataFrame(intervals.imported.T, index=index, columns=columns)
    exported = pd.DataFrame(intervals.exported.T, index=index, columns=columns)
    from_grid = pd.DataFrame(intervals.grid_carbon.T, index=index, columns=columns)
    table = pd.DataFrame(
        {
            "grid": imported["grid"],
            "carbon": from_grid["grid"],
            "sun": exported["pv"],
            "given": exported["cells"],
            "taken": imported["cells"],
            "intensity": intervals.grid,
        }
    )
    energy, grams = stored
    brought: list[float] = []
    for row in table.itertuples():
        gram = 0.0
        if row.given > 0.0:
            needed = row.given / _ONE_WAY
            part = min(needed / energy, 1.0) if energy > 0.0 else 0.0
            gram = grams * part
            lacking = row.given - energy * part * _ONE_WAY
            energy, grams = energy - energy * part, grams - grams * part
            if lacking > 1e-12 * row.given:
                gram += lacking * row.intensity / 1000.0
        total = row.grid + row.sun + row.given
        if row.taken > 0.0:
            mix = (row.carbon + row.sun * _SOLAR / 1000.0 + gram) / total
            energy, grams = energy + row.taken * _ONE_WAY, grams + row.taken * mix
        brought.append(gram)
    table["brought"] = brought
    total = table["grid"] + table["sun"] + table["given"]
    share = (table["grid"] / total).where(total > 0.0, 1.0)
    others = ((table["sun"] * _SOLAR / 1000.0 + table["brought"]) / total).where(total > 0.0, 0.0)
    used = [name for name in columns if name not in {"pv", "cells"}]
    carbon = from_grid[used].mul(share, axis=0) + imported[used].mul(others, axis=0)
    carbon["grid"] = from_grid["grid"]
    home = total - exported["grid"] - table["taken"]
    mixed = share * (table["carbon"] / table["grid"]).fillna(0.0) + others
    site = (home * mixed).resample("h").sum()
    hourly, imports = carbon.resample("h").sum(), imported.resample("h").sum()
    exported.resample("h").sum()
    return hourly, imports, site, (energy, grams)


class _Collected:
    """Hourly figures of weeks, one after the other."""

    def __init__(self) -> None:
        """Start empty."""
        self._weeks: dict[str, list[_Array]] = {}

    def add(self, name: str, values: _Array) -> None:
        """Add a week."""
        self._weeks.setdefault(name, []).append(np.array(values))

    def joined(self) -> _Sums:
        """Return the whole time."""
        return {name: np.concatenate(weeks) for name, weeks in self._weeks.items()}


def _check(ours: _Sums, peer: _Sums) -> None:
    """Stop where the two do not say the same."""
    assert ours.keys() == peer.keys()
    for name, values in ours.items():
        assert np.allclose(values, peer[name], rtol=_AGREEMENT, atol=1e-7), f"{name} differs"


# A month of one meter


def _months(count: int) -> tuple[list[float], list[float]]:
    """Return milliseconds of the book and of pandas for a month that one meter counted anew."""
    days = [_week(0)] * (_MONTH // 7 + 1)
    length = _MONTH * _DAY
    imported, exported, from_grid, grid = (
        np.concatenate([getattr(week, name) for week in days], axis=-1)[..., :length]
        for name in ("imported", "exported", "grid_carbon", "grid")
    )
    month = SiteIntervals(
        starts=_START + np.arange(length, dtype=np.float64) * INTERVAL,
        imported=imported,
        exported=exported,
        grid_carbon=from_grid,
        grid=grid,
        grades=np.zeros(length, dtype=np.intp),
    )
    ours: list[float] = []
    peer: list[float] = []
    end = _START + _MONTH * 24 * HOUR
    with tempfile.TemporaryDirectory() as folder:
        archive = Archive(Path(folder) / "site.db")
        _fill(archive, month)
        book = SiteBook(
            archive,
            SitePlan(
                meters=_METERS,
                factors=_FACTORS,
                batteries=lambda: {"cells": Battery(charging=_ONE_WAY, discharging=_ONE_WAY)},
            ),
        )
        book.weigh_again(_START, end, now=end, why=Restated(reason="benchmark"))
        for number in range(count + 1):
            row = _METERS.place["plug_7"]
            month.imported[row] *= 1.1
            month.grid_carbon[row] *= 1.1
            entries = _entries(month, "plug_7")
            gc.collect()
            begin = time.perf_counter()
            entered = book.enter(entries, [], now=end)
            spent = (time.perf_counter() - begin) * 1000.0
            begin = time.perf_counter()
            carbon, *_ = _pandas_week(month, (0.0, 0.0))
            other = (time.perf_counter() - begin) * 1000.0
            _check(
                {"sum": np.array([entered.totals["plug_7"]["carbon"]])},
                {"sum": np.array([carbon["plug_7"].sum()])},
            )
            if number:  # the first round warms up
                ours.append(spent)
                peer.append(other)
            print(f"month {number}: {spent:.1f} ms, pandas {other:.1f} ms", file=sys.stderr)
        archive.close()
    return ours, peer


def _fill(archive: Archive, month: SiteIntervals) -> None:
    """Put a month into an archive."""
    known = np.ones(_SLOTS, dtype=np.bool_)
    hours = [
        (_START + place * HOUR, slice(place * _SLOTS, (place + 1) * _SLOTS))
        for place in range(_MONTH * 24)
    ]
    with archive.transaction():
        archive.put_grid(
            GridHour(
                hour=hour,
                value=month.grid[part],
                grade=np.zeros(_SLOTS, dtype=np.uint8),
                source=["live"] * _SLOTS,
            )
            for hour, part in hours
        )
        for name, row in _METERS.place.items():
            archive.put_energy(
                MeterHour(
                    meter=name,
                    hour=hour,
                    imported=month.imported[row, part],
                    exported=month.exported[row, part],
                    grid_carbon=month.grid_carbon[row, part],
                    known=known,
                )
                for hour, part in hours
            )


def _entries(month: SiteIntervals, name: str) -> list[HourEntry]:
    """Return a month of one meter as its ledger would give it."""
    row, found = _METERS.place[name], []
    for place in range(_MONTH * 24):
        part = slice(place * _SLOTS, (place + 1) * _SLOTS)
        fine = np.array(
            [month.imported[row, part], month.exported[row, part], month.grid_carbon[row, part]]
        )
        found.append(
            HourEntry(
                meter=name,
                hour=_START + place * HOUR,
                total=fine.sum(axis=1),
                fine=fine,
                known=np.ones(_SLOTS, dtype=np.bool_),
                measured=float(HOUR),
            )
        )
    return found
