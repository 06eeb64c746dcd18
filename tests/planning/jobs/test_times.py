"""Times of day, on days that are shorter or longer than others."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
import math
from zoneinfo import ZoneInfo

from hypothesis import example, given, strategies as st
import pytest

from custom_components.carbon_meter.planning.jobs.times import (
    daily_window,
    is_moment,
    moment_at,
    moment_or_none,
    next_at,
    quiet_within,
)

ZONES = [
    ZoneInfo(key)
    for key in (
        "Europe/Berlin",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "America/Sao_Paulo",
        "America/Nuuk",
        "Pacific/Chatham",
    )
]
BERLIN = ZONES[0]

zones = st.sampled_from(ZONES)
times = st.times().map(lambda at: at.replace(microsecond=0))
moments = st.integers(946_684_800, 2_051_222_400).map(float)

SPRING = datetime(2026, 3, 29, tzinfo=BERLIN).timestamp()
AUTUMN = datetime(2026, 10, 25, tzinfo=BERLIN).timestamp()
HOUR = 3600.0


def local(moment: float, zone: ZoneInfo) -> datetime:
    """Return what the clock of a zone shows."""
    return datetime.fromtimestamp(moment, zone)


def exists(day: date, at: time, zone: ZoneInfo) -> bool:
    """Return whether the clock of a zone shows a time on a day."""
    told = datetime.combine(day, at, tzinfo=zone)
    return told.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == told.replace(tzinfo=None)


def test_a_time_that_is_skipped_is_when_it_is_skipped() -> None:
    """Berlin goes from 2:00 to 3:00, Lord Howe from 2:00 to 2:30, São Paulo from 0:00 to 1:00."""
    skip = SPRING + 2 * HOUR

    assert moment_at(date(2026, 3, 29), time(2), BERLIN) == skip
    assert moment_at(date(2026, 3, 29), time(2, 30), BERLIN) == skip
    assert moment_at(date(2026, 3, 29), time(3), BERLIN) == skip
    assert moment_at(date(2026, 3, 29), time(3, 30), BERLIN) == skip + HOUR / 2
    howe = moment_at(date(2026, 10, 4), time(2, 15), ZONES[2])
    assert howe == datetime(2026, 10, 3, 15, 30, tzinfo=UTC).timestamp()
    paulo = moment_at(date(2018, 11, 4), time(0), ZONES[3])
    assert paulo == datetime(2018, 11, 4, 3, tzinfo=UTC).timestamp()


def test_a_time_that_comes_twice_is_its_first() -> None:
    first = moment_at(date(2026, 10, 25), time(2, 30), BERLIN)

    assert first == AUTUMN + 2.5 * HOUR
    assert moment_at(date(2026, 10, 25), time(3), BERLIN) == AUTUMN + 4 * HOUR


@given(day=st.dates(date(2000, 1, 1), date(2035, 1, 1)), at=times, zone=zones)
@example(day=date(2026, 3, 28), at=time(23, 30), zone=ZONES[4])
def test_the_clock_shows_the_time_of_a_moment(day: date, at: time, zone: ZoneInfo) -> None:
    found = local(moment_at(day, at, zone), zone)

    if exists(day, at, zone):
        assert (found.date(), found.time()) == (day, at)
        assert found.fold == 0
    else:
        before = local(found.timestamp() - 1.0, zone).replace(tzinfo=None)
        assert before < datetime.combine(day, at) < found.replace(tzinfo=None)


@given(day=st.dates(date(2000, 1, 1), date(2035, 1, 1)), pair=st.tuples(times, times), zone=zones)
def test_later_times_are_never_earlier_moments(
    day: date, pair: tuple[time, time], zone: ZoneInfo
) -> None:
    first, last = sorted(pair)

    assert moment_at(day, first, zone) <= moment_at(day, last, zone)
    assert moment_at(day, last, zone) <= moment_at(day + timedelta(days=1), first, zone)


@given(now=moments, at=times, zone=zones)
def test_the_next_time_comes_and_none_before_it(now: float, at: time, zone: ZoneInfo) -> None:
    found = next_at(now, at, zone)

    assert 0.0 < found - now <= 26 * HOUR
    shown = local(found, zone)
    assert shown.time() == at or not exists(shown.date(), at, zone) or shown.time() == time()
    nearer = [moment_at(local(now, zone).date() + timedelta(days=by), at, zone) for by in (-1, 0)]
    assert all(moment <= now or moment >= found for moment in nearer)


@given(now=moments, begin=st.none() | times, end=st.none() | times, zone=zones)
@example(now=SPRING, begin=time(2, 10), end=time(2, 50), zone=BERLIN)
@example(now=AUTUMN + 3 * HOUR, begin=time(2, 10), end=time(2, 50), zone=BERLIN)
@example(now=1_541_300_000.0, begin=None, end=None, zone=ZONES[3])
def test_windows_follow_one_another(
    now: float, begin: time | None, end: time | None, zone: ZoneInfo
) -> None:
    start, stop = daily_window(now, begin, end, zone)

    assert start < stop
    assert now < stop
    assert daily_window(max(start, now), begin, end, zone) == (start, stop)
    assert daily_window(stop - 1.0, begin, end, zone) == (start, stop)
    after = daily_window(stop, begin, end, zone)
    assert after[0] >= stop
    assert after[0] - start <= 50 * HOUR
    if begin == end:
        assert after[0] == stop
        assert local(start, zone).date() != local(start - 1.0, zone).date()


@pytest.mark.parametrize(
    ("now", "window", "hours"),
    [
        (SPRING + HOUR, (None, None), 23),
        (AUTUMN + HOUR, (time(6), time(6)), 25),
        (SPRING + HOUR, (time(22), time(6)), 7),
        (AUTUMN + HOUR, (time(22), time(6)), 9),
        (SPRING + 12 * HOUR, (time(8), None), 16),
        (SPRING + 12 * HOUR, (None, time(18)), 17),
        (SPRING - 10 * HOUR, (time(22), time(6)), 7),
    ],
)
def test_windows_have_the_hours_of_their_day(
    now: float, window: tuple[time | None, time | None], hours: float
) -> None:
    start, end = daily_window(now, *window, BERLIN)

    assert (end - start) / HOUR == hours
    assert start - now <= 12 * HOUR


@given(start=moments, hours=st.floats(0.1, 80.0), pair=st.tuples(times, times), zone=zones)
def test_quiet_hours_are_those_of_the_clock(
    start: float, hours: float, pair: tuple[time, time], zone: ZoneInfo
) -> None:
    end = start + hours * HOUR
    found = quiet_within(start, end, pair, zone)

    assert all(start <= begin < finish <= end for begin, finish in found)
    assert all(one[1] <= other[0] for one, other in pairwise(found))
    if pair[0] == pair[1]:
        assert found == ()
        return
    for number in range(50):
        moment = start + number * (end - start) / 50
        window = daily_window(moment, *pair, zone)
        is_quiet = any(begin <= moment < finish for begin, finish in found)
        assert is_quiet == (window[0] <= moment)


def test_quiet_hours_end_after_a_year() -> None:
    """A deadline that is a slip of the pen does not keep anything busy."""
    found = quiet_within(SPRING, SPRING + 1e10, (time(22), time(6)), BERLIN)

    assert 360 < len(found) < 370
    assert quiet_within(SPRING, SPRING - 1.0, (time(22), time(6)), BERLIN) == ()
    assert quiet_within(SPRING, SPRING + HOUR, None, BERLIN) == ()


@given(moment=st.floats())
@example(moment=-1.0)
@example(moment=250_000_000_000.0)
def test_what_is_a_moment_has_a_day_in_every_zone(moment: float) -> None:
    if is_moment(moment):
        for zone in ZONES:
            assert next_at(moment, time(7), zone) > moment
            assert daily_window(moment, None, None, zone)[1] > moment
    else:
        assert math.isnan(moment) or not 1e6 < moment < 1e11


def test_what_is_kept_is_a_moment_or_none() -> None:
    assert moment_or_none(None) is None
    assert moment_or_none(int(SPRING)) == SPRING
    for garbage in ("7:00", True, [1.0]):
        with pytest.raises(TypeError):
            moment_or_none(garbage)
    for garbage in (math.nan, math.inf, 0.0, -SPRING, 1e12):
        with pytest.raises(ValueError, match=r"no moment|not finite"):
            moment_or_none(garbage)
