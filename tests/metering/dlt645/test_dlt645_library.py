"""An implementation by others answers: the meter of the PyPI package dlt645, over real TCP."""

import asyncio
from collections.abc import AsyncIterator
import json
from pathlib import Path
import sys

import pytest

from custom_components.carbon_meter.metering.dlt645.frames import ANYBODY, READ_ADDRESS
from custom_components.carbon_meter.metering.dlt645.line import Dlt645Line
from custom_components.carbon_meter.metering.dlt645.meter import Dlt645Meter

ADDRESS = "202000001234"
VALUES = {
    "energy_import": 123456.78,
    "energy_export": 0.01,
    "energy_total": 123456.79,
    "frequency": 49.98,
    "voltage_l1": 230.1,
    "voltage_l2": 0.0,
    "voltage_l3": 799.9,
    "current_n": 0.001,
    "current_l1": 5.012,
    "current_l2": -120.5,
    "power": -12.3456,
    "power_l1": 79.9999,
    "reactive_power": -0.0001,
    "apparent_power": 12.5,
    "power_factor": -0.987,
    "power_factor_l3": 0.5,
}
"""In the units of the standard: kWh, kW, kvar, kVA."""

THOUSANDS = ("energy", "power", "reactive_power", "apparent_power")


@pytest.fixture
async def line(socket_enabled: None, dlt645) -> AsyncIterator[Dlt645Line]:
    """Return the line to a meter that runs in a process of its own."""
    data = dlt645["dlt645_three_phase"].data
    values = {f"{data[key].identifier:08X}": value for key, value in VALUES.items()}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).parent / "peer.py"),
        ADDRESS,
        json.dumps(values),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = Dlt645Line("127.0.0.1", int(await process.stdout.readline()), patience=20)
    yield line
    await line.close()
    process.kill()
    await process.communicate()


async def test_it_is_read_exactly(line, dlt645) -> None:
    meter = Dlt645Meter(line, dlt645["dlt645_three_phase"], ADDRESS)

    reading = await meter.read()

    for key, value in VALUES.items():
        factor = 1000 if key.startswith(THOUSANDS) and "factor" not in key else 1
        assert reading.values[key] == pytest.approx(value * factor, rel=1e-12), key
    assert reading.faults == ()
    # It knows no blocks of data; whatever else it has, it has as zero.
    assert meter.questions == 33
    assert {value for key, value in reading.values.items() if key not in VALUES} == {0.0}


async def test_it_tells_its_address(line) -> None:
    heard = await line.ask_all(ANYBODY, READ_ADDRESS, seconds=1)

    assert [frame.address for frame in heard.frames] == [ADDRESS]
    assert heard.noise == 0
