"""Our way of reading without entities, and the shared connection that it stands on."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from homeassistant.components.modbus import async_get_temporary_unit
from homeassistant.core import HomeAssistant
from modbus_connection import ModbusTcpParams, ModbusUnit

from benchmarks.metering.subject import Subject
from custom_components.carbon_meter.metering.modbus.blocks import Block
from custom_components.carbon_meter.metering.modbus.meter import ModbusMeter

CONNECTION_NAME: Final = "the shared connection alone"


class DriverSide:
    """Our driver for the meter, on the connection that our integration uses too."""

    def __init__(self, unit: ModbusUnit, subject: Subject) -> None:
        """Take the meter's unit."""
        self._unit = unit
        self._meter = ModbusMeter(unit, subject.profile)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Return the requests of one full reading."""
        return self._meter.blocks

    async def read(self) -> None:
        """Read and decode everything once."""
        reading = await self._meter.read()
        if len(reading.values) != len(self._meter.profile.registers):
            raise RuntimeError(f"our driver got {len(reading.values)} quantities: {reading.faults}")

    async def read_undecoded(self) -> None:
        """Send the same requests on the same connection and leave the words as they are."""
        for block in self.blocks:
            await self._unit.read_input_registers(block.address, block.words)


@asynccontextmanager
async def our_driver(hass: HomeAssistant, subject: Subject) -> AsyncGenerator[DriverSide]:
    """Hold the shared connection and prove the driver's plan by a first reading."""
    params = ModbusTcpParams(host=subject.host, port=subject.port)
    async with async_get_temporary_unit(hass, params, subject.unit) as unit:
        driver = DriverSide(unit, subject)
        await driver.read()
        yield driver
