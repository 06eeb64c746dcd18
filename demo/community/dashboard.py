"""A dashboard of the community, made of Home Assistant's own cards."""

from collections.abc import Sequence
from typing import Any, Final

from demo.client import HomeAssistantClient
from demo.community.figures import Entities

PATH: Final = "carbon-community"

type Card = dict[str, Any]

_TILES: Final = (
    ("energy", "Energy from the grid", "mdi:transmission-tower"),
    ("carbon", "Carbon", "mdi:molecule-co2"),
    ("intensity", "Intensity", "mdi:speedometer"),
    ("cfe_score", "Carbon-free, hour by hour", "mdi:clock-check"),
    ("self_consumption", "Solar energy used among us", "mdi:solar-power"),
    ("shared_generation", "Shared between homes", "mdi:share-variant"),
    ("participation", "Homes that have told", "mdi:account-group"),
    ("coverage", "Measured", "mdi:check-decagram"),
)
_HEADINGS: Final = {
    "hour": ("The last hour", "mdi:clock-outline"),
    "day": ("The last day", "mdi:calendar-today"),
    "month": ("The last month", "mdi:calendar-month"),
}
_HUB: Final = (
    ("link", "Link to the homes"),
    ("last_message", "Last message"),
    ("lag", "Lag"),
    ("refused", "Refused messages"),
    ("quarantined", "Set apart"),
    ("invitations", "Open invitations"),
)


async def show_dashboard(
    client: HomeAssistantClient, entities: Entities, statistic: str | None = None
) -> str:
    """Make the dashboard, or bring it up to date; return its path.

    `statistic` is the series of the community's hourly carbon.
    """
    dashboards = await client.command("lovelace/dashboards/list")
    if not any(dashboard["url_path"] == PATH for dashboard in dashboards):
        await client.command(
            "lovelace/dashboards/create",
            url_path=PATH,
            title="Community",
            icon="mdi:home-group",
            mode="storage",
            show_in_sidebar=True,
            require_admin=False,
        )
    sections = [_period(entities, grain) for grain in _HEADINGS]
    sections.append(_parts(entities))
    if statistic is not None:
        sections.append(_record(statistic))
    sections.append(_hub(entities))
    view = {"title": "Community", "type": "sections", "max_columns": 3, "sections": sections}
    await client.command("lovelace/config/save", url_path=PATH, config={"views": [view]})
    return f"/{PATH}"


def _period(entities: Entities, grain: str) -> Card:
    """Return the figures of one published hour, day or month."""
    heading, icon = _HEADINGS[grain]
    return _section(
        heading,
        icon,
        [
            _tile(entities.community.get(f"{grain}_{key}"), name, picture)
            for key, name, picture in _TILES
        ],
    )


def _parts(entities: Entities) -> Card:
    """Return the last day of each feeder and group."""
    cards: list[Card | None] = []
    for name, keys in entities.parts.items():
        cards += [
            {"type": "heading", "heading": name.capitalize(), "heading_style": "subtitle"},
            _tile(keys.get("energy"), "Energy from the grid"),
            _tile(keys.get("carbon"), "Carbon"),
            _tile(keys.get("homes"), "Homes"),
        ]
    return _section("Feeders and groups, last day", "mdi:transmission-tower", cards)


def _record(statistic: str) -> Card:
    """Return the carbon of every published hour."""
    card = {
        "type": "statistics-graph",
        "entities": [{"entity": statistic, "name": "Carbon"}],
        "chart_type": "bar",
        "period": "hour",
        "stat_types": ["change"],
        "days_to_show": 3,
        "grid_options": {"columns": "full"},
    }
    return _section("Carbon by the hour", "mdi:chart-bar", [card])


def _hub(entities: Entities) -> Card:
    """Return how the hub is."""
    return _section(
        "The hub",
        "mdi:lan-connect",
        [_tile(entities.community.get(key), name) for key, name in _HUB],
    )


def _section(heading: str, icon: str, cards: Sequence[Card | None]) -> Card:
    return {
        "type": "grid",
        "cards": [
            {"type": "heading", "heading": heading, "icon": icon},
            *(card for card in cards if card is not None),
        ],
    }


def _tile(entity_id: str | None, name: str, icon: str | None = None) -> Card | None:
    if entity_id is None:
        return None
    tile: Card = {"type": "tile", "entity": entity_id, "name": name}
    return tile if icon is None else tile | {"icon": icon}
