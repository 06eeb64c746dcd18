"""Polling in real time: a link that loses the thread, a meter that keeps one waiting."""

from collections.abc import AsyncGenerator

from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.coordinator import MeterCoordinator
from hardware.virtual import MeterSpec, VirtualHome
from hardware.virtual.faults import BrokenFrame, Late, Refuse, Silent
from tests.common import meter_data


@pytest.fixture
async def polled(
    real_time: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[tuple[VirtualHome, MeterCoordinator]]:
    """Return a home and the coordinator of its meter, with short patience."""
    monkeypatch.setattr("custom_components.carbon_meter.drivers.modbus.ANSWER_TIMEOUT", 0.2)
    monkeypatch.setattr("custom_components.carbon_meter.drivers.modbus._READING_LIMIT", 1.0)
    async with VirtualHome.constant(3000, [MeterSpec(profile="eastron_sdm630")]) as home:
        entry = MockConfigEntry(
            domain=DOMAIN,
            title="Home",
            subentries_data=[
                ConfigSubentryData(
                    data=meter_data(home.port, home["grid"], {"interval": 900}),
                    subentry_type="meter",
                    title="Grid",
                    unique_id=None,
                )
            ],
        )
        entry.add_to_hass(real_time)
        assert await real_time.config_entries.async_setup(entry.entry_id)
        await real_time.async_block_till_done()
        (coordinator,) = entry.runtime_data.meters.values()
        yield home, coordinator
        await real_time.config_entries.async_unload(entry.entry_id)
        await real_time.async_block_till_done(wait_background_tasks=True)


async def test_link_that_lost_the_thread_is_made_anew(
    polled: tuple[VirtualHome, MeterCoordinator],
) -> None:
    home, coordinator = polled
    home["grid"].apply(BrokenFrame(times=1))
    outcomes = []
    for _ in range(6):
        await coordinator.async_refresh()
        outcomes.append(coordinator.last_update_success)
    assert outcomes[0] is False
    assert outcomes[-1] is True


async def test_meter_that_is_busy_for_ever_does_not_hold_the_poll(
    polled: tuple[VirtualHome, MeterCoordinator],
) -> None:
    home, coordinator = polled
    home["grid"].apply(Refuse(code=6))
    await coordinator.async_refresh()
    assert coordinator.last_update_success is False
    assert "no complete reading within 1 s" in str(coordinator.last_exception)
    home["grid"].clear()
    for _ in range(3):
        await coordinator.async_refresh()
    assert coordinator.last_update_success is True


@pytest.mark.parametrize("fault", [Silent(), Late(seconds=0.5)])
async def test_silent_and_late_meters_are_told_and_come_back(
    polled: tuple[VirtualHome, MeterCoordinator], fault: Silent | Late
) -> None:
    home, coordinator = polled
    home["grid"].apply(fault)
    await coordinator.async_refresh()
    assert coordinator.last_update_success is False
    assert "Grid could not be read" in str(coordinator.last_exception)
    assert "no answer in time" in str(coordinator.last_exception)
    home["grid"].clear()
    for _ in range(4):
        await coordinator.async_refresh()
    assert coordinator.last_update_success is True


async def test_meter_that_does_not_answer_is_asked_less_often(
    polled: tuple[VirtualHome, MeterCoordinator],
) -> None:
    _, coordinator = polled
    coordinator._interval = 5
    waits = []
    for failures in range(6):
        coordinator._failures = failures
        waits.append(coordinator._patience())
    assert waits == [5, 10, 20, 30, 30, 30]
    coordinator._interval = 600
    assert coordinator._patience() == 600
