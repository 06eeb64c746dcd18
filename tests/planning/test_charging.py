"""Energy by deadlines: as good as everything tried, and never too little."""

from itertools import product

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.planning.charging import (
    Charger,
    Connection,
    Kind,
    Need,
    plan_charging,
)
from custom_components.carbon_meter.planning.cheapest import plan_cheapest
from custom_components.carbon_meter.planning.objective import Goal, Objective
from custom_components.carbon_meter.planning.plan import ReasonKind, Wish
from custom_components.carbon_meter.planning.window import Window
from tests.planning.problems import HOUR, START, check_plan, grams, hourly, random_signal

CARBON = Objective.carbon()
WALLBOX = Charger(least=1400, most=11000)


def connected(charger: Charger = WALLBOX, **others) -> Connection:
    """Return a car that is connected from the start on."""
    return Connection(start=START, charger=charger, **others)


def need(energy: float, hours: float, kind: Kind = Kind.MUST) -> Need:
    """Return a need of Wh by an hour after the start."""
    return Need(energy=energy, deadline=START + hours * HOUR, kind=kind)


def test_k_cheapest_cuts_the_dearest_and_puts_the_cut_beside_a_run() -> None:
    signal = hourly([500, 100, 200, 400, 50])

    plan = plan_cheapest(
        signal, CARBON, Window(start=START, end=START + 5 * HOUR), power=1000, run_time=2.5 * HOUR
    )

    assert [(piece.start - START, piece.end - START) for piece in plan.pieces] == [
        (1 * HOUR, 2.5 * HOUR),
        (4 * HOUR, 5 * HOUR),
    ]
    assert plan.value == pytest.approx(250.0)
    assert plan.baseline.value == pytest.approx(500 + 100 + 100)


def test_random_run_times_equal_the_sorted_minutes() -> None:
    rng = np.random.default_rng(5)
    for _ in range(300):
        signal = random_signal(rng, int(rng.integers(1, 12)))
        minutes = np.repeat(signal.carbon, (signal.slots.seconds / 60).astype(int))
        count = int(rng.integers(1, len(minutes) + 1))
        window = Window(start=START, end=signal.slots.end)

        plan = plan_cheapest(signal, CARBON, window, power=3000, run_time=count * 60.0)

        cheapest = np.sort(minutes)[:count].sum() * 3000 / 60 / 1000
        assert plan.value == pytest.approx(cheapest, rel=1e-9, abs=1e-9)
        assert plan.carbon == pytest.approx(grams(signal, plan.pieces), rel=1e-9, abs=1e-9)
        assert plan.gap == 0.0
        check_plan(plan, 50.0 * count, window.start, window.end)


def test_random_needs_equal_everything_tried() -> None:
    """Whole units in hourly slots: what nested needs have as corners."""
    rng = np.random.default_rng(6)
    for _ in range(250):
        count, most = int(rng.integers(2, 6)), int(rng.integers(1, 4))
        carbon = rng.integers(0, 9, count) * 40.0
        needs, total = [], 0
        for deadline in sorted(rng.integers(1, count + 1, int(rng.integers(1, 4)))):
            room = int(deadline) * most - total
            energy = int(rng.integers(0, room + 1))
            total += energy
            needs.append(need(1000.0 * energy, float(deadline)))
        if total == 0:
            continue

        plan = plan_charging(
            hourly(carbon), CARBON, connected(Charger(least=400, most=1000.0 * most)), needs
        )

        tried = []
        for each in product(range(most + 1), repeat=count):
            enough = sum(each) == total and all(
                1000 * sum(each[: int((one.deadline - START) / HOUR)])
                >= sum(other.energy for other in needs if other.deadline <= one.deadline)
                for one in needs
            )
            if enough:
                tried.append(float(np.dot(each, carbon)))
        assert plan.value == pytest.approx(min(tried), rel=1e-9, abs=1e-9)
        check_plan(plan, 1000.0 * total, START, START + count * HOUR)
        for one in needs:
            met = sum(
                piece.power * max(0.0, min(piece.end, one.deadline) - piece.start) / HOUR
                for piece in plan.pieces
            )
            asked = sum(other.energy for other in needs if other.deadline <= one.deadline)
            assert met >= asked - 1e-6


