"""Loads are switched off while too much is taken, and come back one after another."""

from datetime import timedelta
from typing import Any

import pytest

from custom_components.carbon_meter.loads.shedding import async_register_shedding
from tests.blueprints.devices import FakeSwitch
from tests.blueprints.harness import TELL, FakeLoad, House, local

POWER = "sensor.grid"


class Home:
    """A house with a meter, a car, a boiler and a fan that has no plan; limit 5 kW."""

    def __init__(self, house: House) -> None:
        """Take a house; `open` fills it."""
        self.house = house
        self.devices: dict[str, FakeSwitch] = {}
        self.loads: dict[str, FakeLoad] = {}

    async def open(self, power: object = 3000, **inputs: Any) -> None:
        """Fill it, with all switched on."""
        async_register_shedding(self.house.hass)
        await self.say(power)
        for name in ("car", "boiler", "fan"):
            self.devices[name] = await self.house.add(FakeSwitch(name, is_on=True))
            if name != "fan":
                self.loads[name] = await self.house.load(name)
        await self.house.automate(
            "demand_limit",
            **{
                "power": POWER,
                "limit": 5,
                "loads": [
                    {"device": "switch.car", "override": "switch.car_override", "least_off": 0},
                    {"device": "switch.boiler", "override": "switch.boiler_override"},
                    {"device": "switch.fan", "least_off": 0},
                ],
                "notify": TELL,
                **inputs,
            },
        )
        await self.house.pass_time(minutes=10)

    async def say(self, power: object, unit: str = "W") -> None:
        await self.house.say(POWER, power, unit_of_measurement=unit, device_class="power")

    def on(self) -> list[str]:
        return [name for name, device in self.devices.items() if device.is_on]

    def overridden(self) -> list[str]:
        return [name for name, load in self.loads.items() if load.override.is_on]


@pytest.fixture
async def home(house: House) -> Home:
    return Home(house)


async def test_one_after_another_until_it_fits(house: House, home: Home) -> None:
    await home.open()
    await home.say(6000)
    await house.pass_time(seconds=9, step=1)
    assert home.on() == ["car", "boiler", "fan"]
    await house.pass_time(seconds=2, step=1)
    assert home.on() == ["boiler", "fan"]
    assert home.overridden() == ["car"]
    assert "switch.car is told to switch off: 6.0 kW are taken, of 5" in house.told[0]
    await home.say(5500)
    await house.pass_time(seconds=10, step=1)
    assert home.on() == ["fan"]
    await home.say(4500)
    await house.pass_time(minutes=5)
    assert home.on() == ["fan"]
    assert home.overridden() == ["car", "boiler"]
    assert len(house.logged) == 2


async def test_a_peak_that_is_shorter_than_the_delay(house: House, home: Home) -> None:
    await home.open()
    await home.say(9000)
    await house.pass_time(seconds=8, step=1)
    await home.say(3000)
    await house.pass_time(minutes=3)
    assert home.on() == ["car", "boiler", "fan"]


async def test_nothing_left_to_switch_off(house: House, home: Home) -> None:
    await home.open()
    await home.say(7, "kW")
    await house.pass_time(seconds=60, step=5)
    assert home.on() == []
    assert any("nothing left" in message for message in house.told)


async def test_one_that_does_not_obey_is_told(house: House, home: Home) -> None:
    await home.open()
    home.devices["boiler"].obeys = False
    await home.say(7000)
    await house.pass_time(seconds=60, step=5)
    assert home.on() == ["boiler"]
    assert house.told[-1].endswith("These do not obey: switch.boiler.")


async def test_more_than_six_loads(house: House, home: Home) -> None:
    names = [f"heater_{place}" for place in range(8)]
    await home.open(loads=[{"device": f"switch.{name}", "least_off": 0} for name in names])
    heaters = [await house.add(FakeSwitch(name, is_on=True)) for name in names]
    await home.say(9000)
    await house.pass_time(seconds=62, step=1)
    assert sum(bool(heater.is_on) for heater in heaters) <= 2
    await house.pass_time(minutes=4, step=5)
    assert not any(heater.is_on for heater in heaters)
    assert "nothing left" in house.told[-1]


