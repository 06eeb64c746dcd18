"""Filling in a site's past: recorder statistics in, the record's hours out."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import json
import logging
from types import MappingProxyType
from typing import Any

from homeassistant.components.energy.data import async_get_manager
from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import (
    async_import_statistics,
    statistics_during_period,
)
from homeassistant.config_entries import SOURCE_USER, ConfigSubentry, ConfigSubentryData
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.carbon_meter.backfill import Request
from custom_components.carbon_meter.bookkeeper import archive_path
from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.figure_series import statistic_id
from custom_components.carbon_meter.past_energy import PastSource
from custom_components.carbon_meter.past_request import async_request
from tests.common import SiteUnderTest
from tests.flows.sources import TEXTS, Options
from tests.foreign import ForeignDevice, registry_id, say

NOW = datetime(2027, 1, 15, 10, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIXED = {"sources": [{"kind": "fixed", "value": 250.0}], "zone": "DE"}

type Rows = Sequence[tuple[datetime, float]]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Keep every single statement of the recorder out of the log: there are a hundred thousand."""
    logger = logging.getLogger("sqlalchemy.engine")
    level = logger.level
    logger.setLevel(logging.WARNING)
    yield
    logger.setLevel(level)


@pytest.fixture(autouse=True)
def recorder_first(quiet: None, recorder_mock) -> None:
    """Set the recorder up before Home Assistant."""


async def count(
    site: SiteUnderTest,
    statistic: str,
    energy: Rows,
    *,
    unit: str = "kWh",
    unit_class: str = "energy",
    base: float = 0.0,
) -> None:
    """Import a counter's statistics: what flowed in each hour, in its unit."""
    rows, total = [], base
    for start, amount in energy:
        total += amount
        rows.append(StatisticData(start=start, state=total, sum=total))
    metadata = StatisticMetaData(
        mean_type=StatisticMeanType.NONE,
        has_sum=True,
        name=None,
        source="recorder",
        statistic_id=statistic,
        unit_class=unit_class,
        unit_of_measurement=unit,
    )
    async_import_statistics(site.hass, metadata, rows)
    await async_wait_recording_done(site.hass)


def every_hour(
    start: datetime, hours: int, amount: float | Callable[[int], float] = 1.0
) -> list[tuple[datetime, float]]:
    """Return an energy for each of some hours."""
    return [
        (start + HOUR * turn, amount(turn) if callable(amount) else amount) for turn in range(hours)
    ]


def adopted(title: str, *sources: dict[str, Any], **changes: Any) -> ConfigSubentryData:
    """Return a meter that is made of entities."""
    return ConfigSubentryData(
        data={
            "driver": "entities",
            "entities": list(sources),
            "carrier": "electricity",
            "profile": "adopted",
            "manufacturer": "",
            "model": "",
            "serial": "",
            "role": "grid",
            "inverted": False,
            "power_inverted": False,
            "interval": 60,
            "write_interval": 60,
            **changes,
        },
        subentry_type="meter",
        subentry_id=title.lower().ljust(26, "0"),
        title=title,
        unique_id=f"entities:{title}",
    )


async def opened(
    site: SiteUnderTest, *meters: ConfigSubentryData, options: dict[str, Any] | None = None
) -> None:
    """Set a site up whose meters are adopted."""
    site.entry = MockConfigEntry(
        domain=DOMAIN,
        title="Home",
        options=FIXED if options is None else options,
        subentries_data=list(meters),
        version=1,
        minor_version=2,
    )
    site.entry.add_to_hass(site.hass)
    assert await site.hass.config_entries.async_setup(site.entry.entry_id)
    await site.settle()


def one_counter(site: SiteUnderTest, name: str = "grid", value: float = 1000.0) -> str:
    """Put a device with a counter into Home Assistant; return its entity."""
    return ForeignDevice(site.hass, name).add("energy", value, "kWh")


async def fill(site: SiteUnderTest, /, **fields: Any) -> dict[str, Any]:
    """Call the action."""
    response = await site.hass.services.async_call(
        DOMAIN, "backfill", fields, blocking=True, return_response=True
    )
    await async_wait_recording_done(site.hass)
    assert response is not None
    return dict(response)


