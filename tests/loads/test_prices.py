"""Prices as entities of many integrations tell them, before and ahead."""

from datetime import timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.loads.options import PlanningOptions
from custom_components.carbon_meter.loads.prices import SitePrices
from custom_components.carbon_meter.planning.objective import Goal
from custom_components.carbon_meter.planning.price_list import (
    PriceUnitError,
    factor_of,
    prices_of,
    put_over,
)
from custom_components.carbon_meter.planning.realised import PriceInterval
from tests.loads.site import EVENING, HOUR

BERLIN = ZoneInfo("Europe/Berlin")
T = EVENING.timestamp()


def iso(hours: float) -> str:
    """Return a moment so many hours after the evening begins."""
    return (EVENING + timedelta(hours=hours)).isoformat()


def told(document: Any, unit: str = "EUR/kWh") -> list[tuple[float, float, float]]:
    """Return prices by hours after the evening begins."""
    return [
        ((each.start - T) / HOUR, (each.end - T) / HOUR, pytest.approx(each.value))
        for each in prices_of(document, unit, BERLIN)
    ]


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("", 1.0),
        ("EUR/kWh", 1.0),
        ("€/kWh", 1.0),
        ("ct/kWh", 0.01),
        ("Cent/kWh", 0.01),
        ("öre/kWh", 0.01),
        ("p/kWh", 0.01),
        ("EUR/MWh", 0.001),
        ("ct/MWh", 0.00001),
        ("GBP/Wh", 1000.0),
    ],
)
def test_units(unit: str, factor: float) -> None:
    assert factor_of(unit) == pytest.approx(factor)


@pytest.mark.parametrize("unit", ["%", "EUR", "gCO2eq/kWh", "gCO2eq/kWh/h", "EUR/m³", "kWh"])
def test_units_of_something_else(unit: str) -> None:
    with pytest.raises(PriceUnitError):
        factor_of(unit)


@pytest.mark.parametrize(
    ("document", "unit"),
    [
        (
            {
                "raw_today": [{"start": iso(0), "end": iso(1), "value": 0.3}],
                "raw_tomorrow": [{"start": iso(1), "end": iso(2), "value": -0.05}],
            },
            "EUR/kWh",
        ),
        ({"prices": [{"time": iso(0), "price": 0.3}, {"time": iso(1), "price": -0.05}]}, "EUR/kWh"),
        (
            {
                "data": [
                    {"start_time": iso(0), "end_time": iso(1), "price_per_kwh": 0.3},
                    {"start_time": iso(1), "end_time": iso(2), "price_per_kwh": -0.05},
                ]
            },
            "ct/kWh",
        ),
        (
            {
                "data": [
                    {"start_timestamp": T * 1e3, "marketprice": 300.0},
                    {"start_timestamp": (T + HOUR) * 1e3, "marketprice": -50.0},
                ]
            },
            "",
        ),
        (
            {
                "rates": [
                    {"start": iso(0), "end": iso(1), "value_inc_vat": 30},
                    {"start": iso(1), "end": iso(2), "value_inc_vat": -5},
                ]
            },
            "p/kWh",
        ),
        (
            {
                "today": [
                    {"startsAt": "2026-09-21T20:00:00", "total": 0.3},
                    {"startsAt": "2026-09-21T21:00:00", "total": -0.05},
                ]
            },
            "EUR/kWh",
        ),
        ({"prices": {iso(0): "0.3", iso(1): -0.05}}, "EUR/kWh"),
    ],
)
def test_forms_that_are_in_use(document: Any, unit: str) -> None:
    assert told(document, unit) == [(0, 1, 0.3), (1, 2, -0.05)]


@pytest.mark.parametrize(
    "document",
    [
        None,
        {},
        {"prices": None},
        {"prices": "0.3"},
        {"prices": [0.3, 0.4]},
        {"prices": [{"time": "soon", "price": 0.3}, {"time": iso(0)}, {"price": 1}]},
        {"prices": [{"time": iso(0), "price": None}, {"time": iso(1), "price": True}]},
        {"prices": [{"time": iso(0), "price": "nan"}, {"time": iso(1), "price": 9e9}]},
        {"prices": [{"start": iso(1), "end": iso(0), "price": 0.3}]},
    ],
)
def test_what_tells_nothing(document: Any) -> None:
    assert told(document) == []


def test_local_hour_that_comes_twice() -> None:
    rows = [
        {"start": f"2026-10-25T{hour}:00:00", "value": place}
        for place, hour in enumerate(("01", "02", "02", "03"))
    ]
    found = prices_of({"raw_today": rows}, "", BERLIN)
    assert [each.value for each in found] == [0, 1, 2, 3]
    assert found[-1].start - found[0].start == 3 * HOUR


ROWS = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 5), st.integers(-9, 9)), max_size=8)


