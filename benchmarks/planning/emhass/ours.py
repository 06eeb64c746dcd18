"""The planner's answers to the instances that EMHASS solves."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from benchmarks.planning.emhass.instances import Instance
from custom_components.carbon_meter.carbon.flow.amounts import FloatArray
from custom_components.carbon_meter.planning.battery import BatteryLoad
from custom_components.carbon_meter.planning.battery_plan import plan_battery
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
from custom_components.carbon_meter.planning.stage_path import Stages, cheapest_stages
from custom_components.carbon_meter.planning.store import Store
from custom_components.carbon_meter.planning.store_path import cheapest_path
from custom_components.carbon_meter.planning.window import Window

BASE_LOAD: Final = 300.0
"""W; as in the peer."""

_CARBON: Final = Objective.carbon()


def solve(instance: Instance) -> FloatArray:
    """Return the mean power in W of each step."""
    return _SOLVERS[instance.kind](instance)


def _signal(instance: Instance) -> Signal:
    seconds = instance.minutes * 60.0
    slots = Slots.of(0.0, len(instance.weights) * seconds, seconds)
    return Signal.of(slots, instance.weights * 1000.0)


def _window(instance: Instance) -> Window:
    return Window(start=0.0, end=len(instance.weights) * instance.minutes * 60.0)


def _hours(instance: Instance) -> FloatArray:
    return plan_cheapest(
        _signal(instance),
        _CARBON,
        _window(instance),
        power=instance.values["power"],
        run_time=instance.values["count"] * instance.minutes * 60.0,
    ).power


def _block(instance: Instance) -> FloatArray:
    values = instance.values
    profile = Profile.flat(values["power"], values["count"] * instance.minutes * 60.0)
    return plan_block(_signal(instance), _CARBON, profile, _window(instance)).power


def _runs(instance: Instance) -> FloatArray:
    values = instance.values
    return plan_run_time(
        _signal(instance),
        _CARBON,
        _window(instance),
        Rules(least_run=values["shortest"] * instance.minutes * 60.0),
        power=values["power"],
        run_time=values["count"] * instance.minutes * 60.0,
    ).power


def _energy(instance: Instance) -> FloatArray:
    values = instance.values
    charger = Charger(least=0.0, most=values["power"])
    need = Need(energy=values["energy"], deadline=_window(instance).end)
    connection = Connection(start=0.0, charger=charger)
    return plan_charging(_signal(instance), _CARBON, connection, [need]).power


def room_store(instance: Instance) -> tuple[Store, float]:
    """Return a room as EMHASS steps through it, and by how many K full power warms in a step.

    Its explicit Euler steps: T += heating_rate * share - cooling_constant * (T - outside), by
    hours. Its last step changes no temperature that has limits: it is left out.
    """
    values, hours = instance.values, instance.hours
    fade = values["cooling_constant"] * hours
    rise = values["heating_rate"] * hours
    store = Store.of(
        start=values["start"],
        keep=1.0 - fade,
        drift=fade * values["surroundings"][:-1],
        least=0.0,
        most=rise,
        low=values["low"],
        high=values["high"],
    )
    return store.within_reach(), rise


def _room(instance: Instance) -> FloatArray:
    store, rise = room_store(instance)
    energy = instance.values["power"] * instance.hours
    costs = (instance.weights[:-1] * energy / rise).tolist()
    path = cheapest_path(store, [[(cost, rise)] for cost in costs])
    return np.append(path.changes / rise * instance.values["power"], 0.0)


def _switched_room(instance: Instance) -> FloatArray:
    store, rise = room_store(instance)
    powers = np.array([0.0, instance.values["power"]])
    changes = np.array([[0.0], [rise]])
    costs = instance.weights[:-1, np.newaxis] * powers * instance.hours
    path = cheapest_stages(
        Stages(
            store=store,
            changes=lambda _slot, _contents: changes,
            costs=costs,
            violation=1000.0 * float(costs.sum()),
        )
    )
    return np.append(powers[path.stages], 0.0)


def _battery(instance: Instance) -> FloatArray:
    values = instance.values
    load = BatteryLoad(
        capacity=values["capacity"],
        content=values["content"],
        charge=values["power"],
        discharge=values["power"],
        charging=values["efficiency"],
        discharging=values["efficiency"],
        net=BASE_LOAD,
    )
    return plan_battery(load, _signal(instance), _CARBON).plan.power


_SOLVERS: Final[Mapping[str, Callable[[Instance], FloatArray]]] = {
    "hours": _hours,
    "block": _block,
    "runs": _runs,
    "energy": _energy,
    "room": _room,
    "switched_room": _switched_room,
    "battery": _battery,
}
