"""Plans change only for a gain, and a deadline wins over everything."""

import numpy as np
import pytest

from custom_components.carbon_meter.planning.block import Profile, plan_block
from custom_components.carbon_meter.planning.charging import (
    Charger,
    Connection,
    Need,
    plan_charging,
)
from custom_components.carbon_meter.planning.decision import keep_or_replace, rest
from custom_components.carbon_meter.planning.guard import latest_start, must_run_now
from custom_components.carbon_meter.planning.objective import Objective
from custom_components.carbon_meter.planning.plan import Margin, Plan, ReasonKind
from custom_components.carbon_meter.planning.signal import Signal
from custom_components.carbon_meter.planning.window import Window
from tests.planning.problems import HOUR, START, hourly

CARBON = Objective.carbon()
PROFILE = Profile.flat(1000, HOUR)


def planned(signal: Signal, hours: float = 4, after: float = 0) -> Plan:
    """Return the plan of an hour by an hour after the start."""
    window = Window(start=START + after * HOUR, end=START + hours * HOUR)
    return plan_block(signal, CARBON, PROFILE, window)


def decide(old: Plan, new: Plan, signal: Signal, margin: Margin, after: float = 0) -> Plan:
    """Return which plan is chosen some hours after the start."""
    return keep_or_replace(
        old, new, margin, signal=signal, objective=CARBON, now=START + after * HOUR
    )


def test_a_small_gain_keeps_the_plan_and_a_large_one_replaces_it() -> None:
    old = planned(hourly([300, 200, 100, 150]))
    signal = hourly([300, 200, 110, 100])
    new = planned(signal)

    kept = decide(old, new, signal, Margin(relative=0.1))
    replaced = decide(old, new, signal, Margin(absolute=5.0, relative=0.05))

    assert kept.pieces == old.pieces
    assert kept.reason.kind is ReasonKind.KEPT
    assert kept.reason.numbers["gain"] == pytest.approx(10)
    assert kept.value == pytest.approx(110)
    assert kept.lower_bound == pytest.approx(100)
    assert kept.baseline.value == pytest.approx(300)
    assert replaced is new


def test_a_plan_that_is_as_good_is_kept() -> None:
    old = planned(hourly([300, 200, 100, 100]))
    signal = hourly([300, 100, 100, 100])

    assert decide(old, planned(signal), signal, Margin()).start == START + 2 * HOUR


def test_what_has_run_does_not_count() -> None:
    """Half of the old plan has run: the new one brings what is left and is compared with that."""
    signal = hourly([100, 120, 300, 300])
    car = Connection(start=START, charger=Charger.fixed(1000))
    old = plan_charging(signal, CARBON, car, [Need(energy=2000, deadline=START + 4 * HOUR)])
    later = Connection(start=START + HOUR, charger=Charger.fixed(1000))
    revised = hourly([100, 120, 119, 300])
    new = plan_charging(revised, CARBON, later, [Need(energy=1000, deadline=START + 4 * HOUR)])

    chosen = decide(old, new, revised, Margin(absolute=5), after=1)

    assert chosen.pieces == rest(old, START + HOUR)
    assert chosen.energy == pytest.approx(1000)


def test_a_plan_for_another_energy_is_replaced() -> None:
    signal = hourly([300, 100, 100, 100])
    old = planned(signal)
    window = Window(start=START, end=START + 4 * HOUR)
    new = plan_block(signal, CARBON, Profile.flat(1000, 2 * HOUR), window)

    assert decide(old, new, signal, Margin(absolute=1e9)) is new


def test_a_plan_that_would_end_after_a_new_deadline_is_replaced() -> None:
    signal = hourly([300, 200, 150, 100])
    new = planned(signal, hours=3)

    assert decide(planned(signal), new, signal, Margin(absolute=1e9)) is new


def test_a_plan_that_has_to_run_now_replaces_any() -> None:
    signal = hourly([300, 100, 100, 100])
    old = planned(signal)
    new = planned(signal, hours=1)

    assert new.reason.kind is ReasonKind.MUST_RUN
    assert decide(old, new, signal, Margin(absolute=1e9)) is new


def test_plans_over_a_day_of_revised_forecasts_run_once_and_in_time() -> None:
    """Every hour a new forecast: with a margin the plan moves seldom, and energy is whole."""
    rng = np.random.default_rng(17)
    for _ in range(20):
        truth = 300 + 150 * np.sin(np.arange(24) / 4 + rng.uniform(0, 6))
        plan: Plan | None = None
        changes = ran = 0
        for hour in range(24):
            forecast = hourly(np.maximum(truth + rng.normal(0, 10, 24), 1))
            new = planned(forecast, hours=24, after=hour)
            if plan is None:
                plan = new
            else:
                chosen = decide(plan, new, forecast, Margin(relative=0.1), after=hour)
                changes += chosen is new and new.pieces != plan.pieces
                plan = chosen
            if plan.power_at(START + hour * HOUR):
                ran += 1
                assert plan.start == START + hour * HOUR or plan.start < START + hour * HOUR
                break
        assert ran == 1
        assert changes <= 6


def test_the_guard() -> None:
    assert latest_start(deadline=1000, run_time=300, slack=50) == 650
    assert not must_run_now(now=649, deadline=1000, run_time=300, slack=50)
    assert must_run_now(now=650, deadline=1000, run_time=300, slack=50)
    assert must_run_now(now=2000, deadline=1000, run_time=1)
    assert not must_run_now(now=2000, deadline=1000, run_time=0)
