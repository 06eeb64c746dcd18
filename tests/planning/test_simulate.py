"""A site's alternatives are simulated with one model, ranked, and the best is taken."""

import threading

import numpy as np
import pytest

from custom_components.carbon_meter.planning.alternatives import (
    Alternative,
    Member,
    Movable,
    Storage,
    Warmth,
    Way,
    Zone,
    between,
    standard_alternatives,
)
from custom_components.carbon_meter.planning.battery import BatteryLoad
from custom_components.carbon_meter.planning.block import Profile
from custom_components.carbon_meter.planning.heat_pump import Heater, HeatPump
from custom_components.carbon_meter.planning.loads import BlockLoad, RunLoad
from custom_components.carbon_meter.planning.objective import Objective
from custom_components.carbon_meter.planning.plan import Margin
from custom_components.carbon_meter.planning.signal import Signal
from custom_components.carbon_meter.planning.simulate import (
    Cancellation,
    CancelledError,
    Preference,
    Standing,
    simulate,
)
from custom_components.carbon_meter.planning.slots import Slots
from custom_components.carbon_meter.planning.thermal import Body, ThermalLoad
from custom_components.carbon_meter.planning.window import Window
from custom_components.carbon_meter.planning.zones import AirZone, LightZone
from tests.planning.problems import HOUR, START

HOURS = np.arange(48)
CARBON = Preference(objective=Objective.carbon())


def two_days(*, has_price: bool = True) -> Signal:
    """Return hours that are clean by day and cheap by night."""
    slots = Slots.of(START, START + 48 * HOUR, HOUR)
    carbon = 300.0 + 150.0 * np.cos(HOURS / 12.0 * np.pi)
    price = 0.3 - 0.1 * np.cos(HOURS / 12.0 * np.pi)
    return Signal.of(slots, carbon, price=price if has_price else None)


def dishwasher() -> Member:
    """Return a load that arrives when it is dirty and cheap."""
    window = Window(start=START, end=START + 24 * HOUR)
    return Movable(
        BlockLoad(name="Dishwasher", profile=Profile.flat(1500.0, 2 * HOUR), window=window)
    )


def room() -> Member:
    """Return a heated room."""
    load = ThermalLoad(
        body=Body(capacity=3000.0, loss=110.0),
        source=Heater(),
        power=4000.0,
        start=20.5,
        low=19.5,
        high=21.5,
        surroundings=5.0,
    )
    return Warmth(name="Room", load=load)


def battery() -> Member:
    """Return a battery."""
    load = BatteryLoad(capacity=8000.0, content=4000.0, charge=3000.0, discharge=3000.0)
    return Storage(name="Battery", load=load)


def office() -> Member:
    """Return cooled rooms."""
    return Zone(
        AirZone(
            name="Office",
            body=Body(capacity=8000.0, loss=300.0),
            source=HeatPump(cools=True),
            power=4000.0,
            start=24.0,
            setpoint=23.0,
            low=20.0,
            high=24.5,
            surroundings=32.0,
        )
    )


def hall() -> Member:
    """Return light."""
    return Zone(LightZone(name="Hall", powers=800.0))


def test_the_best_is_the_cleanest_that_asks_for_no_comfort() -> None:
    """Everything combined is better than each; comfort relaxed is cleaner but not accepted."""
    members = [dishwasher(), room(), battery(), office(), hall()]

    choice = simulate(members, two_days(), CARBON)

    assert choice.best.alternative.way is Way.COMBINED
    assert choice.best.standing is Standing.BEST
    assert choice.best.discomfort <= choice.nothing.discomfort + 0.05
    by_way = {each.alternative.way: each for each in choice.ranked}
    assert by_way[Way.RELAXED].carbon < by_way[Way.CLEANEST].carbon
    assert by_way[Way.RELAXED].discomfort > 1.0
    assert by_way[Way.CLEANEST].carbon < by_way[Way.NOTHING].carbon
    assert by_way[Way.CHEAPEST].cost <= by_way[Way.BETWEEN].cost <= by_way[Way.CLEANEST].cost
    assert by_way[Way.DIMMED].dimmed > 0.0
    assert choice.saved_carbon == pytest.approx(choice.nothing.carbon - choice.best.carbon)


def test_members_add_up() -> None:
    """An alternative is the sum of its members, each by its own model."""
    choice = simulate([dishwasher(), room(), battery()], two_days(), CARBON)

    for each in choice.ranked:
        outcomes = [member.outcome for _, member in each.members]
        assert each.carbon == pytest.approx(sum(outcome.carbon for outcome in outcomes))
        assert each.cost == pytest.approx(sum(outcome.cost for outcome in outcomes))
        assert each.energy == pytest.approx(sum(outcome.energy for outcome in outcomes))


def test_what_is_beaten_is_worse_in_something_and_better_in_nothing() -> None:
    """The Pareto front holds all that is not beaten."""
    choice = simulate([dishwasher(), room(), office(), hall()], two_days(), CARBON)

    def criteria(each: object) -> np.ndarray:
        return np.array([each.carbon, each.cost, each.discomfort, each.dimmed])  # type: ignore[attr-defined]

    for each in choice.ranked:
        better = [
            other
            for other in choice.ranked
            if other is not each
            and (criteria(other) <= criteria(each) + 1e-9).all()
            and (criteria(other) < criteria(each) * (1 - 1e-6)).any()
        ]
        if each.standing is Standing.BEATEN:
            assert better
        if each.standing is Standing.EFFICIENT:
            assert not better


