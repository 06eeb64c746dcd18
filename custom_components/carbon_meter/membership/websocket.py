"""The live view of what leaves the home, for its owner: `carbon_meter/membership/outgoing`."""

from typing import Any, Final

from homeassistant.components.websocket_api import (
    async_register_command,
)
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.const import ERR_NOT_FOUND
from homeassistant.components.websocket_api.decorators import (
    async_response,
    require_admin,
    websocket_command,
)
from homeassistant.components.websocket_api.messages import event_message
from homeassistant.core import HomeAssistant, callback
import probatio

from ..community.member.errors import MemberError
from ..community.member.outgoing import Outgoing, Upcoming
from ..community.outbox.errors import OutboxError
from .membership import Membership
from .memberships import DATA_MEMBERSHIPS

COMMAND: Final = "carbon_meter/membership/outgoing"

_NEXT: Final = 10
"""Messages that are shown before they leave."""


@callback
def async_register_websocket(hass: HomeAssistant) -> None:
    """Offer the live view."""
    async_register_command(hass, _outgoing)


@websocket_command({probatio.Required("type"): COMMAND, probatio.Required("subentry_id"): str})
@require_admin
@async_response
async def _outgoing(
    hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]
) -> None:
    """Send what has left and what leaves next, now and after every change."""
    membership = _membership(hass, message["subentry_id"])
    if membership is None:
        connection.send_error(message["id"], ERR_NOT_FOUND, "No such membership is loaded")
        return
    number: int = message["id"]

    async def tell() -> None:
        connection.send_message(event_message(number, await _view(membership)))

    @callback
    def changed() -> None:
        hass.async_create_task(tell(), "show what leaves the home")

    connection.subscriptions[number] = membership.async_add_listener(changed)
    connection.send_result(number)
    await tell()


def _membership(hass: HomeAssistant, subentry_id: str) -> Membership | None:
    """Return a membership that is loaded."""
    for memberships in hass.data.get(DATA_MEMBERSHIPS, {}).values():
        if (found := memberships.all.get(subentry_id)) is not None:
            return found
    return None


async def _view(membership: Membership) -> dict[str, Any]:
    """Return what is to be seen now; nothing where the files cannot be used."""
    link = membership.link
    if link is None:
        return {"state": None, "outgoing": [], "next": []}
    status = link.status
    try:
        upcoming = await link.upcoming(_NEXT)
    except MemberError, OutboxError:
        upcoming = ()
    return {
        "state": status.state.value,
        "error": status.error,
        "home": status.home,
        "level": status.agreed.level.value,
        "period": status.agreed.duration,
        "flows": [flow.value for flow in status.agreed.flows],
        "waiting": status.waiting,
        "not_acknowledged": status.out,
        "acknowledged_at": status.acknowledged_at,
        "next_slot": status.next_slot,
        "outgoing": [_left(one) for one in link.outgoing],
        "next": [_leaving(one) for one in upcoming],
    }


def _left(one: Outgoing) -> dict[str, Any]:
    """Return a message that has left."""
    return {
        "at": one.at,
        "topic": one.topic,
        "payload": one.payload,
        "kind": one.kind,
        "reason": one.reason,
        "start": one.start,
        "duration": one.duration,
        "revision": one.revision,
        "acknowledged_at": one.acknowledged_at,
        "refused": one.refused,
    }


def _leaving(one: Upcoming) -> dict[str, Any]:
    """Return a message that leaves next."""
    return {
        "topic": one.topic,
        "payload": one.payload,
        "start": one.start,
        "duration": one.duration,
        "revision": one.revision,
    }
