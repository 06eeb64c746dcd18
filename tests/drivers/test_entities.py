"""Adopted meters in a real Home Assistant core, in virtual time."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from homeassistant.config_entries import ConfigEntryState, ConfigSubentryData
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.carbon_meter.const import DOMAIN
from tests.common import SiteUnderTest
from tests.foreign import ForeignDevice, registry_id, say

FIXED = {"source": "fixed", "value": 500.0}
AFTER_A_REPORT = 0.6
"""Seconds for which a report waits for those that belong to it."""


def adopted(
    sources: Sequence[dict[str, Any]], changes: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the data of an adopted meter."""
    return {
        "driver": "entities",
        "entities": list(sources),
        "carrier": "electricity",
        "profile": "adopted",
        "manufacturer": "Foreign",
        "model": "Plug",
        "serial": "",
        "role": "submeter",
        "inverted": False,
        "power_inverted": False,
        "interval": 10,
        "write_interval": 1,
        **(changes or {}),
    }


async def opened(
    site: SiteUnderTest, *sources: tuple[str, str] | dict[str, Any], **changes: Any
) -> SiteUnderTest:
    """Set up a site with one adopted meter; sources are (quantity, entity id)."""
    found = [
        source
        if isinstance(source, dict)
        else {"quantity": source[0], "entity": registry_id(site.hass, source[1])}
        for source in sources
    ]
    site.entry = MockConfigEntry(
        domain=DOMAIN,
        title="Home",
        options=FIXED,
        subentries_data=[
            ConfigSubentryData(
                data=adopted(found, changes),
                subentry_type="meter",
                title="Plug",
                unique_id="entities:plug",
            )
        ],
    )
    site.entry.add_to_hass(site.hass)
    await site.hass.config_entries.async_setup(site.entry.entry_id)
    await site.settle()
    return site


@pytest.fixture
def device(site: SiteUnderTest) -> ForeignDevice:
    """Return a device without entities."""
    return ForeignDevice(site.hass, "Plug")


def booked(site: SiteUnderTest) -> tuple[float, float]:
    """Return the Wh that were booked: drawn, given."""
    total = site.meter("plug").account.ledger.total
    return total.import_energy, total.export_energy


def shown(site: SiteUnderTest, key: str) -> str:
    """Return the state of one of our entities."""
    state = site.hass.states.get(site.entity_id(key, "plug"))
    assert state is not None
    return state.state


async def report(
    site: SiteUnderTest, entity_id: str, value: object, unit: str, after: float = 20, **more: Any
) -> None:
    """After some seconds, let an entity report and the meter hear it."""
    await site.advance(after)
    say(site.hass, entity_id, value, unit, **more)
    await site.advance(AFTER_A_REPORT)


async def test_what_the_entities_say_is_shown_and_booked(
    site: SiteUnderTest, device: ForeignDevice
) -> None:
    energy = device.add("energy", 1234.5, "kWh")
    power = device.add("power", 1.5, "kW")
    voltage = device.add("voltage", 229_500, "mV")
    await opened(site, ("energy_import", energy), ("power", power), ("voltage", voltage))
    assert float(shown(site, "power")) == 1500.0
    assert float(shown(site, "energy_import")) == 1234.5
    assert site.meter("plug").data.values["voltage"] == pytest.approx(229.5)
    for step in range(1, 61):
        await report(site, energy, 1234.5 + step * 0.025, "kWh", 60 - AFTER_A_REPORT)
    await site.advance(10)
    assert booked(site) == (pytest.approx(1500.0, abs=1e-3), 0.0)
    assert site.value("carbon_total", "plug") == pytest.approx(0.75, abs=1e-5)
    total = site.meter("plug").account.ledger.total
    assert total.estimated_energy == 0.0
    assert total.measured_time == pytest.approx(3600, abs=1)


