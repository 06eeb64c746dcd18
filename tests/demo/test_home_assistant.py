from contextlib import suppress
from datetime import UTC, datetime, timedelta
import os
from pathlib import Path
import socket

import pytest

from demo.client import Account, ClientError
from demo.config_dir import INTEGRATIONS, ROOT, Settings
from demo.home_assistant import HomeAssistant, free_port
from demo.processes import ChildError, Children, wait_until

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("socket_enabled")]

NEXT_PYTHON = ROOT / ".venv-next" / "bin" / "python"


def alone(port: int, *extra: str) -> Settings:
    """Home Assistant without our integration, with some more of its own."""
    integrations = dict(INTEGRATIONS) | {name: {} for name in extra}
    return Settings(port=port, integrations=integrations, custom_integration=None)


async def test_clean_start_restart_and_power_cut(children: Children, tmp_path: Path) -> None:
    async with HomeAssistant(children, tmp_path / "config", alone(free_port())) as home:
        client = await home.start()
        assert home.problems() == []
        assert home.on_loopback_only()
        assert (await client.get("/api/config"))["currency"] == "EUR"
        assert (await client.state("sun.sun"))["state"] in {"above_horizon", "below_horizon"}
        step = await client.start_flow("group")
        assert step.type == "menu"
        step = await client.answer(step, next_step_id="binary_sensor")
        assert (step.type, step.step_id) == ("form", "binary_sensor")
        fields = {"name": "Doors", "entities": [], "hide_members": False, "all": False}
        step = await client.answer(step, **fields)
        assert [entry["entry_id"] for entry in await client.entries("group")] == [step.entry_id]
        assert [entity["entity_id"] for entity in await client.entities("group")] == [
            "binary_sensor.doors"
        ]
        await home.stop()

        client = await home.start()  # now with the login form
        assert home.problems() == []
        assert await client.entries("group")
        await home.kill()

        client = await home.start()
        assert await client.entries("group")
        assert home.problems() == []


async def test_a_restart_from_the_inside_keeps_the_process(
    children: Children, tmp_path: Path
) -> None:
    async with HomeAssistant(children, tmp_path / "config", alone(free_port())) as home:
        client = await home.start()
        pid = home.child.pid

        async def is_down() -> bool:
            return not await client.answers()

        with suppress(ClientError):  # the connection may end before the answer comes
            await client.perform("homeassistant.restart")
        await wait_until("restarting", is_down, child=home.child, within=60, every=0.02)
        await home.wait()

        assert home.child.pid == pid
        assert home.on_loopback_only()
        assert home.problems() == []


async def test_client_speaks_of_subentries_and_statistics(
    children: Children, tmp_path: Path
) -> None:
    settings = alone(free_port(), "kitchen_sink")
    async with HomeAssistant(children, tmp_path / "config", settings) as home:
        client = await home.start()
        entry_id = (await client.entries("kitchen_sink"))[0]["entry_id"]
        step = await client.start_subentry_flow(entry_id, "entity")
        assert step.step_id == "add_sensor"
        step = await client.answer(step, name="Cellar", state=7)
        assert step.type == "create_entry"
        assert "Cellar" in (await client.subentries(entry_id, "entity")).values()

        outdoor = "kitchen_sink:temperature_outdoor"
        start = datetime.now(UTC) - timedelta(days=2)

        async def written() -> bool:
            return bool(await client.statistics([outdoor], start=start))

        await wait_until("waiting for the recorder", written, within=60)
        rows = (await client.statistics([outdoor], start=start, types=["mean"]))[outdoor]
        assert len(rows) > 12
        assert all(row["mean"] is not None for row in rows)

        with pytest.raises(ClientError, match="no_such_command"):
            await client.command("no_such_command")
        with pytest.raises(ClientError, match="cannot sign in"):
            await client.sign_in(Account(password="wrong"))
        assert await client.perform("homeassistant.check_config") is None


async def test_a_taken_port_is_refused(children: Children, tmp_path: Path) -> None:
    port = free_port()
    with socket.socket() as taker:
        taker.bind(("127.0.0.1", port))
        taker.listen()
        with pytest.raises(ChildError, match=f"port {port} is in use"):
            await HomeAssistant(children, tmp_path, alone(port)).start()


@pytest.mark.next
@pytest.mark.skipif(
    not NEXT_PYTHON.exists() and "CI" not in os.environ,
    reason="scripts/setup next makes what this needs",
)
async def test_next_home_assistant_starts_cleanly(children: Children, tmp_path: Path) -> None:
    settings = alone(free_port())
    async with HomeAssistant(children, tmp_path / "config", settings, python=NEXT_PYTHON) as home:
        client = await home.start()
        assert home.problems() == []
        assert home.on_loopback_only()
        version = (await client.get("/api/config"))["version"]
        assert f"homeassistant=={version}\n" in (ROOT / "requirements" / "next.in").read_text()
