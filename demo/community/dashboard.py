"""A dashboard of the community, made of Home Assistant's own cards."""

from collections.abc import Mapping, Sequence
from string import Template
from typing import Any, Final

from custom_components.carbon_meter.community.ledger.calendar import Grain
from demo.client import HomeAssistantClient
from demo.community.figures import Entities

PATH: Final = "carbon-community"

type Card = dict[str, Any]

_GREEN: Final = 200
_YELLOW: Final = 350
_MOST: Final = 600
"""gCO2eq/kWh on the gauge."""

_ABOUT: Final = Template("""\
# $title
What $homes homes draw from the grid, and what it emits. Only sums of at least 15 homes are \
shown, none of which has more than 15 % of it. What would show less says that it is hidden, and \
why.""")

_DAYS_ONLY: Final = """\
**Days and months only.** In single hours of so few homes a car or a heat pump would stand out, \
so this community publishes no hours. The 24/7 score and what is shared are worked out hour by \
hour: they are not known."""

_WHEN: Final = {
    "hour": Template(
        "{% set b = state_attr('$entity', 'begin') %}{% if b %}"
        "{{ as_local(as_datetime(b)).strftime('%A, %H:%M') }} to "
        "{{ as_local(as_datetime(state_attr('$entity', 'end'))).strftime('%H:%M') }}"
        "{% else %}No hour has been published yet.{% endif %}"
    ),
    "day": Template(
        "{% set b = state_attr('$entity', 'begin') %}{% if b %}"
        "{{ as_local(as_datetime(b)).strftime('%A, %-d %B') }}"
        "{% else %}No day has been published yet.{% endif %}"
    ),
    "month": Template(
        "{% set b = state_attr('$entity', 'begin') %}{% if b %}"
        "{{ as_local(as_datetime(b)).strftime('%B %Y') }}"
        "{% else %}No month has been published yet.{% endif %}"
    ),
}

_SPREAD: Final = Template("""\
{% set mean = state_attr('$entity', 'per_home') %}
{% set parts = state_attr('$entity', 'quantiles') or {} %}
{% if mean is none %}
Not published.
{% else %}
{% set most = ([mean] + parts.values() | list) | max %}
| | kWh | |
|:--|--:|:--|
{%- for part, kwh in parts.items() %}
| {{ 'Half' if part == '50%' else part }} of the homes use less than \
| {{ kwh | round(1) }} | <font color="#0288d1">{{ '█' * (1 + 11 * kwh / most) | int }}</font> |
{%- endfor %}
| Mean of a home \
| {{ mean | round(1) }} | <font color="#8e8e8e">{{ '█' * (1 + 11 * mean / most) | int }}</font> |

{% if not parts %}What half of them use less than is said from 30 homes on.{% endif %}
{% endif %}""")
"""How energy is spread: quantiles are means of 15 homes each, rounded."""

_OF_IMPORT: Final[tuple[tuple[str, str, str], ...]] = (
    ("carbon", "Carbon", "mdi:molecule-co2"),
    ("intensity", "Intensity", "mdi:speedometer"),
    ("homes", "Homes in it", "mdi:home-group"),
    ("participation", "Have told", "mdi:account-check"),
    ("coverage", "Measured", "mdi:check-decagram"),
)
_SCORE: Final = ("cfe_score", "24/7 clean", "mdi:clock-check")
_SOLAR: Final = (
    ("self_consumption", "Solar used here", "mdi:solar-power"),
    ("shared_generation", "Solar shared", "mdi:share-variant"),
)
"""What follows from published hours, as the score does."""

_HEADINGS: Final = {
    "hour": ("Latest hour", "mdi:clock-outline"),
    "day": ("Latest day", "mdi:calendar-today"),
    "month": ("Latest month", "mdi:calendar-month"),
}
_HUB: Final = (
    ("link", "Link to the homes", None),
    ("last_message", "Last message", None),
    ("refused", "Refused", "mdi:message-off"),
    ("quarantined", "Set apart", None),
    ("invitations", "Invitations", None),
    ("lag", "Lag", None),
)


