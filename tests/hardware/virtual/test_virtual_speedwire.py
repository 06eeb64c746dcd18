"""The virtual SMA meter: over real multicast, what it measures is what is heard."""

import asyncio
import socket

import pytest

from custom_components.carbon_meter.metering.plausibility import is_plausible
from custom_components.carbon_meter.metering.profile_library import load_profiles
from custom_components.carbon_meter.metering.readings import Reading
from custom_components.carbon_meter.metering.speedwire.listener import SpeedwireListener
from custom_components.carbon_meter.metering.speedwire.meter import SpeedwireMeter
from custom_components.carbon_meter.metering.speedwire.profile import SpeedwireProfile
from custom_components.carbon_meter.metering.speedwire.telegram import parse_telegram
from hardware.virtual import MeterSpec, VirtualClock, VirtualHome
from hardware.virtual.speedwire import SpeedwireSpec, VirtualSpeedwireMeter

PROFILE = load_profiles().of(SpeedwireProfile)["sma_energy_meter"]


@pytest.fixture
def home(clock: VirtualClock) -> VirtualHome:
    home = VirtualHome(
        [MeterSpec(profile="eastron_sdm630", initial_import=5e6, initial_export=7e6)], clock=clock
    )
    clock.step(3600)
    return home


@pytest.fixture
def port(socket_enabled: None) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("watts", [4321.0, -4321.0, 0.0, [1500.0, -2000.0, 10.0]])
def test_what_it_measures_is_what_is_read(home, watts) -> None:
    home.force("grid", watts)
    true = home["grid"].true_values()
    meter = VirtualSpeedwireMeter(home["grid"].true_values, PROFILE)

    message = parse_telegram(meter.telegram(), 0.0)
    reading = PROFILE.decode(message)

    assert reading.values == meter.shown_values()
    assert set(reading.values) == set(PROFILE.quantities)
    for key, value in reading.values.items():
        exact = abs(true[key]) if key.startswith(("power_factor", "current")) else true[key]
        assert value == pytest.approx(exact, abs=0.051, rel=1e-6), key
    assert is_plausible(reading.values, 3)
    assert message.firmware == "2.3.4.R"


def test_an_early_model_sends_no_frequency_and_may_not_know_all(home) -> None:
    spec = SpeedwireSpec(
        susy_id=270,
        serial=7,
        missing=frozenset({"frequency"}),
        unavailable=frozenset({"power", "voltage_l2", "energy_export_l1"}),
    )
    meter = VirtualSpeedwireMeter(home["grid"].true_values, PROFILE, spec)

    message = parse_telegram(meter.telegram(), 0.0)

    assert (message.susy_id, message.serial) == (270, 7)
    assert PROFILE.decode(message).values == meter.shown_values()
    assert set(PROFILE.quantities) - set(meter.shown_values()) == {
        *("frequency", "power", "voltage_l2", "energy_export_l1")
    }


async def test_it_is_heard_over_multicast(home, port) -> None:
    """Until it stops; what else it is told to send is sent too."""
    listener = SpeedwireListener(["127.0.0.1"], lambda: 1000.0, port=port)
    await listener.open()
    heard: asyncio.Queue[Reading] = asyncio.Queue()
    SpeedwireMeter(PROFILE, 1_900_000_001, listener, susy_id=349).listen(heard.put_nowait)
    ticks = iter(range(1, 1000))
    meter = VirtualSpeedwireMeter(
        home["grid"].true_values,
        PROFILE,
        SpeedwireSpec(port=port),
        ticks=lambda: float(next(ticks)),
    )
    try:
        async with asyncio.timeout(20), meter:
            first = await heard.get()
            meter.send(b"humbug")
            second = await heard.get()
    finally:
        await listener.close()

    assert first == second
    assert first.values == meter.shown_values()
    assert first.time == 1000.0


def test_its_ticker_starts_again_from_zero() -> None:
    meter = VirtualSpeedwireMeter(dict, PROFILE, ticks=lambda: 2**32 / 1000 + 1)

    assert parse_telegram(meter.telegram(), 0.0).ticker == 1000
