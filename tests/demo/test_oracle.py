"""The check's own arithmetic, against figures worked out on paper."""

import pytest

from demo.oracle import Flows, books_of


def flows(
    grid: float = 0,
    *,
    sold: float = 0,
    solar: float = 0,
    charged: float = 0,
    given: float = 0,
    car: float = 0,
    signal: float = 400,
) -> Flows:
    return Flows(
        imported={"grid": grid, "solar": 0, "battery": charged, "ev": car},
        exported={"grid": sold, "solar": solar, "battery": given, "ev": 0},
        grid=signal,
    )


def test_half_of_the_grid_is_half_of_its_intensity() -> None:
    books = books_of([flows(500, solar=500, car=300)], round_trip=1.0)
    assert books.import_carbon == pytest.approx(200)
    assert books.drawn_carbon == {"ev": pytest.approx(60)}
    assert (books.used, books.used_carbon) == pytest.approx((1000, 200))


def test_what_is_sold_carries_the_mix_and_avoids_the_grid() -> None:
    books = books_of([flows(100, sold=300, solar=300)], round_trip=1.0)
    assert books.export_carbon == pytest.approx(30)
    assert books.avoided == pytest.approx(120)
    assert (books.used, books.used_carbon) == pytest.approx((100, 10))


def test_the_battery_gives_its_carbon_back_with_its_losses() -> None:
    intervals = [flows(1000, charged=1000), flows(given=810, car=810, signal=50)]
    books = books_of(intervals, round_trip=0.81)
    assert books.charge_carbon == pytest.approx(400)
    assert books.drawn_carbon["ev"] == pytest.approx(400)
    assert books.discharge_carbon == pytest.approx(400)
    assert (books.content, books.stored_carbon) == pytest.approx((0, 0), abs=1e-9)
    assert books.opening_carbon == 0


def test_what_nobody_saw_go_in_is_weighed_as_the_grids() -> None:
    books = books_of([flows(100, given=100, car=200, charged=0)], round_trip=0.9)
    assert books.opening_carbon == pytest.approx(40)
    assert books.drawn_carbon["ev"] == pytest.approx(80)


def test_within_an_interval_the_battery_gives_before_it_takes() -> None:
    books = books_of([flows(200, given=100, charged=100, car=200)], round_trip=1.0)
    assert books.opening_carbon == pytest.approx(40)
    assert books.stored_carbon == pytest.approx(40)


def test_nothing_is_nothing() -> None:
    books = books_of([flows()], round_trip=0.9)
    assert (books.used, books.import_carbon, books.stored_carbon) == (0, 0, 0)
