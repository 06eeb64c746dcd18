"""Steps in power and incidents as events, from meters on real sockets in virtual time."""

from datetime import timedelta
from typing import Any

from homeassistant.core import Event, EventStateChangedData
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.carbon_meter.const import DOMAIN
from hardware.virtual import MeterSpec
from hardware.virtual.faults import Freeze, Jump, Reset, Spike
from tests.common import SiteUnderTest

SPECS = [MeterSpec(profile="schneider_iem3000")]
EVERY_SECOND = {"grid": {"interval": 1}}


def entity(site: SiteUnderTest, key: str, domain: str = "event") -> str | None:
    """Return the entity of the grid meter."""
    unique_id = f"{site.meter().subentry.subentry_id}_{key}"
    return er.async_get(site.hass).async_get_entity_id(domain, DOMAIN, unique_id)


def followed(site: SiteUnderTest, key: str) -> list[dict[str, Any]]:
    """Return a list that the attributes of each event are put into."""
    told: list[dict[str, Any]] = []
    wanted = entity(site, key)

    def changed(event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        if event.data["entity_id"] == wanted and state is not None:
            told.append(dict(state.attributes))

    site.hass.bus.async_listen("state_changed", changed)
    return told


async def test_device_that_runs_for_a_minute(site: SiteUnderTest) -> None:
    await site.open(SPECS, watts=300.0, meters=EVERY_SECOND)
    told = followed(site, "power_step")
    await site.advance(30, step=1)
    site.home.force("house", 2300.0)
    await site.advance(60, step=1)
    site.home.force("house", 300.0)
    await site.advance(30, step=1)
    started, stopped = told
    assert started["event_type"] == "started"
    assert started["size"] == pytest.approx(2000, rel=0.05)
    assert started["before"] == pytest.approx(300, rel=0.05)
    assert started["after"] == pytest.approx(2300, rel=0.05)
    assert started["duration"] == pytest.approx(0, abs=1)
    assert started["previous_duration"] == pytest.approx(30, abs=2)
    assert "running_time" not in started
    assert stopped["event_type"] == "stopped"
    assert stopped["size"] == pytest.approx(-2000, rel=0.05)
    assert stopped["after"] == pytest.approx(300, rel=0.05)
    assert stopped["running_time"] == pytest.approx(60, abs=1)


async def test_kettle_of_three_seconds_is_seen_and_booked(site: SiteUnderTest) -> None:
    await site.open(SPECS, watts=300.0, meters=EVERY_SECOND)
    told = followed(site, "power_step")
    maxima: list[float] = []
    power = site.entity_id("power")

    def changed(event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        if event.data["entity_id"] == power and state is not None:
            maxima.append(state.attributes["maximum"])

    await site.advance(34, step=1)
    before = site.meter().account.ledger.total.import_energy
    unsubscribe = site.hass.bus.async_listen("state_changed", changed)
    site.home.force("house", 2300.0)
    await site.advance(3, step=1)
    site.home.force("house", 300.0)
    await site.advance(60, step=1)
    unsubscribe()
    assert max(maxima) == pytest.approx(2300, rel=0.01)
    assert maxima[-1] == pytest.approx(300, rel=0.01)
    booked = site.meter().account.ledger.total.import_energy - before
    assert booked == pytest.approx((2300 * 3 + 300 * 60) / 3600, abs=1)
    # What comes and goes before it settles is one event, with its size.
    (transient,) = told
    assert transient["event_type"] == "transient"
    assert transient["size"] == pytest.approx(2000, rel=0.05)
    assert transient["before"] == pytest.approx(300, rel=0.05)
    assert transient["after"] == pytest.approx(300, rel=0.05)
    assert transient["duration"] == pytest.approx(3, abs=1)


async def test_second_device_rises_and_falls(site: SiteUnderTest) -> None:
    await site.open(SPECS, watts=300.0, meters=EVERY_SECOND)
    told = followed(site, "power_step")
    for watts in (2300.0, 2800.0, 2300.0, 300.0):
        await site.advance(15, step=1)
        site.home.force("house", watts)
    await site.advance(15, step=1)
    assert [one["event_type"] for one in told] == ["started", "rose", "stopped", "stopped"]
    assert [one["size"] for one in told] == pytest.approx([2000, 500, -500, -2000], rel=0.05)


async def test_meter_that_is_read_seldom_has_no_steps(site: SiteUnderTest) -> None:
    await site.open(SPECS, watts=300.0, meters={"grid": {"interval": 60}})
    assert entity(site, "power_step") is None
    assert entity(site, "incident") is not None


async def test_steps_go_with_the_interval(site: SiteUnderTest) -> None:
    await site.open(SPECS, watts=300.0, meters=EVERY_SECOND)
    assert entity(site, "power_step") is not None
    (subentry,) = site.entry.subentries.values()
    site.hass.config_entries.async_update_subentry(
        site.entry, subentry, data={**subentry.data, "interval": 60}
    )
    await site.settle()
    assert entity(site, "power_step") is None


async def test_event_stands_while_the_meter_is_away(site: SiteUnderTest) -> None:
    await site.open(SPECS, watts=300.0, meters=EVERY_SECOND)
    await site.advance(10, step=1)
    site.home.force("house", 2300.0)
    await site.advance(10, step=1)
    name = entity(site, "power_step")
    assert name is not None
    before = site.hass.states.get(name)
    assert before is not None
    assert before.state not in ("unknown", "unavailable")
    await site.home.modbus.close()
    await site.advance(60, step=1)
    assert site.hass.states.get(site.entity_id("power")).state == "unavailable"
    assert site.hass.states.get(name) == before


@pytest.mark.parametrize(
    ("fault", "reason", "quantity"),
    [
        (Jump(by=1e6), "jump", "energy_import"),
        (Reset(quantities=("energy_import",)), "reset", "energy_import"),
        (Reset(to=2.5e6, quantities=("energy_import",)), "replaced", "energy_import"),
        (Spike(quantity="energy_import", value=9e9), "spike", "energy_import"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_a_counter_does_is_an_event(
    site: SiteUnderTest, caplog: pytest.LogCaptureFixture, fault: Any, reason: str, quantity: str
) -> None:
    spec = MeterSpec(profile="schneider_iem3000", initial_import=5e6)
    await site.open([spec], watts=3600.0)
    told = followed(site, "incident")
    await site.advance(60)
    site.home["grid"].apply(fault)
    await site.advance(1200)
    assert [one["event_type"] for one in told][:1] == [reason]
    assert (told[0]["quantity"], told[0]["unit"]) == (quantity, "Wh")
    assert told[0]["ongoing"] is False
    name = reason.replace("_", " ")
    assert caplog.text.count(f"Grid: {quantity}: {name} (") == 1


async def test_frozen_meter_is_told_as_it_begins_and_as_it_ends(
    site: SiteUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    await site.open(SPECS, watts=3600.0)
    told = followed(site, "incident")
    await site.advance(60)
    site.home["grid"].apply(Freeze())
    await site.advance(900)
    site.home["grid"].clear()
    await site.advance(60)
    began, ended = (one for one in told if one["event_type"] == "frozen")
    assert (began["ongoing"], ended["ongoing"]) == (True, False)
    assert began["amount"] == pytest.approx(300, abs=15)
    assert ended["amount"] == pytest.approx(910, abs=15)
    assert ended["unit"] == "s"
    assert caplog.text.count("Grid: frozen (") == 1
    assert caplog.text.count("Grid: frozen is over") == 1


async def test_clock_that_is_set_is_told(site: SiteUnderTest, monkeypatch) -> None:
    await site.open(SPECS, watts=3600.0)
    told = followed(site, "incident")
    await site.advance(60)
    assert told == []
    # The clock is set an hour ahead; the time that nobody sets goes on as it was.
    steady = site.hass.loop.time
    site.freezer.tick(timedelta(hours=1))
    monkeypatch.setattr(site.hass.loop, "time", lambda: steady() - 3600)
    site.clock.step(10)
    async_fire_time_changed(site.hass, dt_util.utcnow() + timedelta(seconds=20))
    await site.settle()
    assert [one["event_type"] for one in told] == ["clock_jump"]
    assert told[0]["amount"] == pytest.approx(3600, abs=15)
    assert told[0]["unit"] == "s"
