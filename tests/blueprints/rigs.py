"""One house for each blueprint that follows a plan: what it follows, and what its device does.

`active` is what the plan asks for at its best: charging, heating, a moved setpoint, a mode.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Final, override

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN

from tests.blueprints.devices import Device, FakeClimate, FakeNumber, FakeSelect, FakeSwitch
from tests.blueprints.harness import TELL, FakeLoad, House

EXPLANATION: Final = "Moved by two hours."
SAVED: Final = 412.0
MODES: Final = ["charge", "discharge", "hold", "self_consumption"]


class Rig(ABC):
    """A load, a device and an automation between them."""

    blueprint: str
    source: str = "run_now"
    """The end of the id of what is followed."""

    active: str = "on"
    inactive: str = "off"
    """What the plan says."""

    has_deadline = True
    stops = True
    """Whether it ends what the plan no longer asks for."""

    gone: tuple[str, ...] = (STATE_UNAVAILABLE, STATE_UNKNOWN, "garbage")
    """What says nothing. A battery whose target is unknown does best by itself."""

    def __init__(self, house: House) -> None:
        """Take the house."""
        self.house = house
        self.load: FakeLoad
        self.device: Device

    async def build(self, **inputs: Any) -> None:
        """Add the load, the device and the automation."""
        self.load = await self.house.load("it")
        await self.say_plan(active=False)
        await self.load.say("plan", "cleaner", explanation=EXPLANATION, saved_carbon=SAVED)
        if self.has_deadline:
            await self.load.say("deadline_at_risk", "off")
            inputs = {"deadline_at_risk": self.load.id("deadline_at_risk"), **inputs}
        self.device = await self.house.add(self.make())
        common = {
            self.source: self.load.id(self.source),
            "override": self.load.id("override"),
            "device": self.device.entity_id,
            "plan": self.load.id("plan"),
            "notify": TELL,
        }
        await self.house.automate(self.blueprint, **{**common, **await self.others(), **inputs})
        # Whatever was set up just now has been so for long.
        await self.house.pass_time(minutes=40)
        self.house.forget_calls()

    @abstractmethod
    def make(self) -> Device:
        """Return the device."""

    async def others(self) -> Mapping[str, Any]:
        """Add what else there is; return the inputs of it."""
        return {}

    async def say_plan(self, *, active: bool) -> None:
        """Let the plan ask for it, or not."""
        await self.load.say(self.source, self.active if active else self.inactive)

    @abstractmethod
    def shape(self, *, active: bool) -> Mapping[str, Any]:
        """Return the attributes of the device when it does it, or does not."""

    def is_active(self) -> bool:
        """Return whether the device does it."""
        shape = self.shape(active=True)
        return all(getattr(self.device, f"_attr_{key}") == value for key, value in shape.items())

    async def by_hand(self, *, active: bool) -> None:
        """Change the device at the device."""
        await self.house.by_hand(self.device, **self.shape(active=active))

    @abstractmethod
    async def by_user(self, *, active: bool) -> None:
        """Change the device at the dashboard."""

    @property
    def commands(self) -> list[str]:
        """Return the commands to the device."""
        return self.house.services(self.device)

    @property
    def is_overridden(self) -> bool:
        """Return whether the load's override is on."""
        return self.house.state(self.load.override) == "on"


class SwitchRig(Rig):
    """A device that is switched."""

    @override
    def make(self) -> Device:
        return FakeSwitch("device")

    @override
    def shape(self, *, active: bool) -> Mapping[str, Any]:
        return {"is_on": active}

    @override
    async def by_user(self, *, active: bool) -> None:
        await self.house.by_user(self.device, "turn_on" if active else "turn_off")


class EvSwitch(SwitchRig):
    """A charger."""

    blueprint = "ev_charger_switch"

    @override
    async def others(self) -> Mapping[str, Any]:
        await self.house.say("binary_sensor.plug", "on")
        return {"connected": "binary_sensor.plug"}


class EvCurrent(SwitchRig):
    """A charger whose current is set."""

    blueprint = "ev_charger_current"

    @override
    async def others(self) -> Mapping[str, Any]:
        await self.load.say("target_current", 10)
        await self.house.say("sensor.home", 500, unit_of_measurement="W")
        self.current = await self.house.add(
            FakeNumber("current", native_value=6, native_min_value=6, native_max_value=32)
        )
        return {
            "target_current": self.load.id("target_current"),
            "current": "number.current",
            "house": ["sensor.home"],
            "fuse": 25,
        }


class WaterHeater(SwitchRig):
    """A water heater behind a relay."""

    blueprint = "water_heater"

    @override
    async def others(self) -> Mapping[str, Any]:
        await self.house.say("sensor.water", 50, unit_of_measurement="°C")
        return {"temperature": "sensor.water", "hygiene_day": "never"}


class Plug(SwitchRig):
    """An appliance whose socket is off until it should run."""

    blueprint = "appliance_plug"
    stops = False

    @override
    async def others(self) -> Mapping[str, Any]:
        await self.house.say("sensor.power", 1, unit_of_measurement="W")
        self.load.ready.by_hand(is_on=True)
        return {
            "ready": self.load.id("ready"),
            "power": "sensor.power",
            "resumes": True,
        }


class PoolPump(SwitchRig):
    """A pump of a pool."""

    blueprint = "pool_pump"

    @override
    async def others(self) -> Mapping[str, Any]:
        await self.house.say("sensor.outside", 12, unit_of_measurement="°C")
        return {"temperature": "sensor.outside"}


class HeatPump(Rig):
    """A thermostat whose setpoint is moved by one kelvin."""

    blueprint = "heat_pump_setpoint"
    source = "setpoint"
    active = "22.0"
    inactive = "21.0"
    has_deadline = False

    @override
    def make(self) -> Device:
        return FakeClimate("device")

    @override
    def shape(self, *, active: bool) -> Mapping[str, Any]:
        return {"target_temperature": 22.0 if active else 21.0}

    @override
    async def say_plan(self, *, active: bool) -> None:
        value = self.active if active else self.inactive
        await self.load.say("setpoint", value, base=21.0, unit_of_measurement="°C")

    @override
    async def by_user(self, *, active: bool) -> None:
        await self.house.by_user(
            self.device, "set_temperature", temperature=22.0 if active else 21.0
        )


class Battery(Rig):
    """An inverter that takes a mode."""

    blueprint = "battery_mode"
    source = "target_power"
    gone = (STATE_UNAVAILABLE, "garbage")
    active = "3000"
    inactive = "0"
    has_deadline = False

    @override
    def make(self) -> Device:
        return FakeSelect("device", options=MODES, current_option="hold")

    @override
    def shape(self, *, active: bool) -> Mapping[str, Any]:
        return {"current_option": "charge" if active else "hold"}

    @override
    async def others(self) -> Mapping[str, Any]:
        await self.house.say("sensor.level", 60, unit_of_measurement="%")
        return {"level": "sensor.level", "device": [self.device.entity_id]}

    @override
    async def by_user(self, *, active: bool) -> None:
        option = "charge" if active else "hold"
        await self.house.by_user(self.device, "select_option", option=option)


RIGS: Final = (EvSwitch, EvCurrent, WaterHeater, Plug, PoolPump, HeatPump, Battery)