def test_two_stages_equal_a_linear_programme() -> None:
    highspy = pytest.importorskip("highspy")
    rng = np.random.default_rng(7)
    for _ in range(40):
        signal = random_signal(rng, int(rng.integers(3, 30)))
        hours, carbon = signal.slots.hours, signal.carbon
        first = int(rng.integers(1, len(hours)))
        must = float(rng.uniform(0, 1)) * 7000 * hours[:first].sum()
        nice = float(rng.uniform(0, 1)) * (7000 * hours.sum() - must)
        solver = highspy.Highs()
        solver.setOptionValue("output_flag", False)
        energy = [
            solver.addVariable(0, 7000 * each, obj=weight)
            for each, weight in zip(hours.tolist(), (carbon / 1000).tolist(), strict=True)
        ]
        solver.addConstr(sum(energy[:first]) >= must)
        solver.addConstr(sum(energy) == must + nice)
        solver.minimize()

        plan = plan_charging(
            signal,
            CARBON,
            connected(Charger(least=1400, most=7000)),
            [
                Need(energy=must, deadline=float(signal.slots.ends[first - 1])),
                Need(energy=nice, deadline=signal.slots.end, kind=Kind.NICE),
            ],
        )

        assert plan.value == pytest.approx(solver.getObjectiveValue(), rel=1e-6, abs=1e-6)


@settings(max_examples=80)
@given(
    carbon=st.lists(st.floats(0, 900), min_size=3, max_size=12),
    energy=st.floats(10, 60_000),
    phases=st.sampled_from([1, 3]),
)
def test_whole_amperes_lose_nothing(carbon, energy, phases) -> None:
    signal = hourly(carbon)
    charger = Charger.of_amperes(6, 16, phases=phases)
    energy = min(energy, charger.most * len(carbon))

    plan = plan_charging(signal, CARBON, connected(charger), [need(energy, len(carbon))])

    assert plan.energy == pytest.approx(energy, rel=1e-9, abs=1e-3)
    for piece in plan.pieces:
        amperes = piece.power / 230.0 / phases
        assert amperes == pytest.approx(round(amperes), abs=1e-9)
        assert 6 <= round(amperes) <= 16
    full, rest = divmod(energy, charger.most)
    cheap = sorted(carbon)
    least = sum(cheap[: int(full)]) * charger.most + (rest * cheap[int(full)] if rest else 0.0)
    assert plan.value == pytest.approx(least / 1000, rel=1e-6, abs=1e-3)


def test_what_is_due_now_is_charged_now() -> None:
    signal = hourly([500, 400, 10, 20])

    plan = plan_charging(
        signal, CARBON, connected(now=5500), [need(11000, 4), need(5500, 4, Kind.NICE)]
    )

    assert plan.pieces[0].start == START
    assert plan.pieces[0].energy == pytest.approx(5500)
    assert plan.value == pytest.approx(5.5 * 500 + 11 * 10)


def test_must_comes_before_nice_and_both_are_told() -> None:
    signal = hourly([100, 200, 300, 400])
    needs = [need(50_000, 4), need(11_000, 2, Kind.NICE)]

    plan = plan_charging(signal, CARBON, connected(Charger(least=0, most=10_000)), needs)

    assert plan.energy == pytest.approx(40_000)
    assert [(each.wish, each.amount) for each in plan.relaxed] == [
        (Wish.DEADLINE, pytest.approx(10_000)),
        (Wish.COMFORT, pytest.approx(11_000)),
    ]
    assert plan.reason.kind is ReasonKind.MUST_RUN


