"""The ladder of a real site: its order, its grades, and options that cannot be."""

from itertools import pairwise
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.sources.recurring import LONGEST_RETRY, back_off
from tests.carbon.intensity.provider_server import level, saying
from tests.sources.conftest import MAPS, MORNING, NESO, Grid

T = MORNING.timestamp()
HOUR = 3600.0
UNIT = {"unit_of_measurement": "gCO2eq/kWh"}
ENTITY = {"kind": "entity", "entity_id": "sensor.co2"}


async def test_sources_come_in_the_order_of_the_user(grid: Grid) -> None:
    grid.hass.states.async_set("sensor.co2", "77", UNIT)
    await grid.open(ENTITY, NESO, MAPS)
    ids = [source.info.id for source in grid.intensity.ladder.sources]
    assert ids == [
        "entity:sensor.co2",
        "neso:GB",
        "electricity_maps:FR",
        "forecast:entity:sensor.co2",
        "typical:entity:sensor.co2",
        grid.intensity.library.info.id,
    ]
    assert grid.intensity.now().value == 77
    grid.hass.states.async_set("sensor.co2", "unavailable", UNIT)
    await grid.site.settle()
    assert grid.intensity.now().source == "neso:GB"
    grid.hass.config_entries.async_update_entry(
        grid.site.entry, options={"zone": "GB", "sources": [MAPS, NESO]}
    )
    await grid.site.settle()
    assert grid.intensity.now().source == "electricity_maps:FR"


async def test_every_moment_has_a_figure_with_its_grade(grid: Grid) -> None:
    grid.server.trouble = saying(500)
    await grid.open(ENTITY, NESO)
    start, end = T - 400 * 86400, T + 40 * 86400
    intervals = grid.intensity.ladder.intervals(start, end)
    assert intervals[0].start == start
    assert intervals[-1].end == end
    assert all(a.end == b.start for a, b in pairwise(intervals))
    assert {interval.grade for interval in intervals} == {Grade.YEARLY}


async def test_fixed_value_stands_for_all_time(grid: Grid) -> None:
    await grid.open({"kind": "fixed", "value": 12.5}, NESO)
    assert grid.intensity.now().value == 12.5
    assert grid.intensity.ladder.at(T - 900).value == 12.5
    # Nobody is asked below it, so nothing is learned.
    assert grid.intensity.forecast is None
    assert not any("forecast:" in each.info.id for each in grid.intensity.ladder.sources)


async def test_site_without_any_source(grid: Grid) -> None:
    await grid.open()
    assert grid.intensity.now().grade is Grade.YEARLY
    assert grid.intensity.forecast is None
    assert grid.intensity.forecast_errors.error() is None
    assert grid.intensity.marginal is None
    assert grid.intensity.marginal_info is None
    assert [past async for past in grid.intensity.async_history(T - HOUR, T)] == []


@pytest.mark.parametrize(
    "source",
    [
        {},
        {"kind": "moon"},
        {"kind": "fixed"},
        {"kind": "fixed", "value": "cheap"},
        {"kind": "fixed", "value": -3},
        {"kind": "fixed", "value": float("nan")},
        {"kind": "entity"},
        {"kind": "topic"},
        {"kind": "topic", "topic": "a", "path": "]["},
        {"kind": "plugin"},
        {"kind": "live", "provider": 7, "zone": None},
        {"kind": "live", "provider": "neso", "zone": 3},
        None,
        "neso",
        7,
    ],
)
async def test_options_that_cannot_be_do_not_stop_the_site(grid: Grid, source: Any) -> None:
    await grid.open(source, NESO)
    assert "intensity_source_invalid" in grid.issues()
    assert grid.intensity.now().source == "neso:GB"
    await grid.site.unload()
    assert grid.issues() == {}


