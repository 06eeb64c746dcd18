"""Adds the virtual home's meters to Home Assistant as a user would: through the flows."""

from collections.abc import Iterable
from typing import Any, Final

from demo.client import ClientError, HomeAssistantClient, Step
from demo.config_dir import LOOPBACK
from demo.virtual_home import VirtualMeter

DOMAIN: Final = "carbon_meter"
SITE: Final = "Demo home"

_ROLES: Final = {"grid": "grid", "solar": "solar"}
"""By the place in the household; everything else is a part of the site."""

_NAMES: Final = {"grid": "Grid", "heat_pump": "Heat pump", "solar": "Solar", "ev": "Car"}


async def add_meters(
    client: HomeAssistantClient, meters: Iterable[VirtualMeter], *, interval: int
) -> str:
    """Add each meter that the site does not have yet; return the id of the site's entry.

    Raises ClientError with the form's error when a meter is not found.
    """
    entries = await client.entries(DOMAIN)
    entry_id: str | None = entries[0]["entry_id"] if entries else None
    titles = (
        {subentry["title"] for subentry in await client.subentries(entry_id)} if entry_id else set()
    )
    for meter in meters:
        name = _NAMES.get(meter.node, meter.node)
        if name in titles:
            continue
        fields = {"name": name, "role": _ROLES.get(meter.node, "submeter"), "interval": interval}
        if entry_id is None:
            step = await _find(client, await client.start_flow(DOMAIN), meter)
            entry_id = (await _confirm(client, step, site=SITE, **fields)).entry_id
        else:
            step = await client.start_subentry_flow(entry_id, "meter")
            await _confirm(client, await _find(client, step, meter), **fields)
    if entry_id is None:
        msg = "there is no meter to add"
        raise ClientError(msg)
    return entry_id


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
