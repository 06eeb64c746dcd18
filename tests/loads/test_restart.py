"""Loads over restarts, crashes and times in which Home Assistant did not run."""

from copy import deepcopy
import json
from typing import Any

from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
import pytest

from tests.common import SiteUnderTest
from tests.loads.site import APPLIANCE, EV, EVENING, HOUR, RUN_TIME, LoadedSite

T = EVENING.timestamp()
NIGHT = [400.0] * 4 + [100.0] * 2 + [300.0] * 60


@pytest.fixture
def home(site: SiteUnderTest) -> LoadedSite:
    """Return a site that is not set up, on an evening in September."""
    site.start_at(EVENING)
    return LoadedSite(site)


def key_of(home: LoadedSite) -> str:
    """Return the name of the file of the site's loads."""
    return f"carbon_meter.{home.site.entry.entry_id}.loads"


async def restart(home: LoadedSite, hass_storage: dict[str, Any], seconds: float) -> None:
    """Take the site down and set it up again some time later."""
    del hass_storage
    await home.site.unload()
    home.site.pass_unseen(seconds)
    home.say()
    await home.site.load()


async def crash(home: LoadedSite, hass_storage: dict[str, Any], seconds: float) -> None:
    """Set the site up again with the file as it was before it was taken down."""
    on_disk = deepcopy(hass_storage[key_of(home)])
    await home.site.unload()
    hass_storage[key_of(home)] = on_disk
    home.site.pass_unseen(seconds)
    home.say()
    await home.site.load()


@pytest.mark.parametrize("how", [restart, crash])
async def test_run_in_progress_goes_on(home: LoadedSite, hass_storage: dict[str, Any], how) -> None:
    home.set("input_boolean.washer_ready", "on")
    await home.open([APPLIANCE], NIGHT)
    await home.advance(4 * HOUR, step=600)
    assert home.load().run_now is True
    home.set("input_boolean.washer", "on")
    await home.advance(HOUR / 2)
    await how(home, hass_storage, 300)
    load = home.load()
    assert load.run_now is True
    # One run, also of the minutes in which nobody looked.
    assert len(load.runs) == 1
    assert load.runs[-1][1] == pytest.approx(T + 6 * HOUR, abs=120)
    await home.advance(1.4 * HOUR)
    assert load.run_now is True
    await home.advance(HOUR / 4)
    assert load.run_now is not True
    # It is not run twice.
    await home.advance(2 * HOUR, step=600)
    assert (load.run_now is True, load.is_ready) == (False, False)


@pytest.mark.parametrize("how", [restart, crash])
async def test_plan_ready_override_and_wishes_survive(
    home: LoadedSite, hass_storage: dict[str, Any], how
) -> None:
    home.set("input_boolean.car", "on")
    home.set("sensor.car_level", "50", unit_of_measurement="%")
    await home.open([{**APPLIANCE, "title": "washer"}, {**EV, "title": "car"}], NIGHT)
    await home.load("washer").async_ready()
    await home.load("car").async_wish("target", 70.0)
    await home.load("car").async_override(3)
    runs = home.load("washer").runs, home.load("car").runs
    await home.advance(10)
    await how(home, hass_storage, 60)
    washer, car = home.load("washer"), home.load("car")
    assert (washer.runs, car.runs) == runs
    assert washer.is_ready
    assert (car.wishes, car.override_until) == ({"target": 70.0}, T + 3 * HOUR)


async def test_start_that_was_missed_is_planned_anew(
    home: LoadedSite, hass_storage: dict[str, Any]
) -> None:
    home.set("input_boolean.washer_ready", "on")
    await home.open([APPLIANCE], NIGHT)
    assert home.load().next_start == T + 4 * HOUR
    await restart(home, hass_storage, 7 * HOUR)
    load = home.load()
    await home.advance(60)
    assert load.plan is not None
    assert load.runs[0][0] >= T + 7 * HOUR
    assert load.runs[-1][1] <= load.deadline


async def test_quota_counts_what_ran_before_the_restart(
    home: LoadedSite, hass_storage: dict[str, Any]
) -> None:
    await home.open([RUN_TIME], NIGHT)
    load = home.load()
    await home.advance(3 * HOUR, step=600)
    for _ in range(30):
        home.set("input_boolean.pump", "on" if load.run_now else "off")
        await home.advance(300, step=300)
    ran = load.job.ran
    assert ran > 0.5
    await restart(home, hass_storage, 30)
    assert home.load().job.ran == pytest.approx(ran, abs=0.2)


@pytest.mark.parametrize(
    "garbage",
    [
        {"loads": 7},
        {"loads": {"LOAD": None}},
        {"loads": {"LOAD": {"job": {"phase": "flying"}, "planned": 3}}},
        {"loads": {"LOAD": {"job": 3, "realised": {"carbon": "x"}, "wishes": {"target": []}}}},
        {"kept": "soon", "prices": [1], "loads": {"LOAD": {"learner": {"runs": 3}}}},
    ],
)
async def test_file_that_cannot_be_read_costs_no_load(
    home: LoadedSite, hass_storage: dict[str, Any], garbage
) -> None:
    home.set("input_boolean.washer_ready", "on")
    await home.open([{**APPLIANCE, "learn": True}], NIGHT)
    await home.site.unload()
    load_id = next(iter(home.site.entry.subentries))
    hass_storage[key_of(home)]["data"] = json.loads(json.dumps(garbage).replace("LOAD", load_id))
    home.set("input_boolean.washer_ready", "off")
    await home.site.load()
    home.set("input_boolean.washer_ready", "on")
    await home.site.settle()
    assert home.load().next_start == T + 4 * HOUR


async def test_load_that_is_removed_leaves_nothing(
    home: LoadedSite, hass_storage: dict[str, Any]
) -> None:
    await home.open([APPLIANCE, {**RUN_TIME, "title": "pump"}], NIGHT)
    gone, stays = home.load("pump").id, home.load("appliance").id
    home.hass.config_entries.async_remove_subentry(home.site.entry, gone)
    await home.site.settle()
    await home.site.unload()
    assert list(hass_storage[key_of(home)]["data"]["loads"]) == [stays]
    await home.hass.config_entries.async_remove(home.site.entry.entry_id)
    await home.site.settle()
    assert key_of(home) not in hass_storage


async def test_settings_that_were_changed_win_over_an_older_wish(home: LoadedSite) -> None:
    home.set("input_boolean.car", "on")
    home.set("sensor.car_level", "50", unit_of_measurement="%")
    await home.open([EV], NIGHT)
    load = home.load()
    await load.async_wish("target", 70.0)
    await load.async_wish("must", 55.0)
    home.hass.config_entries.async_update_subentry(
        home.site.entry, load.subentry, data={**load.data, "target": 90.0}
    )
    await home.site.settle()
    assert home.load().wishes == {"must": 55.0}
    assert home.load().job.settings.target == 90.0


async def test_progress_is_in_the_file_when_home_assistant_stops(
    home: LoadedSite, hass_storage: dict[str, Any]
) -> None:
    await home.open([RUN_TIME], NIGHT)
    home.set("input_boolean.pump", "on")
    await home.advance(200)
    home.hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await home.site.settle()
    on_disk = hass_storage[key_of(home)]["data"]
    assert on_disk["kept"] == home.now
    assert on_disk["loads"][home.load().id]["job"] == home.load().job.as_dict()