async def test_back_one_by_one_the_last_first(house: House, home: Home) -> None:
    await home.open()
    await home.say(7000)
    await house.pass_time(seconds=60, step=5)
    assert home.on() == []
    # 80 % of the limit.
    await home.say(4100)
    await house.pass_time(minutes=20)
    assert home.on() == []
    await home.say(3900)
    await house.pass_time(seconds=280)
    assert home.on() == []
    await house.pass_time(minutes=2)
    assert home.on() == ["fan"]
    assert home.overridden() == ["car", "boiler"]
    await house.pass_time(minutes=5)
    # The plan has the boiler again: its device is left to it.
    assert home.overridden() == ["car"]
    await house.pass_time(minutes=6)
    assert home.overridden() == []
    assert home.on() == ["fan"]


async def test_the_least_time_off(house: House, home: Home) -> None:
    await home.open(loads=[{"device": "switch.boiler", "override": "switch.boiler_override"}])
    await home.say(6000)
    await house.pass_time(seconds=30, step=5)
    await home.say(1000)
    await house.pass_time(minutes=9)
    assert home.overridden() == ["boiler"]
    await house.pass_time(minutes=7)
    assert home.overridden() == []


async def test_what_takes_more_than_there_is_room_for_waits(house: House, home: Home) -> None:
    await home.open(loads=[{"device": "switch.fan", "least_off": 0, "power": 2.5}])
    await home.say(6000)
    await house.pass_time(seconds=30, step=5)
    await home.say(3000)
    await house.pass_time(minutes=20)
    assert "fan" not in home.on()
    await home.say(2400)
    await house.pass_time(minutes=2)
    assert "fan" in home.on()


async def test_a_peak_starts_the_calm_anew(house: House, home: Home) -> None:
    await home.open(loads=[{"device": "switch.fan", "least_off": 0}])
    await home.say(6000)
    await house.pass_time(seconds=30, step=5)
    for _ in range(4):
        await home.say(3000)
        await house.pass_time(minutes=4)
        await home.say(4200)
        await house.pass_time(seconds=20)
    assert "fan" not in home.on()


async def test_a_warning(house: House, home: Home) -> None:
    await home.open()
    await home.say(4600)
    await house.pass_time(minutes=5)
    assert house.told == ["4.6 kW are taken, of 5 kW."]
    assert home.on() == ["car", "boiler", "fan"]


@pytest.mark.parametrize("lost", ["unavailable", "unknown"])
async def test_a_silent_meter(house: House, home: Home, lost: str) -> None:
    await home.open()
    await home.say(lost)
    await house.pass_time(seconds=58, step=1)
    assert home.on() == ["car", "boiler", "fan"]
    await house.pass_time(seconds=5, step=1)
    assert home.on() == []
    assert home.overridden() == ["car", "boiler"]
    assert len(house.told) == 1
    assert "silent" in house.told[0]
    # What somebody switches on then is theirs.
    await house.pass_time(minutes=10)
    await house.by_hand(home.devices["fan"], is_on=True)
    await house.pass_time(minutes=30)
    assert home.on() == ["fan"]
    await home.say(1000)
    await house.pass_time(minutes=30)
    assert home.overridden() == []


async def test_a_unit_that_is_no_power(house: House, home: Home) -> None:
    await home.open()
    await home.say(6000, "A")
    await house.pass_time(seconds=55)
    assert home.on() == ["car", "boiler", "fan"]
    await house.pass_time(minutes=2)
    assert home.on() == []


async def test_an_override_of_the_user_is_not_ended(house: House, home: Home) -> None:
    await home.open()
    await house.by_user(home.loads["car"].override, "turn_on")
    await home.say(6000)
    await house.pass_time(seconds=12, step=1)
    assert "car" not in home.on()
    await home.say(1000)
    await house.pass_time(minutes=30)
    assert home.overridden() == ["car"]


async def test_what_somebody_switched_off_stays_off(house: House, home: Home) -> None:
    await home.open()
    await house.by_hand(home.devices["fan"], is_on=False)
    await house.by_hand(home.devices["car"], is_on=False)
    await house.by_user(home.loads["car"].override, "turn_on")
    await house.pass_time(minutes=30)
    assert home.on() == ["boiler"]
    assert home.overridden() == ["car"]


async def test_a_restart_while_loads_are_off(house: House, home: Home) -> None:
    await home.open()
    await home.say(6000)
    await house.pass_time(seconds=30, step=5)
    await home.say(3000)
    await house.pass_time(minutes=2)
    assert home.overridden() == ["car", "boiler"]
    # The memory is made anew, as it is by a new process.
    async_register_shedding(house.hass)
    await house.restart()
    await house.pass_time(minutes=4)
    assert home.overridden() == ["car", "boiler"]
    assert "fan" not in home.on()
    await house.pass_time(minutes=20)
    assert home.overridden() == []
    assert home.on() == ["fan"]


