"""Runs with rules: as good as every way to run tried."""

from itertools import pairwise
import math

import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.planning import run_time
from custom_components.carbon_meter.planning.objective import Goal, Objective
from custom_components.carbon_meter.planning.plan import Piece, ReasonKind, Wish, runs
from custom_components.carbon_meter.planning.run_time import FREELY, Rules, State, plan_run_time
from custom_components.carbon_meter.planning.runs import Cells, RunRules, best_runs
from custom_components.carbon_meter.planning.signal import Signal
from custom_components.carbon_meter.planning.window import Window
from tests.planning.problems import (
    HOUR,
    START,
    all_runs,
    check_plan,
    grams,
    hourly,
    slots_of,
)

CARBON = Objective.carbon()


def window(start: float, end: float, *quiet: tuple[float, float]) -> Window:
    """Return a window in hours after the start."""
    return Window(
        start=START + start * HOUR,
        end=START + end * HOUR,
        quiet=tuple((START + one * HOUR, START + two * HOUR) for one, two in quiet),
    )


def is_allowed(found: list[tuple[int, int]], rules: RunRules) -> bool:
    """Return whether runs follow the rules."""
    fresh = found
    if rules.running is not None:
        goes_on = bool(found) and found[0][0] == 0
        if rules.running and not (goes_on and found[0][1] >= rules.running):
            return False
        if not goes_on and found and found[0][0] < rules.off:
            return False
        fresh = found[1:] if goes_on else found
    elif found and found[0][0] < rules.wait:
        return False
    pauses = [after[0] - before[1] for before, after in pairwise(found)]
    return (
        all(end - start >= rules.on for start, end in fresh)
        and all(pause >= rules.off for pause in pauses)
        and (rules.most is None or len(fresh) <= rules.most)
    )


def test_random_cells_equal_everything_tried() -> None:
    rng = np.random.default_rng(11)
    solved = 0
    for number in range(1500):
        count = int(rng.integers(2, 10))
        ran = int(rng.integers(1, count + 1))
        on_before = rng.random() < 0.4
        rules = RunRules(
            count=ran,
            on=int(rng.integers(1, ran + 1)),
            off=int(rng.integers(1, 4)),
            most=None if rng.random() < 0.5 else int(rng.integers(1, 4)),
            running=int(rng.integers(0, ran + 1)) if on_before else None,
            wait=0 if on_before else int(rng.integers(0, 2)),
        )
        first = rng.integers(0, 6, count) * 1.0 if number % 2 else rng.normal(size=count)
        quiet, unknown = rng.random((2, count)) < rng.choice([0.0, 0.3])
        cells = Cells(
            first=first,
            second=rng.integers(0, 3, count) * 1.0,
            per_start=float(rng.choice([0.0, 0.5])),
            quiet=quiet,
            unknown=unknown & ~quiet,
        )

        def keys(found: list[tuple[int, int]], cells=cells, rules=rules) -> tuple[float, ...]:
            places = [place for start, end in found for place in range(start, end)]
            new = len(found) - (rules.running is not None and found[0][0] == 0)
            return (
                float(cells.quiet[places].sum()),
                float(cells.unknown[places].sum()),
                float(cells.first[places].sum()) + cells.per_start * new,
                float(cells.second[places].sum()),
            )

        tried = [keys(each) for each in all_runs(count, ran) if is_allowed(each, rules)]
        found = best_runs(cells, rules)

        if not tried:
            assert found is None
            continue
        solved += 1
        assert found is not None
        assert is_allowed(found, rules)
        # Where quiet or unknown cells cannot be avoided the second key does not decide.
        length = 4 if min(tried)[:2] == (0, 0) else 3
        best = min(tuple(np.round(each, 9))[:length] for each in tried)
        assert tuple(np.round(keys(found), 9))[:length] == pytest.approx(best)
    assert solved > 500


