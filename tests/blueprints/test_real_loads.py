"""Blueprints on a site that is set up: its planner, its entities, its actions."""

from collections.abc import AsyncGenerator, Mapping
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.climate import HVACMode
from homeassistant.const import ATTR_FRIENDLY_NAME
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest

from custom_components.carbon_meter.const import DOMAIN
from hardware.virtual.faults import Freeze
from tests.blueprints.devices import FakeClimate, FakeLight, FakeSwitch
from tests.blueprints.harness import START, TELL, House
from tests.blueprints.phones import phone_of
from tests.common import SiteUnderTest
from tests.loads.site import APPLIANCE, HOUR, RUN_TIME, LoadedSite

WAVE = [300.0, 310.0, 90.0, 95.0, 500.0, 520.0, 480.0, 90.0, 85.0, 300.0] * 7


class RealHouse:
    """A house with a site in it, and one hand that moves the time of both."""

    def __init__(self, house: House, home: LoadedSite) -> None:
        """Take both; the site is not set up."""
        self.house = house
        self.home = home
        self.hass = house.hass

    def entity(self, title: str, domain: str, key: str) -> str:
        """Return the entity of a load."""
        load_id = self.home.load(title).subentry.subentry_id
        found = er.async_get(self.hass).async_get_entity_id(domain, DOMAIN, f"{load_id}_{key}")
        assert found is not None, key
        return found

    def says(self, title: str, domain: str, key: str) -> str:
        return self.house.state(self.entity(title, domain, key))


@pytest.fixture
async def real(site: SiteUnderTest, freezer: FrozenDateTimeFactory) -> AsyncGenerator[RealHouse]:
    """Return a house and a site on a Wednesday at noon in Berlin."""
    house = House(site.hass, freezer)
    await house.open()
    site.start_at(START)
    yield RealHouse(house, LoadedSite(site))
    await house.close()


def data(kind: Mapping[str, Any], title: str, **changes: Any) -> dict[str, Any]:
    return {**kind, "title": title, **changes}


async def test_pool_pump_runs_its_hours_in_the_clean_ones(real: RealHouse) -> None:
    pump = await real.house.add(FakeSwitch("pump"))
    await real.home.open([data(RUN_TIME, "Pool", device="switch.pump", hours=4.0)], WAVE)
    await real.house.automate(
        "pool_pump",
        run_now=real.entity("Pool", "binary_sensor", "run_now"),
        override=real.entity("Pool", "switch", "override"),
        plan=real.entity("Pool", "sensor", "plan"),
        deadline_at_risk=real.entity("Pool", "binary_sensor", "deadline_at_risk"),
        device=pump.entity_id,
        notify=TELL,
    )
    ran: dict[float, float] = {}
    for _ in range(11 * 12):
        await real.home.advance(300)
        if pump.is_on:
            value = float(real.house.state("sensor.co2"))
            ran[value] = ran.get(value, 0.0) + 300.0
    assert sum(ran.values()) == pytest.approx(4 * HOUR, abs=900)
    clean = sum(seconds for value, seconds in ran.items() if value < 100)
    assert clean >= 3.5 * HOUR
    assert real.house.told == []
    assert "the plan says so" in real.house.logged[0]


async def test_lamps_are_dimmed_in_the_worst_hours(real: RealHouse) -> None:
    lamp = await real.house.add(FakeLight("hall", is_on=True, brightness=250))
    zone = {
        "kind": "light_zone",
        "device": "light.hall",
        "power": 500.0,
        "from": "08:00:00",
        "to": "22:00:00",
        "dim": 80.0,
    }
    await real.home.open([data(zone, "Hall")], WAVE)
    await real.house.automate(
        "light_dim",
        brightness=real.entity("Hall", "sensor", "target_brightness"),
        override=real.entity("Hall", "switch", "override"),
        lights={"entity_id": ["light.hall"]},
        blind_dim=50,
    )
    seen: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(10 * 12):
        await real.home.advance(300, step=60)
        planned = float(real.says("Hall", "sensor", "target_brightness"))
        assert lamp.brightness == round(2.5 * planned)
        seen[planned < 100].append(float(real.house.state("sensor.co2")))
    assert seen[True]
    assert sum(seen[True]) / len(seen[True]) > sum(seen[False]) / len(seen[False])


