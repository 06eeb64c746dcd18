"""What a hostile reader tried: devices and moments that nobody plans for."""

from datetime import UTC, datetime
from pathlib import Path
import struct

from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from modbus_connection.exceptions import ModbusTimeoutError
import pytest

from custom_components.carbon_meter import record
from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.diagnostics import async_get_config_entry_diagnostics
from custom_components.carbon_meter.metering.counters import Counter
from custom_components.carbon_meter.metering.errors import MeterSilentError
from custom_components.carbon_meter.metering.modbus.identification import identify
from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from custom_components.carbon_meter.metering.profile_library import load_profiles
from hardware.virtual import CapturedDevice, MeterSpec
from hardware.virtual.faults import Freeze, Spike
from hardware.virtual.server import ModbusPort
from tests.common import SiteUnderTest

IEM = [MeterSpec(profile="schneider_iem3000", initial_import=5e6)]


def text(value: str, words: int) -> list[int]:
    return list(struct.unpack(f">{words}H", value.encode().ljust(2 * words, b"\0")))


def f32(value: float) -> list[int]:
    return list(struct.unpack(">2H", struct.pack(">f", value)))


def common(maker: str, model: str, serial: str) -> list[int]:
    words = text(maker, 16) + text(model, 16) + text("", 8) + text("1", 8) + text(serial, 16)
    return [1, 65, *words, 1]


def model_203(watts: int, exported: int, imported: int) -> list[int]:
    words = [203, 105, *([0x8000] * 36), *([0] * 69)]
    words[8], words[15], words[16], words[17] = 2300, 0xFFFF, 500, 0xFFFF
    words[18], words[22] = watts & 0xFFFF, 0
    words[38:40] = [exported >> 16, exported & 0xFFFF]
    words[46:48] = [imported >> 16, imported & 0xFFFF]
    words[54] = 0
    return words


def solaredge(*meters: list[int]) -> CapturedDevice:
    words = [0x5375, 0x6E53, *common("SolarEdge ", "SE10K", "7E1"), 103, 50, *([0x8000] * 50)]
    for meter in meters:
        words += common("SolarEdge", "SE-RGMTR-1D-240C-A", "0") + meter
    return CapturedDevice(1, holding={40000: [*words, 0xFFFF, 0]})


def sdm630() -> dict[int, list[int]]:
    words = [0] * 0x16C
    for index in range(3):
        for address, value in ((0, 230.0), (6, 1.0), (12, 100.0)):
            words[address + 2 * index : address + 2 * index + 2] = f32(value)
    for address, value in ((0x34, 300.0), (0x46, 50.0), (0x48, 1234.0)):
        words[address : address + 2] = f32(value)
    return {0: words}


async def add(hass: HomeAssistant, port: int, pick: int = 0, **fields: str):
    flows = hass.config_entries.flow
    form = await flows.async_init(DOMAIN, context={"source": SOURCE_USER})
    form = await flows.async_configure(form["flow_id"], {"next_step_id": "address"})
    address = {"host": "127.0.0.1", "port": port, "unit": 1}
    form = await flows.async_configure(form["flow_id"], address)
    schema = form["data_schema"].schema
    models = schema[next(key for key in schema if str(key) == "model")].config["options"]
    fields.setdefault("model", models[pick]["value"])
    result = await flows.async_configure(form["flow_id"], fields)
    await hass.async_block_till_done(wait_background_tasks=True)
    return result


@pytest.fixture
async def served(real_time: HomeAssistant):
    ports: list[ModbusPort] = []

    async def serve(device: CapturedDevice) -> int:
        ports.append(ModbusPort([device]))
        await ports[-1].open()
        return ports[-1].port

    yield serve
    await real_time.async_block_till_done(wait_background_tasks=True)
    for entry in real_time.config_entries.async_entries(DOMAIN):
        await real_time.config_entries.async_unload(entry.entry_id)
    await real_time.async_block_till_done(wait_background_tasks=True)
    for port in ports:
        await port.close()


async def test_solaredge_import_is_what_was_drawn_from_the_grid(real_time, served) -> None:
    port = await served(solaredge(model_203(-2500, exported=1_000, imported=500_000)))
    entry = (await add(real_time, port, site="Home", name="Grid"))["result"]
    (meter,) = entry.runtime_data.meters.values()
    # evcc (templates/definition/meter/solaredge-inverter.yaml): power x -1, import = TotWhImp.
    assert meter.data.values["power"] == 2500
    assert meter.data.values["energy_import"] == 500_000
    assert meter.data.values["energy_export"] == 1_000


async def test_two_meters_with_the_serial_number_zero(real_time, served) -> None:
    port = await served(solaredge(model_203(-2500, 1, 2), model_203(900, 3, 4)))
    entry = (await add(real_time, port, site="Home", name="A"))["result"]
    result = await add(real_time, port, pick=1, site=entry.entry_id, name="B")
    assert result["reason"] == "meter_added"


async def test_model_chosen_by_hand_can_be_reconfigured(real_time, served) -> None:
    port = await served(CapturedDevice(1, holding={0xFC00: [1, 2, 0x70]}, input_registers=sdm630()))
    result = await add(real_time, port, site="Home", name="A", model="eastron_sdm72_v2")
    entry = result["result"]
    (subentry,) = entry.subentries.values()
    flows = real_time.config_entries.subentries
    form = await flows.async_init(
        (entry.entry_id, "meter"),
        context={"source": SOURCE_RECONFIGURE, "subentry_id": subentry.subentry_id},
    )
    settings = {"name": "New", "role": "grid", "inverted": False, "interval": 20}
    address = {"host": "127.0.0.1", "port": port, "unit": 1}
    result = await flows.async_configure(form["flow_id"], {**address, **settings})
    assert result.get("errors") is None, result["errors"]


