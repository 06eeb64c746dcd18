"""What a dashboard asks a hub over the websocket: published figures, and their changes live."""

from typing import Any, Final

from homeassistant.components.websocket_api import async_register_command
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import async_response, websocket_command
from homeassistant.components.websocket_api.messages import event_message
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
import probatio

from ..community.hub.periods import as_object
from ..const import DOMAIN
from .asked import ASKED, async_view
from .chosen import async_hub
from .figures import COMMUNITY, ScopeKey
from .hub import Hub

CONF_HUB: Final = "hub"

_SCHEMA: Final[dict[str | probatio.Marker, Any]] = {probatio.Optional(CONF_HUB): str}


@callback
def async_register_hub_websocket(hass: HomeAssistant) -> None:
    """Offer the commands."""
    async_register_command(hass, _view)
    async_register_command(hass, _subscribe)


@websocket_command({probatio.Required("type"): f"{DOMAIN}/community/view", **_SCHEMA, **ASKED})
@async_response
async def _view(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> None:
    """Send the published figures of a scope over a time."""
    try:
        found = await async_view(async_hub(hass, message.get(CONF_HUB)), message)
    except HomeAssistantError as err:
        connection.send_error(message["id"], err.translation_key or "failed", str(err))
        return
    connection.send_result(message["id"], as_object(found))


@websocket_command({probatio.Required("type"): f"{DOMAIN}/community/subscribe", **_SCHEMA})
@callback
def _subscribe(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> None:
    """Send the last published figures of every scope, and again whenever they change."""
    try:
        hub = async_hub(hass, message.get(CONF_HUB))
    except HomeAssistantError as err:
        connection.send_error(message["id"], err.translation_key or "failed", str(err))
        return
    last: dict[str, Any] = {}

    @callback
    def send() -> None:
        told = live(hub)
        if told != last:
            last.clear()
            last.update(told)
            connection.send_message(event_message(message["id"], told))

    connection.subscriptions[message["id"]] = hub.async_add_listener(send)
    connection.send_result(message["id"])
    send()


def live(hub: Hub) -> dict[str, Any]:
    """Return the link's state, the last published periods of every scope, and what runs."""
    figures = hub.figures
    status = hub.status
    return {
        "community": hub.community,
        "title": hub.entry.title,
        "link": status.state.value,
        "last_message": status.counts.last_at,
        "homes": dict(hub.homes.by_state),
        "so_far": {grain.value: as_object(period) for grain, period in figures.so_far.items()},
        "scopes": [
            {
                "scope": scope[0].value,
                "name": scope[1],
                "periods": {
                    grain.value: as_object(period)
                    for (one, grain), period in figures.periods.items()
                    if one == scope
                },
            }
            for scope in _scopes(hub)
        ],
    }


def _scopes(hub: Hub) -> tuple[ScopeKey, ...]:
    return (COMMUNITY, *hub.figures.scopes)
