"""What the entities of a hub say of figures that are hidden, old, or made of several flows."""

import asyncio
from datetime import timedelta
import time

from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.carbon_meter.community.contract.message import Flow
from custom_components.carbon_meter.community.ledger.calendar import Grain
from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.hub_entry.descriptions import COMMUNITY_FIGURES
from custom_components.carbon_meter.hub_entry.figures import figures_of
from tests.community.hub.big_street import counted, settle, spread, street
from tests.hub_entry.village import HOUR, Village, last_hours, moved
from tests.metering.json.broker import needs_mosquitto

pytestmark = needs_mosquitto


def used(number: int, _start: int) -> dict[Flow, int]:
    """Return what a home tells; three of them have solar energy."""
    flows = {Flow.GRID_IMPORT: 1000 + number}
    if number < 3:
        flows |= {Flow.PV: 400, Flow.GRID_EXPORT: 100}
    return flows


async def test_after_withdrawals_the_old_sum_says_that_it_is_old(village: Village) -> None:
    hub = await village.open()
    homes = await village.invite(20)
    await village.tell(homes, last_hours(1), used)
    await village.publish()
    total = village.value("hour_energy")
    fresh = village.state("hour_energy").attributes
    assert (fresh["current"], fresh["finality"]) == (True, "provisional")
    for home in homes[:6]:
        await asyncio.to_thread(village.homes.withdraw, home)
    await village.until(lambda: hub.status.counts.withdrawals == 6)
    await village.publish(later=25 * HOUR)
    # Fewer than fifteen are left, and fewer than fifteen have left: nothing else can be shown.
    assert village.value("hour_energy") == total
    assert (village.value("hour_homes"), village.value("hour_expected")) == (20, 14)
    assert village.state("hour_participation").state == "unknown"
    for key in ("hour_energy", "hour_homes", "hour_carbon"):
        assert village.state(key).attributes["current"] is False, key


async def test_hidden_solar_energy_is_the_reason_of_what_is_made_of_it(village: Village) -> None:
    await village.open()
    homes = await village.invite(20)
    await village.tell(homes, last_hours(1), used)
    await village.publish()
    assert village.state("hour_energy").attributes["suppressed"] is None
    for key in ("hour_self_consumption", "hour_shared_generation"):
        state = village.state(key)
        assert (state.state, state.attributes["suppressed"]) == ("unknown", "few"), key
    assert village.state("hour_cfe_score").attributes["suppressed"] is None
    assert village.value("hour_cfe_score") > 0


async def test_a_home_in_the_mean_and_in_the_middle(village: Village) -> None:
    publisher = (await village.open()).opened.publisher
    homes = await village.invite(30)
    day = publisher.begin(Grain.DAY, int(time.time()) - 2 * 86400)
    await village.tell(homes, range(day, day + 4 * HOUR, HOUR), used)
    await village.publish()
    every = [4 * (1000 + number) / 1000 for number in range(30)]
    assert village.value("day_energy_per_home") == pytest.approx(sum(every) / 30)
    # The mean of the fifteen around the middle is 4.06 kWh; 4 is the preferred number next to it.
    assert village.value("day_median") == 4.0
    # Of that evening: today another month may have begun.
    village.hub.figures = figures_of(publisher, day + 22 * HOUR)
    assert set(village.hub.figures.so_far) == {Grain.MONTH, Grain.YEAR}
    village.hub._changed()
    await village.hass.async_block_till_done()
    state = village.state("month_so_far_energy")
    assert float(state.state) == pytest.approx(sum(every))
    assert (state.attributes["finality"], state.attributes["suppressed"]) == ("open", None)
    begin = dt_util.parse_datetime(state.attributes["begin"]).timestamp()
    assert begin == publisher.begin(Grain.MONTH, day)


async def test_few_figures_are_shown_at_first(village: Village) -> None:
    await village.open()
    registry = er.async_get(village.hass)
    disabled = set()
    for description in COMMUNITY_FIGURES:
        unique_id = f"{village.entry.entry_id}_{description.key}"
        entity_id = registry.async_get_entity_id("sensor", DOMAIN, unique_id)
        assert entity_id is not None, description.key
        if registry.async_get(entity_id).disabled:
            disabled.add(description.key)
    assert {key for key in disabled if not key.startswith("year")} == {
        "hour_energy_per_home",
        *(f"{grain}_carbon_per_home" for grain in ("hour", "day", "month")),
    }
    assert {each.key for each in COMMUNITY_FIGURES if each.key.startswith("year")} <= disabled


async def test_the_clock_alone_publishes_an_hour_that_is_due(village: Village) -> None:
    hub = await village.open()
    homes = await village.invite(20)
    start = int(time.time()) // HOUR * HOUR - HOUR
    await village.tell(homes, [start], used)
    await village.publish()
    await village.fire(600)
    await village.until(lambda: hub._wanted is None)
    assert village.state("hour_energy").state == "unknown"
    with moved(start + 3 * HOUR + 600 + 1 - time.time()):
        await village.fire(0)
        await village.until(lambda: village.state("hour_energy").state != "unknown")
    begin = village.state("hour_energy").attributes["begin"]
    assert dt_util.parse_datetime(begin).timestamp() == start


async def test_every_night_all_sums_are_worked_out_again(village: Village) -> None:
    hub = await village.open()
    assert hub.care.wrong is None
    night = dt_util.start_of_local_day() + timedelta(days=1, hours=3, minutes=1)
    await village.fire(night.timestamp() - time.time() - 2 * HOUR)
    assert hub.care.wrong is None
    await village.fire(night.timestamp() - time.time())
    await village.until(lambda: hub.care.wrong is not None)
    assert hub.care.wrong == 0


async def test_websocket_says_what_counting_gives(
    village: Village, hass_ws_client: WebSocketGenerator
) -> None:
    hub = await village.open()
    ledger = hub.opened.core.ledger
    start = last_hours(1)[0]

    def tell() -> None:
        settle(ledger, dt_util.utc_from_timestamp(start - 2 * 86400).date())
        ledger.take(street(start, 1, hub.community), time.time())

    await village.hass.async_add_executor_job(tell)
    await village.publish()
    client = await hass_ws_client(village.hass)
    begin = dt_util.utc_from_timestamp(start).isoformat()
    await client.send_json_auto_id(
        {"type": f"{DOMAIN}/community/view", "grain": "hour", "begin": begin}
    )
    [period] = (await client.receive_json())["result"]["periods"]
    [flow] = period["flows"]
    for name, amount in counted(1, HOUR).items():
        near = 0.01 if name in {"coverage", "told"} else 1e-9
        assert flow[name] == pytest.approx(amount, abs=near), name
    quantiles = {f"{part * 100:.0f}": kwh for part, kwh in spread(1).items()}
    assert flow["quantiles"] == pytest.approx(quantiles)
    assert (flow["state"], flow["is_current"]) == ("provisional", True)
    shown = village.state("hour_energy").attributes["quantiles"]
    assert shown == pytest.approx({f"{part:.0%}": kwh for part, kwh in spread(1).items()})
    assert village.value("hour_participation") == pytest.approx(100 * 100 / 104)
