"""Recorded homes."""

import csv
from datetime import UTC, datetime, timedelta
import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from hardware.virtual import (
    Household,
    ReplayError,
    Weather,
    find_citylearn,
    load_citylearn,
)
from hardware.virtual.integral import Integral

FIELDS = ["month", "hour", "non_shiftable_load", "solar_generation"]


def write_home(directory: Path, rows: list[tuple[object, ...]], building: int = 1) -> None:
    with gzip.open(directory / f"Building_{building}.csv.gz", "wt", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(FIELDS)
        writer.writerows(rows)


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A year in which each hour's load tells when it was: month and day and hour."""
    hour = datetime(2017, 7, 31, 23)  # noqa: DTZ001  # local time of some place
    rows: list[tuple[object, ...]] = []
    for _ in range(8760):
        load = hour.month * 10 + hour.day / 10 + hour.hour / 1000
        rows.append((hour.month, hour.hour + 1, load, hour.hour * 10))
        hour += timedelta(hours=1)
        if (hour.month, hour.day) == (2, 29):
            hour += timedelta(days=1)
    write_home(tmp_path, rows)
    roof = {"buildings": {"Building_1": {"pv": {"attributes": {"nominal_power": 5.0}}}}}
    (tmp_path / "schema.json").write_text(json.dumps(roof))
    return tmp_path


@pytest.mark.parametrize(
    ("utc", "kilowatts"),
    [
        (datetime(2026, 7, 31, 23, 30, tzinfo=UTC), 70 + 3.1 + 0.023),
        (datetime(2026, 8, 1, 0, 0, tzinfo=UTC), 80 + 0.1),
        (datetime(2027, 1, 1, 0, 0, tzinfo=UTC), 10 + 0.1),
        (datetime(2027, 7, 31, 22, 59, tzinfo=UTC), 70 + 3.1 + 0.022),
        (datetime(2028, 2, 28, 5, 0, tzinfo=UTC), 20 + 2.8 + 0.005),
        (datetime(2028, 2, 29, 5, 0, tzinfo=UTC), 20 + 2.8 + 0.005),
        (datetime(2028, 3, 1, 5, 0, tzinfo=UTC), 30 + 0.1 + 0.005),
        (datetime(2028, 12, 31, 23, 0, tzinfo=UTC), 120 + 3.1 + 0.023),
    ],
)
def test_every_hour_of_the_year_is_found(recorded: Path, utc: datetime, kilowatts: float) -> None:
    home = load_citylearn(recorded, 1).placed(Weather(longitude=0))
    at = np.array([utc.timestamp()])
    assert home.load.power(at)[0] == pytest.approx(kilowatts * 1000)
    assert home.solar.power(at)[0] == pytest.approx(utc.hour * 10 * 5)


def test_an_hour_lasts_from_one_local_hour_to_the_next(recorded: Path) -> None:
    weather = Weather(longitude=11.37)
    home = load_citylearn(recorded, 1).placed(weather)
    start = datetime(2026, 10, 1, tzinfo=UTC).timestamp()
    seconds = start + np.arange(3 * 3600)
    changes = seconds[1:][np.diff(home.load.power(seconds)) != 0]
    assert changes.tolist() == home.load.edges(start, start + 3 * 3600).tolist()
    assert ((changes + weather.shift) % 3600 == 0).all()
    assert changes.size == 3


def test_a_household_draws_what_was_recorded(recorded: Path) -> None:
    start = datetime(2026, 10, 1, 0, 0, tzinfo=UTC).timestamp()
    household = Household.simulated(start, Weather(longitude=0), replay=load_citylearn(recorded, 1))
    house = Integral(household.nodes["house"], start).energy(start + 2.5 * 3600)
    assert house.total_imported == pytest.approx(1000 * (100.1 + 100.101 + 0.5 * 100.102))
    solar = Integral(household.nodes["solar"], start).energy(start + 3 * 3600)
    assert solar.total_exported == pytest.approx(0 + 50 + 100)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([(1, 1, 1.0, 0.0)], "has 1 hours instead of 8760"),
        ([(1, 1, "much", 0.0)], "is not a recorded home"),
    ],
)
def test_a_wrong_file_is_named(
    tmp_path: Path, content: list[tuple[object, ...]], message: str
) -> None:
    write_home(tmp_path, content, building=3)
    with pytest.raises(ReplayError, match=rf"Building_3.csv.gz.*{message}"):
        load_citylearn(tmp_path, 3)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match=r"Building_9.csv.gz does not exist"):
        load_citylearn(tmp_path, 9)
    (tmp_path / "Building_2.csv.gz").write_bytes(b"not gzip")
    with pytest.raises(ReplayError, match=r"Building_2.csv.gz is not a recorded home"):
        load_citylearn(tmp_path, 2)


def test_a_faulty_schema_is_named_and_a_missing_one_means_a_usual_roof(recorded: Path) -> None:
    (recorded / "schema.json").write_text("{}")
    with pytest.raises(ReplayError, match=r"schema.json does not say the roof of building 1"):
        load_citylearn(recorded, 1)
    (recorded / "schema.json").unlink()
    assert load_citylearn(recorded, 1).solar.max() == 230 * 4


@pytest.mark.skipif(find_citylearn() is None, reason="the recorded homes are not on this machine")
@pytest.mark.parametrize("building", range(1, 11))
def test_the_real_recordings_are_homes(building: int) -> None:
    place = find_citylearn()
    assert place is not None
    home = load_citylearn(place, building)
    # The sums of the file's columns, and a roof that yields by day.
    assert 3e6 < home.load.sum() < 40e6
    weather = Weather(longitude=0)
    hours = datetime(2026, 6, 1, tzinfo=UTC).timestamp() + np.arange(30 * 24) * 3600.0
    solar = home.placed(weather).solar.power(hours).reshape(30, 24)
    assert solar[:, [0, 1, 2, 3, 22, 23]].max() == 0
    assert 10.5 < (solar.mean(axis=0) * (np.arange(24) + 0.5)).sum() / solar.mean(0).sum() < 13.5
