"""The actions of a hub: invite, report, export, audit, remove."""

from collections.abc import Mapping
from typing import Any, Final, cast

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_register_admin_service
from homeassistant.util.json import JsonValueType
import probatio

from ..community.hub.periods import as_object
from ..community.ledger.database import LedgerError
from ..const import DOMAIN
from ..refusals import failed, refused
from .asked import ASKED, async_view
from .chosen import async_hub
from .exports import ExportFormat, async_export
from .homes import MOST_INVITATIONS
from .hub import Hub
from .invitation_files import InvitationFile
from .keys import CONF_COUNT, CONF_FEEDER, CONF_GROUPS, CONF_HOME, CONF_STRIKE_OUT

SERVICE_COMMUNITY_REPORT: Final = "community_report"
SERVICE_EXPORT_COMMUNITY: Final = "export_community"
SERVICE_INVITE_HOME: Final = "invite_home"
SERVICE_RECOMPUTE_COMMUNITY: Final = "recompute_community"
SERVICE_REMOVE_HOME: Final = "remove_home"

CONF_FORMAT: Final = "format"
CONF_HUB: Final = "hub"
CONF_SINCE: Final = "since"

_OF_HUB: Final = {probatio.Optional(CONF_HUB): cv.string}

_INVITE: Final = probatio.Schema(
    {
        **_OF_HUB,
        probatio.Optional(CONF_COUNT, default=1): probatio.All(
            probatio.Coerce(int), probatio.Range(min=1, max=MOST_INVITATIONS)
        ),
        probatio.Optional(CONF_FEEDER): cv.string,
        probatio.Optional(CONF_GROUPS, default=list): probatio.All(cv.ensure_list, [cv.string]),
        probatio.Optional(CONF_SINCE): cv.date,
        probatio.Optional(CONF_HOME): cv.string,
    }
)
_OF_NEW: Final = (CONF_FEEDER, CONF_GROUPS, CONF_SINCE)
"""What only a new home can be told: one that is known keeps its place."""

_REMOVE: Final = probatio.Schema(
    {
        **_OF_HUB,
        probatio.Required(CONF_HOME): cv.string,
        probatio.Optional(CONF_STRIKE_OUT, default=False): cv.boolean,
    }
)
_REPORT: Final = probatio.Schema({**_OF_HUB, **ASKED})
_EXPORT: Final = probatio.Schema(
    {
        **_OF_HUB,
        **ASKED,
        probatio.Optional(CONF_FORMAT, default=ExportFormat.CSV.value): probatio.Coerce(
            ExportFormat
        ),
    }
)
_RECOMPUTE: Final = probatio.Schema(_OF_HUB)


@callback
def async_register_hub_actions(hass: HomeAssistant) -> None:
    """Offer the actions, whether or not a hub is loaded."""

    async def invite(call: ServiceCall) -> ServiceResponse:
        """Invite homes, or one of them again, and return the invitations."""
        homes = _hub(hass, call.data).homes
        if (home := call.data.get(CONF_HOME)) is not None:
            if call.data[CONF_COUNT] != 1 or any(call.data.get(key) for key in _OF_NEW):
                raise refused("hub_reinvite_alone")
            return _invited(await homes.async_reinvite(home))
        feeder = call.data.get(CONF_FEEDER, "").strip() or None
        groups = tuple(dict.fromkeys(group.strip() for group in call.data[CONF_GROUPS]))
        return _invited(
            *await homes.async_invite(
                call.data[CONF_COUNT], feeder, groups, call.data.get(CONF_SINCE)
            )
        )

    async def remove(call: ServiceCall) -> ServiceResponse:
        """Take a home's rights away, and where that is asked for all that it has told."""
        await _hub(hass, call.data).async_remove_home(
            call.data[CONF_HOME], strike_out=call.data[CONF_STRIKE_OUT]
        )
        return _response(removed=call.data[CONF_HOME])

    async def report(call: ServiceCall) -> ServiceResponse:
        """Return what was published."""
        return cast(
            "ServiceResponse", as_object(await async_view(_hub(hass, call.data), call.data))
        )

    async def export(call: ServiceCall) -> ServiceResponse:
        """Write what was published into a file."""
        hub = _hub(hass, call.data)
        view = await async_view(hub, call.data, whole=True)
        return cast("ServiceResponse", await async_export(hub, view, call.data[CONF_FORMAT]))

    async def recompute(call: ServiceCall) -> ServiceResponse:
        """Work all sums out again; return how many rows were wrong."""
        hub = _hub(hass, call.data)
        try:
            return _response(wrong=await hub.care.async_audit())
        except LedgerError as err:
            raise failed("hub_unusable", err, hub=hub.entry.title) from err

    for name, work, schema, response in (
        (SERVICE_INVITE_HOME, invite, _INVITE, SupportsResponse.OPTIONAL),
        (SERVICE_REMOVE_HOME, remove, _REMOVE, SupportsResponse.OPTIONAL),
        (SERVICE_EXPORT_COMMUNITY, export, _EXPORT, SupportsResponse.OPTIONAL),
        (SERVICE_RECOMPUTE_COMMUNITY, recompute, _RECOMPUTE, SupportsResponse.OPTIONAL),
    ):
        async_register_admin_service(hass, DOMAIN, name, work, schema, response)
    hass.services.async_register(
        DOMAIN, SERVICE_COMMUNITY_REPORT, report, _REPORT, SupportsResponse.ONLY
    )


def _hub(hass: HomeAssistant, data: Mapping[str, Any]) -> Hub:
    """Return the hub that was chosen; see `async_hub`."""
    return async_hub(hass, data.get(CONF_HUB))


def _response(**told: JsonValueType) -> ServiceResponse:
    return told


def _invited(*files: InvitationFile) -> ServiceResponse:
    """Return invitations as the response of an action."""
    return _response(
        invitations=[
            {
                "home": file.home,
                "text": file.text,
                "file": str(file.path),
                "expires": file.expires.isoformat(),
            }
            for file in files
        ]
    )