def in_order(rows: list[tuple[int, int, int]]) -> list[PriceInterval]:
    """Return rows as prices that follow one another."""
    found: list[PriceInterval] = []
    position = 0
    for gap, length, value in rows:
        position += gap
        found.append(PriceInterval(start=position, end=position + length, value=value))
        position += length
    return found


@given(ROWS, ROWS)
def test_newer_prices_count(below: Any, above: Any) -> None:
    old, new = in_order(below), in_order(above)
    found = put_over(old, new)
    assert all(one.end <= other.start for one, other in pairwise(found))

    def at(prices: list[PriceInterval], moment: float) -> float | None:
        return next((each.value for each in prices if each.start <= moment < each.end), None)

    for moment in range(220):
        expected = at(new, moment)
        assert at(found, moment) == (at(old, moment) if expected is None else expected)


def prices(hass: HomeAssistant, **options: Any) -> SitePrices:
    """Return the prices of a site with such options."""
    return SitePrices(hass, PlanningOptions.of(options))


async def test_one_price_for_all_time(hass: HomeAssistant) -> None:
    found = prices(hass, price=0.28)
    assert found.is_told
    assert found.intervals(0.0, 9.0) == [PriceInterval(start=0.0, end=9.0, value=0.28)]
    assert prices(hass).intervals(0.0, 9.0) == []
    assert not prices(hass).is_told


async def test_state_counts_from_when_it_is_said(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to(EVENING)
    unit = {"unit_of_measurement": "ct/kWh"}
    hass.states.async_set("sensor.price", "30", unit)
    found = prices(hass, price_entity="sensor.price")
    news = []
    stop = found.async_start(lambda: news.append(1))
    freezer.move_to(EVENING + timedelta(minutes=100))
    hass.states.async_set("sensor.price", "20", unit)
    await hass.async_block_till_done()
    assert len(news) == 1
    freezer.move_to(EVENING + timedelta(hours=3))
    rows = [
        (each.start - T, each.end - T, round(each.value, 4))
        for each in found.intervals(T, T + 8 * HOUR)
    ]
    assert [row for row in rows if row[2] == 0.3] == [(0, 6000, 0.3)]
    # Nobody knows better than that it stays as it is.
    assert rows[1][0] == 6000
    assert rows[-1][1:] == (8 * HOUR, 0.2)
    again = prices(hass, price_entity="sensor.price")
    again.restore(found.as_dict())
    assert again.intervals(T, T + 2 * HOUR)[0].value == pytest.approx(0.3)
    other = prices(hass, price_entity="sensor.other")
    other.restore(found.as_dict())
    assert other.intervals(T, T + 2 * HOUR) == []
    stop()


async def test_list_counts_and_beyond_it_nothing_is_known(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to(EVENING)
    rows = [{"start": iso(hour), "end": iso(hour + 1), "value": hour / 10} for hour in range(5)]
    hass.states.async_set(
        "sensor.price", "0", {"unit_of_measurement": "EUR/kWh", "raw_today": rows}
    )
    found = prices(hass, price_entity="sensor.price")
    found.async_start(lambda: None)
    assert [each.value for each in found.intervals(T, T + 72 * HOUR)] == [
        pytest.approx(hour / 10) for hour in range(5)
    ]


@pytest.mark.parametrize("state", ["unavailable", "unknown", "cheap", "nan"])
async def test_entity_that_says_nothing(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, state: str
) -> None:
    freezer.move_to(EVENING)
    hass.states.async_set("sensor.price", state)
    found = prices(hass, price_entity="sensor.price")
    found.async_start(lambda: None)
    assert found.intervals(T, T + HOUR) == []


async def test_unit_that_is_none_of_a_price_is_told_once(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, caplog: pytest.LogCaptureFixture
) -> None:
    freezer.move_to(EVENING)
    found = prices(hass, price_entity="sensor.price")
    found.async_start(lambda: None)
    for number in range(3):
        hass.states.async_set("sensor.price", str(number), {"unit_of_measurement": "%"})
        await hass.async_block_till_done()
    assert found.intervals(T, T + HOUR) == []
    assert caplog.text.count("No price") == 1


def test_options_of_planning() -> None:
    nothing = PlanningOptions.of(None)
    assert nothing.objective.goal is Goal.CARBON_THEN_COST
    assert nothing.objective.caution == 0.2
    assert (nothing.margin.absolute, nothing.margin.relative) == (20, 0.02)
    assert (nothing.fuse, nothing.price, nothing.price_entity) == (None, None, None)
    weighted = PlanningOptions.of({"goal": "weighted", "price_per_kg": 0.1, "least_saving": 50})
    # 50 g at 0.1 a kg.
    assert weighted.margin.absolute == pytest.approx(0.005)
    assert PlanningOptions.of({"goal": "cost"}).margin.absolute == 0
    odd = PlanningOptions.of({"goal": "moon", "fuse": -3, "price": "x", "caution": float("nan")})
    assert odd == nothing
    assert PlanningOptions.of({"price": -0.1}).price == -0.1