async def recorded(
    site: SiteUnderTest,
    owner: str,
    what: str,
    *,
    period: str = "hour",
    start: datetime | None = None,
) -> list[dict[str, Any]]:
    """Return a series of the record as Home Assistant gives it."""
    await async_wait_recording_done(site.hass)
    series = statistic_id(owner, what)
    found = await get_instance(site.hass).async_add_executor_job(
        statistics_during_period,
        site.hass,
        start or NOW - timedelta(days=1500),
        None,
        {series},
        period,
        None,
        {"sum", "change", "mean"},
    )
    return found.get(series, [])


def changes(rows: list[dict[str, Any]]) -> dict[float, float]:
    return {row["start"]: row["change"] for row in rows}


GRID = "grid".ljust(26, "0")


async def test_hours_before_the_site_come_into_the_record(site: SiteUnderTest) -> None:
    site.start_at(NOW)
    entity = one_counter(site)
    start = datetime(2027, 1, 1, tzinfo=UTC)
    past = every_hour(start, 14 * 24 + 10, lambda turn: 0.5 + turn % 7 / 10)
    await count(site, entity, past, base=0.0)
    await opened(site, adopted("Grid", {"quantity": "energy_import", "entity": entity}))
    response = await fill(site)
    written = changes(await recorded(site, GRID, "energy_import"))
    assert {hour: pytest.approx(written[hour]) for hour in written} == {
        moment.timestamp(): pytest.approx(amount, rel=1e-9) for moment, amount in past
    }
    carbon = changes(await recorded(site, GRID, "carbon"))
    for moment, amount in past:
        assert carbon[moment.timestamp()] == pytest.approx(amount * 0.25, rel=1e-9)
    total = sum(amount for _, amount in past)
    assert response["hours"] == len(past)
    assert (response["start"], response["end"]) == (
        "2027-01-01T00:00:00+00:00",
        "2027-01-15T10:00:00+00:00",
    )
    (meter,) = response["meters"]
    assert meter["name"] == "Grid"
    assert meter["import"] == pytest.approx(total, abs=1e-6)
    assert meter["carbon_kg"] == pytest.approx(total / 4, abs=1e-6)
    assert meter["import_by_grade"] == {"yearly_factor": pytest.approx(total, abs=1e-6)}
    assert meter["hours_left_out"] == {}


async def test_filling_in_again_changes_nothing(site: SiteUnderTest) -> None:
    site.start_at(NOW)
    entity = one_counter(site)
    start = datetime(2026, 12, 20, tzinfo=UTC)
    await count(site, entity, every_hour(start, 26 * 24 + 10, 0.7))
    await opened(site, adopted("Grid", {"quantity": "energy_import", "entity": entity}))
    first = await fill(site)
    before = [await recorded(site, GRID, what) for what in ("energy_import", "carbon", "coverage")]
    totals = site.entry.runtime_data.keeper.totals
    assert await fill(site) == first
    after = [await recorded(site, GRID, what) for what in ("energy_import", "carbon", "coverage")]
    assert after == before
    assert site.entry.runtime_data.keeper.totals == totals
    assert not await site.hass.async_add_executor_job(site.entry.runtime_data.keeper.archive.audit)
    # And of a shorter past nothing is taken away.
    await fill(site, start="2027-01-10T00:00:00+00:00")
    assert await recorded(site, GRID, "carbon") == before[1]


async def test_live_sensors_do_not_jump(site: SiteUnderTest) -> None:
    site.start_at(NOW)
    entity = one_counter(site)
    await count(site, entity, every_hour(NOW.replace(minute=0) - 90 * HOUR, 90, 2.0))
    await opened(site, adopted("Grid", {"quantity": "energy_import", "entity": entity}))
    for turn in range(1, 7):
        say(site.hass, entity, 1000.0 + turn, "kWh")
        await site.advance(600, step=60)
    shown = {
        key: site.value(key, name)
        for key, name in (
            ("carbon_total", "grid"),
            ("site_carbon_total", None),
        )
    }
    assert shown["carbon_total"] == pytest.approx(1.5, abs=0.3)
    await fill(site)
    for key, name in (("carbon_total", "grid"), ("site_carbon_total", None)):
        assert site.value(key, name) == pytest.approx(shown[key], abs=1e-6)
    await site.unload()
    await site.load()
    assert site.value("carbon_total") == pytest.approx(shown["carbon_total"], abs=1e-6)
    await site.advance(3600, step=600)
    assert site.value("carbon_total") == pytest.approx(shown["carbon_total"], abs=1e-6)
    # While the record has all of it.
    rows = await recorded(site, GRID, "carbon")
    assert rows[-1]["sum"] == pytest.approx(90 * 0.5 + 1.5, abs=0.01)


