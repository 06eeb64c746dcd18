"""What a home tells of an hour is what its book says, and nothing that names the home."""

from dataclasses import replace
from datetime import date
from typing import Any

from homeassistant.config_entries import ConfigSubentry
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.accounting.figures import Account
from custom_components.carbon_meter.carbon.archive.rows import UNKNOWN_GRADE
from custom_components.carbon_meter.carbon.factors.library import load_library
from custom_components.carbon_meter.carbon.grade import BEST_FIRST, Grade
from custom_components.carbon_meter.carbon.site import figures as names
from custom_components.carbon_meter.carbon.site.book import SITE_OWNER
from custom_components.carbon_meter.carbon.site.meters import Role
from custom_components.carbon_meter.carriers import carrier_account
from custom_components.carbon_meter.community.contract.message import Flow, Quality
from custom_components.carbon_meter.membership import site_hours
from custom_components.carbon_meter.membership.clock import is_synced
from custom_components.carbon_meter.membership.intensity_names import YEAR, intensity, origin_of
from custom_components.carbon_meter.membership.site_hours import (
    _covered,
    _figures,
    _Part,
    read_hours,
)
from custom_components.carbon_meter.membership.site_source import SiteSource, _carrier
from custom_components.carbon_meter.membership.told import Told
from custom_components.carbon_meter.plans import figure_of
from tests.common import SiteUnderTest
from tests.membership.joining import FIXED, HOUR, lived, opened
from tests.reports import household, meters

POWER = {
    "house": (1000.0, 500.0, 1500.0),
    "solar": (0.0, 3000.0, 4000.0),
    "battery": (0.0, 1500.0, -800.0),
}


async def test_a_home_with_solar_and_battery(site: SiteUnderTest) -> None:
    start = int(site.clock.now())
    specs, kept = meters("solar", "battery")
    options: dict[str, Any] = {
        "source": "fixed",
        "value": 250.0,
        "details": {"grid_carbon_free": 50},
    }
    await site.open(specs, household=household(start, **POWER), options=options, meters=kept)
    await lived(site, 3)
    source = SiteSource(site.hass, site.entry)
    assert await source.async_flows() == (
        Flow.GRID_IMPORT,
        Flow.GRID_EXPORT,
        Flow.PV,
        Flow.BATTERY_IN,
        Flow.BATTERY_OUT,
    )
    hours = await source.async_hours(start, start + 3 * HOUR)
    assert [hour.start for hour in hours] == [start, start + HOUR, start + 2 * HOUR]
    told = [{flow: round(one.wh or 0.0) for flow, one in hour.flows.items()} for hour in hours]
    assert [one[Flow.GRID_IMPORT] for one in told] == [1000, 0, 0]
    assert [one[Flow.GRID_EXPORT] for one in told] == [0, 1000, 3300]
    assert [one[Flow.PV] for one in told] == [0, 3000, 4000]
    assert [one[Flow.BATTERY_IN] for one in told] == [0, 1500, 0]
    assert [one[Flow.BATTERY_OUT] for one in told] == [0, 0, 800]
    archive = site.entry.runtime_data.keeper.archive
    for figure, flow in ((names.CARBON, Flow.GRID_IMPORT), (names.EXPORT_CARBON, Flow.GRID_EXPORT)):
        kept_as = archive.hourly(SITE_OWNER, [figure], start, start + 3 * HOUR)
        grams = [hour.flows[flow].grams for hour in hours]
        assert grams == pytest.approx(kept_as.dense(start, start + 3 * HOUR)[0])
    first = hours[0].flows[Flow.GRID_IMPORT]
    assert first.carbon_free == pytest.approx(500.0)
    assert hours[1].flows[Flow.PV].carbon_free == pytest.approx(3000.0)
    assert {one.quality for hour in hours for one in hour.flows.values()} == {Quality.MEASURED}
    assert {one.covered for hour in hours for one in hour.flows.values()} == {HOUR}
    assert all(hour.is_final for hour in hours)
    # Of a yearly factor another source may still know better: then nothing is final.
    book = replace(source._book(), expects_better=True)
    later = list(read_hours(book, start, start + 3 * HOUR))
    assert [hour.is_final for hour in later] == [False] * 3
    assert [hour.flows for hour in later] == [hour.flows for hour in hours]


