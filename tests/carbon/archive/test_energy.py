"""Energies of meters: kept to the last bit, replaced, thinned without losing any."""

from pathlib import Path
import tempfile

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.archive.archive import FINE, Archive
from custom_components.carbon_meter.carbon.archive.rows import SLOTS, MeterHour
from tests.carbon.archived import HOUR, START, meter_hour

numbers = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)
steady = numbers.map(lambda number: [number] * SLOTS)
halves = st.tuples(numbers, numbers).map(lambda two: [two[0]] * 6 + [two[1]] * 6)
slots = st.one_of(steady, halves, st.lists(numbers, min_size=SLOTS, max_size=SLOTS))
flags = st.lists(st.booleans(), min_size=SLOTS, max_size=SLOTS)
hours = st.builds(
    MeterHour,
    meter=st.sampled_from(["one", "two", "三"]),
    hour=st.integers(0, 47).map(lambda hour: START + hour * HOUR),
    imported=slots,
    exported=slots,
    grid_carbon=slots,
    known=flags,
)
END = START + 48 * HOUR


@given(rows=st.lists(hours, max_size=12))
def test_what_is_put_comes_back_to_the_last_bit(rows: list[MeterHour]) -> None:
    """Also in a file that was closed; the newest of two hours counts; the rest is 0."""
    meters = ("two", "one", "never seen", "三")
    expected = np.zeros((4, 4, 48 * SLOTS))
    for row in rows:
        place, at = meters.index(row.meter), (row.hour - START) // HOUR * SLOTS
        parts = (row.imported, row.exported, row.grid_carbon, row.known)
        expected[:, place, at : at + SLOTS] = parts
    with tempfile.TemporaryDirectory() as folder:
        archive = Archive(Path(folder) / "site.db")
        archive.put_energy(rows)
        archive.close()
        archive = Archive(Path(folder) / "site.db")
        series = archive.energy(meters, START, END)
        archive.close()
    assert series.meters == meters
    found = (series.imported, series.exported, series.grid_carbon, series.known)
    for values, wanted in zip(found, expected, strict=True):
        assert values.astype(float).tobytes() == wanted.tobytes()


def test_a_stretch_holds_only_its_own_hours(archive: Archive) -> None:
    archive.put_energy(meter_hour("m", START + hour * HOUR, hour + 1.0) for hour in range(4))
    series = archive.energy(["m"], START + HOUR, START + 3 * HOUR)
    assert series.imported.tolist() == [[2.0] * SLOTS + [3.0] * SLOTS]
    assert archive.energy([], START, START + HOUR).imported.shape == (0, SLOTS)
    assert archive.energy(["m"], START, START).imported.shape == (1, 0)


@pytest.mark.parametrize(
    "row",
    [
        meter_hour("m", START, float("nan")),
        meter_hour("m", START, grid_carbon=float("inf")),
        meter_hour("m", START + 300, 1.0),
        MeterHour(
            meter="m",
            hour=START,
            imported=[1.0] * 11,
            exported=[1.0] * 11,
            grid_carbon=[1.0] * 11,
            known=[True] * SLOTS,
        ),
        MeterHour(
            meter="m",
            hour=START,
            imported=["much"] * SLOTS,
            exported=[0.0] * SLOTS,
            grid_carbon=[0.0] * SLOTS,
            known=[True] * SLOTS,
        ),
        MeterHour(
            meter="m",
            hour=START,
            imported=[0.0] * SLOTS,
            exported=[0.0] * SLOTS,
            grid_carbon=[0.0] * SLOTS,
            known=[True],
        ),
    ],
)
def test_an_hour_that_cannot_be_is_refused_with_all_that_came_with_it(
    archive: Archive, row: MeterHour
) -> None:
    with pytest.raises(ValueError, match=r"m at|start of an hour"):
        archive.put_energy([meter_hour("new", START, 1.0), row])
    assert not archive.energy(["m", "new"], START, START + HOUR).known.any()
    archive.put_energy([meter_hour("new", START, 2.0)])
    assert archive.energy(["new"], START, START + HOUR).imported.sum() == 24.0


