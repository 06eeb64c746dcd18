"""Sums over a window that rolls."""

import json

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.carbon_meter.metering.rolling import HOUR, RollingSums

T = 1_789_920_000


def hour() -> RollingSums:
    return RollingSums(length=HOUR, parts=12, width=2, maxima=1)


def test_a_stretch_is_spread_over_its_slots() -> None:
    window = hour()
    window.add(T - 150, T + 450, [600.0, 7.0])

    assert window.window(T) == pytest.approx([150.0, 7.0])
    assert window.window(T + 300) == pytest.approx([450.0, 7.0])
    assert window.window(T + 600) == pytest.approx([600.0, 7.0])
    assert window.window(T + HOUR) == pytest.approx([450.0, 7.0])
    assert window.window(T + 3 * HOUR) == [0.0, 0.0]


def test_the_last_slot_that_is_over() -> None:
    assert hour().last_complete(T + 299.9) == T
    assert hour().last_complete(T + 300.0) == T + 300


def test_slots_of_a_clock_that_was_ahead_are_let_go() -> None:
    window = hour()
    window.add(T, T + 10, [1.0, 1.0])
    window.add(T + HOUR, T + HOUR + 10, [5.0, 5.0])
    window.forget_from(T + 1000)
    assert window.window(T + 2 * HOUR) == [0.0, 0.0]
    assert window.window(T + HOUR) == [1.0, 1.0]


def test_slots_of_another_width_are_not_taken_over() -> None:
    window = hour().restore({str(T): [1.0, 2.0, 3.0], str(T + 300): [4.0, 5.0]})
    assert window.window(T + HOUR) == [4.0, 5.0]


stretches = st.lists(
    st.tuples(st.floats(0.1, 4000), st.floats(-1e4, 1e4), st.booleans()), min_size=1, max_size=40
)


@settings(deadline=None)
@given(stretches)
def test_nothing_is_lost_within_the_window(stretches) -> None:
    """Against the whole list of stretches, through restarts."""
    window, now = hour(), float(T)
    whole = []
    for seconds, figure, restart in stretches:
        window.add(now, now + seconds, [figure, abs(figure)])
        whole.append((now, now + seconds, figure))
        now += seconds
        if restart:
            window = hour().restore(json.loads(json.dumps(window.as_dict())))
    until = window.last_complete(now)
    inside = [
        (figure, max(0.0, min(end, until) - max(start, until - HOUR)) / (end - start))
        for start, end, figure in whole
    ]
    total, largest = window.window(until)

    assert total == pytest.approx(sum(figure * share for figure, share in inside), abs=1e-3)
    assert largest >= max((abs(figure) for figure, share in inside if share > 1e-6), default=0.0)
    assert len(window.as_dict()) <= 26
