"""The hub in Home Assistant, added and asked as its operator does: by flow and action."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from custom_components.carbon_meter.community.contract.message import Flow, Kind
from demo.client import ClientError, HomeAssistantClient
from demo.site import DOMAIN

FEEDERS: Final = ("North", "South")
_MOST_AT_ONCE: Final = 50


async def add_hub(client: HomeAssistantClient, hub_file: str) -> str:
    """Add the hub by its file, if it is not there; return the id of its entry.

    Raises ClientError with the form's error when the hub cannot be added.
    """
    for entry in await client.entries(DOMAIN):
        return str(entry["entry_id"])
    step = await client.start_flow(DOMAIN)
    for choice in ("hub", "hub_file"):
        step = await client.answer(step, next_step_id=choice)
    step = await client.answer(step, text=hub_file)
    if step.type != "create_entry":
        raise ClientError(f"the hub was not added: {step.errors or step.reason or step.step_id}")
    return step.entry_id


async def invite(
    client: HomeAssistantClient, count: int, *, feeder: str, groups: Sequence[str], since: str
) -> list[str]:
    """Return the texts of so many invitations, members from the day `since` on."""
    texts: list[str] = []
    while len(texts) < count:
        answer = await client.perform(
            f"{DOMAIN}.invite_home",
            count=min(_MOST_AT_ONCE, count - len(texts)),
            feeder=feeder,
            groups=list(groups),
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