async def show_dashboard(
    client: HomeAssistantClient, entities: Entities, statistics: str, finest: Grain
) -> str:
    """Make the dashboard, or bring it up to date; return its path.

    `statistics` is what the ids of the community's hourly series begin with; `finest` the
    shortest time that it publishes.
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
    view = _view(entities, statistics, has_hours=finest is Grain.HOUR)
    await client.command("lovelace/config/save", url_path=PATH, config={"views": [view]})
    return f"/{PATH}"


def _view(entities: Entities, statistics: str, *, has_hours: bool) -> Card:
    """Return the one view."""
    sections = [
        _period(entities, "day", has_hours=has_hours),
        _spread(entities),
        _parts(entities),
        _period(entities, "month", has_hours=has_hours),
        _hub(entities),
    ]
    if has_hours:
        sections[:0] = [_period(entities, "hour", has_hours=True), *_charts(statistics)]
    about = _ABOUT.substitute(title=entities.title, homes=_state(entities, "day_expected", "its"))
    if not has_hours:
        about = f"{about}\n\n{_DAYS_ONLY}"
    return {
        "title": "Community",
        "type": "sections",
        "max_columns": 3,
        "dense_section_placement": True,
        "header": {"card": {"type": "markdown", "text_only": True, "content": about}},
        "sections": sections,
    }


def _state(entities: Entities, key: str, otherwise: str) -> str:
    """Return a template of a whole number, or of a word where it is not known."""
    entity_id = entities.community.get(key, "")
    return f"{{{{ states('{entity_id}') | int('{otherwise}') }}}}"


def _period(entities: Entities, grain: str, *, has_hours: bool) -> Card:
    """Return the figures of one published hour, day or month."""
    heading, icon = _HEADINGS[grain]
    keys = {
        key.removeprefix(f"{grain}_"): entity_id
        for key, entity_id in entities.community.items()
        if key.startswith(f"{grain}_")
    }
    cards: list[Card | None] = [_when(grain, keys)]
    if grain == "hour":
        cards.append(_gauge(keys.get("intensity")))
    cards += _figures(
        keys, [each for each in _OF_IMPORT if grain != "hour" or each[0] != "intensity"]
    )
    if has_hours:
        cards += _by_hours(keys, is_whole=grain != "month")
    return _section(heading, icon, cards)


def _by_hours(keys: Mapping[str, str], *, is_whole: bool) -> list[Card | None]:
    """Return what follows from hours, and why it does not.

    Of a month whose first days were told as such not all hours are known: then it is left out.
    """
    key, name, picture = _SCORE
    score = _tile(keys.get(key), name, picture)
    cards = [score if is_whole else _known(score, keys.get(key))]
    cards += [
        _known(_tile(keys.get(key), name, picture), keys.get(key)) for key, name, picture in _SOLAR
    ]
    if is_whole:
        cards.append(_hidden(keys.get("self_consumption"), "Where the solar energy went"))
    return cards


def _when(grain: str, keys: Mapping[str, str]) -> Card:
    """Return which time it is."""
    content = _WHEN[grain].substitute(entity=keys.get("energy", ""))
    return {"type": "markdown", "text_only": True, "content": content, "grid_options": _FULL}


def _figures(keys: Mapping[str, str], others: Sequence[tuple[str, str, str]]) -> list[Card | None]:
    """Return energy, or why it is hidden; what else is known with it."""
    energy = keys.get("energy")
    shown = _tile(energy, "From the grid", "mdi:transmission-tower")
    cards = [_known(shown, energy), _hidden(energy, "Hidden", says=("suppressed",))]
    cards += [_known(_tile(keys.get(key), name, picture), energy) for key, name, picture in others]
    return cards


def _spread(entities: Entities) -> Card:
    """Return how the energy of day and month is spread over the homes."""
    cards: list[Card | None] = []
    for grain, name in (("day", "Latest day"), ("month", "Latest month")):
        entity_id = entities.community.get(f"{grain}_energy")
        if entity_id is not None:
            cards += [
                _subtitle(name),
                {
                    "type": "markdown",
                    "content": _SPREAD.substitute(entity=entity_id),
                    "grid_options": _FULL,
                },
            ]
    return _section("A home's energy from the grid", "mdi:chart-bell-curve", cards)


def _parts(entities: Entities) -> Card:
    """Return the last day of each feeder and group."""
    cards: list[Card | None] = []
    for name, keys in entities.parts.items():
        cards += [_subtitle(name), *_figures(keys, _OF_IMPORT[:3])]
    return _section("Feeders and groups, latest day", "mdi:source-branch", cards)


def _charts(statistics: str) -> list[Card]:
    """Return energy, carbon and intensity of every published hour."""
    return [
        _section(
            "Hour by hour",
            "mdi:chart-bar",
            [
                _chart(
                    "Energy, kWh",
                    [
                        (f"{statistics}_grid_import_energy", "From the grid"),
                        (f"{statistics}_pv_energy", "Solar roofs"),
                    ],
                ),
                _chart("Carbon, kg", [(f"{statistics}_grid_import_carbon", "From the grid")]),
            ],
        ),
        _section(
            "How clean it is",
            "mdi:leaf",
            [
                _chart(
                    "Intensity, gCO2eq/kWh",
                    [(f"{statistics}_grid_import_intensity", "From the grid")],
                    kind="line",
                ),
                {
                    "type": "markdown",
                    "text_only": True,
                    "content": "Hours are published two hours after their end. One without a bar "
                    "is hidden: in it a single home would stand out.",
                    "grid_options": _FULL,
                },
            ],
        ),
    ]


def _chart(title: str, series: Sequence[tuple[str, str]], *, kind: str = "bar") -> Card:
    return {
        "type": "statistics-graph",
        "title": title,
        "entities": [{"entity": statistic, "name": name} for statistic, name in series],
        "chart_type": kind,
        "period": "hour",
        "stat_types": ["change" if kind == "bar" else "mean"],
        "days_to_show": 2,
        "grid_options": _FULL,
    }


def _hub(entities: Entities) -> Card:
    """Return how the hub is."""
    cards = [_tile(entities.community.get(key), name, icon) for key, name, icon in _HUB]
    return _section("The hub", "mdi:lan-connect", cards)


_FULL: Final = {"columns": "full"}


def _section(heading: str, icon: str, cards: Sequence[Card | None]) -> Card:
    return {
        "type": "grid",
        "cards": [
            {"type": "heading", "heading": heading, "icon": icon},
            *(card for card in cards if card is not None),
        ],
    }


def _subtitle(name: str) -> Card:
    return {"type": "heading", "heading": name, "heading_style": "subtitle"}


def _gauge(entity_id: str | None) -> Card | None:
    if entity_id is None:
        return None
    card = {
        "type": "gauge",
        "entity": entity_id,
        "name": "Carbon intensity",
        "min": 0,
        "max": _MOST,
        "needle": True,
        "severity": {"green": 0, "yellow": _GREEN, "red": _YELLOW},
        "grid_options": {"columns": "full", "rows": "auto"},
    }
    return _known(card, entity_id)


def _known(card: Card | None, entity_id: str | None) -> Card | None:
    """Return a card that is there while a figure is known."""
    if card is None or entity_id is None:
        return None
    is_known = {"condition": "numeric_state", "entity": entity_id, "above": -1e9}
    return card | {"visibility": [is_known]}


def _hidden(
    entity_id: str | None, name: str, *, says: Sequence[str] = ("state", "suppressed")
) -> Card | None:
    """Return a card that is there while a figure is not known, and says why."""
    card = _tile(entity_id, name, "mdi:eye-off")
    if card is None:
        return None
    is_unknown = {"condition": "state", "entity": entity_id, "state": "unknown"}
    return card | {
        "state_content": list(says),
        "grid_options": _FULL,
        "visibility": [is_unknown],
    }


def _tile(entity_id: str | None, name: str, icon: str | None = None) -> Card | None:
    if entity_id is None:
        return None
    tile: Card = {"type": "tile", "entity": entity_id, "name": name}
    return tile if icon is None else tile | {"icon": icon, "state_content": ["state", "suppressed"]}
