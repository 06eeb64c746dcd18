"""Rules that every blueprint keeps, read from the files as Home Assistant reads them."""

from collections.abc import Iterator, Mapping
import re
from typing import Any, Final
from urllib.parse import quote

from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
from homeassistant.components.blueprint import Blueprint
from homeassistant.util.yaml import Input, parse_yaml
import pytest

from tests.blueprints.harness import BLUEPRINTS, ROOT, House, inputs_of, names

PAGES: Final = "https://github.com/carbon-meter/carbon-meter/blob/main/blueprints/automation"
PLANLESS: Final = frozenset({"advice", "report", "anomaly_alert", "demand_limit"})
"""Blueprints that follow no plan of a device."""

each = pytest.mark.parametrize("name", names())


def text_of(name: str) -> str:
    return (BLUEPRINTS / f"{name}.yaml").read_text(encoding="utf-8")


def read(name: str) -> dict[str, Any]:
    """Return a blueprint's file as Home Assistant's own validator takes it."""
    data = parse_yaml(text_of(name))
    assert isinstance(data, dict)
    Blueprint(data, expected_domain="automation", schema=AUTOMATION_BLUEPRINT_SCHEMA)
    return data


def steps_of(node: object) -> Iterator[Mapping[str, Any]]:
    """Yield every step of a list of actions, those within others included."""
    if isinstance(node, list):
        for item in node:
            if isinstance(item, dict):
                yield item
            yield from steps_of(item)
    elif isinstance(node, dict):
        for key in ("sequence", "then", "else", "choose", "default", "repeat", "parallel"):
            if key in node:
                yield from steps_of(node[key])


def sections_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = read(name)["blueprint"]["input"]
    return found


def selectors_of(name: str) -> Iterator[tuple[str, Mapping[str, Any], str, Mapping[str, Any]]]:
    """Yield each input's name, itself, the kind of its selector and what that says."""
    for section in sections_of(name).values():
        for key, given in section["input"].items():
            ((kind, options),) = given["selector"].items()
            yield key, given, kind, options or {}


def test_there_are_fourteen() -> None:
    assert len(names()) == 14


@each
async def test_home_assistant_takes_it(house: House, name: str) -> None:
    assert await inputs_of(house.hass, name)


@each
def test_says_what_it_needs_and_where_it_comes_from(name: str) -> None:
    about = read(name)["blueprint"]
    assert about["homeassistant"]["min_version"] == "2026.10.0"
    assert about["source_url"] == f"{PAGES}/carbon_meter/{name}.yaml"
    assert about["name"].startswith("Carbon Meter: ")
    assert about["description"]


@each
def test_has_the_four_sections(name: str) -> None:
    sections = sections_of(name)
    assert [section["name"] for section in sections.values()] == [
        "Required",
        "Flexibility",
        "Comfort and safety",
        "Notifications",
    ]
    first, *others = sections.values()
    assert not first.get("collapsed")
    assert all(section["collapsed"] for section in others)
    for section in others:
        assert all("default" in given for given in section["input"].values())


@each
def test_every_number_is_safe(name: str) -> None:
    for key, given, kind, options in selectors_of(name):
        if kind == "number":
            assert {"min", "max", "unit_of_measurement"} <= options.keys(), key
            assert options["min"] <= given["default"] <= options["max"], key
            steps = (given["default"] - options["min"]) / options.get("step", 1)
            assert steps == pytest.approx(round(steps)), key


@each
def test_every_entity_is_chosen_from_fitting_ones(name: str) -> None:
    for key, _, kind, options in selectors_of(name):
        if kind == "entity":
            assert all("domain" in one for one in options["filter"]), key
        assert kind != "text" or not re.search(r"entity|sensor|switch", key), key


