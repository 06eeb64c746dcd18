"""Several days are the sum of each, and the best is what is best of the sums."""

from datetime import datetime, timedelta
from itertools import pairwise
import math
from zoneinfo import ZoneInfo

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.planning.alternatives import Member, Movable, Warmth, Way, Zone
from custom_components.carbon_meter.planning.block import Profile
from custom_components.carbon_meter.planning.days import (
    Turn,
    days_between,
    filled,
    joined_signals,
    known_part,
)
from custom_components.carbon_meter.planning.heat_pump import Heater
from custom_components.carbon_meter.planning.loads import BlockLoad
from custom_components.carbon_meter.planning.objective import Objective
from custom_components.carbon_meter.planning.plan import Margin
from custom_components.carbon_meter.planning.signal import Signal
from custom_components.carbon_meter.planning.simulate import (
    Cancellation,
    CancelledError,
    Choice,
    Preference,
    simulate,
    simulate_turns,
)
from custom_components.carbon_meter.planning.slots import Slots
from custom_components.carbon_meter.planning.thermal import Body, ThermalLoad
from custom_components.carbon_meter.planning.window import Window
from custom_components.carbon_meter.planning.zones import LightZone
from tests.planning.problems import HOUR, START

DAY = 24 * HOUR
CARBON = Preference(objective=Objective.carbon())
ZONES = ("Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu")


def day_signal(number: int, rng: np.random.Generator, *, has_price: bool = True) -> Signal:
    """Return the hours of one day."""
    begin = START + number * DAY
    slots = Slots.of(begin, begin + DAY, HOUR)
    price = rng.uniform(0.1, 0.5, 24) if has_price else None
    return Signal.of(slots, rng.uniform(50.0, 600.0, 24), price=price)


def washing(number: int) -> Member:
    """Return a wash of one day."""
    begin = START + number * DAY
    window = Window(start=begin, end=begin + DAY)
    return Movable(BlockLoad(name="Wash", profile=Profile.flat(2000.0, 1.5 * HOUR), window=window))


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


def light() -> Member:
    """Return light."""
    return Zone(LightZone(name="Light", powers=500.0))


def site_turns(days: int, seed: int, *, has_price: bool = True) -> list[list[Turn]]:
    """Return what a site does on each of some days."""
    rng = np.random.default_rng(seed)
    found: list[list[Turn]] = []
    for number in range(days):
        signal = day_signal(number, rng, has_price=has_price)
        found.append(
            [
                Turn(name=member.name, member=member, signal=signal)
                for member in (washing(number), room(), light())
            ]
        )
    return found


def by_way(choice: Choice) -> dict[tuple[object, ...], object]:
    """Return alternatives by what they are; weights differ between days and are left out."""
    return {
        (each.alternative.way, each.alternative.kelvin, each.alternative.adjustment): each
        for each in choice.ranked
        if each.alternative.way not in {Way.BETWEEN, Way.COMBINED}
    }


@pytest.mark.parametrize("seed", range(4))
def test_sums_of_days_are_what_each_day_gives_by_itself(seed: int) -> None:
    days = site_turns(3, seed)
    whole = by_way(simulate_turns([turn for day in days for turn in day], CARBON))
    each = [by_way(simulate([turn.member for turn in day], day[0].signal, CARBON)) for day in days]
    assert len(whole) > 4
    for key, told in whole.items():
        for figure in ("energy", "carbon", "cost", "discomfort", "dimmed", "late"):
            parts = [getattr(one[key], figure) for one in each]
            assert getattr(told, figure) == pytest.approx(sum(parts), rel=1e-12), (key, figure)


def test_members_are_told_once_with_their_sums() -> None:
    days = site_turns(3, 7)
    choice = simulate_turns([turn for day in days for turn in day], CARBON)
    for each in choice.ranked:
        assert [name for name, _ in each.members] == ["Wash", "Room", "Light"]
        carbon = sum(member.outcome.carbon for _, member in each.members)
        assert each.carbon == pytest.approx(carbon)
        assert all(member.plan is None for _, member in each.members)


