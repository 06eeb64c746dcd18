"""Slots, signals, objectives and what a plan says of itself."""

import json
import math

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.planning.block import Profile, plan_block
from custom_components.carbon_meter.planning.objective import (
    SAME,
    Goal,
    Objective,
    best,
    ranks,
    settled,
)
from custom_components.carbon_meter.planning.plan import Piece, Weighing, energies, joined
from custom_components.carbon_meter.planning.signal import Signal
from custom_components.carbon_meter.planning.slots import Slots, SlotsError
from custom_components.carbon_meter.planning.window import Window, WindowError
from tests.planning.problems import HOUR, START, hourly, slots_of


def test_slots_of_a_step_and_where_a_moment_lies() -> None:
    slots = Slots.of(0, 4000, 1800)

    assert slots.ends.tolist() == [1800, 3600, 4000]
    assert slots.hours.tolist() == [0.5, 0.5, 400 / 3600]
    assert [slots.index(each) for each in (0, 1799.9, 1800, 3999)] == [0, 0, 1, 2]
    for outside in (-1, 4000, math.nan):
        with pytest.raises(IndexError):
            slots.index(outside)


def test_cuts_are_parts_of_slots() -> None:
    slots = slots_of([300, 900, 3600], 0)

    assert slots.cut(100, 1300).edges.tolist() == [100, 300, 1200, 1300]
    assert slots.cut(-50, 9999).edges.tolist() == slots.edges.tolist()
    assert len(slots.cut(300, 300)) == len(slots.cut(9000, 9100)) == len(slots.cut(500, 400)) == 0
    assert math.isnan(slots.cut(5, 5).start)


@pytest.mark.parametrize(
    ("starts", "ends"),
    [
        ([0, 2], [1, 3]),
        ([0, 1], [2, 3]),
        ([0, 1], [1, 1]),
        ([0, math.nan], [math.nan, 3]),
        ([0], [math.inf]),
        ([0], [1, 2]),
        ([[0]], [[1]]),
    ],
)
def test_what_are_no_slots(starts, ends) -> None:
    with pytest.raises(SlotsError):
        Slots(np.array(starts, dtype=float), np.array(ends, dtype=float))


@pytest.mark.parametrize("step", [0, -60, math.nan, 1e-9])
def test_impossible_steps(step: float) -> None:
    with pytest.raises(SlotsError):
        Slots.of(0, 3600, step)


def test_numbers_that_cannot_be_true_are_not_known() -> None:
    signal = hourly(
        [100, None, -1, 65_535e20, math.inf, math.nan], price=[-0.2, None, 1e9, 0, 1, math.nan]
    )

    assert np.isnan(signal.carbon).tolist() == [False, True, True, True, True, True]
    assert np.isnan(signal.price).tolist() == [False, True, True, False, False, True]
    for wrong in ([1, 2], ["a"] * 6, [[1]] * 6, 5):
        with pytest.raises(SlotsError):
            Signal.of(signal.slots, wrong)


def test_a_signal_over_more_than_it_knows() -> None:
    signal = hourly([100, 200], low=[90, 150], high=[110, 300], price=[0.1, 0.2])

    over = signal.over(START - 1800, START + 4 * HOUR)
    none = signal.over(START + 10 * HOUR, START + 11 * HOUR)

    assert over.slots.start == START - 1800
    assert over.slots.end == START + 4 * HOUR
    assert over.carbon[1:3].tolist() == [100, 200]
    assert over.high[1:3].tolist() == [110, 300]
    assert np.isnan(over.carbon[[0, 3, 4]]).all()
    assert np.isnan(over.price[[0, 3, 4]]).all()
    assert np.isnan(none.carbon).all()
    assert len(signal.over(START, START).slots) == 0
    assert len(signal.over(START, START + 3e9).slots) < 2000


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40))
def test_ranks_never_reorder_what_differs(values) -> None:
    array = np.array(values)
    rank = ranks(array)
    for one, own in zip(array, rank, strict=True):
        for other, its in zip(array, rank, strict=True):
            if one < other - SAME * max(abs(one), abs(other)) * (1 + 1e-6):
                assert own < its
            if one < other:
                assert own <= its
    assert np.allclose(settled(array), array, rtol=SAME * 1.01, atol=0)


