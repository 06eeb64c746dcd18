"""Intervals out of an archive: whatever is in it, hours are what the book has told."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.accounting.figures import Account, Label
from custom_components.carbon_meter.carbon.archive.archive import Archive
from custom_components.carbon_meter.carbon.archive.rows import UNKNOWN_GRADE
from custom_components.carbon_meter.carbon.factors.factor import Stage
from custom_components.carbon_meter.carbon.grade import BEST_FIRST, Grade
from custom_components.carbon_meter.carbon.report.archived import (
    CarrierUse,
    CarrierUses,
    archived_site,
)
from custom_components.carbon_meter.carbon.report.report import AccountedSite
from custom_components.carbon_meter.carbon.report.series import UNKNOWN
from custom_components.carbon_meter.carbon.site import figures as names
from custom_components.carbon_meter.carbon.site.book import SITE_OWNER, SiteBook
from custom_components.carbon_meter.carbon.site.entries import GridEntry, HourEntry
from custom_components.carbon_meter.carbon.site.meters import Role, SiteMeter, SiteMeters
from custom_components.carbon_meter.carbon.site.plan import SitePlan
from custom_components.carbon_meter.carbon.site.schedule import Schedule
from custom_components.carbon_meter.carbon.site.weighing import SiteFactors
from tests.carbon.archived import HOUR, START, meter_hour
from tests.carbon.report.sites import terms

GRID = SiteMeter(id="grid", role=Role.GRID)
ROOF = SiteMeter(id="roof", role=Role.SOLAR, reversed=True)
CELLS = SiteMeter(id="cells", role=Role.BATTERY)
SHED = SiteMeter(id="shed", role=Role.SUBMETER, parent="grid")
SHED_ROOF = SiteMeter(id="shed_roof", role=Role.SOLAR, parent="shed")
ALL = (GRID, ROOF, CELLS, SHED, SHED_ROOF)
FACTORS = SiteFactors(annual=Schedule.constant(350.0), transmission=Schedule.constant(20.0))
LATE = START + 1000 * HOUR


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """Return an archive that nothing is in."""
    opened = Archive(tmp_path / "site.db")
    yield opened
    opened.close()


def plan(*meters: SiteMeter, **more: Any) -> SitePlan:
    return SitePlan(meters=SiteMeters(meters), factors=FACTORS, **more)


def entry(meter: str, hour: int, fine: object) -> HourEntry:
    """Return an hour of [import, export, carbon] by five minutes."""
    shape = np.broadcast_to(np.asarray(fine, dtype=float), (3, 12))
    return HourEntry(
        meter=meter,
        hour=hour,
        total=shape.sum(axis=1),
        fine=shape,
        known=np.full(12, True),
        measured=float(HOUR),
    )


def of_grid(hour: int, value: object) -> GridEntry:
    """Return an hour of the grid; NaN is unknown."""
    values = np.broadcast_to(np.asarray(value, dtype=float), 12)
    known = np.isfinite(values)
    return GridEntry(
        hour=hour,
        value=values,
        low=values,
        high=values,
        grade=np.where(known, 0, UNKNOWN_GRADE).astype(np.uint8),
        source=tuple("grid" if one else "" for one in known),
    )


ENERGY = st.lists(st.sampled_from([0.0, 0.1, 7.0, 250.0, 1e4]), min_size=12, max_size=12)
HOURS = st.lists(
    st.fixed_dictionaries(
        {"grid": st.tuples(ENERGY, ENERGY), "value": st.sampled_from([0.0, 30.5, 400.0, np.nan])}
        | {name: st.tuples(ENERGY, ENERGY) for name in ("roof", "cells", "shed", "shed_roof")}
    ),
    min_size=1,
    max_size=4,
)
TOLD = {
    names.IMPORT: lambda report: report.energy.grid_import,
    names.EXPORT: lambda report: report.energy.grid_export,
    names.GENERATION: lambda report: report.energy.solar,
    names.CHARGE: lambda report: report.energy.charge,
    names.DISCHARGE: lambda report: report.energy.discharge,
    names.CONSUMPTION: lambda report: report.energy.consumption,
    names.CARBON: lambda report: report.location_hourly.figure.value,
    names.CARBON_ANNUAL: lambda report: 0.35 * report.energy.grid_import,
    names.CONSUMPTION_CARBON: lambda report: report.consumed.figure.value,
    names.EXPORT_CARBON: lambda report: report.exported.figure.value,
    names.AVOIDED_EXPORT: lambda report: report.avoided.figure.value,
}


@given(HOURS, st.sampled_from([ALL, (GRID, ROOF, CELLS), (GRID, SHED, SHED_ROOF), (GRID,)]))
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None
)
def test_hours_are_those_of_the_book(
    tmp_path_factory: pytest.TempPathFactory,
    hours: list[dict[str, Any]],
    meters: tuple[SiteMeter, ...],
) -> None:
    archive = Archive(tmp_path_factory.mktemp("site") / "site.db")
    book = SiteBook(archive, plan(*meters))
    rows, grid = [], []
    for place, told in enumerate(hours):
        hour = START + place * HOUR
        grid.append(of_grid(hour, told["value"]))
        rows += [
            entry(one.id, hour, [*told[one.id], np.array(told[one.id][0]) * told["value"] / 1000.0])
            if np.isfinite(told["value"])
            else entry(one.id, hour, [*told[one.id], np.zeros(12)])
            for one in meters
        ]
    book.enter(rows, grid, now=LATE)
    end = START + len(hours) * HOUR
    accounted = AccountedSite(archived_site(archive, START, end).series, terms())
    kept = archive.hourly(SITE_OWNER, list(TOLD), START, end).dense(START, end)
    for place in range(len(hours)):
        hour = START + place * HOUR
        report = accounted.report(hour, hour + HOUR)
        for (name, of), value in zip(TOLD.items(), kept[:, place], strict=True):
            assert of(report) == pytest.approx(value, rel=1e-9, abs=1e-9), name
        assert report.energy.unweighed == (
            report.energy.grid_import if np.isnan(hours[place]["value"]) else 0.0
        )
    archive.close()


def test_roles_are_those_of_the_time(archive: Archive) -> None:
    """A second connection that comes later counts from then on, and what is gone still counts."""
    book = SiteBook(archive, plan(GRID, CELLS))
    first, second = START, START + HOUR
    book.enter(
        [entry("grid", first, [[100.0], [0.0], [40.0]]), entry("cells", first, [[60.0], [0], [0]])],
        [of_grid(first, 400.0)],
        now=first + HOUR - 1.0,
    )
    later = SiteBook(archive, plan(SiteMeter(id="new", role=Role.GRID)))
    later.enter(
        [entry("new", second + HOUR, [[50.0], [0.0], [20.0]])],
        [of_grid(second + HOUR, 400.0)],
        now=second + HOUR + 10.0,
    )
    series = archived_site(archive, START, START + 3 * HOUR).series
    assert series.grid_import.reshape(3, 12).sum(axis=1) == pytest.approx([1200.0, 0.0, 600.0])
    assert series.charge.sum() == pytest.approx(720.0)


def test_running_hour_ends_now(archive: Archive) -> None:
    SiteBook(archive, plan(GRID)).enter(
        [entry("grid", START, [[10.0], [0.0], [4.0]])], [of_grid(START, 400.0)], now=START + 1000.0
    )
    archived = archived_site(archive, START, START + 1000.0)
    assert archived.series.length == 4
    # What is kept beyond now belongs to what has begun: the hour has the sum that was told.
    assert archived.series.grid_import.sum() == pytest.approx(120.0)
    assert archived.series.grid_import[0] == 10.0
    assert archived.measured.sum() == pytest.approx(1200.0)


def test_unknown_intensity_has_no_grade_and_a_weighed_one_the_worst(archive: Archive) -> None:
    value = np.array([np.nan] * 6 + [400.0] * 6)
    SiteBook(archive, plan(GRID)).enter(
        [entry("grid", START, [[10.0] * 12, [0.0] * 12, [4.0] * 12])],
        [of_grid(START, value)],
        now=LATE,
    )
    archive.put_energy([meter_hour("grid", START, 10.0, 0.0, 4.0)])
    archive.put_hourly(
        START, START + HOUR, {SITE_OWNER: {"import": [(START, 120.0)], "carbon": [(START, 48.0)]}}
    )
    archived = archived_site(archive, START, START + HOUR)
    grades = archived.series.grades
    assert set(grades[:6]) == {len(BEST_FIRST) - 1}
    assert set(grades[6:]) == {BEST_FIRST.index(Grade.MEASURED)}
    assert list(archived.sources[:6]) == [""] * 6
    assert archived.series.intensity == pytest.approx(np.full(12, 400.0))
    archive.put_energy([meter_hour("grid", START)])
    archive.put_hourly(START, START + HOUR, {SITE_OWNER: {}})
    assert set(archived_site(archive, START, START + HOUR).series.grades[:6]) == {UNKNOWN}


def test_solar_part_of_a_charge(archive: Archive) -> None:
    """On one node the charge has the mix of what came in; behind a meter only what is certain."""
    grid = [of_grid(START, 400.0)]
    rows = [
        entry("grid", START, [[30.0], [0.0], [12.0]]),
        entry("roof", START, [[90.0], [0.0], [0.0]]),
        entry("cells", START, [[40.0], [0.0], [0.0]]),
    ]
    SiteBook(archive, plan(GRID, ROOF, CELLS)).enter(rows, grid, now=START + HOUR)
    series = archived_site(archive, START, START + HOUR).series
    assert series.solar_charge == pytest.approx(np.full(12, 40.0 * 90.0 / 120.0))
    behind = SiteMeter(id="cells", role=Role.BATTERY, parent="shed")
    book = SiteBook(archive, plan(GRID, ROOF, SHED, behind))
    hour = START + 2 * HOUR
    book.enter([replace(row, hour=hour) for row in rows], [of_grid(hour, 400.0)], now=hour + 10.0)
    series = archived_site(archive, hour, hour + HOUR).series
    assert series.solar_charge == pytest.approx(np.full(12, 10.0))


def test_other_carriers_of_meters_that_are_there_and_that_are_gone(archive: Archive) -> None:
    use = Label(account=Account.DIRECT, stage=Stage.USE, carrier="natural_gas")
    gone = Label(account=Account.DIRECT, stage=Stage.USE, carrier="removed_meter")
    SiteBook(archive, plan(GRID, carriers={"gas": {"direct_use": Schedule.constant(2.0)}})).enter(
        [entry("gas", START, [[5.0], [0.0], [0.0]])], [], now=START + HOUR
    )
    archive.put_hourly(START, START + HOUR, {"old": {"direct_use": [(START, 24.0)]}})

    def factor(starts: np.ndarray) -> np.ndarray:
        return np.where(starts < START + 1800, 2.0, np.nan)

    uses = CarrierUses(
        present=[CarrierUse(meter="gas", unit="L", factors={use: factor})],
        removed={"old": {"direct_use": gone}, "other": {"direct_use": gone}},
    )
    series = archived_site(archive, START, START + HOUR, carriers=uses).series
    report = AccountedSite(series, terms()).report(START, START + HOUR)
    present, removed = report.carriers
    assert (present.figure.value, present.quantity, present.unweighed) == (60.0, 60.0, 30.0)
    assert (present.unit, removed.figure.label) == ("L", gone)
    assert removed.figure.value == pytest.approx(24.0)


def test_archive_without_plans_and_marginal_intensity(archive: Archive) -> None:
    assert archived_site(archive, START, START + HOUR).series.grid_import.sum() == 0.0
    assert archived_site(archive, START, START).series.length == 0
    SiteBook(archive, plan(GRID)).enter(
        [entry("grid", START, [[0.0], [8.0], [0.0]])],
        [of_grid(START, 300.0)],
        now=LATE,
        marginal=[of_grid(START, 700.0)],
    )
    series = archived_site(archive, START, START + HOUR, carbon_free=0.25).series
    report = AccountedSite(series, terms()).report(START, START + HOUR)
    assert report.avoided.figure.value == pytest.approx(96.0 * 0.3)
    assert report.avoided_marginal.figure.value == pytest.approx(96.0 * 0.7)
    assert set(series.carbon_free) == {0.25}
