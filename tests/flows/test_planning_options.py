"""What plans are made for, as it is told in the options of a site."""

import json
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.carbon_meter import const
from custom_components.carbon_meter.flows import planning_steps
from custom_components.carbon_meter.loads.options import PlanningOptions
from custom_components.carbon_meter.planning.objective import Goal
from tests.common import SiteUnderTest
from tests.flows.loads import TEXTS, assert_told, suggestions

TRANSLATIONS = Path(const.__file__).parent / "translations"
USUAL = {"least_saving": 20.0, "least_share": 2.0, "caution": 0.2}

type Fields = dict[str, Any]


@pytest.fixture
def entry(hass: HomeAssistant, enable_custom_integrations: None) -> MockConfigEntry:
    """Return a site that is not set up, in a home that knows prices."""
    hass.config.currency = "SEK"
    hass.states.async_set("sensor.nordpool", "0.52", {"unit_of_measurement": "SEK/kWh"})
    hass.states.async_set("sensor.spot", "520", {"unit_of_measurement": "öre/kWh"})
    hass.states.async_set("sensor.price_level", "cheap", {})
    hass.states.async_set("sensor.cost", "4", {"unit_of_measurement": "SEK"})
    hass.states.async_set("input_number.price", "0.5", {})
    hass.states.async_set("sensor.asleep", "unavailable", {})
    site = MockConfigEntry(
        domain=const.DOMAIN, title="Home", minor_version=2, options={"zone": "SE", "sources": []}
    )
    site.add_to_hass(hass)
    return site


async def opened(hass: HomeAssistant, entry: MockConfigEntry) -> Any:
    """Return the form of the step."""
    menu = await hass.config_entries.options.async_init(entry.entry_id)
    assert "planning" in menu["menu_options"]
    return await answer(hass, menu, next_step_id="planning")


async def answer(hass: HomeAssistant, form: Any, **fields: Any) -> Any:
    """Send a form; what comes back is told in words."""
    result = await hass.config_entries.options.async_configure(form["flow_id"], fields)
    if result["type"] is FlowResultType.FORM:
        assert_told(result, TEXTS["options"])
    return result