async def test_a_flow_is_measured_while_all_its_meters_are_read(
    site: SiteUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = int(site.clock.now())
    specs, kept = meters("solar", "battery")
    await site.open(specs, household=household(start, **POWER), options=FIXED, meters=kept)
    await lived(site, 1)
    source = SiteSource(site.hass, site.entry)
    await source._async_load()
    book = source._book()
    grid, solar = (book.meters.with_role(role)[0] for role in (Role.GRID, Role.SOLAR))
    # One of two meters has not been read since.
    both = book.archive.energy([grid, solar], start, start + HOUR)
    one_is_missing = replace(both, known=np.array([[True] * 12, [True] * 5 + [False] * 7]))
    assert _covered(one_is_missing).tolist() == [5 * 300]
    # Then the hour is not final, whatever the others say.
    parts = site_hours._parts(book, book.meters, start, start + HOUR)
    (told,) = site_hours._read(book, book.meters, start, start + HOUR)
    assert told.is_final
    parts[Flow.PV] = replace(parts[Flow.PV], covered=_covered(one_is_missing))
    monkeypatch.setattr(site_hours, "_parts", lambda *_: parts)
    (told,) = site_hours._read(book, book.meters, start, start + HOUR)
    assert not told.is_final


async def test_what_a_battery_takes_from_the_grid_weighs_what_the_grid_does(
    site: SiteUnderTest,
) -> None:
    start = int(site.clock.now())
    specs, kept = meters("battery")
    power = {"house": (500.0, 500.0), "battery": (1000.0, -400.0)}
    await site.open(specs, household=household(start, **power), options=FIXED, meters=kept)
    await lived(site, 2)
    hours = await SiteSource(site.hass, site.entry).async_hours(start, start + 2 * HOUR)
    into, out = (
        [hour.flows[flow].grams for hour in hours] for flow in (Flow.BATTERY_IN, Flow.BATTERY_OUT)
    )
    assert into == pytest.approx([250.0, 0.0])
    assert out[0] == 0.0
    assert out[1] > 0.0


@pytest.mark.parametrize(
    ("covered", "quality"),
    [(HOUR, Quality.MEASURED), (1800.0, Quality.MEASURED), (1500.0, Quality.ESTIMATED)],
)
def test_what_was_read_for_less_than_half_of_an_hour_is_estimated(
    covered: float, quality: Quality
) -> None:
    ones = np.ones(1)
    mix = intensity("home", "DE", "supply_mix", HOUR)
    part = _Part(wh=ones, grams=ones, covered=ones * covered, origins=[mix])
    assert _figures(part, 0).quality is quality
    # Nothing counted, but read: that is a zero, and no gap.
    zero = _Part(wh=ones * 0, grams=ones * 0, covered=ones * covered, origins=[mix])
    assert _figures(zero, 0).wh == 0.0


def test_a_carrier_is_told_by_what_is_emitted_where_it_is_used() -> None:
    """The way of gas to the home is in no community's sum; water emits nothing but on its way."""
    library = load_library()
    gas, _ = carrier_account(
        {}, _meter("gas"), quantities={"energy_import"}, library=library, zone="GB"
    )
    water, _ = carrier_account(
        {}, _meter("water"), quantities={"volume"}, library=library, zone="GB"
    )
    assert gas is not None
    assert water is not None
    today = date(2025, 7, 1)
    told = _carrier(Flow.GAS, 1.0, gas, today)
    every = {figure_of(label): label.account for label in gas.grams(today)}
    assert Account.VALUE_CHAIN in every.values()
    assert {every[figure] for figure in told.figures} == {Account.DIRECT}
    assert told.intensity.zone == "GB"
    told = _carrier(Flow.WATER, 0.0, water, today)
    every = {figure_of(label): label.account for label in water.grams(today)}
    assert {every[figure] for figure in told.figures} == {Account.VALUE_CHAIN}


async def test_an_hour_without_readings_is_a_gap(site: SiteUnderTest) -> None:
    start = await opened(site)
    await lived(site, 1)
    source = SiteSource(site.hass, site.entry)
    (_, later) = await source.async_hours(start, start + 2 * HOUR)
    assert later.flows[Flow.GRID_IMPORT].wh == pytest.approx(600.0, abs=301)
    (none,) = await source.async_hours(start + 5 * HOUR, start + 6 * HOUR)
    assert {one.wh for one in none.flows.values()} == {None}
    assert {one.quality for one in none.flows.values()} == {Quality.MISSING}
    assert not none.is_final


async def test_an_hour_waits_for_its_meters_but_not_for_ever(site: SiteUnderTest) -> None:
    start = await opened(site)
    await lived(site, 1)
    source = SiteSource(site.hass, site.entry)
    assert source.ready_until(site.clock.now()) == start + HOUR
    await site.home.modbus.close()
    await site.advance(HOUR, step=900)
    assert source.ready_until(site.clock.now()) == start + HOUR
    assert source.ready_until(site.clock.now() + 2 * HOUR) == start + 2 * HOUR


@pytest.mark.parametrize(
    ("told", "grade", "expected"),
    [
        ("entity:sensor.of_the_home", Grade.MEASURED, ("entity", "DE", "measured", HOUR)),
        ("topic:home/carbon/now", Grade.MEASURED, ("topic", "DE", "measured", HOUR)),
        ("broken:sensor.of_the_home", Grade.YEARLY, ("broken", "DE", "yearly_factor", YEAR)),
        (
            "energy_charts:AT:ipcc2014",
            Grade.ESTIMATED,
            ("energy_charts", "AT", "ipcc2014/estimated", HOUR),
        ),
        ("library:uba:DE:2024", Grade.YEARLY, ("uba", "DE", "2024/yearly_factor", YEAR)),
        ("fixed", Grade.YEARLY, ("fixed", "DE", "yearly_factor", YEAR)),
    ],
)
def test_where_an_intensity_comes_from(
    told: str, grade: Grade, expected: tuple[str, str, str, int]
) -> None:
    found = origin_of(
        np.full(12, 250.0),
        np.full(12, BEST_FIRST.index(grade), dtype=np.uint8),
        [told] * 12,
        np.ones(12),
        "DE",
    )
    assert (found.source, found.zone, found.version, found.resolution) == expected


def test_the_source_of_most_of_the_energy_is_told() -> None:
    grade = np.array([0] * 6 + [2] * 5 + [UNKNOWN_GRADE], dtype=np.uint8)
    value = np.array([100.0] * 3 + [200.0] * 3 + [300.0] * 5 + [np.nan])
    energy = np.array([0.0] * 6 + [10.0] * 6)
    found = origin_of(value, grade, ["a"] * 6 + ["b"] * 5 + [""], energy, "DE")
    assert (found.source, found.version) == ("b", "forecast")
    found = origin_of(value, grade, ["a"] * 6 + ["b"] * 5 + [""], energy * 0, "DE")
    assert found.source == "a"
    nothing = np.full(12, UNKNOWN_GRADE, dtype=np.uint8)
    assert origin_of(value, nothing, [""] * 12, energy, "DE").source == "unknown"


@pytest.mark.parametrize("parts", [1, 2, 4, 12])
def test_values_of_quarters_and_halves_stand_for_these(parts: int) -> None:
    value = np.repeat(np.arange(1.0, parts + 1), 12 // parts)
    found = origin_of(value, np.zeros(12, dtype=np.uint8), ["a"] * 12, np.ones(12), "DE")
    assert found.resolution == HOUR // parts


def test_how_far_it_is_outlives_a_crash(tmp_path: Any) -> None:
    now = 1_800_000_000.0
    told = Told.begin(tmp_path, now)
    # Nobody knows how the last run ended: what is not long ago is compared.
    assert told.until < now - 30 * 86400
    told.until = int(now) // HOUR * HOUR
    told.end(tmp_path)
    again = Told.begin(tmp_path, now)
    assert again.until == told.until
    assert Told.begin(tmp_path, now).until < now - 30 * 86400
    again.touched(0, now)
    assert again.until > now - 401 * 86400
    (tmp_path / "told.json").write_text("{")
    assert Told.begin(tmp_path, now).mark == 0


def _meter(carrier: str) -> ConfigSubentry:
    return ConfigSubentry(
        data={"carrier": carrier, "role": "grid"},
        subentry_id="m",
        subentry_type="meter",
        title="Meter",
        unique_id=None,
    )


def test_the_clock_is_asked() -> None:
    assert is_synced() in {True, False, None}
