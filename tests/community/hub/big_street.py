"""A street of many homes, some of them silent or measured in part, and what plain counting says."""

from datetime import date

from custom_components.carbon_meter.community.contract.message import Flow, Footprint, Quality
from custom_components.carbon_meter.community.ledger.ledger import Ledger
from tests.community.ledger.village import COMMUNITY, HOUR, footprint, item

HOMES = 104
SILENT = 4
HALF_MEASURED = 20
TOLD = HOMES - SILENT

FIRST_OF = {0.1: 2, 0.25: 17, 0.5: 42, 0.75: 67, 0.9: 82}
"""By quantile the first of the fifteen homes around it, of a hundred homes in order."""

PREFERRED = [
    round(number * 10**decade, 6)
    for decade in range(-3, 3)
    for number in (1, 1.25, 1.6, 2, 2.5, 3.15, 4, 5, 6.3, 8)
]
"""kWh, ISO 3 series R10."""


def wh(home: int) -> int:
    """Return what a home uses in an hour."""
    return 200 + 37 * home


def street(begin: int, hours: int, community: str = COMMUNITY) -> list[Footprint]:
    """Return what the street tells of some hours."""
    return [
        footprint(
            f"home-{home}",
            begin + hour * HOUR,
            item(
                Flow.GRID_IMPORT,
                wh(home),
                carbon_free=wh(home) // 4,
                coverage=5000 if home < HALF_MEASURED else 10000,
                quality=Quality.ESTIMATED if home < HALF_MEASURED else Quality.MEASURED,
            ),
            community=community,
        )
        for hour in range(hours)
        for home in range(TOLD)
    ]


def settle(ledger: Ledger, since: date) -> None:
    """Make all homes members, also those that tell nothing."""
    for home in range(HOMES):
        ledger.assign(f"home-{home}", since)


def counted(hours: int, span: int) -> dict[str, float]:
    """Return the figures of some hours within a span of seconds, by counting home for home."""
    every = [wh(home) * hours for home in range(TOLD)]
    kwh = sum(every) / 1000
    seconds = hours * HOUR
    return {
        "kwh": kwh,
        "kg": kwh * 0.4,
        "intensity": 400,
        "kwh_per_home": kwh / TOLD,
        "kg_per_home": kwh * 0.4 / TOLD,
        "homes": TOLD,
        "expected": HOMES,
        "participation": TOLD / HOMES,
        "coverage": (TOLD - HALF_MEASURED / 2) / TOLD,
        "completeness": TOLD * seconds / (HOMES * span),
        "told": 1,
        "estimated_kwh": sum(every[:HALF_MEASURED]) / 1000,
        "carbon_free_kwh": sum(wh(home) // 4 for home in range(TOLD)) * hours / 1000,
    }


def spread(hours: int) -> dict[float, float]:
    """Return the quantiles in kWh as docs/community/figures.md tells how to make them."""
    in_order = sorted(wh(home) * hours / 1000 for home in range(TOLD))
    means = {part: sum(in_order[at : at + 15]) / 15 for part, at in FIRST_OF.items()}
    return {
        part: min(PREFERRED, key=lambda each, mean=mean: max(each / mean, mean / each))
        for part, mean in means.items()
    }
