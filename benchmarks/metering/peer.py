"""Home Assistant's own `modbus` integration, configured for the same quantities."""

import asyncio
from typing import Any, Final

from homeassistant.components.modbus.const import CALL_TYPE_REGISTER_INPUT, DATA_MODBUS_HUBS
from homeassistant.components.modbus.sensor import ModbusRegisterSensor
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import async_get_platforms

from benchmarks.core import SetupError
from benchmarks.metering.subject import Subject
from custom_components.carbon_meter.sensor_descriptions import QUANTITY_SENSORS
from demo.processes import wait_until

NAME: Final = "Home Assistant modbus"

_DOMAIN: Final = "modbus"
_HUB: Final = "peer"
_NO_VALUE: Final = frozenset({STATE_UNKNOWN, STATE_UNAVAILABLE})
_PATIENCE: Final = 30.0  # seconds until every sensor has been read for the first time


def configuration(subject: Subject) -> dict[str, Any]:
    """Return the integration's YAML: one sensor for each quantity, shown as ours are.

    Nothing is polled unasked (`scan_interval: 0`). Everything else is the default.
    """
    sensors = [_sensor(subject, quantity) for quantity in subject.profile.registers]
    hub = {
        "name": _HUB,
        "type": "tcp",
        "host": subject.host,
        "port": subject.port,
        "sensors": sensors,
    }
    return {_DOMAIN: [hub]}


def _sensor(subject: Subject, quantity: str) -> dict[str, Any]:
    register = subject.profile.registers[quantity]
    if register.type != "f32":
        raise SetupError(f"{quantity} is {register.type}: the peer is configured for float32 only")
    description = QUANTITY_SENSORS[quantity]
    unit = description.suggested_unit_of_measurement or description.native_unit_of_measurement
    sensor: dict[str, Any] = {
        "name": f"Peer {quantity}",
        "unique_id": _unique_id(quantity),
        "address": register.address,
        "slave": subject.unit,
        "input_type": register.function.value,
        "data_type": "float32",
        "scan_interval": 0,
        "device_class": str(description.device_class),
        "state_class": str(description.state_class),
    }
    if unit is not None:
        sensor["unit_of_measurement"] = str(unit)
    return sensor


def _unique_id(quantity: str) -> str:
    return f"{_HUB}_{quantity}"


class PeerSide:
    """The hub and its sensors, by quantity."""

    def __init__(self, hass: HomeAssistant, subject: Subject) -> None:
        """Take what the integration has set up.

        Raises SetupError when a sensor is missing.
        """
        self._hass = hass
        self._subject = subject
        self._hub = hass.data[DATA_MODBUS_HUBS][_HUB]
        by_id = {
            entity.unique_id: entity
            for platform in async_get_platforms(hass, _DOMAIN)
            for entity in platform.entities.values()
            if isinstance(entity, ModbusRegisterSensor)
        }
        ids = {quantity: _unique_id(quantity) for quantity in subject.profile.registers}
        if missing := [quantity for quantity, known in ids.items() if known not in by_id]:
            raise SetupError(f"the peer has no sensor for {', '.join(missing)}")
        self._sensors = {quantity: by_id[known] for quantity, known in ids.items()}

    async def read(self) -> None:
        """Read everything once and write the states.

        Each sensor runs what its timer runs when it is due, all at the same time as they do
        when they have been set up together; the timers themselves are left out.
        """
        await asyncio.gather(*(sensor.async_local_update() for sensor in self._sensors.values()))

    async def read_driver(self) -> None:
        """Read and decode everything once, without a state: one request after the other."""
        registers = self._subject.profile.registers
        for quantity, sensor in self._sensors.items():
            register = registers[quantity]
            answer = await self._hub.async_pb_call(
                self._subject.unit, register.address, register.words, CALL_TYPE_REGISTER_INPUT
            )
            if answer is None or sensor.unpack_structure_result(answer.registers) is None:
                raise RuntimeError(f"the peer could not read {quantity}")

    def states(self) -> dict[str, str]:
        """Return what the entities show, by quantity."""
        shown: dict[str, str] = {}
        for quantity, sensor in self._sensors.items():
            if state := self._hass.states.get(sensor.entity_id):
                shown[quantity] = state.state
        return shown

    async def wait(self) -> None:
        """Wait until the integration has read every sensor for the first time, by itself."""
        await wait_until("waiting for the peer's sensors", self._all_known, within=_PATIENCE)

    async def _all_known(self) -> bool:
        states = self.states()
        return len(states) == len(self._sensors) and not _NO_VALUE.intersection(states.values())
