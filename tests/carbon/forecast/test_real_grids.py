"""Ten real grids: learnt on 2021 and 2022, scored on every hour of 2023."""

from statistics import mean

import pytest

from benchmarks.forecast.comparison import score
from benchmarks.forecast.scoring import Plan, Score
from benchmarks.forecast.zones import DATA, load_zones

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the data do not lie beside the checkout")


@pytest.fixture(scope="module")
def scores() -> list[Score]:
    return [score(zone) for zone in load_zones("life cycle")]


def test_a_fifth_better_than_persistence_and_worse_nowhere(scores: list[Score]) -> None:
    assert len(scores) == 10
    assert mean(each.ratio for each in scores) <= 0.8
    assert max(each.ratio for each in scores) < 1


def test_the_band_holds_in_each(scores: list[Score]) -> None:
    assert {each.zone: each.coverage for each in scores if not 0.75 <= each.coverage <= 0.85} == {}


def test_plans_keep_most_of_what_can_be_saved(scores: list[Score]) -> None:
    """The saving between the worst block of three hours and the best one."""
    for plan in (Plan.DAY, Plan.RANGE):
        savings = [each.savings[plan] for each in scores]
        assert mean(saving.kept for saving in savings) >= 0.915
        assert min(saving.kept for saving in savings if saving.oracle > 0.1) >= 0.8


def test_plans_keep_more_than_those_by_persistence(scores: list[Score]) -> None:
    """Against running at once; in each grid, not only on average."""
    for each in scores:
        ours, theirs = each.savings[Plan.AT_ONCE], each.persistence_savings[Plan.AT_ONCE]
        assert ours.oracle == theirs.oracle
        assert ours.kept > theirs.kept, each.zone
