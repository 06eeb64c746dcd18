"""The decision of a site: simulated over its archive and its forecast, by real loads."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
import math
from typing import Any

from homeassistant.config_entries import ConfigSubentryData
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.helpers.script import Script
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import probatio
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.planning.simulate import Cancellation, Progress
from custom_components.carbon_meter.simulation.run import Simulation
from tests.common import SiteUnderTest
from tests.loads.site import (
    APPLIANCE,
    CO2,
    EVENING,
    HOUR,
    RUN_TIME,
    SOURCES,
    LoadedSite,
    forecast_attribute,
    open_with_loads,
)
from tests.simulations import (
    BATTERY,
    BERLIN,
    CAR,
    DAY,
    HALL,
    OFFICE,
    START,
    TANK,
    by_way,
    in_berlin,
    keys,
    live,
    local,
    simulate,
    wave,
)

# The forecast


async def test_the_next_day_by_hand(site: SiteUnderTest) -> None:
    """2 kWh: at 19:00, when it is made ready, at 300; at one o'clock, for two hours, at 100."""
    site.start_at(EVENING)
    await open_with_loads(site, [APPLIANCE], forecast=[300.0] * 14 + [100.0] * 2 + [300.0] * 60)
    response = await simulate(site.hass)
    assert response["site"] == "Home"
    assert response["days"] == 2
    assert datetime.fromisoformat(response["start"]).timestamp() == START
    assert datetime.fromisoformat(response["end"]).timestamp() == START + DAY
    ways = by_way(response)
    assert set(ways) == {"nothing", "cleanest"}
    assert (ways["nothing"]["carbon"], ways["cleanest"]["carbon"]) == (600.0, 200.0)
    assert ways["cleanest"]["saved_carbon"] == response["saved_carbon"] == 400.0
    assert ways["cleanest"]["energy"] == 2.0
    assert ways["cleanest"]["standing"] == "best"
    assert ways["cleanest"]["loads"] == {
        "appliance": {"energy": 2.0, "carbon": 200.0, "cost": None}
    }
    assert ways["cleanest"]["name"] == "run when it is cleanest"
    assert response["best"] == "cleanest"
    assert response["explanation"] == (
        "Best of 2: run when it is cleanest: saves 400 g against doing nothing"
    )
    assert response["coverage"] == {"known": 1.0, "price": None, "grades": {"forecast": 1.0}}
    assert keys(response) == {"simulation_usual"}


async def test_what_a_load_has_to_do_now_comes_first(site: SiteUnderTest) -> None:
    """The machine is ready at eleven: that run, and the usual one of the evening."""
    site.start_at(EVENING)
    home = await open_with_loads(
        site, [APPLIANCE], forecast=[300.0] * 4 + [100.0] * 2 + [200.0] * 60
    )
    await home.load().async_ready()
    response = await simulate(site.hass)
    # Until seven in the morning it is not made ready again.
    assert by_way(response)["nothing"]["carbon"] == 600.0
    assert by_way(response)["cleanest"]["carbon"] == 200.0


async def test_every_kind_takes_part(site: SiteUnderTest) -> None:
    home = await in_berlin(
        site,
        local(2026, 9, 21, 0),
        *(APPLIANCE, RUN_TIME, CAR, TANK, BATTERY, OFFICE, HALL),
        planning={"price": 0.3},
    )
    home.set("sensor.boiler", "55", unit_of_measurement="°C")
    home.set("sensor.battery", "50", unit_of_measurement="%")
    home.set("input_boolean.car", "off")
    await site.settle()
    response = await simulate(site.hass)
    ways = by_way(response)
    assert set(ways) >= {
        "nothing",
        "cleanest",
        "cheapest",
        "relaxed",
        "setpoint",
        "schedule",
        "dimmed",
        "combined",
    }
    kinds = {"appliance", "run_time", "ev", "thermal", "battery", "air_zone", "light_zone"}
    for each in response["alternatives"]:
        assert set(each["loads"]) == kinds
        assert each["carbon"] == pytest.approx(
            sum(load["carbon"] for load in each["loads"].values()), abs=1.0
        )
        assert each["cost"] is not None
    assert ways["cleanest"]["carbon"] < ways["nothing"]["carbon"]
    assert ways["nothing"]["loads"]["battery"]["carbon"] == 0.0
    assert ways["cleanest"]["loads"]["battery"]["carbon"] < 0.0
    assert ways["dimmed"]["dimmed"] == pytest.approx(0.2 * 0.25 * 12.0)
    # 20 % of 50 kWh, of which 90 % get into the car.
    assert ways["nothing"]["loads"]["ev"]["energy"] == pytest.approx(10.0 / 0.9, rel=1e-3)
    assert ways["nothing"]["loads"]["run_time"]["energy"] == pytest.approx(2.4)
    assert ways["relaxed"]["discomfort"] > 0.0
    # Nobody tells the temperature around the office; that around a tank is no matter.
    notes = {note["key"]: note["text"] for note in response["notes"]}
    assert "air_zone" in notes["simulation_no_outside"]
    assert "appliance, run_time, ev" in notes["simulation_usual"]


