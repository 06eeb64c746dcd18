"""Diagnostics of a hub: how it works, without homes, keys, addresses or figures of anybody."""

from collections.abc import Collection
from dataclasses import fields
from typing import Any, Final

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from ..community.hub.counts import Counts
from ..community.hub.status import WorkerStatus
from ..membership.keys import CONF_BROKER, CONF_COMMUNITY_NAME
from .hub import Hub
from .keys import CONF_COMMUNITY, CONF_HUB_FILE

_REDACT: Final = {
    CONF_BROKER,
    CONF_COMMUNITY,
    CONF_COMMUNITY_NAME,
    CONF_HUB_FILE,
    "title",
    "unique_id",
}


async def async_hub_diagnostics(hass: HomeAssistant, entry: ConfigEntry[Any]) -> dict[str, Any]:
    """Return the state of a hub."""
    told: dict[str, Any] = {"entry": async_redact_data(entry.as_dict(), _REDACT)}
    hub: Hub | None = getattr(entry, "runtime_data", None)
    if hub is None:
        return told | {"state": entry.state.value}
    status = hub.status
    return told | {
        "link": _told(status, {"counts", "error"}) | {"has_error": status.error is not None},
        # Homes that send too much are named by their ids: those are left out.
        "counts": _told(status.counts, {"cut", "flooding", "refused"}),
        "refused": dict(status.counts.refused),
        "homes": dict(hub.homes.by_state),
        "quarantined": hub.care.quarantined,
        "last_audit_wrong": hub.care.wrong,
        "published_scopes": len(hub.figures.scopes) + 1,
        "bytes": await hass.async_add_executor_job(_sizes, hub),
    }


def _told(what: WorkerStatus | Counts, but: Collection[str]) -> dict[str, Any]:
    """Return the fields of a status, but for some."""
    return {one.name: getattr(what, one.name) for one in fields(what) if one.name not in but}


def _sizes(hub: Hub) -> dict[str, int] | str:
    """Return how large each file is; blocks."""
    try:
        return {path.name: path.stat().st_size for path in sorted(hub.folder.glob("*.db*"))}
    except OSError as err:
        return type(err).__name__
