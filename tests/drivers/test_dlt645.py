"""DL/T 645 meters behind a gateway, from the flow to their entities, on a real TCP port."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from itertools import pairwise

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest

from custom_components.carbon_meter.drivers import dlt645
from custom_components.carbon_meter.drivers.dlt645 import Dlt645Driver
from custom_components.carbon_meter.libraries import async_get_libraries
from custom_components.carbon_meter.metering.dlt645.frames import Frame
from custom_components.carbon_meter.metering.dlt645.line import Dlt645Line
from custom_components.carbon_meter.metering.dlt645.profile import Dlt645Profile
from custom_components.carbon_meter.metering.profile_library import load_profiles
from hardware.virtual.dlt645 import Dlt645Gateway, Dlt645Spec, LineFault, VirtualDlt645Meter
from tests.drivers.steps import (
    LOOPBACK,
    asked,
    confirmed,
    meters,
    site_with,
    sites,
    state,
    unloaded,
    until,
)
from tests.metering.dlt645.house import measured

PROFILES = load_profiles().of(Dlt645Profile)
THREE, ONE = "dlt645_three_phase", "dlt645_single_phase"
GRID, SHED = "112233445566", "112233445577"


class Sleeper(VirtualDlt645Meter):
    """A meter that can fall asleep while the others on its line go on."""

    asleep = False

    def answer(self, question: Frame) -> bytes | None:
        return None if self.asleep else super().answer(question)


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    line = partial(Dlt645Line, patience=0.2, settling=0.02)
    monkeypatch.setattr(dlt645, "Dlt645Line", line)


@pytest.fixture
async def gateway(real_time: HomeAssistant) -> AsyncIterator[Dlt645Gateway]:
    """Return a gateway with two meters; the sites are taken down before it."""
    specs = [
        Dlt645Spec(address=GRID, profile=PROFILES[THREE]),
        Dlt645Spec(address=SHED, profile=PROFILES[ONE]),
    ]
    async with Dlt645Gateway(Sleeper(spec, measured(spec.profile.phases)) for spec in specs) as one:
        yield one
        await unloaded(real_time)


def address(gateway: Dlt645Gateway, number: str = "") -> dict[str, object]:
    return {"host": LOOPBACK, "port": gateway.port, "address": number}


def kept(gateway: Dlt645Gateway, name: str, number: str, profile: str) -> dict[str, object]:
    return {
        "name": name,
        "driver": "dlt645",
        "profile": profile,
        "interval": 900,
        **address(gateway, number),
    }


async def two_meters(hass: HomeAssistant, gateway: Dlt645Gateway) -> None:
    """Set a site up with both meters."""
    entry = site_with(kept(gateway, "Grid", GRID, THREE), kept(gateway, "Shed", SHED, ONE))
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()


async def driver(hass: HomeAssistant) -> Dlt645Driver:
    found = (await async_get_libraries(hass)).drivers["dlt645"]
    assert isinstance(found, Dlt645Driver)
    return found


async def test_meters_are_added_by_their_numbers(
    real_time: HomeAssistant, gateway: Dlt645Gateway
) -> None:
    form = await asked(real_time, "dlt645", address(gateway, GRID))
    assert form["step_id"] == "confirm"
    await confirmed(real_time, form, name="Grid")
    form = await asked(real_time, "dlt645", address(gateway, GRID))
    assert (await confirmed(real_time, form, name="Again"))["reason"] == "already_configured"
    form = await asked(real_time, "dlt645", address(gateway, SHED))
    await confirmed(real_time, form, name="Shed", role="submeter")
    both = meters(real_time)
    for name, number in (("Grid", GRID), ("Shed", SHED)):
        truth = gateway.meters[number].shown_values()
        data = both[name].subentry.data
        assert (data["address"], data["serial"]) == (number, number)
        assert both[name].subentry.unique_id.endswith(f":{number}")
        assert float(state(real_time, both[name], "power")) == pytest.approx(truth["power"])
        energy = float(state(real_time, both[name], "energy_import"))
        assert energy == pytest.approx(truth["energy_import"] / 1000)
    # What asked in the flow has hung up; both meters share the line that is left.
    await until(lambda: len(gateway._open) == 1)
    (entry,) = sites(real_time)
    assert dict(next(iter(entry.subentries.values())).data)["port"] == gateway.port


async def test_one_meter_alone_is_found_without_its_number(real_time: HomeAssistant) -> None:
    spec = Dlt645Spec(address=GRID, profile=PROFILES[THREE])
    async with Dlt645Gateway([VirtualDlt645Meter(spec, measured(3))]) as alone:
        form = await asked(real_time, "dlt645", address(alone))
        await confirmed(real_time, form, name="Grid")
        assert meters(real_time)["Grid"].subentry.data["address"] == GRID
        await unloaded(real_time)


@pytest.mark.parametrize(
    ("number", "error"), [("12", "not_an_address"), ("999999999999", "silent")]
)
async def test_wrong_number_is_told(
    real_time: HomeAssistant, gateway: Dlt645Gateway, number: str, error: str
) -> None:
    form = await asked(real_time, "dlt645", address(gateway, number))
    assert form["errors"] == {"base": error}
    assert (await driver(real_time))._lines == {}
    form = await real_time.config_entries.flow.async_configure(
        form["flow_id"], address(gateway, GRID)
    )
    assert form["step_id"] == "confirm"


async def test_nobody_at_the_port(real_time: HomeAssistant) -> None:
    form = await asked(real_time, "dlt645", {"host": LOOPBACK, "port": 9, "address": GRID})
    assert form["errors"] == {"base": "refused"}
    assert (await driver(real_time))._lines == {}


async def test_silent_meter_holds_up_the_other_for_no_more_than_one_question(
    real_time: HomeAssistant, gateway: Dlt645Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    await two_meters(real_time, gateway)
    grid, shed = (meters(real_time)[name] for name in ("Grid", "Shed"))
    sleeper = gateway.meters[SHED]
    assert isinstance(sleeper, Sleeper)
    sleeper.asleep = True
    gateway.questions.clear()
    for _ in range(3):
        await asyncio.gather(shed.async_refresh(), grid.async_refresh())
    assert grid.last_update_success
    assert not shed.last_update_success
    asked_of_grid = [
        place for place, question in enumerate(gateway.questions) if question.address == GRID
    ]
    first = asked_of_grid[0]
    assert first <= 1
    each = len(asked_of_grid) // 3
    within = [asked_of_grid[turn * each : (turn + 1) * each] for turn in range(3)]
    assert all(later - earlier <= 2 for turn in within for earlier, later in pairwise(turn))
    assert caplog.text.count("Error fetching Shed data") == 1
    assert "Error fetching Grid data" not in caplog.text
    sleeper.asleep = False
    await shed.async_refresh()
    assert state(real_time, shed, "power") != "unavailable"
    assert caplog.text.count("Fetching Shed data recovered") == 1


async def test_last_meter_hangs_up(real_time: HomeAssistant, gateway: Dlt645Gateway) -> None:
    await two_meters(real_time, gateway)
    (entry,) = sites(real_time)
    assert len(gateway._open) == 1
    shed = meters(real_time)["Shed"].subentry.subentry_id
    real_time.config_entries.async_remove_subentry(entry, shed)
    await real_time.async_block_till_done()
    assert len(gateway._open) == 1
    assert meters(real_time)["Grid"].last_update_success
    await unloaded(real_time)
    await until(lambda: not gateway._open)
    assert (await driver(real_time))._lines == {}


async def test_gateway_that_hangs_up_is_called_again(
    real_time: HomeAssistant, gateway: Dlt645Gateway
) -> None:
    await two_meters(real_time, gateway)
    grid = meters(real_time)["Grid"]
    gateway.hang_up()
    await until(lambda: not gateway._open)
    for _ in range(2):
        await grid.async_refresh()
    assert grid.last_update_success


@pytest.mark.parametrize("fault", [LineFault.NOISE, LineFault.ECHO, LineFault.WRONG_CHECKSUM])
async def test_disturbed_line_brings_no_wrong_number(
    real_time: HomeAssistant, gateway: Dlt645Gateway, fault: LineFault
) -> None:
    await two_meters(real_time, gateway)
    grid = meters(real_time)["Grid"]
    gateway.misbehave(fault, 1)
    await grid.async_refresh()
    assert grid.last_update_success
    truth = gateway.meters[GRID].shown_values()
    assert dict(grid.data.values) == {key: truth[key] for key in grid.data.values}
    assert grid.data.values.keys() == truth.keys()


async def test_number_that_is_none_leaves_the_meter_out(
    real_time: HomeAssistant, gateway: Dlt645Gateway
) -> None:
    entry = site_with(kept(gateway, "Grid", GRID, THREE), kept(gateway, "Odd", "12", ONE))
    entry.add_to_hass(real_time)
    await real_time.config_entries.async_setup(entry.entry_id)
    await real_time.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert set(meters(real_time)) == {"Grid"}
    await unloaded(real_time)
    assert (await driver(real_time))._lines == {}