async def test_what_the_ledger_has_booked_stays(site: SiteUnderTest) -> None:
    site.start_at(NOW)
    entity = one_counter(site)
    await opened(site, adopted("Grid", {"quantity": "energy_import", "entity": entity}))
    for turn in range(1, 13):
        say(site.hass, entity, 1000.0 + turn, "kWh")
        await site.advance(600, step=60)
    before = changes(await recorded(site, GRID, "energy_import"))
    assert before
    # The recorder claims otherwise of these hours, and knows of some before.
    await count(site, entity, every_hour(NOW.replace(minute=0) - 5 * HOUR, 7, 99.0))
    response = await fill(site)
    after = changes(await recorded(site, GRID, "energy_import"))
    assert {hour: after[hour] for hour in before} == pytest.approx(before, rel=1e-9)
    assert response["hours"] == 5
    assert response["end"] == NOW.replace(minute=0).isoformat()


async def test_resets_gaps_and_nonsense_are_told(site: SiteUnderTest) -> None:
    site.start_at(NOW)
    entity = one_counter(site)
    start = datetime(2027, 1, 14, tzinfo=UTC)
    past = every_hour(start, 34)
    past[5] = (past[5][0], -3.0)
    past[7] = (past[7][0], 5e7)
    del past[20:24]
    past[20] = (past[20][0], 5.0)
    await count(site, entity, past)
    await opened(site, adopted("Grid", {"quantity": "energy_import", "entity": entity}))
    response = await fill(site)
    (meter,) = response["meters"]
    assert meter["hours_left_out"] == {"backwards": 1, "impossible": 1}
    assert meter["hours_spread"] == 5
    written = changes(await recorded(site, GRID, "energy_import"))
    amounts = [written[(start + HOUR * turn).timestamp()] for turn in range(34)]
    wanted = [0.0 if turn in (5, 7) else 1.0 for turn in range(34)]
    assert amounts == pytest.approx(wanted, abs=1e-9)
    coverage = {row["start"]: row["mean"] for row in await recorded(site, GRID, "coverage")}
    known = [coverage[(start + HOUR * turn).timestamp()] for turn in range(34)]
    assert known == [0.0 if turn in (5, 7) or 20 <= turn <= 24 else 100.0 for turn in range(34)]


async def test_first_row_with_all_that_was_before_is_no_hour(site: SiteUnderTest) -> None:
    site.start_at(NOW)
    entity = one_counter(site)
    start = datetime(2027, 1, 14, tzinfo=UTC)
    await count(site, entity, every_hour(start, 34), base=12345.0)
    await opened(site, adopted("Grid", {"quantity": "energy_import", "entity": entity}))
    (meter,) = (await fill(site))["meters"]
    assert meter["import"] == pytest.approx(33.0)
    assert meter["hours_left_out"] == {"beginning": 1}


async def test_two_tariffs_and_both_ways_turned_round(site: SiteUnderTest) -> None:
    site.start_at(NOW)
    device = ForeignDevice(site.hass, "p1")
    start = datetime(2027, 1, 14, tzinfo=UTC)
    sources = []
    for key, quantity, amount, unit in (
        ("drawn_1", "energy_import", 1000.0, "Wh"),
        ("drawn_2", "energy_import", 0.002, "MWh"),
        ("given", "energy_export", 0.5, "kWh"),
    ):
        entity = device.add(key, 1000, unit)
        hours = 30 if key == "drawn_2" else 34
        await count(site, entity, every_hour(start, hours, amount), unit=unit)
        sources.append({"quantity": quantity, "entity": entity})
    await opened(site, adopted("Grid", *sources, inverted=True))
    (meter,) = (await fill(site))["meters"]
    assert meter["export"] == pytest.approx(3.0 * 30)
    assert meter["import"] == pytest.approx(0.5 * 34)
    assert meter["hours_left_out"] == {"incomplete": 4}


async def test_tariff_that_was_removed_leaves_no_half_truth(site: SiteUnderTest) -> None:
    site.start_at(NOW)
    device = ForeignDevice(site.hass, "p1")
    sources = []
    for key in ("drawn_1", "drawn_2"):
        entity = device.add(key, 1000, "kWh")
        await count(site, entity, every_hour(datetime(2027, 1, 14, tzinfo=UTC), 34))
        sources.append({"quantity": "energy_import", "entity": registry_id(site.hass, entity)})
    await opened(site, adopted("Grid", *sources))
    er.async_get(site.hass).async_remove(entity)
    with pytest.raises(ServiceValidationError, match="nothing to fill in"):
        await fill(site)


