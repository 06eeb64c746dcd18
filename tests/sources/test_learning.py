"""Forecast and typical hours of a real site: filled up, kept, learned again, let go."""

import asyncio
from typing import Any

from aiohttp import web
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import CoreState
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.sources.learning import Learning
from tests.carbon.intensity.provider_server import KEY, level, saying
from tests.sources.conftest import MAPS, MORNING, NESO, Grid

T = MORNING.timestamp()
HOUR = 3600.0
DAY = 86400.0
UNIT = {"unit_of_measurement": "gCO2eq/kWh"}
ENTITY = {"kind": "entity", "entity_id": "sensor.co2"}


def learning(grid: Grid) -> Learning:
    found = grid.intensity._learning
    assert found is not None
    return found


def file_of(grid: Grid) -> str:
    return f"carbon_meter.{grid.site.entry.entry_id}.forecast"


async def test_provider_fills_the_past_and_the_forecast_reaches_beyond_its_own(
    grid: Grid,
) -> None:
    await grid.open(NESO)
    own = grid.intensity.forecast
    assert own.end == T + 48 * HOUR
    assert (own.p10 == own.p90).all()
    assert grid.intensity.ladder.at(T + 60 * HOUR).grade is Grade.YEARLY
    await grid.advance(10 * 60)
    history = learning(grid).forecast.history
    assert history.step == 1800
    assert history.days > 100
    assert history.values[0] == level(history.start)
    found = grid.intensity.forecast
    assert found.end > T + 71 * HOUR
    assert (found.p10 < found.p90).any()
    # The middle is the provider's as far as it reaches.
    assert found.p50[4] == level(found.start + 4 * 1800) + 10
    late = grid.intensity.ladder.at(T + 60 * HOUR)
    assert (late.grade, late.source) == (Grade.FORECAST, "forecast:neso:GB")
    assert grid.intensity.info(late.source).name.startswith("Forecast from NESO")
    typical = grid.intensity.ladder.at(T + 100 * HOUR)
    assert (typical.grade, typical.source) == (Grade.TYPICAL, "typical:neso:GB")


async def test_two_years_are_filled_once_piece_by_piece_over_a_restart(grid: Grid) -> None:
    await grid.open(NESO)
    await grid.advance(20 * 60)
    await grid.restart(60)
    before = learning(grid).forecast.history.days
    assert before > 13 * 17
    await grid.advance(50 * 60)
    assert learning(grid)._filling.is_done
    assert learning(grid).forecast.history.days == pytest.approx(2 * 366, abs=1)
    pieces = [path for path in grid.server.requests if "/2024-" in path or "/2025-" in path]
    assert len(pieces) == len(set(pieces))
    asked = len(grid.server.requests)
    await grid.restart(60)
    await grid.advance(10 * 60)
    assert len([path for path in grid.server.requests[asked:] if "fw48h" not in path]) <= 2


async def test_hours_in_which_home_assistant_was_away_are_asked_for(grid: Grid) -> None:
    await grid.open(NESO)
    await grid.advance(80 * 60)
    assert learning(grid)._filling.is_done
    await grid.restart(5 * DAY)
    await grid.advance(5 * 60)
    values = learning(grid).forecast.history.values
    assert np.isfinite(values).all()
    assert learning(grid).forecast.history.end > T + 5 * DAY


async def test_nothing_is_asked_for_before_home_assistant_is_up(grid: Grid) -> None:
    grid.hass.set_state(CoreState.starting)
    await grid.open(NESO)
    asked = len(grid.server.requests)
    await grid.advance(10 * 60)
    assert len(grid.server.requests) == asked
    grid.hass.set_state(CoreState.running)
    grid.hass.bus.async_fire("homeassistant_started")
    await grid.advance(2 * 60)
    assert len(grid.server.requests) > asked


async def test_provider_that_refuses_its_history_is_left_alone(grid: Grid) -> None:
    async def refuse(request: web.Request) -> web.StreamResponse | None:
        if request.path.endswith("past-range"):
            return await saying(403, '{"error": "No access to history"}')(request)
        return None

    grid.server.trouble = refuse
    await grid.open(MAPS)
    await grid.advance(3 * HOUR, step=300)
    await grid.restart()
    await grid.advance(HOUR, step=300)
    assert len([path for path in grid.server.requests if "past-range" in path]) == 1
    assert grid.issues() == {}


async def test_limit_on_history_is_waited_for(grid: Grid) -> None:
    await grid.open(NESO)
    grid.server.trouble = saying(429, Retry_After="600")
    await grid.advance(5 * 60)
    asked = len(grid.server.requests)
    grid.server.trouble = None
    await grid.advance(5 * 60)
    assert len(grid.server.requests) == asked
    await grid.advance(20 * 60)
    assert learning(grid).forecast.history.days > 13


async def test_provider_without_older_data_is_not_asked_for_ever(grid: Grid) -> None:
    async def nothing_old(request: web.Request) -> web.StreamResponse | None:
        if "/2026-09" not in request.path:
            return web.json_response({"data": []})
        return None

    grid.server.trouble = nothing_old
    await grid.open(NESO)
    await grid.advance(15 * 60)
    assert learning(grid)._filling.is_done
    assert learning(grid).forecast.history.days > 13


