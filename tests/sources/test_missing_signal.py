"""A signal that is away for half a day, in the ladder of a real site.

24 h with 1 kWh each, 12 of them at 100 g and 12 at 500 g: 7200 g. From 06 to 17 nothing is told.
Counted as zero that would be 3800 g, or less.
"""

import pytest

from hardware.virtual import MeterSpec
from tests.sources.conftest import Grid

HOUR = 3600
UNIT = {"unit_of_measurement": "gCO2eq/kWh"}
ENTITY = {"kind": "entity", "entity_id": "sensor.co2"}
SPECS = [MeterSpec(profile="schneider_iem3000")]


def told(hour: int) -> str:
    return "100" if hour < 12 else "500"


async def day(grid: Grid, *, away: range = range(0)) -> None:
    """Let a day pass hour by hour."""
    for hour in range(24):
        state = "unavailable" if hour in away else told(hour)
        grid.hass.states.async_set("sensor.co2", state, UNIT)
        await grid.advance(HOUR, step=HOUR)


@pytest.mark.parametrize("days", [3])
async def test_missing_hours_are_weighed_as_they_were_to_be_expected(grid: Grid, days: int) -> None:
    grid.site.start_at(grid.midnight)
    grid.server.now = grid.midnight.timestamp()
    grid.hass.states.async_set("sensor.co2", "100", UNIT)
    options = {"zone": "GB", "sources": [ENTITY]}
    await grid.site.open(SPECS, watts=1000.0, options=options)
    for _ in range(days):
        await day(grid)
    ledger = grid.site.meter().account.ledger
    energy, carbon = ledger.total.import_energy, ledger.total.carbon
    grades = dict(ledger.total.by_grade)
    await day(grid, away=range(6, 17))
    total = ledger.total
    assert total.import_energy - energy == pytest.approx(24_000, rel=1e-3)
    assert total.carbon - carbon == pytest.approx(7200, rel=0.1)
    gained = {grade: total.by_grade[grade] - grades.get(grade, 0.0) for grade in total.by_grade}
    assert gained["measured"] == pytest.approx(13_000, rel=0.05)
    assert gained["forecast"] == pytest.approx(11_000, rel=0.05)


async def test_without_any_history_the_yearly_factor_stands_in_and_says_so(grid: Grid) -> None:
    grid.hass.states.async_set("sensor.co2", "unavailable", UNIT)
    options = {"zone": "GB", "sources": [ENTITY]}
    await grid.site.open(SPECS, watts=1000.0, options=options)
    await grid.advance(2 * HOUR, step=900)
    total = grid.site.meter().account.ledger.total
    assert total.carbon > 0
    assert set(total.by_grade) == {"yearly_factor"}


async def test_signal_that_stays_away_is_a_typical_hour_after_the_forecast(grid: Grid) -> None:
    grid.site.start_at(grid.midnight)
    grid.server.now = grid.midnight.timestamp()
    grid.hass.states.async_set("sensor.co2", "100", UNIT)
    options = {"zone": "GB", "sources": [ENTITY]}
    await grid.site.open(SPECS, watts=1000.0, options=options)
    for _ in range(3):
        await day(grid)
    before = dict(grid.site.meter().account.ledger.total.by_grade)
    for _ in range(6):
        await day(grid, away=range(24))
    total = grid.site.meter().account.ledger.total
    assert total.by_grade["forecast"] > 48_000 - 1000
    assert total.by_grade["typical_hour"] > 10_000
    assert total.by_grade["measured"] == pytest.approx(before["measured"], abs=1100)
