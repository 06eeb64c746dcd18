"""Published hours in the recorder: what people see, rewritten when it is corrected."""

from datetime import UTC, datetime
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


TOTAL = sum(1000 + number for number in range(20)) / 1000


async def series(hass: HomeAssistant, village: Village, what: str, begin: int) -> list[Any]:
    """Return the rows of a series of the community."""
    await async_wait_recording_done(hass)
    name = f"carbon_meter:{village.entry.entry_id.lower()}_{what}"
    rows = await get_instance(hass).async_add_executor_job(
        statistics_during_period,
        hass,
        datetime.fromtimestamp(begin, UTC),
        None,
        {name},
        "hour",
        None,
        {"state", "sum", "mean"},
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
