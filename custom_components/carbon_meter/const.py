"""Names that several files of the integration share."""

from enum import StrEnum
import logging
from typing import Final

DOMAIN: Final = "carbon_meter"
LOGGER: Final = logging.getLogger(__package__)

SUBENTRY_METER: Final = "meter"

CONF_BASE: Final = "base"
CONF_DRIVER: Final = "driver"
CONF_INTERVAL: Final = "interval"
CONF_INVERTED: Final = "inverted"
CONF_MANUFACTURER: Final = "manufacturer"
CONF_PARENT: Final = "parent"
CONF_POWER_INVERTED: Final = "power_inverted"
CONF_PROFILE: Final = "profile"
CONF_PROTOCOL: Final = "protocol"
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


class Source(StrEnum):
    """Where a site's carbon intensity comes from."""

    LIBRARY = "factor_library"
    ENTITY = "entity"
    FIXED = "fixed"