def test_departures_of_a_calendar() -> None:
    """Two trips: the car is away in hours 2 to 4, and both times it leaves with enough."""
    signal = hourly([300, 200, 1, 1, 400, 100])
    away = ((START + 2 * HOUR, START + 4 * HOUR),)

    plan = plan_charging(signal, CARBON, connected(away=away), [need(15_000, 2), need(8_000, 6)])

    assert plan.energy == pytest.approx(23_000)
    assert plan.value == pytest.approx(11 * 200 + 4 * 300 + 8 * 100)
    assert all(piece.end <= away[0][0] or piece.start >= away[0][1] for piece in plan.pieces)


def test_the_limit_of_the_house_is_kept_slot_by_slot() -> None:
    signal = hourly([100, 200, 300, 400])
    limit = np.array([1000.0, 3000.0, float("nan"), 20_000.0])

    plan = plan_charging(
        signal, CARBON, connected(Charger.of_amperes(6, 16), limit=limit), [need(5_000, 4)]
    )

    assert plan.power.tolist()[0] == plan.power.tolist()[2] == 0.0
    assert plan.power[1] == 13 * 230
    assert plan.energy == pytest.approx(5000)


def test_negative_prices_are_taken_first_and_not_more_than_asked() -> None:
    signal = hourly([100] * 4, price=[0.3, -0.2, 0.0, -0.1])

    plan = plan_charging(signal, Objective.cost(), connected(), [need(15_000, 4)])

    assert plan.cost == pytest.approx(-0.2 * 11 - 0.1 * 4)


def test_without_a_price_cost_is_not_known_and_it_runs_at_once() -> None:
    plan = plan_charging(hourly([300, 100]), Objective.cost(), connected(), [need(5000, 2)])

    assert plan.reason.kind is ReasonKind.NOT_KNOWN
    assert plan.start == START
    assert plan.cost is None


def test_a_missing_second_key_does_not_disturb_the_first() -> None:
    both = Objective.lexicographic(Goal.CARBON)

    plan = plan_charging(hourly([300, 100]), both, connected(), [need(5000, 2)])

    assert plan.value == pytest.approx(500)


def test_caution_prefers_what_is_sure() -> None:
    signal = hourly([120, 100], low=[110, 10], high=[130, 300])

    bold = plan_charging(signal, CARBON, connected(), [need(5000, 2)])
    careful = plan_charging(signal, CARBON.with_caution(0.5), connected(), [need(5000, 2)])

    assert bold.start == START + HOUR
    assert careful.start == START
    assert careful.carbon == pytest.approx(600)


@pytest.mark.parametrize("needs", [[], [need(0, 3)], [need(5000, 0)], [need(5000, -4)]])
def test_empty_windows_and_no_needs(needs) -> None:
    plan = plan_charging(hourly([300, 100]), CARBON, connected(), needs)

    assert plan.energy == 0.0
    assert plan.reason.kind is ReasonKind.NOTHING_TO_DO
    missing = sum(each.amount for each in plan.relaxed)
    assert missing == sum(each.energy for each in needs)


def test_noise_does_not_move_ties() -> None:
    rng = np.random.default_rng(8)
    for _ in range(50):
        carbon = rng.integers(1, 4, 24) * 100.0
        noisy = carbon * (1 + 1e-11 * rng.uniform(-1, 1, 24))
        plans = [
            plan_charging(hourly(each), CARBON, connected(), [need(60_000, 24)])
            for each in (carbon, noisy)
        ]
        assert plans[0].pieces == plans[1].pieces


@pytest.mark.parametrize(
    "powers", [{"least": 5, "most": 4}, {"least": 0, "most": 0}, {"least": -1, "most": 4}]
)
def test_impossible_chargers_are_refused(powers) -> None:
    with pytest.raises(ImpossibleAmountError):
        Charger(**powers)
