"""Names that several files of the integration share."""

from collections.abc import Mapping
from enum import StrEnum
import logging
from typing import Any, Final

from .carbon.site import meters

DOMAIN: Final = "carbon_meter"
LOGGER: Final = logging.getLogger(__package__)

ARCHIVE_ISSUE: Final = "archive_"
"""The repair issue of a site whose archive cannot be used, before the id of its entry."""

AUTH_ISSUE: Final = "meter_auth_"
"""The repair issue of a meter that wants a password, before the id of its subentry."""

CARRIER_ISSUE: Final = "carrier_"
"""The repair issue of a meter whose carrier has no factor, before the id of its subentry."""

CONTRACT_ISSUE: Final = "contract_"
"""The repair issue of a contract that cannot be used, before the id of its subentry."""

NETWORK_ISSUE: Final = "network_"
"""The repair issue of a network that does not fit its site, before the id of the entry."""

SUBENTRY_CONTRACT: Final = "contract"
SUBENTRY_METER: Final = "meter"

ENTRY_HUB: Final = "hub"
"""What an entry is, under CONF_ENTRY: the hub of a community. One without it is a site."""

CONF_BASE: Final = "base"
CONF_BATTERIES: Final = "batteries"
CONF_CARRIER: Final = "carrier"
CONF_CARRIERS: Final = "carriers"
CONF_DETAILS: Final = "details"
CONF_DRIVER: Final = "driver"
CONF_ENTITIES: Final = "entities"
CONF_ENTRY: Final = "entry"
CONF_INSTANCE: Final = "instance"
CONF_INTERVAL: Final = "interval"
CONF_INVERTED: Final = "inverted"
CONF_KEY: Final = "key"
CONF_KIND: Final = "kind"
CONF_MANUFACTURER: Final = "manufacturer"
CONF_MARGINAL: Final = "marginal"
CONF_NETWORK: Final = "network"
CONF_OFFER: Final = "offer"
CONF_PARENT: Final = "parent"
CONF_PATH: Final = "path"
CONF_POWER_INVERTED: Final = "power_inverted"
CONF_PROFILE: Final = "profile"
CONF_PROTOCOL: Final = "protocol"
CONF_PROVIDER: Final = "provider"
CONF_RESCAN: Final = "rescan"
CONF_ROLE: Final = "role"
CONF_SERIAL: Final = "serial"
CONF_SITE: Final = "site"
CONF_SOURCE: Final = "source"
CONF_SOURCES: Final = "sources"
CONF_TOPIC: Final = "topic"
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


Role = meters.Role
"""Where a meter sits. No device knows it; the user says it."""


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


class SourceKind(StrEnum):
    """What a source of carbon intensity in the options of a site is."""

    LIVE = "live"
    ENTITY = "entity"
    TOPIC = "topic"
    FIXED = "fixed"
    PLUGIN = "plugin"
