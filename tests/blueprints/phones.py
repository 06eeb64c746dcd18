"""Phones with the app of Home Assistant: what they were sent, and what their owner taps."""

from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import device_registry as dr
from homeassistant.util import slugify
from pytest_homeassistant_custom_component.common import MockConfigEntry


class Phone:
    """A phone that the app has registered, with the action by which it is notified."""

    def __init__(self, hass: HomeAssistant, device_id: str) -> None:
        """Begin without messages."""
        self.hass = hass
        self.id = device_id
        self.sent: list[dict[str, Any]] = []

    async def notify(self, call: ServiceCall) -> None:
        """Take a message."""
        self.sent.append(dict(call.data))

    async def tap(self, action: str) -> None:
        """Tap a button of a notification."""
        self.hass.bus.async_fire("mobile_app_notification_action", {"action": action})
        await self.hass.async_block_till_done()


def phone_of(hass: HomeAssistant, name: str) -> Phone:
    """Return a phone of a name."""
    entry = MockConfigEntry(domain="mobile_app")
    entry.add_to_hass(hass)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id, identifiers={("mobile_app", name)}, name=name
    )
    phone = Phone(hass, device.id)
    hass.services.async_register("notify", f"mobile_app_{slugify(name)}", phone.notify)
    return phone
