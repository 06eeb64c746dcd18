"""Hours become footprints: exact, never more than agreed, gaps stay gaps."""

from dataclasses import replace
from fractions import Fraction
import math
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.community.contract.message import (
    Flow,
    Footprint,
    Item,
    Kind,
    Level,
    Quality,
)
from custom_components.carbon_meter.community.contract.reading import read
from custom_components.carbon_meter.community.contract.writing import write
from custom_components.carbon_meter.community.member.agreed import DAY, Agreed
from custom_components.carbon_meter.community.member.figures import (
    HOUR,
    Clock,
    FlowFigures,
    HourFigures,
    Intensity,
    Period,
    fit,
    footprint_of,
)

from .house import INTENSITY, MAKER, agreed, flow, hour

BEGIN = 1_799_971_200
NOW = BEGIN + 10 * DAY
SYNCED = Clock(synced=True, offset_ms=7)


def told(
    hours: list[HourFigures],
    duration: int = HOUR,
    clock: Clock = SYNCED,
    now: float = NOW,
    **changes: Any,
) -> Footprint | None:
    period = Period(community="street", home="home_17", start=BEGIN, duration=duration)
    return footprint_of(
        hours, period, agreed(**{"duration": duration, **changes}), MAKER, clock, now
    )


def item_of(footprint: Footprint | None, which: Flow = Flow.GRID_IMPORT) -> Item:
    assert footprint is not None
    return next(item for item in footprint.items if item.flow is which)


def one(**changes: Any) -> Item:
    """Return the item of an hour with one flow."""
    values: dict[str, Any] = {"wh": 1000.0, **changes}
    figures = flow(values.pop("wh"), **values)
    return item_of(told([hour(BEGIN, flows={Flow.GRID_IMPORT: figures})]))


def test_an_hour() -> None:
    item = one(wh=1234.5, grams=432.1236, carbon_free=600.4)
    assert (item.wh, item.mg, item.carbon_free) == (1234, 432124, 600)
    assert (item.coverage, item.quality) == (10_000, Quality.MEASURED)
    assert (item.source, item.zone, item.kind, item.version, item.resolution) == (
        "energy-charts",
        "DE",
        Kind.AVERAGE,
        "2026-11",
        900,
    )


@pytest.mark.parametrize(("wh", "told_wh"), [(0.5, 0), (1.5, 2), (2.5, 2), (-0.4, 0), (0.0, 0)])
def test_halves_go_to_the_even_number(wh: float, told_wh: int) -> None:
    assert one(wh=wh).wh == told_wh


@pytest.mark.parametrize(
    "changes",
    [
        {"wh": None},
        {"wh": math.nan},
        {"wh": math.inf},
        {"wh": -3.0},
        {"wh": 1e13},
        {"grams": None},
        {"grams": math.nan},
        {"grams": 1e12},
        {"quality": Quality.MISSING},
    ],
)
@pytest.mark.clause("CM-22")
def test_what_is_not_known_is_missing_and_not_zero(changes: dict[str, Any]) -> None:
    item = one(**changes)
    assert item.quality is Quality.MISSING
    assert (item.wh, item.mg, item.coverage, item.carbon_free) == (0, 0, 0, None)


@pytest.mark.parametrize(
    ("covered", "coverage"),
    [(3600.0, 10_000), (3599.9, 9_999), (1800.0, 5_000), (0.01, 1), (9999.0, 10_000)],
)
def test_coverage(covered: float, coverage: int) -> None:
    assert one(covered=covered).coverage == coverage


@pytest.mark.parametrize("covered", [0.0, math.nan, -1.0])
@pytest.mark.clause("CM-21")
def test_measured_nowhere_is_estimated(covered: float) -> None:
    item = one(covered=covered)
    assert (item.coverage, item.quality, item.wh) == (0, Quality.ESTIMATED, 1000)


@pytest.mark.parametrize(("free", "told_free"), [(2000.0, 1000), (-5.0, 0), (math.nan, None)])
def test_carbon_free_energy_is_a_part_of_it(free: float, told_free: int | None) -> None:
    assert one(carbon_free=free).carbon_free == told_free


def test_flows_that_nobody_agreed_to_stay_at_home() -> None:
    footprint = told([hour(BEGIN)], flows=(Flow.PV, Flow.GAS))
    assert footprint is not None
    assert [item.flow for item in footprint.items] == [Flow.PV]
    assert told([hour(BEGIN)], flows=(Flow.GAS,)) is None


def test_nothing_shorter_than_agreed() -> None:
    period = Period(community="street", home="home_17", start=BEGIN, duration=HOUR)
    agreement = agreed(duration=DAY)
    assert footprint_of([hour(BEGIN)], period, agreement, MAKER, SYNCED, NOW) is None


def test_a_day_out_of_its_hours() -> None:
    hours = [hour(BEGIN + number * HOUR, 100.4, is_final=True) for number in range(24)]
    footprint = told(hours, DAY)
    assert item_of(footprint).wh == 2410
    assert item_of(footprint, Flow.PV).wh == 6012
    assert footprint is not None
    assert footprint.is_final
    assert item_of(footprint).coverage == 10_000


def test_a_day_with_gaps_says_so() -> None:
    hours = [hour(BEGIN + number * HOUR, None if number < 6 else 100.0) for number in range(23)]
    footprint = told(hours, DAY)
    item = item_of(footprint)
    assert (item.wh, item.coverage, item.quality) == (1700, 7083, Quality.MEASURED)
    assert footprint is not None
    assert not footprint.is_final


