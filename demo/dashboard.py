"""A dashboard of the demo's figures, made of Home Assistant's own cards.

The first section says what matters now in a glance, the second when it will be better, the others
where the carbon comes from and how well all of it is known.
"""

from collections.abc import Sequence
from string import Template
from typing import Any, Final

from demo.client import HomeAssistantClient
from demo.figures import Entities

PATH: Final = "carbon-demo"

DEVICES: Final = ("Heat pump", "Car")
"""The sub-meters of the demo's home."""

type Card = dict[str, Any]

_CLEAN: Final = 200
"""gCO2eq/kWh up to which the gauges are green, and from `_DIRTY` on red."""

_DIRTY: Final = 320
_MOST: Final = 600

_AHEAD: Final = Template("""\
{% set hours = (state_attr('$forecast', 'forecast') or [])[:24] %}
{% if not hours %}
The forecast comes with the first figures of the grid.
{% else %}
{% set least = hours | min(attribute='intensity') %}
{% set most = hours | map(attribute='intensity') | max %}
{% set present = states('$intensity') | float(most) %}
{% if least.intensity < 0.95 * present %}
**Cleanest from {{ as_local(as_datetime(least.start)).strftime('%H:%M') }} \
to {{ as_local(as_datetime(least.end)).strftime('%H:%M') }}:** \
{{ (100 - 100 * least.intensity / present) | round | int }} % less carbon than now.
{% else %}
**It is as clean now as it gets today.**
{% endif %}

| Time | g/kWh | |
|:--|--:|:--|
{%- for hour in hours[::2] %}
{%- set shown = hour.intensity | round | int %}
{%- set colour = '#43a047' if shown < $clean else '#ffa600' if shown < $dirty else '#db4437' %}
| {{ as_local(as_datetime(hour.start)).strftime('%H:%M') }} \
| {{ shown }} \
| <font color="{{ colour }}">{{ '█' * (1 + 13 * shown / most) | int }}</font> |
{%- endfor %}
{% endif %}""")
"""When the next hours will be clean, every second of them as a bar."""


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
    """Return one view."""
    sections = (_now, _ahead, _loads, _record, _supply, _devices, _trust)
    return {
        "views": [
            {
                "title": "Carbon",
                "type": "sections",
                "max_columns": 3,
                "sections": [section(entities) for section in sections],
            }
        ]
    }


def _now(entities: Entities) -> Card:
    """Return what weighs how much now."""
    site = entities.site
    return _section(
        "Right now",
        "mdi:molecule-co2",
        [
            _gauge(site.get("carbon_intensity"), "Electricity from the grid"),
            _gauge(site.get("site_supply_intensity"), "Electricity you use"),
            _tile(site.get("site_carbon_rate"), "Carbon now", "mdi:speedometer"),
            _tile(site.get("site_carbon_today"), "Carbon today", "mdi:calendar-today"),
        ],
    )


def _ahead(entities: Entities) -> Card:
    """Return when the grid will be clean."""
    site = entities.site
    forecast = site.get("intensity_forecast")
    text = _AHEAD.substitute(
        forecast=forecast,
        intensity=site.get("carbon_intensity"),
        clean=_CLEAN,
        dirty=_DIRTY,
    )
    card = {"type": "markdown", "content": text, "grid_options": {"columns": "full"}}
    return _section("The next 24 hours", "mdi:clock-fast", [card] if forecast else [])


def _loads(entities: Entities) -> Card:
    """Return when what can move will run, why, and what that saves."""
    cards: list[Card | None] = []
    for name, keys in entities.loads.items():
        cards += [
            {"type": "heading", "heading": name, "heading_style": "subtitle"},
            {
                "type": "markdown",
                "content": f"{{{{ state_attr('{keys.get('plan')}', 'explanation') }}}}",
                "text_only": True,
                "grid_options": {"columns": "full"},
            },
            _tile(keys.get("run_now"), "Run now"),
            _tile(keys.get("next_start"), "Next start", "mdi:clock-start"),
            _tile(keys.get("saving_planned"), "Planned saving", "mdi:leaf"),
            _tile(keys.get("override"), "Override"),
        ]
    calendars = [keys["load_plan"] for keys in entities.loads.values() if "load_plan" in keys]
    if calendars:
        cards.append(
            {
                "type": "calendar",
                "entities": calendars,
                "initial_view": "listWeek",
                "grid_options": {"columns": "full", "rows": 5},
            }
        )
    return _section("What can wait", "mdi:calendar-clock", cards)