async def test_net_counter_counts_both_ways(site: SiteUnderTest) -> None:
    site.start_at(NOW)
    entity = one_counter(site)
    start = datetime(2027, 1, 14, tzinfo=UTC)
    await count(site, entity, every_hour(start, 34, lambda turn: -0.5 if turn % 2 else 1.0))
    source = {"quantity": "energy_import", "entity": entity, "net": True}
    await opened(site, adopted("Grid", source))
    (meter,) = (await fill(site))["meters"]
    assert (meter["import"], meter["export"]) == (pytest.approx(17.0), pytest.approx(8.5))
    assert meter["hours_left_out"] == {}


async def test_meter_that_only_knows_its_power(site: SiteUnderTest) -> None:
    site.start_at(NOW)
    entity = ForeignDevice(site.hass, "plug").add("power", 100, "kW")
    start = datetime(2027, 1, 14, tzinfo=UTC)
    metadata = StatisticMetaData(
        mean_type=StatisticMeanType.ARITHMETIC,
        has_sum=False,
        name=None,
        source="recorder",
        statistic_id=entity,
        unit_class="power",
        unit_of_measurement="kW",
    )
    rows = [
        StatisticData(start=start + HOUR * turn, mean=-0.5 if turn % 2 else 1.5, min=0, max=2)
        for turn in range(34)
        if turn != 9
    ]
    async_import_statistics(site.hass, metadata, rows)
    await async_wait_recording_done(site.hass)
    await opened(site, adopted("Grid", {"quantity": "power", "entity": entity}))
    (meter,) = (await fill(site))["meters"]
    assert (meter["import"], meter["export"]) == (pytest.approx(25.5), pytest.approx(8.0))
    assert meter["hours_left_out"] == {"unknown": 1}


async def test_gas_is_filled_in_with_its_own_factors(site: SiteUnderTest) -> None:
    site.start_at(NOW)
    entity = ForeignDevice(site.hass, "boiler").add("gas", 4000, "m³")
    start = datetime(2027, 1, 14, tzinfo=UTC)
    await count(site, entity, every_hour(start, 34, 0.4), unit="m³", unit_class="volume")
    await opened(
        site,
        adopted("Gas", {"quantity": "volume", "entity": entity}, carrier="gas"),
        options={"zone": "GB", "sources": []},
    )
    (meter,) = (await fill(site))["meters"]
    assert (meter["import"], meter["unit"]) == (pytest.approx(13.6), "m³")
    # About 2 kg for a cubic metre (UK DESNZ).
    assert any(1.8 * 13.6 < carbon < 2.3 * 13.6 for carbon in meter["carbon_kg"].values())


async def home(site: SiteUnderTest, days: int) -> datetime:
    """Open a home with sun and a battery whose past of some days is known; return its begin."""
    start = NOW.replace(hour=0, minute=0) - timedelta(days=days)
    hours = days * 24 + 10
    counters = {
        "p1": {"drawn": lambda turn: 0.3 + turn % 5 / 10, "given": lambda turn: turn % 3 / 10},
        "roof": {"made": lambda turn: max(0.0, 2.0 - abs(turn % 24 - 12) / 3)},
        "store": {
            "taken": lambda turn: 0.8 if turn % 24 in range(10, 15) else 0.0,
            "returned": lambda turn: 0.6 if turn % 24 in range(18, 23) else 0.0,
        },
    }
    quantities = {"given": "energy_export", "made": "energy_export", "returned": "energy_export"}
    meters = []
    for (device, keys), role in zip(counters.items(), ("grid", "solar", "battery"), strict=True):
        foreign = ForeignDevice(site.hass, device)
        sources = []
        for key, amount in keys.items():
            entity = foreign.add(key, 100, "kWh")
            await count(site, entity, every_hour(start, hours, amount))
            quantity = quantities.get(key, "energy_import")
            sources.append({"quantity": quantity, "entity": entity})
        meters.append(adopted(device.capitalize(), *sources, role=role))
    await opened(site, *meters)
    return start


def everything(site: SiteUnderTest) -> dict[str, dict[str, float]]:
    """Return the sums of the archive by owner and figure."""
    return site.entry.runtime_data.keeper.archive.totals()