async def test_a_restart_while_too_much_is_taken(house: House, home: Home) -> None:
    await home.open()
    house._states[POWER] = ("6000", {"unit_of_measurement": "W"})
    await house.restart()
    await house.pass_time(seconds=75, step=5)
    assert "car" not in home.on()


async def test_a_restart_with_a_silent_meter(house: House, home: Home) -> None:
    await home.open()
    house._states[POWER] = ("unavailable", {})
    await house.restart()
    await house.pass_time(seconds=50, step=10)
    assert home.on() == ["car", "boiler", "fan"]
    await house.pass_time(minutes=2)
    assert home.on() == []
    assert len(house.told) == 1


async def test_one_that_is_away_or_fails_does_not_stop_the_others(house: House, home: Home) -> None:
    await home.open()
    await house.leave(home.devices["car"])
    home.devices["boiler"].fails = True
    house.expected_errors.append("did not answer")
    await home.say(6000)
    await house.pass_time(seconds=40, step=5)
    assert home.devices["fan"].is_on is False
    assert house.calls(home.devices["car"]) == []


@pytest.mark.parametrize("power", [6000, "unavailable"])
async def test_without_carbon_meter(house: House, home: Home, power: object) -> None:
    """It still keeps the limit, and tells."""
    house.expected_errors.append("shed_load")
    await home.open()
    house.hass.services.async_remove("carbon_meter", "shed_load")
    await home.say(power)
    await house.pass_time(seconds=70, step=5)
    assert home.on() == []
    assert house.told


async def test_a_notification_that_fails(house: House, home: Home) -> None:
    house.expected_errors.append("nowhere")
    await home.open(notify=[{"action": "notify.nowhere", "data": {"message": "{{ message }}"}}])
    await home.say(6000)
    await house.pass_time(seconds=30, step=5)
    await home.say(1000)
    await house.pass_time(minutes=30)
    assert home.overridden() == []


async def test_power_cut(house: House, home: Home) -> None:
    await home.open()
    await home.say(6000)
    await house.pass_time(seconds=12, step=1)
    await home.say(3000)
    await house.power_cut(home.devices["car"], is_on=False)
    await house.pass_time(minutes=10)
    assert home.overridden() == []


@pytest.mark.parametrize("moment", ["2027-10-31 02:55", "2027-03-28 01:55"])
async def test_over_a_clock_change(house: House, home: Home, moment: str) -> None:
    house.set_now(local(moment) - timedelta(minutes=10))
    await home.open(loads=[{"device": "switch.fan", "least_off": 0}])
    await home.say(6000)
    await house.pass_time(seconds=30, step=5)
    await home.say(3000)
    await house.pass_time(minutes=4)
    assert "fan" not in home.on()
    await house.pass_time(minutes=3)
    assert "fan" in home.on()


async def test_a_charger_that_its_plan_has_just_started_stays_off(house: House, home: Home) -> None:
    await home.open()
    car, load = home.devices["car"], home.loads["car"]
    await load.say("run_now", "off")
    await house.by_hand(car, is_on=False)
    await house.say("binary_sensor.plug", "on")
    await house.automate(
        "ev_charger_switch",
        run_now=load.id("run_now"),
        override=load.id("override"),
        device=car.entity_id,
        connected="binary_sensor.plug",
    )
    await house.pass_time(minutes=40)
    await load.say("run_now", "on")
    assert car.is_on
    await home.say(6000)
    await house.pass_time(seconds=15, step=1)
    assert not car.is_on
    assert home.overridden() == ["car"]
    await home.say(4500)
    await house.pass_time(minutes=30)
    assert not car.is_on
    await home.say(1000)
    await house.pass_time(minutes=30)
    assert car.is_on
    assert home.overridden() == []


async def test_a_chattering_meter_makes_no_flood_of_commands(house: House, home: Home) -> None:
    await home.open()
    for device in home.devices.values():
        device.obeys = False
    for turn in range(240):
        house.hass.states.async_set(
            POWER, str(6000 + turn % 2), {"unit_of_measurement": "W", "device_class": "power"}
        )
        await house.pass_time(seconds=0.5, step=0.5)
    # Twice a turn: when it is told, and when it is kept.
    assert all(1 <= len(house.calls(device)) <= 6 for device in home.devices.values())
