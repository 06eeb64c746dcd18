"""Stores of heat and of electricity: beside HiGHS on the same problem, and beside their limits."""

from collections.abc import Callable, Sequence
import time
from typing import Final

import highspy
import numpy as np

from benchmarks.rows import Better, Row, compare
from custom_components.carbon_meter.planning.battery import BatteryLoad
from custom_components.carbon_meter.planning.battery_plan import plan_battery
from custom_components.carbon_meter.planning.heat_pump import Heater
from custom_components.carbon_meter.planning.objective import Objective
from custom_components.carbon_meter.planning.plan import Plan
from custom_components.carbon_meter.planning.signal import Signal
from custom_components.carbon_meter.planning.slots import Slots
from custom_components.carbon_meter.planning.thermal import Body, ThermalLoad
from custom_components.carbon_meter.planning.thermal_plan import plan_thermal

_QUARTER: Final = 900.0
_ROUNDS: Final = 10

_HEATED: Final = 192
_STORED: Final = 672
"""Slots of a quarter of an hour: two days, and a week."""

_HEATER_LIMIT: Final = 50.0
_GAP_LIMIT: Final = 0.01
"""ms, and part, that the plan of a switched heater may take and miss."""

_BATTERY: Final = BatteryLoad(capacity=10_000.0, content=5000.0, charge=5000.0, discharge=5000.0)
_HEATER: Final = ThermalLoad(
    body=Body(capacity=3000.0, loss=110.0),
    source=Heater(),
    power=3000.0,
    stages=(3000.0,),
    start=20.5,
    low=19.0,
    high=22.0,
    surroundings=5.0,
)


def run(rounds: int | None) -> Sequence[Row]:
    """Measure; see `benchmarks.registry.Run`. Rounds are days, each with another forecast."""
    numbers = range(rounds or _ROUNDS)
    heater, gaps = [], []
    battery, solver = [], []
    for number in numbers:
        signal = _signal(number, _HEATED)
        milliseconds, plan = _timed(_planned_heater, signal)
        heater.append(milliseconds)
        gaps.append(plan.gap)
        week = _signal(number, _STORED)
        milliseconds, best = _timed(_planned_battery, week)
        battery.append(milliseconds)
        milliseconds, value = _timed(_linear_programme, week)
        solver.append(milliseconds)
        assert abs(best.value - value) <= 1e-6 * abs(value), "the plans of the battery differ"
    limit = [_HEATER_LIMIT] * len(numbers)
    bound = [_GAP_LIMIT] * len(numbers)
    return [
        _row(f"plan of a switched heater, {_HEATED} slots", "ms", heater, limit, "limit"),
        _row("its gap to the bound that is proved", "1", gaps, bound, "limit"),
        _row(f"plan of a battery, {_STORED} slots", "ms", battery, solver, "HiGHS, simplex"),
    ]


def _signal(number: int, count: int) -> Signal:
    """Return a forecast with a day's swing and some noise."""
    rng = np.random.default_rng(number)
    swing = 300.0 + 150.0 * np.sin(np.arange(count) / 96.0 * 2.0 * np.pi)
    slots = Slots.of(0.0, count * _QUARTER, _QUARTER)
    return Signal.of(slots, swing + rng.normal(0.0, 20.0, count))


def _timed[Found](action: Callable[[Signal], Found], signal: Signal) -> tuple[float, Found]:
    """Return the milliseconds of this process that an action takes, and what it returns."""
    began = time.process_time()
    found = action(signal)
    return (time.process_time() - began) * 1000.0, found


def _planned_heater(signal: Signal) -> Plan:
    return plan_thermal(_HEATER, signal, Objective.carbon()).plan


def _planned_battery(signal: Signal) -> Plan:
    return plan_battery(_BATTERY, signal, Objective.carbon()).plan


def _linear_programme(signal: Signal) -> float:
    """Return the objective of the battery by a linear programme as it is often written down."""
    count, hours = len(signal.slots), signal.slots.hours
    weights = signal.carbon / 1000.0
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = 3 * count, count
    most = np.concatenate([hours * _BATTERY.charge, hours * _BATTERY.discharge])
    low = np.zeros(count)
    low[-1] = _BATTERY.content
    model.col_cost_ = np.concatenate([weights, -weights, np.zeros(count)])
    model.col_lower_ = np.concatenate([np.zeros(2 * count), low])
    model.col_upper_ = np.concatenate([most, np.full(count, _BATTERY.capacity)])
    begin = np.zeros(count)
    begin[0] = _BATTERY.content
    model.row_lower_ = model.row_upper_ = begin
    starts, places, factors = [0], [], []
    for slot in range(count):
        places += [slot, count + slot, 2 * count + slot]
        factors += [-_BATTERY.charging, 1.0 / _BATTERY.discharging, 1.0]
        if slot:
            places.append(2 * count + slot - 1)
            factors.append(-1.0)
        starts.append(len(places))
    matrix = model.a_matrix_
    matrix.format_ = highspy.MatrixFormat.kRowwise
    matrix.start_ = np.array(starts, dtype=np.int32)
    matrix.index_ = np.array(places, dtype=np.int32)
    matrix.value_ = np.array(factors)
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.passModel(model)
    solver.run()
    return float(solver.getObjectiveValue())


def _row(what: str, unit: str, ours: list[float], peer: list[float], peer_name: str) -> Row:
    """Return a comparison of which less is better."""
    return compare(
        benchmark="planning",
        what=what,
        unit=unit,
        better=Better.LOWER,
        ours=ours,
        peer=peer,
        peer_name=peer_name,
    )
