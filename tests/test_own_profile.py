"""A meter that nobody knew, by profiles written after docs/profiles.md, in Home Assistant."""

from pathlib import Path
import re

from homeassistant.config_entries import SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.libraries import async_get_libraries
from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from custom_components.carbon_meter.metering.profile_library import load_profiles
from hardware.virtual import MeterSpec, VirtualClock, VirtualHome
from tests.common import LOOPBACK

PAGE = Path(__file__).resolve().parents[1] / "docs" / "profiles.md"

NASTY = """\
id: nasty
vendor: Nasty
name: N9
models: [N9A, N9B]
phases: 3
protocol: modbus
function: holding
type: s32
word_order: little
max_registers: 12
message_spacing: 0.01
not_available:
  s32: [0x80000000]
  u16: [0xFFFF]
signatures:
  - address: 49999
    length: 12
    start: 2
    text: [nasty industries]
    swapped: true
    beside: {address: 60000, codes: [9]}
identity:
  model: {address: 60001, type: u16, names: {1: N9A, 2: N9B}}
  serial: {address: 50100, type: swapped_text, length: 8}
registers:
  - {quantity: voltage_l1, address: 40000, type: u16, scale: 0.1, unit: V}
  - {quantity: voltage_l2, address: 40001, type: u16, scale: 0.1, unit: V}
  - {quantity: voltage_l3, address: 40002, type: u16, scale: 0.1, unit: V}
  - {quantity: current_l1, address: 40010, unit: mA}
  - {quantity: current_l2, address: 40012, unit: mA}
  - {quantity: current_l3, address: 40014, unit: mA}
  - {quantity: power, address: 40100, scale: -1, unit: W, alone: true}
  - {quantity: power_l1, address: 40104, word_order: big, type: f32, unit: kW}
  - {quantity: frequency, function: input, address: 0, type: u16, scale: 0.01, unit: Hz}
  - {quantity: energy_import, address: 65528, type: u64, scale: 0.1, unit: Wh}
  - quantity: energy_export
    address: 65532
    type: u64
    scale: 0.1
    unit: Wh
    not_available: [0xFFFFFFFFFFFFFFFF]
rollover: {energy_import: 1e12}
sources: {manual: "made up after docs/profiles.md"}
"""


def page_example() -> str:
    return re.search(r"```yaml\n(id: example_em3\n.*?)```", PAGE.read_text(), re.DOTALL).group(1)


def put(folder: Path, text: str) -> ModbusProfile:
    """Write a profile file; return what it describes."""
    folder.mkdir(parents=True)
    (folder / "own.yml").write_text(text)
    (profile,) = load_profiles([folder]).of(ModbusProfile).values()
    return profile


@pytest.mark.parametrize("text", [page_example(), NASTY], ids=["example", "nasty"])
async def test_own_meter_is_found_and_read(
    real_time: HomeAssistant, tmp_path: Path, text: str
) -> None:
    real_time.config.config_dir = str(tmp_path)
    profile = put(Path(real_time.config.path(DOMAIN, "profiles", "mine")), text)
    libraries = await async_get_libraries(real_time)
    assert libraries.profiles.problems == ()

    clock = VirtualClock()
    spec = MeterSpec(profile=profile.id, initial_import=2e6)
    home = VirtualHome([spec], profiles={profile.id: profile}, clock=clock)
    home.force("grid", 2500.0)
    async with home:
        flow = real_time.config_entries.flow
        result = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
        result = await flow.async_configure(result["flow_id"], {"next_step_id": "address"})
        where = {"host": LOOPBACK, "port": home.port, "unit": 1}
        result = await flow.async_configure(result["flow_id"], where)
        assert result["errors"] == {}, result["description_placeholders"]
        assert result["step_id"] == "confirm"  # proved, not merely likely
        result = await flow.async_configure(result["flow_id"], {"site": "Home", "name": "Own"})
        await real_time.async_block_till_done(wait_background_tasks=True)
        assert result["type"] is FlowResultType.CREATE_ENTRY
        entry = result["result"]
        assert entry.state is ConfigEntryState.LOADED
        (meter,) = entry.runtime_data.meters.values()
        assert meter.profile.id == profile.id
        shown = home["grid"].shown_values(clock.now())
        read = meter.data.values
        assert set(read) == set(profile.quantities)
        assert read["power"] == pytest.approx(2500, abs=1)
        assert read["voltage_l1"] == pytest.approx(shown["voltage_l1"], rel=0.02)
        assert read["energy_import"] == pytest.approx(shown["energy_import"], abs=20)
        assert not meter.data.faults
        await real_time.config_entries.async_unload(entry.entry_id)
        await real_time.async_block_till_done(wait_background_tasks=True)
