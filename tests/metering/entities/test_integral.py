"""Energy out of power alone, against exact sums."""

from fractions import Fraction

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.metering.entities.integral import (
    LONGEST_STANDING,
    PowerIntegral,
)

START = 1_800_000_000.0
HOUR = 3600

watts = st.integers(-20_000, 20_000)
pauses = st.integers(1, int(LONGEST_STANDING))


def oracle(reports: list[tuple[int, int]]) -> tuple[float, float]:
    """Return Wh drawn and given by (seconds until the next report, W), exactly."""
    drawn = sum(Fraction(seconds * max(0, power), HOUR) for seconds, power in reports)
    given_ = sum(Fraction(seconds * max(0, -power), HOUR) for seconds, power in reports)
    return float(drawn), float(given_)


@given(st.lists(st.tuples(pauses, watts), min_size=1, max_size=50))
def test_power_stands_until_the_next_report(reports) -> None:
    integral = PowerIntegral()
    now = START
    for seconds, power in reports:
        assert integral.tell(now, power) == 0.0
        now += seconds
    integral.advance(now)
    assert (integral.imported, integral.exported) == pytest.approx(oracle(reports))
    assert integral.missed == 0.0


@given(st.lists(st.tuples(pauses, watts), min_size=1, max_size=20), st.integers(1, 7))
def test_however_often_it_is_advanced(reports, often) -> None:
    integral = PowerIntegral()
    now = START
    for seconds, power in reports:
        integral.tell(now, power)
        for step in range(often):
            integral.advance(now + seconds * step / often)
        now += seconds
    integral.advance(now)
    assert (integral.imported, integral.exported) == pytest.approx(oracle(reports))


@given(st.lists(st.tuples(st.integers(1, 50), watts), min_size=2, max_size=20), st.integers(1, 19))
def test_a_quick_restart_loses_nothing(reports, at) -> None:
    integral = PowerIntegral()
    now = START
    for index, (seconds, power) in enumerate(reports):
        integral.tell(now, power)
        if index == at:
            integral = PowerIntegral.from_dict(integral.as_dict())
        now += seconds
    integral.tell(now, 0.0)
    assert (integral.imported, integral.exported) == pytest.approx(oracle(reports))


def test_a_long_restart_is_told_and_not_integrated() -> None:
    integral = PowerIntegral()
    integral.tell(START, 1000.0)
    integral.advance(START + 900)
    again = PowerIntegral.from_dict(integral.as_dict())
    again.advance(START + 2000)
    assert again.imported == pytest.approx(250.0)
    assert again.tell(START + 2700, 1000.0) == 1800.0
    assert again.imported == pytest.approx(250.0)
    again.advance(START + 3600)
    assert again.imported == pytest.approx(500.0)
    assert again.missed == 1800.0


def test_silence_is_integrated_for_an_hour_and_told_beyond() -> None:
    integral = PowerIntegral()
    integral.tell(START, 1000.0)
    missed = integral.tell(START + 3 * HOUR, 500.0)
    assert missed == 3 * HOUR - LONGEST_STANDING
    assert integral.imported == pytest.approx(1000 * LONGEST_STANDING / HOUR)


@pytest.mark.parametrize("nothing", [None, float("nan"), float("inf")])
def test_time_without_a_power_is_not_integrated(nothing) -> None:
    integral = PowerIntegral()
    integral.tell(START, 1000.0)
    assert integral.tell(START + 360, nothing) == 0.0
    assert integral.tell(START + 720, 1000.0) == 360.0
    integral.advance(START + 1080)
    assert integral.imported == pytest.approx(200.0)


def test_a_clock_set_back_makes_no_energy() -> None:
    integral = PowerIntegral()
    integral.tell(START, 1000.0)
    integral.advance(START + 360)
    integral.advance(START + 100)
    assert integral.tell(START - 3600, 1000.0) == 0.0
    assert integral.imported == pytest.approx(100.0)
    integral.advance(START - 3240)
    assert integral.imported == pytest.approx(200.0)
