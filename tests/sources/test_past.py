"""What the sources of a site know of the past, for energy that was before it."""

from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from custom_components.carbon_meter.carbon.intensity.live.live_source import Past
from custom_components.carbon_meter.carbon.intensity.source import IntensityInterval
from tests.carbon.intensity.provider_server import level, saying
from tests.sources.conftest import MAPS, MORNING, NESO, Grid

T = MORNING.timestamp()
DAY = 86400.0
UNIT = {"unit_of_measurement": "gCO2eq/kWh"}
ENTITY = {"kind": "entity", "entity_id": "sensor.co2"}


async def collected(pieces: AsyncIterator[Past]) -> list[IntensityInterval]:
    return [interval async for piece in pieces for interval in piece.intervals]


def overlaps(intervals: list[IntensityInterval]) -> bool:
    ordered = sorted(intervals, key=lambda each: each.start)
    return any(a.end > b.start for a, b in pairwise(ordered))


def known(intervals: list[IntensityInterval]) -> float:
    return sum(interval.end - interval.start for interval in intervals)


async def test_past_of_a_provider_comes_in_pieces_oldest_first(grid: Grid) -> None:
    await grid.open(NESO)
    pieces = [piece async for piece in grid.intensity.async_history(T - 40 * DAY, T)]
    assert len(pieces) == 4
    intervals = [interval for piece in pieces for interval in piece.intervals]
    assert [each.start for each in intervals] == sorted(each.start for each in intervals)
    assert known(intervals) == pytest.approx(40 * DAY)
    assert intervals[0].value == level(T - 40 * DAY)


async def test_next_source_is_asked_for_what_is_left(grid: Grid) -> None:
    for hole in range(20, 30):
        grid.server.values[T - 30 * DAY + hole * 1800] = None
    await grid.open(NESO, MAPS)
    intervals = await collected(grid.intensity.async_history(T - 40 * DAY, T))
    assert known(intervals) == pytest.approx(40 * DAY)
    assert not overlaps(intervals)


async def test_source_that_cannot_say_is_left_for_the_next(
    grid: Grid, caplog: pytest.LogCaptureFixture
) -> None:
    await grid.open({**MAPS, "key": "wrong"}, NESO)
    intervals = await collected(grid.intensity.async_history(T - 3 * DAY, T))
    assert {each.source for each in intervals} == {"neso:GB"}
    assert known(intervals) == pytest.approx(3 * DAY)
    assert "its history is not known" in caplog.text
    grid.server.trouble = saying(404)
    assert await collected(grid.intensity.async_history(T - 3 * DAY, T)) == []


async def test_short_refusal_is_waited_for(grid: Grid) -> None:
    await grid.open(NESO)
    asked = len(grid.server.requests)

    async def once(request):
        if len(grid.server.requests) == asked + 1:
            return await saying(429, Retry_After="0")(request)
        return None

    grid.server.trouble = once
    intervals = await collected(grid.intensity.async_history(T - 3 * DAY, T))
    assert known(intervals) == pytest.approx(3 * DAY)


async def test_entity_tells_what_it_holds_before_others_are_asked(grid: Grid) -> None:
    grid.hass.states.async_set("sensor.co2", "5", UNIT)
    await grid.open(ENTITY, NESO)
    await grid.advance(7200, step=600)
    now = grid.now
    intervals = await collected(grid.intensity.async_history(now - DAY, now))
    assert not overlaps(intervals)
    by_source = {
        source: known([each for each in intervals if each.source == source])
        for source in ("entity:sensor.co2", "neso:GB")
    }
    assert by_source["entity:sensor.co2"] == pytest.approx(7200, abs=3700)
    assert sum(by_source.values()) == pytest.approx(DAY)


async def test_empty_stretch_asks_nobody(grid: Grid) -> None:
    await grid.open(NESO)
    asked = len(grid.server.requests)
    assert await collected(grid.intensity.async_history(T, T)) == []
    assert len(grid.server.requests) == asked
