"""Loads of the demo: a car, a filled dishwasher, a pump that follows a blueprint."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
import time
from typing import Any, Final

from demo.client import ClientError, HomeAssistantClient
from demo.site import DOMAIN

SUBENTRY: Final = "load"

CAR: Final = "Car charging"
DISHWASHER: Final = "Dishwasher"
PUMP: Final = "Pool pump"

_BLUEPRINT: Final = "carbon_meter/pool_pump.yaml"
_AUTOMATION: Final = "pool_pump"

_PATIENCE: Final = 30.0
"""Seconds within which a site has reloaded."""

_POLL: Final = 0.5


@dataclass(frozen=True, kw_only=True)
class LoadOfDemo:
    """What a user would fill in for a load."""

    name: str
    kind: str
    fields: Mapping[str, Any]
    sections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    device: bool = False
    """Whether an input_boolean of its name stands for what switches it."""

    meter: str | None = None
    """The meter that measures it."""


LOADS: Final = (
    LoadOfDemo(
        name=CAR,
        kind="ev",
        fields={
            "ready_by": "07:00:00",
            "control": "current",
            "most_current": 16,
            "phases": "1",
        },
        sections={"without_level": {"energy": 12, "must_energy": 6}},
        meter="Car",
    ),
    LoadOfDemo(
        name=DISHWASHER,
        kind="appliance",
        fields={"finish_by": "07:00:00"},
        sections={"run": {"learn": True, "duration": 110, "power": 700}},
        device=True,
    ),
    LoadOfDemo(
        name=PUMP,
        kind="run_time",
        fields={"power": 800, "hours": 5},
        sections={"rules": {"least_run": 30, "least_pause": 15}},
        device=True,
    ),
)


async def add_loads(client: HomeAssistantClient, entry_id: str) -> None:
    """Add each load that the site does not have yet, fill the dishwasher, let the pump follow.

    Raises ClientError with the form's error when the integration does not accept a load.
    """
    meters = {title: key for key, title in (await client.subentries(entry_id, "meter")).items()}
    known = set((await client.subentries(entry_id, SUBENTRY)).values())
    for load in LOADS:
        if load.name not in known:
            await _add(client, entry_id, load, meters)


async def _add(
    client: HomeAssistantClient, entry_id: str, load: LoadOfDemo, meters: Mapping[str, str]
) -> None:
    """Add a load through its flow."""
    fields = {"name": load.name, **load.fields, **load.sections}
    if load.device:
        fields["device"] = await plug_of(client, load.name)
    if load.meter is not None:
        fields["meter"] = meters[load.meter]
    step = await client.start_subentry_flow(entry_id, SUBENTRY)
    step = await client.answer(step, next_step_id=load.kind)
    done = await client.answer(step, **fields)
    if done.type != "create_entry":
        msg = f"the load {load.name} was not added: {done.errors or done.reason}"
        raise ClientError(msg)


async def plug_of(client: HomeAssistantClient, name: str) -> str:
    """Return what switches a load: a helper of its name, made where there is none."""
    helpers = await client.command("input_boolean/list")
    ids = {helper["name"]: helper["id"] for helper in helpers}
    if name not in ids:
        made = await client.command("input_boolean/create", name=name, icon="mdi:power-socket-eu")
        ids[name] = made["id"]
    return f"input_boolean.{ids[name]}"


async def follow_plans(client: HomeAssistantClient, loads: Mapping[str, Mapping[str, str]]) -> None:
    """Fill the dishwasher, and let the blueprint that the integration brings switch the pump.

    `loads` are the entities of the loads by name and key.
    """
    await _turn_on(client, loads[DISHWASHER]["ready"])
    await client.perform(f"{DOMAIN}.install_blueprints", return_response=True)
    await client.post(
        f"/api/config/automation/config/{_AUTOMATION}",
        {
            "alias": "Pool pump in clean hours",
            "use_blueprint": {
                "path": _BLUEPRINT,
                "input": {
                    "run_now": loads[PUMP]["run_now"],
                    "override": loads[PUMP]["override"],
                    "device": await plug_of(client, PUMP),
                    # The load's own rules keep the pump from short runs and pauses.
                    "least_on": 0,
                    "least_off": 0,
                },
            },
        },
    )


async def _turn_on(client: HomeAssistantClient, switch: str) -> None:
    """Turn a switch on; while its site reloads, Home Assistant leaves out what it is asked.

    Raises ClientError when it stays off.
    """
    give_up = time.monotonic() + _PATIENCE
    while True:
        await client.perform("switch.turn_on", target={"entity_id": switch})
        if (await client.state(switch))["state"] == "on":
            return
        if time.monotonic() > give_up:
            msg = f"{switch} does not turn on"
            raise ClientError(msg)
        await asyncio.sleep(_POLL)
