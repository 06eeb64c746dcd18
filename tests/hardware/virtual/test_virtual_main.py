"""The command line, as a real process."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
import json
from pathlib import Path
import signal
import sys
from typing import Any

from aiohttp import ClientSession
import pytest

from custom_components.carbon_meter.metering.modbus.identification import identify
from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from hardware.virtual.__main__ import main
from tests.hardware.virtual.reading import Connect

ROOT = Path(__file__).parents[3]

type Run = Callable[..., Coroutine[Any, Any, tuple[asyncio.subprocess.Process, dict[str, Any]]]]


@pytest.fixture
async def run(socket_enabled: None) -> AsyncIterator[Run]:
    """Start virtual homes; each is stopped by its own id at the end."""
    processes: list[asyncio.subprocess.Process] = []

    async def started(
        *arguments: str,
    ) -> tuple[asyncio.subprocess.Process, dict[str, Any]]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "hardware.virtual",
            *arguments,
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        processes.append(process)
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        assert line, await process.stderr.read() if process.stderr else ""
        return process, json.loads(line)

    yield started
    for process in processes:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.system
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
async def test_a_home_runs_until_it_is_told_to_stop(
    run: Run, connect: Connect, profiles: dict[str, ModbusProfile], stop: signal.Signals
) -> None:
    process, ready = await run("--speed", "60", "--initial-kwh", "100", "--seed", "3")
    port = ready["modbus"][0]["port"]
    assert ready["modbus"] == [{"host": "127.0.0.1", "port": port}]
    assert [(meter["name"], meter["unit"], meter["profile"]) for meter in ready["meters"]] == [
        ("grid", 1, "eastron_sdm630"),
        ("heat_pump", 2, "eastron_sdm120"),
        ("solar", 3, "sunspec_meter_integer"),
        ("battery", 4, "schneider_iem3000"),
        ("ev", 5, "eastron_sdm72_v2"),
    ]
    for meter in ready["meters"]:
        unit = await connect(meter["port"], meter["unit"])
        best = (await identify(unit, profiles.values())).candidates[0]
        assert best.profile.id == meter["profile"]
        assert 100_000 <= best.reading.values["energy_import"] < 101_000
    async with ClientSession() as session, session.get(f"{ready['control']}/state") as response:
        assert (await response.json())["speed"] == 60
    # With a client still connected.
    process.send_signal(stop)
    output, errors = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, output, errors) == (0, b"", b"")


@pytest.mark.system
async def test_copies_have_ports_of_their_own(run: Run, connect: Connect) -> None:
    _, ready = await run("--meters", "grid", "--copies", "3", "--watts", "1000")
    assert len({each["port"] for each in ready["modbus"]}) == 3
    assert [meter["name"] for meter in ready["meters"]] == [
        "home1/grid",
        "home2/grid",
        "home3/grid",
    ]
    async with ClientSession() as session, session.get(f"{ready['control']}/state") as response:
        meters = (await response.json())["meters"]
    powers = [meter["true"]["power"] for meter in meters.values()]
    assert powers == pytest.approx([1000] * 3)
    for each in ready["modbus"]:
        assert await (await connect(each["port"])).read_input_registers(0, 2)


@pytest.mark.system
async def test_profile_and_start_can_be_chosen(run: Run) -> None:
    _, ready = await run("--profile", "schneider_iem3000", "--start", "2026-01-02T03:04:05+01:00")
    assert ready["meters"][0]["profile"] == "schneider_iem3000"
    async with ClientSession() as session, session.get(f"{ready['control']}/state") as response:
        assert (await response.json())["utc"].startswith("2026-01-02T02:04:")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--profile", "nonsense"], "no profile 'nonsense'"),
        (["--speed", "0"], "speed"),
        (["--copies", "0"], "--copies"),
        (["--replay", "/nowhere"], "Building_1.csv.gz does not exist"),
    ],
)
def test_what_cannot_be_run_is_explained(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_a_faulty_profile_is_named_and_does_no_harm(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.yaml").write_text("id: mine\n")
    assert main(["--profiles", str(tmp_path), "--profile", "mine"]) == 2
    error = capsys.readouterr().err
    assert "mine.yaml:1:" in error
    assert "no profile 'mine'" in error


def test_a_time_needs_its_offset(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--start", "2026-01-02T03:04:05"])
    assert "offset" in capsys.readouterr().err


async def test_counters_go_on_where_they_were(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "counters.json"
    arguments = ("--meters", "grid", "--watts", "3600", "--counters", str(path))
    process, _ = await run(*arguments, "--speed", "3600")
    await asyncio.sleep(1)
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
    saved = json.loads(path.read_text())["/grid"]["energy_import"]
    # 3.6 kW for an hour or more on top of 12345.678 kWh.
    assert saved > 12_345_678 + 3600
    _, ready = await run(*arguments)
    async with ClientSession() as session, session.get(f"{ready['control']}/state") as answer:
        true = (await answer.json())["meters"]["grid"]["true"]["energy_import"]
    assert saved <= true < saved + 60


def test_a_file_without_counters_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "counters.json"
    path.write_text("[]")
    assert main(["--counters", str(path)]) == 2
    assert "does not hold counters" in capsys.readouterr().err
