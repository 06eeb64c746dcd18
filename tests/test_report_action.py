"""The action that tells reports, asked as an automation would ask it."""

from datetime import datetime, timedelta
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util
import pytest

from tests.common import SiteUnderTest
from tests.reports import (
    CERTIFICATE,
    EQUAL,
    HOUR,
    PPA,
    RATE,
    RESIDUAL,
    at,
    contract,
    household,
    meters,
    produced,
    recorded,
    told,
)

LOAD = (2000.0, 1000.0, 3000.0, 4000.0)
CERTIFIED = (0.0, 2.0, 4.0, 1.0)
INTENSITY = (400.0, 300.0, 200.0, 500.0)
OPTIONS: dict[str, Any] = {
    "zone": "DE",
    "sources": [{"kind": "entity", "entity_id": "sensor.grid_carbon"}],
    "details": {"grid_carbon_free": 40, "loss_share": 5},
}
NOON = datetime.fromisoformat("2026-06-15T12:00:00+02:00")


@pytest.fixture(autouse=True)
def recorder_first(recorder_mock) -> None:
    """Set the recorder up before Home Assistant."""


def says(hass: HomeAssistant, value: float) -> None:
    """Let the entity of the grid tell its intensity."""
    hass.states.async_set("sensor.grid_carbon", str(value), {"unit_of_measurement": "g/kWh"})


async def four_hours(site: SiteUnderTest, options: dict[str, Any] = OPTIONS) -> None:
    """Live through the four hours of the oracle, of 2, 1, 3 and 4 kWh."""
    await site.hass.config.async_set_time_zone("Europe/Berlin")
    site.start_at(NOON)
    says(site.hass, INTENSITY[0])
    specs, kept = meters()
    home = household(site.clock.now(), house=LOAD)
    await site.open(specs, household=home, options=options, meters=kept)
    for value in INTENSITY:
        says(site.hass, value)
        await site.advance(HOUR, step=300)
    await site.advance(60, step=60)


async def test_the_figures_of_the_standard(site: SiteUnderTest) -> None:
    """Oracle: 3700 g by location; by contracts 1800 g of the year and 3000 g by the hour."""
    await four_hours(site)
    await produced(site.hass, NOON, CERTIFIED)
    await contract(site, "Wind park", CERTIFICATE)
    await contract(site, "Residual", RESIDUAL)
    report = await told(site, period="day")
    scope_2 = report["scope_2"]
    assert scope_2["location_hourly"]["kg_co2eq"] == pytest.approx(3.7, rel=2e-3)
    assert scope_2["market_hourly"]["kg_co2eq"] == pytest.approx(3.0, rel=2e-3)
    assert scope_2["market_annual"]["kg_co2eq"] == pytest.approx(1.8, rel=2e-3)
    (wind,) = scope_2["market_hourly"]["contracts"]
    assert wind["title"] == "Wind park"
    assert scope_2["market_hourly"]["residual_mix"]["kwh"] == pytest.approx(5.0, rel=2e-3)
    assert (wind["covered_kwh"], wind["excess_kwh"]) == pytest.approx((5.0, 2.0), rel=2e-3)
    # Five of ten kWh are certified in their hour; the grid is carbon-free to 40 % in the rest.
    assert report["carbon_free"]["contracted"] == pytest.approx(0.5, rel=2e-3)
    assert report["carbon_free"]["score"] == pytest.approx(0.7, rel=2e-3)
    assert report["energy"]["coverage"] == 1.0
    assert report["measured"] == pytest.approx(1.0, abs=1e-2)
    assert "report_no_residual_mix" not in {note["key"] for note in report["missing"]}


