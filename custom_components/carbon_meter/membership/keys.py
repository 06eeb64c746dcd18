"""What is kept of a membership beside its files: what it is called, and what was agreed to."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.util.hass_dict import HassKey

from ..community.authority.invitation import Invitation
from ..community.contract.message import Flow, Level
from ..community.member.agreed import Agreed
from ..const import DOMAIN

SUBENTRY_MEMBERSHIP: Final = "membership"

CONF_COMMUNITY: Final = "community"
CONF_COMMUNITY_NAME: Final = "community_name"
CONF_BROKER: Final = "broker"
"""Host and port; None for Home Assistant's own broker."""

CONF_ASKED: Final = "asked"
"""What the community asks for, under the keys of what was agreed to."""

CONF_TEXT: Final = "text"
CONF_LEVEL: Final = "level"
CONF_DURATION: Final = "duration"
CONF_FLOWS: Final = "flows"

DATA_JOINING: HassKey[set[str]] = HassKey(f"{DOMAIN}_joining")
"""Folders of memberships that are just being begun: they belong to nobody yet."""


def membership_data(invitation: Invitation, agreed: Agreed) -> dict[str, Any]:
    """Return what is kept of a membership: no key, no token, no id of the home."""
    broker = invitation.broker
    return {
        CONF_COMMUNITY: invitation.community,
        CONF_COMMUNITY_NAME: invitation.name,
        CONF_BROKER: None if broker is None else f"{broker.host}:{broker.port}",
        CONF_ASKED: {
            CONF_LEVEL: invitation.level.value,
            CONF_DURATION: invitation.duration,
            CONF_FLOWS: [flow.value for flow in invitation.flows],
        },
        **agreed_data(agreed),
    }


def agreed_data(agreed: Agreed) -> dict[str, Any]:
    """Return what was agreed to as plain values."""
    return {
        CONF_TEXT: agreed.text,
        CONF_LEVEL: agreed.level.value,
        CONF_DURATION: agreed.duration,
        CONF_FLOWS: [flow.value for flow in agreed.flows],
    }


def agreed_of(data: Mapping[str, Any]) -> Agreed:
    """Return what was agreed to, out of a membership's data."""
    return Agreed(
        text=data[CONF_TEXT],
        level=Level(data[CONF_LEVEL]),
        duration=data[CONF_DURATION],
        flows=tuple(Flow(flow) for flow in data[CONF_FLOWS]),
    )