async def test_same_meter_is_not_added_twice_by_another_model(real_time, served) -> None:
    port = await served(CapturedDevice(1, holding={0xFC00: [1, 2, 0x70]}, input_registers=sdm630()))
    result = await add(real_time, port, site="Home", name="A", model="eastron_sdm72_v2")
    result = await add(real_time, port, site=result["result"].entry_id, name="B")
    assert result["reason"] == "already_configured"


async def test_broken_profile_of_one_meter_leaves_the_others(
    site: SiteUnderTest, tmp_path: Path
) -> None:
    site.hass.config.config_dir = str(tmp_path)
    own = tmp_path / "carbon_meter" / "profiles"
    own.mkdir(parents=True)
    (own / "mine.yaml").write_text("id: mine\nvendor: [\n")
    specs = [*IEM, MeterSpec(profile="eastron_sdm120", node="heat_pump", unit=2)]
    await site.open(specs, watts=None, meters={"heat_pump": {"profile": "mine"}})
    assert site.entry.state is ConfigEntryState.LOADED


async def test_diagnostics_of_a_site_that_does_not_load(site: SiteUnderTest) -> None:
    await site.open(meters={"grid": {"profile": "gone"}})
    assert await async_get_config_entry_diagnostics(site.hass, site.entry)


async def test_spike_does_not_reach_the_energy_sensor(site: SiteUnderTest) -> None:
    await site.open(IEM, watts=3600.0)
    await site.advance(60)
    site.home["grid"].apply(Spike(quantity="energy_import", value=9e9))
    shown = []
    for _ in range(4):
        await site.advance(10)
        state = site.hass.states.get(site.entity_id("energy_import")).state
        shown.append(float(state) if state[0].isdigit() else 0.0)
    # Home Assistant's own statistics would count 9 000 000 kWh.
    assert max(shown) < 5_001


async def test_intensity_is_recorded_again_after_a_clock_that_was_ahead(
    site: SiteUnderTest, monkeypatch
) -> None:
    written: list[tuple[str, list[datetime]]] = []
    monkeypatch.setattr(
        record,
        "async_add_external_statistics",
        lambda _hass, meta, rows: written.append(
            (meta["statistic_id"], [row["start"] for row in rows])
        ),
    )
    site.start_at(datetime(2031, 1, 15, 10, tzinfo=UTC))
    await site.open(IEM, watts=3600.0, meters={"grid": {"interval": 60}})
    site.hass.config.components.add("recorder")
    await site.advance(3700, step=60)
    site.freezer.move_to(datetime(2027, 1, 15, 10, tzinfo=UTC))
    site.clock.step(10)
    written.clear()
    for _ in range(6):
        await site.unload()
        await site.load()
        await site.advance(1800, step=60)
    assert [one for one in written if one[0].endswith("_intensity")]


async def test_coverage_is_not_written_with_every_poll(site: SiteUnderTest) -> None:
    await site.open(IEM, watts=3600.0)
    await site.advance(60)
    site.home["grid"].apply(Freeze())
    await site.advance(400)
    site.home["grid"].clear()
    await site.advance(60)
    changes = []

    @callback
    def count(event) -> None:
        if event.data["entity_id"] == site.entity_id("coverage"):
            changes.append(event)

    site.hass.bus.async_listen("state_changed", count)
    await site.advance(600)
    # It rises by whole per cents, after a gap that was most of the day so far.
    assert len(changes) <= 45  # of 60 polls


async def test_replaced_counter_after_a_gap_books_no_invented_energy() -> None:
    counter = Counter(max_power=30_000)  # 100 A at 230 V, and some
    counter.step(5e6, 0, since_last=0)
    steps = [counter.step(120_000, 1200 + 10 * n, since_last=10) for n in range(4)]
    assert sum(step.energy for step in steps) < 23_000 * 1240 / 3600


async def test_meter_that_is_silent_about_foreign_registers_is_found() -> None:
    class Eastron:
        async def read_input_registers(self, address: int, count: int) -> list[int]:
            words = sdm630()[0]
            if address + count > len(words):
                raise ModbusTimeoutError("no answer")
            return words[address : address + count]

        async def read_holding_registers(self, address: int, count: int) -> list[int]:
            if address < 0xFC00:
                raise ModbusTimeoutError("no answer")
            return [1, 2, 0x70][address - 0xFC00 :][:count]

    try:
        found = await identify(Eastron(), load_profiles().of(ModbusProfile).values())
    except MeterSilentError as err:
        pytest.fail(f"a real meter is told to be silent: {err}")
    assert found.candidates[0].profile.id == "eastron_sdm630"


async def test_proved_family_with_impossible_values_is_not_certain() -> None:
    words = sdm630()[0]
    swapped = [word for pair in zip(words[1::2], words[::2], strict=True) for word in pair]

    class Swapped:
        async def read_input_registers(self, address: int, count: int) -> list[int]:
            return (swapped + [0] * 70000)[address : address + count]

        async def read_holding_registers(self, address: int, count: int) -> list[int]:
            return ([0] * 0xFC00 + [1, 2, 0x70] + [0] * 1500)[address : address + count]

    found = await identify(Swapped(), load_profiles().of(ModbusProfile).values())
    assert not any(candidate.certain for candidate in found.candidates)
