"""The hub in Home Assistant, added and asked as its operator does: by flow and action."""

from collections.abc import Mapping
from typing import Any, Final

from custom_components.carbon_meter.community.contract.message import Flow, Kind
from custom_components.carbon_meter.community.ledger.calendar import Grain
from demo.client import ClientError, HomeAssistantClient
from demo.community.places import Place
from demo.site import DOMAIN

_MOST_AT_ONCE: Final = 50


async def add_hub(client: HomeAssistantClient, hub_file: str, finest: Grain) -> str:
    """Add the hub by its file, if it is not there; return the id of its entry.

    `finest` is the shortest time that it publishes. Raises ClientError with the form's error
    when the hub cannot be added.
    """
    for entry in await client.entries(DOMAIN):
        return str(entry["entry_id"])
    step = await client.start_flow(DOMAIN)
    for choice in ("hub", "hub_file"):
        step = await client.answer(step, next_step_id=choice)
    step = await client.answer(step, text=hub_file)
    if step.type != "create_entry":
        raise ClientError(f"the hub was not added: {step.errors or step.reason or step.step_id}")
    if finest is not Grain.HOUR:
        await _publish_from(client, step.entry_id, finest)
    return step.entry_id


async def _publish_from(client: HomeAssistantClient, entry_id: str, finest: Grain) -> None:
    """Have nothing shorter published."""
    step = await client.start_options_flow(entry_id)
    step = await client.answer(step, next_step_id="hub_rules")
    step = await client.answer(step, rules="standard", finest=finest.value)
    if step.type != "create_entry":
        raise ClientError(f"the hub did not take its rules: {step.errors or step.step_id}")
    # It reloads by itself; this comes after it, and is waited for.
    await client.reload(entry_id)


async def state_of(client: HomeAssistantClient, entry_id: str, key: str) -> str:
    """Return what one of the hub's sensors shows, nothing where it is not there."""
    for entity in await client.entities(DOMAIN):
        if entity["unique_id"] == f"{entry_id}_{key}":
            return str((await client.state(entity["entity_id"]))["state"])
    return ""


async def invite(client: HomeAssistantClient, count: int, place: Place, *, since: str) -> list[str]:
    """Return the texts of so many invitations to a place, members from the day `since` on."""
    texts: list[str] = []
    while len(texts) < count:
        answer = await client.perform(
            f"{DOMAIN}.invite_home",
            count=min(_MOST_AT_ONCE, count - len(texts)),
            feeder=place.feeder,
            groups=list(place.groups),
            since=since,
            return_response=True,
        )
        texts += [invitation["text"] for invitation in answer["invitations"]]
    return texts


async def view(  # noqa: PLR0913  # what makes a question
    client: HomeAssistantClient,
    grain: str,
    begin: str,
    end: str,
    *,
    scope: str = "community",
    name: str | None = None,
) -> Mapping[str, Any]:
    """Return what was published of a scope; begin and end are ISO 8601."""
    fields = {"grain": grain, "begin": begin, "end": end, "scope": scope}
    if name is not None:
        fields["name"] = name
    found: Mapping[str, Any] = await client.command(f"{DOMAIN}/community/view", **fields)
    return found


async def recompute(client: HomeAssistantClient) -> int:
    """Have all sums worked out again; return how many were wrong."""
    answer = await client.perform(f"{DOMAIN}.recompute_community", return_response=True)
    return int(answer["wrong"])


def flow_of(period: Mapping[str, Any], flow: Flow) -> Mapping[str, Any] | None:
    """Return the figures of a flow in a published period, None where there are none."""
    for figures in period["flows"]:
        if figures["flow"] == flow.value and figures["kind"] == Kind.AVERAGE.value:
            found: Mapping[str, Any] = figures
            return found
    return None