@each
def test_the_inputs_of_a_load_are_its_entities(name: str) -> None:
    loads = {"run_now", "override", "deadline_at_risk", "plan", "target_power", "setpoint"}
    for key, _, kind, options in selectors_of(name):
        if key in loads and kind == "entity":
            assert all(one["integration"] == "carbon_meter" for one in options["filter"]), key


@each
def test_every_input_is_used(name: str) -> None:
    used = set(re.findall(r"!input (\w+)", text_of(name)))
    assert used == {key for key, *_ in selectors_of(name)}


@each
def test_every_step_has_an_alias(name: str) -> None:
    data = read(name)
    found = [*steps_of(data["actions"]), *steps_of(data.get("conditions", []))]
    assert found
    for step in found:
        if not set(step) <= {"conditions", "sequence"}:
            assert "alias" in step, step
    assert all("alias" in trigger for trigger in data["triggers"])


@each
def test_holds_no_state_and_leaves_traces(name: str) -> None:
    data = read(name)
    assert data["mode"] in {"restart", "queued"}
    assert data["max_exceeded"] == "silent"
    assert data["trace"] == {"stored_traces": 20}


@each
def test_every_trigger_can_be_told_from_others(name: str) -> None:
    assert all("id" in trigger for trigger in read(name)["triggers"])


@each
def test_no_wait_is_longer_than_a_minute(name: str) -> None:
    for step in steps_of(read(name)["actions"]):
        for key in ("delay", "timeout"):
            if key in step:
                assert step[key].keys() == {"seconds"}, step
                seconds = step[key]["seconds"]
                assert isinstance(seconds, Input) or seconds <= 60, step
        assert ("wait_template" in step or "wait_for_trigger" in step) <= ("timeout" in step)


@pytest.mark.parametrize("name", [name for name in names() if name not in PLANLESS])
def test_heals_at_the_start_and_every_few_minutes(name: str) -> None:
    triggers = read(name)["triggers"]
    assert any(each["trigger"] == "homeassistant" and each["event"] == "start" for each in triggers)
    assert any(each.get("event_type") == "automation_reloaded" for each in triggers)
    assert any(each.get("minutes") in {"/1", "/5"} for each in triggers)


@each
def test_no_default_is_made_of_a_state_that_is_missing(name: str) -> None:
    text = text_of(name)
    assert not re.search(r"states\([^)]*\)\s*\|\s*(float|int)\(", text)
    assert not re.search(r"\|\s*(float|int)\(\s*default\s*=", text)


@each
def test_writes_into_the_logbook(name: str) -> None:
    assert any(step.get("action") == "logbook.log" for step in steps_of(read(name)["actions"]))


@each
def test_its_page_tells_every_input_and_links_the_import(name: str) -> None:
    page = (ROOT / "docs" / "blueprints" / f"{name}.md").read_text(encoding="utf-8")
    link = quote(f"{PAGES}/carbon_meter/{name}.yaml", safe="")
    assert (
        "[![Import](https://my.home-assistant.io/badges/blueprint_import.svg)]"
        f"(https://my.home-assistant.io/redirect/blueprint_import/?blueprint_url={link})"
    ) in page
    for key, given, kind, options in selectors_of(name):
        row = re.search(rf"^\| {re.escape(given['name'])} \|.*$", page, re.MULTILINE)
        assert row, f"{name}: {key} is not in the table of its page"
        if kind == "number":
            told = f"{given['default']} {options['unit_of_measurement']}"
            assert f"| {told} |" in row.group(), f"{name}: {key} is {told}"
    for heading in ("What you need", "Inputs", "What happens when", "Limits"):
        assert f"## {heading}\n" in page, f"{name}: no {heading}"


def test_the_index_lists_all() -> None:
    index = (ROOT / "docs" / "blueprints" / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\((\w+)\.md\)", index) == list(
        dict.fromkeys(re.findall(r"\]\((\w+)\.md\)", index))
    )
    assert set(re.findall(r"\]\((\w+)\.md\)", index)) == set(names())
