"""What a bug report needs of memberships: how they are, and nothing of who or where."""

from dataclasses import asdict
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from .memberships import memberships_of

_NAMES: Final = frozenset({"home", "homes", "error", "last_told", "last_refusal"})
"""Parts of a status that hold names of the home, or of its community's broker."""


def membership_diagnostics(hass: HomeAssistant, entry: ConfigEntry) -> dict[str, Any]:
    """Return how the memberships of an entry are, by their subentry."""
    memberships = memberships_of(hass, entry)
    found: dict[str, Any] = {}
    for subentry_id, membership in () if memberships is None else memberships.all.items():
        link = membership.link
        if link is None:
            found[subentry_id] = None
            continue
        status = link.status
        told = {key: value for key, value in asdict(status).items() if key not in _NAMES}
        refused = status.last_refusal
        found[subentry_id] = told | {"last_refusal": None if refused is None else refused[0]}
    return found
