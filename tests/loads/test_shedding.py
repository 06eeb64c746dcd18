"""The actions that shed loads and restore them, on real switches."""

from typing import Any

from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.storage import Store
import probatio
import pytest

from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.loads.shedding import async_register_shedding
from tests.blueprints.conftest import house as house  # noqa: PLC0414  # a fixture
from tests.blueprints.devices import FakeSwitch
from tests.blueprints.harness import House

CAR, OVERRIDE = "switch.car", "switch.car_override"


@pytest.fixture
async def car(house: House) -> FakeSwitch:
    async_register_shedding(house.hass)
    return await house.add(FakeSwitch("car", is_on=True))


@pytest.fixture
async def override(house: House) -> FakeSwitch:
    return await house.add(FakeSwitch("car_override"))


async def shed(house: House, **data: Any) -> None:
    await house.hass.services.async_call(
        DOMAIN, "shed_load", {"device": CAR, "least_off": 0, **data}, blocking=True
    )


async def restore(house: House, *devices: str, most: int = 1) -> dict[str, Any]:
    response = await house.hass.services.async_call(
        DOMAIN,
        "restore_loads",
        {"devices": list(devices or (CAR,)), "most": most},
        blocking=True,
        return_response=True,
    )
    assert response is not None
    return response


async def test_off_and_back_to_its_plan(
    house: House, car: FakeSwitch, override: FakeSwitch
) -> None:
    await shed(house, override=OVERRIDE)
    assert (car.is_on, override.is_on) == (False, True)
    assert await restore(house) == {"restored": [CAR], "shed": []}
    # The plan decides whether it runs.
    assert (car.is_on, override.is_on) == (False, False)
    assert await restore(house) == {"restored": [], "shed": []}


async def test_one_without_a_plan_is_switched_on(house: House, car: FakeSwitch) -> None:
    await shed(house)
    await restore(house)
    assert house.services(car) == ["turn_off", "turn_on"]


async def test_no_sooner_than_told(house: House, car: FakeSwitch) -> None:
    await shed(house, least_off=10)
    await house.pass_time(minutes=9)
    assert await restore(house) == {"restored": [], "shed": [CAR]}
    await house.pass_time(minutes=2)
    assert (await restore(house))["restored"] == [CAR]


async def test_the_last_of_the_list_first(house: House, car: FakeSwitch) -> None:
    fan = await house.add(FakeSwitch("fan", is_on=True))
    await shed(house)
    await shed(house, device="switch.fan")
    assert (await restore(house, CAR, "switch.fan"))["restored"] == ["switch.fan"]
    assert (car.is_on, fan.is_on) == (False, True)
    await shed(house, device="switch.fan")
    assert set((await restore(house, CAR, "switch.fan", most=2))["restored"]) == {CAR, "switch.fan"}


async def test_what_somebody_decides_since_then_holds(
    house: House, car: FakeSwitch, override: FakeSwitch
) -> None:
    await shed(house, override=OVERRIDE)
    await house.by_hand(car, is_on=True)
    assert await restore(house) == {"restored": [], "shed": []}
    assert override.is_on
    await house.by_hand(override, is_on=False)
    await shed(house, override=OVERRIDE)
    await house.by_hand(override, is_on=False)
    assert await restore(house) == {"restored": [], "shed": []}
    assert not car.is_on


async def test_a_user_who_had_taken_over_keeps_the_override(
    house: House, car: FakeSwitch, override: FakeSwitch
) -> None:
    await house.by_hand(override, is_on=True)
    await shed(house, override=OVERRIDE, overridden=True)
    assert (await restore(house))["restored"] == [CAR]
    assert (car.is_on, override.is_on) == (False, True)


async def test_shed_twice_it_is_still_ours(
    house: House, car: FakeSwitch, override: FakeSwitch
) -> None:
    """The second time the override is on because of the first."""
    await shed(house, override=OVERRIDE)
    await shed(house, override=OVERRIDE, overridden=True)
    await restore(house)
    assert not override.is_on


async def test_one_that_is_away_waits(house: House, car: FakeSwitch, override: FakeSwitch) -> None:
    await shed(house, override=OVERRIDE)
    await house.leave(car)
    assert await restore(house) == {"restored": [], "shed": [CAR]}
    await house.come_back(car)
    await house.leave(override)
    assert await restore(house) == {"restored": [], "shed": [CAR]}
    await house.come_back(override)
    assert (await restore(house))["restored"] == [CAR]


async def test_a_restart(house: House, car: FakeSwitch, override: FakeSwitch) -> None:
    await shed(house, override=OVERRIDE)
    async_register_shedding(house.hass)
    assert (await restore(house))["restored"] == [CAR]
    async_register_shedding(house.hass)
    assert await restore(house) == {"restored": [], "shed": []}


@pytest.mark.parametrize(
    "content", [{CAR: {"until": "later"}}, {CAR: None}, {CAR: {"until": 0}}, {}]
)
async def test_a_damaged_file(house: House, car: FakeSwitch, content: dict[str, Any]) -> None:
    await Store(house.hass, 1, "carbon_meter.shed").async_save(content)
    async_register_shedding(house.hass)
    assert await restore(house) == {"restored": [], "shed": []}


async def test_a_device_that_fails(house: House, car: FakeSwitch) -> None:
    car.fails = True
    with pytest.raises(HomeAssistantError):
        await shed(house)
    # It still runs: there is nothing to restore.
    assert await restore(house) == {"restored": [], "shed": []}


@pytest.mark.parametrize("data", [{"device": "car"}, {"least_off": -1}, {"override": 5}])
async def test_refuses(house: House, car: FakeSwitch, data: dict[str, Any]) -> None:
    with pytest.raises(probatio.Invalid):
        await shed(house, **data)
    assert car.is_on
