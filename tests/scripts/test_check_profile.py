"""The profile checker, as a process, against meters on a real port."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
import re
import sys

import pytest

from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from custom_components.carbon_meter.metering.profile_library import PACKAGED, load_profiles
from hardware.virtual import MeterSpec, VirtualHome

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_HOME_ASSISTANT = (
    "import runpy, sys; sys.modules['homeassistant'] = None; sys.argv = sys.argv[1:]; "
    "runpy.run_path(sys.argv[0], run_name='__main__')"
)

type Check = Callable[..., object]


def page_example() -> str:
    """Return the profile that docs/profiles.md ends its tutorial with."""
    page = (ROOT / "docs" / "profiles.md").read_text()
    return re.search(r"```yaml\n(id: example_em3\n.*?)```", page, re.DOTALL).group(1)


async def check(text: str, tmp_path: Path, *arguments: str) -> tuple[int, str]:
    """Run the checker on a profile; return its exit code and what it printed."""
    file = tmp_path / "checked.yaml"
    file.write_text(text)
    script = str(ROOT / "scripts" / "check_profile.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        WITHOUT_HOME_ASSISTANT,
        script,
        str(file),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


@pytest.fixture
async def served(tmp_path: Path, socket_enabled: None) -> AsyncIterator[VirtualHome]:
    """Return a home whose grid meter is the page's example, with 3 kW."""
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "em3.yaml").write_text(page_example())
    profiles = load_profiles([PACKAGED, folder]).of(ModbusProfile)
    spec = MeterSpec(profile="example_em3", initial_import=1e6)
    home = VirtualHome([spec], profiles=profiles)
    home.force("grid", 3000.0)
    async with home:
        yield home


def address(home: VirtualHome) -> str:
    return f"127.0.0.1:{home.port}"


async def test_example_reads_what_the_meter_shows(served: VirtualHome, tmp_path: Path) -> None:
    code, output = await check(page_example(), tmp_path, address(served), "1")
    assert code == 0, output
    assert "signature holding 0x0000: 0E33, proved" in output
    assert f"serial: {served['grid'].identity.serial}" in output
    # The meter counts positive what is delivered; the profile turns it round.
    assert re.search(r"power +input 0x0070 +3000\.\d+ W", output), output
    assert re.search(r"energy_import +input 0x00C8 +10000\d\d\.\d+ Wh", output), output
    assert "These values look like a meter" in output


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ("word_order: little", "word_order: big", "the other word order"),
        (r"function: input", "function: holding", "the other function"),
    ],
)
async def test_slip_of_the_pen_is_named(
    served: VirtualHome, tmp_path: Path, old: str, new: str, hint: str
) -> None:
    code, output = await check(page_example().replace(old, new), tmp_path, address(served))
    assert code in (2, 3), output
    assert f"They would with {hint}." in output


@pytest.mark.parametrize(("shift", "hint"), [(1, "lower"), (-1, "higher")])
async def test_addresses_one_off_are_named(
    served: VirtualHome, tmp_path: Path, shift: int, hint: str
) -> None:
    moved = re.sub(
        r"(- {quantity: .*address: )(\d+)",
        lambda found: f"{found[1]}{int(found[2]) + shift}",
        page_example(),
    )
    code, output = await check(moved, tmp_path, address(served))
    assert code in (2, 3), output
    assert f"They would with every address one {hint}." in output


async def test_wrong_scale_is_named(served: VirtualHome, tmp_path: Path) -> None:
    text = page_example().replace("scale: 0.1, unit: V", "unit: V")
    code, output = await check(text, tmp_path, address(served))
    assert code == 3, output
    # The voltage is around 230 V, a little more or less by the time of day.
    assert re.search(r"0\.1 times the scale gives 2[23]\d", output)


async def test_mistake_in_the_file_is_named_with_its_line(tmp_path: Path) -> None:
    code, output = await check(page_example().replace("unit: Hz", "unit: furlong"), tmp_path)
    assert code == 1
    line = page_example().split("unit: Hz")[0].count("\n") + 1
    assert f"checked.yaml:{line}: the unit 'furlong' does not fit frequency" in output


async def test_doubtful_file_is_remarked(tmp_path: Path) -> None:
    text = re.sub(r"signatures:\n.*\n", "", page_example()).replace("energy_import", "current_n")
    text = re.sub(r"rollover:\n(  .*\n)*", "", text).replace("unit: kWh", "unit: A", 1)
    code, output = await check(text.replace("id: example_em3", "id: eastron_sdm630"), tmp_path)
    assert code == 0, output
    assert "replaces the packaged profile eastron_sdm630" in output
    assert "without energy_import no energy is counted" in output
    assert "nothing proves the family" in output


async def test_dead_address_is_told(tmp_path: Path) -> None:
    code, output = await check(page_example(), tmp_path, "127.0.0.1:9")
    assert code == 2
    assert "could not be read" in output


async def test_sunspec_profile_finds_its_model(socket_enabled: None, tmp_path: Path) -> None:
    text = (PACKAGED / "modbus" / "sunspec_meter_integer.yaml").read_text()
    async with VirtualHome.constant(2000, [MeterSpec(profile="sunspec_meter_integer")]) as home:
        code, output = await check(text, tmp_path, address(home))
    assert code == 0, output
    assert re.search(r"power +holding 0x[0-9A-F]{4} +2000\.000 W", output), output


async def test_profile_of_another_protocol_is_only_checked(tmp_path: Path) -> None:
    text = (PACKAGED / "speedwire" / "sma_energy_meter.yaml").read_text()
    code, output = await check(text, tmp_path, "127.0.0.1:9")
    assert code == 2
    assert "no mistakes" in output
    assert "adding it in Home Assistant" in output
