"""Plans of several loads at once: under a fuse, kept or replaced, and with one that fails."""

from dataclasses import replace

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.loads.computing import Terms, Wanted, computed, greatest_in
from custom_components.carbon_meter.loads.stored import planned_as_dict, planned_from_dict
from custom_components.carbon_meter.planning.block import Profile
from custom_components.carbon_meter.planning.jobs.job import Around, Planned
from custom_components.carbon_meter.planning.jobs.tasks import MovableTask
from custom_components.carbon_meter.planning.loads import BlockLoad, RunLoad
from custom_components.carbon_meter.planning.objective import Objective
from custom_components.carbon_meter.planning.plan import Margin, Piece, Plan
from custom_components.carbon_meter.planning.signal import Signal
from custom_components.carbon_meter.planning.slots import Slots
from custom_components.carbon_meter.planning.window import Window

HOUR = 3600.0
SIGNAL = Signal.of(Slots.of(0.0, 24 * HOUR, HOUR), [400.0] * 6 + [100.0] * 3 + [300.0] * 15)


def wanted(
    name: str, power: float, hours: float, old: Plan | None = None, *, signal: Signal = SIGNAL
) -> Wanted:
    """Return a run that can be at any time of the day."""
    load = BlockLoad(
        name="same for all",
        profile=Profile.flat(power, hours * HOUR),
        window=Window(start=0.0, end=24 * HOUR),
    )
    task = MovableTask(load=load, start=0.0, deadline=24 * HOUR, run_time=hours * HOUR)
    return Wanted(id=name, task=task, around=Around(signal=signal), old=old)


def terms(**changes: object) -> Terms:
    """Return the terms of a site whose plans change for 20 g."""
    return replace(
        Terms(
            signal=SIGNAL,
            objective=Objective.carbon(),
            margin=Margin(absolute=20.0, relative=0.02),
            now=0.0,
        ),
        **changes,
    )


def plan_of(found: Planned | Exception) -> Plan:
    """Return the plan that was made."""
    assert isinstance(found, Planned), found
    return found.plan


class Broken(MovableTask):
    """A task that cannot be planned."""

    __slots__ = ()

    def planned(self, *args: object, **kwargs: object) -> Planned:
        """Fail."""
        raise ZeroDivisionError("broken")


def broken(each: Wanted) -> Wanted:
    """Return a load that cannot be planned."""
    task = each.task
    # Nor together with others: its window is no window.
    load = replace(each.task.load, profile=None)
    return replace(
        each,
        task=Broken(load=load, start=task.start, deadline=task.deadline, run_time=task.run_time),
    )


def overload(plans: list[Plan], base: float) -> float:
    """Return the most that plans draw together."""
    pieces = [piece for plan in plans for piece in plan.pieces]
    moments = {piece.start for piece in pieces}
    return max(
        (base + sum(p.power for p in pieces if p.start <= moment < p.end) for moment in moments),
        default=0.0,
    )


def test_each_by_itself_without_a_fuse() -> None:
    found = computed([wanted("a", 2000, 2), wanted("b", 2000, 3)], terms())
    assert plan_of(found["a"]).start == 6 * HOUR
    assert plan_of(found["b"]).start == 6 * HOUR


@pytest.mark.parametrize("use_solver", [True, False])
def test_fuse_holds_with_the_base_load(use_solver: bool) -> None:
    site = terms(limit=3000.0, base=np.full(24, 500.0), use_solver=use_solver)
    found = computed([wanted("a", 2000, 2), wanted("b", 2000, 3)], site)
    plans = [plan_of(each) for each in found.values()]
    assert overload(plans, 500.0) <= 3000.0
    assert sum(plan.energy for plan in plans) == pytest.approx(10_000)


def test_kept_plans_are_kept_only_where_they_hold_together() -> None:
    site = terms(limit=3000.0)
    alone = {name: plan_of(computed([wanted(name, 2000, 3)], terms())[name]) for name in ("a", "b")}
    # Both old plans are at the same hours: together they do not hold.
    found = computed([wanted("a", 2000, 3, alone["a"]), wanted("b", 2000, 3, alone["b"])], site)
    assert overload([plan_of(each) for each in found.values()], 0.0) <= 3000.0


@pytest.mark.parametrize("use_solver", [True, False])
def test_two_that_are_alike_do_not_swap_their_plans(use_solver: bool) -> None:
    site = terms(limit=3000.0, use_solver=use_solver)
    found = computed([wanted("a", 2000, 3), wanted("b", 2000, 3)], site)
    old = {"a": plan_of(found["b"]), "b": plan_of(found["a"])}
    # To run in the clean hours is better for the one, and as much worse for the other.
    again = computed([wanted(name, 2000, 3, old[name]) for name in ("a", "b")], site)
    assert {name: plan_of(again[name]).pieces for name in again} == {
        name: plan.pieces for name, plan in old.items()
    }


