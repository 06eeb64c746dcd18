"""The record: hours written to the recorder, read back through Home Assistant's own functions."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.carbon_meter.figure_series import statistic_id
from hardware.virtual import MeterSpec
from hardware.virtual.faults import Freeze
from tests.common import SiteUnderTest

SPECS = [MeterSpec(profile="schneider_iem3000")]
EVERY_MINUTE = {"grid": {"interval": 60}}
FIXED = {"source": "fixed", "value": 250.0}
MORNING = datetime(2027, 1, 15, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
def recorder_first(recorder_mock) -> None:
    """Set the recorder up before Home Assistant."""


async def rows(
    site: SiteUnderTest, what: str, *, period: str = "hour", start: datetime | None = None
) -> list[dict[str, Any]]:
    """Return a series of the grid meter, or the site's intensity."""
    await async_wait_recording_done(site.hass)
    owner = site.entry.entry_id if what == "intensity" else site.meter().subentry.subentry_id
    series = statistic_id(owner, what)
    found = await get_instance(site.hass).async_add_executor_job(
        statistics_during_period,
        site.hass,
        start or dt_util.utcnow() - timedelta(days=400),
        None,
        {series},
        period,
        None,
        {"sum", "state", "change", "mean", "min", "max"},
    )
    return found.get(series, [])


async def test_hours_of_a_known_load(site: SiteUnderTest) -> None:
    site.start_at(MORNING)
    await site.open(SPECS, watts=3600.0, meters=EVERY_MINUTE, options=FIXED)
    await site.advance(3 * 3600 + 60, step=60)
    energy = await rows(site, "energy_import")
    assert [row["change"] for row in energy] == pytest.approx([3.6, 3.6, 3.6], rel=1e-6)
    assert [row["sum"] for row in energy] == pytest.approx([3.6, 7.2, 10.8], rel=1e-6)
    carbon = await rows(site, "carbon")
    assert [row["change"] for row in carbon] == pytest.approx([0.9, 0.9, 0.9], rel=1e-6)
    assert [row["mean"] for row in await rows(site, "coverage")] == pytest.approx([100] * 3)
    intensity = await rows(site, "intensity")
    assert [row["mean"] for row in intensity[-3:]] == [250.0] * 3
    assert all(row["change"] == 0 for row in await rows(site, "energy_export"))


async def test_gap_is_written_when_the_meter_is_back(site: SiteUnderTest) -> None:
    site.start_at(MORNING)
    await site.open(SPECS, watts=3600.0, meters=EVERY_MINUTE)
    await site.advance(1800, step=60)
    await site.unload()
    site.pass_unseen(3 * 3600)
    await site.load()
    await site.advance(1860, step=60)
    energy = await rows(site, "energy_import")
    assert [row["change"] for row in energy] == pytest.approx([3.6] * 4, rel=1e-3)
    coverage = [row["mean"] for row in await rows(site, "coverage")]
    assert coverage == pytest.approx([50, 0, 0, 50], abs=2)


async def test_thawed_meter_restates_hours_already_written(site: SiteUnderTest) -> None:
    site.start_at(MORNING)
    await site.open(SPECS, watts=3600.0, meters=EVERY_MINUTE)
    await site.advance(3600 + 60, step=60)
    site.home["grid"].apply(Freeze())
    await site.advance(2 * 3600, step=60)
    assert len(await rows(site, "energy_import")) == 1
    site.home["grid"].clear()
    await site.advance(3600, step=60)
    energy = await rows(site, "energy_import")
    assert [row["change"] for row in energy] == pytest.approx([3.6] * 4, rel=1e-2)
    assert energy[-1]["sum"] == pytest.approx(14.4, rel=1e-3)


async def test_writing_again_changes_nothing(site: SiteUnderTest) -> None:
    site.start_at(MORNING)
    await site.open(SPECS, watts=3600.0, meters=EVERY_MINUTE)
    await site.advance(2 * 3600 + 60, step=60)
    before = await rows(site, "carbon")
    await site.unload()
    await site.load()
    await site.advance(60)
    assert await rows(site, "carbon") == before


@pytest.mark.parametrize(
    ("time_zone", "start", "hours"),
    [
        ("Europe/Berlin", "2027-03-28T00:00:00+01:00", 23),
        ("Europe/Berlin", "2026-10-25T00:00:00+02:00", 25),
        ("Europe/Berlin", "2027-06-01T00:00:00+02:00", 24),
    ],
)
async def test_hours_make_up_days_months_and_years(
    site: SiteUnderTest, time_zone: str, start: str, hours: int
) -> None:
    await site.hass.config.async_set_time_zone(time_zone)
    begin = datetime.fromisoformat(start)
    site.start_at(begin)
    await site.open(SPECS, watts=1800.0, meters=EVERY_MINUTE, options=FIXED)
    await site.advance((hours + 2) * 3600 + 60, step=300)
    day = (await rows(site, "carbon", start=begin))[:hours]
    assert len(day) == hours
    days = await rows(site, "carbon", period="day", start=begin)
    # 1.8 kW for the hours of this day at 250 g.
    assert days[0]["change"] == pytest.approx(1.8 * hours * 0.25, rel=1e-6)
    assert sum(row["change"] for row in day) == pytest.approx(days[0]["change"], rel=1e-12)
    everything = sum(row["change"] for row in await rows(site, "carbon", start=begin))
    for period in ("day", "month", "year"):
        total = sum(row["change"] for row in await rows(site, "carbon", period=period))
        assert total == pytest.approx(everything, rel=1e-12)


