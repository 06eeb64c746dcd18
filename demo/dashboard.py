"""A dashboard of the demo's figures, made of Home Assistant's own cards."""

from typing import Any, Final

from demo.client import HomeAssistantClient
from demo.figures import Entities, energy_key

PATH: Final = "carbon-demo"


async def show_dashboard(client: HomeAssistantClient, entities: Entities) -> str:
    """Make the dashboard, or bring it up to date; return its path."""
    dashboards = await client.command("lovelace/dashboards/list")
    if not any(dashboard["url_path"] == PATH for dashboard in dashboards):
        await client.command(
            "lovelace/dashboards/create",
            url_path=PATH,
            title="Carbon",
            icon="mdi:molecule-co2",
            mode="storage",
            show_in_sidebar=True,
            require_admin=False,
        )
    await client.command("lovelace/config/save", url_path=PATH, config=_config(entities))
    return f"/{PATH}"


def _config(entities: Entities) -> dict[str, Any]:
    """Return one view: the intensity, then a section for each meter."""
    weighed = [keys for keys in entities.meters.values() if "carbon_total" in keys]
    overview = {
        "type": "grid",
        "cards": [
            {"type": "heading", "heading": "Carbon of this home"},
            {
                "type": "gauge",
                "entity": entities.intensity,
                "name": "Carbon intensity of the grid",
                "min": 0,
                "max": 1000,
                "needle": True,
                "severity": {"green": 0, "yellow": 250, "red": 500},
            },
            {
                "type": "history-graph",
                "title": "Carbon rate",
                "hours_to_show": 0.25,
                "entities": [keys["carbon_rate"] for keys in weighed],
            },
        ],
    }
    return {
        "views": [
            {
                "title": "Carbon",
                "type": "sections",
                "sections": [
                    overview,
                    *(_section(name, keys) for name, keys in entities.meters.items()),
                ],
            }
        ]
    }


def _section(name: str, keys: dict[str, str]) -> dict[str, Any]:
    """Return a meter's section: a tile for each figure and the power of the last hour."""
    shown = {
        "power": "Power",
        energy_key(keys): "Energy",
        "carbon_rate": "Carbon rate",
        "carbon_total": "Carbon total",
    }
    tiles = [
        {"type": "tile", "entity": keys[key], "name": label}
        for key, label in shown.items()
        if key in keys
    ]
    graph = {"type": "history-graph", "hours_to_show": 0.25, "entities": [keys["power"]]}
    return {"type": "grid", "cards": [{"type": "heading", "heading": name}, *tiles, graph]}