@pytest.mark.parametrize("level", ["unavailable", "150", "-20", "nan", "much"])
async def test_a_level_that_cannot_be_is_not_taken(site: SiteUnderTest, level: str) -> None:
    home = await in_berlin(site, local(2026, 9, 21), BATTERY)
    usual = await simulate(site.hass)
    home.set("sensor.battery", level, unit_of_measurement="%")
    await site.settle()
    assert by_way(await simulate(site.hass)) == by_way(usual)
    home.set("sensor.battery", "95", unit_of_measurement="%")
    await site.settle()
    assert by_way(await simulate(site.hass)) != by_way(usual)


async def test_comfort_that_is_accepted_is_used(site: SiteUnderTest) -> None:
    home = await in_berlin(site, local(2026, 9, 21, 0), TANK)
    home.set("sensor.boiler", "55", unit_of_measurement="°C")
    await site.settle()
    strict, generous = await simulate(site.hass), await simulate(site.hass, discomfort=1000.0)
    assert (
        by_way(strict)[strict["best"]]["discomfort"]
        <= 0.05 + by_way(strict)["nothing"]["discomfort"]
    )
    assert generous["best"] == "relaxed"
    assert generous["saved_carbon"] > strict["saved_carbon"]
    assert "less comfort" in generous["explanation"]


async def test_light_that_is_given_up_is_used(site: SiteUnderTest) -> None:
    await in_berlin(site, local(2026, 9, 21, 0), HALL)
    strict, generous = await simulate(site.hass), await simulate(site.hass, dimmed=0.7)
    assert strict["best"] == "nothing"
    assert generous["best"] == "dimmed"
    # Three of twelve hours, a fifth less light: 0.6 kWh.
    assert generous["alternatives"][0]["energy"] == pytest.approx(12.0 - 0.6)


async def test_a_goal_of_its_own_and_a_choice_of_alternatives(site: SiteUnderTest) -> None:
    """Clean at night, cheap at day."""
    await site.hass.config.async_set_time_zone("Europe/Berlin")
    begin = local(2026, 9, 21).timestamp()
    rows = [
        {
            "start": datetime.fromtimestamp(begin + hour * HOUR, UTC).isoformat(),
            "end": datetime.fromtimestamp(begin + (hour + 1) * HOUR, UTC).isoformat(),
            "price": 0.2 if 10 <= hour % 24 < 16 else 0.4,
        }
        for hour in range(72)
    ]
    site.hass.states.async_set(
        "sensor.price", "0.4", {"unit_of_measurement": "EUR/kWh", "prices": rows}
    )
    planning = {"price_entity": "sensor.price"}
    await in_berlin(site, local(2026, 9, 21), RUN_TIME, planning=planning)
    clean, cheap = await simulate(site.hass), await simulate(site.hass, goal="cost")
    assert (clean["best"], cheap["best"]) == ("cleanest", "cheapest")
    assert clean["coverage"]["price"] == 1.0
    # 2.4 kWh at 0.2.
    assert by_way(cheap)["cheapest"]["cost"] == pytest.approx(0.48)
    assert sum(each["way"] == "between" for each in clean["alternatives"]) == 3
    assert all("price_per_kg" in each for each in clean["alternatives"] if each["way"] == "between")
    some = await simulate(site.hass, alternatives=["between"])
    assert [each["way"] for each in some["alternatives"]].count("between") == 3
    assert set(by_way(some)) == {"nothing", "between"}
    # Weights between the same two ends.
    assert {each["cost"] for each in some["alternatives"] if each["way"] == "between"} == {
        each["cost"] for each in clean["alternatives"] if each["way"] == "between"
    }
    assert set(by_way(await simulate(site.hass, alternatives="cheapest"))) == {
        "nothing",
        "cheapest",
    }