async def test_a_zone_is_cooled_within_its_limits(real: RealHouse) -> None:
    climate = await real.house.add(
        FakeClimate("office", hvac_mode=HVACMode.COOL, target_temperature=24.0)
    )
    real.home.set("sensor.office", "24.2", unit_of_measurement="°C")
    real.home.set("sensor.outside", "30", unit_of_measurement="°C")
    zone = {
        "kind": "air_zone",
        "device": "climate.office",
        "area": 200.0,
        "heat_source": "cooler",
        "power": 8000.0,
        "setpoint": 24.0,
        "shift_up": 2.0,
        "shift_down": 2.0,
        "temperature": "sensor.office",
        "outside": "sensor.outside",
    }
    await real.home.open([data(zone, "Office")], WAVE)
    await real.house.automate(
        "hvac_precool",
        setpoint=real.entity("Office", "sensor", "target_setpoint"),
        override=real.entity("Office", "switch", "override"),
        climates=["climate.office"],
        normal=24,
    )
    for _ in range(8):
        await real.home.advance(HOUR, step=60)
        wanted = float(real.says("Office", "sensor", "target_setpoint"))
        assert climate.target_temperature == pytest.approx(wanted)
    assert len(set(real.house.values(climate, "temperature"))) > 1
    assert real.says("Office", "switch", "override") == "off"
    # Somebody sets it.
    await real.home.advance(120)
    climate.by_hand(target_temperature=climate.target_temperature - 1.5)
    chosen = climate.target_temperature
    await real.home.advance(120)
    await real.home.advance(HOUR, step=300)
    assert real.says("Office", "switch", "override") == "on"
    assert climate.target_temperature == chosen


async def test_advice_about_a_real_appliance(real: RealHouse) -> None:
    phone = phone_of(real.hass, "Pixel 8")
    await real.home.open([data(APPLIANCE, "Washer")], [500.0] * 9 + [80.0] * 3 + [500.0] * 60)
    await real.house.automate(
        "advice",
        phones=[phone.id],
        appliances=[
            {
                "ready": real.entity("Washer", "switch", "ready"),
                "start_now": real.entity("Washer", "button", "start_now"),
                "power": 1000,
                "minutes": 120,
            }
        ],
        at="17:00:00",
    )
    await real.home.advance(5 * HOUR, step=600)
    (message,) = phone.sent
    assert message["title"] == "Washer"
    assert message["message"] == "Start at 21:00 instead of now and avoid 840 g."
    plan_it = message["data"]["actions"][1]["action"]
    await phone.tap(plan_it)
    assert real.says("Washer", "switch", "ready") == "on"
    starts = dt_util.parse_datetime(real.says("Washer", "sensor", "next_start"))
    assert starts is not None
    assert dt_util.as_local(starts).strftime("%H:%M") == "21:00"
    # The other button would start it at once.
    await phone.tap(message["data"]["actions"][0]["action"])
    assert real.says("Washer", "binary_sensor", "run_now") == "on"


async def test_a_limit_takes_a_load_from_its_plan_and_gives_it_back(real: RealHouse) -> None:
    pump = await real.house.add(FakeSwitch("pump"))
    await real.home.open([data(RUN_TIME, "Pool", device="switch.pump", hours=20.0)], [200.0] * 72)
    override = real.entity("Pool", "switch", "override")
    follow = {
        "run_now": real.entity("Pool", "binary_sensor", "run_now"),
        "override": override,
        "device": "switch.pump",
        "least_on": 0,
        "least_off": 0,
    }
    await real.house.automate("pool_pump", **follow)
    attributes = {"unit_of_measurement": "W", ATTR_FRIENDLY_NAME: "Grid"}
    await real.house.say("sensor.grid", 2000, **attributes)
    await real.house.automate(
        "demand_limit",
        power="sensor.grid",
        limit=5,
        loads=[{"device": "switch.pump", "override": override, "least_off": 5}],
    )
    await real.home.advance(900)
    assert pump.is_on
    await real.house.say("sensor.grid", 6000, **attributes)
    await real.home.advance(30, step=5)
    assert not pump.is_on
    assert real.house.state(override) == "on"
    await real.home.advance(1800)
    assert not pump.is_on
    await real.house.say("sensor.grid", 1000, **attributes)
    await real.home.advance(480)
    assert real.house.state(override) == "off"
    assert pump.is_on


async def test_an_alert_of_a_meter_that_froze(real: RealHouse) -> None:
    assert await async_setup_component(real.hass, "persistent_notification", {})
    site = real.home.site
    await site.open(watts=3000.0)
    meter_id = site.meter().subentry.subentry_id
    doubtful = er.async_get(real.hass).async_get_entity_id(
        "binary_sensor", DOMAIN, f"{meter_id}_doubtful"
    )
    await real.house.automate(
        "anomaly_alert", sensors=[doubtful], least_time=10, sensitivity="low", notify=TELL
    )
    site.home["grid"].apply(Freeze())
    await site.advance(1500, step=30)
    assert real.house.told == ["Grid Doubtful values: frozen"]
    site.home["grid"].clear()
    await site.advance(300, step=30)
    assert real.house.told[1:] == ["Grid Doubtful values: all is well again"]
