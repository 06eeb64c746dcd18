"""Asking for another key once a provider refuses the one it got."""

import json
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.diagnostics import async_get_config_entry_diagnostics
from tests.carbon.intensity.provider_server import KEY, PASSWORD, USER, ProviderServer, saying
from tests.flows.sources import assert_told, site_with, suggested

OLD = "old-key"
NESO = {"kind": "live", "provider": "neso", "zone": "GB"}
MAPS = {"kind": "live", "provider": "electricity_maps", "zone": "FR", "key": OLD}
FINGRID = {"kind": "live", "provider": "fingrid", "zone": "FI", "key": OLD}
NED = {"kind": "live", "provider": "ned", "zone": "NL", "key": KEY}
WATTTIME = {
    "kind": "live",
    "provider": "watttime",
    "zone": "CAISO_NORTH",
    "username": USER,
    "password": "old",
}


def refusals(hass: HomeAssistant) -> list[Any]:
    """Return the flows that ask for a key."""
    flows = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    return [flow for flow in flows if flow["context"]["source"] == "reauth"]


async def begun(
    hass: HomeAssistant, options: dict[str, Any], named: dict[str, Any] | None = None
) -> tuple[MockConfigEntry, Any]:
    """Return a site that is not loaded, and the flow as it has begun."""
    entry = await site_with(hass, options, load=False)
    return entry, await entry.start_reauth_flow(hass, data=named)


async def answer(hass: HomeAssistant, form: Any, **fields: str) -> Any:
    result = await hass.config_entries.flow.async_configure(form["flow_id"], fields)
    await hass.async_block_till_done(wait_background_tasks=True)
    if result["type"] is FlowResultType.FORM:
        assert_told(result, "config")
    return result


def source_of(form: Any) -> str:
    name: str = form["description_placeholders"]["source"]
    return name


async def test_a_refusal_at_run_time_ends_with_a_key_that_works(
    real_time: HomeAssistant, providers: ProviderServer
) -> None:
    entry = await site_with(real_time, {"sources": [NESO, MAPS], "zone": "FR"})
    (flow,) = refusals(real_time)
    assert flow["step_id"] == "reauth_confirm"
    assert flow["context"]["title_placeholders"] == {"name": "Electricity Maps: FR"}
    form = await real_time.config_entries.flow.async_configure(flow["flow_id"], None)
    assert source_of(form) == "Electricity Maps: FR"
    assert form["description_placeholders"]["register"].endswith("portal.electricitymaps.com")

    form = await answer(real_time, form, key="another-wrong-key")
    assert form["type"] is FlowResultType.FORM
    assert form["errors"] == {"key": "provider_auth"}
    assert "another-wrong-key" not in str(form["description_placeholders"])
    providers.trouble = saying(503)
    form = await answer(real_time, form, key=KEY)
    assert form["errors"] == {"base": "provider_temporary"}
    assert entry.options["sources"][1]["key"] == OLD

    providers.trouble = None
    asked = len(providers.requests)
    result = await answer(real_time, form, key=KEY)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"
    assert entry.options == {"sources": [NESO, {**MAPS, "key": KEY}], "zone": "FR"}
    assert entry.state is ConfigEntryState.LOADED
    assert not refusals(real_time)
    # The trial, and the site that was set up anew.
    tokens = [headers.get("auth-token") for headers in providers.headers[asked:]]
    assert tokens.count(KEY) >= 2
    assert OLD not in tokens


async def test_several_sources_are_asked_for_in_turn(
    real_time: HomeAssistant, providers: ProviderServer
) -> None:
    options = {"sources": [MAPS, NED, FINGRID], "marginal": WATTTIME}
    named = {"provider": "fingrid", "zone": "FI"}
    entry, form = await begun(real_time, options, named)
    assert source_of(form) == "Fingrid: Finland"
    form = await answer(real_time, form, key=KEY)
    # Saved together at the end: a site that is set up anew ends such a flow.
    assert entry.options["sources"][2]["key"] == OLD
    assert source_of(form) == "Electricity Maps: FR"
    form = await answer(real_time, form, key=KEY)
    # What the Dutch provider has is accepted.
    assert source_of(form) == "WattTime: CAISO_NORTH"
    assert set(form["data_schema"].schema) == {"username", "password"}
    assert suggested(form, "username") == USER
    form = await answer(real_time, form, username=USER, password="wrong")
    assert form["errors"] == {"password": "provider_auth"}
    result = await answer(real_time, form, username=USER, password=PASSWORD)
    assert result["reason"] == "reauth_successful"
    assert entry.options == {
        "sources": [{**MAPS, "key": KEY}, NED, {**FINGRID, "key": KEY}],
        "marginal": {**WATTTIME, "password": PASSWORD},
    }


async def test_nobody_refuses_any_more(real_time: HomeAssistant, providers: ProviderServer) -> None:
    _, result = await begun(real_time, {"sources": [NESO, NED, {"kind": "fixed", "value": 7}]})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"


async def test_the_same_key_is_accepted_after_all(
    real_time: HomeAssistant, providers: ProviderServer
) -> None:
    named = {"provider": "ned", "zone": "NL"}
    entry, form = await begun(real_time, {"sources": [NED]}, named)
    result = await answer(real_time, form, key=KEY)
    assert result["reason"] == "reauth_successful"
    assert entry.options == {"sources": [NED]}
    # The site is set up anew: it asks again at once.
    assert entry.state is ConfigEntryState.LOADED


async def test_a_source_that_is_removed_meanwhile(
    real_time: HomeAssistant, providers: ProviderServer
) -> None:
    entry, form = await begun(real_time, {"sources": [MAPS, FINGRID]})
    assert source_of(form) == "Electricity Maps: FR"
    real_time.config_entries.async_update_entry(entry, options={"sources": []})
    result = await answer(real_time, form, key=KEY)
    assert result["reason"] == "reauth_successful"
    assert entry.options == {"sources": []}


async def test_a_source_that_makes_room_for_another_after_its_key_was_entered(
    real_time: HomeAssistant, providers: ProviderServer
) -> None:
    entry, form = await begun(real_time, {"sources": [MAPS, FINGRID]})
    form = await answer(real_time, form, key=KEY)
    assert source_of(form) == "Fingrid: Finland"
    options = {"sources": [{**FINGRID, "key": KEY}]}
    real_time.config_entries.async_update_entry(entry, options=options)
    result = await answer(real_time, form, key="yet-another")
    assert result["reason"] == "reauth_successful"
    assert entry.options == options


async def test_no_key_gets_into_diagnostics(
    real_time: HomeAssistant, providers: ProviderServer
) -> None:
    accepted = {**WATTTIME, "password": PASSWORD}
    entry = await site_with(real_time, {"sources": [NED], "marginal": accepted})
    diagnostics = await async_get_config_entry_diagnostics(real_time, entry)
    text = json.dumps(diagnostics, default=str)
    assert "Nationaal Energie Dashboard" in text
    for secret in (KEY, USER, PASSWORD):
        assert secret not in text


async def test_what_is_not_known_here_is_left_alone(
    real_time: HomeAssistant, providers: ProviderServer
) -> None:
    options = {"sources": [{"kind": "live", "provider": "closed", "zone": "X", "key": "y"}]}
    entry, result = await begun(real_time, options, {"provider": "closed", "zone": "X"})
    assert result["reason"] == "reauth_successful"
    assert entry.options == options
