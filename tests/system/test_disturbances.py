"""Energy through every disturbance, with a Home Assistant that is really killed."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from demo.client import HomeAssistantClient
from demo.config_dir import Settings
from demo.home_assistant import HomeAssistant, free_port
from demo.processes import Children, wait_until
from demo.site import add_meters
from demo.virtual_home import VirtualHome

pytestmark = [
    pytest.mark.system,
    pytest.mark.usefixtures("socket_enabled"),
    pytest.mark.timeout(300),
]

SPEED = 120
"""Virtual seconds in a real one: the twenty minutes of an outage are ten seconds."""

POLL = 1
"""Seconds between two readings."""


async def totals(client: HomeAssistantClient, entry_id: str) -> dict[str, Any]:
    """Return the books of the only meter."""
    diagnostics = await client.diagnostics(entry_id)
    (meter,) = diagnostics["meters"].values()
    books: dict[str, Any] = meter
    return books


async def shown(home: VirtualHome) -> float:
    """Return what the meter's import counter shows, in Wh."""
    value: float = (await home.state())["meters"]["grid"]["shown"]["energy_import"]
    return value


async def stand_still(home: VirtualHome, client: HomeAssistantClient, entry_id: str) -> float:
    """Stop the virtual time and wait until the last of the counter is booked."""
    await home.control("clock", freeze=True)
    counter = await shown(home)

    async def is_read() -> bool:
        reading = (await totals(client, entry_id))["reading"]
        return bool(reading and abs(reading["energy_import"] - counter) < 0.5)

    await wait_until("waiting for the last reading", is_read, within=60)
    await asyncio.sleep(2 * POLL)
    return counter


async def test_kill_freeze_reset_and_two_restarts(children: Children, tmp_path: Path) -> None:
    arguments = ["--meters", "grid", "--profile", "schneider_iem3000", "--speed", str(SPEED)]
    settings = Settings(port=free_port())
    expected = 0.0
    async with (
        VirtualHome(children, tmp_path / "home.log", arguments) as home,
        HomeAssistant(children, tmp_path / "config", settings) as home_assistant,
    ):
        await home.control("clock", freeze=True)
        await home.control("load", node="grid", watts=3600)
        client = await home_assistant.start()
        entry_id = await add_meters(client, home.meters, interval=POLL)
        begin = await shown(home)

        # A load of known energy; Home Assistant is killed in the middle of it.
        await home.control("clock", freeze=False)

        async def is_booked() -> bool:
            return bool((await totals(client, entry_id))["total"]["import_energy"] > 0)

        await wait_until("waiting for a reading to be booked", is_booked, within=60)
        await asyncio.sleep(5)
        await home_assistant.kill()
        await asyncio.sleep(1200 / SPEED)
        client = await home_assistant.start()

        # The meter freezes while what flows goes on, and thaws.
        await asyncio.sleep(3)
        await home.control("fault", meter="grid", fault="freeze")
        await asyncio.sleep(6)
        await home.control("clear", meter="grid")
        await asyncio.sleep(3)

        # The counter is reset; what it showed until then is booked.
        expected += await stand_still(home, client, entry_id) - begin
        await home.control("fault", meter="grid", fault="reset", quantities=["energy_import"])
        assert await shown(home) == 0
        await home.control("clock", freeze=False)
        await asyncio.sleep(5)

        # Two restarts, one right after the other.
        for _ in range(2):
            await home_assistant.stop()
            client = await home_assistant.start()
        await asyncio.sleep(5)
        expected += await stand_still(home, client, entry_id)

        meter = await totals(client, entry_id)
        assert meter["total"]["import_energy"] == pytest.approx(expected, abs=1)
        assert [incident["reason"] for incident in meter["incidents"]] == ["reset"]
        # The outages are marked; together they are most of the time.
        assert meter["total"]["estimated_energy"] >= 1200
        assert meter["total"]["carbon"] == pytest.approx(expected / 1000 * 342.06, rel=1e-3)
        hours = meter["open_hours"].values()
        assert sum(hour["import_energy"] for hour in hours) == pytest.approx(
            meter["total"]["import_energy"], rel=1e-9
        )
        assert home_assistant.problems() == []
