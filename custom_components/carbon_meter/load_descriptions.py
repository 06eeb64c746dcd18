"""What the sensors of a load show, and which loads have them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
import math
from typing import Any, Final

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    UnitOfElectricCurrent,
    UnitOfMass,
    UnitOfPower,
    UnitOfRatio,
    UnitOfTemperature,
)
from homeassistant.util import dt as dt_util
import numpy as np

from .carbon.accounting.figures import Account
from .loads.keys import CONF_CONTROL, CONF_PHASES, CONF_VOLTAGE, Control, LoadKind
from .loads.load import Load
from .loads.plan_response import rounded
from .planning.jobs.charge import amperes
from .planning.jobs.warmth import WarmthJob
from .planning.jobs.warmth_settings import Steering
from .planning.plan import Piece
from .planning.realised import Saving

_NOTHING: Final = 0.5
"""g that sentences about plans do not speak of either."""

_PHASES: Final = 1.0
_VOLTAGE: Final = 230.0
"""Of a charger of which nothing else is told, as its powers are worked out."""


@dataclass(frozen=True, kw_only=True)
class LoadSensorDescription(SensorEntityDescription):
    """A sensor of a load."""

    value_fn: Callable[[Load], float | datetime | None]
    attributes_fn: Callable[[Load], Mapping[str, Any] | None] = lambda _load: None
    applies: Callable[[Load], bool] = lambda _load: True


def local(moment: float | None) -> str | None:
    """Return a moment on the local clock to the second, as ISO 8601 tells it."""
    if moment is None:
        return None
    return dt_util.as_local(dt_util.utc_from_timestamp(round(moment))).isoformat()


def _saving_planned(load: Load) -> float | None:
    """Return the g that a plan saves; what rounds to nothing is nothing, and not minus nothing."""
    saved = rounded(load.saving_planned, 1)
    return 0.0 if saved is not None and abs(saved) < _NOTHING else saved


def by_run(pieces: Iterable[Piece]) -> list[Piece]:
    """Return one piece of the mean power for each run; charging and discharging are two."""
    found: list[Piece] = []
    for piece in pieces:
        last = found[-1] if found else None
        if last is None or last.end != piece.start or last.power * piece.power <= 0.0:
            found.append(piece)
            continue
        energy = last.energy + piece.energy
        power = energy * 3600.0 / (piece.end - last.start)
        found[-1] = Piece(last.start, piece.end, power)
    return found


def _is_by_setpoint(load: Load) -> bool:
    """Return whether a load is given degrees and finds its power by itself."""
    if isinstance(load.job, WarmthJob):
        return load.job.settings.steering is Steering.SETPOINT
    return load.kind is LoadKind.AIR_ZONE


def _has_power(load: Load) -> bool:
    return load.kind is not LoadKind.LIGHT_ZONE and not _is_by_setpoint(load)


def _has_current(load: Load) -> bool:
    return load.kind is LoadKind.EV and load.data.get(CONF_CONTROL) == Control.CURRENT


def _has_setpoint(load: Load) -> bool:
    is_tank = isinstance(load.job, WarmthJob) and load.job.settings.is_tank
    return is_tank or _is_by_setpoint(load)


def _next_start(load: Load) -> datetime | None:
    moment = load.next_start
    return None if moment is None else dt_util.utc_from_timestamp(round(moment))


def _setpoint(load: Load) -> float | None:
    """Return the degrees asked for now; of a tank that is switched those that are planned."""
    if load.target.setpoint is not None or _is_by_setpoint(load):
        return load.target.setpoint
    planned = load.planned
    if planned is None or planned.contents is None:
        return None
    slots = planned.plan.slots
    slot = int(np.searchsorted(slots.ends, dt_util.utcnow().timestamp(), side="right"))
    degrees = float(planned.contents[slot]) if slot < len(slots) else math.nan
    return round(degrees, 1) if math.isfinite(degrees) else None


def _current(load: Load) -> float | None:
    power = load.target.power
    if power is None:
        return None
    phases = int(load.data.get(CONF_PHASES, _PHASES))
    return amperes(power, phases, float(load.data.get(CONF_VOLTAGE, _VOLTAGE)))


def _realised(load: Load) -> Mapping[str, Any]:
    """Return what a saving that adds up is of. It is told beside every inventory."""
    realised = load.realised
    return {
        "account": Account.AVOIDED.value,
        "cost": round(realised.cost, 4),
        "energy": round(realised.energy / 1000.0, 3),
        "runs": realised.runs,
        "pending": realised.pending,
        "latest": None if realised.latest is None else _saving(realised.latest),
    }


def _saving(saving: Saving) -> dict[str, Any]:
    return {
        "start": local(saving.start),
        "end": local(saving.end),
        "energy": round(saving.energy / 1000.0, 3),
        "carbon": round(saving.carbon.value, 1),
        "planned": rounded(saving.planned, 1),
        "cost": rounded(saving.cost, 4),
        "coverage": round(100.0 * saving.coverage, 1),
    }


def _planned(load: Load) -> Mapping[str, Any]:
    """Return what else the plan saves."""
    return {"account": Account.AVOIDED.value, "cost": rounded(load.cost_planned, 4)}


LOAD_SENSORS: Final = (
    LoadSensorDescription(
        key="next_start",
        translation_key="next_start",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=_next_start,
    ),
    LoadSensorDescription(
        key="target_power",
        translation_key="target_power",
        device_class=SensorDeviceClass.POWER,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        value_fn=lambda load: rounded(load.target.power, 1),
        applies=_has_power,
    ),
    LoadSensorDescription(
        key="target_current",
        translation_key="target_current",
        device_class=SensorDeviceClass.CURRENT,
        native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
        suggested_display_precision=0,
        value_fn=_current,
        applies=_has_current,
    ),
    LoadSensorDescription(
        key="target_setpoint",
        translation_key="target_setpoint",
        device_class=SensorDeviceClass.TEMPERATURE,
        native_unit_of_measurement=UnitOfTemperature.CELSIUS,
        suggested_display_precision=1,
        value_fn=_setpoint,
        attributes_fn=lambda load: {"base": load.base_setpoint},
        applies=_has_setpoint,
    ),
    LoadSensorDescription(
        key="target_brightness",
        translation_key="target_brightness",
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        suggested_display_precision=0,
        value_fn=lambda load: load.target.brightness,
        applies=lambda load: load.kind is LoadKind.LIGHT_ZONE,
    ),
    LoadSensorDescription(
        key="saving_planned",
        translation_key="saving_planned",
        device_class=SensorDeviceClass.WEIGHT,
        native_unit_of_measurement=UnitOfMass.GRAMS,
        suggested_display_precision=0,
        value_fn=_saving_planned,
        attributes_fn=_planned,
    ),
    LoadSensorDescription(
        key="saving_realised",
        translation_key="saving_realised",
        device_class=SensorDeviceClass.WEIGHT,
        native_unit_of_measurement=UnitOfMass.KILOGRAMS,
        state_class=SensorStateClass.TOTAL,
        suggested_display_precision=3,
        value_fn=lambda load: round(load.realised.carbon / 1000.0, 6),
        attributes_fn=_realised,
    ),
)
