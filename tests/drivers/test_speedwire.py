"""SMA meters, heard over real multicast on the loopback."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
import socket

from homeassistant.core import HomeAssistant
import pytest

from custom_components.carbon_meter.drivers import speedwire
from custom_components.carbon_meter.drivers.speedwire import SpeedwireDriver
from custom_components.carbon_meter.libraries import async_get_libraries
from custom_components.carbon_meter.metering.profile_library import load_profiles
from custom_components.carbon_meter.metering.speedwire.listener import SpeedwireListener
from custom_components.carbon_meter.metering.speedwire.profile import SpeedwireProfile
from hardware.virtual import MeterSpec, VirtualClock, VirtualHome
from hardware.virtual.speedwire import SpeedwireSpec, VirtualSpeedwireMeter
from tests.common import SiteUnderTest
from tests.drivers.steps import (
    LOOPBACK,
    announced,
    asked,
    confirmed,
    meters,
    models,
    site_with,
    sites,
    state,
    unloaded,
    until,
)

PROFILE = load_profiles().of(SpeedwireProfile)["sma_energy_meter"]
GRID, SHED = 1_900_000_001, 1_900_000_002

type Meter = Callable[[int], VirtualSpeedwireMeter]


@pytest.fixture
def port(socket_enabled: None) -> int:
    """Return a port of this test's own: what others send into the group is not heard."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(autouse=True)
