"""Which sensors show a meter's account: its carbon, its coverage."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfMass, UnitOfRatio
from homeassistant.util import dt as dt_util

from .const import UNIT_CARBON_RATE, has_carbon
from .coordinator import MeterCoordinator
from .data import Site

_NEARLY_ALL: Final = 99.0
"""Per cent of coverage from which on tenths are shown."""


@dataclass(frozen=True, kw_only=True)
class AccountDescription(SensorEntityDescription):
    """A sensor that shows something of a meter's account; it outlives a silent meter."""

    value_fn: Callable[[MeterCoordinator], float | None]
    attributes_fn: Callable[[MeterCoordinator], Mapping[str, Any]] | None = None
    applies: Callable[[MeterCoordinator], bool] = lambda _: True
    """Whether a meter has such a sensor."""


def _consumes(meter: MeterCoordinator) -> bool:
    """Return whether the meter's import has the carbon of the supply."""
    return has_carbon(meter.subentry.data)


def carbon_total(meter: MeterCoordinator) -> float:
    """Return kg, to the milligram."""
    keeper = meter.config_entry.runtime_data.keeper
    return round(keeper.carbon_of(meter.subentry.subentry_id) / 1000, 6)


def _coverage(meter: MeterCoordinator) -> float | None:
    """Return the share of today's time that readings account for, in per cent.

    In whole steps where it is low: while it recovers it would be new with every reading.
    """
    today = meter.account.ledger.since(dt_util.start_of_local_day().timestamp())
    accounted = today.measured_time + today.estimated_time
    if not accounted:
        return None
    share = 100 * today.measured_time / accounted
    return round(share, 1 if share > _NEARLY_ALL else 0)


def _grades(meter: MeterCoordinator) -> Mapping[str, Any]:
    """Return how well the intensity of today's import is known, in per cent of its energy."""
    today = meter.account.ledger.since(dt_util.start_of_local_day().timestamp())
    weighed = sum(today.by_grade.values())
    return {
        grade.value: round(100 * energy / weighed, 1)
        for grade, energy in today.by_grade.items()
        if weighed
    }


def carbon_rate(site: Site, meter: MeterCoordinator) -> float | None:
    """Return the carbon of a meter's import in g/h now: power times the intensity of its mix."""
    if (reading := meter.latest) is None or (power := reading.values.get("power")) is None:
        return None
    now = site.intensity.now()
    if now is None:
        return None
    intensity = site.keeper.intensity_at(meter.subentry.subentry_id, now.value)
    return max(0.0, power) / 1000 * intensity


ACCOUNT_SENSORS: Final = (
    AccountDescription(
        key="carbon_rate",
        translation_key="carbon_rate",
        native_unit_of_measurement=UNIT_CARBON_RATE,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=1,
        value_fn=lambda meter: carbon_rate(meter.config_entry.runtime_data, meter),
        applies=_consumes,
    ),
    AccountDescription(
        key="carbon_total",
        translation_key="carbon_total",
        device_class=SensorDeviceClass.WEIGHT,
        native_unit_of_measurement=UnitOfMass.KILOGRAMS,
        state_class=SensorStateClass.TOTAL,
        suggested_display_precision=3,
        value_fn=carbon_total,
        applies=_consumes,
    ),
    AccountDescription(
        key="coverage",
        translation_key="coverage",
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=1,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=_coverage,
        attributes_fn=_grades,
    ),
)
