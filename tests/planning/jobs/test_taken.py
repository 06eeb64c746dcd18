"""What a load has taken, from what is seen of it."""

from collections.abc import Sequence
from itertools import pairwise
import json
import math

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.planning.jobs.job import Seen
from custom_components.carbon_meter.planning.jobs.taken import (
    GAP,
    Course,
    Finished,
    held,
    measured_power,
    power_of,
)
from custom_components.carbon_meter.planning.plan import Piece
from tests.planning.problems import HOUR, START

steps = st.lists(
    st.tuples(st.floats(1.0, GAP), st.sampled_from([0.0, 5.0, 800.0, 2000.0]) | st.floats(0, 3000)),
    min_size=2,
    max_size=600,
)


def course_of(rows: Sequence[tuple[float, float | None]]) -> Course:
    """Return the course of readings, each some seconds after START."""
    course = Course()
    for after, power in rows:
        course.see(START + after, power)
    return course


@given(steps=steps)
def test_energy_is_what_was_held_between_readings(steps: list[tuple[float, float]]) -> None:
    course, expected, moment = Course(), 0.0, START
    added = 0.0
    for place, (seconds, power) in enumerate(steps):
        added += course.see(moment, power)
        if place + 1 < len(steps):
            expected += power * seconds / 3600.0
            moment += seconds

    assert course.energy == pytest.approx(expected)
    assert added == pytest.approx(expected)
    assert sum(piece.energy for piece in course.pieces) == pytest.approx(expected)
    assert len(course.pieces) <= 240
    assert all(one.end <= other.start for one, other in pairwise(course.pieces))


def test_power_is_held_until_something_else_is_seen() -> None:
    course = course_of([(0, 0.0), (60, 1000.0), (120, 1000.0), (600, 500.0), (900, 0.0)])

    assert course.pieces == (
        Piece(START + 60, START + 600, 1000.0),
        Piece(START + 600, START + 900, 500.0),
    )


def test_what_is_not_known_is_held_for_ten_minutes() -> None:
    known = course_of([(0, 900.0), (60, None), (590, None), (600, 0.0)])
    lost = course_of([(0, 900.0), (60, None), (300, None), (601, 0.0)])

    assert known.energy == pytest.approx(150.0)
    assert lost.energy == 0.0


def test_a_gap_is_bridged_where_it_ran_on_both_sides() -> None:
    ran = course_of([(0, 2000.0), (HOUR, 500.0)])
    stopped = course_of([(0, 2000.0), (HOUR, 0.0)])
    began = course_of([(0, 0.0), (HOUR, 2000.0)])
    turned = course_of([(0, 2000.0), (HOUR, -2000.0)])
    long = course_of([(0, 2000.0), (3 * HOUR + 1, 2000.0)])

    assert ran.pieces == (Piece(START, START + HOUR, 500.0),)
    assert [each.energy for each in (stopped, began, turned, long)] == [0.0] * 4


def test_a_clock_that_goes_back_loses_nothing_that_was_counted() -> None:
    course = course_of([(0, 1000.0), (360, 1000.0), (-5000, 1000.0), (-4640, 1000.0)])

    assert course.energy == pytest.approx(200.0)
    assert course.pieces[0].start == START - 5000
    # It had been ten years ahead.
    course = course_of([(10 * 365 * 24 * HOUR, 1000.0), (0, 1000.0), (360, 0.0)])
    assert course.energy == pytest.approx(100.0)


def test_a_battery_gives_as_it_takes() -> None:
    course = course_of([(0, -1000.0), (360, 1000.0), (720, 0.0)])

    assert [piece.power for piece in course.pieces] == [-1000.0, 1000.0]
    assert course.energy == 0.0


