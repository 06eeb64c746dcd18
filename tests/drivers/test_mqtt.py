"""Meters that publish, through Home Assistant's own client and a real mosquitto."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
import json
from pathlib import Path

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.carbon_meter.drivers import mqtt as driver
from custom_components.carbon_meter.metering.json.profile import JsonProfile
from custom_components.carbon_meter.metering.profile_library import load_profiles
from hardware.virtual import Household, VirtualClock
from hardware.virtual.web import WebDevice, WebMeterSpec
from hardware.virtual.web.publisher import Publisher
from tests.drivers.steps import (
    LOOPBACK,
    announced,
    asked,
    confirmed,
    issues,
    meters,
    models,
    site_with,
    sites,
    state,
    unloaded,
    until,
)
from tests.metering.json.broker import mosquitto, needs_mosquitto

pytestmark = needs_mosquitto

PROFILES = load_profiles().of(JsonProfile)
SHELLY = {"driver": "mqtt", "profile": "shelly_gen2"}

type Say = Callable[[WebDevice], Awaitable[None]]


@pytest.fixture
def expected_lingering_timers() -> bool:
    """Let the MQTT integration keep the timer that it keeps in a test."""
    return True


@pytest.fixture
def broker(socket_enabled: None, tmp_path: Path) -> Iterator[int]:
    with mosquitto(tmp_path) as port:
        yield port


@pytest.fixture
async def home_broker(
    broker: int, mock_hass_config: None, real_time: HomeAssistant
) -> AsyncIterator[MockConfigEntry]:
    """Return Home Assistant's connection to the broker."""
    entry = MockConfigEntry(
        domain="mqtt",
        data={"broker": LOOPBACK, "port": broker, "protocol": "5"},
        version=1,
        minor_version=2,
    )
    entry.add_to_hass(real_time)
    assert await real_time.config_entries.async_setup(entry.entry_id)
    await real_time.async_block_till_done(wait_background_tasks=False)
    yield entry
    await unloaded(real_time)
    if entry.state is ConfigEntryState.LOADED:
        await real_time.config_entries.async_unload(entry.entry_id)


@pytest.fixture
def say(broker: int) -> Say:
    """Return what publishes all that a device says now."""

    def publish(device: WebDevice) -> None:
        with Publisher(LOOPBACK, broker) as publisher:
            publisher.publish(device)

    async def publishing(device: WebDevice) -> None:
        await asyncio.to_thread(publish, device)

    return publishing


def device(prefix: str = "shellypro3em-1", energy: float = 5e6) -> WebDevice:
    clock = VirtualClock()
    household = Household.constant(2400, clock.now() - 3600)
    spec = WebMeterSpec(settings={"prefix": prefix}, initial_import=energy)
    return WebDevice(PROFILES["shelly_gen2"], [spec], household, clock)


async def saying(say: Say, *devices: WebDevice) -> None:
    """Let devices publish for ever, as real ones do."""
    while True:
        for one in devices:
            await say(one)
        await asyncio.sleep(0.2)


@pytest.fixture
async def two(say: Say) -> AsyncIterator[tuple[WebDevice, WebDevice]]:
    """Return two devices that publish while the test lasts."""
    both = device(), device("shellypro3em-2", 9e6)
    task = asyncio.create_task(saying(say, *both))
    yield both
    task.cancel()


async def test_meters_announce_themselves_and_are_heard(
    real_time: HomeAssistant, home_broker: MockConfigEntry, two: tuple[WebDevice, WebDevice]
) -> None:
    form = await announced(real_time, "mqtt", 2)
    first, second = sorted(models(form))
    await confirmed(real_time, form, name="Grid", model=first, interval=10)
    form = await announced(real_time, "mqtt", 2)
    assert (await confirmed(real_time, form, name="Again", model=first))["reason"] == (
        "already_configured"
    )
    form = await announced(real_time, "mqtt", 2)
    await confirmed(real_time, form, name="Shed", model=second, role="submeter", interval=10)
    both = meters(real_time)
    prefixes = [both[name].subentry.data["instance"]["prefix"] for name in ("Grid", "Shed")]
    assert prefixes == ["shellypro3em-1", "shellypro3em-2"]
    await until(lambda: all(one.data and "power" in one.data.values for one in both.values()))
    await until(lambda: all("energy_import" in one.data.values for one in both.values()))
    energies = [both[name].data.values["energy_import"] for name in ("Grid", "Shed")]
    assert energies == pytest.approx([5_002_400, 9_002_400], abs=100)
    (entry,) = sites(real_time)
    data = dict(next(iter(entry.subentries.values())).data)
    assert "listen" not in data
    assert (data["driver"], data["profile"]) == ("mqtt", "shelly_gen2")