async def test_what_counts_without_a_word_is_filled_in(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    form = await opened(hass, entry)
    filled = suggestions(form["data_schema"].schema)
    assert filled == {"goal": "carbon_then_cost", "steadiness": USUAL}
    told = PlanningOptions.of({"goal": filled["goal"], **USUAL})
    assert told == PlanningOptions.of({})
    assert form["description_placeholders"] == {"currency": "SEK"}
    fields = form["data_schema"].schema
    assert fields["price"].config["unit_of_measurement"] == "SEK/kWh"
    assert fields["price_per_kg"].config["unit_of_measurement"] == "SEK/kg"


async def test_everything_told_is_kept_beside_other_options_and_stands_there_again(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    given = {
        "goal": "weighted",
        "price_per_kg": 1.2,
        "price_entity": "sensor.nordpool",
        "connection": {"fuse": 24150, "base_load": 1500},
        "steadiness": {"least_saving": 30, "least_share": 3, "caution": 0.5},
    }
    result = await answer(hass, await opened(hass, entry), **given)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {
        "zone": "SE",
        "sources": [],
        "planning": {
            "goal": "weighted",
            "price_per_kg": 1.2,
            "price_entity": "sensor.nordpool",
            "fuse": 24150.0,
            "base_load": 1500.0,
            "least_saving": 30.0,
            "least_share": 3.0,
            "caution": 0.5,
        },
    }
    told = PlanningOptions.of(entry.options["planning"])
    assert (told.objective.goal, told.objective.price_per_kg) == (Goal.WEIGHTED, 1.2)
    assert (told.fuse, told.base_load, told.price_entity) == (24150, 1500, "sensor.nordpool")
    again = await opened(hass, entry)
    assert suggestions(again["data_schema"].schema) == given
    # What is cleared is gone; a price of carbon goes with the goal that needs it.
    await answer(hass, again, goal="cost", price_per_kg=1.2, price=2.5, steadiness={})
    assert entry.options["planning"] == {"goal": "cost", "price": 2.5}


@pytest.mark.parametrize("goal", ["cost", "cost_then_carbon", "weighted"])
async def test_a_goal_of_money_needs_a_price(
    hass: HomeAssistant, entry: MockConfigEntry, goal: str
) -> None:
    form = await opened(hass, entry)
    result = await answer(hass, form, goal=goal, price_per_kg=1)
    assert result["errors"] == {"price_entity": "price_missing"}
    result = await answer(hass, result, goal=goal, price_per_kg=1, price=0)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"price": 1, "price_entity": "sensor.nordpool"}, {"price": "two_prices"}),
        ({"price_entity": "sensor.cost"}, {"price_entity": "not_a_price"}),
        ({"price_entity": "sensor.price_level"}, {"price_entity": "not_a_price"}),
        ({"price_entity": "sensor.gone"}, {"price_entity": "unknown_entity"}),
        ({"goal": "weighted", "price": 1}, {"price_per_kg": "price_per_kg_missing"}),
        (
            {"goal": "weighted", "price": 1, "price_per_kg": 0},
            {"price_per_kg": "price_per_kg_missing"},
        ),
        ({"connection": {"fuse": 1000, "base_load": 1000}}, {"connection": "fuse_too_small"}),
        ({"connection": {"fuse": 0}}, {"connection": "fuse_too_small"}),
        ({"connection": {"fuse": float("nan")}}, {"connection": "no_number"}),
        ({"price": float("nan")}, {"price": "no_number"}),
    ],
)
async def test_what_cannot_be_meant_is_told_at_its_place(
    hass: HomeAssistant, entry: MockConfigEntry, fields: Fields, errors: dict[str, str]
) -> None:
    form = await opened(hass, entry)
    result = await answer(hass, form, **{"goal": "carbon", **fields})
    assert result["errors"] == errors
    assert "planning" not in entry.options


@pytest.mark.parametrize(
    "entity_id", ["sensor.nordpool", "sensor.spot", "input_number.price", "sensor.asleep"]
)
async def test_entities_of_prices(
    hass: HomeAssistant, entry: MockConfigEntry, entity_id: str
) -> None:
    result = await answer(hass, await opened(hass, entry), goal="cost", price_entity=entity_id)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options["planning"]["price_entity"] == entity_id


async def test_an_entity_that_is_not_loaded_says_its_unit_in_the_registry(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    registry = er.async_get(hass)
    for number, unit in enumerate(("SEK/MWh", "kWh")):
        registry.async_get_or_create("sensor", "demo", str(number), unit_of_measurement=unit)
    form = await opened(hass, entry)
    result = await answer(hass, form, goal="cost", price_entity="sensor.demo_1")
    assert result["errors"] == {"price_entity": "not_a_price"}
    result = await answer(hass, result, goal="cost", price_entity="sensor.demo_0")
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_running_site_plans_with_it(site: SiteUnderTest) -> None:
    await site.open()
    assert site.entry.runtime_data.planner.objective.goal is Goal.CARBON_THEN_COST
    form = await opened(site.hass, site.entry)
    await answer(site.hass, form, goal="cost", price=0.3, connection={"fuse": 11000})
    await site.settle()
    planner = site.entry.runtime_data.planner
    assert planner.objective.goal is Goal.COST
    assert planner.fuse.limit == 11000


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_every_field_section_and_goal_has_words(language: str) -> None:
    texts = json.loads((TRANSLATIONS / f"{language}.json").read_text())
    step = texts["options"]["step"]["planning"]
    sections = planning_steps.SECTIONS
    assert set(step["sections"]) == set(sections)
    for name, inside in sections.items():
        told = step["sections"][name]
        assert set(told["data"]) == set(told["data_description"]) == set(inside)
    assert set(step["data"]) == set(step["data_description"])
    assert set(texts["selector"]["planning_goal"]["options"]) == set(Goal)
