"""Names that several files of the integration share."""

from collections.abc import Mapping
from enum import StrEnum
import logging
from typing import Any, Final

DOMAIN: Final = "carbon_meter"
LOGGER: Final = logging.getLogger(__package__)

AUTH_ISSUE: Final = "meter_auth_"
"""The repair issue of a meter that wants a password, before the id of its subentry."""

SUBENTRY_METER: Final = "meter"

CONF_BASE: Final = "base"
CONF_CARRIER: Final = "carrier"
CONF_DRIVER: Final = "driver"
CONF_ENTITIES: Final = "entities"
CONF_INSTANCE: Final = "instance"
CONF_INTERVAL: Final = "interval"
CONF_INVERTED: Final = "inverted"
CONF_MANUFACTURER: Final = "manufacturer"
CONF_OFFER: Final = "offer"
CONF_PARENT: Final = "parent"
CONF_POWER_INVERTED: Final = "power_inverted"
CONF_PROFILE: Final = "profile"
CONF_PROTOCOL: Final = "protocol"
CONF_RESCAN: Final = "rescan"
CONF_ROLE: Final = "role"
CONF_SERIAL: Final = "serial"
CONF_SITE: Final = "site"
CONF_SOURCE: Final = "source"
CONF_UNIT: Final = "unit"
CONF_VALUE: Final = "value"
CONF_WRITE_INTERVAL: Final = "write_interval"
CONF_ZONE: Final = "zone"

DEFAULT_INTERVAL: Final = 10
DEFAULT_PORT: Final = 502
DEFAULT_UNIT: Final = 1
DEFAULT_WRITE_INTERVAL: Final = 10

METER_KEYS: Final = frozenset(
    {
        CONF_CARRIER,
        CONF_DRIVER,
        CONF_INTERVAL,
        CONF_INVERTED,
        CONF_MANUFACTURER,
        "model",
        CONF_PARENT,
        CONF_POWER_INVERTED,
        CONF_PROFILE,
        CONF_ROLE,
        CONF_WRITE_INTERVAL,
    }
)
"""What is kept of every meter, whatever reads it, and names neither it nor its place."""

UNIT_INTENSITY: Final = "gCO2eq/kWh"
UNIT_CARBON_RATE: Final = "g/h"


class Role(StrEnum):
    """Where a meter sits. No device knows it; the user says it."""

    GRID = "grid"
    SOLAR = "solar"
    BATTERY = "battery"
    SUBMETER = "submeter"

    @property
    def is_consumption(self) -> bool:
        """Return whether the meter's import has the carbon of the grid."""
        return self in (Role.GRID, Role.SUBMETER)


class Carrier(StrEnum):
    """What a meter counts."""

    ELECTRICITY = "electricity"
    GAS = "gas"
    WATER = "water"
    HEAT = "heat"
    FUEL = "fuel"


def carrier_of(data: Mapping[str, Any]) -> Carrier:
    """Return what a meter counts, out of its data."""
    return Carrier(data.get(CONF_CARRIER, Carrier.ELECTRICITY))


def has_carbon(data: Mapping[str, Any]) -> bool:
    """Return whether a meter's import has the carbon of the site's electricity, out of its data."""
    return carrier_of(data) is Carrier.ELECTRICITY and Role(data[CONF_ROLE]).is_consumption


class Source(StrEnum):
    """Where a site's carbon intensity comes from."""

    LIBRARY = "factor_library"
    ENTITY = "entity"
    FIXED = "fixed"
    PLUGIN = "plugin"