async def test_reports_of_one_moment_are_one_reading(
    site: SiteUnderTest, device: ForeignDevice
) -> None:
    energy = device.add("energy", 10, "kWh")
    power = device.add("power", 100, "W")
    await opened(site, ("energy_import", energy), ("power", power))
    readings = []
    connection = site.meter("plug").connection
    heard = connection._heard
    connection._heard = lambda reading: (readings.append(reading), heard(reading))
    await site.advance(5, step=5)
    moment = dt_util.utcnow().timestamp()
    say(site.hass, power, 2000, "W")
    say(site.hass, energy, 10.01, "kWh")
    await site.settle()
    assert [dict(reading.values) for reading in readings] == [
        {"energy_import": 10_010.0, "power": 2000.0}
    ]
    assert readings[0].time == moment
    assert readings[0].held == frozenset()


async def test_unchanged_reports_keep_the_meter_alive(
    site: SiteUnderTest, device: ForeignDevice
) -> None:
    energy = device.add("energy", 10, "kWh")
    await opened(site, ("energy_import", energy))
    for _ in range(40):
        await report(site, energy, 10, "kWh", 30 - AFTER_A_REPORT)
    ledger = site.meter("plug").account.ledger.total
    assert ledger.measured_time == pytest.approx(1200, abs=1)
    assert ledger.estimated_time == 0


async def test_slow_counter_beside_a_fast_power_keeps_all_its_energy(
    site: SiteUnderTest, device: ForeignDevice
) -> None:
    """A cloud tells 6 kWh every half hour: more than could flow since the last power."""
    energy = device.add("energy", 100, "kWh")
    power = device.add("power", 12_000, "W")
    await opened(site, ("energy_import", energy), ("power", power))
    for half_hour in range(1, 5):
        for second in range(0, 1800, 20):
            say(site.hass, power, 12_000 + second % 7, "W")
            await site.advance(20, step=20)
        await report(site, energy, 100 + 6 * half_hour, "kWh", 0)
    assert booked(site) == (pytest.approx(24_000), 0.0)
    assert site.meter("plug").account.ledger.total.estimated_energy == 0
    assert not [i for i in site.meter("plug").account.incidents if i.set_apart]


async def test_a_coarse_heat_meter_keeps_all_its_energy(
    site: SiteUnderTest, device: ForeignDevice
) -> None:
    """A step of 0.1 GJ is 27.8 kWh, which no load fills between two reports."""
    energy = device.add("heat", 12.3, "GJ")
    await opened(site, ("energy_import", energy), carrier="heat", role="grid")
    for step in range(1, 4):
        for _ in range(60):
            say(site.hass, energy, round(12.3 + 0.1 * (step - 1), 1), "GJ")
            await site.advance(30, step=30)
        await report(site, energy, round(12.3 + 0.1 * step, 1), "GJ", 0)
    assert booked(site)[0] == pytest.approx(0.3e9 / 3600, abs=1)


async def test_unit_changed_while_running(site: SiteUnderTest, device: ForeignDevice) -> None:
    energy = device.add("energy", 1234.5, "kWh")
    await opened(site, ("energy_import", energy))
    await report(site, energy, 1234.6, "kWh")
    await report(site, energy, 1.2346, "MWh")
    await report(site, energy, 1.2347, "MWh")
    await report(site, energy, 1_234_800, "Wh")
    await report(site, energy, 4.4456, "GJ")
    assert booked(site)[0] == pytest.approx(4.4456e9 / 3600 - 1_234_500, abs=0.01)
    assert not site.meter("plug").account.incidents


async def test_renamed_entity_goes_on(site: SiteUnderTest, device: ForeignDevice) -> None:
    energy = device.add("energy", 10, "kWh")
    await opened(site, ("energy_import", energy))
    state = site.hass.states.get(energy)
    assert state is not None
    er.async_get(site.hass).async_update_entity(energy, new_entity_id="sensor.kitchen")
    site.hass.states.async_remove(energy)
    say(site.hass, "sensor.kitchen", 10, "kWh")
    await site.advance(AFTER_A_REPORT)
    await report(site, "sensor.kitchen", 10.5, "kWh")
    assert booked(site)[0] == pytest.approx(500)
    assert not ir.async_get(site.hass).issues


