"""Sensors of a load: what it should do, when, why, and what that saves."""

from collections.abc import Mapping
from datetime import datetime
import math
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
)
from homeassistant.helpers.device_registry import DeviceInfo

from .data import CarbonMeterConfigEntry
from .load_descriptions import LOAD_SENSORS, LoadSensorDescription, by_run, local
from .load_entity import LoadEntity
from .loads.load import Load
from .loads.plan_response import rounded
from .loads.planner import SitePlanner
from .planning.explain import explain_relaxed
from .planning.plan import Plan, ReasonKind

PLAN_SENSOR: Final = SensorEntityDescription(
    key="plan",
    translation_key="plan",
    device_class=SensorDeviceClass.ENUM,
    options=[kind.value for kind in ReasonKind],
)

_MOST_ROWS: Final = 48
"""Above it a plan is told run by run: the profile of an appliance has a step a minute."""


def load_sensors(
    entry: CarbonMeterConfigEntry, load: Load, device: DeviceInfo
) -> list[SensorEntity]:
    """Return the sensors of a load, those that apply to it."""
    return [
        *(
            LoadSensor(load, device, description)
            for description in LOAD_SENSORS
            if description.applies(load)
        ),
        PlanSensor(load, device, entry.runtime_data.planner),
    ]


class LoadSensor(LoadEntity, SensorEntity):
    """A figure of a load."""

    entity_description: LoadSensorDescription

    @property
    @override
    def native_value(self) -> float | datetime | None:
        """Return the figure, None where it is not known."""
        return self.entity_description.value_fn(self._load)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return what explains the figure."""
        return self.entity_description.attributes_fn(self._load)


class PlanSensor(LoadEntity, SensorEntity):
    """Why a load's plan is as it is, with the plan itself."""

    _unrecorded_attributes = frozenset({"explanation", "runs", "relaxed"})

    def __init__(self, load: Load, device: DeviceInfo, planner: SitePlanner) -> None:
        """Take the load, and the planner that knows how to speak."""
        super().__init__(load, device, PLAN_SENSOR)
        self._planner = planner

    @property
    @override
    def native_value(self) -> str | None:
        """Return the reason; nothing to do where it is known to rest without any plan."""
        if (plan := self._load.plan) is not None:
            return plan.reason.kind.value
        return ReasonKind.NOTHING_TO_DO.value if self._load.run_now is False else None

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return the plan."""
        load, plan = self._load, self._load.plan
        if plan is None:
            return None
        return {
            "explanation": load.explanation,
            "runs": rows(plan),
            "deadline": local(load.deadline),
            "saved_carbon": rounded(plan.saved_carbon, 1),
            "saved_cost": rounded(plan.saved_cost, 4),
            "possible": _possible(plan),
            "gap": rounded(100.0 * plan.gap, 2) if math.isfinite(plan.gap) else None,
            "relaxed": [explain_relaxed(each, self._planner.speaker) for each in plan.relaxed],
            "made": local(load.plan_made),
        }


def rows(plan: Plan) -> list[dict[str, Any]]:
    """Return when it runs with which power in W, and the kWh; a long plan by its runs."""
    pieces = plan.pieces if len(plan.pieces) <= _MOST_ROWS else by_run(plan.pieces)
    return [
        {
            "start": local(piece.start),
            "end": local(piece.end),
            "power": round(piece.power, 1),
            "energy": round(piece.energy / 1000.0, 3),
        }
        for piece in pieces
    ]


def _possible(plan: Plan) -> float | None:
    """Return the g that no plan could save more than, None where something else is made small."""
    carbon = plan.carbon
    if carbon is None or plan.baseline.carbon is None:
        return None
    if not math.isclose(plan.value, carbon, rel_tol=1e-9, abs_tol=1e-9):
        return None
    possible = plan.baseline.carbon - plan.lower_bound
    return round(possible, 1) if math.isfinite(possible) else None
