"""The way through the flow to a meter of some protocol."""

import asyncio
from collections.abc import Callable
from typing import Any

from homeassistant.config_entries import SOURCE_USER, ConfigEntry, ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.coordinator import MeterCoordinator

LOOPBACK = "127.0.0.1"
SELDOM = {"role": "grid", "interval": 900}


async def asked(hass: HomeAssistant, protocol: str, address: dict[str, Any]) -> Any:
    """Return what the flow says of an address: its form again, or the one to confirm."""
    flow = hass.config_entries.flow
    result = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["type"] is FlowResultType.MENU
    result = await flow.async_configure(result["flow_id"], {"next_step_id": "protocol"})
    assert result["step_id"] == "protocol"
    result = await flow.async_configure(result["flow_id"], {"protocol": protocol})
    assert result["step_id"] == "address"
    return await flow.async_configure(result["flow_id"], address)


async def announced(hass: HomeAssistant, protocol: str, count: int) -> Any:
    """Return the form in which so many that speak stand: on a busy machine one may be late."""
    while True:
        form = await asked(hass, protocol, {"listen": 2})
        if not form["errors"] and len(models(form)) == count:
            return form
        hass.config_entries.flow.async_abort(form["flow_id"])


async def confirmed(hass: HomeAssistant, form: Any, **given: Any) -> Any:
    """Confirm what was found; return what came of it."""
    assert form["errors"] == {}, form["description_placeholders"]
    site = next((entry.entry_id for entry in sites(hass)), "Home")
    result = await hass.config_entries.flow.async_configure(
        form["flow_id"], {"site": site, **SELDOM, **given}
    )
    await hass.async_block_till_done(wait_background_tasks=False)
    return result


def models(form: Any) -> list[str]:
    """Return the choices of a form that stand for what was found."""
    for key, selector in form["data_schema"].schema.items():
        if key == "model":
            options = selector.config["options"]
            return [option["value"] for option in options if "@" in option["value"]]
    raise AssertionError("the form has no model")


def sites(hass: HomeAssistant) -> list[ConfigEntry]:
    """Return all sites."""
    return hass.config_entries.async_entries(DOMAIN)


def meters(hass: HomeAssistant) -> dict[str, MeterCoordinator]:
    """Return the meters of the one site by name."""
    (entry,) = sites(hass)
    return {meter.subentry.title: meter for meter in entry.runtime_data.meters.values()}


def site_with(*data: dict[str, Any]) -> MockConfigEntry:
    """Return the entry of a site whose meters are kept as `data`, each with its `name`."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="Home",
        subentries_data=[
            ConfigSubentryData(
                data={
                    "manufacturer": "",
                    "model": "",
                    "serial": "",
                    "role": "grid",
                    "inverted": False,
                    "power_inverted": False,
                    "interval": 10,
                    "write_interval": 10,
                    **{key: value for key, value in one.items() if key != "name"},
                },
                subentry_type="meter",
                title=one["name"],
                unique_id=one["name"],
            )
            for one in data
        ],
    )


def state(hass: HomeAssistant, meter: MeterCoordinator, key: str, domain: str = "sensor") -> str:
    """Return the state of a meter's entity."""
    unique_id = f"{meter.subentry.subentry_id}_{key}"
    entity_id = er.async_get(hass).async_get_entity_id(domain, DOMAIN, unique_id)
    assert entity_id is not None, f"no entity {key}"
    found = hass.states.get(entity_id)
    assert found is not None, f"{entity_id} has no state"
    return found.state


def issues(hass: HomeAssistant) -> set[str]:
    """Return what the repair issues are about."""
    return {
        issue.translation_key
        for (domain, _), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN and issue.translation_key
    }


async def unloaded(hass: HomeAssistant) -> None:
    """Take all sites down."""
    for entry in sites(hass):
        await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


async def until(what: Callable[[], bool], pause: float = 0.01) -> None:
    """Wait for what comes over the network; the test's own limit ends it."""
    while not what():  # noqa: ASYNC110  # nobody sets an event for it
        await asyncio.sleep(pause)