def test_random_slots_of_several_lengths_equal_everything_tried() -> None:
    """Plans switch inside of slots; everything is tried in steps of 15 minutes."""
    rng = np.random.default_rng(12)
    for _ in range(120):
        lengths = rng.choice([900, 1800, 3600], int(rng.integers(2, 6)))
        carbon = rng.integers(1, 9, len(lengths)) * 30.0
        signal = Signal.of(slots_of(lengths), carbon)
        cells = int(lengths.sum() // 900)
        if cells > 11:
            continue
        ran = int(rng.integers(1, cells + 1))
        rules = Rules(
            least_run=900.0 * int(rng.integers(0, ran + 1)),
            least_pause=900.0 * int(rng.integers(0, 3)),
            most_starts=int(rng.integers(1, 4)),
            per_start=float(rng.choice([0.0, 7.0])),
        )

        plan = plan_run_time(
            signal,
            CARBON,
            Window(start=START, end=signal.slots.end),
            rules,
            power=2000,
            run_time=900.0 * ran,
        )

        allowed = RunRules(
            count=ran,
            on=max(1, int(rules.least_run // 900)),
            off=max(1, int(rules.least_pause // 900)),
            most=rules.most_starts,
        )
        tried = [
            grams(signal, [Piece(START + 900 * a, START + 900 * b, 2000) for a, b in each])
            + rules.per_start * len(each)
            for each in all_runs(cells, ran)
            if is_allowed(each, allowed)
        ]
        assert plan.value == pytest.approx(min(tried), rel=1e-9)
        assert plan.gap == 0.0
        check_plan(plan, 500.0 * ran, START, signal.slots.end)


@pytest.mark.parametrize("state", [State(is_on=False), State(is_on=True, seconds=600)])
def test_odd_moments_keep_the_rules_and_the_bound(state: State) -> None:
    rng = np.random.default_rng(13)
    for _ in range(40):
        signal = Signal.of(slots_of([900] * 96), rng.uniform(30, 600, 96))
        at = Window(start=START + float(rng.uniform(0, 5000)), end=START + 80_000.5)
        seconds = float(rng.uniform(1000, 30_000))
        rules = Rules(least_run=1800, least_pause=1200, most_starts=4)

        plan = plan_run_time(signal, CARBON, at, rules, power=1500, run_time=seconds, state=state)

        check_plan(plan, 1500 * seconds / HOUR, at.start, at.end)
        found = runs(plan.pieces)
        assert plan.gap < 0.15
        assert len(found) <= 5
        if seconds >= 1800 and not state.is_on:
            assert all(end - start >= 1800 - 1e-3 for start, end in found)
        if state.is_on:
            assert found[0][0] == at.start
            assert found[0][1] - found[0][0] >= min(1200, seconds) - 1e-3
        assert all(after[0] - before[1] >= 1200 - 1e-3 for before, after in pairwise(found))


def test_the_bound_of_coarse_cells_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found in cells of a minute is optimal there: no bound may be above it."""
    rng = np.random.default_rng(16)
    coarser = 0
    for _ in range(60):
        signal = Signal.of(slots_of([900] * 16), rng.integers(1, 9, 16) * 50.0)
        arguments = {"power": 1000, "run_time": 60.0 * int(rng.integers(15, 100))}
        if rng.random() < 0.5:
            since = 60.0 * int(rng.integers(0, 30))
            arguments["state"] = State(is_on=bool(rng.random() < 0.5), seconds=since)
        at = Window(start=START + 60.0 * int(rng.integers(0, 60)), end=signal.slots.end - 420)
        rules = Rules(
            least_run=900, least_pause=900, most_starts=3, per_start=float(rng.choice([0, 20]))
        )

        exact = plan_run_time(signal, CARBON, at, rules, **arguments)
        with monkeypatch.context() as context:
            context.setattr(run_time, "_MOST", 100)
            coarse = plan_run_time(signal, CARBON, at, rules, **arguments)

        assert coarse.lower_bound <= exact.value * (1 + 1e-9)
        assert exact.lower_bound <= coarse.value * (1 + 1e-9)
        assert coarse.energy == pytest.approx(exact.energy)
        coarser += coarse.value > exact.value * (1 + 1e-9)
    assert coarser > 5


def test_a_penalty_for_starts_is_part_of_the_value() -> None:
    signal = hourly([100, 300, 100, 300, 100])

    free = plan_run_time(signal, CARBON, window(0, 5), FREELY, power=1000, run_time=2 * HOUR)
    dear = plan_run_time(
        signal, CARBON, window(0, 5), Rules(per_start=250), power=1000, run_time=2 * HOUR
    )

    assert (len(free.pieces), free.value) == (2, pytest.approx(200))
    assert (len(dear.pieces), dear.value) == (1, pytest.approx(650))
    assert dear.carbon == pytest.approx(400)


def test_among_equals_fewer_starts_then_earlier() -> None:
    plan = plan_run_time(
        hourly([200, 100, 200, 100, 100, 100]),
        CARBON,
        window(0, 6),
        FREELY,
        power=1000,
        run_time=2 * HOUR,
    )

    assert plan.pieces == (Piece(START + 3 * HOUR, START + 5 * HOUR, 1000),)


def test_the_second_key_decides_among_the_same() -> None:
    signal = hourly([200, 100, 100, 100], price=[0.1, 0.3, 0.1, 0.2])
    both = Objective.lexicographic(Goal.CARBON)

    plan = plan_run_time(signal, both, window(0, 4), FREELY, power=1000, run_time=HOUR)

    assert plan.start == START + 2 * HOUR


def test_a_pause_that_is_not_over_is_waited_for() -> None:
    rules = Rules(least_pause=2 * HOUR)
    rested = State(is_on=False, seconds=0.5 * HOUR)

    plan = plan_run_time(
        hourly([10, 20, 30, 40]),
        CARBON,
        window(0, 4),
        rules,
        power=1000,
        run_time=HOUR,
        state=rested,
    )
    short = plan_run_time(
        hourly([10, 20, 30, 40]),
        CARBON,
        window(0, 4),
        rules,
        power=1000,
        run_time=3 * HOUR,
        state=rested,
    )

    assert plan.start == START + 1.5 * HOUR
    assert short.start == START + HOUR
    [relaxed] = short.relaxed
    assert (relaxed.wish, relaxed.amount, relaxed.unit) == (Wish.COMFORT, 0.5 * HOUR, "s")


def test_quiet_hours_and_unknown_slots_are_left_out_first() -> None:
    signal = hourly([500, 10, None, 400, 300])

    kept = plan_run_time(
        signal, CARBON, window(0, 5, (1, 2)), FREELY, power=1000, run_time=2 * HOUR
    )
    broken = plan_run_time(
        signal, CARBON, window(0, 5, (1, 2)), FREELY, power=1000, run_time=4.5 * HOUR
    )

    assert kept.value == pytest.approx(700)
    assert not kept.relaxed
    assert [(each.wish, each.amount) for each in broken.relaxed] == [
        (Wish.QUIET, pytest.approx(0.5 * HOUR)),
        (Wish.FORECAST, pytest.approx(1000)),
    ]


def test_what_runs_goes_on_for_its_least_run_also_beside_quiet_hours() -> None:
    plan = plan_run_time(
        hourly([500, 100, 300, 80, 60, 300]),
        CARBON,
        window(0, 6, (1, 3)),
        Rules(least_run=2 * HOUR, least_pause=HOUR, per_start=1.0),
        power=2000,
        run_time=3 * HOUR,
        state=State(is_on=True, seconds=HOUR),
    )

    assert [(each.start - START, each.end - START) for each in plan.pieces] == [
        (0, HOUR),
        (3 * HOUR, 5 * HOUR),
    ]
    assert plan.value == pytest.approx(2 * (500 + 80 + 60) + 1)


def test_a_window_that_is_too_short_tells_what_is_missing() -> None:
    plan = plan_run_time(
        hourly([100, 200]),
        CARBON,
        window(0, 2),
        Rules(least_run=HOUR),
        power=1000,
        run_time=3 * HOUR,
    )

    assert plan.energy == pytest.approx(2000)
    assert plan.reason.kind is ReasonKind.MUST_RUN
    [missing] = plan.relaxed
    assert (missing.wish, missing.amount, missing.unit) == (Wish.DEADLINE, 1000, "Wh")


@pytest.mark.parametrize(("end", "seconds"), [(0, HOUR), (-3, HOUR), (2, 0)])
def test_empty_windows_and_no_run_time(end: float, seconds: float) -> None:
    plan = plan_run_time(
        hourly([100, 200]),
        CARBON,
        window(0, end),
        Rules(least_run=600),
        power=1000,
        run_time=seconds,
    )

    assert plan.pieces == ()
    assert plan.reason.kind is ReasonKind.NOTHING_TO_DO


@pytest.mark.parametrize("noise", [1e-15, 1e-11])
def test_noise_does_not_move_ties(noise: float) -> None:
    rng = np.random.default_rng(14)
    for _ in range(30):
        carbon = rng.integers(1, 4, 24) * 100.0
        noisy = carbon * (1 + noise * rng.uniform(-1, 1, 24))
        plans = [
            plan_run_time(
                hourly(each),
                CARBON,
                window(0, 24),
                Rules(least_run=2 * HOUR),
                power=1000,
                run_time=7 * HOUR,
            )
            for each in (carbon, noisy)
        ]
        assert plans[0].pieces == plans[1].pieces


def test_a_long_horizon_in_short_slots_stays_within_bounds() -> None:
    """A week of five minutes: cells are joined, and the bound tells what that may cost."""
    rng = np.random.default_rng(15)
    signal = Signal.of(slots_of([300] * 2016), 200 + 100 * np.sin(np.arange(2016) / 46))
    signal = Signal.of(signal.slots, signal.carbon + rng.normal(0, 5, 2016))

    plan = plan_run_time(
        signal,
        CARBON,
        Window(start=START + 7, end=signal.slots.end),
        Rules(least_run=HOUR),
        power=1000,
        run_time=50 * HOUR + 11,
    )

    assert plan.energy == pytest.approx(1000 * (50 + 11 / HOUR))
    assert plan.gap < 0.05


def test_a_load_draws_something() -> None:
    with pytest.raises(ImpossibleAmountError):
        plan_run_time(hourly([1, 2]), CARBON, window(0, 2), FREELY, power=0, run_time=60)


@pytest.mark.parametrize(
    "rules", [{"least_run": -1}, {"least_pause": math.nan}, {"most_starts": -1}]
)
def test_impossible_rules_are_refused(rules) -> None:
    with pytest.raises(ImpossibleAmountError):
        Rules(**rules)
