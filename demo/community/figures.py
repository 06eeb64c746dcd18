"""The community's live figures, as the hub's entities show them, and a table of them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from custom_components.carbon_meter.community.ledger.calendar import Grain
from custom_components.carbon_meter.community.privacy.publish import Reason
from demo.client import HomeAssistantClient
from demo.community.homes import SimulatedHome
from demo.site import DOMAIN

GRAINS: Final = ("hour", "day", "month")
_WORDS: Final = {
    Reason.FEW: "fewer than 15 homes have told",
    Reason.DIFFERENCE: (
        "one home has more than 15 % of it, or with other figures it would show fewer than 15 homes"
    ),
    Reason.CONSENT: "not all of its homes have agreed to be shown",
}
_DAYS_ONLY: Final = (
    "no hours: in those of so few homes a single one would stand out, so days and longer are"
    " published; what is worked out by the hour is not known then"
)
_KEYS: Final = (
    *("energy", "carbon", "intensity", "homes", "expected"),
    *("cfe_score", "self_consumption", "shared_generation"),
)
_HEAD: Final = (
    *("last published", "homes", "kWh", "kg", "gCO2eq/kWh"),
    *("24/7 %", "own use %", "shared kWh"),
)
_DIGITS: Final = {
    "energy": 1,
    "carbon": 2,
    "intensity": 0,
    "cfe_score": 1,
    "self_consumption": 1,
    "shared_generation": 1,
}


@dataclass(frozen=True, kw_only=True)
class Entities:
    """Which entities show the figures."""

    title: str
    """What the community is called."""

    community: Mapping[str, str]
    """By the sensor's key."""

    parts: Mapping[str, Mapping[str, str]]
    """By the name of a feeder or group and the sensor's key."""

    def shown(self, finest: Grain) -> Iterator[str]:
        """Yield those that show a figure, or why there is none, once all is published."""
        for grain in grains(finest):
            yield self.community.get(f"{grain}_energy", "")
        for keys in self.parts.values():
            yield keys.get("energy", "")


def grains(finest: Grain) -> tuple[str, ...]:
    """Return which of the times are published."""
    return GRAINS[GRAINS.index(finest.value) :]


async def find_entities(client: HomeAssistantClient, entry_id: str) -> Entities:
    """Return the entities of a hub, told by their unique ids; parts by the name of their device."""
    devices = {device["id"]: str(device["name"]) for device in await client.devices()}
    title = ""
    community: dict[str, str] = {}
    parts: dict[str, dict[str, str]] = {}
    for entity in await client.entities(DOMAIN):
        owner, _, key = str(entity["unique_id"]).partition("_")
        if owner != entry_id or entity["disabled_by"] is not None:
            continue
        scope, _, rest = key.partition("_")
        if scope in {"feeder", "group"}:
            what = rest.rpartition("_day_")[2]
            parts.setdefault(devices[entity["device_id"]], {})[what] = entity["entity_id"]
        else:
            community[key] = entity["entity_id"]
            title = devices[entity["device_id"]]
    named = {name.removeprefix(f"{title} "): keys for name, keys in sorted(parts.items())}
    return Entities(title=title, community=community, parts=named)


async def all_there(
    client: HomeAssistantClient, entities: Entities, scopes: Iterable[str], finest: Grain
) -> bool:
    """Return whether feeders and groups have entities, and whatever is published is shown."""
    if not entities.parts.keys() >= set(scopes):
        return False
    states = {state["entity_id"]: state for state in await client.states()}
    return all(
        states.get(entity_id, {}).get("attributes", {}).get("begin") is not None
        for entity_id in entities.shown(finest)
    )


async def read_table(
    client: HomeAssistantClient,
    entities: Entities,
    homes: Iterable[SimulatedHome],
    finest: Grain,
) -> list[str]:
    """Return the lines of the table as it is now."""
    states = {state["entity_id"]: state for state in await client.states()}
    rows = [list(_HEAD)]
    for grain in grains(finest):
        keys = {key: entities.community.get(f"{grain}_{key}", "") for key in _KEYS}
        rows.append([grain, *_row(states, keys)])
    for name, found in entities.parts.items():
        rows.append([f"day, {name}", *_row(states, found)])
    notes = [f"({reason}): {words}" for reason, words in _WORDS.items() if _has(rows, reason)]
    if finest is not Grain.HOUR:
        notes.append(_DAYS_ONLY)
    link = states.get(entities.community.get("link", ""), {})
    taken = link.get("attributes", {}).get("messages", "-")
    refused = states.get(entities.community.get("refused", ""), {}).get("state", "-")
    return [
        *_aligned(rows),
        "",
        *notes,
        f"hub: {link.get('state', '-')}, {taken} messages since its start, {refused} refused ever",
        f"homes: {described(homes)}",
    ]


def described(homes: Iterable[SimulatedHome]) -> str:
    """Return how many homes play what, and how many messages they still have to tell."""
    homes = list(homes)
    parts = Counter(home.part.value for home in homes)
    waiting = sum(home.waiting for home in homes)
    words = ", ".join(f"{count} {part}" for part, count in parts.most_common())
    online = sum(home.is_online for home in homes)
    return f"{words}; {online} online, {waiting} messages on their way"


def _row(states: Mapping[str, Mapping[str, Any]], keys: Mapping[str, str]) -> list[str]:
    """Return the cells of one period; what may not be shown says why."""
    energy = states.get(keys.get("energy", ""), {})
    homes, expected = (_number(states, keys.get(key), 0) for key in ("homes", "expected"))
    count = homes if expected == "-" else f"{homes} of {expected}"
    reason = energy.get("attributes", {}).get("suppressed")
    shown = [_number(states, keys.get(key), digits) for key, digits in _DIGITS.items()]
    if reason is not None:
        shown[0] = f"({reason})"
    return [count, *shown]


def _has(rows: Iterable[Sequence[str]], reason: str) -> bool:
    """Return whether something is hidden for a reason."""
    return any(f"({reason})" in row for row in rows)


def _number(states: Mapping[str, Mapping[str, Any]], entity_id: str | None, digits: int) -> str:
    try:
        return f"{float(states[entity_id or '']['state']):.{digits}f}"
    except KeyError, ValueError:
        return "-"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows in columns, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