def _record(entities: Entities) -> Card:
    """Return the carbon of every hour: of the home, and of each device that has a meter."""
    series = [{"entity": _statistic(entities, "site", "consumption_carbon"), "name": "Whole home"}]
    series += [{"entity": _statistic(entities, name, "carbon"), "name": name} for name in DEVICES]
    return _section(
        "Carbon by the hour",
        "mdi:chart-bar",
        [
            {
                "type": "statistics-graph",
                "entities": series,
                "chart_type": "bar",
                "period": "hour",
                "stat_types": ["change"],
                "days_to_show": 1,
                "grid_options": {"columns": "full"},
            },
            {
                "type": "history-graph",
                "title": "Grid and your own mix",
                "hours_to_show": 12,
                "entities": _named(
                    (entities.site.get("carbon_intensity"), "Grid"),
                    (entities.site.get("site_supply_intensity"), "What you use"),
                ),
                "grid_options": {"columns": "full"},
            },
        ],
    )


def _supply(entities: Entities) -> Card:
    """Return what supplies the home."""
    solar, battery = (entities.meters.get(name, {}) for name in ("Solar", "Battery"))
    grid = entities.meters.get("Grid", {})
    return _section(
        "Where it comes from",
        "mdi:home-lightning-bolt",
        [
            _tile(grid.get("power"), "Grid", "mdi:transmission-tower"),
            _tile(solar.get("power"), "Solar roof", "mdi:solar-power"),
            _tile(battery.get("power"), "Battery", "mdi:home-battery"),
            _tile(battery.get("carbon_stored"), "Stored carbon", "mdi:battery-heart"),
            _tile(battery.get("content_intensity"), "Battery mix", "mdi:battery-arrow-down"),
            _tile(entities.site.get("site_carbon_used"), "Carbon used", "mdi:sigma"),
            {
                "type": "history-graph",
                "title": "Power (below zero: it gives)",
                "hours_to_show": 6,
                "entities": _named(
                    (grid.get("power"), "Grid"),
                    (solar.get("power"), "Solar roof"),
                    (battery.get("power"), "Battery"),
                ),
                "grid_options": {"columns": "full"},
            },
        ],
    )


def _devices(entities: Entities) -> Card:
    """Return the devices with meters of their own."""
    cards: list[Card | None] = []
    for name in DEVICES:
        keys = entities.meters[name]
        cards += [
            {"type": "heading", "heading": name, "heading_style": "subtitle"},
            _tile(keys.get("power"), "Power"),
            _tile(keys.get("carbon_rate"), "Carbon now"),
            _tile(keys.get("energy_import"), "Energy"),
            _tile(keys.get("carbon_total"), "Carbon"),
        ]
    return _section("Devices", "mdi:power-plug", cards)


def _trust(entities: Entities) -> Card:
    """Return how much of the day has been measured, and whose figures the grid's are."""
    intensity = entities.site.get("carbon_intensity")
    source: Card = {
        "type": "tile",
        "entity": intensity,
        "name": "Grid figures",
        "state_content": ["source_name", "grade"],
        "grid_options": {"columns": "full"},
    }
    tiles = [
        _tile(keys.get("coverage"), name, "mdi:check-decagram")
        for name, keys in entities.meters.items()
    ]
    return _section("How well it is known today", "mdi:shield-check", [source, *tiles])


def _section(heading: str, icon: str, cards: Sequence[Card | None]) -> Card:
    return {
        "type": "grid",
        "cards": [
            {"type": "heading", "heading": heading, "icon": icon},
            *(card for card in cards if card is not None),
        ],
    }


def _gauge(entity_id: str | None, name: str) -> Card | None:
    if entity_id is None:
        return None
    return {
        "type": "gauge",
        "entity": entity_id,
        "name": name,
        "min": 0,
        "max": _MOST,
        "needle": True,
        "severity": {"green": 0, "yellow": _CLEAN, "red": _DIRTY},
        "grid_options": {"columns": 6, "rows": "auto"},
        # A gauge has no place for what is not known yet.
        "visibility": [{"condition": "numeric_state", "entity": entity_id, "above": -1}],
    }


def _tile(entity_id: str | None, name: str, icon: str | None = None) -> Card | None:
    if entity_id is None:
        return None
    tile: Card = {"type": "tile", "entity": entity_id, "name": name}
    return tile if icon is None else tile | {"icon": icon}


def _named(*entities: tuple[str | None, str]) -> list[Card]:
    return [{"entity": entity_id, "name": name} for entity_id, name in entities if entity_id]


def _statistic(entities: Entities, owner: str, what: str) -> str:
    """Return the id of a series of the record."""
    return f"carbon_meter:{entities.ids[owner].lower()}_{what}"