async def test_restart_keeps_history_errors_and_typical_hours(grid: Grid) -> None:
    await grid.open(NESO)
    await grid.advance(10 * 60)
    await grid.advance(30 * HOUR, step=1800)
    error = grid.intensity.forecast_errors.error()
    assert error.hours > 24
    assert error.mae >= 0
    assert 0 <= error.coverage <= 1
    before = learning(grid).forecast.history
    grid.server.trouble = saying(500)
    await grid.restart()
    after = learning(grid).forecast.history
    np.testing.assert_allclose(after.values, before.values, atol=0.05)
    assert grid.intensity.forecast_errors.error() == error
    assert grid.intensity.ladder.at(grid.now + 60 * HOUR).source == "forecast:neso:GB"
    assert grid.intensity.ladder.at(grid.now + 100 * HOUR).grade is Grade.TYPICAL


async def test_history_of_another_source_is_not_mixed_in(grid: Grid) -> None:
    await grid.open(NESO)
    await grid.advance(10 * 60)
    assert learning(grid).forecast.history.days > 100
    entsoe = {"kind": "live", "provider": "entsoe", "zone": "10YNL----------L", "key": KEY}
    grid.hass.config_entries.async_update_entry(
        grid.site.entry, options={"zone": "GB", "sources": [entsoe, NESO]}
    )
    await grid.site.settle()
    assert learning(grid).forecast.history.days == 0
    assert grid.intensity.ladder.at(T + 60 * HOUR).grade is Grade.YEARLY
    await grid.advance(5 * 60)
    assert learning(grid).forecast.history.step == 900


@pytest.mark.parametrize(
    "changes",
    [
        {"forecast": None},
        {"forecast": {}},
        {"forecast": {"history": {"step": 7, "start": 0, "cells": ""}}},
        {"forecast": {"history": {"step": 1800, "start": 0, "cells": "%%"}}},
        {"typical": {"medians": [1, 2]}},
        {"typical": []},
        {"filling": {"stretches": [[1]]}},
        {"learned_at": "yesterday"},
        {"key": 7},
    ],
)
async def test_file_that_cannot_be_read_does_not_stop_the_site(
    grid: Grid, hass_storage: dict[str, Any], changes: dict[str, Any]
) -> None:
    await grid.open(NESO)
    await grid.advance(3 * 60)
    await grid.site.unload()
    hass_storage[file_of(grid)]["data"].update(changes)
    await grid.site.load()
    assert grid.intensity.now().source == "neso:GB"
    await grid.advance(5 * 60)
    assert learning(grid).forecast.history.days > 13


async def test_file_with_something_else_does_not_stop_the_site(
    grid: Grid, hass_storage: dict[str, Any]
) -> None:
    await grid.open(NESO)
    await grid.advance(3 * 60)
    await grid.site.unload()
    hass_storage[file_of(grid)]["data"] = ["what", "is", "this"]
    await grid.site.load()
    assert learning(grid).forecast.history.days == 0


async def test_file_is_written_once_an_hour(grid: Grid, hass_storage: dict[str, Any]) -> None:
    await grid.open(NESO)
    await grid.advance(5 * 60)
    written = hass_storage[file_of(grid)]
    await grid.advance(50 * 60)
    assert hass_storage[file_of(grid)] is written
    await grid.advance(70 * 60)
    assert hass_storage[file_of(grid)] is not written


async def test_history_in_an_unknown_form_is_asked_for_some_times(grid: Grid) -> None:
    await grid.open(NESO)
    asked = len(grid.server.requests)

    async def changed(request: web.Request) -> web.StreamResponse | None:
        if "/2026-09-08" in request.path:
            return web.json_response({"data": {"is": "another"}})
        return None

    grid.server.trouble = changed
    await grid.advance(3 * HOUR, step=300)
    odd = [path for path in grid.server.requests[asked:] if "/2026-09-08" in path]
    assert len(odd) == 4
    assert learning(grid)._filling.is_done


async def test_file_is_written_at_the_end_and_removed_with_the_site(
    grid: Grid, hass_storage: dict[str, Any]
) -> None:
    await grid.open(NESO)
    await grid.advance(3 * 60)
    hass_storage.pop(file_of(grid), None)
    grid.hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await grid.site.settle()
    assert hass_storage[file_of(grid)]["data"]["key"] == "neso:GB"
    await grid.hass.config_entries.async_remove(grid.site.entry.entry_id)
    await grid.site.settle()
    assert file_of(grid) not in hass_storage


async def test_nothing_is_left_running_when_the_site_is_unloaded(grid: Grid) -> None:
    await grid.open(NESO)
    entered = asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        entered.set()
        return await grid.server.silence(request)

    grid.server.trouble = hang
    advancing = asyncio.create_task(grid.advance(60))
    await entered.wait()
    assert await grid.hass.config_entries.async_unload(grid.site.entry.entry_id)
    await advancing
    asked = len(grid.server.requests)
    await grid.advance(2 * HOUR, step=600)
    assert len(grid.server.requests) == asked


async def test_entity_is_learned_from_hour_by_hour(grid: Grid) -> None:
    grid.hass.states.async_set("sensor.co2", "100", UNIT)
    await grid.open(ENTITY)
    for hour in range(60):
        grid.hass.states.async_set("sensor.co2", str(100 + 200 * (hour % 24 >= 12)), UNIT)
        await grid.advance(HOUR, step=HOUR)
        grid.intensity.heard(grid.now)
    history = learning(grid).forecast.history
    assert history.days > 2.3
    assert set(np.unique(history.values[np.isfinite(history.values)])) == {100, 300}
    assert grid.intensity.forecast is not None
    assert grid.intensity.forecast_errors.error() is not None