def test_a_day_of_several_sources() -> None:
    other = replace(INTENSITY, source="entso-e", version="2", resolution=3600)
    flows = {Flow.GRID_IMPORT: flow(1.0, quality=Quality.ESTIMATED, intensity=other)}
    item = item_of(told([hour(BEGIN), hour(BEGIN + HOUR, flows=flows)], DAY))
    assert (item.source, item.zone, item.version) == ("mixed", "DE", "mixed")
    assert (item.resolution, item.quality) == (3600, Quality.ESTIMATED)


def test_kinds_of_intensity_are_not_mixed() -> None:
    marginal = replace(INTENSITY, kind=Kind.MARGINAL)
    flows = {Flow.GRID_IMPORT: flow(7.0, intensity=marginal)}
    item = item_of(told([hour(BEGIN), hour(BEGIN + HOUR, flows=flows)], DAY))
    assert (item.kind, item.wh, item.coverage) == (Kind.MARGINAL, 7, 416)


def test_hours_of_other_days_are_left_out() -> None:
    hours = [hour(BEGIN - HOUR), hour(BEGIN, 5.0), hour(BEGIN + DAY)]
    assert item_of(told(hours, DAY)).wh == 5


@pytest.mark.parametrize(
    ("clock", "now", "is_final"),
    [
        (SYNCED, NOW, True),
        (Clock(synced=False), NOW, False),
        (SYNCED, BEGIN + 10, False),
    ],
)
@pytest.mark.clause("CM-19")
def test_final_only_by_a_good_clock_and_afterwards(
    clock: Clock, now: float, is_final: bool
) -> None:
    footprint = told([hour(BEGIN, is_final=True)], clock=clock, now=now)
    assert footprint is not None
    assert footprint.is_final is is_final


@pytest.mark.parametrize(("level", "offset"), [(Level.CLEAR, 7), (Level.PSEUDONYM, None)])
def test_a_pseudonym_does_not_show_its_clock(level: Level, offset: int | None) -> None:
    footprint = told([hour(BEGIN)], level=level)
    assert footprint is not None
    assert (footprint.level, footprint.offset_ms) == (level, offset)


@pytest.mark.parametrize(
    ("text", "fitted"),
    [
        ("DE-LU", "DE-LU"),
        ("  Öko strom ", "?ko strom"),
        ("", "unknown"),
        ("中", "?"),
        ("x" * 70, "x" * 64),
        ("x" * 63 + " y", "x" * 63),
        ("\n", "?"),
    ],
)
def test_texts_are_made_fit(text: str, fitted: str) -> None:
    assert fit(text) == fitted


numbers = st.one_of(
    st.none(),
    st.floats(),
    st.floats(min_value=0, max_value=20_000),
)
intensities = st.builds(
    Intensity,
    source=st.text(max_size=80),
    zone=st.text(max_size=80),
    kind=st.sampled_from(Kind),
    version=st.text(max_size=80),
    resolution=st.integers(min_value=-5, max_value=10**9),
)
figures = st.builds(
    FlowFigures,
    wh=numbers,
    grams=numbers,
    covered=st.floats(),
    quality=st.sampled_from(Quality),
    intensity=intensities,
    carbon_free=numbers,
)
hours_of_a_day = st.lists(
    st.builds(
        HourFigures,
        start=st.integers(min_value=0, max_value=23).map(lambda number: BEGIN + number * HOUR),
        flows=st.dictionaries(st.sampled_from(Flow), figures, max_size=9),
        is_final=st.booleans(),
    ),
    max_size=24,
    unique_by=lambda each: each.start,
)
agreements = st.builds(
    Agreed,
    text=st.just("joining@1"),
    level=st.sampled_from(Level),
    duration=st.sampled_from((900, 1800, HOUR, DAY)),
    flows=st.lists(st.sampled_from(Flow), min_size=1, max_size=9, unique=True).map(tuple),
)


@given(hours_of_a_day, agreements, st.sampled_from((HOUR, DAY)), st.booleans())
def test_whatever_a_site_knows_a_hub_takes_it(
    hours: list[HourFigures], agreement: Agreed, duration: int, synced: bool
) -> None:
    period = Period(community="street", home="home_17", start=BEGIN, duration=duration)
    footprint = footprint_of(hours, period, agreement, MAKER, Clock(synced=synced), NOW)
    if footprint is not None:
        assert agreement.covers(footprint)
        again = read(*write(footprint), NOW)
        assert again.digest == footprint.digest


@given(st.lists(st.floats(min_value=0, max_value=50_000), min_size=1, max_size=24))
def test_a_footprint_is_half_a_unit_off_at_most(whs: list[float]) -> None:
    hours = [hour(BEGIN + number * HOUR, wh) for number, wh in enumerate(whs)]
    exact = sum(map(Fraction, whs))
    grams = sum(Fraction(wh * 0.35) for wh in whs)
    day = item_of(told(hours, DAY))
    assert abs(day.wh - exact) <= Fraction(1, 2)
    assert abs(day.mg - 1000 * grams) <= Fraction(1, 2)
    single = [item_of(told([replace(each, start=BEGIN)])).wh for each in hours]
    assert abs(sum(single) - exact) <= Fraction(len(whs), 2)