def flat(totals: dict[str, dict[str, float]]) -> dict[str, float]:
    return {
        f"{owner} {figure}": value
        for owner, of_owner in totals.items()
        for figure, value in of_owner.items()
        if abs(value) > 1e-9
    }


async def test_killed_in_the_middle_it_goes_on_by_itself(site: SiteUnderTest) -> None:
    site.start_at(NOW)
    await home(site, 18)
    backfill = site.entry.runtime_data.backfill
    seen: list[float | None] = []
    backfill.async_add_listener(lambda: seen.append(backfill.progress))
    whole = asyncio.Event()
    backfill.async_add_listener(lambda: whole.set() if (backfill.progress or 0) > 30 else None)
    call = site.hass.async_create_task(
        site.hass.services.async_call(DOMAIN, "backfill", {}, blocking=True)
    )
    await whole.wait()
    assert await site.hass.config_entries.async_unload(site.entry.entry_id)
    with pytest.raises(HomeAssistantError, match="goes on by itself"):
        await call
    assert seen[-1] is None
    told = [value for value in seen if value is not None]
    assert told == sorted(told)
    await site.load()
    assert site.entry.runtime_data.backfill.progress is None
    after = flat(everything(site))
    site_rows = await recorded(site, site.entry.entry_id, "carbon")
    # Once more, from the beginning and without a stop.
    report = await fill(site)
    assert flat(everything(site)) == pytest.approx(after, rel=1e-9)
    again = await recorded(site, site.entry.entry_id, "carbon")
    assert [row["sum"] for row in again] == pytest.approx([row["sum"] for row in site_rows])
    assert report["hours"] == 18 * 24 + 10
    assert len(site_rows) == report["hours"]


async def test_batteries_are_carried_through_the_whole_past(site: SiteUnderTest) -> None:
    site.start_at(NOW)
    start = await home(site, 9)
    await fill(site)
    site_id = site.entry.entry_id
    totals = everything(site)["site"]
    store = site.entry.runtime_data.keeper.batteries
    kept = sum(battery.carbon for battery in store.values())
    carried_in = totals["carbon"] + totals.get("unmetered_carbon", 0.0)
    carried_in += totals.get("generation_carbon", 0.0) + totals.get("unbacked_carbon", 0.0)
    carried_out = totals["consumption_carbon"] + totals.get("export_carbon", 0.0) + kept
    carried_out += totals.get("written_off", 0.0)
    assert carried_out == pytest.approx(carried_in, rel=1e-9)
    used = changes(await recorded(site, site_id, "consumption_carbon"))
    assert min(used) == start.timestamp()
    assert sum(used.values()) == pytest.approx(totals["consumption_carbon"] / 1000, rel=1e-9)


async def test_meter_that_was_adopted_later_is_weighed_in_its_past(site: SiteUnderTest) -> None:
    site.start_at(NOW)
    grid, pump = one_counter(site), one_counter(site, "pump")
    start = datetime(2027, 1, 10, tzinfo=UTC)
    await count(site, grid, every_hour(start, 150, 2.0))
    await count(site, pump, every_hour(start, 130, 0.5))
    await opened(site, adopted("Grid", {"quantity": "energy_import", "entity": grid}))
    await fill(site)
    await site.advance(7200, step=600)
    site.hass.config_entries.async_add_subentry(
        site.entry,
        ConfigSubentry(
            **{
                key: value
                for key, value in adopted(
                    "Pump", {"quantity": "energy_import", "entity": pump}, role="submeter"
                ).items()
                if key != "data"
            },
            data=MappingProxyType(
                adopted("Pump", {"quantity": "energy_import", "entity": pump}, role="submeter")[
                    "data"
                ]
            ),
        ),
    )
    await site.settle()
    before = await recorded(site, GRID, "carbon")
    report = await fill(site, meters=["pump".ljust(26, "0")])
    (meter,) = report["meters"]
    assert meter["hours"] == 130
    assert meter["carbon_kg"] == pytest.approx(130 * 0.5 * 0.25)
    assert [row["sum"] for row in await recorded(site, GRID, "carbon")] == pytest.approx(
        [row["sum"] for row in before]
    )


