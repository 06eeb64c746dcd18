"""Following meters: sampled often and written seldom, slow, dead, garbled, and back again."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from itertools import pairwise

from homeassistant.config_entries import ConfigSubentryData
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import Event, EventStateChangedData, HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.coordinator import MeterCoordinator
from hardware.virtual import MeterSpec, VirtualHome
from hardware.virtual.faults import BrokenFrame, Freeze, Late, Refuse, Silent
from tests.common import SiteUnderTest, meter_data
from tests.drivers.steps import until


@pytest.fixture
async def polled(
    real_time: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[tuple[VirtualHome, MeterCoordinator]]:
    """Return a home and the coordinator of its meter, with short patience."""
    monkeypatch.setattr("custom_components.carbon_meter.drivers.modbus.ANSWER_TIMEOUT", 1.0)
    monkeypatch.setattr("custom_components.carbon_meter.drivers.modbus._READING_LIMIT", 4.0)
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
    assert "no complete reading within 4 s" in str(coordinator.last_exception)
    home["grid"].clear()
    for _ in range(3):
        await coordinator.async_refresh()
    assert coordinator.last_update_success is True


@pytest.mark.parametrize("fault", [Silent(), Late(seconds=2.0)])
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
    coordinator.poll_interval = 5
    waits = []
    for failures in range(6):
        coordinator._failures = failures
        waits.append(coordinator._patience())
    assert waits == [5, 10, 20, 30, 30, 30]
    coordinator.poll_interval = 600
    assert coordinator._patience() == 600


def written(site: SiteUnderTest) -> Counter[str]:
    """Return how often each entity is written from now on."""
    counts: Counter[str] = Counter()

    def changed(event: Event[EventStateChangedData]) -> None:
        counts[event.data["entity_id"]] += 1

    site.hass.bus.async_listen("state_changed", changed)
    return counts


async def test_sampling_every_second_does_not_flood_the_recorder(site: SiteUnderTest) -> None:
    # Nothing else in the house: a car that has been charged is a jump of its own.
    await site.open(watts=500.0, meters={"grid": {"interval": 1}})
    await site.advance(10, step=1)
    counts, readings = written(site), site.meter().watch
    for watts in (2500.0, 500.0, 900.0, 500.0, 500.0):
        for second in range(60):
            # No two seconds are alike.
            site.home.force("house", watts + second % 7)
            await site.advance(1, step=1)
    assert readings.window is not None
    # Thirty regular ones, and one for each of the four jumps.
    assert 25 <= counts[site.entity_id("power")] <= 36
    assert max(counts.values()) <= 36
    assert readings.window.quantities["power"].samples == pytest.approx(10, abs=1)


async def test_load_without_rest_is_written_a_few_times_per_interval(site: SiteUnderTest) -> None:
    await site.open(watts=500.0, meters={"grid": {"interval": 1}})
    await site.advance(10, step=1)
    counts = written(site)
    for second in range(60):
        site.home.force("house", 3000.0 if second % 2 else 500.0)
        await site.advance(1, step=1)
    assert counts[site.entity_id("power")] <= 6 * (1 + 5)


async def test_nothing_is_lost_between_two_writings(site: SiteUnderTest) -> None:
    await site.open(
        [MeterSpec(profile="schneider_iem3000")],
        watts=500.0,
        meters={"grid": {"interval": 1, "write_interval": 60}},
    )
    await site.advance(120, step=1)
    # Less than what is written at once.
    for second in range(60):
        site.home.force("house", 540.0 if second == 17 else 480.0 if second == 40 else 500.0)
        await site.advance(1, step=1)
    attributes = site.hass.states.get(site.entity_id("power")).attributes
    assert attributes["maximum"] == pytest.approx(540, rel=0.01)
    assert attributes["minimum"] == pytest.approx(480, rel=0.01)
    assert attributes["mean"] == pytest.approx(500 + 20 / 60, abs=0.2)
    assert attributes["samples"] == pytest.approx(60, abs=1)
    assert "mean" not in site.hass.states.get(site.entity_id("energy_import")).attributes


async def test_dead_and_frozen_meters_delay_no_other(
    site: SiteUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    specs = [
        MeterSpec(profile="schneider_iem3000", unit=1, name="good"),
        MeterSpec(profile="schneider_iem3000", unit=2, name="frozen"),
        MeterSpec(profile="schneider_iem3000", unit=3, name="dead"),
    ]
    meters = {"good": {"interval": 1}, "frozen": {"interval": 1}, "dead": {"interval": 1}}
    await site.open(specs, watts=3600.0, meters={**meters, "dead": {"interval": 1, "port": 9}})
    await site.advance(10, step=1)
    site.home["frozen"].apply(Freeze())
    good = site.meter("good")
    before, energy = good.data.time, good.account.ledger.total.import_energy
    moments = []
    for _ in range(60):
        await site.advance(1, step=1)
        moments.append(good.data.time)
    assert moments == pytest.approx([before + second for second in range(1, 61)], abs=1.5)
    assert good.account.ledger.total.import_energy - energy == pytest.approx(60, abs=2)
    assert caplog.text.count("Dead could not be read") == 1
    assert "Error fetching Good data" not in caplog.text
    assert site.meter("frozen").last_update_success


async def test_dead_meter_is_asked_less_and_less_often(site: SiteUnderTest) -> None:
    await site.open(meters={"grid": {"interval": 1}})
    await site.advance(10, step=1)
    await site.home.modbus.close()
    meter, asked = site.meter(), []
    read = meter.connection.async_read

    async def counted():
        asked.append(site.clock.now())
        return await read()

    meter.connection.async_read = counted
    await site.advance(300, step=1)
    waits = [round(later - earlier) for earlier, later in pairwise(asked)]
    assert waits == sorted(waits)
    assert waits[0] < 5
    assert waits[-1] == pytest.approx(30, abs=1)
    await site.home.modbus.open()
    await site.advance(40, step=1)
    assert meter.last_update_success
    assert site.clock.now() - meter.data.time < 2


async def test_slow_meter_on_another_line_is_not_waited_for(real_time: HomeAssistant) -> None:
    async with AsyncExitStack() as stack:
        homes = [
            await stack.enter_async_context(
                VirtualHome.constant(3000, [MeterSpec(profile="eastron_sdm630")])
            )
            for _ in range(2)
        ]
        entry = MockConfigEntry(
            domain=DOMAIN,
            title="Home",
            subentries_data=[
                ConfigSubentryData(
                    data=meter_data(home.port, home["grid"], {"interval": 900}),
                    subentry_type="meter",
                    title=f"Meter {number}",
                    unique_id=None,
                )
                for number, home in enumerate(homes)
            ],
        )
        entry.add_to_hass(real_time)
        assert await real_time.config_entries.async_setup(entry.entry_id)
        slow, quick = entry.runtime_data.meters.values()
        homes[0]["grid"].apply(Silent())
        waiting = asyncio.create_task(slow.async_refresh())
        for _ in range(5):
            await quick.async_refresh()
            assert quick.last_update_success
        assert not waiting.done()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await real_time.config_entries.async_unload(entry.entry_id)
        await real_time.async_block_till_done(wait_background_tasks=True)


async def test_reading_that_cannot_be_booked_ends_nothing(
    site: SiteUnderTest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await site.open(watts=3000.0)
    meter = site.meter()

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a slip of ours")

    with monkeypatch.context() as patched:
        patched.setattr(meter.watch, "observe", fail)
        # As a meter that speaks by itself would say it.
        for _ in range(3):
            meter._async_heard(meter.data)
        assert not meter.last_update_success
    assert caplog.text.count("Grid: unexpected error with a reading") == 1
    assert caplog.text.count("Error requesting Grid data: a slip of ours") == 1
    meter._async_heard(meter.data)
    assert meter.last_update_success
    assert caplog.text.count("Fetching Grid data recovered") == 1


async def test_slow_meter_holds_up_no_entities_of_a_known_site(
    polled: tuple[VirtualHome, MeterCoordinator],
    real_time: HomeAssistant,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("custom_components.carbon_meter._PATIENCE", 0.0)
    monkeypatch.setattr("custom_components.carbon_meter.drivers.modbus.ANSWER_TIMEOUT", 5.0)
    monkeypatch.setattr("custom_components.carbon_meter.drivers.modbus._READING_LIMIT", 9.0)
    home, coordinator = polled
    entry = coordinator.config_entry
    await real_time.config_entries.async_unload(entry.entry_id)
    home["grid"].apply(Late(seconds=3.0))
    assert await real_time.config_entries.async_setup(entry.entry_id)
    (again,) = entry.runtime_data.meters.values()
    assert again.data is None
    assert real_time.states.get("sensor.grid_power").state == STATE_UNAVAILABLE
    assert float(real_time.states.get("sensor.grid_carbon_total").state) >= 0
    # Only the answer that is under way is late.
    home["grid"].clear()
    await until(lambda: again.data is not None)
    await real_time.async_block_till_done()
    assert float(real_time.states.get("sensor.grid_power").state) == pytest.approx(3000, rel=0.01)
