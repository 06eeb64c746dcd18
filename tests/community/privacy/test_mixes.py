"""How homes are weighed beside one another, and what may be said of their sum then."""

import math

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.community.privacy.mixes import WIDEST_STEP, Mixes
from custom_components.carbon_meter.community.privacy.rules import PILOT, STANDARD

WH = [300 + 2 * home for home in range(40)]


def mixes(intensities, wh=WH) -> Mixes:
    energy = np.array(wh[: len(intensities)], dtype=np.int64)
    amount = np.round(energy * np.array(intensities)).astype(np.int64)
    return Mixes(amount=amount, wh=energy)


@given(st.floats(0, 1000), st.lists(st.integers(0, 5000), min_size=1, max_size=60))
def test_one_intensity_is_one_whatever_was_used(intensity, wh) -> None:
    assert mixes([intensity] * len(wh), wh).are_alike


@given(st.integers(0, 39), st.floats(10, 1000))
def test_one_home_that_is_weighed_otherwise_is_seen(home, more) -> None:
    assert not mixes([400 + more * (each == home) for each in range(40)]).are_alike


def test_the_ratio_is_that_of_the_sums() -> None:
    assert mixes([400] * 20 + [300] * 20).ratio == pytest.approx(
        (400 * sum(WH[:20]) + 300 * sum(WH[20:])) / sum(WH)
    )
    assert mixes([0.0] * 3, [0] * 3).ratio == 0


@pytest.mark.parametrize(
    ("intensities", "are_many"),
    [
        # Each has its own.
        ([200 + 5 * home for home in range(40)], True),
        ([200 + 5 * home for home in range(15)], True),
        ([200 + 5 * home for home in range(14)], False),
        # Two intensities, or a dozen that three or more homes share.
        ([400] * 20 + [300] * 20, False),
        ([200 + 20 * (home // 4) for home in range(40)], False),
        ([200 + 20 * (home // 3) for home in range(39)], True),
        # Two halves of k, and one that knows its own part: two equations for two sums.
        ([400] * 7 + [300] * 7 + [350], False),
        # Fifteen have their own beside many that share one; fourteen have.
        ([400] * 25 + [200 + 5 * home for home in range(15)], True),
        ([400] * 26 + [200 + 5 * home for home in range(14)], False),
        # One of the fifteen makes most of what they differ by.
        ([400] * 25 + [400 + 4 * home for home in range(1, 15)] + [900], False),
        # One has most of the carbon.
        ([1 + home / 10 for home in range(39)] + [9000], False),
    ],
)
def test_a_sum_is_of_many_where_k_are_weighed_as_few_others_are(intensities, are_many) -> None:
    assert mixes(intensities).are_many(STANDARD) == are_many


def test_where_nobody_has_used_anything_each_amount_is_its_own() -> None:
    amounts = Mixes(amount=np.arange(3000, 3040, dtype=np.int64), wh=np.zeros(40, dtype=np.int64))
    assert not amounts.are_alike
    assert amounts.are_many(STANDARD)


@given(st.lists(st.integers(360, 440), min_size=15, max_size=400), st.sampled_from([15, 30]))
def test_a_step_is_wider_than_what_k_homes_differ_by(intensities, k) -> None:
    rules = STANDARD.__class__(k=k)
    told = mixes(intensities, [500 + each % 37 for each in range(len(intensities))])
    said = told.stepped(rules)
    total = int(told.amount.sum())
    most = float(np.abs(told.amount - told.ratio * told.wh).max())
    if said is None:
        # A power of two is less than twice what it has to be.
        assert 2 * 2 * k * max(most, 1.0) + 2 > WIDEST_STEP * total / 2
        return
    step = said & -said
    assert step >= 2 * k * most
    assert abs(said - total) <= WIDEST_STEP / 2 * total


@pytest.mark.parametrize("odd", [400, 500, 1000, 1500])
def test_the_step_does_not_follow_from_the_home_that_differs_most(odd) -> None:
    """Else the steps of a month would add up to what it has used, at 360 g instead of 400."""
    told = mixes([360] + [400] * 199, [odd, *([500] * 199)])
    said = [told.stepped(STANDARD, total) for total in range(39_000_000, 41_000_000, 12345)]
    assert math.gcd(*(each or 0 for each in said)) == 1 << 22


def test_other_energy_is_rounded_after_it_is_weighed() -> None:
    """A step by the energy of the one and then by that of the other would tell both."""
    told = mixes([400] * 39 + [390])
    other = round(told.ratio * (int(told.wh.sum()) + 787))
    said = told.stepped(STANDARD, other)
    assert said is not None
    assert said % 4096 == 0
    assert said == pytest.approx(other, rel=WIDEST_STEP / 2)


def test_many_homes_nearly_alike_are_said_closely() -> None:
    told = mixes([400 + home % 5 for home in range(1000)], [500] * 1000)
    assert told.stepped(STANDARD) == pytest.approx(told.amount.sum(), rel=0.001)


@pytest.mark.parametrize(
    ("intensities", "usual"),
    [
        ([400] * 40, 400),
        ([400] * 39 + [0], 400),
        ([400] * 21 + [300] * 19, 400),
        ([400] * 20 + [300] * 20, None),
        ([400] * 19 + [200 + 7 * home for home in range(21)], None),
        # More than half, but fewer than k.
        ([400] * 14 + [300] * 6, None),
        ([400] * 14, None),
    ],
)
def test_the_usual_ratio_is_that_of_k_homes_and_of_half(intensities, usual) -> None:
    found = mixes(intensities).usual(STANDARD)
    assert found == (None if usual is None else pytest.approx(usual, rel=1e-4))


def test_nobody_has_a_usual_ratio_where_nothing_was_used() -> None:
    assert mixes([400.0] * 20, [0] * 20).usual(STANDARD) is None


def test_homes_that_show_themselves_hide_nothing() -> None:
    assert mixes([400, 300]).are_many(PILOT)