async def test_statistic_of_a_meter_that_is_read_here(site: SiteUnderTest) -> None:
    site.start_at(NOW)
    old = one_counter(site, "old")
    await count(site, old, every_hour(datetime(2027, 1, 14, tzinfo=UTC), 34, 1.5))
    await site.open(watts=3600.0, options=FIXED)
    subentry_id = site.meter().subentry.subentry_id
    device = dr.async_get(site.hass).async_get_device_by_identifier(
        (DOMAIN, subentry_id), site.entry.entry_id
    )
    assert device is not None
    with pytest.raises(ServiceValidationError, match="Name the statistics"):
        await fill(site, meters=[device.id])
    report = await fill(site, meters=[device.id], statistic_import=old)
    assert report["meters"][0]["import"] == pytest.approx(1.5 * 34)
    await site.advance(3600, step=60)
    written = await recorded(site, subentry_id, "energy_import")
    assert written[-1]["sum"] == pytest.approx(1.5 * 34 + 2.4, abs=0.05)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"start": "2027-01-16T00:00:00+00:00"}, "not in the past"),
        ({"start": "2019-01-16T00:00:00+00:00"}, "2024-01-01"),
        ({"meters": ["nobody"]}, "no meter of this site"),
        ({"site": "nowhere"}, "no site nowhere"),
        ({"statistic_import": "sensor.x"}, "exactly one meter"),
        ({}, "nothing to fill in"),
    ],
)
async def test_what_cannot_be_filled_in_says_why(
    site: SiteUnderTest, fields: dict[str, Any], message: str
) -> None:
    site.start_at(NOW)
    entity = one_counter(site)
    await opened(site, adopted("Grid", {"quantity": "energy_import", "entity": entity}))
    with pytest.raises(ServiceValidationError, match=message):
        await fill(site, **fields)
    await site.unload()
    with pytest.raises(ServiceValidationError, match=r"not loaded|no site"):
        await fill(site, **fields)


async def test_two_years_are_asked_for_unless_told_otherwise(site: SiteUnderTest) -> None:
    await site.hass.config.async_set_time_zone("Europe/Berlin")
    site.start_at(NOW)
    entity = one_counter(site)
    await opened(site, adopted("Grid", {"quantity": "energy_import", "entity": entity}))
    request = await async_request(site.hass, site.entry.runtime_data)
    assert request.start == datetime(2025, 1, 14, 23, tzinfo=UTC).timestamp()
    assert Request.from_dict(json.loads(json.dumps(request.as_dict()))) == request


async def test_statistics_of_another_kind_are_refused(site: SiteUnderTest) -> None:
    site.start_at(NOW)
    entity = one_counter(site)
    await opened(site, adopted("Grid", {"quantity": "energy_import", "entity": entity}))
    with pytest.raises(ServiceValidationError, match="cannot be used"):
        await fill(site, meters=[GRID], statistic_import="sensor.nothing")


@pytest.mark.parametrize(
    ("time_zone", "begin", "hours"),
    [
        ("Europe/Berlin", "2026-03-29T00:00:00+01:00", 23),
        ("Europe/Berlin", "2026-10-25T00:00:00+02:00", 25),
    ],
)
async def test_periods_of_a_filled_past_agree(
    site: SiteUnderTest, time_zone: str, begin: str, hours: int
) -> None:
    await site.hass.config.async_set_time_zone(time_zone)
    start = datetime.fromisoformat(begin).astimezone(UTC)
    site.start_at(start + timedelta(hours=hours + 60))
    entity = one_counter(site)
    await count(site, entity, every_hour(start, hours + 50, lambda turn: 1 + turn % 9 / 7))
    await opened(site, adopted("Grid", {"quantity": "energy_import", "entity": entity}))
    await fill(site)
    day = (await recorded(site, GRID, "carbon", start=start))[:hours]
    days = await recorded(site, GRID, "carbon", period="day", start=start)
    assert days[0]["change"] == pytest.approx(sum(row["change"] for row in day), rel=1e-12)
    assert days[0]["end"] - days[0]["start"] == hours * 3600
    whole = sum(1 + turn % 9 / 7 for turn in range(hours + 50)) * 0.25
    for period in ("hour", "day", "week", "month", "year"):
        found = await recorded(site, GRID, "carbon", period=period)
        assert sum(row["change"] for row in found) == pytest.approx(whole, rel=1e-9)


