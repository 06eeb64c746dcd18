"""The actions that dim lamps and restore them, on real lamps."""

from typing import Any

from homeassistant.helpers import (
    area_registry as ar,
    entity_registry as er,
    label_registry as lr,
)
from homeassistant.helpers.storage import Store
import probatio
import pytest

from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.loads.light_memory import async_register_lights
from tests.blueprints.conftest import house as house  # noqa: PLC0414  # a fixture
from tests.blueprints.devices import FakeLight
from tests.blueprints.harness import House


@pytest.fixture
async def lamps(house: House) -> list[FakeLight]:
    async_register_lights(house.hass)
    return [
        await house.add(FakeLight("one", is_on=True, brightness=200)),
        await house.add(FakeLight("two", is_on=True, brightness=100)),
    ]


async def act(house: House, name: str, **data: Any) -> dict[str, Any]:
    """Call an action and return its response."""
    response = await house.hass.services.async_call(
        DOMAIN, name, data, blocking=True, return_response=True
    )
    assert response is not None
    return response


async def test_areas_labels_and_groups(house: House, lamps: list[FakeLight]) -> None:
    """A lamp that is named three ways is dimmed once."""
    area = ar.async_get(house.hass).async_create("Office")
    label = lr.async_get(house.hass).async_create("Desk")
    entities = er.async_get(house.hass)
    entities.async_update_entity("light.one", area_id=area.id)
    entities.async_update_entity("light.two", labels={label.label_id})
    members = {"brightness": 200, "entity_id": ["light.one", "light.two"]}
    house.hass.states.async_set("light.all", "on", members)
    await house.say("switch.desk", "on")
    response = await act(
        house,
        "dim_lights",
        area_id=area.id,
        label_id=label.label_id,
        entity_id=["light.all", "light.two", "light.nowhere", "switch.desk"],
        share=50,
    )
    assert response == {"changed": ["light.one", "light.two"], "released": [], "failed": []}
    assert [lamp.brightness for lamp in lamps] == [100, 50]
    assert [len(house.calls(lamp)) for lamp in lamps] == [1, 1]


async def test_what_is_released_is_told(house: House, lamps: list[FakeLight]) -> None:
    await act(house, "dim_lights", entity_id=["light.one", "light.two"], share=80)
    await house.pass_time(minutes=5)
    await house.by_hand(lamps[0], brightness=250)
    response = await act(house, "dim_lights", entity_id=["light.one", "light.two"], share=70)
    assert response == {"changed": ["light.two"], "released": ["light.one"], "failed": []}


async def test_only_the_lamps_that_are_meant_are_restored(
    house: House, lamps: list[FakeLight]
) -> None:
    await act(house, "dim_lights", entity_id=["light.one", "light.two"], share=80)
    await house.pass_time(minutes=5)
    await act(house, "restore_lights", entity_id="light.one")
    assert [lamp.brightness for lamp in lamps] == [200, 80]


@pytest.mark.parametrize(
    "content",
    [
        {"light.one": {"before": 0}, "light.two": "dark", "light.three": {}},
        {"light.one": None},
        {},
    ],
)
async def test_a_damaged_file(
    house: House, lamps: list[FakeLight], content: dict[str, Any]
) -> None:
    await Store(house.hass, 1, "carbon_meter.lights").async_save(content)
    async_register_lights(house.hass)
    response = await act(house, "restore_lights", entity_id=["light.one", "light.two"])
    assert response["changed"] == []
    await act(house, "dim_lights", entity_id="light.one", share=80)
    assert lamps[0].brightness == 160


async def test_a_lamp_that_was_off_for_a_week_is_forgotten(
    house: House, lamps: list[FakeLight]
) -> None:
    await act(house, "dim_lights", entity_id="light.one", share=80)
    await house.by_hand(lamps[0], is_on=False)
    await house.pass_time(hours=24 * 8, step=86400)
    await house.by_hand(lamps[0], is_on=True)
    await act(house, "restore_lights", entity_id="light.one")
    assert lamps[0].brightness == 160


@pytest.mark.parametrize(
    "data", [{}, {"share": 0}, {"share": 101}, {"share": "much"}, {"share": 80, "transition": -1}]
)
async def test_refuses(house: House, lamps: list[FakeLight], data: dict[str, Any]) -> None:
    with pytest.raises(probatio.Invalid):
        await act(house, "dim_lights", entity_id="light.one", **data)
    assert house.calls(lamps[0]) == []