def test_the_next_key_decides_only_among_the_same() -> None:
    first = np.array([1.0, 1.0 + 1e-12, 1.0 + 1e-8, 2.0])
    second = np.array([5.0, 3.0, 0.0, 0.0])

    assert best(first, second) == 1
    assert best(second, first) == 2
    assert best(np.zeros(3)) == 0


def test_weights_of_each_goal() -> None:
    signal = hourly([100, 200, None], price=[0.3, None, 0.1], high=[150, None, 9])

    def first(objective: Objective) -> list[float]:
        return objective.weights(signal).first.tolist()

    assert first(Objective.carbon()) == [0.1, 0.2, 0.0]
    assert first(Objective.cost()) == pytest.approx([0.0003, 0.0, 0.0001])
    assert first(Objective.weighted(0.5)) == pytest.approx([0.00035, 0.0, 0.0])
    assert first(Objective.carbon().with_caution(1.0)) == pytest.approx([0.15, 0.2, 0.0])
    both = Objective.lexicographic(Goal.CARBON).weights(signal)
    assert both.known.tolist() == [True, True, False]
    assert both.second.tolist() == pytest.approx([0.0003, 0.0003, 0.0001])
    assert Objective.weighted(0.5).weights(signal).known.tolist() == [True, False, False]


@pytest.mark.parametrize("numbers", [{"price_per_kg": -1}, {"caution": math.nan}])
def test_impossible_objectives(numbers) -> None:
    with pytest.raises(ImpossibleAmountError):
        Objective(goal=Goal.CARBON, **numbers)
    with pytest.raises(ImpossibleAmountError):
        Objective.lexicographic(Goal.WEIGHTED)


def test_windows_have_moments() -> None:
    with pytest.raises(WindowError):
        Window(start=0, end=math.nan)
    with pytest.raises(WindowError):
        Window(start=0, end=1, quiet=((0, math.inf),))
    assert Window(start=5, end=1).seconds == 0


def test_pieces_are_joined_and_weighed() -> None:
    pieces = joined(
        [Piece(3600, 5400, 1000), Piece(0, 3600, 1000), Piece(7, 7, 5), Piece(9000, 9900, 0)]
    )

    assert pieces == (Piece(0, 5400, 1000),)
    assert energies(slots_of([3600, 3600], 0), pieces).tolist() == [1000, 500]
    outcome = Weighing.of(
        Signal.of(slots_of([3600, 3600], 0), [100, 300], price=[0.2, None]), Objective.carbon()
    ).outcome(pieces)
    assert outcome.energy == 1500
    assert outcome.carbon == pytest.approx(250)
    assert outcome.cost is None


def test_a_plan_as_json() -> None:
    plan = plan_block(
        hourly([300, 100], price=[0.1, 0.2]),
        Objective.carbon(),
        Profile.flat(2000, 1800),
        Window(start=START, end=START + 2 * HOUR),
    )

    data = json.loads(json.dumps(plan.as_dict()))

    assert data["pieces"] == [[START + HOUR, START + 1.5 * HOUR, 2000]]
    assert data["saved_carbon"] == pytest.approx(200)
    assert data["saved_cost"] == pytest.approx(-0.1)
    assert data["gap"] == 0
    assert data["is_moved"] is True
    assert data["reason"] == {
        "kind": "moved",
        "gain": pytest.approx(200),
        "best": pytest.approx(100),
        "later": HOUR,
    }
    assert plan.power.tolist() == [0, 1000]
    assert plan.power_at(START + HOUR) == 2000
    assert plan.power_at(START + 1.5 * HOUR) == 0


def test_clock_changes_are_nothing_in_utc() -> None:
    """The night in which Berlin's clocks go back has as many hours as any other in UTC."""
    change = 1_792_893_600.0  # 2026-10-24T22:00Z: midnight of the day of 25 hours
    carbon = [300.0, 250, 200, 120, 110, 180, 240, 260]
    plans = [
        plan_block(
            Signal.of(Slots.of(start, start + 8 * HOUR, HOUR), carbon),
            Objective.carbon(),
            Profile.flat(1000, 2 * HOUR),
            Window(start=start, end=start + 8 * HOUR),
        )
        for start in (change, change + 86_400 * 3)
    ]

    assert [plan.start - plan.slots.start for plan in plans] == [3 * HOUR, 3 * HOUR]
    assert plans[0].value == plans[1].value
