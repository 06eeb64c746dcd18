"""Rows of answers as intervals, and intervals over intervals."""

from itertools import pairwise
import math

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.intensity.live.errors import ProviderChangedError
from custom_components.carbon_meter.carbon.intensity.live.overlay import cut, overlaid
from custom_components.carbon_meter.carbon.intensity.live.rows import Rows, step_of, tidy
from custom_components.carbon_meter.carbon.intensity.source import IntensityInterval
from custom_components.carbon_meter.carbon.units import UnknownIntensityUnitError

T = 1_790_020_800.0


def rows(unit: str = "gCO2eq/kWh") -> Rows:
    return Rows("test", unit, now=T)


def interval(start: float, end: float, value: float = 1.0) -> IntensityInterval:
    return IntensityInterval(start=start, end=end, value=value, grade=Grade.MEASURED, source="test")


def told(intervals: list[IntensityInterval]) -> list[tuple[float, float, float]]:
    return [(each.start, each.end, each.value) for each in intervals]


@pytest.mark.parametrize(
    ("value", "unit", "grams"),
    [
        (212.5, "g/kWh", 212.5),
        ("212.5", "gCO2/kWh", 212.5),
        (0.2125, "kg/kWh", 212.5),
        (212.5, "kg/MWh", 212.5),
        (1000, "lbs_co2_per_mwh", 453.59237),
        (0.429983, "lb/kWh", 195.03700802971),
        (0, "kg/kWh", 0.0),
    ],
)
def test_units(value, unit, grams) -> None:
    found = rows(unit)
    found.add(T - 300, T, value, Grade.MEASURED)
    assert found.intervals()[0].value == grams


@pytest.mark.parametrize("unit", ["%", "percentile", "EUR/kWh", "", "None", "ppm"])
def test_what_is_no_intensity_is_refused(unit) -> None:
    with pytest.raises(UnknownIntensityUnitError):
        rows(unit)


def test_holes_and_faults() -> None:
    found = rows()
    found.add(T - 900, T - 600, None, Grade.MEASURED)
    assert found.intervals() == []
    for start, end, value in (
        (None, T, 5),
        (T, None, 5),
        (T, T, 5),
        (T, T - 300, 5),
        (T, T + 30, 5),
        (T, T + 90_000, 5),
        (math.nan, T, 5),
        (T - 300, T, math.nan),
        (T - 300, T, -0.1),
        (T - 300, T, 5000.1),
        (T - 300, T, "x"),
        (T - 300, T, True),
    ):
        found.add(start, end, value, Grade.MEASURED)
    assert len(found.faults) == 12
    with pytest.raises(ProviderChangedError, match="no usable row: a time that cannot be read"):
        found.intervals()
    found.add(T - 300, T, 0, Grade.ESTIMATED)
    assert told(found.intervals()) == [(T - 300, T, 0)]


def test_rows_out_of_order_twice_and_too_long() -> None:
    found = rows()
    for start, end, value in ((600, 900, 3), (0, 300, 1), (300, 800, 2), (0, 300, 9)):
        found.add(T - 900 + start, T - 900 + end, value, Grade.MEASURED)

    assert told(found.intervals()) == [
        (T - 900, T - 600, 9),
        (T - 600, T - 300, 2),
        (T - 300, T, 3),
    ]


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(1, 30)), max_size=20))
def test_tidy_intervals_never_overlap(pairs) -> None:
    given_ = [interval(start, start + length, index) for index, (start, length) in enumerate(pairs)]
    found = tidy(given_)

    assert all(one.end <= other.start for one, other in pairwise(found))
    assert {each.start for each in found} == {start for start, _ in pairs}
    assert all(each.start < each.end for each in found)


def test_the_step_is_that_of_most_rows() -> None:
    assert step_of([], 900) == 900
    assert step_of([5.0, None], 900) == 900
    assert step_of([0, 900, 1800, 7200], 3600) == 900
    assert step_of([0, 3600, 7200, None], 900) == 3600
    # A day that is missing is no step.
    assert step_of([0, 86400], 300) == 300
    assert step_of([0, 1, 2, 3], 300) == 300


stretches = st.lists(st.integers(0, 60), max_size=8, unique=True).map(
    lambda edges: [
        interval(start, end, value)
        for value, (start, end) in enumerate(
            zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False)
        )
    ]
)


@given(stretches, stretches)
def test_what_lies_above_is_seen_and_what_lies_below_around_it(above, below) -> None:
    below = [interval(each.start, each.end, each.value + 100) for each in below]
    merged = overlaid(above, below)

    assert all(one.end <= other.start for one, other in pairwise(merged))
    for moment in range(61):
        here = [each for each in merged if each.start <= moment < each.end]
        expected = [each for each in above if each.start <= moment < each.end] or [
            each for each in below if each.start <= moment < each.end
        ]
        assert [each.value for each in here] == [each.value for each in expected]


def test_cutting() -> None:
    assert told(cut([interval(0, 10), interval(10, 20), interval(30, 40)], 5, 30)) == [
        (5, 10, 1),
        (10, 20, 1),
    ]
