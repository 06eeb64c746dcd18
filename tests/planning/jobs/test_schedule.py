"""A week by the local clock as stretches of time."""

from datetime import datetime, time
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.planning.jobs.schedule import (
    Schedule,
    joined_stretches,
    without,
)
from tests.planning.problems import HOUR, START

BERLIN = ZoneInfo("Europe/Berlin")
DAY = 24 * HOUR


def at(text: str) -> float:
    """Return a moment of the clock in Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


def test_a_week_of_work() -> None:
    """Monday to Friday; the weekend is free; what has begun is cut."""
    work = Schedule(zone=BERLIN, start=time(8), end=time(18), days=frozenset(range(5)))

    found = work.within(at("2026-11-05T12:00"), at("2026-11-09T12:00"))

    assert found == (
        (at("2026-11-05T12:00"), at("2026-11-05T18:00")),
        (at("2026-11-06T08:00"), at("2026-11-06T18:00")),
        (at("2026-11-09T08:00"), at("2026-11-09T12:00")),
    )


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    """Friday from ten to two goes into Saturday; there is no night of Saturday."""
    bar = Schedule(zone=BERLIN, start=time(22), end=time(2), days=frozenset({4}))

    found = bar.within(at("2026-11-07T00:30"), at("2026-11-08T12:00"))

    assert found == ((at("2026-11-07T00:30"), at("2026-11-07T02:00")),)


def test_whole_days_touch() -> None:
    """Without times, or with the same twice, they are one stretch."""
    start, end = at("2026-11-05T12:00"), at("2026-11-09T12:00")

    assert Schedule(zone=BERLIN).within(start, end) == ((start, end),)
    same = Schedule(zone=BERLIN, start=time(7), end=time(7))
    assert same.within(start, end) == ((start, end),)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 4.0), ("2026-10-25", 6.0)])
def test_the_clock_changes_inside(day: str, hours: float) -> None:
    """From one to six are five hours on most days."""
    night = Schedule(zone=BERLIN, start=time(1), end=time(6))
    begin = at(f"{day}T00:00")

    [(start, end)] = night.within(begin, begin + 12 * HOUR)

    assert end - start == hours * HOUR


times = st.none() | st.times(timezones=st.none())


@given(
    times,
    times,
    st.frozensets(st.integers(0, 6)),
    st.sampled_from(["Asia/Kathmandu", "Australia/Lord_Howe", "America/Sao_Paulo"]),
    st.floats(0.0, 400 * DAY),
    st.floats(0.0, 9 * DAY),
)
def test_stretches_are_in_order_and_inside(
    start: time | None,
    end: time | None,
    days: frozenset[int],
    name: str,
    later: float,
    length: float,
) -> None:
    """None touches another, and each begins on a day of the schedule or at the cut."""
    schedule = Schedule(zone=ZoneInfo(name), start=start, end=end, days=days)
    begin = START + later

    found = schedule.within(begin, begin + length)

    moments = [moment for part in found for moment in part]
    assert all(one < other for one, other in pairwise(moments))
    assert all(begin <= moment <= begin + length for moment in moments)
    assert days or not found


@given(
    st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), max_size=8),
    st.floats(0, 100),
    st.floats(0, 100),
)
def test_what_is_taken_out_is_out(
    parts: list[tuple[float, float]], start: float, end: float
) -> None:
    """Lengths add up: what remains, and what was in the part that is taken out."""
    start, end = min(start, end), max(start, end)
    whole = joined_stretches(parts, 0.0, 100.0)

    left, out = without(whole, start, end), joined_stretches(list(whole), start, end)

    def length(stretches: tuple[tuple[float, float], ...]) -> float:
        return sum(until - begin for begin, until in stretches)

    assert length(left) + length(out) == pytest.approx(length(whole))
    assert all(until <= start or begin >= end for begin, until in left)
