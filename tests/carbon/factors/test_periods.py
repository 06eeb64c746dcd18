"""Rows of one file for the same time."""

from datetime import date, timedelta
from pathlib import Path
import tempfile

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.carbon.factors.factor import Stage
from custom_components.carbon_meter.carbon.factors.library import load_library
from custom_components.carbon_meter.carbon.factors.reader import FactorFile, read_factor_file

from .tables import write

FIRST_ROW = 8


def read(directory: Path, rows: str, **header: str) -> FactorFile:
    return read_factor_file(write(directory, "table", rows, **header))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("valid_from: 2024-01-01, valid_to: 2025-01-01", "valid_from: 2024-12-31"),
        ("valid_from: 2024-01-01", "valid_from: 2024-01-01"),
        ("valid_from: 2024-01-01, valid_to: 2026-01-01", "valid_to: 2024-01-02"),
        ("valid_to: 2024-01-01", "valid_to: 2025-01-01"),
        ("valid_from: 2020-01-01, valid_to: 2030-01-01", "valid_from: 2024-01-01, year: 2021"),
        ("year: 2024", "year: 2024"),
    ],
)
def test_rows_that_overlap_are_named_with_file_and_line(
    tmp_path: Path, one: str, other: str
) -> None:
    file = read(
        tmp_path,
        f"  - {{zone: DE, value: 1, {one}}}\n"
        "  - {zone: FR, value: 2, year: 2024}\n"
        f"  - {{zone: DE, value: 3, {other}}}\n",
    )
    assert [factor.zone for factor in file.factors] == ["FR"]
    (problem,) = file.problems
    assert (problem.file, problem.line) == (str(tmp_path / "table.yaml"), FIRST_ROW + 2)
    assert f"in the lines {FIRST_ROW} and {FIRST_ROW + 2}" in problem.message
    assert load_library([tmp_path]).problems == (problem,)


@pytest.mark.parametrize(
    "second",
    [
        "valid_from: 2025-01-01",
        "valid_from: 2025-01-01, valid_to: 2026-01-01",
        "year: 2024",
        "valid_from: 2024-01-01, stage: upstream",
        "valid_from: 2024-01-01, scope: life_cycle",
        "valid_from: 2024-01-01, technology: coal",
        "valid_from: 2024-01-01, carrier: district_heat",
        "valid_from: 2024-01-01, method: residual_mix",
        "valid_from: 2024-01-01, unit: kg/m3",
        "valid_from: 2024-01-01, biogenic: true",
    ],
)
def test_rows_about_other_things_or_times_do_not_overlap(tmp_path: Path, second: str) -> None:
    file = read(
        tmp_path,
        "  - {zone: DE, value: 1, valid_from: 2024-01-01, valid_to: 2025-01-01}\n"
        f"  - {{zone: DE, value: 3, {second}}}\n",
    )
    assert file.problems == ()
    assert len(file.factors) == 2
    assert file.factors[0].valid_to == date(2025, 1, 1)


def test_an_open_row_ends_for_good_where_the_next_begins(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        "  - {zone: DE, value: 2, valid_from: 2025-01-01, valid_to: 2026-01-01}\n"
        "  - {zone: DE, value: 1, valid_from: 2024-01-01}\n",
    )
    later, earlier = file.factors
    assert (later.value, earlier.value) == (2, 1)
    assert earlier.valid_to == date(2025, 1, 1)
    assert not earlier.applies_on(date(2026, 6, 1))


def test_a_row_may_count_something_else_than_its_file(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        "  - {zone: GB, value: 0.177, year: 2025}\n"
        "  - {zone: GB, value: 0.01853, year: 2025, stage: transmission_distribution}\n"
        "  - {zone: GB, value: 0.0459, year: 2025, stage: upstream, confidence: secondary}\n",
        unit="kg/kWh",
    )
    own, losses, supply = file.factors
    assert own.source is file.source
    assert losses.source.stage is Stage.TRANSMISSION_DISTRIBUTION
    assert losses.source.id == file.source.id
    assert supply.source.confidence == "secondary"
    assert file.source.stage is Stage.GENERATION


DAYS = st.dates(date(2020, 1, 1), date(2021, 1, 1))


@given(st.lists(st.tuples(DAYS, st.integers(1, 90)), min_size=1, max_size=8))
def test_no_day_has_two_rows_left(periods: list[tuple[date, int]]) -> None:
    """Whatever is written: at most one row stands for a day, and the others are named."""
    rows = "".join(
        f"  - {{zone: DE, value: {number}, valid_from: {start}, "
        f"valid_to: {start + timedelta(days=length)}}}\n"
        for number, (start, length) in enumerate(periods)
    )
    with tempfile.TemporaryDirectory() as directory:
        file = read(Path(directory), rows)
    for factor in file.factors:
        rivals = [
            other
            for other in file.factors
            if other.valid_from < factor.valid_to and factor.valid_from < other.valid_to
        ]
        assert rivals == [factor]
    alone = {
        number
        for number, (start, length) in enumerate(periods)
        if not any(
            other < start + timedelta(days=length) and start < other + timedelta(days=long)
            for index, (other, long) in enumerate(periods)
            if index != number
        )
    }
    assert {int(factor.value) for factor in file.factors} == alone
    assert bool(file.problems) == (len(alone) < len(periods))