def on_the_loopback(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    """Let Home Assistant have no other network."""
    adapter = {"enabled": True, "ipv4": [{"address": LOOPBACK, "network_prefix": 8}]}

    async def adapters(_hass: HomeAssistant) -> list[object]:
        return [adapter, {"enabled": False, "ipv4": [{"address": "192.0.2.1"}]}]

    monkeypatch.setattr(speedwire.network, "async_get_adapters", adapters)
    monkeypatch.setattr(speedwire, "SpeedwireListener", partial(SpeedwireListener, port=port))


@pytest.fixture
def meter(port: int) -> Iterator[Meter]:
    """Return what makes a meter of a serial number that sends when it is told to."""
    with ExitStack() as stack:
        clock = VirtualClock()
        home = VirtualHome.constant(3000, [MeterSpec(profile="eastron_sdm630")], clock=clock)

        def build(serial: int) -> VirtualSpeedwireMeter:
            spec = SpeedwireSpec(serial=serial, port=port)
            built = VirtualSpeedwireMeter(home["grid"].true_values, PROFILE, spec)
            stack.callback(built.close)
            return built

        yield build


def kept(name: str, serial: int, **more: object) -> dict[str, object]:
    return {
        "name": name,
        "driver": "speedwire",
        "profile": "sma_energy_meter",
        "susy_id": 349,
        "serial": str(serial),
        "interval": 1,
        **more,
    }


async def driver(hass: HomeAssistant) -> SpeedwireDriver:
    found = (await async_get_libraries(hass)).drivers["speedwire"]
    assert isinstance(found, SpeedwireDriver)
    return found


async def test_two_meters_are_found_and_heard(real_time: HomeAssistant, meter: Meter) -> None:
    async with meter(GRID), meter(SHED):
        form = await announced(real_time, "speedwire", 2)
        first, second = models(form)
        await confirmed(real_time, form, name="Grid", model=first, interval=1)
        form = await announced(real_time, "speedwire", 2)
        result = await confirmed(real_time, form, name="Again", model=first)
        assert result["reason"] == "already_configured"
        form = await announced(real_time, "speedwire", 2)
        await confirmed(real_time, form, name="Shed", model=second, role="submeter", interval=1)
        both = meters(real_time)
        assert {one.subentry.data["serial"] for one in both.values()} == {str(GRID), str(SHED)}
        for one in both.values():
            assert float(state(real_time, one, "power")) == pytest.approx(3000, rel=0.01)
        heard = {name: one.data.time for name, one in both.items()}
        await until(lambda: all(one.data.time > heard[name] for name, one in both.items()))
        (entry,) = sites(real_time)
        (subentry, _) = entry.subentries.values()
        assert dict(subentry.data) == {
            "driver": "speedwire",
            "susy_id": 349,
            "serial": str(GRID),
            "profile": "sma_energy_meter",
            "manufacturer": "SMA",
            "model": "EMETER-20 v2",
            "role": "grid",
            "inverted": False,
            "power_inverted": False,
            "interval": 1,
            "write_interval": 10,
        }
        await unloaded(real_time)


async def test_one_socket_for_all_is_closed_with_the_last(
    real_time: HomeAssistant, meter: Meter
) -> None:
    async with meter(GRID), meter(SHED):
        entry = site_with(kept("Grid", GRID), kept("Shed", SHED, role="submeter"))
        entry.add_to_hass(real_time)
        await real_time.config_entries.async_setup(entry.entry_id)
        await real_time.async_block_till_done(wait_background_tasks=False)
        listening = await driver(real_time)
        await until(lambda: listening._users == 2)
        listener = listening._listener
        assert listener is not None
        assert listener.joined == (LOOPBACK,)
        shed = meters(real_time)["Shed"].subentry.subentry_id
        real_time.config_entries.async_remove_subentry(entry, shed)
        await real_time.async_block_till_done(wait_background_tasks=False)
        await until(lambda: set(meters(real_time)) == {"Grid"})
        await until(lambda: listening._users == 1)
        await unloaded(real_time)
        assert listening._listener is None
        assert listener.joined == ()


async def test_network_without_meters_is_told(real_time: HomeAssistant) -> None:
    form = await asked(real_time, "speedwire", {"listen": 1})
    assert form["errors"] == {"base": "nothing_heard"}
    assert form["description_placeholders"]["detail"] == LOOPBACK
    assert (await driver(real_time))._listener is None


async def test_network_that_cannot_be_joined_is_told(
    real_time: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(_hass: HomeAssistant) -> list[object]:
        return []

    monkeypatch.setattr(speedwire.network, "async_get_adapters", nothing)
    form = await asked(real_time, "speedwire", {"listen": 1})
    assert form["errors"] == {"base": "cannot_listen"}


async def test_silence_is_told_once_and_the_return_too(
    site: SiteUnderTest, meter: Meter, caplog: pytest.LogCaptureFixture
) -> None:
    hass = site.hass
    speaks, shed = meter(GRID), meter(SHED)
    # Before the site is there nobody listens: the first word is waited for.
    entry = site_with(kept("Grid", GRID), kept("Shed", SHED, role="submeter"))
    entry.add_to_hass(hass)
    setup = hass.async_create_task(hass.config_entries.async_setup(entry.entry_id))
    listening = await driver(hass)
    await until(lambda: listening._users == 2, pause=0)
    speaks.send()
    shed.send()
    assert await setup
    site.entry = entry

    async def say(*speakers: VirtualSpeedwireMeter) -> None:
        """Send a telegram and wait until it is booked."""
        for speaker in speakers:
            number = str(speaker.spec.serial)
            one = next(
                one
                for one in entry.runtime_data.meters.values()
                if str(one.subentry.data["serial"]) == number
            )
            before = one.data
            speaker.send()
            await until(lambda one=one, before=before: one.data is not before, pause=0)

    grid, other = (meters(hass)[name] for name in ("Grid", "Shed"))
    await until(lambda: grid.last_update_success and other.last_update_success, pause=0)
    assert state(hass, grid, "power") != "unavailable"
    for _ in range(3):
        for _ in range(4):
            await site.advance(10)
            await say(shed)
        assert state(hass, grid, "power") == "unavailable"
        assert state(hass, grid, "carbon_total") != "unavailable"
        assert state(hass, other, "power") != "unavailable"
        await site.advance(1)
        await say(speaks, shed)
        assert state(hass, grid, "power") != "unavailable"
    assert caplog.text.count("Error requesting Grid data") == 3
    assert caplog.text.count("Fetching Grid data recovered") == 3
    assert "Error requesting Shed data" not in caplog.text