async def test_lost_file_continues_the_record(site: SiteUnderTest, hass_storage) -> None:
    site.start_at(MORNING)
    await site.open(SPECS, watts=3600.0, meters=EVERY_MINUTE, options=FIXED)
    await site.advance(2 * 3600 + 60, step=60)
    assert len(await rows(site, "carbon")) == 2
    await site.unload()
    del hass_storage[f"carbon_meter.{site.entry.entry_id}"]
    await site.load()
    await site.advance(3600, step=60)
    energy = await rows(site, "energy_import")
    assert [row["change"] for row in energy[:2]] == pytest.approx([3.6, 3.6], rel=1e-6)
    assert all(row["change"] >= 0 for row in energy)
    # What flowed between the last full hour and the loss is the price of the lost file.
    assert energy[-1]["sum"] == pytest.approx(10.8, abs=0.1)
    assert site.value("carbon_total") == pytest.approx(2.7, abs=0.05)


def hours_of(
    samples: list[tuple[float, float]], longest: float
) -> dict[float, tuple[float, float, float]]:
    """Return mean, minimum and maximum of each hour by sample and hold, second by second."""
    seconds: dict[float, list[float]] = {}
    for (start, power), (end, _) in pairwise(samples):
        stop = min(end, start + longest)
        moment = start
        while moment < stop:
            hour = moment // 3600 * 3600
            seconds.setdefault(hour, []).append(power)
            moment += 1
    return {
        hour: (sum(powers) / len(powers), min(powers), max(powers))
        for hour, powers in seconds.items()
    }


async def test_hours_of_power_are_those_of_every_sample(site: SiteUnderTest) -> None:
    site.start_at(MORNING)
    await site.open(SPECS, watts=500.0, options=FIXED)
    meter = site.meter()
    samples = [(meter.data.time, meter.data.values["power"])]
    for turn in range(372):
        site.home.force("house", 500.0 + (turn * 37) % 1900 + (3000 if turn == 300 else 0))
        await site.advance(10)
        samples.append((meter.data.time, meter.data.values["power"]))
    oracle = hours_of(samples, 30.0)
    (written,) = await rows(site, "power")
    assert written["start"] == MORNING.timestamp()
    mean, least, most = oracle[written["start"]]
    assert written["mean"] == pytest.approx(mean, rel=1e-6)
    assert (written["min"], written["max"]) == (pytest.approx(least), pytest.approx(most))
    assert written["max"] > 3500


async def test_power_written_again_and_after_a_restart_is_the_same(site: SiteUnderTest) -> None:
    site.start_at(MORNING)
    await site.open(SPECS, watts=500.0, meters=EVERY_MINUTE, options=FIXED)
    for watts in (500.0, 1500.0, 2500.0):
        site.home.force("house", watts)
        await site.advance(1800, step=60)
    await site.advance(60)
    before = await rows(site, "power")
    assert [row["mean"] for row in before] == [pytest.approx(1000, rel=0.02)]
    site.meter().watch.power.publish_again()
    await site.entry.runtime_data.record.async_publish()
    assert await rows(site, "power") == before
    # Half an hour is known before the restart, half an hour after it: both are in the row.
    await site.unload()
    await site.load()
    site.home.force("house", 500.0)
    await site.advance(1860, step=60)
    after = await rows(site, "power")
    assert after[0] == before[0]
    assert after[1]["mean"] == pytest.approx(500 + 2000 * 31.5 / 60, abs=35)
    assert (after[1]["min"], after[1]["max"]) == (pytest.approx(500), pytest.approx(2500))


async def test_power_of_a_meter_without_counters_is_written(site: SiteUnderTest) -> None:
    site.start_at(MORNING)
    counters = frozenset({"energy_import", "energy_export"})
    spec = MeterSpec(profile="schneider_iem3000", missing=counters)
    await site.open([spec], watts=3600.0, meters=EVERY_MINUTE)
    assert "energy_import" not in site.meter().data.values
    await site.advance(3660, step=60)
    assert site.meter().account.booked_until is None
    assert [row["mean"] for row in await rows(site, "power")] == [pytest.approx(3600, rel=0.01)]
    assert await rows(site, "energy_import") == []