def test_the_best_is_decided_on_the_sums() -> None:
    """Alone, the second day gains too little for the margin; both together gain enough."""
    turns = []
    for number, cleaner in enumerate((100.0, 295.0)):
        slots = Slots.of(START + number * DAY, START + (number + 1) * DAY, HOUR)
        signal = Signal.of(slots, np.where(np.arange(24) < 12, 300.0, cleaner))
        turns.append(Turn(name="Wash", member=washing(number), signal=signal))
    preference = Preference(objective=Objective.carbon(), margin=Margin(absolute=100.0))
    first, second = (simulate_turns([turn], preference) for turn in turns)
    both = simulate_turns(turns, preference)
    assert first.best.alternative.way is Way.CLEANEST
    assert second.best.alternative.way is Way.NOTHING
    assert both.best.alternative.way is Way.CLEANEST
    # 3 kWh each: 200 and 5 g/kWh less.
    assert both.saved_carbon == pytest.approx(615.0)


def test_without_days_there_is_nothing_to_do() -> None:
    choice = simulate_turns([], CARBON)
    assert choice.best.alternative.way is Way.NOTHING
    assert choice.best.carbon == choice.best.energy == 0.0


def test_a_day_without_a_price_leaves_the_price_out() -> None:
    priced, free = site_turns(1, 1)[0], site_turns(1, 2, has_price=False)[0]
    ways = {each.alternative.way for each in simulate_turns([*priced, *free], CARBON).ranked}
    assert Way.CHEAPEST not in ways
    assert Way.CLEANEST in ways


def test_an_unknown_day_gives_no_sum_rather_than_a_wrong_one() -> None:
    days = site_turns(2, 3)
    slots = days[1][0].signal.slots
    blind = Signal.of(slots, np.full(24, math.nan), price=np.ones(24))
    turns = [*days[0], *(Turn(name=t.name, member=t.member, signal=blind) for t in days[1])]
    choice = simulate_turns(turns, CARBON)
    assert {each.carbon for each in choice.ranked} == {None}
    assert all(each.cost is not None for each in choice.ranked)


def test_progress_counts_every_turn_and_cancelling_stops_between_two() -> None:
    turns = [turn for day in site_turns(3, 5, has_price=False) for turn in day]
    told: list[tuple[int, int]] = []
    simulate_turns(turns, CARBON, progress=lambda done, of: told.append((done, of)))
    assert [done for done, _ in told] == list(range(1, len(told) + 1))
    assert told[-1][0] <= told[-1][1]
    cancellation, seen = Cancellation(), []

    def stop(done: int, _of: int) -> None:
        seen.append(done)
        if done == 4:
            cancellation.cancel()

    with pytest.raises(CancelledError):
        simulate_turns(turns, CARBON, progress=stop, cancellation=cancellation)
    assert seen == [1, 2, 3, 4]


@given(
    zone=st.sampled_from(ZONES),
    start=st.integers(1_420_070_400, 1_893_456_000),
    hours=st.floats(0.5, 500.0),
)
def test_days_fill_the_time_and_end_at_midnight(zone: str, start: int, hours: float) -> None:
    time_zone = ZoneInfo(zone)
    begin, end = float(start), start + hours * HOUR
    days = days_between(begin, end, time_zone)
    assert (days[0][0], days[-1][1]) == (begin, end)
    for (first, middle), (again, last) in pairwise(days):
        assert first < middle == again < last
        before, after = (
            datetime.fromtimestamp(moment, time_zone).date() for moment in (middle - 1.0, middle)
        )
        assert after - before == timedelta(days=1)
    assert all(stop - go <= 25 * HOUR for go, stop in days)


def test_days_of_clock_changes_have_their_own_length() -> None:
    zone = ZoneInfo("Europe/Berlin")
    lengths = {}
    for day in (datetime(2026, 3, 29, tzinfo=zone), datetime(2026, 10, 25, tzinfo=zone)):
        end = datetime.combine(day.date() + timedelta(days=1), day.time(), zone)
        (found,) = days_between(day.timestamp(), end.timestamp(), zone)
        lengths[day.month] = (found[1] - found[0]) / HOUR
    assert lengths == {3: 23.0, 10: 25.0}
    assert days_between(0.0, 0.0, zone) == []


def test_a_midnight_that_comes_twice_ends_a_day_once() -> None:
    """In St. John's clocks once went back from one minute past midnight."""
    zone = ZoneInfo("America/St_Johns")
    begin = datetime(2010, 11, 6, 22, 0, tzinfo=zone).timestamp()
    days = days_between(begin, begin + 5 * HOUR, zone)
    assert [stop - go for go, stop in days] == [2 * HOUR, 3 * HOUR]


def five_minutes(values: list[float]) -> Signal:
    """Return intervals of five minutes."""
    return Signal.of(Slots.of(START, START + 300.0 * len(values), 300.0), values)