def test_a_stretch_that_is_no_number_of_hours_is_refused(archive: Archive) -> None:
    for start, end in ((START, START + 300), (START + 300, START + HOUR), (START + HOUR, START)):
        with pytest.raises(ValueError, match="whole hours"):
            archive.energy(["m"], start, end)


def test_a_dropped_meter_leaves_nothing(archive: Archive) -> None:
    archive.put_energy([meter_hour("m", START, 1.0), meter_hour("n", START + HOUR, 2.0)])
    archive.drop_meter("m")
    archive.drop_meter("never seen")
    series = archive.energy(["m", "n"], START, START + 2 * HOUR)
    assert series.known.any(axis=1).tolist() == [False, True]
    assert archive.first_hour() == START + HOUR


@given(rows=st.lists(hours, min_size=1, max_size=8), days=st.integers(62, 66))
def test_thinning_keeps_the_sum_of_every_quarter(rows: list[MeterHour], days: int) -> None:
    """And of what is known and what is not; again and again nothing more changes."""
    now = START + days * 86400
    with tempfile.TemporaryDirectory() as folder:
        archive = Archive(Path(folder) / "site.db")
        archive.put_energy(rows)
        meters = ("one", "two", "三")
        before = archive.energy(meters, START, END)
        archive.trim(now)
        after = archive.energy(meters, START, END)
        archive.put_energy([row for row in rows if row.hour < START + HOUR])
        archive.trim(now)
        archive.trim(now)
        again = archive.energy(meters, START, END)
        archive.close()
    assert (after.known == before.known).all()
    fine = (now - FINE - START) // HOUR * SLOTS
    kinds = ("imported", "exported", "grid_carbon")
    for kind in kinds:
        old, new = getattr(before, kind), getattr(after, kind)
        assert new[:, max(fine, 0) :].tobytes() == old[:, max(fine, 0) :].tobytes()
        assert getattr(again, kind).tobytes() == new.tobytes()
        quarters = old.reshape(3, -1, 3)
        size = np.abs(quarters).sum(axis=2)
        difference = np.abs(new.reshape(3, -1, 3).sum(axis=2) - quarters.sum(axis=2))
        assert (difference <= 1e-15 * size).all()
        known = before.known.reshape(3, -1, 3)
        told = np.where(known, quarters, 0.0).sum(axis=2)
        tells = np.where(known, new.reshape(3, -1, 3), 0.0).sum(axis=2)
        assert (np.abs(tells - told) <= 1e-15 * size).all()


def test_thinning_spreads_evenly_within_the_quarter_and_takes_less_room(archive: Archive) -> None:
    rng = np.random.default_rng(4)
    months = 120 * 24
    archive.put_energy(
        meter_hour("m", START + hour * HOUR, rng.random(SLOTS), 0.0, rng.random(SLOTS))
        for hour in range(months)
    )
    ramp = meter_hour("m", START, list(range(12)), 0.0, list(range(0, 24, 2)))
    archive.put_energy([ramp])
    now = START + months * HOUR
    packed = _packed(archive)
    archive.trim(now)
    series = archive.energy(["m"], START, START + HOUR)
    assert series.imported.tolist() == [[1.0] * 3 + [4.0] * 3 + [7.0] * 3 + [10.0] * 3]
    assert series.grid_carbon.tolist() == [[2.0] * 3 + [8.0] * 3 + [14.0] * 3 + [20.0] * 3]
    old = (now - FINE - START) // HOUR
    assert _packed(archive) == packed - old * 2 * 64


def _packed(archive: Archive) -> int:
    """Return the bytes of all energies."""
    with archive._database.reading() as connection:
        row = connection.execute(
            "SELECT SUM(LENGTH(imported) + LENGTH(exported) + LENGTH(grid_carbon)) FROM energy"
        ).fetchone()
    return int(row[0])
