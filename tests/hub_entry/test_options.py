"""What an operator does in the options: invite, list, move, remove, set the rules."""

from dataclasses import replace
import json
from pathlib import Path
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import ServiceValidationError
import pytest

from custom_components.carbon_meter.community.authority.invitation import read_invitation
from custom_components.carbon_meter.community.contract.message import Flow, Kind
from custom_components.carbon_meter.community.hub.registry import State
from custom_components.carbon_meter.community.ledger.calendar import Grain
from custom_components.carbon_meter.community.privacy.rules import PILOT, PUBLIC, STANDARD, Rules
from custom_components.carbon_meter.hub_entry.settings import asks_of, rules_of
from tests.hub_entry.village import HOUR, Village, last_hours
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
    # Without a target the page takes it for one of its own, and leaves the form.
    assert 'target="_blank"' in link
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
    assert "1 to 64 characters" in result["description_placeholders"]["error"]
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
    assert "joined" in result["description_placeholders"]["home"]
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


async def test_a_home_is_invited_again(village: Village) -> None:
    hub = await village.open()
    options = Options(village)
    (home,) = await village.invite(1, feeder="North")
    await village.until(lambda: hub.status.counts.consents == 1)
    await hub.homes.async_refresh()
    assert hub.homes.waiting == 0
    result = await options.begin("hub_homes")
    result = await options.go(result, {"home": home})
    assert result["menu_options"] == ["hub_reinvite", "hub_move", "hub_remove"]
    result = await options.go(result, {"next_step_id": "hub_reinvite"})
    assert home in result["description_placeholders"]["home"]
    result = await options.go(result, {})
    assert result["step_id"] == "hub_invited"
    fields = {str(key): key for key in result["data_schema"].schema}
    invitation = read_invitation(fields["text"].default(), 0)
    assert invitation.home == home
    # The file waits until the home has used it, and the home is where it was.
    folder = Path(result["description_placeholders"]["folder"])
    path = folder / f"{home}.json"
    assert await village.hass.async_add_executor_job(path.exists)
    (found,) = await hub.homes.async_homes()
    assert (found.state, found.feeder) == ("enrolled", "North")
    assert found.as_dict()["invited_until"] is not None
    assert hub.homes.waiting == 1
    await hub.async_remove_home(home)
    assert not await village.hass.async_add_executor_job(path.exists)


async def test_what_is_refused_is_told_in_the_language_of_home_assistant(village: Village) -> None:
    hub = await village.open()
    (home,) = await village.invite(1, feeder="North")
    await village.until(lambda: hub.status.counts.consents == 1)
    village.hass.config.language = "zh-Hans"
    options = Options(village)
    result = await options.go(await options.begin("hub_homes"), {"home": home})
    result = await options.go(result, {"next_step_id": "hub_move"})
    fields = {str(key): key for key in result["data_schema"].schema}
    assert fields["feeder"].description == {"suggested_value": "North"}
    result = await options.go(result, {"feeder": "x" * 65, "groups": []})
    assert result["errors"] == {"base": "hub_refused_to"}
    assert "64 个字符" in result["description_placeholders"]["error"]
    # What was typed is still there, and once it was said the refusal is over.
    fields = {str(key): key for key in result["data_schema"].schema}
    assert fields["feeder"].description == {"suggested_value": "x" * 65}
    result = await options.flows.async_configure(result["flow_id"])
    assert result["errors"] == {}


async def test_home_that_is_forgotten_meanwhile_is_told(village: Village) -> None:
    hub = await village.open()
    first, second = await village.invite(2)
    await village.until(lambda: hub.status.counts.consents == 2)
    options = Options(village)
    result = await options.begin("hub_homes")
    await hub.async_remove_home(first)
    result = await options.go(result, {"home": first})
    assert (result["step_id"], result["errors"]) == ("hub_homes", {"home": "hub_home_gone"})
    result = await options.go(result, {"home": second})
    # It is removed while somebody looks at it.
    result = await options.go(result, {"next_step_id": "hub_reinvite"})
    await hub.async_remove_home(second)
    result = await options.go(result, {})
    assert result["errors"] == {"base": "hub_refused_to"}
    assert second in result["description_placeholders"]["error"]


