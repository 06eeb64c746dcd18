"""What was recorded: the archive by its slots, and the recorder's means of entities."""

from datetime import datetime, timedelta
import math
from typing import Any

from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import async_import_statistics
from homeassistant.core import HomeAssistant
import numpy as np
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.carbon_meter.carbon.archive.rows import UNKNOWN_GRADE, GridHour
from custom_components.carbon_meter.carbon.grade import BEST_FIRST, Grade
from custom_components.carbon_meter.planning.slots import Slots
from custom_components.carbon_meter.simulation.past import async_means, async_past
from tests.common import SiteUnderTest
from tests.loads.site import HOUR, RUN_TIME
from tests.simulations import OFFICE, by_way, in_berlin, keys, live, local, simulate

BEGIN = local(2026, 9, 1)
START = int(BEGIN.timestamp())
MEASURED, TYPICAL = (BEST_FIRST.index(grade) for grade in (Grade.MEASURED, Grade.TYPICAL))


@pytest.fixture(autouse=True)
def recorder_first(recorder_mock) -> None:
    """Set the recorder up before Home Assistant."""


async def remember(
    hass: HomeAssistant, entity_id: str, unit: str, unit_class: str | None, means: list[float]
) -> None:
    """Let the recorder hold hourly means from `BEGIN` on."""
    metadata = StatisticMetaData(
        mean_type=StatisticMeanType.ARITHMETIC,
        has_sum=False,
        name=None,
        source="recorder",
        statistic_id=entity_id,
        unit_class=unit_class,
        unit_of_measurement=unit,
    )
    rows = [
        StatisticData(start=BEGIN + timedelta(hours=hour), mean=mean)
        for hour, mean in enumerate(means)
    ]
    async_import_statistics(hass, metadata, rows)
    await async_wait_recording_done(hass)


async def week(site: SiteUnderTest, *loads: Any, **planning: Any) -> Any:
    """Return a site with a week in its archive."""
    home = await in_berlin(site, local(2026, 9, 21, 12), *loads, planning=planning)
    await live(home, START, 7 * 24)
    return home


DAYS = {"start": BEGIN.isoformat(), "end": local(2026, 9, 4).isoformat()}


async def test_what_is_recorded_by_slots(site: SiteUnderTest) -> None:
    """Quarters are means of their five minutes; half of them have to be known."""
    home = await in_berlin(site, local(2026, 9, 21, 12), RUN_TIME)
    archive = home.site.entry.runtime_data.keeper.archive
    values = [100.0, 200.0, 300.0, 400.0, math.nan, 500.0, math.nan, math.nan, 7.0, *[50.0] * 3]
    grades = [UNKNOWN_GRADE if math.isnan(value) else MEASURED for value in values]
    grades[0] = TYPICAL
    row = GridHour(hour=START, value=values, grade=grades, source=["entity"] * 12)
    await site.hass.async_add_executor_job(archive.put_grid, [row])
    past = await async_past(site.hass, archive, START + 1800.0, START + 7000.0, 900)
    assert (past.slots.start, past.slots.end) == (START, START + 2 * HOUR)
    assert np.array_equal(
        past.carbon, [200.0, 450.0, math.nan, 50.0, *[math.nan] * 4], equal_nan=True
    )
    expected = [TYPICAL, MEASURED, math.nan, MEASURED, *[math.nan] * 4]
    assert np.array_equal(past.grade, expected, equal_nan=True)
    assert np.isnan(past.net).all()


async def test_means_are_of_the_hours_that_slots_begin_in(site: SiteUnderTest) -> None:
    await week(site, RUN_TIME)
    await remember(site.hass, "sensor.outside", "°F", "temperature", [50.0, 59.0])
    slots = Slots.of(START + 900.0, START + 3 * HOUR, 1800.0)
    means = await async_means(site.hass, "sensor.outside", slots)
    assert means is not None
    assert means.values[:5] == pytest.approx([10.0, 10.0, 15.0, 15.0, math.nan], nan_ok=True)
    assert await async_means(site.hass, "sensor.unheard_of", slots) is None
    before = Slots.of(START - 9 * HOUR, START - 8 * HOUR, 900.0)
    assert await async_means(site.hass, "sensor.outside", before) is None
    assert await async_means(site.hass, "sensor.outside", Slots.of(0.0, 0.0, 1.0)) is None


async def test_prices_of_the_past_are_those_of_the_statistics(site: SiteUnderTest) -> None:
    """24 hours at 30 ct, but six of them at 10: that is where 3 hours go."""
    site.hass.states.async_set("sensor.price", "30", {"unit_of_measurement": "ct/kWh"})
    await week(site, RUN_TIME, price_entity="sensor.price")
    prices = [10.0 if 10 <= hour % 24 < 16 else 30.0 for hour in range(7 * 24)]
    await remember(site.hass, "sensor.price", "ct/kWh", None, prices)
    response = await simulate(site.hass, **DAYS, goal="cost")
    assert response["coverage"]["price"] == 1.0
    ways = by_way(response)
    # Three days of 2.4 kWh.
    assert ways["cheapest"]["cost"] == pytest.approx(0.72)
    assert ways["nothing"]["cost"] == pytest.approx(2.16)
    assert response["saved_cost"] == pytest.approx(1.44)


@pytest.mark.parametrize("unit", ["apples", ""])
async def test_a_price_in_no_unit_is_no_price(site: SiteUnderTest, unit: str) -> None:
    site.hass.states.async_set("sensor.price", "30", {"unit_of_measurement": unit})
    await week(site, RUN_TIME, price_entity="sensor.price")
    await remember(site.hass, "sensor.price", "apples", None, [30.0] * 168)
    response = await simulate(site.hass, **DAYS)
    assert "simulation_no_price" in keys(response)
    assert "cheapest" not in by_way(response)


async def test_the_weather_that_was_counts(site: SiteUnderTest) -> None:
    """A hot day takes more cooling than a mild one."""
    energies = []
    home = await week(site, {**OFFICE, "outside": "sensor.outside"})
    for degrees in (24.0, 34.0):
        await remember(site.hass, "sensor.outside", "°C", "temperature", [degrees] * 168)
        response = await simulate(site.hass, **DAYS)
        assert "simulation_no_outside" not in keys(response)
        energies.append(by_way(response)["nothing"]["energy"])
    assert energies[1] > 2.0 * energies[0]
    assert home.load().name == "air_zone"


async def test_without_a_recorder_of_it_a_usual_one_stands_in(site: SiteUnderTest) -> None:
    await week(site, {**OFFICE, "outside": "sensor.outside"})
    response = await simulate(site.hass, **DAYS)
    assert "simulation_no_outside" in keys(response)
    assert by_way(response)["nothing"]["energy"] > 0.0


def test_the_days_of_the_tests_are_whole() -> None:
    assert datetime.fromisoformat(DAYS["end"]).timestamp() - START == 3 * 24 * HOUR
