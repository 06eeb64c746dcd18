"""The live figures of each meter, as Home Assistant shows them, and a table of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from demo.client import HomeAssistantClient
from demo.site import DOMAIN

_KEYS: Final = (
    *("power", "energy_import", "energy_export", "carbon_rate", "carbon_total"),
    *("carbon_stored", "content_intensity", "coverage"),
)
_HEAD: Final = ("meter", "W", "kWh", "gCO2eq/kWh", "g/h", "kg")


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What is known of one meter now; None where there is nothing.

    The energy is what a consumer has drawn, and what a generator or a battery has given; the
    intensity is that of the mix that the meter takes from.
    """

    meter: str
    power: float | None
    energy: float | None
    intensity: float | None
    rate: float | None
    carbon: float | None


@dataclass(frozen=True, kw_only=True)
class Entities:
    """Which entities show the figures."""

    site: dict[str, str]
    """Those of the whole site, by the sensor's key."""

    meters: dict[str, dict[str, str]]
    """By the meter's name and the sensor's key."""

    loads: dict[str, dict[str, str]]
    """By the load's name and the entity's key."""

    ids: dict[str, str]
    """What the site's and the meters' series begin with; the site is `site`, a meter its name."""


async def find_entities(client: HomeAssistantClient, entry_id: str) -> Entities:
    """Return the entities of a site, told by their unique ids."""
    names = {kind: await client.subentries(entry_id, kind) for kind in ("meter", "load")}
    meters: dict[str, dict[str, str]] = {name: {} for name in names["meter"].values()}
    loads: dict[str, dict[str, str]] = {name: {} for name in names["load"].values()}
    site: dict[str, str] = {}
    for entity in await client.entities(DOMAIN):
        if entity["disabled_by"] is not None:
            continue
        unique_id: str = entity["unique_id"]
        owner, _, key = unique_id.partition("_")
        if owner in names["meter"] and key in _KEYS:
            meters[names["meter"][owner]][key] = entity["entity_id"]
        elif owner in names["load"]:
            loads[names["load"][owner]][key] = entity["entity_id"]
        elif owner == entry_id:
            site[key] = entity["entity_id"]
    ids = {"site": entry_id, **{name: owner for owner, name in names["meter"].items()}}
    return Entities(site=site, meters=meters, loads=loads, ids=ids)


def energy_key(keys: Mapping[str, str]) -> str:
    """Return which energy matters of a meter with these sensors."""
    return "energy_import" if "carbon_total" in keys else "energy_export"


async def read_figures(client: HomeAssistantClient, entities: Entities) -> list[Figures]:
    """Return the figures of every meter."""
    states = {state["entity_id"]: state["state"] for state in await client.states()}

    def number(entity_id: str | None) -> float | None:
        try:
            return float(states[entity_id or ""])
        except KeyError, ValueError:
            return None

    rows: list[Figures] = []
    for name, keys in entities.meters.items():
        power, rate = number(keys.get("power")), number(keys.get("carbon_rate"))
        intensity = number(keys.get("content_intensity"))
        if power is not None and power > 0 and rate is not None:
            intensity = 1000 * rate / power
        rows.append(
            Figures(
                meter=name,
                power=power,
                energy=number(keys.get(energy_key(keys))),
                intensity=intensity,
                rate=rate,
                carbon=number(keys.get("carbon_total", keys.get("carbon_stored"))),
            )
        )
    return rows


def table(rows: Sequence[Figures]) -> list[str]:
    """Return the lines of a table, figures to the right."""
    cells = [
        list(_HEAD),
        *(
            [
                row.meter,
                _shown(row.power, 0),
                _shown(row.energy, 3),
                _shown(row.intensity, 0),
                _shown(row.rate, 1),
                _shown(row.carbon, 4),
            ]
            for row in rows
        ),
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEAD))]
    return [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in cells
    ]


def _shown(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
