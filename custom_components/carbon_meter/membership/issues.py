"""What is wrong with a membership and can be put right by somebody: repair issues."""

from collections.abc import Mapping
from typing import Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..community.member.status import MemberState, Status
from ..const import DOMAIN
from .keys import CONF_COMMUNITY, CONF_COMMUNITY_NAME

_ISSUES: Final[Mapping[MemberState, str]] = {
    MemberState.EXPIRED: "membership_expired",
    MemberState.NOT_AUTHORIZED: "membership_not_authorized",
    MemberState.NOT_TRUSTED: "membership_not_trusted",
    MemberState.CLOCK: "membership_clock",
    MemberState.UPDATE_NEEDED: "membership_update_needed",
    MemberState.STORE: "membership_store",
}
"""States that do not pass by themselves."""


def issue_of(entry_id: str, community: str) -> str:
    """Return the id of the repair issue of a membership."""
    return f"membership_{entry_id}_{community}"


class MembershipIssues:
    """The one repair issue of a membership: what its state needs somebody for."""

    def __init__(self, hass: HomeAssistant, entry_id: str, subentry: ConfigSubentry) -> None:
        """Take the membership."""
        self._hass = hass
        self._id = issue_of(entry_id, subentry.data[CONF_COMMUNITY])
        self._clock_id = f"{self._id}_clock"
        self._name: str = subentry.data[CONF_COMMUNITY_NAME]
        self._told: str | None = None

    @callback
    def follow(self, status: Status) -> None:
        """Tell what a state needs; take it back when it is over."""
        key = _ISSUES.get(status.state)
        if key is None:
            self.clear()
        else:
            self._tell(key, status.error or "-")

    @callback
    def unusable(self, error: str) -> None:
        """Tell that the files cannot be used."""
        self._tell("membership_unusable", error)

    @callback
    def follow_clock(self, is_synced: bool | None) -> None:  # what the clock says
        """Tell that no time server keeps the clock; where nobody can tell nothing is said."""
        if is_synced is not False:
            ir.async_delete_issue(self._hass, DOMAIN, self._clock_id)
            return
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._clock_id,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key="membership_unsynced",
            translation_placeholders={"community": self._name},
        )

    @callback
    def stop(self) -> None:
        """There is nobody who would know any more."""
        self.clear()
        ir.async_delete_issue(self._hass, DOMAIN, self._clock_id)

    @callback
    def clear(self) -> None:
        """There is nothing wrong any more."""
        self._told = None
        ir.async_delete_issue(self._hass, DOMAIN, self._id)

    def _tell(self, key: str, error: str) -> None:
        if key == self._told:
            return
        self._told = key
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._id,
            is_fixable=False,
            severity=ir.IssueSeverity.ERROR,
            translation_key=key,
            translation_placeholders={"community": self._name, "error": error},
        )
