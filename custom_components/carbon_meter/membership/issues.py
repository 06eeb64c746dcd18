"""What is wrong with a membership and can be put right by somebody: repair issues."""

from collections.abc import Mapping, Sequence
from typing import Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant, callback

from ..community.member.status import MemberState, Status
from ..repair_issue import RepairIssue
from .keys import CONF_COMMUNITY, CONF_COMMUNITY_NAME

_ISSUES: Final[Mapping[MemberState, str]] = {
    MemberState.EXPIRED: "membership_expired",
    MemberState.NOT_AUTHORIZED: "membership_not_authorized",
    MemberState.NOT_TRUSTED: "membership_not_trusted",
    MemberState.CLOCK: "membership_clock",
    MemberState.UPDATE_NEEDED: "membership_update_needed",
    MemberState.STORE: "membership_store",
    MemberState.UNCONFIRMED: "membership_not_withdrawn",
}
"""States that do not pass by themselves."""

_LOST: Final = "membership_lost"

_UNSYNCED: Final = "membership_unsynced"

_UNUSABLE: Final = "membership_unusable"

_WITHDRAWAL_REFUSED: Final = "membership_withdrawal_refused"


def issue_of(entry_id: str, community: str) -> str:
    """Return the id of the repair issue of a membership."""
    return f"membership_{entry_id}_{community}"


def words_for(key: str, *, is_hub: bool) -> str:
    """Return the key of the texts of an issue: a hub that is a member has words of its own."""
    return f"hub_{key}" if is_hub else key


class MembershipIssues:
    """The one repair issue of a membership: what its state needs somebody for."""

    def __init__(
        self, hass: HomeAssistant, entry_id: str, subentry: ConfigSubentry, *, is_hub: bool = False
    ) -> None:
        """Take the membership; `is_hub` for that of a hub."""
        self._issue_id = issue_of(entry_id, subentry.data[CONF_COMMUNITY])
        self._issue = RepairIssue(hass, self._issue_id)
        self._clock = RepairIssue(hass, f"{self._issue_id}_clock", warns=True)
        self._hass = hass
        self._is_hub = is_hub
        self._lost: tuple[int, RepairIssue] | None = None
        self._name: str = subentry.data[CONF_COMMUNITY_NAME]
        self._told: str | None = None

    @callback
    def follow(self, status: Status) -> None:
        """Tell what a state needs and what is lost; take it back when it is over."""
        self._follow_lost(status.dropped)
        is_refused = status.state is MemberState.WITHDRAWING and status.last_refusal is not None
        key = _WITHDRAWAL_REFUSED if is_refused else _ISSUES.get(status.state)
        if key is None:
            self.clear()
        else:
            self._tell(key, status.error or "-", status.homes, status.home)

    @callback
    def unusable(self, error: str) -> None:
        """Tell that the files cannot be used."""
        self._tell(_UNUSABLE, error)

    @callback
    def follow_clock(self, is_synced: bool | None) -> None:  # what the clock says
        """Tell that no time server keeps the clock; where nobody can tell nothing is said."""
        if is_synced is not False:
            self._clock.clear()
        else:
            self._clock.tell(self._words(_UNSYNCED), {"community": self._name})

    @callback
    def stop(self) -> None:
        """There is nobody who would know any more."""
        self.clear()
        self._clock.clear()
        self._follow_lost(0)

    @callback
    def clear(self) -> None:
        """There is nothing wrong any more."""
        self._told = None
        self._issue.clear()

    @callback
    def _follow_lost(self, count: int) -> None:
        """Tell how many periods are lost; who has ignored that is told when more are."""
        if count == (0 if self._lost is None else self._lost[0]):
            return
        if self._lost is not None:
            self._lost[1].clear()
            self._lost = None
        if count:
            issue = RepairIssue(self._hass, f"{self._issue_id}_lost_{count}", warns=True)
            issue.tell(self._words(_LOST), {"community": self._name, "count": str(count)})
            self._lost = count, issue

    def _tell(self, key: str, error: str, homes: Sequence[str] = (), home: str = "?") -> None:
        if key == self._told:
            return
        self._told = key
        told = {
            "community": self._name,
            "error": error,
            "home": home,
            "homes": ", ".join(homes) or "?",
        }
        self._issue.tell(self._words(key), told)

    def _words(self, key: str) -> str:
        return words_for(key, is_hub=self._is_hub)