async def test_a_price_that_ends_too_early_is_left_out_and_told(site: SiteUnderTest) -> None:
    begin = local(2026, 9, 21).timestamp()
    rows = [
        {"start": datetime.fromtimestamp(begin + h * HOUR, UTC).isoformat(), "price": 0.3}
        for h in range(12)
    ]
    site.hass.states.async_set(
        "sensor.price", "0.3", {"unit_of_measurement": "EUR/kWh", "prices": rows}
    )
    planning = {"price_entity": "sensor.price"}
    await in_berlin(site, local(2026, 9, 21), RUN_TIME, planning=planning)
    response = await simulate(site.hass)
    assert "simulation_no_price" in keys(response)
    assert set(by_way(response)) == {"nothing", "cleanest"}
    assert response["coverage"]["price"] == pytest.approx(0.5, abs=0.05)


async def test_only_some_loads_and_in_the_language_of_the_home(site: SiteUnderTest) -> None:
    home = await in_berlin(site, local(2026, 9, 21), APPLIANCE, RUN_TIME)
    site.hass.config.language = "zh-Hans"
    response = await simulate(site.hass, loads=[home.load("run_time").id])
    assert set(response["alternatives"][0]["loads"]) == {"run_time"}
    assert "与什么都不做相比" in response["explanation"]
    assert by_way(response)["cleanest"]["name"] == "在最清洁的时候运行"
    assert "run_time" in response["notes"][0]["text"]
    assert "十二小时" in response["notes"][0]["text"]


async def test_loads_of_one_name_are_told_apart(site: SiteUnderTest) -> None:
    await in_berlin(
        site, local(2026, 9, 21), {**RUN_TIME, "title": "Pump"}, {**RUN_TIME, "title": "Pump"}
    )
    response = await simulate(site.hass)
    loads = by_way(response)["cleanest"]["loads"]
    assert set(loads) == {"Pump", "Pump (2)"}
    assert loads["Pump"] == loads["Pump (2)"]


# What was recorded


