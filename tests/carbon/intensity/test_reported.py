"""Reports of an intensity as a step function of time, over outages and restarts."""

import json
import math

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.intensity.reported import HOLD, ReportedSource
from custom_components.carbon_meter.carbon.units import UnknownIntensityUnitError

T = 1_790_000_000.0
G = "gCO2eq/kWh"


def source() -> ReportedSource:
    return ReportedSource("entity:sensor.co2", "CO2")


def restarted(before: ReportedSource) -> ReportedSource:
    after = source()
    after.restore(json.loads(json.dumps(before.as_dict())))
    return after


def told(reported: ReportedSource, start: float, end: float) -> list[tuple[float, float, float]]:
    return [(item.start - T, item.end - T, item.value) for item in reported.intervals(start, end)]


async def test_a_value_holds_until_the_next() -> None:
    reported = source()
    await reported.refresh()
    reported.report(T, 100.0, G)
    reported.report(T + 600, 0.2, "kgCO2eq/kWh")
    reported.report(T + 900, 200.0, G)  # the same in another unit
    reported.report(T + 1200, 50.0, G)
    reported.heard(T + 1500)

    assert told(reported, T - 100, T + 1500) == [
        (0, 600, 100),
        (600, 1200, 200),
        (1200, 1500, 50),
    ]
    assert told(reported, T + 700, T + 800) == [(700, 800, 200)]
    interval = reported.intervals(T, T + 1)[0]
    assert (interval.grade, interval.source) == (Grade.MEASURED, "entity:sensor.co2")
    assert reported.refresh_after is None


def test_before_the_first_report_nothing_is_known() -> None:
    reported = source()
    assert told(reported, T, T + 100) == []
    reported.heard(T + 50)
    assert told(reported, T, T + 100) == []
    reported.report(T + 60, 5.0, G)
    assert told(reported, T, T + 100) == [(60, 100, 5)]


def test_a_value_holds_an_hour_after_the_last_word() -> None:
    reported = source()
    reported.report(T, 100.0, G)
    reported.heard(T + 600)

    assert told(reported, T, T + 9000) == [(0, 600 + HOLD, 100)]
    assert told(reported, T + 600 + HOLD, T + 9000) == []


def test_what_is_lost_is_unknown_from_then_on() -> None:
    reported = source()
    reported.report(T, 100.0, G)
    reported.lost(T + 300)
    reported.heard(T + 900)
    reported.report(T + 1200, 80.0, G)

    assert told(reported, T, T + 1300) == [(0, 300, 100), (1200, 1300, 80)]


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0, 5000.1, 1e9])
def test_an_impossible_value_ends_the_one_before(value) -> None:
    reported = source()
    reported.report(T, 100.0, G)
    with pytest.raises(ValueError, match="not a possible carbon intensity"):
        reported.report(T + 300, value, G)

    assert told(reported, T, T + 400) == [(0, 300, 100)]


def test_an_unknown_unit_ends_the_value_before() -> None:
    reported = source()
    reported.report(T, 100.0, G)
    with pytest.raises(UnknownIntensityUnitError):
        reported.report(T + 300, 100.0, "ppm")

    assert told(reported, T, T + 400) == [(0, 300, 100)]


def test_a_restart_of_less_than_an_hour_holds_the_value() -> None:
    reported = source()
    reported.report(T, 100.0, G)
    reported.heard(T + 600)
    after = restarted(reported)
    after.report(T + 600 + 1200, 200.0, G)

    assert told(after, T, T + 2000) == [(0, 1800, 100), (1800, 2000, 200)]


def test_a_longer_restart_leaves_a_hole_after_an_hour() -> None:
    reported = source()
    reported.report(T, 100.0, G)
    reported.heard(T + 600)
    after = restarted(reported)
    after.heard(T + 600 + 10_000)
    after.report(T + 600 + 10_000, 200.0, G)

    assert told(after, T, T + 11_000) == [(0, 600 + HOLD, 100), (10_600, 11_000, 200)]


def test_the_same_value_after_a_long_restart_does_not_bridge_the_hole() -> None:
    reported = source()
    reported.report(T, 100.0, G)
    after = restarted(reported)
    after.report(T + 20_000, 100.0, G)

    assert told(after, T, T + 20_100) == [(0, HOLD, 100), (20_000, 20_100, 100)]


def test_two_restarts_in_a_row_hold_no_longer() -> None:
    reported = source()
    reported.report(T, 100.0, G)
    after = restarted(restarted(reported))

    assert told(after, T, T + 20_000) == [(0, HOLD, 100)]


def test_a_restart_before_any_report() -> None:
    after = restarted(source())

    assert told(after, T, T + 100) == []
    after.report(T, 1.0, G)
    assert told(after, T, T + 100) == [(0, 100, 1)]


def test_a_restart_while_nothing_was_known() -> None:
    reported = source()
    reported.report(T, 100.0, G)
    reported.lost(T + 300)
    after = restarted(reported)

    assert told(after, T, T + 9000) == [(0, 300, 100)]


def test_a_report_of_an_earlier_time_replaces_what_was_believed_later() -> None:
    reported = source()
    reported.report(T, 100.0, G)
    reported.report(T + 600, 200.0, G)
    reported.report(T + 300, 150.0, G)
    reported.heard(T + 900)

    assert told(reported, T, T + 900) == [(0, 300, 100), (300, 900, 150)]


def test_a_clock_that_was_wrong_by_years_does_not_hold_a_value_for_years() -> None:
    reported = source()
    reported.report(T, 100.0, G)
    year = 365 * 86400.0
    reported.report(T + 5 * year, 500.0, G)
    reported.heard(T + 5 * year + 60)
    # The clock is right again.
    reported.heard(T + 600)
    reported.report(T + 610, 120.0, G)
    reported.heard(T + 620)

    assert told(reported, T, T + year) == [(0, 610, 100), (610, 620 + HOLD, 120)]


def test_history_is_kept_for_two_weeks() -> None:
    reported = source()
    for hour in range(30 * 24):
        reported.report(T + hour * 3600, 100.0 + hour % 7, G)
    end = T + 30 * 24 * 3600

    assert reported.intervals(end - 13.9 * 86400, end)[0].start == end - 13.9 * 86400
    assert len(reported.as_dict()["changes"]) < 15 * 24
    assert told(reported, T, T + 86400) == []


@given(
    st.lists(
        st.tuples(st.integers(1, 2000), st.none() | st.integers(0, 5000)), min_size=1, max_size=20
    ),
    st.integers(0, 9999),
)
def test_every_moment_has_the_value_that_was_reported_last(reports, probe) -> None:
    reported = source()
    moment, steps = T, []
    for wait, value in reports:
        moment += wait
        if value is None:
            reported.lost(moment)
        else:
            reported.report(moment, float(value), G)
        steps.append((moment, value))
    asked = T + probe * (moment - T) / 9999
    reported.heard(moment)

    known = [value for when, value in steps if when <= asked]
    expected = known[-1] if known else None
    found = reported.intervals(asked, asked + 1e-3)
    assert [item.value for item in found][:1] == ([] if expected is None else [expected]) or (
        expected is None and found[0].start > asked
    )
    whole = reported.intervals(T, moment)
    assert whole == restarted(reported).intervals(T, moment)
    assert all(item.start < item.end for item in whole)