async def test_removed_entity_is_told_and_taken_back(
    site: SiteUnderTest, device: ForeignDevice
) -> None:
    energy = device.add("energy", 10, "kWh")
    power = device.add("power", 100, "W")
    await opened(site, ("energy_import", energy), ("power", power))
    registry = er.async_get(site.hass)
    registry.async_remove(energy)
    site.hass.states.async_remove(energy)
    await site.advance(AFTER_A_REPORT)
    ((domain, _), issue) = next(iter(ir.async_get(site.hass).issues.items()))
    assert domain == DOMAIN
    assert issue.translation_key == "adopted_entity_missing"
    assert issue.translation_placeholders == {"meter": "Plug", "quantities": "energy_import"}
    assert "energy_import" not in site.meter("plug").data.values
    assert float(shown(site, "power")) == 100
    assert device.add("energy", 10.2, "kWh") == energy
    await site.advance(AFTER_A_REPORT)
    assert not ir.async_get(site.hass).issues
    assert booked(site)[0] == pytest.approx(200)


async def test_disabled_entity_is_told(site: SiteUnderTest, device: ForeignDevice) -> None:
    energy = device.add("energy", 10, "kWh")
    power = device.add("power", 100, "W")
    await opened(site, ("energy_import", energy), ("power", power))
    site.hass.states.async_remove(power)
    await site.advance(80)
    (issue,) = ir.async_get(site.hass).issues.values()
    assert issue.translation_placeholders == {"meter": "Plug", "quantities": "power"}
    await report(site, power, 120, "W")
    await site.advance(10)
    assert not ir.async_get(site.hass).issues


@pytest.mark.parametrize("nothing", [STATE_UNAVAILABLE, STATE_UNKNOWN])
async def test_unavailable_meter_is_lost_after_a_minute_and_comes_back(
    site: SiteUnderTest, device: ForeignDevice, nothing: str, caplog: pytest.LogCaptureFixture
) -> None:
    energy = device.add("energy", 10, "kWh")
    power = device.add("power", 100, "W")
    await opened(site, ("energy_import", energy), ("power", power))
    for entity_id, unit in ((energy, "kWh"), (power, "W")):
        say(site.hass, entity_id, nothing, unit)
    await site.advance(50)
    assert shown(site, "power") == "100.0"
    await site.advance(20)
    assert shown(site, "power") == STATE_UNAVAILABLE
    await site.advance(600)
    assert caplog.text.count("not available") == 1
    say(site.hass, energy, 10.3, "kWh")
    await report(site, power, 50, "W", 0)
    assert float(shown(site, "power")) == 50
    assert booked(site)[0] == pytest.approx(300)


async def test_one_quantity_can_be_unknown(site: SiteUnderTest, device: ForeignDevice) -> None:
    energy = device.add("energy", 10, "kWh")
    power = device.add("power", 100, "W")
    await opened(site, ("energy_import", energy), ("power", power))
    await report(site, power, STATE_UNKNOWN, "W")
    assert shown(site, "power") == STATE_UNKNOWN
    await report(site, energy, 10.1, "kWh")
    assert booked(site)[0] == pytest.approx(100)


@pytest.mark.parametrize(
    ("value", "unit"),
    [("error", "kWh"), ("nan", "kWh"), ("inf", "kWh"), ("-5", "kWh"), ("1e300", "MWh"), ("3", "V")],
)
async def test_nonsense_is_a_fault_and_never_booked(
    site: SiteUnderTest, device: ForeignDevice, value: str, unit: str
) -> None:
    energy = device.add("energy", 10, "kWh")
    power = device.add("power", 100, "W")
    await opened(site, ("energy_import", energy), ("power", power))
    await report(site, energy, value, unit)
    (fault,) = site.meter("plug").data.faults
    assert fault.quantity == "energy_import"
    assert fault.register == energy
    assert shown(site, "energy_import") == STATE_UNKNOWN
    await report(site, energy, 10.2, "kWh")
    assert booked(site)[0] == pytest.approx(200)
    assert not site.meter("plug").data.faults


