"""The forms of a membership: every way in which joining can fail says what to do."""

from dataclasses import replace
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.carbon_meter.community.authority.invitation import Invitation
from custom_components.carbon_meter.community.authority.reasons import Reason
from custom_components.carbon_meter.community.contract.message import Flow, Level
from custom_components.carbon_meter.community.hub.dynsec import DynsecControl
from custom_components.carbon_meter.community.member.errors import EnrolmentReason
from custom_components.carbon_meter.community.member.status import MemberState
from custom_components.carbon_meter.flows import membership as flow_of_membership
from custom_components.carbon_meter.flows.membership_forms import Wanted, level_key, period_key
from custom_components.carbon_meter.membership.files import member_folder
from custom_components.carbon_meter.membership.issues import MembershipIssues
from custom_components.carbon_meter.membership.words import WORDS, present, words
from tests.common import SiteUnderTest
from tests.community.broker import needs_broker
from tests.contract.test_translations import CHINESE, ENGLISH
from tests.membership.hub import COMMUNITY, NAME, HubUnderTest
from tests.membership.joining import (
    HOUR,
    agree,
    begin,
    changing,
    go_on,
    join,
    lived,
    only,
    opened,
    reconfigure,
    until,
)

pytestmark = pytest.mark.usefixtures("at_once")

OWN = Invitation(
    community=COMMUNITY,
    name=NAME,
    home="habcdefghijkl",
    token="t" * 22,
    broker=None,
    authorities="",
    level=Level.CLEAR,
    duration=3600,
    flows=(Flow.GRID_IMPORT, Flow.GAS),
    expires=2**40,
)

WANTED = [
    Wanted(
        community=COMMUNITY,
        name=NAME,
        home="h",
        level=Level.CLEAR,
        shortest=3600,
        flows=(),
        own_broker=own_broker,
        is_hub=is_hub,
    )
    for is_hub in (False, True)
    for own_broker in (False, True)
]


async def given(site: SiteUnderTest, text: str) -> dict[str, Any]:
    """Give a text in the place of an invitation."""
    return await go_on(site, await begin(site), {"invitation": text})


async def test_an_invitation_that_cannot_be_read_says_why(site: SiteUnderTest) -> None:
    await opened(site)
    form = await begin(site)
    for text, error in (
        ("", {"base": "invitation_missing"}),
        ("hello", {"invitation": "invitation_another_file"}),
        (OWN.as_text()[:-9], {"invitation": "invitation_damaged"}),
        (
            json.dumps(json.loads(OWN.as_json()) | {"v": 2}),
            {"invitation": "invitation_other_version"},
        ),
    ):
        form = await go_on(site, form, {"invitation": text} if text else {})
        assert form["errors"] == error
    form = await go_on(site, form, {"invitation": replace(OWN, expires=1).as_text()})
    assert form["errors"] == {"invitation": "invitation_expired"}
    assert {f"invitation_{reason}" for reason in Reason} | {"invitation_missing"} <= set(
        ENGLISH["config_subentries"]["membership"]["error"]
    )


