"""What is wrong with a membership is told as what it is, and taken back when it is over."""

from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.carbon_meter.community.contract.message import Flow, Level
from custom_components.carbon_meter.community.member.agreed import Agreed
from custom_components.carbon_meter.community.member.status import MemberState, Status
from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.membership.issues import MembershipIssues, words_for
from tests.contract.test_translations import ENGLISH

AGREED = Agreed(text="t@1", level=Level.PSEUDONYM, duration=3600, flows=(Flow.PV,))
PASSING = {
    MemberState.STARTING,
    MemberState.CONNECTED,
    MemberState.WAITING,
    MemberState.NOBODY_LISTENS,
    MemberState.REFUSED,
    MemberState.WITHDRAWING,
    MemberState.WITHDRAWN,
}


SUBENTRY = ConfigSubentry(
    data={"community": "c1", "community_name": "Sunny Street"},
    subentry_type="membership",
    title="Sunny Street",
    unique_id="c1",
)


@pytest.fixture
def issues(hass: HomeAssistant) -> MembershipIssues:
    return MembershipIssues(hass, "entry", SUBENTRY)


def status(state: MemberState, **changes: Any) -> Status:
    told = {"since": 0.0, "home": "h1", "homes": ("h1", "h2"), "agreed": AGREED, "refusals": {}}
    return Status(state=state, **told | changes)


def told(hass: HomeAssistant) -> dict[str, ir.IssueEntry]:
    """Return the repair issues by their key."""
    return {str(one.translation_key): one for one in ir.async_get(hass).issues.values()}


@pytest.mark.parametrize(
    ("state", "key"),
    [
        (MemberState.EXPIRED, "membership_expired"),
        (MemberState.NOT_AUTHORIZED, "membership_not_authorized"),
        (MemberState.NOT_TRUSTED, "membership_not_trusted"),
        (MemberState.CLOCK, "membership_clock"),
        (MemberState.UPDATE_NEEDED, "membership_update_needed"),
        (MemberState.STORE, "membership_store"),
        (MemberState.UNCONFIRMED, "membership_not_withdrawn"),
    ],
)
def test_what_does_not_pass_by_itself_is_told(
    hass: HomeAssistant, issues: MembershipIssues, state: MemberState, key: str
) -> None:
    issues.follow(status(state, error="why"))
    assert set(told(hass)) == {key}
    issue = told(hass)[key]
    assert issue.severity is ir.IssueSeverity.ERROR
    assert issue.domain == DOMAIN
    assert issue.translation_placeholders == {
        "community": "Sunny Street",
        "error": "why",
        "home": "h1",
        "homes": "h1, h2",
    }
    issues.follow(status(MemberState.CONNECTED))
    assert told(hass) == {}
    # It can come back.
    issues.follow(status(state))
    assert set(told(hass)) == {key}
    issues.stop()
    assert told(hass) == {}


def test_what_passes_by_itself_is_not_told(hass: HomeAssistant, issues: MembershipIssues) -> None:
    for state in PASSING:
        issues.follow(status(state, error="why"))
        assert told(hass) == {}, state


def test_one_trouble_takes_the_place_of_another(
    hass: HomeAssistant, issues: MembershipIssues
) -> None:
    issues.follow(status(MemberState.EXPIRED))
    issues.follow(status(MemberState.STORE, homes=()))
    assert set(told(hass)) == {"membership_store"}
    assert told(hass)["membership_store"].translation_placeholders["homes"] == "?"


def test_a_withdrawal_that_the_hub_does_not_take_is_told(
    hass: HomeAssistant, issues: MembershipIssues
) -> None:
    refused = ("consent", "an earlier one")
    # What was refused before somebody left is another matter.
    issues.follow(status(MemberState.CONNECTED, last_refusal=refused))
    assert told(hass) == {}
    issues.follow(status(MemberState.WITHDRAWING, last_refusal=refused, error="no"))
    assert set(told(hass)) == {"membership_withdrawal_refused"}
    issues.follow(status(MemberState.WITHDRAWN, last_refusal=refused))
    assert told(hass) == {}


def test_a_clock_that_nobody_keeps_is_told(hass: HomeAssistant, issues: MembershipIssues) -> None:
    issues.follow_clock(None)
    assert told(hass) == {}
    issues.follow_clock(False)
    issues.follow(status(MemberState.CONNECTED))
    assert set(told(hass)) == {"membership_unsynced"}
    assert told(hass)["membership_unsynced"].severity is ir.IssueSeverity.WARNING
    issues.follow_clock(True)
    assert told(hass) == {}
    issues.follow_clock(False)
    issues.stop()
    assert told(hass) == {}


def test_files_that_cannot_be_used_are_told(hass: HomeAssistant, issues: MembershipIssues) -> None:
    issues.unusable("damaged")
    assert set(told(hass)) == {"membership_unusable"}
    assert told(hass)["membership_unusable"].translation_placeholders["error"] == "damaged"


@pytest.mark.parametrize("is_hub", [False, True])
def test_a_hub_is_told_in_words_of_a_hub(hass: HomeAssistant, is_hub: bool) -> None:
    issues = MembershipIssues(hass, "entry", SUBENTRY, is_hub=is_hub)
    refused = ("consent", "an earlier one")
    seen = set()
    for state in MemberState:
        issues.follow(status(state, last_refusal=refused))
        seen |= set(told(hass))
    issues.follow(status(MemberState.CONNECTED, dropped=3))
    issues.follow_clock(False)
    seen |= set(told(hass))
    issues.unusable("damaged")
    seen |= set(told(hass))
    # Two more are told of those that are removed.
    removed = {"membership_leaving", "membership_left_behind"}
    keys = {key for key in ENGLISH["issues"] if key.startswith("membership_")} - removed
    assert seen == {words_for(key, is_hub=is_hub) for key in keys}
    assert {key for key in seen if key.startswith("hub_")} == (seen if is_hub else set())
    issues.stop()
    assert told(hass) == {}