async def test_days_of_the_archive_add_up(site: SiteUnderTest) -> None:
    """A week is the sum of its days, each asked for by itself."""
    home = await in_berlin(site, local(2026, 9, 21, 12), APPLIANCE, RUN_TIME, CAR, TANK)
    begin = local(2026, 9, 10)
    await live(home, begin.timestamp(), 12 * 24, lambda hour: wave(hour) * (1.0 + hour // DAY % 3))
    days = [local(2026, 9, day) for day in range(11, 16)]
    week = await simulate(site.hass, start=days[0].isoformat(), end=days[-1].isoformat())
    parts = [
        await simulate(site.hass, start=first.isoformat(), end=last.isoformat())
        for first, last in pairwise(days)
    ]
    assert week["days"] == 4
    assert week["coverage"]["grades"] == {"measured": 1.0}
    for way in ("nothing", "cleanest", "relaxed"):
        for figure in ("carbon", "energy", "discomfort"):
            assert by_way(week)[way][figure] == pytest.approx(
                sum(by_way(part)[way][figure] for part in parts), abs=0.3
            )
    assert by_way(week)["nothing"]["loads"]["appliance"]["energy"] == pytest.approx(8.0)
    assert by_way(week)["nothing"]["loads"]["ev"]["energy"] == pytest.approx(40 / 0.9, rel=1e-3)
    assert week["best"] == "cleanest"


@pytest.mark.parametrize(
    ("day", "hours"), [(local(2026, 3, 29), 23), (local(2026, 10, 25), 25)], ids=["23 h", "25 h"]
)
async def test_days_of_clock_changes(site: SiteUnderTest, day: datetime, hours: int) -> None:
    home = await in_berlin(
        site, day + timedelta(days=3), {**HALL, "from": "00:00:00", "to": "00:00:00"}, APPLIANCE
    )
    end = (day + timedelta(days=1)).replace(tzinfo=BERLIN)
    length = (end.timestamp() - day.timestamp()) / HOUR
    assert length == hours
    await live(home, day.timestamp() - DAY, 100)
    response = await simulate(site.hass, start=day.isoformat(), end=end.isoformat())
    assert response["days"] == 1
    loads = by_way(response)["nothing"]["loads"]
    # 1 kW of light in every hour that there was; one wash.
    assert loads["light_zone"]["energy"] == pytest.approx(hours)
    assert loads["appliance"]["energy"] == 2.0


async def test_days_with_long_gaps_are_left_out_and_short_ones_filled(site: SiteUnderTest) -> None:
    home = await in_berlin(site, local(2026, 9, 21, 12), RUN_TIME)
    begin = local(2026, 9, 15).timestamp()

    def value(hour: float) -> float:
        number = round((hour - begin) / HOUR)
        if number == 5 or 30 <= number < 33:
            return math.nan
        return wave(hour)

    await live(home, begin, 5 * 24, value)
    response = await simulate(
        site.hass, start=local(2026, 9, 15).isoformat(), end=local(2026, 9, 18).isoformat()
    )
    assert response["days"] == 2
    note = next(each for each in response["notes"] if each["key"] == "simulation_days_unknown")
    assert "2026-09-16" in note["text"]
    assert response["coverage"]["known"] == pytest.approx(1.0 - 3.0 / 72.0, abs=1e-3)
    assert by_way(response)["nothing"]["energy"] == pytest.approx(4.8)


async def test_what_was_and_what_will_be_in_one(site: SiteUnderTest) -> None:
    home = await in_berlin(site, local(2026, 9, 21, 12), RUN_TIME)
    await live(home, local(2026, 9, 20).timestamp(), 36)
    response = await simulate(
        site.hass, start=local(2026, 9, 20).isoformat(), end=local(2026, 9, 23).isoformat()
    )
    assert response["days"] == 3
    assert response["coverage"]["known"] == 1.0
    assert response["coverage"]["grades"] == {"measured": 0.5, "forecast": 0.5}
    # The same wave each day: three times the same.
    one = await simulate(
        site.hass, start=local(2026, 9, 20).isoformat(), end=local(2026, 9, 21).isoformat()
    )
    assert by_way(response)["cleanest"]["carbon"] == pytest.approx(
        3.0 * by_way(one)["cleanest"]["carbon"], rel=1e-3
    )


async def test_a_start_in_the_past_ends_now(site: SiteUnderTest) -> None:
    home = await in_berlin(site, local(2026, 9, 21, 12), RUN_TIME)
    await live(home, local(2026, 9, 20).timestamp(), 36)
    response = await simulate(site.hass, start="2026-09-20 00:00:00")
    assert datetime.fromisoformat(response["end"]) == local(2026, 9, 21, 12)


async def test_nothing_known_is_an_error_that_says_so(site: SiteUnderTest) -> None:
    home = await in_berlin(site, local(2026, 9, 21, 12), RUN_TIME)
    with pytest.raises(ServiceValidationError, match="of no whole day"):
        await simulate(site.hass, start="2026-09-01 00:00:00", end="2026-09-03 00:00:00")
    # A yearly factor tells nothing about when to run.
    await live(home, local(2026, 9, 1).timestamp(), 72, lambda _: 380.0, Grade.YEARLY)
    with pytest.raises(ServiceValidationError, match="of no whole day"):
        await simulate(site.hass, start="2026-09-01 00:00:00", end="2026-09-03 00:00:00")


async def test_a_yearly_factor_stands_where_there_is_a_price(site: SiteUnderTest) -> None:
    home = await in_berlin(site, local(2026, 9, 21, 12), RUN_TIME, planning={"price": 0.3})
    await live(home, local(2026, 9, 1).timestamp(), 96, lambda _: 380.0, Grade.YEARLY)
    response = await simulate(site.hass, start="2026-09-01 00:00:00", end="2026-09-03 00:00:00")
    assert "simulation_flat" in keys(response)
    assert response["best"] == "nothing"
    # Twice 2.4 kWh.
    assert response["alternatives"][0]["carbon"] == pytest.approx(4.8 * 380.0)
    assert response["alternatives"][0]["cost"] == pytest.approx(4.8 * 0.3)


async def test_hours_of_a_yearly_factor_are_no_steps_of_the_signal(site: SiteUnderTest) -> None:
    """Half a day without the source: what stands in for it would look like a clean time."""
    home = await in_berlin(site, local(2026, 9, 21, 12), RUN_TIME)
    await live(home, local(2026, 9, 1).timestamp(), 96)
    await live(home, local(2026, 9, 2, 6).timestamp(), 6, lambda _: 10.0, Grade.YEARLY)
    response = await simulate(site.hass, start="2026-09-01 00:00:00", end="2026-09-04 00:00:00")
    assert response["days"] == 2
    assert "simulation_days_unknown" in keys(response)


async def test_while_the_clock_runs(real_time: HomeAssistant) -> None:
    """Moments pass between what is asked and what is known: nothing of it may be missing."""
    begin = dt_util.utcnow().timestamp() // HOUR * HOUR
    values = [300.0, 200.0, 100.0] * 26
    real_time.states.async_set(
        CO2, "300", {"unit_of_measurement": "g/kWh", "forecast": forecast_attribute(values, begin)}
    )
    pump = ConfigSubentryData(
        data=RUN_TIME, subentry_type="load", title="Pump", unique_id=None, subentry_id="pump"
    )
    entry = MockConfigEntry(
        domain=DOMAIN, title="Home", options=dict(SOURCES), subentries_data=[pump]
    )
    entry.add_to_hass(real_time)
    assert await real_time.config_entries.async_setup(entry.entry_id)
    await real_time.async_block_till_done()
    response = await simulate(real_time)
    assert response["coverage"] == {"known": 1.0, "price": None, "grades": {"forecast": 1.0}}
    assert response["saved_carbon"] > 0.0
    planned = await real_time.services.async_call(
        DOMAIN, "plan", {"power": 1000, "duration": 3600}, blocking=True, return_response=True
    )
    (told,) = planned["plans"]
    assert told["plan"]["carbon"] == 100.0
    assert told["plan"]["saved_carbon"] > 0.0
    assert await real_time.config_entries.async_unload(entry.entry_id)


# Long runs


async def long(site: SiteUnderTest) -> dict[str, Any]:
    """Return what asks for a simulation that takes many seconds."""
    home = await in_berlin(
        site, local(2026, 9, 21), *({**TANK, "title": f"Tank {number}"} for number in range(4))
    )
    start = local(2026, 1, 1)
    hours = int((local(2026, 9, 21).timestamp() - start.timestamp()) / HOUR)
    await live(home, start.timestamp(), hours)
    return {"start": start.isoformat(), "end": local(2026, 9, 1).isoformat()}


async def reached(site: SiteUnderTest, task: asyncio.Task[Any], percent: float = 1.0) -> None:
    """Wait until a simulation has come so far, in the thread that it runs in."""
    simulation = site.entry.runtime_data.simulation
    there = asyncio.Event()

    def look() -> None:
        if simulation.progress is not None and simulation.progress >= percent:
            there.set()

    stop = simulation.async_add_listener(look)
    waiting = asyncio.create_task(there.wait())
    await asyncio.wait([waiting, task], return_when=asyncio.FIRST_COMPLETED)
    stop()
    waiting.cancel()
    assert there.is_set(), task


async def ended(site: SiteUnderTest) -> None:
    """Wait until nothing is simulated any more."""
    simulation = site.entry.runtime_data.simulation
    over = asyncio.Event()
    stop = simulation.async_add_listener(over.set)
    while simulation.is_running:
        over.clear()
        await over.wait()
    stop()
    assert (simulation.progress, simulation.stage) == (None, None)


async def test_it_can_be_cancelled_and_another_may_follow(site: SiteUnderTest) -> None:
    data = await long(site)
    task = asyncio.create_task(simulate(site.hass, **data))
    await reached(site, task)
    with pytest.raises(ServiceValidationError, match="simulates something already"):
        await simulate(site.hass)
    response = await site.hass.services.async_call(
        DOMAIN, "cancel_simulation", {}, blocking=True, return_response=True
    )
    assert response == {"cancelled": True}
    with pytest.raises(HomeAssistantError, match="was cancelled"):
        await task
    await ended(site)
    response = await site.hass.services.async_call(
        DOMAIN, "cancel_simulation", {}, blocking=True, return_response=True
    )
    assert response == {"cancelled": False}
    assert (await simulate(site.hass))["alternatives"]


async def test_a_script_that_is_stopped_stops_it(site: SiteUnderTest) -> None:
    data = await long(site)
    script = Script(
        site.hass,
        cv.SCRIPT_SCHEMA(
            [{"action": "carbon_meter.simulate", "data": data, "response_variable": "found"}]
        ),
        "ask",
        "test",
    )
    task = asyncio.create_task(script.async_run())
    await reached(site, task)
    await script.async_stop()
    await ended(site)
    assert task.done() or await task is None


async def test_unloading_the_site_stops_it(site: SiteUnderTest) -> None:
    data = await long(site)
    task = asyncio.create_task(simulate(site.hass, **data))
    await reached(site, task)
    await site.unload()
    with pytest.raises(HomeAssistantError, match="was cancelled"):
        await task


async def test_home_assistant_stops(site: SiteUnderTest) -> None:
    data = await long(site)
    task = asyncio.create_task(simulate(site.hass, **data))
    await reached(site, task)
    site.hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    with pytest.raises(HomeAssistantError, match="was cancelled"):
        await task
    await ended(site)


async def test_it_is_cancelled_while_it_reads(site: SiteUnderTest) -> None:
    """Nothing is simulated then."""
    await in_berlin(site, local(2026, 9, 21), RUN_TIME)
    simulation = site.entry.runtime_data.simulation
    stages: list[Any] = []

    def look() -> None:
        stages.append(simulation.stage)
        simulation.async_cancel()

    simulation.async_add_listener(look)
    with pytest.raises(HomeAssistantError, match="was cancelled"):
        await simulate(site.hass)
    assert stages == ["reading", None]


async def test_whoever_asked_goes_away(site: SiteUnderTest) -> None:
    data = await long(site)
    task = asyncio.create_task(simulate(site.hass, **data))
    await reached(site, task)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await ended(site)


async def test_the_sensor_shows_how_far_it_has_come(site: SiteUnderTest) -> None:
    home = await in_berlin(site, local(2026, 9, 21), RUN_TIME, TANK)
    home.set("sensor.boiler", "55", unit_of_measurement="°C")
    registry = er.async_get(site.hass)
    entity_id = "sensor.home_simulation"
    assert registry.async_get(entity_id).disabled
    registry.async_update_entity(entity_id, disabled_by=None)
    await site.unload()
    await site.load()
    assert site.hass.states.get(entity_id).state == "unknown"
    states: list[tuple[str, Any]] = []

    @callback
    def changed(event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        states.append((state.state, state.attributes.get("stage")))

    async_track_state_change_event(site.hass, entity_id, changed)
    await simulate(site.hass)
    await site.settle()
    told = [float(state) for state, stage in states if stage == "simulating"]
    assert states[0] == ("0.0", "reading")
    assert states[-1] == ("unknown", None)
    assert told == sorted(set(told))
    assert len(told) > 3
    assert told[-1] <= 100.0


async def test_progress_is_heard_of_a_thread_that_ends_before_it_is_waited_for(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a busy machine, where the thread that simulates is the one that runs."""
    simulation = Simulation(hass, "Home")
    told: list[float | None] = []
    simulation.async_add_listener(lambda: told.append(simulation.progress))

    def at_once(work: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
        with ThreadPoolExecutor(1) as threads:
            done = threads.submit(work, *arguments)
        return asyncio.wrap_future(done)

    def work(progress: Progress, _stop: Cancellation) -> str:
        progress(1, 2)
        progress(2, 2)
        return "found"

    async def read() -> Any:
        return work

    monkeypatch.setattr(hass, "async_add_executor_job", at_once)
    assert await simulation.async_run(read) == "found"
    assert told == [0.0, 0.0, 50.0, 100.0, None]


# What cannot be


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"start": "2026-09-21 00:00:00", "end": "2026-09-21 00:30:00"}, "an hour after"),
        ({"start": "2026-09-22 00:00:00", "end": "2026-09-21 00:00:00"}, "an hour after"),
        ({"end": "2026-09-20 00:00:00"}, "an hour after"),
        ({"start": "2020-01-01 00:00:00"}, "three years"),
        ({"end": "2026-09-30 00:00:00"}, "3 days ahead"),
        ({"loads": "sensor.unheard_of"}, "no load of this site"),
        ({"site": "unheard_of"}, "no site"),
    ],
)
async def test_errors_say_what_to_do(site: SiteUnderTest, data: dict[str, Any], says: str) -> None:
    await in_berlin(site, local(2026, 9, 21), RUN_TIME)
    with pytest.raises(ServiceValidationError, match=says):
        await simulate(site.hass, **data)


async def test_more_than_can_be_simulated_is_refused_before_anything_is_read(
    site: SiteUnderTest,
) -> None:
    loads = [{**RUN_TIME, "title": f"Pump {number}"} for number in range(6)]
    await in_berlin(site, local(2026, 9, 21), *loads)
    with pytest.raises(ServiceValidationError, match=r"994 days of 6 loads.*may be 4000"):
        await simulate(site.hass, start="2024-01-01 00:00:00")
    assert not site.entry.runtime_data.simulation.is_running


async def test_loads_that_have_nothing_to_do(site: SiteUnderTest) -> None:
    await in_berlin(site, local(2026, 9, 21, 1), APPLIANCE, RUN_TIME)
    # Between one and five o'clock neither a window begins nor a machine is filled.
    with pytest.raises(ServiceValidationError, match="anything to do"):
        await simulate(
            site.hass, end="2026-09-21 05:00:00", loads="binary_sensor.appliance_run_now"
        )


async def test_loads_of_two_sites_are_simulated_one_after_the_other(site: SiteUnderTest) -> None:
    home = await in_berlin(site, local(2026, 9, 21), RUN_TIME)
    first = home.load().id
    other = LoadedSite(SiteUnderTest(site.hass, site.freezer))
    other.site.start_at(local(2026, 9, 21))
    await other.open([RUN_TIME], [100.0, 200.0] * 40)
    second = other.load().id
    try:
        with pytest.raises(ServiceValidationError, match="one site after the other"):
            await simulate(site.hass, loads=[first, second])
        with pytest.raises(ServiceValidationError, match="Choose one"):
            await simulate(site.hass)
        with pytest.raises(ServiceValidationError, match="belongs to the site"):
            await simulate(site.hass, loads=[first], site=other.site.entry.entry_id)
        found = await simulate(site.hass, site=other.site.entry.entry_id)
        assert found["alternatives"]
    finally:
        await other.site.close()


@pytest.mark.parametrize(
    "data",
    [
        {"discomfort": -1},
        {"discomfort": "nan"},
        {"dimmed": float("inf")},
        {"goal": "peace"},
        {"alternatives": ["magic"]},
        {"start": "tomorrow"},
        {"start": "0001-01-01T00:00:00+05:00"},
        {"end": "9999-12-31 23:59:59"},
    ],
)
async def test_nonsense_is_refused(site: SiteUnderTest, data: dict[str, Any]) -> None:
    await in_berlin(site, local(2026, 9, 21), RUN_TIME)
    with pytest.raises((probatio.Invalid, ServiceValidationError)):
        await simulate(site.hass, **data)


async def test_without_a_site(real_time: HomeAssistant) -> None:
    assert await async_setup_component(real_time, DOMAIN, {})
    for action in ("simulate", "cancel_simulation"):
        with pytest.raises(ServiceValidationError, match="no site"):
            await real_time.services.async_call(
                DOMAIN, action, {}, blocking=True, return_response=True
            )
