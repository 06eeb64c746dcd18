"""What an operator does in the options: invite, list, move, remove, set the rules."""

import json
from pathlib import Path
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.data_entry_flow import FlowResultType
import pytest

from custom_components.carbon_meter.community.authority.invitation import read_invitation
from custom_components.carbon_meter.community.privacy.rules import PILOT, PUBLIC, STANDARD, Rules
from custom_components.carbon_meter.hub_entry.settings import asks_of, rules_of
from tests.hub_entry.village import Village
from tests.metering.json.broker import needs_mosquitto

pytestmark = needs_mosquitto


class Options:
    """The options of a village's hub, led by the hand."""

    def __init__(self, village: Village) -> None:
        self.village = village
        self.flows = village.hass.config_entries.options

    async def begin(self, step: str) -> dict[str, Any]:
        result = await self.flows.async_init(self.village.entry.entry_id)
        assert result["type"] is FlowResultType.MENU
        return await self.go(result, {"next_step_id": step})

    async def go(self, result: dict[str, Any], user_input: dict[str, Any]) -> dict[str, Any]:
        result = await self.flows.async_configure(result["flow_id"], user_input)
        await self.village.hass.async_block_till_done()
        return result


async def test_one_home_is_invited_by_text_and_code(village: Village) -> None:
    hub = await village.open()
    options = Options(village)
    result = await options.begin("hub_invite")
    result = await options.go(result, {"count": 1, "feeder": " North ", "groups": ["Roofs"]})
    assert result["step_id"] == "hub_invited"
    fields = {str(key): key for key in result["data_schema"].schema}
    text = fields["text"].default()
    assert result["data_schema"].schema[fields["qr"]].config["data"] == text
    invitation = read_invitation(text, 0)
    assert (invitation.community, invitation.broker) == ("linden", None)
    link = result["description_placeholders"]["links"]
    assert f"/api/carbon_meter/invitation/{village.entry.entry_id}/{invitation.home}" in link
    folder = Path(result["description_placeholders"]["folder"])
    told = await village.hass.async_add_executor_job((folder / f"{invitation.home}.json").read_text)
    assert json.loads(told)["token"] == invitation.token
    # Back to the menu, and the home is in the list.
    result = await options.go(result, {})
    assert result["type"] is FlowResultType.MENU
    (home,) = await hub.homes.async_homes()
    assert (home.id, home.state) == (invitation.home, "invited")
    assert (home.feeder, home.groups) == ("North", ("Roofs",))
    assert village.state("invitations").state == "1"


async def test_several_homes_get_a_file_each(village: Village) -> None:
    hub = await village.open()
    options = Options(village)
    result = await options.begin("hub_invite")
    result = await options.go(result, {"count": 3, "groups": []})
    assert len(result["description_placeholders"]["links"].splitlines()) == 3
    assert not result["data_schema"].schema
    assert hub.homes.waiting == 3


async def test_name_that_nobody_can_read_is_refused(village: Village) -> None:
    await village.open()
    options = Options(village)
    result = await options.begin("hub_invite")
    result = await options.go(result, {"count": 1, "feeder": "x" * 65, "groups": []})
    assert result["errors"] == {"base": "hub_refused_to"}
    result = await options.go(result, {"count": 1, "feeder": "x", "groups": []})
    assert result["step_id"] == "hub_invited"


async def test_home_is_moved_and_removed(village: Village) -> None:
    hub = await village.open()
    options = Options(village)
    result = await options.begin("hub_homes")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "hub_no_homes")
    (home,) = await village.invite(1, feeder="North")
    await village.until(lambda: hub.status.counts.consents == 1)
    result = await options.begin("hub_homes")
    result = await options.go(result, {"home": home})
    assert result["type"] is FlowResultType.MENU
    assert "enrolled" in result["description_placeholders"]["home"]
    result = await options.go(result, {"next_step_id": "hub_move"})
    result = await options.go(result, {"feeder": "South", "groups": ["Roofs"]})
    assert result["step_id"] == "hub_menu"
    (found,) = await hub.homes.async_homes()
    assert (found.feeder, found.groups) == ("South", ("Roofs",))
    assert await hub.homes.async_names() == (("South",), ("Roofs",))
    result = await options.begin("hub_homes")
    result = await options.go(result, {"home": home})
    result = await options.go(result, {"next_step_id": "hub_remove"})
    result = await options.go(result, {})
    assert result["step_id"] == "hub_menu"
    assert await hub.homes.async_homes() == ()


@pytest.mark.parametrize(
    ("chosen", "rules"), [("standard", STANDARD), ("public", PUBLIC), ("pilot", PILOT)]
)
async def test_preset_is_taken(village: Village, chosen: str, rules: Rules) -> None:
    await village.open()
    options = Options(village)
    result = await options.begin("hub_rules")
    result = await options.go(result, {"rules": chosen, "finest": "day"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert rules_of(village.entry.options) == rules
    assert village.entry.options["finest"] == "day"
    assert village.entry.state is ConfigEntryState.LOADED


async def test_own_rules_are_stricter_or_refused(village: Village) -> None:
    await village.open()
    options = Options(village)
    result = await options.begin("hub_rules")
    result = await options.go(result, {"rules": "own", "finest": "hour"})
    result = await options.go(result, {"k": 16, "dominance": 5})
    assert result["errors"] == {"base": "hub_rules_impossible"}
    result = await options.go(result, {"k": 30, "dominance": 5})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert rules_of(village.entry.options) == Rules(k=30, dominance=0.05)


async def test_what_is_asked_stands_in_invitations(village: Village) -> None:
    await village.open()
    options = Options(village)
    result = await options.begin("hub_asks")
    asked = {"level": "clear", "duration": "86400", "flows": ["grid_import", "gas"]}
    result = await options.go(result, asked)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    asks = asks_of(village.entry.options)
    assert (asks.level, asks.duration, asks.flows) == ("clear", 86400, ("grid_import", "gas"))
    (file,) = await village.hub.homes.async_invite(1)
    invitation = read_invitation(file.text, 0)
    assert (invitation.level, invitation.duration) == ("clear", 86400)
    assert invitation.flows == ("grid_import", "gas")


async def test_pilot_has_no_hub_file_and_a_hub_that_is_down_no_homes(village: Village) -> None:
    await village.open()
    result = await village.hass.config_entries.options.async_init(village.entry.entry_id)
    assert "hub_file" not in result["menu_options"]
    await village.unload()
    for step in ("hub_invite", "hub_homes"):
        result = await Options(village).begin(step)
        assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "hub_not_loaded")