async def test_stale_power_is_not_mixed_into_a_fresh_reading(
    site: SiteUnderTest, device: ForeignDevice
) -> None:
    power = device.add("power", 100, "W")
    voltage = device.add("voltage", 230, "V")
    energy = device.add("energy", 10, "kWh")
    await opened(site, ("energy_import", energy), ("power", power), ("voltage", voltage))
    for minute in range(66):
        await report(site, voltage, 230 + minute % 2, "V", 60 - AFTER_A_REPORT)
    assert "power" not in site.meter("plug").data.values
    assert "voltage" in site.meter("plug").data.values
    assert shown(site, "power") == STATE_UNKNOWN


async def test_silent_meter_loses_what_stands_and_keeps_its_counter(
    site: SiteUnderTest, device: ForeignDevice
) -> None:
    energy = device.add("energy", 10, "kWh")
    power = device.add("power", 100, "W")
    await opened(site, ("energy_import", energy), ("power", power), interval=60)
    await site.advance(3600, step=60)
    assert float(shown(site, "power")) == 100
    await site.advance(600, step=60)
    assert shown(site, "power") == STATE_UNKNOWN
    assert float(shown(site, "energy_import")) == 10
    await report(site, energy, 10.4, "kWh")
    assert booked(site)[0] == pytest.approx(400)


async def test_a_cycle_that_begins_anew_loses_nothing(
    site: SiteUnderTest, device: ForeignDevice
) -> None:
    midnight = dt_util.utcnow()
    total = {"state_class": "total"}
    energy = device.add("today", 8.0, "kWh", last_reset=midnight, **total)
    await opened(site, ("energy_import", energy))
    await report(site, energy, 8.5, "kWh", last_reset=midnight, **total)
    tomorrow = midnight + timedelta(days=1)
    await report(site, energy, 0.2, "kWh", last_reset=tomorrow, **total)
    await report(site, energy, 0.3, "kWh", last_reset=tomorrow, **total)
    assert booked(site)[0] == pytest.approx(800)
    assert not site.meter("plug").account.incidents


async def test_a_cycle_that_begins_anew_during_a_restart(
    site: SiteUnderTest, device: ForeignDevice
) -> None:
    midnight = dt_util.utcnow()
    energy = device.add("today", 8.0, "kWh", last_reset=midnight, state_class="total")
    await opened(site, ("energy_import", energy))
    await report(site, energy, 8.5, "kWh", last_reset=midnight, state_class="total")
    await site.unload()
    site.pass_unseen(7200)
    tomorrow = midnight + timedelta(days=1)
    say(site.hass, energy, 0.4, "kWh", last_reset=tomorrow, state_class="total")
    await site.load()
    await report(site, energy, 0.5, "kWh", last_reset=tomorrow, state_class="total")
    assert booked(site)[0] == pytest.approx(1000)


async def test_increasing_counter_that_falls_was_reset(
    site: SiteUnderTest, device: ForeignDevice
) -> None:
    energy = device.add("energy", 500, "kWh")
    await opened(site, ("energy_import", energy))
    for value in (500.1, 0.02, 0.03, 0.04, 0.05):
        await report(site, energy, value, "kWh", 30)
    assert booked(site)[0] == pytest.approx(150)
    assert [incident.reason for incident in site.meter("plug").account.incidents] == ["reset"]


async def test_net_counter_is_booked_on_both_sides(
    site: SiteUnderTest, device: ForeignDevice
) -> None:
    energy = device.add("energy", 100, "kWh", state_class="total")
    source = {"quantity": "energy_import", "entity": registry_id(site.hass, energy), "net": True}
    await opened(site, source, role="grid")
    for value in (100.2, 99.9, 100.0):
        await report(site, energy, value, "kWh", 60, state_class="total")
    assert booked(site) == (pytest.approx(300), pytest.approx(300))