async def test_silence_is_told_once_and_the_return_too(
    real_time: HomeAssistant,
    home_broker: MockConfigEntry,
    say: Say,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("custom_components.carbon_meter.drivers.speaking._SHORTEST_SILENCE", 2.0)
    monkeypatch.setattr(driver, "_SILENCES", 0.2)
    talker = device()
    talking = asyncio.create_task(saying(say, talker))
    entry = site_with({"name": "Grid", **SHELLY, "instance": {"prefix": "shellypro3em-1"}})
    entry.add_to_hass(real_time)
    assert await real_time.config_entries.async_setup(entry.entry_id)
    await real_time.async_block_till_done(wait_background_tasks=False)
    grid = meters(real_time)["Grid"]
    for times in (1, 2):
        await until(lambda: state(real_time, grid, "power") not in ("unavailable", "unknown"))
        talking.cancel()
        await until(lambda: not grid.last_update_success)
        # Twice as long as its patience.
        await asyncio.sleep(4)
        assert state(real_time, grid, "power") == "unavailable"
        assert state(real_time, grid, "carbon_total") != "unavailable"
        assert caplog.text.count("Error requesting Grid data") == times
        talking = asyncio.create_task(saying(say, talker))
        await until(lambda: grid.last_update_success)
        assert caplog.text.count("Fetching Grid data recovered") == times
    talking.cancel()


async def test_garbage_on_a_topic_changes_nothing(
    real_time: HomeAssistant,
    home_broker: MockConfigEntry,
    two: tuple[WebDevice, WebDevice],
    broker: int,
) -> None:
    entry = site_with({"name": "Grid", **SHELLY, "instance": {"prefix": "shellypro3em-1"}})
    entry.add_to_hass(real_time)
    assert await real_time.config_entries.async_setup(entry.entry_id)
    await real_time.async_block_till_done(wait_background_tasks=False)
    grid = meters(real_time)["Grid"]
    await until(lambda: "energy_import" in grid.data.values)

    def disturb() -> None:
        with Publisher(LOOPBACK, broker) as publisher:
            for payload in (
                b"\xff\xfe",
                b"",
                b"null",
                b"[]",
                b"{",
                b'{"total_act_power": NaN}',
                b'{"total_act_power": {"deep": []}}',
                json.dumps({"total_act_power": "x" * 10_000}).encode(),
                b"9" * 5000,
            ):
                publisher.say("shellypro3em-1/status/em:0", payload)

    await asyncio.to_thread(disturb)
    before = grid.data
    await until(lambda: grid.data is not before)
    await until(lambda: "power" in grid.data.values)
    assert grid.data.values["power"] == pytest.approx(2400, rel=0.01)
    assert not grid.account.incidents


async def test_broker_without_meters_is_told(
    real_time: HomeAssistant, home_broker: MockConfigEntry
) -> None:
    form = await asked(real_time, "mqtt", {"listen": 1})
    assert form["errors"] == {"base": "nothing_heard"}
    assert "+/events/rpc" in form["description_placeholders"]["detail"]


async def test_home_without_a_broker_is_told(real_time: HomeAssistant) -> None:
    form = await asked(real_time, "mqtt", {"listen": 1})
    assert form["errors"] == {"base": "no_broker"}
    entry = site_with({"name": "Grid", **SHELLY, "instance": {"prefix": "shellypro3em-1"}})
    entry.add_to_hass(real_time)
    await real_time.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert "not connected to an MQTT broker" in (entry.reason or "")
    assert issues(real_time) == set()
    await unloaded(real_time)


async def test_wildcard_as_a_setting_is_refused(
    real_time: HomeAssistant, home_broker: MockConfigEntry
) -> None:
    entry = site_with({"name": "Grid", **SHELLY, "instance": {"prefix": "+"}})
    entry.add_to_hass(real_time)
    await real_time.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert "wildcard" in (entry.reason or "")


async def test_meter_goes_on_after_the_broker_was_set_up_anew(
    real_time: HomeAssistant, home_broker: MockConfigEntry, two: tuple[WebDevice, WebDevice]
) -> None:
    entry = site_with({"name": "Grid", **SHELLY, "instance": {"prefix": "shellypro3em-1"}})
    entry.add_to_hass(real_time)
    assert await real_time.config_entries.async_setup(entry.entry_id)
    await real_time.async_block_till_done(wait_background_tasks=False)
    grid = meters(real_time)["Grid"]
    assert await real_time.config_entries.async_unload(home_broker.entry_id)
    assert await real_time.config_entries.async_setup(home_broker.entry_id)
    before = grid.data
    await until(lambda: grid.data is not before)
    await until(lambda: grid.data is not before and grid.last_update_success)


async def test_site_is_taken_down_after_its_broker(
    real_time: HomeAssistant, home_broker: MockConfigEntry, two: tuple[WebDevice, WebDevice]
) -> None:
    entry = site_with({"name": "Grid", **SHELLY, "instance": {"prefix": "shellypro3em-1"}})
    entry.add_to_hass(real_time)
    assert await real_time.config_entries.async_setup(entry.entry_id)
    await real_time.async_block_till_done(wait_background_tasks=False)
    assert await real_time.config_entries.async_unload(home_broker.entry_id)
    assert await real_time.config_entries.async_unload(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED
