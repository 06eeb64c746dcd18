"""From the forecast to the device: blueprints with real loads of the real integration."""

from collections.abc import AsyncGenerator

from homeassistant.core import HomeAssistant
import pytest

from tests.blueprints.devices import FakeButton, FakeClimate, FakeNumber, FakeSelect, FakeSwitch
from tests.blueprints.harness import TELL, House
from tests.blueprints.rigs import MODES
from tests.common import SiteUnderTest
from tests.loads.site import APPLIANCE, EV, EVENING, HOUR, LoadedSite

NIGHT = [400.0] * 4 + [100.0] * 2 + [300.0] * 66
"""The hours from four on are clean."""


@pytest.fixture
async def home(site: SiteUnderTest) -> LoadedSite:
    """Return a site that is not set up, on an evening in September."""
    site.start_at(EVENING)
    return LoadedSite(site)


@pytest.fixture
async def whole(
    hass: HomeAssistant, home: LoadedSite, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[House]:
    """Return a house whose time is that of the site."""
    opened = House(hass, home.site.freezer)
    await opened.open(start=None)
    # That of the site would wait in real time for automations that wait.
    monkeypatch.setattr(home.site, "settle", opened.settle)
    yield opened
    await opened.close()


def seen(house: House, entity_id: str) -> str:
    return house.state(entity_id)


async def test_a_car_charges_in_the_clean_hours_and_the_user_wins(
    home: LoadedSite, whole: House
) -> None:
    charger = await whole.add(FakeSwitch("charger"))
    home.set("binary_sensor.plug", "on")
    home.set("sensor.car_level", "50", unit_of_measurement="%", device_class="battery")
    await home.open(
        [{**EV, "title": "Car", "device": "switch.charger", "connected": "binary_sensor.plug"}],
        NIGHT,
    )
    await whole.automate(
        "ev_charger_switch",
        run_now="binary_sensor.car_run_now",
        override="switch.car_override",
        deadline_at_risk="binary_sensor.car_deadline_at_risk",
        plan="sensor.car_plan",
        device="switch.charger",
        connected="binary_sensor.plug",
        level="sensor.car_level",
        target="number.car_target",
        ready_by="time.car_ready_by",
        notify=TELL,
    )
    await home.advance(3.9 * HOUR, step=300)
    assert whole.services(charger) == []
    await home.advance(0.2 * HOUR)
    assert whole.services(charger) == ["turn_on"]
    assert "The plan avoids" in whole.logged[-1]
    await home.advance(0.3 * HOUR)
    await whole.by_hand(charger, is_on=False)
    assert seen(whole, "switch.car_override") == "on"
    await home.advance(0.5 * HOUR)
    assert whole.services(charger) == ["turn_on"]
    await whole.hass.services.async_call(
        "switch", "turn_off", {"entity_id": "switch.car_override"}, blocking=True
    )
    await whole.settle()
    await home.advance(600)
    assert whole.services(charger) == ["turn_on", "turn_on"]


async def test_a_car_charges_with_the_planned_current(home: LoadedSite, whole: House) -> None:
    charger = await whole.add(FakeSwitch("charger"))
    current = await whole.add(
        FakeNumber("current", native_value=6, native_min_value=6, native_max_value=32)
    )
    home.set("binary_sensor.plug", "on")
    home.set("sensor.home", "500", unit_of_measurement="W")
    home.set("sensor.car_level", "50", unit_of_measurement="%", device_class="battery")
    data = {**EV, "device": "switch.charger", "connected": "binary_sensor.plug"}
    await home.open([{**data, "title": "Car", "control": "current", "least_current": 6.0}], NIGHT)
    await whole.automate(
        "ev_charger_current",
        run_now="binary_sensor.car_run_now",
        target_current="sensor.car_target_current",
        override="switch.car_override",
        current="number.current",
        device="switch.charger",
        house=["sensor.home"],
        home_phases=3,
        fuse=25,
    )
    await home.advance(3.9 * HOUR, step=300)
    assert whole.services(charger) == []
    await home.advance(0.2 * HOUR)
    assert whole.services(charger) == ["turn_on"]
    assert whole.values(current, "value")[-1] == pytest.approx(
        float(seen(whole, "sensor.car_target_current")), abs=1
    )


async def test_a_dishwasher_starts_in_the_clean_hours(home: LoadedSite, whole: House) -> None:
    button = await whole.add(FakeButton("start"))
    home.set("sensor.power", "1", unit_of_measurement="W")
    home.set("binary_sensor.filled", "off")
    data = {key: APPLIANCE[key] for key in APPLIANCE if key not in {"device", "ready"}}
    await home.open([{**data, "title": "Dishes", "power_entity": "sensor.power"}], NIGHT)
    await whole.automate(
        "appliance_start",
        run_now="binary_sensor.dishes_run_now",
        override="switch.dishes_override",
        ready="switch.dishes_ready",
        plan="sensor.dishes_plan",
        power="sensor.power",
        filled="binary_sensor.filled",
        start=[{"action": "button.press", "target": {"entity_id": "button.start"}}],
        notify=TELL,
    )
    home.set("binary_sensor.filled", "on")
    await home.advance(30, step=10)
    assert seen(whole, "switch.dishes_ready") == "on"
    assert whole.told[0].startswith("Starts at 15:00.")
    await home.advance(3.9 * HOUR, step=300)
    assert whole.calls(button) == []
    await home.advance(0.2 * HOUR, step=30)
    assert len(whole.calls(button)) == 2, "its power has not risen within five minutes"
    home.set("sensor.power", "1800", unit_of_measurement="W")
    await home.advance(1.5 * HOUR, step=120)
    home.set("sensor.power", "1", unit_of_measurement="W")
    await home.advance(3 * HOUR, step=300)
    assert len(whole.calls(button)) == 2
    assert seen(whole, "switch.dishes_ready") == "off"


async def test_a_washer_behind_a_socket_waits_for_the_clean_hours(
    home: LoadedSite, whole: House
) -> None:
    socket = await whole.add(FakeSwitch("socket", is_on=True))
    home.set("sensor.power", "1", unit_of_measurement="W")
    data = {key: APPLIANCE[key] for key in APPLIANCE if key not in {"device", "ready"}}
    await home.open([{**data, "title": "Wash", "power_entity": "sensor.power"}], NIGHT)
    await whole.automate(
        "appliance_plug",
        run_now="binary_sensor.wash_run_now",
        override="switch.wash_override",
        ready="switch.wash_ready",
        plan="sensor.wash_plan",
        device="switch.socket",
        power="sensor.power",
        resumes=True,
        between=30,
        notify=TELL,
    )
    await home.advance(HOUR, step=300)
    home.set("sensor.power", "150", unit_of_measurement="W")
    await home.advance(30, step=5)
    assert whole.services(socket) == ["turn_off"]
    home.set("sensor.power", "0", unit_of_measurement="W")
    await home.advance(2.9 * HOUR, step=300)
    assert whole.services(socket) == ["turn_off"]
    await home.advance(0.2 * HOUR)
    assert whole.services(socket) == ["turn_off", "turn_on"]
    home.set("sensor.power", "1500", unit_of_measurement="W")
    await home.advance(3 * HOUR, step=300)
    assert whole.services(socket) == ["turn_off", "turn_on"]


async def test_water_is_heated_in_the_clean_hours(home: LoadedSite, whole: House) -> None:
    heater = await whole.add(FakeSwitch("heater"))
    home.set("sensor.water", "52", unit_of_measurement="°C", device_class="temperature")
    tank = {
        "kind": "thermal",
        "title": "Tank",
        "device": "switch.heater",
        "body": "tank",
        "volume": 150.0,
        "heat_source": "heater",
        "control": "on_off",
        "power": 2000.0,
        "low": 45.0,
        "high": 60.0,
        "draw": 5.0,
        "temperature": "sensor.water",
    }
    await home.open([tank], NIGHT)
    await whole.automate(
        "water_heater",
        run_now="binary_sensor.tank_run_now",
        override="switch.tank_override",
        device="switch.heater",
        temperature="sensor.water",
        hygiene_day="never",
    )
    degrees = 52.0
    on_at: list[int] = []
    for step in range(6 * 12):
        is_on = seen(whole, "switch.heater") == "on"
        if is_on:
            on_at.append(step // 12)
        degrees += (2000 / 12 if is_on else 0) / (150 * 1.163) - 0.12
        home.set(
            "sensor.water",
            f"{degrees:.1f}",
            unit_of_measurement="°C",
            device_class="temperature",
        )
        await home.advance(300, step=150)
    assert {4, 5} & set(on_at)
    assert on_at.count(4) + on_at.count(5) > len(on_at) / 2
    assert len(whole.services(heater)) <= 8
    assert degrees > 50


async def test_a_setpoint_is_moved_and_its_base_is_kept(home: LoadedSite, whole: House) -> None:
    room = await whole.add(FakeClimate("room"))
    home.set("sensor.outside", "3", unit_of_measurement="°C")
    await home.open(
        [
            {
                "kind": "thermal",
                "title": "Room",
                "device": "climate.room",
                "body": "room",
                "area": 80.0,
                "heat_source": "heat_pump",
                "control": "setpoint",
                "power": 2500.0,
                "low": 19.0,
                "high": 23.0,
                "outside": "sensor.outside",
            }
        ],
        NIGHT,
    )
    await whole.automate(
        "heat_pump_setpoint",
        setpoint="sensor.room_setpoint",
        override="switch.room_override",
        device="climate.room",
        least_between=30,
    )
    await home.advance(8 * HOUR, step=300)
    written = whole.values(room, "temperature")
    assert written
    assert all(20.0 <= degrees <= 22.0 for degrees in written)
    assert len(written) <= 16
    setpoint = whole.hass.states.get("sensor.room_setpoint")
    assert setpoint is not None
    assert setpoint.attributes["base"] == 21.0
    assert seen(whole, "switch.room_override") == "off"


async def test_a_battery_charges_in_the_clean_hours(home: LoadedSite, whole: House) -> None:
    inverter = await whole.add(FakeSelect("mode", options=MODES, current_option="hold"))
    home.set("sensor.battery", "40", unit_of_measurement="%", device_class="battery")
    battery = {
        "kind": "battery",
        "title": "Store",
        "device": "number.store",
        "level": "sensor.battery",
        "capacity": 10.0,
        "charge": 4000.0,
        "discharge": 4000.0,
    }
    evening = [300.0] * 4 + [50.0] * 2 + [600.0] * 66
    await home.open([battery], evening, planning={"base_load": 1000.0})
    await whole.automate(
        "battery_mode",
        target_power="sensor.store_target_power",
        override="switch.store_override",
        level="sensor.battery",
        device=["select.mode"],
        plan="sensor.store_plan",
    )
    await home.advance(4.1 * HOUR, step=300)
    assert float(seen(whole, "sensor.store_target_power")) > 0
    assert seen(whole, "select.mode") == "charge"
    assert "charge" not in whole.values(inverter, "option")[:-1]