async def test_two_tariffs_are_one_meter(site: SiteUnderTest, device: ForeignDevice) -> None:
    day, night = device.add("day", 1000, "kWh"), device.add("night", 500, "kWh")
    await opened(site, ("energy_import", day), ("energy_import", night), role="grid")
    assert float(shown(site, "energy_import")) == 1500
    await report(site, day, 1000.3, "kWh")
    await report(site, night, 500.4, "kWh")
    assert booked(site)[0] == pytest.approx(700)
    await report(site, night, STATE_UNAVAILABLE, "kWh")
    assert shown(site, "energy_import") == STATE_UNKNOWN


async def test_power_from_two_sensors(site: SiteUnderTest, device: ForeignDevice) -> None:
    drawn, given = device.add("drawn", 0, "W"), device.add("given", 1800, "W")
    energy = device.add("energy", 1, "kWh")
    away = {"quantity": "power", "entity": registry_id(site.hass, given), "sign": -1}
    await opened(site, ("energy_import", energy), ("power", drawn), away, role="grid")
    assert float(shown(site, "power")) == -1800
    await report(site, given, STATE_UNAVAILABLE, "W")
    assert shown(site, "power") == STATE_UNKNOWN


async def test_power_alone_becomes_energy(site: SiteUnderTest, device: ForeignDevice) -> None:
    """The oracle is the exact sum of what stood, for how long."""
    power = device.add("power", 1000, "W")
    await opened(site, ("power", power))
    expected = [0.0, 0.0]
    watts = 1000
    for number in range(40):
        seconds = 7 + 13 * (number % 9)
        expected[watts < 0] += abs(watts) * seconds / 3600
        await site.advance(seconds)
        watts = (number * 977) % 4000 - 1000
        say(site.hass, power, watts, "W")
        await site.settle()
    await site.advance(10)
    expected[watts < 0] += abs(watts) * 10 / 3600
    assert booked(site) == (
        pytest.approx(expected[0], abs=0.01 * expected[0]),
        pytest.approx(expected[1], abs=0.01 * expected[1]),
    )
    await site.advance(20)
    expected[watts < 0] += abs(watts) * 20 / 3600
    integral = site.meter("plug").connection._readings._integral
    assert (integral.imported, integral.exported) == pytest.approx(tuple(expected), abs=15)


async def test_constant_power_that_nobody_repeats_is_booked_all_the_time(
    site: SiteUnderTest, device: ForeignDevice
) -> None:
    power = device.add("power", 2000, "W")
    await opened(site, ("power", power))
    await site.advance(1800)
    assert booked(site)[0] == pytest.approx(1000, abs=6)
    total = site.meter("plug").account.ledger.total
    assert total.estimated_energy == 0
    assert not site.meter("plug").account.incidents


async def test_power_that_stands_while_the_site_is_reloaded(
    site: SiteUnderTest, device: ForeignDevice
) -> None:
    power = device.add("power", 3600, "W")
    await opened(site, ("power", power))
    await site.advance(600)
    await site.unload()
    site.pass_unseen(1800)
    await site.load()
    assert float(shown(site, "energy_import")) == pytest.approx(2.4)
    await report(site, power, 0, "W", 300)
    await site.advance(60)
    assert booked(site)[0] == pytest.approx(2700)


async def test_integrated_energy_survives_a_restart(
    site: SiteUnderTest, device: ForeignDevice, caplog: pytest.LogCaptureFixture
) -> None:
    power = device.add("power", 3600, "W")
    await opened(site, ("power", power))
    await site.advance(600)
    await site.unload()
    site.pass_unseen(1800)
    say(site.hass, power, 3600, "W")
    await site.load()
    assert float(shown(site, "energy_import")) == pytest.approx(0.6)
    await report(site, power, 0, "W", 300)
    await site.advance(60)
    assert booked(site)[0] == pytest.approx(900)
    assert "not known for 1800 s: not integrated" in caplog.text


