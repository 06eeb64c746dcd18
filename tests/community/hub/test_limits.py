"""Budgets: a flood is dropped, others are not, and nobody pays for a disk that fails."""

from custom_components.carbon_meter.community.hub import limits
from custom_components.carbon_meter.community.hub.limits import Budgets, Limits


def test_a_burst_then_the_rate() -> None:
    budgets = Budgets(Limits(rate=1.0, burst=5))
    assert [budgets.admit("a", 0.0) for _ in range(7)] == [True] * 5 + [False] * 2
    assert budgets.admit("b", 0.0)
    assert [budgets.admit("a", 2.5) for _ in range(4)] == [True, True, False, False]
    assert [budgets.admit("a", 1e9) for _ in range(6)] == [True] * 5 + [False]


def test_four_hundred_days_of_hours_pass_at_once() -> None:
    budgets = Budgets(Limits())
    assert all(budgets.admit("a", 0.0) for _ in range(400 * 24))


def test_a_clock_that_is_set_back_takes_nothing_away() -> None:
    budgets = Budgets(Limits(rate=1.0, burst=3))
    assert budgets.admit("a", 1000.0)
    assert budgets.admit("a", 0.0)
    assert budgets.admit("a", 0.0)
    assert not budgets.admit("a", 0.0)
    assert budgets.admit("a", 1.0)


def test_what_is_said_again_is_not_paid_twice() -> None:
    budgets = Budgets(Limits(rate=0.0, burst=4))
    for _ in range(10):
        assert [budgets.admit("a", 0.0) for _ in range(3)] == [True] * 3
        budgets.give_back()
    assert [budgets.admit("a", 0.0) for _ in range(3)] == [True] * 3
    budgets.keep()
    budgets.give_back()
    assert [budgets.admit("a", 0.0) for _ in range(2)] == [True, False]


def test_memory_is_bounded_and_who_floods_is_not_forgotten(monkeypatch) -> None:
    monkeypatch.setattr(limits, "MOST_SENDERS", 100)
    budgets = Budgets(Limits(rate=0.0, burst=3))
    while budgets.admit("flood", 0.0):
        pass
    for number in range(1000):
        budgets.admit(f"h{number}", 0.0)
        budgets.keep()
    assert len(budgets._left) <= 101
    assert not budgets.admit("flood", 0.0)
