"""The action that plans: loads of a real site, and runs that belong to none."""

import asyncio
from datetime import datetime, timedelta
import json
from pathlib import Path
import re
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.service import async_get_all_descriptions
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import probatio
import pytest

from custom_components.carbon_meter import const
from custom_components.carbon_meter.const import DOMAIN
from tests.common import SiteUnderTest
from tests.loads.site import APPLIANCE, EV, EVENING, HOUR, RUN_TIME, LoadedSite, open_with_loads

PACKAGE = Path(const.__file__).parent
MINE = (
    "loads/chosen",
    "plan_action",
    "loads/plan_response",
    "simulate_action",
    "simulation/run",
    "simulation/days",
    "simulation/site",
    "simulation/past",
    "blueprints_action",
)
ENGLISH = (PACKAGE / "translations" / "en.json").read_text()
NIGHT = [400.0] * 4 + [100.0] * 2 + [300.0] * 60
START = EVENING.timestamp()


async def plan(hass: HomeAssistant, **data: Any) -> list[dict[str, Any]]:
    """Return the plans of the response, which JSON can tell."""
    response = await hass.services.async_call(
        DOMAIN, "plan", data, blocking=True, return_response=True
    )
    assert response is not None
    assert json.loads(json.dumps(response, allow_nan=False)) == response
    return response["plans"]


async def opened(site: SiteUnderTest, *loads: Any, **options: Any) -> LoadedSite:
    site.start_at(EVENING)
    return await open_with_loads(site, loads or (APPLIANCE,), options or None, forecast=NIGHT)


def moment(told: str | None) -> float:
    """Return a time as it was told: on the local clock."""
    assert told is not None
    found = datetime.fromisoformat(told)
    assert found.utcoffset() == found.astimezone(dt_util.get_default_time_zone()).utcoffset()
    return found.timestamp()


def at(hours: float) -> str:
    """Return a moment so many hours from the start, on the local clock without an offset."""
    told = EVENING + timedelta(hours=hours)
    return dt_util.as_local(told).replace(tzinfo=None).isoformat(" ")


# Loads


async def test_a_load_that_is_made_ready_is_planned(site: SiteUnderTest) -> None:
    home = await opened(site)
    entity = "binary_sensor.appliance_run_now"
    registered = er.async_get(site.hass).async_get(entity)
    assert registered is not None
    (told,) = await plan(site.hass, load=[entity], ready=True)
    assert told["title"] == "appliance"
    assert told["site"] == "Home"
    assert told["run_now"] is False
    start = START + 4 * HOUR
    assert moment(told["next_start"]) == start
    found = told["plan"]
    assert [(moment(run["start"]), moment(run["end"])) for run in found["runs"]] == [
        (start, start + 2 * HOUR)
    ]
    # 2 kWh at 100 in place of 400 g/kWh.
    assert found["energy"] == 2.0
    assert (found["carbon"], found["saved_carbon"]) == (200.0, 600.0)
    assert found["at_once"]["carbon"] == 800.0
    assert found["gap"] == 0.0
    assert found["value"] == found["lower_bound"] == 200.0
    assert found["cost"] is None
    assert found["reason"] == "moved"
    assert found["relaxed"] == []
    assert "saves 600 g" in told["explanation"] == found["explanation"]
    assert home.load().is_ready
    (told,) = await plan(site.hass, load=entity, ready=False)
    assert told["plan"] is None
    assert told["explanation"] == "Nothing has to run"
    assert not home.load().is_ready


async def test_finish_by_makes_ready_and_is_the_deadline(site: SiteUnderTest) -> None:
    await opened(site)
    load = next(iter(site.entry.runtime_data.planner.loads))
    devices = dr.async_entries_for_config_entry(dr.async_get(site.hass), site.entry.entry_id)
    device = next(each for each in devices if (DOMAIN, load) in each.identifiers)
    (told,) = await plan(site.hass, load=device.id, finish_by=at(3))
    assert moment(told["deadline"]) == START + 3 * HOUR
    assert moment(told["plan"]["end"]) <= START + 3 * HOUR
    assert told["plan"]["carbon"] == 800.0


async def test_a_car_leaves_once_at_another_time(site: SiteUnderTest) -> None:
    """20 % of 50 kWh; after three hours in place of in the morning, at 400 in place of 100."""
    home = await opened(site, EV)
    home.set("input_boolean.car", "on")
    home.set("sensor.car_level", "60", unit_of_measurement="%")
    await site.settle()
    usual, once, again = [
        (await plan(site.hass, load="binary_sensor.ev_run_now", **data))[0]
        for data in ({}, {"finish_by": at(3)}, {"ready": False})
    ]
    assert once["plan"]["energy"] == usual["plan"]["energy"] == pytest.approx(10 / 0.9, rel=1e-3)
    assert moment(once["plan"]["end"]) <= START + 3 * HOUR < moment(usual["plan"]["start"])
    assert once["plan"]["carbon"] == pytest.approx(4.0 * usual["plan"]["carbon"], rel=1e-3)
    assert again["plan"] == usual["plan"]


