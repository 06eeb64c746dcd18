"""Which sensors show how far a meter can be believed, and what lay between two writings."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import (
    EntityCategory,
    UnitOfEnergy,
    UnitOfPower,
    UnitOfRatio,
    UnitOfVolume,
)

from .account_descriptions import AccountDescription
from .coordinator import MeterCoordinator
from .metering.rolling import DAY, HOUR
from .metering.sampling import QuantitySummary
from .metering.tree_error import TreeError


def _power(meter: MeterCoordinator) -> QuantitySummary | None:
    window = meter.watch.window
    return None if window is None else window.quantities.get("power")


def _of_power(
    pick: Callable[[QuantitySummary], float],
) -> Callable[[MeterCoordinator], float | None]:
    """Return what gives a figure of the power between the last two writings."""

    def value(meter: MeterCoordinator) -> float | None:
        power = _power(meter)
        return None if power is None or not meter.last_update_success else pick(power)

    return value


def _samples(meter: MeterCoordinator) -> Mapping[str, Any]:
    power = _power(meter)
    return {} if power is None else {"samples": power.samples}


def _measures_power(meter: MeterCoordinator) -> bool:
    return "power" in meter.profile.quantities and "power" not in meter.absent


def _own_percent(length: int) -> Callable[[MeterCoordinator], float | None]:
    def value(meter: MeterCoordinator) -> float | None:
        error = meter.watch.own_error(length)
        return None if error is None or error.percent is None else round(error.percent, 2)

    return value


def _own_details(length: int) -> Callable[[MeterCoordinator], Mapping[str, Any]]:
    def details(meter: MeterCoordinator) -> Mapping[str, Any]:
        error = meter.watch.own_error(length)
        if error is None:
            return {}
        return {
            "counted": round(error.counted / 1000, 4),
            "integrated": round(error.integrated / 1000, 4),
            "uncertainty": round(error.uncertainty / 1000, 4),
            "compared_share": round(100 * error.coverage, 1),
        }

    return details


def _has_counter(meter: MeterCoordinator) -> bool:
    return _measures_power(meter) and "energy_import" in meter.profile.quantities


def _tree(
    length: int, pick: Callable[[TreeError], float | None]
) -> Callable[[MeterCoordinator], float | None]:
    """Return what gives a figure of a meter less those behind it."""

    def value(meter: MeterCoordinator) -> float | None:
        tree = meter.config_entry.runtime_data.tree
        error = tree.error(meter.subentry.subentry_id, length)
        figure = None if error is None else pick(error)
        return None if figure is None else round(figure, 3)

    return value


def _tree_details(length: int) -> Callable[[MeterCoordinator], Mapping[str, Any]]:
    def details(meter: MeterCoordinator) -> Mapping[str, Any]:
        site = meter.config_entry.runtime_data
        error = site.tree.error(meter.subentry.subentry_id, length)
        if error is None:
            return {}
        return {
            "supplied": round(error.supplied / 1000, 4),
            "drawn": round(error.drawn / 1000, 4),
            "tolerance": round(error.tolerance / 1000, 4),
            "missing": [site.meters[key].subentry.title for key in error.missing],
        }

    return details


def _is_parent(meter: MeterCoordinator) -> bool:
    return bool(meter.config_entry.runtime_data.tree.children(meter.subentry.subentry_id))


def _set_apart(meter: MeterCoordinator) -> float:
    """Return kWh, or m³, that counters showed without being believed."""
    sums = meter.account.set_apart.values()
    return round(sum(sum(reasons.values()) for reasons in sums) / 1000, 6)


def _set_apart_details(meter: MeterCoordinator) -> Mapping[str, Any]:
    return {
        f"{direction.value}_{reason.value}": round(energy / 1000, 6)
        for direction, reasons in meter.account.set_apart.items()
        for reason, energy in reasons.items()
    }


def _counts_volume(meter: MeterCoordinator) -> bool:
    """Return whether what is booked of the meter is a volume; else it is energy."""
    quantities = meter.profile.quantities
    return "volume" in quantities and "energy_import" not in quantities


def _counts_energy(meter: MeterCoordinator) -> bool:
    return not _counts_volume(meter)


def _power_sensor(key: str, pick: Callable[[QuantitySummary], float]) -> AccountDescription:
    return AccountDescription(
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.POWER,
        native_unit_of_measurement=UnitOfPower.WATT,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=0,
        entity_registry_enabled_default=False,
        value_fn=_of_power(pick),
        attributes_fn=_samples,
        applies=_measures_power,
    )


def _share(
    key: str,
    value: Callable[[MeterCoordinator], float | None],
    details: Callable[[MeterCoordinator], Mapping[str, Any]],
    applies: Callable[[MeterCoordinator], bool],
    *,
    enabled: bool = True,
) -> AccountDescription:
    return AccountDescription(
        key=key,
        translation_key=key,
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=1,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=enabled,
        value_fn=value,
        attributes_fn=details,
        applies=applies,
    )


QUALITY_SENSORS: Final = (
    _power_sensor("power_mean", lambda power: power.mean),
    _power_sensor("power_minimum", lambda power: power.minimum),
    _power_sensor("power_maximum", lambda power: power.maximum),
    _share(
        "metering_error_hour", _own_percent(HOUR), _own_details(HOUR), _has_counter, enabled=False
    ),
    _share("metering_error_day", _own_percent(DAY), _own_details(DAY), _has_counter),
    _share(
        "unmetered_share",
        _tree(DAY, lambda error: error.residual_percent),
        _tree_details(DAY),
        _is_parent,
    ),
    _share(
        "tree_error",
        _tree(DAY, lambda error: error.impossible_percent),
        _tree_details(DAY),
        _is_parent,
    ),
    AccountDescription(
        key="energy_set_apart",
        translation_key="energy_set_apart",
        device_class=SensorDeviceClass.ENERGY,
        native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        state_class=SensorStateClass.TOTAL_INCREASING,
        suggested_display_precision=3,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=_set_apart,
        attributes_fn=_set_apart_details,
        applies=_counts_energy,
    ),
    AccountDescription(
        key="volume_set_apart",
        translation_key="volume_set_apart",
        device_class=SensorDeviceClass.VOLUME,
        native_unit_of_measurement=UnitOfVolume.CUBIC_METERS,
        state_class=SensorStateClass.TOTAL_INCREASING,
        suggested_display_precision=3,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=_set_apart,
        attributes_fn=_set_apart_details,
        applies=_counts_volume,
    ),
)