async def test_progress_is_shown_by_a_sensor_and_in_the_options(
    site: SiteUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)
    site.start_at(NOW)
    entity = one_counter(site)
    await opened(site, adopted("Grid", {"quantity": "energy_import", "entity": entity}))
    flow = Options(site.hass, site.entry)
    await count(site, entity, every_hour(NOW.replace(minute=0) - 400 * HOUR, 400))
    shown: list[str] = []
    sensor = er.async_get(site.hass).async_get_entity_id(
        "sensor", DOMAIN, f"{site.entry.entry_id}_backfill"
    )
    assert sensor is not None
    assert site.hass.states.get(sensor).state == "unknown"
    bars: list[float] = []
    site.hass.bus.async_listen(
        "data_entry_flow_progress_update", lambda event: bars.append(event.data["progress"])
    )
    async_track_state_change_event(
        site.hass, sensor, lambda event: shown.append(event.data["new_state"].state)
    )
    await flow.open("past")
    flows = site.hass.config_entries.options
    form = flow.result
    result = await flows.async_configure(form["flow_id"], {"start": "2026-12-01", "meters": [GRID]})
    assert result["type"] is FlowResultType.SHOW_PROGRESS
    await site.settle()
    result = await flows.async_configure(form["flow_id"])
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "past_filled"
    said = result["description_placeholders"]
    assert said["hours"] == "400"
    assert said["meters"] == "- Grid: 400 / 0 kWh, 100.0 kg"
    assert bars
    assert bars == sorted(bars)
    assert shown[-1] == "unknown"
    assert float(shown[0]) == 0.0
    # A start that lies ahead is refused in words.
    await flow.open("past")
    refused = await flow.answer(start="2028-01-01", meters=[GRID])
    assert refused["errors"] == {"base": "past_refused"}
    assert "not in the past" in refused["description_placeholders"]["error"]


