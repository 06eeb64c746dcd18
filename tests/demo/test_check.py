"""What the check makes of figures."""

import math

import pytest

from demo.check import Counters, Verdict, flows_between


@pytest.mark.parametrize(
    ("booked", "right"), [(100.0, True), (101.0, True), (101.1, False), (98.9, False)]
)
def test_a_figure_is_right_within_its_tolerance(booked: float, right: bool) -> None:
    verdict = Verdict(name="Grid", booked=booked, expected=100.0, unit="Wh", tolerance=1.0)
    assert verdict.right is right
    assert str(verdict).startswith("right  Grid: " if right else "WRONG  Grid: ")


@pytest.mark.parametrize(("booked", "expected"), [(math.nan, 1.0), (1.0, math.nan)])
def test_what_is_no_number_is_wrong(booked: float, expected: float) -> None:
    verdict = Verdict(name="Car", booked=booked, expected=expected, unit="g", tolerance=9.0)
    assert not verdict.right


def test_flows_are_what_the_counters_show_and_not_what_is_true() -> None:
    before = Counters(shown={"ev": (1000.0, 5.0)}, true={"ev": (1000.4, 5.0)})
    after = Counters(shown={"ev": (1002.0, 9.0)}, true={"ev": (1002.4, 9.3)})
    flows = flows_between(before, after, 250.0)
    assert (flows.imported, flows.exported, flows.grid) == ({"ev": 2.0}, {"ev": 4.0}, 250.0)
