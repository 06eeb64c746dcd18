"""Which sensors show what a site's book says: of the site, of its meters, of its batteries.

A household sees few of them; the rest wait, disabled, for who accounts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import UnitOfMass

from .carbon.accounting.figures import Account
from .carbon.factors.factor import Stage
from .carbon.site import figures as names
from .carbon.site.book import SitePlan
from .carbon.site.meters import Role
from .const import UNIT_INTENSITY
from .data import Site

_GRAMS: Final = 1000.0


@dataclass(frozen=True, kw_only=True)
class BookDescription(SensorEntityDescription):
    """A sensor of a figure; `owner` is the site or the id of a meter."""

    value_fn: Callable[[Site, str], float | None]
    applies: Callable[[SitePlan, str], bool] = lambda _plan, _owner: True
    """Whether an owner has such a sensor."""


def _kilograms(grams: float) -> float:
    """Return kg, to the milligram."""
    return round(grams / _GRAMS, 6)


def _total(figure: str) -> Callable[[Site, str], float]:
    return lambda site, owner: _kilograms(site.keeper.total(owner, figure))


def _has_supply(plan: SitePlan, _owner: str) -> bool:
    """Return whether anything but the grid supplies the site."""
    return bool(plan.meters.sources)


def _is(role: Role) -> Callable[[SitePlan, str], bool]:
    return lambda plan, owner: owner in plan.meters.place and plan.meters.role(owner) is role


def _is_stored(plan: SitePlan, owner: str) -> bool:
    return owner in plan.meters.sources and plan.meters.role(owner) is Role.BATTERY


def _mass(
    key: str,
    value_fn: Callable[[Site, str], float | None],
    *,
    enabled: bool = False,
    applies: Callable[[SitePlan, str], bool] = lambda _plan, _owner: True,
    state_class: SensorStateClass = SensorStateClass.TOTAL,
) -> BookDescription:
    """Return the description of a mass of carbon."""
    return BookDescription(
        key=key,
        translation_key=key.removeprefix("site_"),
        device_class=SensorDeviceClass.WEIGHT,
        native_unit_of_measurement=UnitOfMass.KILOGRAMS,
        state_class=state_class,
        suggested_display_precision=3,
        entity_registry_enabled_default=enabled,
        value_fn=value_fn,
        applies=applies,
    )


def _intensity(
    key: str,
    value_fn: Callable[[Site, str], float | None],
    *,
    enabled: bool = False,
    applies: Callable[[SitePlan, str], bool],
) -> BookDescription:
    return BookDescription(
        key=key,
        translation_key=key.removeprefix("site_"),
        native_unit_of_measurement=UNIT_INTENSITY,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=0,
        entity_registry_enabled_default=enabled,
        value_fn=value_fn,
        applies=applies,
    )


def _supply_intensity(site: Site, _owner: str) -> float | None:
    """Return what a kWh used at the site weighs, by the last intervals of the book."""
    return site.keeper.supply_intensity


def _meter_intensity(site: Site, owner: str) -> float | None:
    now = site.intensity.now()
    return None if now is None else site.keeper.intensity_at(owner, now.value)


def _content_intensity(site: Site, owner: str) -> float | None:
    battery = site.keeper.batteries.get(owner)
    return None if battery is None else battery.intensity


def _stored(site: Site, owner: str) -> float | None:
    battery = site.keeper.batteries.get(owner)
    return None if battery is None else _kilograms(battery.carbon)


def _has_import(plan: SitePlan, _owner: str) -> bool:
    return bool(plan.meters.grids)


def _of_site(
    key: str, figure: str, *, applies: Callable[[SitePlan, str], bool] = _has_import
) -> BookDescription:
    return _mass(f"site_{key}", _total(figure), applies=applies)


SITE_BOOK_SENSORS: Final = (
    _mass(
        "site_carbon_today",
        lambda site, _owner: _kilograms(site.keeper.carbon_today()),
        enabled=True,
        applies=_has_import,
    ),
    _mass("site_carbon_used", _total(names.CONSUMPTION_CARBON), enabled=True, applies=_has_supply),
    _intensity("site_supply_intensity", _supply_intensity, enabled=True, applies=_has_supply),
    _of_site("carbon_annual", names.CARBON_ANNUAL),
    _of_site("carbon_exported", names.EXPORT_CARBON, applies=_has_supply),
    _of_site("carbon_avoided", names.AVOIDED_EXPORT, applies=_has_supply),
    _of_site("carbon_avoided_marginal", names.AVOIDED_EXPORT_MARGINAL, applies=_has_supply),
    _of_site("carbon_transmission", names.TRANSMISSION),
    _of_site("carbon_upstream", names.UPSTREAM),
)

METER_BOOK_SENSORS: Final = (
    _mass(
        "carbon_stored",
        _stored,
        enabled=True,
        applies=_is_stored,
        state_class=SensorStateClass.MEASUREMENT,
    ),
    _intensity("content_intensity", _content_intensity, enabled=True, applies=_is_stored),
    _mass("carbon_charged", _total(names.CHARGE_CARBON), applies=_is_stored),
    _mass("carbon_discharged", _total(names.DISCHARGE_CARBON), applies=_is_stored),
    _mass("carbon_generated", _total(names.GENERATION_CARBON), applies=_is(Role.SOLAR)),
    _intensity("meter_intensity", _meter_intensity, applies=_is(Role.SUBMETER)),
)


CARRIER_FIGURES: Final = tuple(
    f"{account}_{stage}"
    for account, stages in (
        (Account.DIRECT, (Stage.USE,)),
        (Account.BIOGENIC, (Stage.USE, Stage.GENERATION)),
        (Account.LOCATION_BASED, (Stage.GENERATION,)),
        (
            Account.VALUE_CHAIN,
            (
                Stage.GENERATION,
                Stage.TRANSMISSION_DISTRIBUTION,
                Stage.UPSTREAM,
                Stage.UPSTREAM_AND_LOSSES,
            ),
        ),
    )
    for stage in stages
)
"""What can be known of gas, heat, water and fuel: where it belongs in a report, and from which
stage of its way it is."""


def carrier_sensor(figure: str) -> BookDescription:
    """Return the sensor of what gas, heat, water or fuel emits, by account and stage.

    What is emitted where it is used, or where bought heat is made, is what a household looks for.
    """
    primary = {
        f"{Account.DIRECT}_{Stage.USE}",
        f"{Account.LOCATION_BASED}_{Stage.GENERATION}",
    }
    return _mass(f"carbon_{figure}", _total(figure), enabled=figure in primary)