def test_short_gaps_lie_between_their_neighbours() -> None:
    nan = math.nan
    signal = filled(five_minutes([nan, 100.0, nan, nan, nan, 500.0, nan]))
    assert signal.carbon[1:6] == pytest.approx([100.0, 200.0, 300.0, 400.0, 500.0])
    # What is before and after all is not known.
    assert np.isnan(signal.carbon[[0, 6]]).all()


def test_long_gaps_stay() -> None:
    just, longer = ([100.0] + [math.nan] * count + [200.0] for count in (12, 13))
    assert np.isfinite(filled(five_minutes(just)).carbon).all()
    assert np.isnan(filled(five_minutes(longer)).carbon[1:-1]).all()


@settings(max_examples=50)
@given(st.lists(st.one_of(st.just(math.nan), st.floats(0.0, 1000.0)), min_size=1, max_size=60))
def test_filling_changes_nothing_that_is_known(values: list[float]) -> None:
    before = five_minutes(values)
    after = filled(before)
    known = np.isfinite(before.carbon)
    assert np.array_equal(after.carbon[known], before.carbon[known])
    assert known_part(after.slots, after.carbon) >= known_part(before.slots, before.carbon)
    if known.any():
        told = after.carbon[np.isfinite(after.carbon)]
        assert told.min() >= before.carbon[known].min() - 1e-9
        assert told.max() <= before.carbon[known].max() + 1e-9


def test_known_part_goes_by_time() -> None:
    slots = Slots.at(np.array([0.0, 900.0, 3600.0]))
    assert known_part(slots, np.array([1.0, math.nan])) == 0.25
    assert known_part(Slots.at(np.array([0.0])), np.empty(0)) == 0.0


def test_what_was_and_what_will_be_make_one_signal() -> None:
    past = Signal.of(Slots.of(START, START + 2 * HOUR, HOUR), [1.0, 2.0], price=[0.1, 0.2])
    slots = Slots.of(START + HOUR, START + 4 * HOUR, HOUR)
    coming = Signal.of(slots, [9.0, 3.0, 4.0], high=[9.0, 5.0, 6.0])
    whole = joined_signals(past, coming)
    assert whole.slots.edges.tolist() == [START + hour * HOUR for hour in range(5)]
    assert whole.carbon.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert whole.price is not None
    assert np.array_equal(whole.price, [0.1, 0.2, math.nan, math.nan], equal_nan=True)
    assert whole.high is not None
    assert np.array_equal(whole.high, [math.nan, math.nan, 5.0, 6.0], equal_nan=True)


def test_a_hole_between_them_is_not_known() -> None:
    past = five_minutes([100.0, 100.0])
    begin = past.slots.end + HOUR
    coming = Signal.of(Slots.of(begin, begin + HOUR, HOUR), [200.0])
    whole = joined_signals(past, coming)
    assert whole.carbon[[0, 1, -1]].tolist() == [100.0, 100.0, 200.0]
    assert np.isnan(whole.carbon[2:-1]).all()
    nothing = Signal.of(Slots.at(np.array([START])), [])
    assert joined_signals(nothing, coming) is coming
    assert joined_signals(past, nothing) is past


def priced_days() -> list[Turn]:
    return [turn for day in site_turns(2, 11) for turn in day]


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({Way.CLEANEST}, {Way.NOTHING, Way.CLEANEST}),
        ({Way.BETWEEN}, {Way.NOTHING, Way.BETWEEN}),
        ({Way.COMBINED}, {Way.NOTHING, Way.COMBINED}),
        ({Way.NOTHING}, {Way.NOTHING}),
        ({Way.SETPOINT}, {Way.NOTHING}),
    ],
)
def test_only_what_is_asked_for_is_ranked(asked: set[Way], shown: set[Way]) -> None:
    generous = Preference(objective=Objective.carbon(), discomfort=1e3, dimmed=1e3)
    told: list[tuple[int, int]] = []
    choice = simulate_turns(
        priced_days(), generous, ways=asked, progress=lambda done, of: told.append((done, of))
    )
    assert {each.alternative.way for each in choice.ranked} == shown
    assert told[-1][0] <= told[-1][1]
    everything = simulate_turns(priced_days(), generous)
    known = {each.alternative: each.carbon for each in everything.ranked}
    for each in choice.ranked:
        assert each.carbon == known[each.alternative]