@pytest.mark.parametrize(
    ("state", "step", "menu"),
    [
        (State.LEFT, "hub_former_home", ["hub_remove"]),
        (State.WITHDRAWN, "hub_homes", None),
        (State.EXPELLED, "hub_homes", None),
    ],
)
async def test_only_what_can_be_done_is_offered(
    village: Village, state: State, step: str, menu: list[str] | None
) -> None:
    hub = await village.open()
    (home,) = await village.invite(1)
    await village.until(lambda: hub.status.counts.consents == 1)
    registry = hub.opened.desk._registry
    known = registry.home(home)
    assert known is not None
    with registry.changing():
        registry.put(replace(known, state=state))
    options = Options(village)
    result = await options.go(await options.begin("hub_homes"), {"home": home})
    assert (result["step_id"], result.get("menu_options")) == (step, menu)


def told_by(village: Village, home: str) -> bool:
    """Return whether the ledger has anything of a home; reads files."""
    ledger = village.hub.opened.core.ledger
    return home in ledger.homes or ledger.has_told(home)


async def test_what_a_home_told_is_struck_out_only_if_that_is_asked_for(village: Village) -> None:
    await village.open()
    options, run = Options(village), village.hass.async_add_executor_job
    stays, goes = await village.invite(2)
    # Of the day on which it is removed a home counts in nothing.
    start = [hour - 24 * HOUR for hour in last_hours(1)]
    await village.tell([stays, goes], start, lambda _number, _start: {Flow.GRID_IMPORT: 500})
    for home, strikes in ((stays, False), (goes, True)):
        result = await options.go(await options.begin("hub_homes"), {"home": home})
        result = await options.go(result, {"next_step_id": "hub_remove"})
        (field,) = result["data_schema"].schema
        assert (str(field), field.default()) == ("strike_out", False)
        result = await options.go(result, {"strike_out": strikes})
        assert result["step_id"] == "hub_menu"
        assert await run(told_by, village, home) is not strikes
    ledger = village.hub.opened.core.ledger
    (cell,) = await run(ledger.cells, Grain.HOUR, start[0], start[0] + HOUR)
    assert (cell.homes, cell.sums.wh) == (1, 500)
    assert await run(ledger.recompute) == 0
    # What it tells all the same is not taken.
    await village.tell([goes], start, lambda _number, _start: {Flow.GRID_IMPORT: 700})
    assert not await run(told_by, village, goes)
    # The other one is in no list any more, and what it told can still be struck out.
    assert stays not in {home.id for home in await village.hub.homes.async_homes()}
    await village.hub.async_remove_home(stays, strike_out=True)
    assert not await run(told_by, village, stays)
    assert await run(ledger.cells, Grain.HOUR, start[0], start[0] + HOUR) == []


async def test_amount_that_hides_the_sum_of_all_is_struck_out(village: Village) -> None:
    hub = await village.open()
    homes = await village.invite(21)
    start = last_hours(1)

    def told(number: int, _start: int) -> dict[Flow, int]:
        return {Flow.GRID_IMPORT: 1000 if number else 900_000}

    await village.tell(homes, start, told)
    await village.publish()

    def shown() -> tuple[bool, int | None]:
        (cell,) = [
            one
            for one in hub.opened.publisher.cells(Grain.HOUR, start[0], start[0] + HOUR)
            if one.key.kind is Kind.AVERAGE
        ]
        return cell.suppressed is None, getattr(cell, "wh", None)

    assert await village.hass.async_add_executor_job(shown) == (False, None)
    await hub.async_remove_home(homes[0], strike_out=True)
    await village.publish(later=25 * HOUR)
    assert await village.hass.async_add_executor_job(shown) == (True, 20_000)


@pytest.mark.parametrize("state", [State.LEFT, State.WITHDRAWN, State.EXPELLED])
async def test_home_that_is_known_but_has_gone_is_not_invited_again(
    village: Village, state: State
) -> None:
    hub = await village.open()
    (home,) = await village.invite(1)
    await village.until(lambda: hub.status.counts.consents == 1)
    await hub.homes.async_refresh()
    registry = hub.opened.desk._registry
    with registry.changing():
        registry.put(replace(registry.home(home), state=state))
    with pytest.raises(ServiceValidationError) as refusal:
        await hub.homes.async_reinvite(home)
    assert refusal.value.translation_key == "hub_not_invitable"
    assert hub.homes.waiting == 0


async def test_who_was_removed_cannot_be_invited_again(village: Village) -> None:
    hub = await village.open()
    with pytest.raises(ServiceValidationError) as refusal:
        await hub.homes.async_reinvite("hnobody")
    assert refusal.value.translation_key == "hub_unknown_home"


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
