"""What Home Assistant has in its books of the demo's home, from the integration's diagnostics."""

from collections.abc import Mapping
from dataclasses import dataclass
import math
from typing import Final

from demo.client import HomeAssistantClient
from demo.figures import find_entities
from demo.site import NAMES

_FIGURES: Final[Mapping[str, Mapping[str, str]]] = {
    "site": {
        "carbon": "import carbon",
        "export_carbon": "export carbon",
        "avoided_export": "avoided by export",
        "consumption": "used energy",
        "consumption_carbon": "used carbon",
    },
    "battery": {
        "charge_carbon": "carbon charged",
        "discharge_carbon": "carbon discharged",
    },
}
"""By owner: what a figure of the archive is called here; of all other owners it is `carbon`."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The books; owners are the nodes of the virtual home, and `site`."""

    names: Mapping[str, str]
    """What an owner is called on the page."""

    energy: Mapping[str, tuple[float, float]]
    """Wh imported and exported by the ledgers of the meters."""

    figures: Mapping[tuple[str, str], float]
    """Wh or g by owner and figure."""

    shown: Mapping[tuple[str, str], float]
    """g that the sensors show; not a number where one does not."""


async def read_kept(client: HomeAssistantClient, entry_id: str) -> Kept:
    """Return what is in the books now."""
    diagnostics = await client.diagnostics(entry_id)
    titles = await client.subentries(entry_id, "meter")
    nodes = {name: node for node, name in NAMES.items()}
    owners = {subentry_id: nodes[title] for subentry_id, title in titles.items()}
    figures: dict[tuple[str, str], float] = {}
    for owner, totals in diagnostics["book"]["totals"].items():
        node = owners.get(owner, owner)
        for figure, name in _FIGURES.get(node, {"carbon": "carbon"}).items():
            figures[node, name] = totals.get(figure, 0.0)
    return Kept(
        names={**NAMES, "site": "Site"},
        energy={
            owners[subentry_id]: (meter["total"]["import_energy"], meter["total"]["export_energy"])
            for subentry_id, meter in diagnostics["meters"].items()
        },
        figures=figures,
        shown=await _shown(client, entry_id),
    )


async def _shown(client: HomeAssistantClient, entry_id: str) -> dict[tuple[str, str], float]:
    """Return the grams that the sensors show, by node and figure."""
    entities = await find_entities(client, entry_id)
    states = {state["entity_id"]: state["state"] for state in await client.states()}
    sensors = {
        ("site", "import carbon"): entities.site.get("site_carbon_total"),
        ("site", "used carbon"): entities.site.get("site_carbon_used"),
    }
    for node, name in NAMES.items():
        of_meter = entities.meters[name]
        sensors[node, "carbon"] = of_meter.get("carbon_total")
        sensors[node, "carbon stored"] = of_meter.get("carbon_stored")
    return {key: _grams(states.get(entity_id)) for key, entity_id in sensors.items() if entity_id}


def _grams(state: str | None) -> float:
    """Return a mass in kg in g."""
    try:
        return float(state or "") * 1000
    except ValueError:
        return math.nan
