"""The dishwasher's oracle: every minute at which it could start."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from demo.config_dir import Place
from demo.grid_signal import HOURS
from demo.plans import grams, least_grams


def _at(hour: int, minute: int = 0, day: int = 23) -> float:
    zone = ZoneInfo(Place().time_zone)
    return datetime(2026, 11, day, hour, minute, tzinfo=zone).timestamp()


def test_grams_are_those_of_each_part_of_an_hour() -> None:
    expected = 0.5 * HOURS[9] * 0.25 + 0.5 * HOURS[10] + 0.5 * HOURS[11] * 0.75
    assert grams(_at(9, 45), _at(11, 45), 500.0) == pytest.approx(expected)


def test_the_best_start_is_in_the_cleanest_hours() -> None:
    best = least_grams(_at(9, 20), _at(18), 2 * 3600.0, 1000.0)
    assert best == pytest.approx(HOURS[12] + HOURS[13])


def test_where_there_is_no_time_it_starts_at_once() -> None:
    assert least_grams(_at(9, 20), _at(10), 3600.0, 1000.0) == pytest.approx(
        grams(_at(9, 20), _at(10, 20), 1000.0)
    )