async def test_every_kind_of_contract_in_the_order_of_quality(site: SiteUnderTest) -> None:
    await four_hours(site)
    await produced(site.hass, NOON, CERTIFIED)
    for title, data in (
        ("Rest", RESIDUAL),
        ("Supplier", RATE),
        ("Field", PPA),
        ("Wind park", CERTIFICATE),
        ("Abroad", {**RATE, "market": "FR"}),
        ("Lost", {**CERTIFICATE, "statistic": "sensor.gone"}),
    ):
        await contract(site, title, data)
    report = await told(site, period="day")
    annual = report["scope_2"]["market_annual"]
    covered = {one["title"]: one["covered_kwh"] for one in annual["contracts"]}
    # Of ten kWh seven are certified, two bought from the field, and of the rest the rate is half
    # of the load at the most.
    assert covered["Wind park"] == pytest.approx(7.0, rel=2e-3)
    assert covered["Field"] == pytest.approx(2.0, rel=2e-3)
    assert covered["Supplier"] == pytest.approx(1.0, rel=1e-2)
    assert covered["Abroad"] == 0.0
    unused = {note["text"] for note in report["missing"] if note["key"] == "report_contract_unused"}
    assert any("Lost" in text and "sensor.gone" in text for text in unused)
    assert any("Abroad" in text for text in unused)


async def test_what_is_missing_is_said(site: SiteUnderTest) -> None:
    options = {"zone": "DE", "sources": OPTIONS["sources"]}
    await four_hours(site, options)
    report = await told(site, period="day")
    missing = {note["key"]: note["text"] for note in report["missing"]}
    assert {
        "report_no_contract",
        "report_no_carbon_free_share",
        "report_begins_late",
        "report_year_incomplete",
        "report_year_running",
    } <= set(missing)
    assert "2026" in missing["report_year_running"]
    assert "2026-06-15 12:00" in missing["report_begins_late"]
    assert report["carbon_free"]["score"] == 0.0
    market, location = report["scope_2"]["market_hourly"], report["scope_2"]["location_hourly"]
    assert market["kg_co2eq"] == location["kg_co2eq"]
    assert report["time_zone"] == "Europe/Berlin"
    assert report["site"] == "Home"
    (source,) = report["sources"]
    assert source["name"]
    assert source["import_kwh"] == pytest.approx(10.0, rel=1e-2)
    assert all(table["name"] for table in report["factors"])
    assert all(table["licence"] for table in report["factors"])


async def test_notes_are_in_the_language_of_home_assistant(site: SiteUnderTest) -> None:
    await four_hours(site)
    site.hass.config.language = "zh-Hans"
    report = await told(site, period="day")
    texts = {note["key"]: note["text"] for note in report["missing"]}
    assert texts["report_no_contract"].startswith("没有填写合同")