async def test_who_adopts_meters_is_told_of_their_past(site: SiteUnderTest) -> None:
    site.hass.config.components.add("energy")
    pump = one_counter(site, "pump")
    manager = await async_get_manager(site.hass)
    await manager.async_update({"device_consumption": [{"stat_consumption": pump}]})
    flows = site.hass.config_entries.flow
    menu = await flows.async_init(DOMAIN, context={"source": SOURCE_USER})
    form = await flows.async_configure(menu["flow_id"], {"next_step_id": "energy"})
    result = await flows.async_configure(
        form["flow_id"], {"site": "Farm", "meters": [registry_id(site.hass, pump)]}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY, result
    text = TEXTS["config"]["create_entry"][result["description"]]
    assert TEXTS["options"]["step"]["init"]["menu_options"]["past"] in text
    site.entry = result["result"]
    await site.settle()


async def test_only_one_past_at_a_time_and_whoever_asks_for_the_same_waits(
    site: SiteUnderTest,
) -> None:
    site.start_at(NOW)
    entity = one_counter(site)
    await count(site, entity, every_hour(NOW.replace(minute=0) - 200 * HOUR, 200))
    await opened(site, adopted("Grid", {"quantity": "energy_import", "entity": entity}))
    backfill = site.entry.runtime_data.backfill
    request = await async_request(site.hass, site.entry.runtime_data)
    both = asyncio.gather(backfill.async_fill(request), backfill.async_fill(request))
    await asyncio.sleep(0)
    assert backfill.progress is not None
    await backfill.async_resume()
    other = replace(request, start=request.start + 3600)
    with pytest.raises(ServiceValidationError, match="filled in already"):
        await backfill.async_fill(other)
    first, second = await both
    assert first == second
    assert first["hours"] == 200


async def test_past_of_a_meter_that_was_removed_is_given_up(site: SiteUnderTest) -> None:
    site.start_at(NOW)
    entity = one_counter(site)
    await count(site, entity, every_hour(NOW.replace(minute=0) - 20 * HOUR, 20))
    await opened(site, adopted("Grid", {"quantity": "energy_import", "entity": entity}))
    archive = site.entry.runtime_data.keeper.archive
    source = PastSource(statistic=entity, quantity="energy_import")
    request = Request(start=int(NOW.timestamp()), meters={"gone": (source,)})
    archive.put("backfill", {**request.as_dict(), "position": request.start})
    await site.unload()
    await site.load()
    assert site.entry.runtime_data.keeper.archive.get("backfill") is None


async def test_sums_from_before_the_archive_are_not_filled_in_twice(site: SiteUnderTest) -> None:
    site.start_at(NOW)
    entity = one_counter(site)
    await opened(site, adopted("Grid", {"quantity": "energy_import", "entity": entity}))
    for turn in range(1, 13):
        say(site.hass, entity, 1000.0 + turn, "kWh")
        await site.advance(1200, step=300)
    before = changes(await recorded(site, GRID, "energy_import"))
    await site.advance(60 * 3600, step=1800)
    await site.unload()
    # The archive is lost; the store of the counters is not.
    for file in archive_path(site.hass, site.entry.entry_id).parent.glob("*.db*"):
        file.unlink()
    await site.load()
    await count(site, entity, every_hour(NOW.replace(minute=0) - 20 * HOUR, 26, 9.0))
    with pytest.raises(ServiceValidationError, match="in the record already"):
        await fill(site, meters=[GRID])
    with pytest.raises(ServiceValidationError, match="nothing to fill in"):
        await fill(site)
    await site.advance(3600, step=600)
    after = changes(await recorded(site, GRID, "energy_import"))
    assert {hour: after[hour] for hour in before} == pytest.approx(before, rel=1e-9)


async def test_running_hour_of_the_sensors_goes_on_from_the_record(site: SiteUnderTest) -> None:
    site.start_at(NOW)
    await site.open(watts=3600.0, meters={"grid": {"interval": 60}}, options=FIXED)
    begun = site.clock.now()
    await site.advance(2 * 3600 + 600, step=60)
    owner = site.meter().subentry.subentry_id
    rows = await recorded(site, owner, "carbon")
    total = (site.clock.now() - begun) / 3600 * 3.6 * 0.25
    running = (site.clock.now() % 3600) / 3600 * 3.6 * 0.25
    assert site.value("carbon_total") == pytest.approx(total, rel=1e-3)
    assert rows[-1]["sum"] + running == pytest.approx(site.value("carbon_total"), rel=1e-3)


@pytest.mark.parametrize("time_zone", ["Asia/Kolkata", "Asia/Kathmandu"])
async def test_filled_days_that_begin_within_an_hour(site: SiteUnderTest, time_zone: str) -> None:
    await site.hass.config.async_set_time_zone(time_zone)
    site.start_at(NOW)
    entity = one_counter(site)
    start = datetime(2027, 1, 10, tzinfo=UTC)
    past = every_hour(start, 130, lambda turn: 1.0 + turn % 5)
    await count(site, entity, past)
    await opened(site, adopted("Grid", {"quantity": "energy_import", "entity": entity}))
    await fill(site)
    midnight = datetime(2027, 1, 12, tzinfo=dt_util.get_default_time_zone())
    # Hours are spread evenly: of the two that a day shares with others it has its part.
    wanted = 0.0
    for hour, amount in past:
        begin = max(hour, midnight)
        end = min(hour + HOUR, midnight + timedelta(days=1))
        wanted += amount * max((end - begin) / HOUR, 0.0)
    archive = site.entry.runtime_data.keeper.archive
    first = int(midnight.timestamp()) // 3600 * 3600
    energy = archive.energy([GRID], first, first + 25 * 3600).imported[0]
    skipped = int(midnight.timestamp() - first) // 300
    assert energy[skipped : skipped + 288].sum() / 1000 == pytest.approx(wanted, rel=1e-12)
    report = await site.hass.services.async_call(
        DOMAIN,
        "report",
        {"period": "day", "moment": midnight.isoformat()},
        blocking=True,
        return_response=True,
    )
    location = report["scope_2"]["location_hourly"]
    assert location["kg_co2eq"] == pytest.approx(wanted * 0.25, abs=1e-6)


async def test_live_figures_do_not_jump_with_what_batteries_hold(site: SiteUnderTest) -> None:
    site.start_at(NOW)
    await home(site, 5)
    for turn in range(1, 9):
        say(site.hass, "sensor.p1_drawn", 100 + turn / 4, "kWh")
        say(site.hass, "sensor.store_returned", 100 + turn / 5, "kWh")
        await site.advance(900, step=300)
    keeper = site.entry.runtime_data.keeper
    assert await keeper.async_enter()
    before = {
        (owner, figure): keeper.total(owner, figure)
        for owner, of_owner in keeper.totals.items()
        for figure in of_owner
    }
    recorded_before = dict(keeper.totals["site"])
    assert before["site", "discharge"] > 1000
    await fill(site)
    assert {key: keeper.total(*key) for key in before} == pytest.approx(before, abs=1e-6)
    # What the battery held has changed the hours that were lived: the book knows it.
    assert keeper.totals["site"]["consumption"] > recorded_before["consumption"] + 1000
