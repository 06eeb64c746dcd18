"""What an accountant has told of a site, as figures use it; garbage is taken as not told."""

import math
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.carbon.accounting.normalised import Denominator, Reference
from custom_components.carbon_meter.carbon.factors.factor import Scope
from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.supply.battery import Costing, Portion
from custom_components.carbon_meter.carbon.supply.efficiency import estimate_efficiency
from custom_components.carbon_meter.details import battery_of, details_of, market_of

GARBAGE = (
    st.none()
    | st.booleans()
    | st.floats()
    | st.text(max_size=5)
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
)


def test_all_that_can_be_told() -> None:
    details = details_of(
        {
            "zone": "DE",
            "details": {
                "market": "DE-LU",
                "floor_area": 140,
                "persons": 3.5,
                "product": "tonne",
                "product_quantity": 1200,
                "solar_scope": "life_cycle",
                "grid_carbon_free": 62,
                "loss_share": 4.5,
            },
        },
        "AT",
    )
    assert details.market == "DE-LU"
    assert details.references == (
        Reference(denominator=Denominator.AREA, quantity=140),
        Reference(denominator=Denominator.PERSON, quantity=3.5),
        Reference(denominator=Denominator.PRODUCT, quantity=1200, name="tonne"),
    )
    assert details.solar_scope is Scope.LIFE_CYCLE
    assert details.grid_carbon_free == pytest.approx(0.62)
    assert details.loss_share == pytest.approx(0.045)


def test_nothing_told() -> None:
    details = details_of({}, "AT")
    assert (details.market, details.references) == ("AT", ())
    assert details.solar_scope is Scope.DIRECT
    assert details.grid_carbon_free is None
    assert details.loss_share is None


def test_nought_is_told_as_well() -> None:
    details = details_of({"details": {"grid_carbon_free": 0, "loss_share": 0}}, None)
    assert (details.grid_carbon_free, details.loss_share) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("options", "country", "market"),
    [
        ({"details": {"market": " de-lu "}, "zone": "DE"}, "AT", "DE-LU"),
        ({"zone": "cn-sh"}, "AT", "CN-SH"),
        ({}, "AT", "AT"),
        ({}, None, "001"),
        ({"zone": 7, "details": []}, None, "001"),
    ],
)
def test_market_of_a_site(options: Any, country: str | None, market: str) -> None:
    assert market_of(options, country) == market


@pytest.mark.parametrize(
    "details",
    [
        {"product": "tonne"},
        {"product_quantity": 10},
        {"product": "  ", "product_quantity": 10},
        {"floor_area": 0},
        {"persons": "three"},
        {"floor_area": math.inf},
        {"persons": True},
    ],
)
def test_nothing_is_divided_by_what_is_not_told(details: dict[str, Any]) -> None:
    assert details_of({"details": details}, "DE").references == ()


def test_battery_as_told() -> None:
    options = {
        "batteries": {
            "a": {"capacity": 10, "efficiency": 81, "standby": 15, "costing": "fifo"},
            "b": {},
        }
    }
    told = battery_of(options, "a")
    assert (told.capacity, told.round_trip, told.standby) == (10_000.0, 0.81, 15.0)
    assert told.one_way() == pytest.approx(0.9)
    ledger = told.ledger()
    assert (ledger.charging, ledger.discharging) == pytest.approx((0.9, 0.9))
    assert (ledger.capacity, ledger.standby, ledger.costing) == (10_000.0, 15.0, Costing.FIFO)
    for other in ("b", "c"):
        assert battery_of(options, other).costing is Costing.WEIGHTED_AVERAGE
        assert battery_of(options, other).capacity is None


def test_battery_learns_unless_told() -> None:
    learned = estimate_efficiency(
        charged=10_000.0, discharged=6400.0, capacity=5000.0, stored_change=0.0
    )
    assert battery_of({}, "a").one_way() == pytest.approx(math.sqrt(0.9))
    assert battery_of({}, "a").one_way(learned) == pytest.approx(0.8)
    told = battery_of({"batteries": {"a": {"efficiency": 81}}}, "a")
    assert told.one_way(learned) == pytest.approx(0.9)


def test_what_is_charged_comes_back_less_the_round_trip() -> None:
    ledger = battery_of({"batteries": {"a": {"efficiency": 90}}}, "a").ledger()
    ledger.charge([Portion(energy=1000.0, carbon=400.0, grade=Grade.MEASURED)])
    drawn = ledger.discharge(900.0, fallback=500.0)
    assert drawn.unbacked == pytest.approx(0.0, abs=1e-6)
    assert drawn.carbon == pytest.approx(400.0)


@given(st.dictionaries(st.sampled_from(["details", "batteries", "zone", "sources"]), GARBAGE))
def test_whatever_the_options_are_there_are_details(options: dict[str, Any]) -> None:
    assert details_of(options, "DE").market
    assert battery_of(options, "a").ledger().charging > 0


@given(
    st.dictionaries(
        st.sampled_from(
            [
                *("market", "floor_area", "persons", "product", "product_quantity"),
                *("solar_scope", "grid_carbon_free", "loss_share"),
            ]
        ),
        GARBAGE,
    ),
    st.dictionaries(st.sampled_from(["capacity", "efficiency", "standby", "costing"]), GARBAGE),
)
def test_whatever_is_told_can_be_used(told: dict[str, Any], battery: dict[str, Any]) -> None:
    details = details_of({"details": told}, "DE")
    assert all(reference.quantity > 0 for reference in details.references)
    assert details.grid_carbon_free is None or 0 <= details.grid_carbon_free <= 1
    assert details.loss_share is None or 0 <= details.loss_share < 1
    ledger = battery_of({"batteries": {"a": battery}}, "a").ledger()
    assert 0 < ledger.charging <= 1
    assert ledger.capacity is None or ledger.capacity > 0
