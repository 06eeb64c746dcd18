"""Adds the virtual home's meters to Home Assistant as a user would: through the flows."""

from collections.abc import Iterable
from typing import Any, Final

from demo.client import ClientError, HomeAssistantClient, Step
from demo.config_dir import LOOPBACK
from demo.virtual_home import VirtualMeter

DOMAIN: Final = "carbon_meter"
SITE: Final = "Demo home"

NAMES: Final = {
    "grid": "Grid",
    "heat_pump": "Heat pump",
    "solar": "Solar",
    "battery": "Battery",
    "ev": "Car",
}
"""What the meters are called, by their place in the household."""

ROUND_TRIP: Final = 0.9
"""Of the virtual home's battery, as an owner reads it from the data sheet."""

_ROLES: Final = {"grid": "grid", "solar": "solar", "battery": "battery"}
"""By the place in the household; everything else is a part of the site."""

_CAPACITY: Final = 10.0
"""kWh of the battery."""


async def add_meters(
    client: HomeAssistantClient, meters: Iterable[VirtualMeter], *, interval: int
) -> str:
    """Add each meter that the site does not have yet; return the id of the site's entry.

    Raises ClientError with the form's error when a meter is not found.
    """
    entries = await client.entries(DOMAIN)
    entry_id: str | None = entries[0]["entry_id"] if entries else None
    titles = set((await client.subentries(entry_id, "meter")).values()) if entry_id else set()
    for meter in meters:
        name = NAMES.get(meter.node, meter.node)
        if name in titles:
            continue
        fields: dict[str, Any] = {
            "name": name,
            "role": _ROLES.get(meter.node, "submeter"),
            "interval": interval,
        }
        if entry_id is None:
            step = await _find(client, await client.start_flow(DOMAIN), meter)
            if any(field["name"] == "live" for field in step.raw["data_schema"]):
                fields["live"] = []  # it would be on the internet
            entry_id = (await _confirm(client, step, site=SITE, **fields)).entry_id
        else:
            step = await client.start_subentry_flow(entry_id, "meter")
            await _confirm(client, await _find(client, step, meter), **fields)
    if entry_id is None:
        msg = "there is no meter to add"
        raise ClientError(msg)
    return entry_id


async def choose_signal(client: HomeAssistantClient, entry_id: str, entity_id: str) -> None:
    """Make an entity the first source of the site's carbon intensity, if it is none yet.

    Raises ClientError with the form's error when the integration does not accept it.
    """
    options = await client.options(entry_id)
    if any(source.get("entity_id") == entity_id for source in options.get("sources", ())):
        return
    step = await client.start_options_flow(entry_id)
    for choice in ("sources", "add_source", "entity"):
        step = await client.answer(step, next_step_id=choice)
    step = await client.answer(step, entity_id=entity_id)
    if step.step_id != "reported_confirm":
        msg = f"{entity_id} was not accepted: {step.errors or step.reason}"
        raise ClientError(msg)
    step = await client.answer(await client.answer(step), next_step_id="save")
    _expect_saved(step)


async def describe_battery(client: HomeAssistantClient, entry_id: str) -> None:
    """Tell what the data sheet says of the battery, if that has not been told.

    Raises ClientError with the form's error when the integration does not accept it.
    """
    if (await client.options(entry_id)).get("batteries"):
        return
    step = await client.answer(await client.start_options_flow(entry_id), next_step_id="batteries")
    step = await client.answer(
        step,
        capacity=_CAPACITY,
        efficiency=100 * ROUND_TRIP,
        standby=0,
        costing="weighted_average",
    )
    _expect_saved(step)


def _expect_saved(step: Step) -> None:
    if step.type != "create_entry":
        msg = f"the options were not saved: {step.errors or step.reason or step.step_id}"
        raise ClientError(msg)


async def _find(client: HomeAssistantClient, step: Step, meter: VirtualMeter) -> Step:
    """Give the address; what answers is identified by the integration."""
    step = await client.answer(step, next_step_id="address")
    found = await client.answer(step, host=LOOPBACK, port=meter.port, unit=meter.unit)
    if found.step_id != "confirm":
        msg = f"{meter.name} was not found: {found.errors or found.reason}"
        raise ClientError(msg)
    return found


async def _confirm(client: HomeAssistantClient, step: Step, **fields: Any) -> Step:
    """Confirm what was found."""
    done = await client.answer(step, **fields)
    if done.type != "create_entry":
        msg = f"the meter was not added: {done.errors or done.reason}"
        raise ClientError(msg)
    return done