async def test_a_gap_in_the_power_is_told_and_not_made_up(
    site: SiteUnderTest, device: ForeignDevice, caplog: pytest.LogCaptureFixture
) -> None:
    power = device.add("power", 3600, "W")
    await opened(site, ("power", power))
    await site.advance(100)
    await report(site, power, STATE_UNAVAILABLE, "W")
    await report(site, power, 3600, "W", 1200)
    await site.advance(100)
    assert booked(site)[0] == pytest.approx(220.6, abs=1)
    assert "the power was not known for 120" in caplog.text
    details = site.meter("plug").connection.details
    assert details["not_integrated"] == pytest.approx(1200, abs=2)
    assert "left Riemann" in details["energy_from"]


async def test_gas_by_volume(site: SiteUnderTest, device: ForeignDevice) -> None:
    gas = device.add("gas", 4321.98, "m³")
    await opened(site, ("volume", gas), carrier="gas", role="grid")
    state = site.hass.states.get(site.entity_id("volume", "plug"))
    assert state is not None
    assert float(state.state) == 4321.98
    assert state.attributes["unit_of_measurement"] == "m³"
    assert state.attributes["device_class"] == "gas"
    for step in range(1, 6):
        await report(site, gas, round(4321.98 + 0.01 * step, 2), "m³", 300)
    await report(site, gas, 152_631.5, "ft³", 300)
    litres = 152_631.5 * 28.316846592 - 4_321_980
    assert booked(site)[0] == pytest.approx(litres, abs=1)
    assert site.meter("plug").account.ledger.total.carbon == 0
    registry = er.async_get(site.hass)
    owner = site.meter("plug").subentry.subentry_id
    for key in ("carbon_total", "carbon_rate"):
        assert registry.async_get_entity_id("sensor", DOMAIN, f"{owner}_{key}") is None
    # A gas connection is no part of the site's electricity.
    assert (
        registry.async_get_entity_id("sensor", DOMAIN, f"{site.entry.entry_id}_site_carbon_total")
        is None
    )


async def test_entities_that_come_later_than_we_do(
    site: SiteUnderTest, device: ForeignDevice
) -> None:
    energy = device.add("energy", STATE_UNAVAILABLE, "kWh")
    await opened(site, ("energy_import", energy))
    assert site.entry.state is ConfigEntryState.LOADED
    assert shown(site, "energy_import") == STATE_UNAVAILABLE
    await report(site, energy, 10, "kWh")
    await report(site, energy, 10.1, "kWh")
    assert booked(site)[0] == pytest.approx(100)


async def test_known_meter_whose_entities_come_later(
    site: SiteUnderTest, device: ForeignDevice
) -> None:
    energy = device.add("energy", 10, "kWh")
    await opened(site, ("energy_import", energy))
    await site.unload()
    say(site.hass, energy, STATE_UNAVAILABLE, "kWh")
    await site.load()
    assert shown(site, "energy_import") == STATE_UNAVAILABLE
    await report(site, energy, 10.1, "kWh")
    assert float(shown(site, "energy_import")) == 10.1
    assert booked(site)[0] == pytest.approx(100)


async def test_entity_without_a_registry_entry(site: SiteUnderTest) -> None:
    say(site.hass, "sensor.template", 5, "kWh")
    await opened(site, {"quantity": "energy_import", "entity": "sensor.template"})
    await report(site, "sensor.template", 5.1, "kWh")
    assert booked(site)[0] == pytest.approx(100)


async def test_reload_books_nothing_twice(site: SiteUnderTest, device: ForeignDevice) -> None:
    energy = device.add("energy", 10, "kWh")
    power = device.add("power", 100, "W")
    await opened(site, ("energy_import", energy), ("power", power))
    for step in range(1, 11):
        await site.advance(20)
        await report(site, energy, 10 + 0.01 * step, "kWh")
        await site.unload()
        await site.load()
    assert booked(site)[0] == pytest.approx(100)
    assert site.meter("plug").account.ledger.total.measured_time <= 10 * 41


async def test_nothing_is_left_behind(site: SiteUnderTest, device: ForeignDevice) -> None:
    power = device.add("power", 100, "W")
    await opened(site, ("power", power))
    connection = site.meter("plug").connection
    await site.unload()
    before = connection._time
    say(site.hass, power, 200, "W")
    await site.advance(120)
    assert connection._time == before