@pytest.mark.parametrize(
    ("time_zone", "start", "hours"),
    [
        ("Europe/Berlin", "2027-03-28T00:00:00+01:00", 23),
        ("Europe/Berlin", "2026-10-25T00:00:00+02:00", 25),
        ("Asia/Kolkata", "2026-10-01T00:00:00+05:30", 24),
        ("Asia/Kathmandu", "2026-12-31T00:00:00+05:45", 24),
    ],
)
async def test_periods_agree_with_each_other_and_with_the_record(
    site: SiteUnderTest, time_zone: str, start: str, hours: int
) -> None:
    await site.hass.config.async_set_time_zone(time_zone)
    midnight = datetime.fromisoformat(start)
    # Half an hour of the day before as well.
    site.start_at(midnight - timedelta(minutes=30))
    specs, kept = meters()
    says(site.hass, 300)
    await site.open(specs, watts=1800.0, options=OPTIONS, meters=kept)
    await site.advance(1800, step=300)
    for hour in range(hours):
        says(site.hass, 200 + 10 * hour)
        await site.advance(HOUR, step=300)
    await site.advance(1800, step=300)
    during = (midnight + timedelta(hours=1)).isoformat()
    day = await told(site, period="day", moment=during, split="hour")
    assert day["seconds"] == hours * HOUR
    assert day["energy"]["import_kwh"] == pytest.approx(1.8 * hours, rel=1e-3)
    assert len(day["rows"]) == hours
    way = ("scope_2", "location_hourly", "kg_co2eq")
    assert sum(at(row, way) for row in day["rows"]) == pytest.approx(at(day, way), abs=1e-4)
    for period, split in (("week", "day"), ("month", "day"), ("quarter", "day"), ("year", "month")):
        longer = await told(site, period=period, moment=during, split=split)
        assert sum(at(row, way) for row in longer["rows"]) == pytest.approx(
            at(longer, way), abs=1e-5
        )
        if split == "day":
            (same,) = [row for row in longer["rows"] if row["start"] == day["start"]]
            assert same["scope_2"] == day["scope_2"]
            assert same["energy"] == day["energy"]
    # Whole hours of UTC, within the day.
    first = midnight + timedelta(minutes=-midnight.astimezone(dt_util.UTC).minute % 60)
    last = first + timedelta(hours=hours - 1)
    exact = await told(site, start=first.isoformat(), end=last.isoformat())
    for what in ("energy_import", "carbon", "carbon_annual", "transmission"):
        series = await recorded(site.hass, site.entry.entry_id, what, first, last)
        assert at(exact, EQUAL[what]) == pytest.approx(series, rel=1e-9, abs=1e-6), what
    assert at(exact, EQUAL["carbon"]) > 0


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"moment": "2030-01-01 00:00:00"}, "report_not_begun"),
        ({"moment": "2020-05-01 00:00:00"}, "report_nothing_known"),
        ({"start": "2026-06-15 13:00:00", "period": "day"}, "report_period_and_bounds"),
        ({"end": "2026-06-15 13:00:00"}, "report_no_start"),
        ({"start": "2026-06-15 11:00:00", "end": "2026-06-15 10:00:00"}, "report_ends_before"),
        ({"start": "2020-06-15 13:00:00"}, "report_too_long"),
        ({"start": "0001-01-01 00:00:00"}, "report_too_long"),
        ({"moment": "9999-12-31 23:00:00"}, "report_nothing_known"),
        ({"period": "quarter", "split": "hour"}, "report_too_many_rows"),
        ({"site": "nowhere"}, "unknown_site"),
    ],
)
async def test_what_cannot_be_told_is_refused(
    site: SiteUnderTest, data: dict[str, Any], key: str
) -> None:
    await site.hass.config.async_set_time_zone("Europe/Berlin")
    site.start_at(NOON)
    specs, kept = meters()
    await site.open(specs, options=OPTIONS, meters=kept)
    await site.advance(600, step=300)
    with pytest.raises(ServiceValidationError) as refusal:
        await told(site, **data)
    assert refusal.value.translation_key == key
    assert "report_" not in str(refusal.value)


async def test_running_hour_is_in(site: SiteUnderTest) -> None:
    await site.hass.config.async_set_time_zone("Europe/Berlin")
    site.start_at(NOON)
    says(site.hass, 500)
    specs, kept = meters()
    await site.open(specs, watts=6000.0, options=OPTIONS, meters=kept)
    await site.advance(25 * 60, step=300)
    report = await told(site, period="hour")
    assert report["seconds"] == 25 * 60
    assert report["energy"]["import_kwh"] == pytest.approx(2.5, rel=1e-3)
    assert report["scope_2"]["location_hourly"]["kg_co2eq"] == pytest.approx(1.25, rel=1e-3)
    assert report["measured"] == pytest.approx(1.0, abs=0.05)
    assert "report_not_measured" not in {note["key"] for note in report["missing"]}
    await site.unload()
    site.pass_unseen(25 * 60)
    await site.load()
    await site.advance(300, step=300)
    report = await told(site, period="hour")
    assert report["measured"] == pytest.approx(30 / 55, abs=0.02)
    texts = {note["key"]: note["text"] for note in report["missing"]}
    assert "54.5 %" in texts["report_not_measured"]
    # What the counter told afterwards is in it all the same.
    assert report["energy"]["import_kwh"] == pytest.approx(5.5, rel=1e-2)