def test_short_changes_are_put_together_first() -> None:
    """Of 500 minutes of noise around 200 W and one hour of 2 kW, the hour stays."""
    rows = [(60.0 * minute, 200.0 + minute % 7) for minute in range(500)]
    rows += [(30000.0, 2000.0), (30300.0, 2000.0), (33600.0, 2000.0), (33600.0 + 60, 0.0)]
    course = course_of(rows)

    strong = [piece for piece in course.pieces if piece.power > 1500.0]
    assert len(course.pieces) <= 240
    assert strong[0].start == START + 30000.0
    assert course.pieces[-1].power == 2000.0


@given(steps=steps, at=st.floats(0.0, 1.0))
def test_what_is_cut_in_two_is_the_whole(steps: list[tuple[float, float]], at: float) -> None:
    course, moment = Course(), START
    for seconds, power in steps:
        course.see(moment, power)
        moment += seconds
    energy = course.energy
    cut = START + at * (moment - START)

    before = course.take(cut)

    assert all(piece.end <= cut for piece in before)
    assert all(piece.start >= cut for piece in course.pieces)
    assert sum(piece.energy for piece in before) + course.energy == pytest.approx(energy)
    assert sum(piece.energy for piece in course.take()) == pytest.approx(
        energy - sum(piece.energy for piece in before)
    )
    assert course.pieces == ()


@given(steps=steps, at=st.integers(0, 600))
def test_a_restart_changes_nothing(steps: list[tuple[float, float]], at: int) -> None:
    course, other, moment = Course(), Course(), START
    for place, (seconds, power) in enumerate(steps):
        if place == at:
            kept = json.loads(json.dumps(other.as_dict()))
            other = Course()
            other.restore(kept)
        course.see(moment, power)
        other.see(moment, power)
        moment += seconds

    assert other.pieces == course.pieces


@pytest.mark.parametrize(
    "garbage",
    [
        {},
        {"pieces": [], "last": 3},
        {"pieces": [], "last": [1.0]},
        {"pieces": [[1.0, 2.0]], "last": None},
        {"pieces": [[2.0, 1.0, 3.0]], "last": None},
        {"pieces": [[1.0, 2.0, math.nan]], "last": None},
        {"pieces": [[1.0, 2.0, "5"]], "last": None},
        {"pieces": 7, "last": None},
        {"pieces": None, "last": None},
    ],
)
def test_garbage_is_refused(garbage: dict[str, object]) -> None:
    course = course_of([(0, 1000.0), (360, 1000.0)])

    with pytest.raises((ValueError, KeyError, TypeError)):
        course.restore(garbage)

    assert course.energy == pytest.approx(100.0)


@pytest.mark.parametrize(
    ("power", "is_on", "found"),
    [
        (55.0, False, 55.0),
        (None, True, 900.0),
        (None, False, 0.0),
        (None, None, None),
        (math.nan, True, 900.0),
        (math.inf, None, None),
        (2.2e6, False, 0.0),
        (-3000.0, None, -3000.0),
    ],
)
def test_power_is_measured_or_the_usual(
    power: float | None, is_on: bool | None, found: float | None
) -> None:
    seen = Seen(moment=START, power=power, is_on=is_on)

    assert power_of(seen, 900.0) == found
    assert measured_power(seen) == (power if found == power else None)


@given(seconds=st.floats(0, 1e6), before=st.floats(-5e3, 5e3), after=st.floats(-5e3, 5e3))
def test_nothing_is_invented(seconds: float, before: float, after: float) -> None:
    power = held(seconds, before, after)

    assert power in {0.0, before, after}
    if seconds > GAP:
        assert abs(power) <= min(abs(before), abs(after))


def test_runs_are_told_once_in_their_order() -> None:
    first, second = (Piece(START, START + 60, 1.0),), (Piece(START + 90, START + 99, 2.0),)
    finished = Finished()
    finished.put(first)
    finished.put(())
    finished.put(second)
    again = Finished()
    again.restore(json.loads(json.dumps(finished.as_list())))

    for each in (finished, again):
        assert [each.take() for _ in range(3)] == [first, second, None]
    for garbage in (3, [3], [[3]], [[[1.0, 0.0, 5.0]]], None):
        with pytest.raises((ValueError, TypeError)):
            again.restore(garbage)
