"""What an hour usually is."""

from datetime import datetime
import json
import math
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.forecast.history import History
from custom_components.carbon_meter.carbon.forecast.typical import TypicalHourSource
from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.intensity.source import SourceInfo
from tests.carbon.forecast.series import DAY, HOUR, START, history

INFO = SourceInfo(id="grid", name="Grid")
BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone: ZoneInfo = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def by_the_clock(zone: ZoneInfo, days: int, *, step: int = HOUR, start: int = START) -> History:
    """Return a history of 1000 * weekend + 100 * season + local hour, with some noise."""
    values = []
    for cell in range(days * DAY // step):
        local = datetime.fromtimestamp(start + cell * step, zone)
        weekend = 1000 if local.weekday() >= 5 else 0
        values.append(weekend + 100 * (local.month % 12 // 3) + local.hour)
    return history(values, step=step, start=start)


@pytest.mark.parametrize("step", [900, 3600])
def test_each_hour_has_the_median_of_its_season_and_sort_of_day(step) -> None:
    source = TypicalHourSource(INFO, BERLIN)
    source.learn(by_the_clock(BERLIN, 366, step=step))

    for text, value in [
        ("2026-01-14T05:00", 5),
        ("2026-07-15T13:00", 213),
        ("2026-07-18T13:00", 1213),
        ("2026-10-04T23:00", 1323),
    ]:
        (found,) = source.intervals(at(text), at(text) + HOUR)
        assert (found.value, found.grade, found.source) == (value, Grade.TYPICAL, "typical:grid")


def test_a_season_that_is_not_known_has_the_median_of_all() -> None:
    source = TypicalHourSource(INFO, BERLIN)
    source.learn(by_the_clock(BERLIN, 10, start=int(at("2026-01-05T00:00"))))

    (found,) = source.intervals(at("2026-07-15T13:00"), at("2026-07-15T14:00"))
    assert found.value == 13
    # Two days of a weekend are not enough: the median of all days.
    (found,) = source.intervals(at("2026-01-17T13:00"), at("2026-01-17T14:00"))
    assert found.value == 13


def test_a_wild_day_does_not_matter() -> None:
    values = np.full(60 * 24, 100.0)
    values[240:264] = 4000.0
    source = TypicalHourSource(INFO, BERLIN)
    source.learn(history(values))

    assert {each.value for each in source.intervals(START, START + 7 * DAY)} == {100}


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe"])
def test_hours_are_local_in_zones_off_the_full_hour(zone) -> None:
    local = ZoneInfo(zone)
    source = TypicalHourSource(INFO, local)
    source.learn(by_the_clock(local, 30, step=900))
    start = at("2023-12-05T09:20", local)

    found = source.intervals(start, start + 2 * HOUR)
    assert [each.value for each in found] == [9, 10, 11]
    assert [each.end - each.start for each in found] == [2400, 3600, 1200]


@given(st.floats(0, 4e9), st.floats(0, 3 * DAY), st.sampled_from(["Europe/Berlin", "Asia/Kolkata"]))
def test_every_moment_has_one_figure(start, length, zone) -> None:
    source = TypicalHourSource(INFO, ZoneInfo(zone))
    source.learn(history(np.full(48, 77.0)))

    end = start + length
    position = start
    for each in source.intervals(start, end):
        assert each.start == position < each.end
        position = each.end
    assert position == end


async def test_nothing_learned_is_nothing_known() -> None:
    source = TypicalHourSource(INFO)
    await source.refresh()
    assert source.intervals(START, START + DAY) == []

    source.learn(History())
    assert source.intervals(START, START + DAY) == []
    assert (source.refresh_after, source.info.name) == (None, "Typical hour of Grid")


def test_hours_that_were_never_seen_are_holes() -> None:
    source = TypicalHourSource(INFO)
    source.learn(history([10.0, 20, 30]))

    found = source.intervals(START, START + DAY)
    assert [(each.start - START, each.value) for each in found] == [
        (0, 10),
        (HOUR, 20),
        (2 * HOUR, 30),
    ]


def test_it_survives_a_restart() -> None:
    source, again = TypicalHourSource(INFO), TypicalHourSource(INFO)
    source.learn(history([10.04, 20, 30]))
    again.restore(json.loads(json.dumps(source.as_dict(), allow_nan=False)))

    values = [each.value for each in again.intervals(START, START + DAY)]
    assert values == [10.0, 20, 30]


@pytest.mark.parametrize(
    "data", [{}, {"medians": [1.0]}, {"medians": ["a"] * 192}, {"medians": None}]
)
def test_a_file_that_is_garbage_changes_nothing(data) -> None:
    source = TypicalHourSource(INFO)
    source.learn(history(np.full(48, 77.0)))

    with pytest.raises((ValueError, KeyError, TypeError)):
        source.restore(data)
    assert source.intervals(START, START + HOUR)[0].value == 77


def test_what_cannot_be_is_not_restored() -> None:
    source = TypicalHourSource(INFO)
    source.restore({"medians": [-5.0, math.inf, *[3.0] * 190]})

    assert all(0 <= each.value < 5001 for each in source.intervals(START, START + 300 * DAY))