async def test_without_a_load_all_are_planned(site: SiteUnderTest) -> None:
    home = await opened(site, APPLIANCE, RUN_TIME)
    home.set("input_boolean.washer_ready", "on")
    await site.settle()
    # It has not been planned with what is said now.
    home.forecast([400.0, 50.0] + [300.0] * 60)
    told = {each["title"]: each for each in await plan(site.hass)}
    assert set(told) == {"appliance", "run_time"}
    assert moment(told["appliance"]["plan"]["start"]) == START + HOUR
    assert told["run_time"]["plan"]["energy"] == pytest.approx(2.4)
    assert told["run_time"]["kind"] == "run_time"


@pytest.mark.parametrize("action", ["plan", "simulate"])
async def test_site_that_is_unloaded_meanwhile(site: SiteUnderTest, action: str) -> None:
    home = await opened(site, APPLIANCE, RUN_TIME)
    task = home.hass.async_create_task(
        home.hass.services.async_call(DOMAIN, action, {}, blocking=True, return_response=True)
    )
    await asyncio.sleep(0)
    await site.unload()
    try:
        assert await task
    except HomeAssistantError as err:
        # A simulation may have been in the middle of its work.
        assert err.translation_key == "simulation_cancelled"  # noqa: PT017


async def test_without_a_response_it_plans_as_well(site: SiteUnderTest) -> None:
    home = await opened(site)
    load = home.load()
    await site.hass.services.async_call(
        DOMAIN, "plan", {"load": [load.id], "ready": True}, blocking=True
    )
    assert load.is_ready
    assert load.plan is not None


async def test_sentences_are_in_the_language_of_home_assistant(site: SiteUnderTest) -> None:
    await opened(site)
    site.hass.config.language = "zh-Hans"
    (told,) = await plan(site.hass, load="binary_sensor.appliance_run_now", ready=True)
    assert "节省 600 克" in told["explanation"]
    (told,) = await plan(
        site.hass, power=1000, duration="05:00", earliest=at(0), latest=at(2), interruptible=True
    )
    (relaxed,) = told["plan"]["relaxed"]
    assert "截止时间" in relaxed


async def test_what_cannot_be_kept_is_told_in_sentences(site: SiteUnderTest) -> None:
    await opened(site)
    (told,) = await plan(site.hass, load="binary_sensor.appliance_run_now", finish_by=at(1))
    assert told["at_risk"] is True
    assert told["plan"]["relaxed"] == ["It ends 1 h late"]


# Runs


async def test_a_run_without_a_load(site: SiteUnderTest) -> None:
    home = await opened(site)
    (told,) = await plan(site.hass, power=2000, duration={"minutes": 90})
    found = told["plan"]
    start, end = moment(found["start"]), moment(found["end"])
    assert START + 4 * HOUR <= start < end <= START + 6 * HOUR
    assert end - start == 1.5 * HOUR
    assert (found["energy"], found["carbon"], found["saved_carbon"]) == (3.0, 300.0, 900.0)
    assert told["explanation"] == found["explanation"]
    # Nothing is kept of it.
    assert home.load().plan is None


async def test_a_run_keeps_its_window(site: SiteUnderTest) -> None:
    await opened(site)
    (told,) = await plan(site.hass, power=1000, duration=3600, earliest=at(6), latest=at(8))
    assert moment(told["plan"]["start"]) >= START + 6 * HOUR
    (told,) = await plan(site.hass, power=1000, duration=3600, earliest=at(-5), latest=at(2))
    assert moment(told["plan"]["start"]) == START


async def test_a_run_that_may_pause(site: SiteUnderTest) -> None:
    site.start_at(EVENING)
    await open_with_loads(site, [APPLIANCE], forecast=[100.0, 400.0] * 36)
    whole, parts = [
        (await plan(site.hass, power=1000, duration="02:00:00", interruptible=may))[0]["plan"]
        for may in (False, True)
    ]
    assert len(whole["runs"]) == 1
    assert [moment(run["start"]) for run in parts["runs"]] == [START, START + 2 * HOUR]
    assert (whole["carbon"], parts["carbon"]) == (500.0, 200.0)


async def test_a_run_with_a_profile(site: SiteUnderTest) -> None:
    """The heavy hour falls into the two clean ones."""
    await opened(site)
    (told,) = await plan(site.hass, profile=[2000, 100, 100], step="01:00:00")
    assert moment(told["plan"]["start"]) == START + 4 * HOUR
    assert [run["power"] for run in told["plan"]["runs"]] == [2000.0, 100.0]
    assert told["plan"]["energy"] == pytest.approx(2.2)


async def test_without_a_forecast_it_runs_at_once(site: SiteUnderTest) -> None:
    site.start_at(EVENING)
    await open_with_loads(site, [APPLIANCE], options=None, forecast=None)
    (told,) = await plan(site.hass, power=1000, duration=3600)
    assert told["plan"]["reason"] == "not_known"
    assert moment(told["plan"]["start"]) == START
    assert told["plan"]["carbon"] is None


