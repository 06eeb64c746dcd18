"""Diagnostics of a hub go into public bug reports: they name nobody, and hold no key."""

from dataclasses import replace
import json
from types import MappingProxyType

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.carbon_meter.community.hub.counts import Counts
from custom_components.carbon_meter.community.hub.status import WorkerState
from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.diagnostics import async_get_config_entry_diagnostics
from custom_components.carbon_meter.hub_entry.link import HubLink
from tests.hub_entry.village import Village
from tests.metering.json.broker import needs_mosquitto


async def test_a_hub_that_is_a_member_does_not_say_of_what(hass: HomeAssistant) -> None:
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Linden street",
        unique_id="hub:linden",
        data={
            "entry": "hub",
            "community": "linden",
            "own_broker": False,
            "time_zone": "Europe/Berlin",
            "hub_file": "PRIVATE KEY",
        },
        subentries_data=[
            ConfigSubentry(
                data=MappingProxyType(
                    {
                        "community": "district",
                        "community_name": "District of Linden",
                        "broker": "broker.example:8883",
                        "level": "clear",
                    }
                ),
                subentry_type="membership",
                title="District of Linden",
                unique_id="district",
            ).as_dict()
        ],
        minor_version=2,
    )
    entry.add_to_hass(hass)
    told = await async_get_config_entry_diagnostics(hass, entry)
    text = json.dumps(told).lower()
    for secret in ("private key", "linden", "district", "broker.example", "8883"):
        assert secret not in text, secret
    (subentry,) = told["entry"]["subentries"]
    assert subentry["data"]["level"] == "clear"
    assert told["state"] == "not_loaded"


@needs_mosquitto
async def test_homes_that_flood_and_what_was_heard_are_not_named(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = await village.open()
    counts = Counts(flooding=("hflooding",), cut=("hcut",), refused={"consent": 3}, accepted=7)
    status = replace(
        hub.status, state=WorkerState.WAITING, error="broker.example refused", counts=counts
    )
    monkeypatch.setattr(HubLink, "status", status)
    told = await async_get_config_entry_diagnostics(village.hass, village.entry)
    text = json.dumps(told)
    for secret in ("hflooding", "hcut", "broker.example"):
        assert secret not in text, secret
    assert told["link"]["has_error"] is True
    assert told["refused"] == {"consent": 3}
    assert told["counts"]["accepted"] == 7
    assert told["bytes"]["ledger.db"] > 0
