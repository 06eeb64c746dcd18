"""Calendar periods on days on which clocks do what they like."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.carbon.report.periods import Bounds, Period, bounds, split

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3600

TURNS = {
    "Europe/Berlin": [(2026, 3, 29), (2026, 10, 25)],
    "Asia/Kolkata": [(2026, 1, 1)],
    "Asia/Kathmandu": [(1985, 12, 31)],
    "Pacific/Chatham": [(2026, 4, 5), (2026, 9, 27)],
    "Australia/Lord_Howe": [(2026, 4, 5), (2026, 10, 4)],
    "Australia/Eucla": [(2026, 1, 1)],
    "Pacific/Apia": [(2011, 12, 30)],
    "Pacific/Kiritimati": [(1994, 12, 31)],
    "America/St_Johns": [(2010, 3, 14), (2010, 11, 7)],
    "America/Sao_Paulo": [(2017, 10, 15), (2018, 2, 18)],
    "America/Santiago": [(2026, 4, 5), (2026, 9, 6)],
    "America/Havana": [(2026, 3, 8), (2026, 11, 1)],
    "Asia/Beirut": [(2022, 3, 27), (2022, 10, 30)],
    "Asia/Tehran": [(2022, 3, 22), (2022, 9, 22)],
    "Asia/Pyongyang": [(2015, 8, 15), (2018, 5, 5)],
    "America/Toronto": [(1919, 3, 31)],
    "UTC": [(2026, 12, 31)],
}
"""Zones with days on which their clocks are changed: at midnight, over it, by 30 minutes, a day."""

zones = st.sampled_from(sorted(TURNS)).flatmap(
    lambda name: st.tuples(st.just(ZoneInfo(name)), st.sampled_from(TURNS[name]))
)
periods = st.sampled_from(Period)


def local(year, month, day, hour=0, minute=0, *, zone=BERLIN, fold=0) -> float:
    return datetime(year, month, day, hour, minute, tzinfo=zone, fold=fold).timestamp()


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        (Period.DAY, (2026, 11, 18), (2026, 11, 19)),
        (Period.WEEK, (2026, 11, 16), (2026, 11, 23)),
        (Period.MONTH, (2026, 11, 1), (2026, 12, 1)),
        (Period.QUARTER, (2026, 10, 1), (2027, 1, 1)),
        (Period.YEAR, (2026, 1, 1), (2027, 1, 1)),
    ],
)
def test_periods_of_a_calendar(period, first, last) -> None:
    found = bounds(period, local(2026, 11, 18, 13, 37), BERLIN)

    assert found == Bounds(local(*first), local(*last))


def test_the_iso_week_begins_on_monday_across_the_year() -> None:
    assert bounds(Period.WEEK, local(2027, 1, 3, 23, 59), BERLIN) == Bounds(
        local(2026, 12, 28), local(2027, 1, 4)
    )


@pytest.mark.parametrize(("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25)])
def test_days_of_23_and_25_hours(day, hours) -> None:
    found = bounds(Period.DAY, local(*day, 12), BERLIN)
    parts = list(split(found.start, found.end, Period.HOUR, BERLIN))

    assert found.end - found.start == hours * HOUR
    assert len(parts) == hours
    assert {part.end - part.start for part in parts} == {HOUR}


def test_the_hour_that_comes_twice_is_two_hours() -> None:
    first, second = (
        bounds(Period.HOUR, local(2026, 10, 25, 2, 30, fold=fold), BERLIN) for fold in (0, 1)
    )

    assert first.end == second.start == local(2026, 10, 25, 2, fold=1)
    assert first.end - first.start == second.end - second.start == HOUR


def test_the_day_that_samoa_skipped_does_not_occur() -> None:
    apia = ZoneInfo("Pacific/Apia")
    days = list(
        split(local(2011, 12, 28, zone=apia), local(2012, 1, 2, zone=apia), Period.DAY, apia)
    )

    shown = [datetime.fromtimestamp(day.start, apia).day for day in days]
    assert shown == [28, 29, 31, 1]
    assert {day.end - day.start for day in days} == {24 * HOUR}


@pytest.mark.parametrize(
    ("name", "day", "begins"),
    [
        ("America/Santiago", (2026, 9, 6), "01:00"),
        ("America/Sao_Paulo", (2017, 10, 15), "01:00"),
        ("Asia/Beirut", (2022, 3, 27), "01:00"),
        ("America/Toronto", (1919, 3, 31), "00:30"),
    ],
)
def test_a_day_whose_midnight_is_skipped_begins_after_the_jump(name, day, begins) -> None:
    zone = ZoneInfo(name)
    found = bounds(Period.DAY, local(*day, 12, zone=zone), zone)

    first = datetime.fromtimestamp(found.start, zone)
    assert first.strftime("%H:%M") == begins
    before = datetime.fromtimestamp(found.start - 1, zone)
    assert before.date() == first.date() - timedelta(days=1)


def test_half_hours_and_quarters() -> None:
    nepal = ZoneInfo("Asia/Kathmandu")
    found = bounds(Period.HOUR, local(2026, 5, 1, 7, 59, zone=nepal), nepal)

    assert found.start % HOUR == 15 * 60
    assert found == Bounds(local(2026, 5, 1, 7, zone=nepal), local(2026, 5, 1, 8, zone=nepal))


def test_lord_howes_clock_goes_back_by_half_an_hour() -> None:
    zone = ZoneInfo("Australia/Lord_Howe")
    day = bounds(Period.DAY, local(2026, 4, 5, 12, zone=zone), zone)
    lengths = [part.end - part.start for part in split(day.start, day.end, Period.HOUR, zone)]

    assert lengths == [HOUR, HOUR, HOUR // 2, *[HOUR] * 22]
    again = bounds(Period.HOUR, local(2026, 4, 5, 1, 45, zone=zone, fold=1), zone)
    assert again == Bounds(day.start + 2 * HOUR, day.start + 2.5 * HOUR)


def test_a_fixed_offset_needs_no_table() -> None:
    zone = timezone(timedelta(hours=-3, minutes=-30))

    assert bounds(Period.DAY, 0.0, zone) == Bounds(-20.5 * HOUR, 3.5 * HOUR)


def test_a_running_period_ends_now() -> None:
    day = Bounds(0.0, 86400.0)

    assert day.until(500.0) == Bounds(0.0, 500.0)
    assert day.until(1e9) == day
    assert day.until(-1.0) == Bounds(0.0, 0.0)


def test_nothing_is_split_into_nothing() -> None:
    assert list(split(10.0, 10.0, Period.DAY, UTC)) == []
    assert list(split(10.0, 5.0, Period.DAY, UTC)) == []


def test_a_moment_just_before_midnight_is_not_the_next_day() -> None:
    midnight = local(2026, 7, 1)

    assert bounds(Period.DAY, midnight - 4e-7, BERLIN).end == midnight
    assert bounds(Period.DAY, midnight, BERLIN).start == midnight


@pytest.mark.parametrize("moment", [float("nan"), float("inf"), 1e15])
def test_a_moment_outside_of_the_calendar_is_refused(moment) -> None:
    for period in Period:
        with pytest.raises((ValueError, OverflowError)):
            bounds(period, moment, UTC)


@given(zones, st.floats(-40, 40), st.floats(0, 60), periods)
def test_pieces_tile_any_stretch(place, ahead, days, period) -> None:
    zone, turn = place
    start = local(*turn, zone=zone) + ahead * 86400
    end = start + min(days, 3.0 if period is Period.HOUR else 60.0) * 86400

    pieces = list(split(start, end, period, zone))

    if end <= start:
        assert pieces == []
        return
    assert (pieces[0].start, pieces[-1].end) == (start, end)
    assert all(one.end == other.start for one, other in pairwise(pieces))
    assert all(piece.start < piece.end for piece in pieces)
    for piece in pieces:
        whole = bounds(period, piece.start, zone)
        assert whole == bounds(period, piece.end - 1e-3, zone)
        assert whole.start <= piece.start < piece.end <= whole.end
    assert all(bounds(period, piece.start, zone).start == piece.start for piece in pieces[1:])


@given(
    zones,
    st.floats(-40, 40),
    st.sampled_from(
        [
            (finer, coarser)
            for place, finer in enumerate(Period)
            for coarser in list(Period)[place + 1 :]
            if finer is not Period.WEEK
        ]
    ),
)
def test_a_period_is_made_of_whole_finer_ones(place, ahead, pair) -> None:
    zone, turn = place
    finer, coarser = pair
    whole = bounds(coarser, local(*turn, zone=zone) + ahead * 86400, zone)
    edges = (whole.start, whole.end)

    for edge in edges:
        assert bounds(finer, edge, zone).start == edge
        assert bounds(finer, edge - 1, zone).end == edge


@given(zones, st.floats(-3, 3), st.sampled_from([Period.DAY, Period.WEEK, Period.MONTH]))
def test_the_wall_clock_first_reaches_a_period_at_its_start(place, ahead, period) -> None:
    zone, turn = place
    found = bounds(period, local(*turn, zone=zone) + ahead * 86400, zone)

    first = datetime.fromtimestamp(found.start, zone).replace(tzinfo=None)
    before = datetime.fromtimestamp(found.start - 1, zone).replace(tzinfo=None)
    assert before.date() < first.date()
