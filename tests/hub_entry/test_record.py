"""Published hours in the recorder: what people see, rewritten when it is corrected."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
import time
from typing import Any

from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.statistics import (
    get_metadata,
    statistics_during_period,
)
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.carbon_meter.community.contract.message import Flow
from custom_components.carbon_meter.community.hub.publishing import QUIET
from custom_components.carbon_meter.community.hub.view import view
from custom_components.carbon_meter.community.ledger.calendar import Grain
from custom_components.carbon_meter.community.ledger.cells import Scope
from custom_components.carbon_meter.hub_entry.record import scope_slug
from tests.community.ledger.village import footprint, item
from tests.hub_entry.village import HOUR, Village, last_hours
from tests.metering.json.broker import needs_mosquitto

pytestmark = needs_mosquitto


@pytest.fixture(autouse=True)
def recorder_first(request: pytest.FixtureRequest) -> None:
    """Let the recorder begin before Home Assistant does."""
    request.getfixturevalue("recorder_mock")


@pytest.fixture
async def told(recorder_mock: None, village: Village) -> Village:
    """Return a village of twenty homes with a recorder."""
    return village


def used(number: int, _start: int) -> dict[Flow, int]:
    return {Flow.GRID_IMPORT: 1000 + number}


DAY = 25 * HOUR
"""Seconds after which what was decided is decided again."""

TOTAL = sum(1000 + number for number in range(20)) / 1000


async def series(
    hass: HomeAssistant, village: Village, what: str, begin: int, period: str = "hour"
) -> list[Any]:
    """Return the rows of a series of the community."""
    await async_wait_recording_done(hass)
    name = f"carbon_meter:{village.entry.entry_id.lower()}_{what}"
    rows = await get_instance(hass).async_add_executor_job(
        statistics_during_period,
        hass,
        datetime.fromtimestamp(begin, UTC),
        None,
        {name},
        period,
        None,
        {"state", "sum", "mean", "min", "max", "change"},
    )
    return rows.get(name, [])


async def test_published_hours_are_statistics(told: Village) -> None:
    hass = told.hass
    await told.open()
    homes = await told.invite(20, feeder="North 1")
    starts = last_hours(3)
    await told.tell(homes, starts, used)
    await told.publish()
    rows = await series(hass, told, "grid_import_energy", starts[0])
    assert [row["start"] for row in rows] == [float(start) for start in starts]
    assert [row["state"] for row in rows] == pytest.approx([TOTAL] * 3)
    assert [row["sum"] for row in rows] == pytest.approx([TOTAL, 2 * TOTAL, 3 * TOTAL])
    carbon = await series(hass, told, "grid_import_carbon", starts[0])
    assert carbon[-1]["sum"] == pytest.approx(3 * TOTAL * 0.35)
    intensity = await series(hass, told, "grid_import_intensity", starts[0])
    assert [row["mean"] for row in intensity] == pytest.approx([350] * 3)
    metadata = await get_instance(hass).async_add_executor_job(get_metadata, hass)
    names = {meta["name"] for _, meta in metadata.values() if meta["source"] == "carbon_meter"}
    assert "Linden street grid import energy" in names


async def test_later_hours_go_on_from_the_sum(told: Village) -> None:
    await told.open()
    homes = await told.invite(20)
    starts = last_hours(4)
    await told.tell(homes, starts[:2], used)
    await told.publish()
    await told.unload()
    await told.load()
    await told.tell(homes, starts[2:], used)
    await told.publish()
    rows = await series(told.hass, told, "grid_import_energy", starts[0])
    assert [row["sum"] for row in rows] == pytest.approx([TOTAL * n for n in (1, 2, 3, 4)])


async def test_hour_that_comes_late_moves_all_sums_after_it(told: Village) -> None:
    await told.open()
    homes = await told.invite(20)
    starts = last_hours(3)
    await told.tell(homes, [starts[0], starts[2]], used)
    await told.publish()
    rows = await series(told.hass, told, "grid_import_energy", starts[0])
    # What nobody has told is a gap, not zero.
    assert [row["start"] for row in rows] == [starts[0], starts[2]]
    await told.tell(homes, [starts[1]], used)
    await told.publish()
    rows = await series(told.hass, told, "grid_import_energy", starts[0])
    assert [row["sum"] for row in rows] == pytest.approx([TOTAL * n for n in (1, 2, 3)])


async def test_suppressed_hours_are_in_no_series(told: Village) -> None:
    await told.open()
    homes = await told.invite(14)
    starts = last_hours(2)
    await told.tell(homes, starts, used)
    await told.publish()
    assert await series(told.hass, told, "grid_import_energy", starts[0] - HOUR) == []
    # Nothing that follows from them either: not even how many have told.
    metadata = await get_instance(told.hass).async_add_executor_job(get_metadata, told.hass)
    assert [name for name in metadata if name.startswith("carbon_meter:")] == []


async def test_hours_that_are_hidden_later_leave_no_figure(told: Village) -> None:
    hass = told.hass
    hub = await told.open()
    homes = await told.invite(20)
    starts = last_hours(4)
    await told.tell(homes, starts[:3], used)
    await told.publish()
    for home in homes:
        await asyncio.to_thread(told.homes.withdraw, home)
    await told.until(lambda: hub.status.counts.withdrawals == 20)
    others = await told.invite(20)
    await told.tell(others, starts[2:], lambda number, _start: {Flow.GRID_IMPORT: 2000 + number})
    # What was decided a day ago is decided again.
    await told.publish(later=DAY)
    shown = await hass.async_add_executor_job(
        hub.opened.publisher.cells, Grain.HOUR, starts[0], starts[-1] + HOUR
    )
    anew = TOTAL + 20
    assert [cell.suppressed is None for cell in shown] == [False, False, True, True]
    rows = await series(hass, told, "grid_import_energy", starts[0])
    assert [row["state"] for row in rows] == [None, None, pytest.approx(anew), pytest.approx(anew)]
    assert [row["sum"] for row in rows] == pytest.approx([0, 0, anew, 2 * anew])
    assert [row["change"] for row in rows] == pytest.approx([0, 0, anew, anew])
    carbon = await series(hass, told, "grid_import_carbon", starts[0])
    assert [row["change"] for row in carbon] == pytest.approx([0, 0, anew * 0.35, anew * 0.35])
    intensity = await series(hass, told, "grid_import_intensity", starts[0])
    assert [row["mean"] for row in intensity[:2]] == [None, None]
    assert [row["mean"] for row in intensity[2:]] == pytest.approx([350] * 2)
    days = await series(hass, told, "grid_import_energy", starts[0] - 48 * HOUR, "day")
    assert days[-1]["sum"] == pytest.approx(2 * anew)
    assert sum(row["change"] for row in days) == pytest.approx(2 * anew)


async def test_sums_never_fall_when_everything_is_hidden(told: Village) -> None:
    hass = told.hass
    hub = await told.open()
    homes = await told.invite(20)
    starts = last_hours(3)
    await told.tell(homes, starts[:2], used)
    await told.publish()
    for home in homes:
        await asyncio.to_thread(told.homes.withdraw, home)
    await told.until(lambda: hub.status.counts.withdrawals == 20)
    await told.publish(later=DAY)
    rows = await series(hass, told, "grid_import_energy", starts[0])
    assert [(row["state"], row["sum"]) for row in rows] == [(None, 0), (None, 0)]
    await told.unload()
    await told.load()
    others = await told.invite(20)
    await told.tell(others, starts[2:], used)
    await told.publish()
    rows = await series(hass, told, "grid_import_energy", starts[0])
    assert [row["sum"] for row in rows] == pytest.approx([0, 0, TOTAL])


async def test_feeder_that_is_hidden_in_part_leaves_no_difference(told: Village) -> None:
    """What the community shows less what the feeder showed is of homes that are hidden now."""
    hass = told.hass
    hub = await told.open()
    north = await told.invite(20, feeder="north")
    south = await told.invite(20, feeder="south")
    starts = last_hours(3)
    await told.tell([*north, *south], starts, used)
    await told.publish()
    for home in north:
        await asyncio.to_thread(told.homes.withdraw, home)
    await told.until(lambda: hub.status.counts.withdrawals == 20)
    await told.publish(later=DAY)
    total = sum(1000 + number for number in range(20, 40)) / 1000
    for what, amount in (
        ("grid_import_energy", total),
        ("feeder_south_grid_import_energy", total),
        ("feeder_north_grid_import_energy", 0),
    ):
        rows = await series(hass, told, what, starts[0])
        assert [row["change"] for row in rows] == pytest.approx([amount] * 3), what


async def test_energy_is_not_counted_twice_where_no_carbon_can_be_said(told: Village) -> None:
    hub = await told.open()
    homes = await told.invite(20)
    starts = last_hours(3)
    await told.until(lambda: len(hub.opened.core.ledger.homes) == 20)
    # Each home weighs by another intensity: nothing can be said of their carbon.
    weighed = [item(Flow.GRID_IMPORT, 1000, source=f"s{each}") for each in range(20)]

    def tell(hours: Sequence[int]) -> None:
        hub.opened.core.ledger.take(
            [
                footprint(home, start, one, community=hub.community)
                for start in hours
                for home, one in zip(homes, weighed, strict=True)
            ],
            time.time(),
        )

    for hours in (starts[:2], starts[2:]):
        await told.hass.async_add_executor_job(tell, hours)
        await told.publish()
    assert await series(told.hass, told, "grid_import_carbon", starts[0]) == []
    rows = await series(told.hass, told, "grid_import_energy", starts[0])
    assert [row["sum"] for row in rows] == pytest.approx([20, 40, 60])


def solar(number: int, _start: int) -> dict[Flow, int]:
    """Every other home has solar energy, and exports more than the others draw."""
    has_roof = number % 2
    return {
        Flow.GRID_IMPORT: 200 + number,
        Flow.PV: 1000 if has_roof else 0,
        Flow.GRID_EXPORT: 600 if has_roof else 0,
    }


SHARED = sum(200 + number for number in range(20)) / 1000
"""kWh that 20 such homes draw in an hour; they export 6, of 10 kWh of solar energy."""

FOLLOW = (
    "shared_generation",
    "self_consumption",
    "cfe_score",
    "participation",
    "coverage",
    "energy_per_home",
)


async def test_what_follows_from_published_hours_is_statistics(told: Village) -> None:
    hass = told.hass
    hub = await told.open()
    homes = await told.invite(20, feeder="North 1")
    starts = last_hours(2)
    await told.tell(homes, starts, solar)
    await told.publish()
    shown = await hass.async_add_executor_job(
        view, hub.opened.publisher, Grain.HOUR, starts[0], starts[-1] + HOUR
    )
    slug = scope_slug((Scope.FEEDER, "North 1"))
    for place in ("", f"feeder_{slug}_"):
        rows = await series(hass, told, f"{place}shared_generation", starts[0])
        assert [row["state"] for row in rows] == pytest.approx([SHARED] * 2)
        assert [row["sum"] for row in rows] == pytest.approx([SHARED, 2 * SHARED])
        for what, value in (
            ("self_consumption", 100 * (4 + SHARED) / 10),
            ("cfe_score", 100 * shown.periods[0].cfe_score),
            ("participation", 100),
            ("coverage", 100),
            ("energy_per_home", SHARED / 20),
        ):
            rows = await series(hass, told, f"{place}{what}", starts[0])
            assert [row["start"] for row in rows] == [float(start) for start in starts]
            for kind in ("mean", "min", "max"):
                assert [row[kind] for row in rows] == pytest.approx([value] * 2), what
            assert not any("sum" in row for row in rows)
        # A median takes 30 homes.
        assert await series(hass, told, f"{place}median_per_home", starts[0]) == []
    metadata = await get_instance(hass).async_add_executor_job(get_metadata, hass)
    known = {meta["name"]: meta for _, meta in metadata.values()}
    assert known["Linden street shared solar energy"]["unit_of_measurement"] == "kWh"
    assert known["Linden street North 1 24/7 carbon-free score"]["unit_of_measurement"] == "%"


async def test_what_follows_is_written_again_when_it_is_restated(told: Village) -> None:
    hass = told.hass
    await told.open()
    homes = await told.invite(40)
    starts = last_hours(1)
    await told.tell(homes[:20], starts, used)
    # Half of the homes are waited for.
    await told.publish(later=QUIET + 60)
    rows = await series(hass, told, "participation", starts[0])
    assert [row["mean"] for row in rows] == [50]
    assert await series(hass, told, "median_per_home", starts[0]) == []
    await told.tell(homes[20:], starts, lambda number, _start: {Flow.GRID_IMPORT: 3000 + number})
    await told.publish(later=DAY)
    rows = await series(hass, told, "participation", starts[0])
    assert [row["mean"] for row in rows] == [100]
    total = TOTAL + sum(3000 + number for number in range(20)) / 1000
    rows = await series(hass, told, "energy_per_home", starts[0])
    assert [row["mean"] for row in rows] == pytest.approx([total / 40])
    assert [row["mean"] for row in await series(hass, told, "median_per_home", starts[0])] == [2]


async def test_what_follows_from_hidden_hours_leaves_no_figure(told: Village) -> None:
    hass = told.hass
    hub = await told.open()
    homes = await told.invite(20)
    starts = last_hours(3)
    await told.tell(homes, starts[:2], solar)
    await told.publish()
    for home in homes:
        await asyncio.to_thread(told.homes.withdraw, home)
    await told.until(lambda: hub.status.counts.withdrawals == 20)
    others = await told.invite(20)
    await told.tell(others, starts[1:], solar)
    await told.publish(later=DAY)
    rows = await series(hass, told, "shared_generation", starts[0])
    assert [row["state"] for row in rows] == [None, *[pytest.approx(SHARED)] * 2]
    assert [row["sum"] for row in rows] == pytest.approx([0, SHARED, 2 * SHARED])
    for what in FOLLOW[1:]:
        rows = await series(hass, told, what, starts[0])
        assert [row["mean"] is None for row in rows] == [True, False, False], what
        assert [row["max"] is None for row in rows] == [True, False, False], what


async def test_series_that_the_recorder_does_not_have_begins_with_the_first_hour(
    told: Village,
) -> None:
    hass = told.hass
    await told.open()
    homes = await told.invite(20)
    starts = last_hours(3)
    await told.tell(homes, starts[:2], solar)
    await told.publish()
    prefix = f"carbon_meter:{told.entry.entry_id.lower()}_"
    get_instance(hass).async_clear_statistics([f"{prefix}{what}" for what in FOLLOW])
    assert await series(hass, told, "cfe_score", starts[0]) == []
    await told.tell(homes, starts[2:], solar)
    await told.publish()
    rows = await series(hass, told, "shared_generation", starts[0])
    assert [row["sum"] for row in rows] == pytest.approx([SHARED * n for n in (1, 2, 3)])
    for what in FOLLOW[1:]:
        rows = await series(hass, told, what, starts[0])
        assert [row["start"] for row in rows] == [float(start) for start in starts], what


async def test_series_of_means_alone_are_known_and_emptied(told: Village) -> None:
    """Without solar energy nothing that follows has a sum."""
    hass = told.hass
    hub = await told.open()
    homes = await told.invite(20)
    starts = last_hours(2)
    await told.tell(homes, starts, used)
    await told.publish()
    assert len(await series(hass, told, "participation", starts[0])) == 2
    name = f"carbon_meter:{told.entry.entry_id.lower()}_participation"
    known = await get_instance(hass).async_add_executor_job(
        hub.record._sums_before, {name}, starts[1]
    )
    assert known == {name: 0.0}
    for home in homes:
        await asyncio.to_thread(told.homes.withdraw, home)
    await told.until(lambda: hub.status.counts.withdrawals == 20)
    await told.publish(later=DAY)
    for what in ("participation", "coverage", "cfe_score", "energy_per_home"):
        rows = await series(hass, told, what, starts[0])
        assert [(row["mean"], row["min"], row["max"]) for row in rows] == [(None,) * 3] * 2, what
    assert await series(hass, told, "shared_generation", starts[0]) == []