async def test_a_site_without_loads_plans_runs(site: SiteUnderTest) -> None:
    site.start_at(EVENING)
    await site.open(())
    (told,) = await plan(site.hass, power=1000, duration=3600)
    assert told["plan"]["energy"] == 1.0
    with pytest.raises(ServiceValidationError, match="has no loads"):
        await plan(site.hass)


# What cannot be


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"load": "sensor.unheard_of"}, "no load of this site"),
        ({"load": "sensor.home_carbon_intensity"}, "no load of this site"),
        ({"load": "binary_sensor.appliance_run_now", "power": 100}, "Leave out: power"),
        ({"load": "binary_sensor.run_time_run_now", "ready": True}, "neither an appliance"),
        ({"ready": True}, "Choose the loads"),
        ({"power": 100, "duration": 60, "ready": True}, "Choose the loads"),
        ({"finish_by": "2026-09-22 07:00:00"}, "Choose the loads"),
        (
            {"load": "binary_sensor.appliance_run_now", "finish_by": "2026-09-20 07:00:00"},
            "is past",
        ),
        (
            {
                "load": "binary_sensor.appliance_run_now",
                "finish_by": "2026-09-22 07:00:00",
                "ready": False,
            },
            "Leave one of the two out",
        ),
        ({"power": 100}, "needs duration"),
        ({"duration": 100}, "needs power"),
        ({"profile": [1, 2]}, "needs step"),
        ({"profile": [0, 0], "step": 60}, "no power in it"),
        ({"profile": [1, 2], "step": 60, "power": 5}, "Leave out: power"),
        ({"profile": [1, 2], "step": 60, "interruptible": True}, "Leave out: interruptible"),
        ({"power": 5, "duration": 60, "step": 60}, "leave out the step"),
        ({"step": 60}, "leave out the step"),
        ({"power": 5, "duration": 0}, "more than no time"),
        ({"power": 5, "duration": {"days": 8}}, "7 days at the most"),
        ({"power": 5, "duration": 60, "latest": "2026-09-20 07:00:00"}, "later end"),
        ({"power": 5, "duration": 60, "latest": "2026-10-20 07:00:00"}, "7 days ahead"),
        (
            {"power": 5, "duration": 60, "latest": "0001-01-01T00:00:00+05:00"},
            "no time that a clock",
        ),
    ],
)
async def test_errors_say_what_to_do(site: SiteUnderTest, data: dict[str, Any], says: str) -> None:
    await opened(site, APPLIANCE, RUN_TIME)
    with pytest.raises(ServiceValidationError, match=says):
        await plan(site.hass, **data)


@pytest.mark.parametrize(
    "data",
    [
        {"power": 0, "duration": 60},
        {"power": float("nan"), "duration": 60},
        {"power": float("inf"), "duration": 60},
        {"power": "much", "duration": 60},
        {"power": 5, "duration": -60},
        {"profile": [1, float("nan")], "step": 60},
        {"profile": [1, -1], "step": 60},
        {"profile": [1] * 1441, "step": 60},
        {"profile": "x", "step": 60},
        {"load": [7.5, {}]},
        {"finish_by": "soon"},
        {"what": 1},
    ],
)
async def test_nonsense_is_refused(site: SiteUnderTest, data: dict[str, Any]) -> None:
    await opened(site)
    with pytest.raises((probatio.Invalid, ServiceValidationError)):
        await plan(site.hass, **data)


async def test_without_a_site(real_time: HomeAssistant) -> None:
    assert await async_setup_component(real_time, DOMAIN, {})
    for data in ({}, {"power": 1, "duration": 60}):
        with pytest.raises(ServiceValidationError, match="no site"):
            await plan(real_time, **data)


async def test_site_that_is_not_loaded(site: SiteUnderTest) -> None:
    home = await opened(site)
    load = home.load().id
    await site.unload()
    for data in ({}, {"load": load}, {"power": 1, "duration": 60}):
        with pytest.raises(ServiceValidationError, match="reload it"):
            await plan(site.hass, **data)


async def test_every_field_of_the_actions_is_described(site: SiteUnderTest) -> None:
    await opened(site)
    described = (await async_get_all_descriptions(site.hass))[DOMAIN]
    texts = json.loads(ENGLISH)["services"]
    for action in ("plan", "simulate", "cancel_simulation", "install_blueprints"):
        schema = site.hass.services.async_services()[DOMAIN][action].schema
        assert schema is not None
        fields = {str(key) for key in schema.schema}
        assert set(described[action]["fields"]) == set(texts[action]["fields"]) == fields


def test_every_message_of_the_actions_exists_and_is_used() -> None:
    texts = json.loads(ENGLISH)
    source = "".join((PACKAGE / f"{name}.py").read_text() for name in MINE)
    used = set(re.findall(r'(?:refused\(\s*|translation_key=)"(\w+)"', source))
    assert used <= set(texts["exceptions"])
    mine = {key for key in texts["exceptions"] if key.startswith(("plan_", "simulation_"))}
    assert mine <= used
    notes = set(re.findall(r'Note\(\s*key="(\w+)"', source))
    assert notes == {key for key in texts["common"] if key.startswith("simulation_")}
