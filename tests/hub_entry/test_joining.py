"""The forms by which a hub joins a larger one: a home's steps, in words of a hub's own."""

import re
from typing import Any

from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER
from homeassistant.data_entry_flow import FlowResultType
import pytest

from custom_components.carbon_meter.community.member.schedule import Pace
from custom_components.carbon_meter.community.member.status import MemberState
from custom_components.carbon_meter.flows.membership_of_hub import (
    _NEUTRAL,
    HubMembershipSubentryFlow,
)
from custom_components.carbon_meter.hub_entry.hub import Hub
from custom_components.carbon_meter.membership.membership import DATA_PACE
from tests.contract.test_translations import CHINESE, ENGLISH, leaves
from tests.hub_entry.test_upward import district, joined_by_the_form, used
from tests.hub_entry.village import Village, last_hours
from tests.metering.json.broker import needs_mosquitto

PLACEHOLDER = re.compile(r"{(\w+)}")
HOME = ("your home", "my home", "您家", "您的家", "我家")
TEXTS = {
    language: texts["config_subentries"]["membership"]
    for language, texts in (("en", ENGLISH), ("zh-Hans", CHINESE))
}


@pytest.mark.parametrize("language", TEXTS)
def test_every_text_of_a_home_has_its_like_for_a_hub(language: str) -> None:
    texts = TEXTS[language]
    steps = texts["step"]
    assert {step for step in steps if step.startswith("hub_")} == {
        f"hub_{step}" for step in steps if not step.startswith("hub_")
    }
    for name, step in steps.items():
        if name.startswith("hub_"):
            assert hasattr(HubMembershipSubentryFlow, f"async_step_{name}")
            like = dict(leaves(steps[name.removeprefix("hub_")]))
            assert set(like) == set(dict(leaves(step))), name
    reasons = {reason for reason in texts["abort"] if not reason.startswith("hub_")}
    assert {reason for reason in texts["abort"] if reason.startswith("hub_")} == {
        f"hub_{reason}" for reason in {*reasons, "own_community"} - _NEUTRAL
    }


@pytest.mark.parametrize("language", TEXTS)
def test_hub_is_called_no_home(language: str) -> None:
    texts = TEXTS[language]
    shown = {
        where: text
        for where, text in leaves(texts)
        if where[0] in {"error", "progress"}
        or where[-1].startswith("hub")
        or any(part.startswith("hub_") or part in _NEUTRAL for part in where)
    }
    everything = ENGLISH if language == "en" else CHINESE
    selector = everything["selector"]
    for key in (
        "hub_member_level",
        "hub_member_level_own_broker",
        "hub_member_period",
        "hub_membership_state",
    ):
        shown |= {(key, *where): text for where, text in leaves(selector[key])}
    shown |= dict(leaves({one: text for one, text in everything["issues"].items() if _ours(one)}))
    shown |= dict(leaves(everything["entity"]["sensor"]["hub_membership_state"]))
    assert len(shown) > 50
    for where, text in shown.items():
        assert not any(word in text.lower() for word in HOME), where


@pytest.mark.parametrize("texts", [ENGLISH, CHINESE], ids=TEXTS)
def test_every_issue_and_state_of_a_home_has_its_like_for_a_hub(texts: dict[str, Any]) -> None:
    issues = texts["issues"]
    of_homes = {key for key in issues if key.startswith("membership_")}
    assert {key for key in issues if _ours(key)} == {f"hub_{key}" for key in of_homes}
    for key in of_homes:
        for where, text in leaves(issues[key]):
            like = issues[f"hub_{key}"][where[-1]]
            assert set(PLACEHOLDER.findall(text)) == set(PLACEHOLDER.findall(like)), key
    states = texts["selector"]["hub_membership_state"]["options"]
    assert set(states) == {*MemberState}
    assert states == texts["entity"]["sensor"]["hub_membership_state"]["state"]


def _ours(key: str) -> bool:
    """Return whether an issue is that of a hub as a member."""
    return key.startswith("hub_membership_")


@needs_mosquitto
async def test_own_community_cannot_be_joined(village: Village) -> None:
    hub = await village.open()
    (file,) = await hub.homes.async_invite(1)
    form = await _begun(village, SOURCE_USER)
    assert form["step_id"] == "hub_user"
    form = await _sent(village, form, {"invitation": file.text})
    assert (form["type"], form["reason"]) == (FlowResultType.ABORT, "hub_own_community")
    assert form["description_placeholders"] == {"community": "Linden street"}


@needs_mosquitto
async def test_member_is_asked_in_words_of_a_hub(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    village.hass.data[DATA_PACE] = Pace(spread=0, first=0.0)
    larger = await district(village)
    top: Hub = larger.runtime_data
    await village.open()
    (file,) = await top.homes.async_invite(1)
    form = await _begun(village, SOURCE_USER)
    form = await _sent(village, form, {"invitation": file.text})
    assert form["reason"] == "hub_nothing_to_tell"
    homes = await village.invite(20)
    await village.tell(homes, last_hours(2), used)
    await village.publish()
    await joined_by_the_form(village, top, monkeypatch)
    (subentry,) = village.entry.subentries.values()
    member = {"subentry_id": subentry.subentry_id}
    menu = await _begun(village, SOURCE_RECONFIGURE, **member)
    assert menu["step_id"] == "hub_reconfigure"
    form = await _sent(village, menu, {"next_step_id": "outgoing"})
    assert form["step_id"] == "hub_outgoing"
    assert (await _sent(village, form, {}))["step_id"] == "hub_outgoing"
    menu = await _begun(village, SOURCE_RECONFIGURE, **member)
    form = await _sent(village, menu, {"next_step_id": "change"})
    assert form["step_id"] == "hub_change"
    level = next(field for key, field in form["data_schema"].schema.items() if str(key) == "level")
    assert level.config["translation_key"] == "hub_member_level_own_broker"
    choices = {"level": "pseudonym", "duration": "day", "flows": ["grid_import"]}
    form = await _sent(village, form, choices)
    assert form["step_id"] == "hub_consent"
    assert "added up in this hub" in form["description_placeholders"]["period"]
    form = await _sent(village, form, {"agreed": True})
    assert form["reason"] == "hub_consent_changed"
    # The hub is set up anew with what was agreed to.
    await village.hass.async_block_till_done()
    menu = await _begun(village, SOURCE_RECONFIGURE, **member)
    form = await _sent(village, menu, {"next_step_id": "withdraw"})
    assert form["step_id"] == "hub_withdraw"
    form = await _sent(village, form, {"confirm": False})
    assert (form["step_id"], form["errors"]) == ("hub_withdraw", {"confirm": "not_confirmed"})
    for entry in (village.entry, larger):
        assert await village.hass.config_entries.async_unload(entry.entry_id)


async def _begun(village: Village, source: str, **context: Any) -> dict[str, Any]:
    """Open a form of the membership."""
    return await village.hass.config_entries.subentries.async_init(
        (village.entry.entry_id, "membership"), context={"source": source, **context}
    )


async def _sent(
    village: Village, form: dict[str, Any], user_input: dict[str, Any]
) -> dict[str, Any]:
    """Send a form."""
    return await village.hass.config_entries.subentries.async_configure(form["flow_id"], user_input)
