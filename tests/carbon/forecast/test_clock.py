"""Local hours, weekdays and months beside those of the standard library."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.forecast.clock import local_clock

ZONES = [
    "Europe/Berlin",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "UTC",
]


@given(
    st.lists(st.integers(0, 4_000_000_000), min_size=1, max_size=20),
    st.sampled_from(ZONES).map(ZoneInfo),
)
def test_the_clock_is_that_of_the_zone(moments, zone) -> None:
    clock = local_clock(np.array(moments, dtype=np.int64), zone)

    for place, moment in enumerate(moments):
        local = datetime.fromtimestamp(moment, zone)
        shown = (clock.hour[place], clock.weekday[place], clock.month[place])
        assert shown == (local.hour, local.weekday(), local.month)


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_every_hour_of_a_day_on_which_the_clocks_change_is_right(day) -> None:
    zone = ZoneInfo("Europe/Berlin")
    midnight = int(datetime.fromisoformat(day).replace(tzinfo=zone).timestamp())
    moments = midnight + 900 * np.arange(4 * 26, dtype=np.int64)

    hours = [datetime.fromtimestamp(int(moment), zone).hour for moment in moments]
    assert local_clock(moments, zone).hour.tolist() == hours


def test_no_moment_has_no_clock() -> None:
    assert len(local_clock(np.empty(0, dtype=np.int64), UTC).hour) == 0
