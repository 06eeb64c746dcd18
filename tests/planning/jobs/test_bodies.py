"""What is made of litres and square metres, held against figures worked out by hand."""

from datetime import datetime
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.planning.jobs.bodies import (
    Mass,
    drawn,
    room,
    standing_loss,
    tank,
)
from custom_components.carbon_meter.planning.slots import Slots
from tests.planning.problems import HOUR

BERLIN = ZoneInfo("Europe/Berlin")


def test_a_tank_holds_its_water() -> None:
    """200 l by one kelvin are 232.6 Wh; the Union lets it lose 16.66 + 8.33 * 8.326 W at 45 K."""
    body = tank(200.0)

    assert body.capacity == pytest.approx(232.6)
    assert body.loss == pytest.approx((16.66 + 8.33 * 8.3255) / 45.0, rel=1e-4)
    assert tank(200.0, loss=1.2).loss == 1.2


def test_the_loss_of_a_type_plate() -> None:
    """2.16 kWh in 24 h are 90 W, at 45 K 2 W/K."""
    assert standing_loss(2.16) == pytest.approx(2.0)


def test_a_room_by_its_floor() -> None:
    """100 m2: 165 kJ/(m2 K) are 4583 Wh/K; a heavy one holds more, and what is known counts."""
    body = room(100.0)

    assert body.capacity == pytest.approx(4583.33, rel=1e-5)
    assert body.loss == pytest.approx(150.0)
    assert room(100.0, mass=Mass.HEAVY).capacity == pytest.approx(7222.22, rel=1e-5)
    assert room(0.0, heat_capacity=5000.0, loss=90.0).capacity == 5000.0


@pytest.mark.parametrize("figure", [0.0, -1.0, float("nan"), float("inf")])
def test_there_are_no_such_bodies(figure: float) -> None:
    """No tank and no room is of that size."""
    with pytest.raises(ImpossibleAmountError):
        tank(figure)
    with pytest.raises(ImpossibleAmountError):
        room(figure)


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-06-10", 24), ("2026-10-25", 25)]
)
def test_a_day_of_hot_water_is_a_day(day: str, hours: int) -> None:
    """Also on the days of the changes of the clock; the shower comes at seven by the clock."""
    start = datetime.fromisoformat(day).replace(tzinfo=BERLIN).timestamp()
    slots = Slots.of(start, start + hours * HOUR, HOUR)

    powers = drawn(slots, 5845.0, BERLIN)

    assert powers @ slots.hours == pytest.approx(5845.0)
    clocks = [datetime.fromtimestamp(moment, BERLIN).hour for moment in slots.starts]
    assert powers[clocks.index(7)] == pytest.approx(1610.0)
    assert powers[clocks.index(3)] == 0.0


@given(
    st.lists(st.floats(60.0, 9000.0), min_size=1, max_size=60),
    st.sampled_from(["Asia/Kathmandu", "Australia/Lord_Howe", "America/Sao_Paulo"]),
)
def test_slots_of_any_length_share_the_water(lengths: list[float], name: str) -> None:
    """What is drawn in parts of a stretch is what is drawn in all of it."""
    edges = 1_790_000_123.0 + np.concatenate([[0.0], np.cumsum(lengths)])
    slots, zone = Slots.at(edges), ZoneInfo(name)
    whole = Slots.of(slots.start, slots.end, slots.end - slots.start)

    parts = drawn(slots, 4000.0, zone)

    assert (parts >= 0.0).all()
    assert parts @ slots.hours == pytest.approx(float(drawn(whole, 4000.0, zone) @ whole.hours))


def test_nothing_is_drawn_in_no_time() -> None:
    """No slots, no water."""
    assert len(drawn(Slots.of(0.0, 0.0, 60.0), 4000.0, BERLIN)) == 0
