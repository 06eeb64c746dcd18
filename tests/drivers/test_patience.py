"""Identifying a meter that is silent about what it does not have takes seconds, not minutes."""

import asyncio

from homeassistant.core import HomeAssistant
from modbus_connection import ModbusTcpParams, ModbusTimeoutError
from modbus_connection.tmodbus import ModbusConnection
import pytest

from custom_components.carbon_meter.drivers.patience import LEAST, PatientUnit
from hardware.virtual import MeterSpec, VirtualHome
from hardware.virtual.faults import Silent
from tests.common import LOOPBACK


async def test_device_that_has_answered_is_waited_for_less(real_time: HomeAssistant) -> None:
    async with VirtualHome.constant(1000, [MeterSpec(profile="eastron_sdm630")]) as home:
        connection = ModbusConnection(ModbusTcpParams(host=LOOPBACK, port=home.port))
        try:
            unit = PatientUnit(connection.for_unit(1), 4.0)
            assert len(await unit.read_input_registers(0, 2)) == 2
            home["grid"].apply(Silent())
            with pytest.raises(ModbusTimeoutError):
                await unit.read_input_registers(0, 2)
            begun = asyncio.get_running_loop().time()
            with pytest.raises(ModbusTimeoutError):
                await unit.read_input_registers(0, 2)
            assert asyncio.get_running_loop().time() - begun >= LEAST / 2
            assert connection._timeout == LEAST
            home["grid"].clear()
            assert len(await unit.read_input_registers(0, 2)) == 2
            unit.release()
        finally:
            await connection.close()


async def test_silent_device_keeps_its_time(real_time: HomeAssistant) -> None:
    async with VirtualHome.constant(1000, [MeterSpec(profile="eastron_sdm630")]) as home:
        connection = ModbusConnection(ModbusTcpParams(host=LOOPBACK, port=home.port))
        try:
            unit = PatientUnit(connection.for_unit(1), 0.7)
            home["grid"].apply(Silent())
            with pytest.raises(ModbusTimeoutError):
                await unit.read_input_registers(0, 2)
            assert connection._timeout == 0.7
        finally:
            await connection.close()
