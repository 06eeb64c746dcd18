"""Sensors of a membership: how it is, what was told last, what waits, what has arrived."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
import json
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import MATCH_ALL, EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.translation import async_get_translations

from ..community.member.link import MemberLink
from ..community.member.status import MemberState
from ..const import DOMAIN
from .keys import CONF_ASKED, CONF_FLOWS
from .membership import Membership
from .memberships import memberships_of


@dataclass(frozen=True, kw_only=True)
class MembershipDescription(SensorEntityDescription):
    """A sensor of a membership."""

    value_fn: Callable[[MemberLink], str | int | datetime | None]
    attributes_fn: Callable[[Membership, MemberLink], Mapping[str, Any] | None] = (
        lambda _membership, _link: None
    )


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _told_period(link: MemberLink) -> datetime | None:
    """Return when the last period that was told began."""
    told = link.status.last_told
    return None if told is None else _moment(told.start)


def _state(membership: Membership, link: MemberLink) -> dict[str, Any]:
    """Return what explains the state, and how much of what is asked for was agreed to."""
    status = link.status
    asked = membership.subentry.data[CONF_ASKED][CONF_FLOWS]
    return {
        "since": _moment(status.since),
        "error": status.error,
        "home": status.home,
        "level": status.agreed.level.value,
        "period": status.agreed.duration,
        "flows": [flow.value for flow in status.agreed.flows],
        "not_told": [flow for flow in asked if flow not in status.agreed.flows],
        "refused": dict(status.refusals),
    }


def _content(_membership: Membership, link: MemberLink) -> dict[str, Any] | None:
    """Return exactly what was told last."""
    told = link.status.last_told
    if told is None:
        return None
    return {
        "topic": told.topic,
        "message": json.loads(told.payload),
        "sent": _moment(told.at),
        "acknowledged": _moment(told.acknowledged_at),
    }


def _waiting(_membership: Membership, link: MemberLink) -> dict[str, Any]:
    """Return what is in the outbox."""
    status = link.status
    return {
        "not_sent": status.waiting,
        "not_acknowledged": status.out,
        "refused": status.refused,
        "given_up": status.dropped,
        "bytes": status.size,
        "next": _moment(status.next_slot),
    }


_STATE: Final = MembershipDescription(
    key="membership_state",
    translation_key="membership_state",
    device_class=SensorDeviceClass.ENUM,
    options=[state.value for state in MemberState],
    value_fn=lambda link: link.status.state.value,
    attributes_fn=_state,
)

MEMBERSHIP_SENSORS: Final = (
    _STATE,
    MembershipDescription(
        key="membership_told",
        translation_key="membership_told",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=_told_period,
        attributes_fn=_content,
    ),
    MembershipDescription(
        key="membership_waiting",
        translation_key="membership_waiting",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda link: link.status.waiting + link.status.out,
        attributes_fn=_waiting,
    ),
    MembershipDescription(
        key="membership_acknowledged",
        translation_key="membership_acknowledged",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda link: _moment(link.status.acknowledged_at),
    ),
    MembershipDescription(
        key="membership_certificate",
        translation_key="membership_certificate",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda link: _moment(link.status.certificate_ends),
    ),
)


HUB_MEMBERSHIP_SENSORS: Final = (
    replace(_STATE, translation_key="hub_membership_state"),
    *MEMBERSHIP_SENSORS[1:],
)
"""Those of a hub that is a member: its state speaks of two hubs."""


async def async_add_memberships(
    hass: HomeAssistant, entry: ConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors of each membership of an entry."""
    memberships = memberships_of(hass, entry)
    if memberships is None or not memberships.all:
        return
    texts = await async_get_translations(hass, hass.config.language, "common", {DOMAIN})
    for subentry_id, membership in memberships.all.items():
        model = "hub_membership" if membership.is_hub else "membership"
        device = DeviceInfo(
            identifiers={(DOMAIN, subentry_id)},
            name=membership.subentry.title,
            model=texts[f"component.{DOMAIN}.common.{model}"],
            entry_type=DeviceEntryType.SERVICE,
        )
        async_add_entities(_sensors(membership, device), config_subentry_id=subentry_id)


def _sensors(membership: Membership, device: DeviceInfo) -> Iterable[SensorEntity]:
    described = HUB_MEMBERSHIP_SENSORS if membership.is_hub else MEMBERSHIP_SENSORS
    return [MembershipSensor(membership, device, one) for one in described]


class MembershipSensor(SensorEntity):
    """Something of a membership. What was told stands in attributes that nobody records."""

    _attr_has_entity_name = True
    _attr_should_poll = False
    _unrecorded_attributes = frozenset({MATCH_ALL})
    entity_description: MembershipDescription

    def __init__(
        self, membership: Membership, device: DeviceInfo, description: MembershipDescription
    ) -> None:
        """Set the identity of entity and device."""
        self.entity_description = description
        self._membership = membership
        self._attr_unique_id = f"{membership.subentry.subentry_id}_{description.key}"
        self._attr_device_info = device

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the membership."""
        await super().async_added_to_hass()
        self.async_on_remove(self._membership.async_add_listener(self.async_write_ha_state))

    @property
    @override
    def available(self) -> bool:
        """Return whether the files of the membership can be used."""
        return self._membership.link is not None

    @property
    @override
    def native_value(self) -> str | int | datetime | None:
        """Return what there is to say."""
        link = self._membership.link
        return None if link is None else self.entity_description.value_fn(link)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return what explains it."""
        link = self._membership.link
        return (
            None if link is None else self.entity_description.attributes_fn(self._membership, link)
        )