def test_change_that_gains_for_all_is_made_under_a_fuse() -> None:
    site = terms(limit=3000.0)
    found = computed([wanted("a", 2000, 3), wanted("b", 2000, 3)], site)
    late = replace(plan_of(found["a"]), pieces=(Piece(20 * HOUR, 23 * HOUR, 2000.0),))
    old = {"a": late, "b": plan_of(found["b"])}
    again = computed([wanted(name, 2000, 3, old[name]) for name in ("a", "b")], site)
    starts = sorted(plan_of(each).start for each in again.values())
    assert 6 * HOUR in starts
    assert overload([plan_of(each) for each in again.values()], 0.0) <= 3000.0


def test_one_that_fails_goes_on_and_the_others_make_room() -> None:
    old = plan_of(computed([wanted("a", 2000, 3)], terms())["a"])
    both = [broken(wanted("a", 2000, 3, old)), wanted("b", 2000, 3)]
    for site in (terms(), terms(limit=3000.0)):
        found = computed(both, site)
        assert isinstance(found["a"], Exception)
        plan = plan_of(found["b"])
        if site.limit is not None:
            assert overload([old, plan], 0.0) <= 3000.0
    found = computed([wanted("b", 2000, 3)], terms(limit=3000.0, others=(old,)))
    assert overload([old, plan_of(found["b"])], 0.0) <= 3000.0


def test_small_gain_keeps_the_old_plan() -> None:
    old = plan_of(computed([wanted("a", 1000, 2)], terms())["a"])
    carbon = SIGNAL.carbon.copy()
    carbon[12:14] = 95.0
    better = Signal.of(SIGNAL.slots, carbon)
    found = computed([wanted("a", 1000, 2, old, signal=better)], terms(signal=better))
    assert plan_of(found["a"]).start == old.start
    carbon[12:14] = 50.0
    best = Signal.of(SIGNAL.slots, carbon)
    found = computed([wanted("a", 1000, 2, old, signal=best)], terms(signal=best))
    assert plan_of(found["a"]).start == 12 * HOUR


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 40).map(lambda x: 100.0 * x), st.integers(1, 5)),
        min_size=1,
        max_size=4,
    ),
    st.integers(500, 6000),
    st.integers(0, 3000),
)
def test_fuse_is_never_exceeded_whatever_is_asked_for(
    loads: list[tuple[float, int]], limit: int, base: int
) -> None:
    site = terms(limit=float(limit), base=np.full(24, float(base)))
    both = [wanted(str(place), power, hours) for place, (power, hours) in enumerate(loads)]
    plans = [plan_of(each) for each in computed(both, site).values()]
    if any(plan.pieces for plan in plans):
        assert overload(plans, float(base)) <= limit + 1e-6


def test_greatest_power_of_slots() -> None:
    pieces = [Piece(0.0, 1800.0, 500.0), Piece(1800.0, 7200.0, -900.0)]
    assert greatest_in(SIGNAL.slots, pieces)[:3].tolist() == [500.0, 0.0, 0.0]


@given(st.floats(0.1, 5.0), st.floats(1.0, 9000.0))
def test_plan_comes_back_from_a_file(hours: float, power: float) -> None:
    run = RunLoad(
        name="x", power=power, run_time=hours * HOUR, window=Window(start=0.0, end=4 * HOUR)
    )
    task = MovableTask(load=run, start=0.0, deadline=None, run_time=hours * HOUR)
    planned = replace(task.planned(SIGNAL, Objective.carbon()), contents=None, shares=None)
    planned = replace(planned, contents=np.full(len(planned.plan.slots), np.nan))
    again = planned_from_dict(planned_as_dict(planned))
    assert again.plan.as_dict() == planned.plan.as_dict()
    assert again.contents is not None
    assert np.isnan(again.contents).all()


@pytest.mark.parametrize(
    "change",
    [
        {"pieces": [[2.0, 1.0, 5.0]]},
        {"pieces": [[1.0, 2.0]]},
        {"pieces": [[1.0, float("nan"), 5.0]]},
        {"edges": [3.0, 1.0]},
        {"contents": [1.0]},
        {"reason": ["odd", {}]},
        {"outcome": None},
        {"relaxed": [{"wish": "none"}]},
    ],
)
def test_plan_that_is_none_is_refused(change: dict[str, object]) -> None:
    planned = wanted("a", 1000, 2).task.planned(SIGNAL, Objective.carbon())
    with pytest.raises((ValueError, KeyError, TypeError)):
        planned_from_dict({**planned_as_dict(planned), **change})
