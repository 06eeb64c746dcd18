"""The planner's speed beside straightforward planners, and its plans beside everything tried.

EMHASS is measured in the same run where its environment can be made (`emhass/`).
"""

from collections.abc import Callable, Sequence
import sys
import time
from typing import Final

import numpy as np

from benchmarks.planning import stores
from benchmarks.planning.emhass import comparison as emhass
from benchmarks.planning.emhass.environment import PeerMissingError
from benchmarks.planning.everything import START, small_problems
from benchmarks.planning.house import house
from benchmarks.planning.peers import programme_of_charging, programme_of_runs, slot_starts
from benchmarks.rows import Better, Row, compare
from custom_components.carbon_meter.planning.block import Profile, plan_block
from custom_components.carbon_meter.planning.charging import (
    Charger,
    Connection,
    Need,
    plan_charging,
)
from custom_components.carbon_meter.planning.cheapest import plan_cheapest
from custom_components.carbon_meter.planning.objective import Objective
from custom_components.carbon_meter.planning.run_time import Rules, plan_run_time
from custom_components.carbon_meter.planning.signal import Signal
from custom_components.carbon_meter.planning.slots import Slots
from custom_components.carbon_meter.planning.together import plan_together
from custom_components.carbon_meter.planning.window import Window

_SLOTS: Final = 192
_HOUR: Final = 3600.0
_LIMIT: Final = 1.0  # ms, of one load
_LIMIT_TOGETHER: Final = 1.0  # s, of six loads under a fuse
_TIMES: Final = 10  # plans in a row that are one sample
_ROUNDS: Final = 15
_PROBLEMS: Final = 10_000
_SAME: Final = 1e-9
_CARBON: Final = Objective.carbon()

type Answer = Callable[[], float]
"""Plans once and returns the grams."""


def run(rounds: int | None) -> Sequence[Row]:
    """Measure; see `benchmarks.registry.Run`. Fewer rounds solve fewer small problems, too."""
    problems = _PROBLEMS if rounds is None else min(_PROBLEMS, 100 * rounds)
    rows = [
        *_speeds(rounds or _ROUNDS),
        *_together(rounds or _ROUNDS),
        *_everything(problems),
        *stores.run(rounds),
    ]
    try:
        rows += emhass.run(rounds)
    except PeerMissingError as err:
        sys.stderr.write(f"    EMHASS is left out: {err}\n")
    return rows


def _speeds(rounds: int) -> Sequence[Row]:
    """Return how long one load takes to plan, beside its peer and beside the limit."""
    rng = np.random.default_rng(192)
    slots = Slots.of(START, START + _SLOTS * 900, 900)
    signal = Signal.of(slots, rng.uniform(30, 600, _SLOTS))
    window = Window(start=START, end=slots.end)
    flat, learned = Profile.flat(2000, 8400), Profile.of(rng.uniform(60, 2200, 24), 300)
    car = Connection(start=START, charger=Charger.of_amperes(6, 16, phases=3))
    needs = [
        Need(energy=20_000, deadline=START + 12 * _HOUR),
        Need(energy=30_000, deadline=slots.end),
    ]
    rules = Rules(least_run=_HOUR, least_pause=_HOUR / 2)
    kinds: dict[str, tuple[Answer, Answer, str]] = {
        "a block of 2 h 20 min": (
            lambda: plan_block(signal, _CARBON, flat, window).value,
            lambda: slot_starts(signal, flat),
            "each start of a slot in Python",
        ),
        "a block with a profile of 24 steps": (
            lambda: plan_block(signal, _CARBON, learned, window).value,
            lambda: slot_starts(signal, learned),
            "each start of a slot in Python",
        ),
        "the 5 h 20 min of least carbon": (
            lambda: plan_cheapest(signal, _CARBON, window, power=2e3, run_time=19_200).value,
            lambda: programme_of_charging(signal, most=2e3, must=0, by=1, total=2e3 * 16 / 3),
            "a linear programme by HiGHS",
        ),
        "5 h in runs of 1 h, pauses of 30 min": (
            lambda: plan_run_time(signal, _CARBON, window, rules, power=2e3, run_time=18_000).value,
            lambda: programme_of_runs(signal, power=2e3, ran=20, least=4, pause=2),
            "a mixed integer programme by HiGHS",
        ),
        "a car with two deadlines, whole amperes": (
            lambda: plan_charging(signal, _CARBON, car, needs).value,
            lambda: programme_of_charging(signal, most=11_040, must=20_000, by=48, total=50_000),
            "a linear programme by HiGHS",
        ),
    }
    rows = []
    for name, (ours, peer, peer_name) in kinds.items():
        sys.stderr.write(f"    {name}\n")
        assert ours() <= peer() * (1 + 1e-6), f"{name}: the peer's plan is better"
        samples = [(_spent(ours, _TIMES), _spent(peer, 1)) for _ in range(rounds)]
        what = f"{name}, {_SLOTS} slots"
        own = [sample[0] * 1000.0 for sample in samples]
        rows.append(_row(what, "ms", own, [sample[1] * 1000.0 for sample in samples], peer_name))
        rows.append(_row(what, "ms", own, [_LIMIT] * len(own), "the limit"))
    return rows


def _together(rounds: int) -> Sequence[Row]:
    """Return how long six loads under a fuse take, and how good the search without HiGHS is."""
    seconds, values, searched = [], [], []
    for seed in range(rounds):
        sys.stderr.write(f"    six loads under a fuse, house {seed + 1} of {rounds}\n")
        signal, loads, fuse = house(seed)
        solved = plan_together(signal, _CARBON, loads, fuse)
        found = plan_together(signal, _CARBON, loads, fuse, seconds=3.0, use_solver=False)
        assert not any(plan.relaxed for plan in solved.plans.values())
        seconds.append(solved.seconds)
        values.append(solved.value)
        searched.append(found.value)
    limit = [_LIMIT_TOGETHER] * rounds
    name = f"six loads under a fuse, {_SLOTS} slots"
    return [
        _row(f"{name}, gap 0.5 %", "s", seconds, limit, "the limit"),
        _row(f"{name}", "gCO2eq", values, searched, "search without HiGHS, 3 s"),
    ]


def _everything(count: int) -> Sequence[Row]:
    """Return how many small problems equal everything tried, beside simple choices."""
    sys.stderr.write(f"    {count} small problems\n")
    ours = peer = 0
    for planned, tried, simple in small_problems(count):
        ours += planned <= tried * (1 + _SAME) + _SAME
        peer += simple <= tried * (1 + _SAME) + _SAME
    return [
        compare(
            benchmark="planning",
            what=f"{count} small problems, as good as everything tried",
            unit="%",
            better=Better.HIGHER,
            ours=[100.0 * ours / count],
            peer=[100.0 * peer / count],
            peer_name="starts of slots, whole slots, one run, at once",
        )
    ]


def _row(what: str, unit: str, ours: Sequence[float], peer: Sequence[float], peer_name: str) -> Row:
    return compare(
        benchmark="planning",
        what=what,
        unit=unit,
        better=Better.LOWER,
        ours=ours,
        peer=peer,
        peer_name=peer_name,
    )


def _spent(answer: Answer, times: int) -> float:
    """Return the seconds on the clock that one plan takes."""
    begin = time.perf_counter()
    for _ in range(times):
        answer()
    return (time.perf_counter() - begin) / times