@pytest.mark.parametrize(
    "stored",
    [
        None,
        7,
        [],
        {"sources": 7},
        {"sources": {"neso:GB": None, "entity:sensor.co2": []}},
        {"sources": {"neso:GB": {"intervals": [[1, 2]]}, "entity:sensor.co2": {"heard": "x"}}},
        {"sources": {"entity:sensor.co2": {"heard": 1.0, "changes": [[1.0, "much"]]}}},
        {"sources": {"entity:sensor.co2": {"heard": 1.0, "changes": 3}}},
        {"sources": {}, "marginal": [1]},
        {"source": "entity:sensor.co2"},
        {"source": ["entity:sensor.co2"]},
    ],
)
async def test_garbage_in_the_file_does_not_stop_the_site(
    grid: Grid, stored: Any, hass_storage: dict[str, Any]
) -> None:
    await grid.open(ENTITY, NESO)
    await grid.site.unload()
    key = f"carbon_meter.{grid.site.entry.entry_id}"
    hass_storage[key]["data"]["intensity"] = stored
    await grid.site.load()
    assert grid.intensity.now().source == "neso:GB"
    assert grid.intensity.ladder.intervals(T - 86400, T + 86400)


async def test_what_one_source_said_before_there_were_several_is_taken(
    grid: Grid, hass_storage: dict[str, Any]
) -> None:
    await grid.open(ENTITY)
    await grid.site.unload()
    hass_storage[f"carbon_meter.{grid.site.entry.entry_id}"]["data"]["intensity"] = {
        "source": "entity:sensor.co2",
        "heard": T - 60,
        "changes": [[T - 600, 55.0]],
    }
    await grid.site.load()
    assert grid.intensity.ladder.at(T - 300).value == 55.0


async def test_state_and_forecast_of_an_entity(grid: Grid) -> None:
    def forecast(value: float) -> list[dict[str, Any]]:
        return [{"from": "2026-09-21T09:00Z", "to": "2026-09-21T10:00Z", "intensity": value}]

    attributes = {"unit_of_measurement": "lb/MWh"}
    grid.hass.states.async_set("sensor.co2", "1000", {**attributes, "forecast": forecast(500)})
    await grid.open(ENTITY)
    assert grid.intensity.now().value == pytest.approx(453.59237)
    ahead = grid.intensity.ladder.at(T + 1.5 * HOUR)
    assert (ahead.value, ahead.grade) == (pytest.approx(226.796185), Grade.FORECAST)
    # The state stays, an attribute is another.
    heard: list[int] = []
    grid.intensity.async_add_listener(lambda: heard.append(1))
    grid.hass.states.async_set("sensor.co2", "1000", {**attributes, "forecast": forecast(600)})
    await grid.site.settle()
    assert grid.intensity.ladder.at(T + 1.5 * HOUR).value == pytest.approx(272.155422)
    assert heard == [1]
    # Prices are no forecast of carbon, and do not touch the state.
    prices = [{"start": "2026-09-21T09:00Z", "end": "2026-09-21T10:00Z", "value": 30}]
    grid.hass.states.async_set(
        "sensor.co2", "900", {**attributes, "data": {"unit": "EUR/MWh", "forecast": prices}}
    )
    await grid.site.settle()
    assert grid.intensity.now().value == pytest.approx(408.233133)


async def test_forecast_of_an_entity_survives_a_restart(grid: Grid) -> None:
    rows = [{"from": "2026-09-21T10:00Z", "to": "2026-09-21T12:00Z", "intensity": 42}]
    grid.hass.states.async_set("sensor.co2", "100", {**UNIT, "forecast": rows})
    await grid.open(ENTITY)
    grid.hass.states.async_remove("sensor.co2")
    await grid.restart(60)
    assert grid.intensity.ladder.at(T + 3 * HOUR).value == 42


async def test_same_source_twice_is_one(grid: Grid) -> None:
    await grid.open(NESO, {**NESO, "zone": "gb"})
    ids = [source.info.id for source in grid.intensity.ladder.sources]
    assert ids.count("neso:GB") == 1
    assert grid.intensity.ladder.at(T - 900).value == level(T - 1800)


async def test_plugin_is_no_marginal_source(grid: Grid) -> None:
    await grid.open(marginal={"kind": "plugin", "offer": "own.grid"})
    assert "average, not marginal" in grid.issues()["intensity_source_invalid"]["error"]


@given(st.integers(1, 10_000))
def test_pause_grows_up_to_an_hour(failures: int) -> None:
    assert 60 <= back_off(failures) <= LONGEST_RETRY
    assert back_off(failures) <= back_off(failures + 1)
