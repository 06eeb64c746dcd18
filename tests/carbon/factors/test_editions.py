"""Factors that change in the middle of a year, and editions that change the past."""

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.carbon.factors.editions import Change, Span, changes, spans
from custom_components.carbon_meter.carbon.factors.factor import Scope
from custom_components.carbon_meter.carbon.factors.library import FactorLibrary, load_library
from custom_components.carbon_meter.carbon.factors.selection import Query, Selection

from .tables import library, write

PACKAGED = load_library()
DIRECT = Selection(scope=Scope.DIRECT)


def figures(found: list[Span]) -> list[tuple[date, date, float | None]]:
    return [
        (span.start, span.end, span.factor.value if span.factor is not None else None)
        for span in found
    ]


def restated(found: list[Change]) -> list[tuple[date, date, float | None, float | None]]:
    return [
        (
            change.start,
            change.end,
            change.before.value if change.before is not None else None,
            change.after.value if change.after is not None else None,
        )
        for change in found
    ]


def test_a_change_in_the_middle_of_a_year_applies_from_its_day() -> None:
    """Australia's editions are for reporting years that begin on 1 July."""
    query = Query(zone="AU-NSW", sources=DIRECT)
    assert figures(spans(PACKAGED, query, date(2025, 1, 1), date(2027, 1, 1))) == [
        (date(2025, 1, 1), date(2025, 7, 1), 660.0),
        (date(2025, 7, 1), date(2026, 7, 1), 640.0),
        (date(2026, 7, 1), date(2027, 1, 1), 600.0),
    ]


def test_a_yearly_figure_stands_until_there_is_a_newer_one() -> None:
    query = Query(zone="CN", sources=DIRECT)
    assert figures(spans(PACKAGED, query, date(2020, 6, 1), date(2026, 6, 1))) == [
        (date(2020, 6, 1), date(2022, 1, 1), 556.8),
        (date(2022, 1, 1), date(2023, 1, 1), 536.6),
        (date(2023, 1, 1), date(2026, 6, 1), 530.6),
    ]


def test_what_was_known_then(tmp_path: Path) -> None:
    write(
        tmp_path,
        "first",
        "  - {zone: GB, value: 207, valid_from: 2024-01-01}\n",
        published="2024-10-30",
    )
    write(
        tmp_path,
        "second",
        "  - {zone: GB, value: 177, valid_from: 2025-01-01}\n",
        published="2025-06-10",
    )
    loaded = load_library([tmp_path])
    day = date(2025, 3, 1)
    assert loaded.find("GB", day).value == 177
    assert loaded.find("GB", day, as_of=date(2025, 6, 9)).value == 207
    assert loaded.find("GB", day, as_of=date(2025, 6, 10)).value == 177
    assert loaded.find("GB", day, as_of=date(2024, 10, 29)) is None


def test_a_new_edition_restates_from_the_day_it_is_valid_from() -> None:
    """DESNZ 2025 came out on 10 June 2025, for the year from 1 January."""
    query = Query(zone="GB", sources=DIRECT, as_of=date(2025, 6, 10))
    found = changes(PACKAGED, query, date(2024, 6, 1), date(2025, 6, 10), date(2025, 6, 9))
    assert restated(found) == [(date(2025, 1, 1), date(2025, 6, 10), 207.05, 177.0)]


def test_without_a_new_edition_nothing_is_restated() -> None:
    query = Query(zone="GB", sources=DIRECT, as_of=date(2025, 8, 1))
    found = changes(PACKAGED, query, date(2024, 1, 1), date(2025, 8, 1), date(2025, 7, 1))
    assert found == []


def test_of_two_editions_of_one_year_the_newest_wins(tmp_path: Path) -> None:
    rows = "  - {zone: US, year: 2023, value: %s}\n"
    write(tmp_path, "b_first", rows % 351, published="2025-01-15")
    write(tmp_path, "a_revised", rows % 350, published="2025-06-12")
    loaded = load_library([tmp_path])
    assert loaded.find("US").value == 350
    assert loaded.find("US", as_of=date(2025, 6, 11)).value == 351
    wanted = Selection(table="b_first")
    assert loaded.find("US", None, wanted).value == 351


@pytest.mark.parametrize(
    ("start", "end"), [(date(2025, 1, 1), date(2025, 1, 1)), (date(2025, 1, 2), date(2025, 1, 1))]
)
def test_no_days_have_no_spans(start: date, end: date) -> None:
    query = Query(zone="DE")
    assert spans(PACKAGED, query, start, end) == []
    assert changes(PACKAGED, query, start, end, date(2025, 1, 1)) == []


def test_days_without_any_figure_are_told(tmp_path: Path) -> None:
    loaded = library(
        tmp_path, "  - {zone: DE, value: 3, valid_from: 2025-03-01, valid_to: 2025-03-11}\n"
    )
    found = spans(loaded, Query(zone="DE"), date(2025, 2, 1), date(2025, 4, 1))
    assert figures(found) == [
        (date(2025, 2, 1), date(2025, 3, 1), None),
        (date(2025, 3, 1), date(2025, 3, 11), 3),
        (date(2025, 3, 11), date(2025, 4, 1), None),
    ]


@given(
    st.sampled_from(["GB", "AU-NSW", "AU-ACT", "CN-BJ", "CN-XZ", "IN", "US-CAMX", "DE", "AQ"]),
    st.sampled_from([DIRECT, Selection()]),
    st.dates(date(2019, 1, 1), date(2027, 1, 1)),
    st.integers(1, 800),
    st.none() | st.dates(date(2024, 1, 1), date(2027, 1, 1)),
)
def test_spans_say_what_each_day_would_say(
    zone: str, sources: Selection, start: date, days: int, as_of: date | None
) -> None:
    """Without a hole, and day by day the same as asked for one by one."""
    query = Query(zone=zone, sources=sources, as_of=as_of)
    end = start + timedelta(days=days)
    found = spans(PACKAGED, query, start, end)
    assert (found[0].start, found[-1].end) == (start, end)
    for before, after in pairwise(found):
        assert before.end == after.start
        assert before.factor is not after.factor
    for span in found:
        for day in (span.start, span.end - timedelta(days=1)):
            assert PACKAGED.best(zone, day, sources, as_of=as_of) is span.factor


def test_a_library_without_files_has_no_figure() -> None:
    empty = FactorLibrary([])
    query = Query(zone="DE")
    assert figures(spans(empty, query, date(2025, 1, 1), date(2025, 2, 1))) == [
        (date(2025, 1, 1), date(2025, 2, 1), None)
    ]