def test_accepted_discomfort_is_used() -> None:
    """Who accepts it gets the cleaner room."""
    generous = Preference(objective=Objective.carbon(), discomfort=100.0)

    choice = simulate([room()], two_days(), generous)

    assert choice.best.alternative.way is Way.RELAXED


def test_a_gain_below_the_margin_changes_nothing() -> None:
    """Doing nothing is an answer."""
    preference = Preference(objective=Objective.carbon(), margin=Margin(relative=0.99))

    choice = simulate([dishwasher()], two_days(), preference)

    assert choice.best.alternative.way is Way.NOTHING
    assert choice.saved_carbon == 0.0


def test_without_prices_there_is_carbon_only() -> None:
    """No cheapest, no weights, no cost."""
    choice = simulate([dishwasher()], two_days(has_price=False), CARBON)

    ways = {each.alternative.way for each in choice.ranked}
    assert ways == {Way.NOTHING, Way.CLEANEST}
    assert choice.saved_cost is None
    assert choice.best.alternative.way is Way.CLEANEST


def test_unknown_hours_give_no_figures_but_an_answer() -> None:
    """With nothing known it stays as it is."""
    slots = Slots.of(START, START + 48 * HOUR, HOUR)
    choice = simulate([dishwasher()], Signal.of(slots, np.full(48, np.nan)), CARBON)

    assert choice.best.alternative.way is Way.NOTHING
    assert choice.best.carbon is None
    assert choice.saved_carbon is None


def test_three_weights_lie_around_what_avoiding_costs() -> None:
    """100 g more avoided for 0.05: 0.5 a gram-thousand, a third of it, and three times."""
    found = between((400.0, 1.05), (500.0, 1.0))

    prices = [each.objective.price_per_kg for each in found if each.objective]
    assert prices == pytest.approx([0.5 / 3.0, 0.5, 1.5])
    assert between((500.0, 1.0), (500.0, 1.0)) == ()


def test_alternatives_that_make_no_difference_are_left_out() -> None:
    """No zones, no setpoints; no rooms, no relaxed comfort."""
    ways = {each.way for each in standard_alternatives((dishwasher(),), Objective.carbon())}

    assert ways == {Way.NOTHING, Way.CLEANEST, Way.CHEAPEST}


def test_doing_nothing_is_always_among_them() -> None:
    """Own alternatives are compared with it too."""
    own = [Alternative(way=Way.CLEANEST, objective=Objective.carbon())]

    choice = simulate([dishwasher()], two_days(), CARBON, alternatives=own)

    assert choice.nothing.alternative.way is Way.NOTHING
    assert len(choice.ranked) == 2


def test_progress_is_told_and_never_runs_over() -> None:
    """Steps rise by one, and end at no more than was said."""
    told: list[tuple[int, int]] = []

    simulate(
        [dishwasher(), room(), hall()],
        two_days(),
        CARBON,
        progress=lambda done, everything: told.append((done, everything)),
    )

    assert [done for done, _ in told] == list(range(1, len(told) + 1))
    assert told[-1][0] <= told[-1][1]


def test_a_simulation_can_be_cancelled_from_another_thread() -> None:
    """It ends at the next step."""
    cancellation = Cancellation()
    reached = threading.Event()
    ended: list[str] = []

    def work() -> None:
        def progress(done: int, _: int) -> None:
            if done == 2:
                reached.set()
                asked.wait(10.0)

        try:
            simulate([room()], two_days(), CARBON, progress=progress, cancellation=cancellation)
        except CancelledError:
            ended.append("cancelled")

    asked = threading.Event()
    thread = threading.Thread(target=work)
    thread.start()
    assert reached.wait(30.0)
    cancellation.cancel()
    asked.set()
    thread.join(30.0)

    assert ended == ["cancelled"]


def test_a_choice_can_be_shown() -> None:
    """What goes into a response is plain."""
    shown = simulate([dishwasher(), room(), office()], two_days(), CARBON).as_dict()

    first = shown["alternatives"][0]
    assert first["standing"] == "best"
    assert first["parts"] == ["cleanest", "setpoint"]
    assert set(first["members"]) == {"Dishwasher", "Room", "Office"}


def test_lights_are_dimmed_by_what_is_preferred() -> None:
    """Who wants it cheap dims when it is dear, who wants it clean when it is dirty."""
    signal = two_days()
    by_carbon = simulate([hall()], signal, CARBON)
    by_cost = simulate([hall()], signal, Preference(objective=Objective.cost()))

    clean, cheap = (
        next(each for each in choice.ranked if each.alternative.way is Way.DIMMED)
        for choice in (by_carbon, by_cost)
    )
    assert clean.carbon < cheap.carbon
    assert cheap.cost < clean.cost


def test_energy_that_is_missing_at_a_deadline_is_told() -> None:
    """In every alternative; hours without a forecast are no delay."""
    window = Window(start=START, end=START + HOUR)
    slots = Slots.of(START, START + 2 * HOUR, HOUR)
    load = RunLoad(name="Pump", power=1000.0, run_time=1.5 * HOUR, window=window)

    short = simulate([Movable(load)], Signal.of(slots, [100.0, 100.0]), CARBON)
    blind = simulate([dishwasher()], Signal.of(slots, [np.nan, np.nan]), CARBON)

    assert {each.late for each in short.ranked} == {500.0}
    assert {each.late for each in blind.ranked} == {0.0}