async def test_an_invitation_comes_as_a_file(
    site: SiteUnderTest, hub: HubUnderTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await opened(site)
    invitation = hub.invite()
    one, other, lost = uuid4().hex, uuid4().hex, uuid4().hex
    files = {one: invitation.as_json().encode(), other: b"\xff\xfe\x00" * 1000}

    class Upload:
        """A file as Home Assistant hands it over."""

        def __init__(self, _hass: HomeAssistant, file_id: str) -> None:
            if file_id not in files:
                raise ValueError("File does not exist")
            self._path = tmp_path / file_id
            self._path.write_bytes(files[file_id])

        def __enter__(self) -> Path:
            return self._path

        def __exit__(self, *_: object) -> None:
            self._path.unlink()

    monkeypatch.setattr(
        "custom_components.carbon_meter.flows.membership_forms.process_uploaded_file", Upload
    )
    form = await begin(site)
    for file_id in (other, lost):
        form = await go_on(site, form, {"invitation_file": file_id})
        assert form["errors"] == {"invitation_file": "invitation_another_file"}
    form = await go_on(site, form, {"invitation_file": one})
    assert form["step_id"] == "choices"
    shown = form["description_placeholders"]
    assert shown["community"] == NAME
    assert shown["broker"] == f"127.0.0.1:{hub.broker.port}"


async def test_a_site_that_is_not_loaded_cannot_join(site: SiteUnderTest) -> None:
    await opened(site)
    await site.unload()
    assert (await begin(site))["reason"] == "not_loaded"


async def test_a_pilot_without_a_broker_at_home(site: SiteUnderTest) -> None:
    await opened(site)
    form = await given(site, OWN.as_text())
    assert (form["type"], form["reason"]) == (FlowResultType.ABORT, "no_mqtt")


@needs_broker
async def test_a_community_that_wants_what_a_site_does_not_have(
    site: SiteUnderTest, hub: HubUnderTest
) -> None:
    await opened(site)
    hub.desk.terms = _terms(hub, flows=(Flow.GAS,))
    form = await given(site, hub.invite().as_text())
    assert form["reason"] == "nothing_to_tell"
    assert form["description_placeholders"] == {"community": NAME}


@needs_broker
async def test_what_is_offered_is_what_is_asked_for(site: SiteUnderTest, hub: HubUnderTest) -> None:
    await opened(site)
    hub.desk.terms = _terms(hub, level=Level.CLEAR, duration=86400)
    form = await given(site, hub.invite().as_text())
    fields = {str(key): key for key in form["data_schema"].schema}
    # A community that asks for days is told days.
    assert set(fields) == {"level", "flows"}
    assert fields["level"].default() == "pseudonym"
    form = await go_on(site, form, {"level": "clear", "flows": []})
    assert form["errors"] == {"flows": "no_flows"}
    form = await go_on(site, form, {"level": "clear", "flows": ["grid_import"]})
    assert form["description_placeholders"]["words"] == words("clear@2", "en")
    form = await go_on(site, form, {"agreed": True})
    assert form["type"] is FlowResultType.CREATE_ENTRY
    await site.settle()
    status = only(site).link.status
    assert (status.agreed.level, status.agreed.duration) == (Level.CLEAR, 86400)
    assert status.agreed.text == "clear@2"


@needs_broker
async def test_nobody_joins_twice(site: SiteUnderTest, hub: HubUnderTest) -> None:
    await opened(site)
    await join(site, hub)
    form = await given(site, hub.invite().as_text())
    assert form["reason"] == "already_member"


@needs_broker
async def test_a_used_invitation_is_told_and_a_new_one_helps(
    site: SiteUnderTest, hub: HubUnderTest
) -> None:
    await opened(site)
    used = hub.invite()
    hub.desk.expel(used.home, site.clock.now())
    form = await agree(site, used)
    assert (form["step_id"], form["errors"]) == ("failed", {"base": "join_token_refused"})
    folder = member_folder(site.hass, site.entry.entry_id, COMMUNITY)
    assert not (folder / "member.json").exists()
    form = await agree(site, hub.invite())
    assert form["type"] is FlowResultType.CREATE_ENTRY
    await site.settle()


@needs_broker
async def test_a_broker_that_is_away_is_told_and_tried_again(
    site: SiteUnderTest, hub: HubUnderTest
) -> None:
    await opened(site)
    invitation = hub.invite()
    hub.disconnect()
    hub.broker.stop()
    form = await agree(site, invitation)
    assert form["errors"] == {"base": "join_unreachable"}
    hub.broker.start()
    form = await go_on(site, form, {})
    # The hub is not there yet.
    assert form["errors"] == {"base": "join_no_answer"}
    hub.connect()
    form = await go_on(site, form, {})
    assert form["type"] is FlowResultType.CREATE_ENTRY
    await site.settle()


def test_every_failure_has_words() -> None:
    for language in (ENGLISH, CHINESE):
        texts = language["config_subentries"]["membership"]["error"]
        assert {f"join_{reason}" for reason in EnrolmentReason} <= set(texts)


@needs_broker
async def test_a_bug_does_not_end_the_flow(
    site: SiteUnderTest, hub: HubUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(site)

    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(flow_of_membership, "join", fail)
        form = await agree(site, hub.invite())
    assert form["errors"] == {"base": "join_unknown"}
    form = await go_on(site, form, {})
    assert form["type"] is FlowResultType.CREATE_ENTRY
    await site.settle()


@needs_broker
async def test_what_has_left_is_shown_word_for_word(site: SiteUnderTest, hub: HubUnderTest) -> None:
    await opened(site)
    membership = await join(site, hub)
    await lived(site, 2)
    await until(site, lambda: membership.link.status.acknowledged_at is not None)
    form = await changing(site, "outgoing")
    shown = form["description_placeholders"]
    last = next(one for one in reversed(membership.link.outgoing) if one.kind == "footprint")
    assert json.dumps(json.loads(last.payload), indent=1) in shown["messages"]
    assert "✓" in shown["messages"]
    assert shown["home"] == membership.link.status.home
    hub.disconnect()
    hub.broker.stop()
    await lived(site, 1)
    form = await go_on(site, form, {})
    assert form["step_id"] == "outgoing"
    assert "grid_import" in form["description_placeholders"]["next"]


@needs_broker
async def test_a_home_that_was_put_out_comes_back_with_a_new_invitation(
    site: SiteUnderTest, hub: HubUnderTest
) -> None:
    await opened(site)
    membership = await join(site, hub)
    hub.desk.expel(membership.link.status.home, site.clock.now())
    await until(
        site, lambda: membership.link.status.state is MemberState.NOT_AUTHORIZED, patience=60
    )
    menu = await reconfigure(site)
    assert "user" in menu["menu_options"]
    form = await go_on(site, menu, {"next_step_id": "user"})
    form = await go_on(site, form, {"invitation": hub.invite().as_text()})
    assert form["reason"] == "joined_again"
    await site.settle()
    await until(site, lambda: only(site).link.status.state is MemberState.CONNECTED)


@needs_broker
async def test_invited_again_a_home_loses_nothing(site: SiteUnderTest, hub: HubUnderTest) -> None:
    first = await opened(site)
    membership = await join(site, hub)
    home = membership.link.status.home
    # The broker has lost this home; the hub has not.
    DynsecControl(COMMUNITY, hub._publish).gone(home)
    await until(
        site, lambda: membership.link.status.state is MemberState.NOT_AUTHORIZED, patience=60
    )
    (issue,) = _told(site, "membership_not_authorized")
    assert issue.translation_placeholders["home"] == home
    end = await lived(site, 3)
    waiting = membership.link.status.waiting
    assert waiting >= 2
    # Under another name this could not be told: that is said before anything is done.
    form = await go_on(site, await reconfigure(site), {"next_step_id": "user"})
    form = await go_on(site, form, {"invitation": hub.invite().as_text()})
    assert form["step_id"] == "other_name"
    shown = form["description_placeholders"]
    assert (shown["home"], shown["waiting"]) == (home, str(waiting))
    form = await go_on(site, form, {"confirm": False})
    assert form["errors"] == {"confirm": "other_name_not_confirmed"}
    site.hass.config_entries.subentries.async_abort(form["flow_id"])
    form = await go_on(site, await reconfigure(site), {"next_step_id": "user"})
    again = hub.desk.reinvite(home, site.now())
    form = await go_on(site, form, {"invitation": again.as_text()})
    assert form["reason"] == "joined_again"
    await site.settle()
    hours = {end - count * HOUR for count in range(1, waiting + 1)}
    await until(site, lambda: {begin for begin, _ in hub.cells(first, end)} == hours)
    status = only(site).link.status
    assert (status.home, status.dropped) == (home, 0)
    assert _told(site, "membership_not_authorized") == []


@needs_broker
async def test_who_wants_another_name_gets_it(site: SiteUnderTest, hub: HubUnderTest) -> None:
    await opened(site)
    membership = await join(site, hub)
    home = membership.link.status.home
    DynsecControl(COMMUNITY, hub._publish).gone(home)
    await until(
        site, lambda: membership.link.status.state is MemberState.NOT_AUTHORIZED, patience=60
    )
    await lived(site, 2)
    form = await go_on(site, await reconfigure(site), {"next_step_id": "user"})
    form = await go_on(site, form, {"invitation": hub.invite().as_text()})
    form = await go_on(site, form, {"confirm": True})
    assert form["reason"] == "joined_again"
    await site.settle()
    assert only(site).link.status.home != home


@needs_broker
async def test_what_is_lost_is_said(site: SiteUnderTest, hub: HubUnderTest) -> None:
    await opened(site)
    membership = await join(site, hub)
    assert _told(site, "membership_lost") == []
    status = membership.link.status
    issues = MembershipIssues(site.hass, "another", membership.subentry)
    for count in (5, 5, 7):
        issues.follow(replace(status, dropped=count))
        (issue,) = _told(site, "membership_lost")
        assert issue.translation_placeholders == {"community": NAME, "count": str(count)}
    issues.stop()
    assert _told(site, "membership_lost") == []


def _told(site: SiteUnderTest, key: str) -> list[ir.IssueEntry]:
    """Return the repair issues of a kind."""
    issues = ir.async_get(site.hass).issues.values()
    return [issue for issue in issues if issue.translation_key == key]


def test_texts_name_every_state_and_choice() -> None:
    for language in (ENGLISH, CHINESE):
        selector = language["selector"]
        states = {state.value for state in MemberState}
        assert set(selector["membership_state"]["options"]) == states
        assert set(language["entity"]["sensor"]["membership_state"]["state"]) == states
        assert set(selector["membership_flow"]["options"]) == set(Flow)
        for asked in WANTED:
            assert set(selector[level_key(asked)]["options"]) == set(Level)
            assert set(selector[period_key(asked)]["options"]) == {"hour", "day"}
        aborts = language["config_subentries"]["membership"]["abort"]
        assert {"no_mqtt", "already_member", "other_community", "nothing_to_tell"} <= set(aborts)


def test_words_are_there_in_both_languages() -> None:
    shown = {
        (level, own, hub): present(level, own_broker=own, is_hub=hub)
        for level in Level
        for own in (False, True)
        for hub in (False, True)
    }
    # What somebody has agreed to before stays here, word for word.
    assert set(WORDS) - set(shown.values()) == {"pseudonym@1", "clear@1"}
    assert set(shown.values()) < set(WORDS)
    # Who leaves is told that old sums stay until enough others have changed.
    assert {text for text in WORDS if "old sums" in words(text, "en")} == set(shown.values())
    assert {text for text in WORDS if "旧合计" in words(text, "zh-Hans")} == set(shown.values())
    for text in WORDS:
        assert words(text, "zh-Hans") != words(text, "en") == words(text, "de")
    assert len({words(text, "en") for text in WORDS}) == len(WORDS)
    # A hub is no home.
    of_hubs = {text for text in WORDS if "my home" not in words(text, "en").lower()}
    assert of_hubs == {text for (_, _, hub), text in shown.items() if hub}
    assert not any("我家" in words(text, "zh-Hans") for text in of_hubs)
    # A name changes only where there are certificates.
    changing = {text for text in WORDS if "changes every month" in words(text, "en")}
    named = {shown[Level.PSEUDONYM, False, hub] for hub in (False, True)}
    assert changing == {*named, "pseudonym@1"}
    assert {text for text in WORDS if "每月更换" in words(text, "zh-Hans")} == changing
    options = {key: ENGLISH["selector"][key]["options"] for key in map(level_key, WANTED)}
    assert [key for key, of in options.items() if "changes" in of["pseudonym"]] == [
        "membership_level",
        "hub_member_level",
    ]


def _terms(hub: HubUnderTest, **changes: Any) -> Any:
    """Return the terms of a community with other wishes."""
    return replace(hub.desk.terms, **changes)
