"""Reports of sites under test, and what the recorder says of the same time."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.models import StatisticMeanType
from homeassistant.components.recorder.statistics import (
    async_add_external_statistics,
    statistics_during_period,
)
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.figure_series import statistic_id
from hardware.virtual import Appliance, Household, MeterSpec, Steps
from tests.common import SiteUnderTest

HOUR: Final = 3600
PLANT: Final = "utility:plant"

CERTIFICATE: Final = {
    "kind": "certificate",
    "coverage": "statistic",
    "statistic": PLANT,
    "intensity": 0,
    "market": "DE",
    "carbon_free": True,
}
PPA: Final = {"kind": "ppa", "coverage": "volume", "volume": 2, "intensity": 50, "market": "DE"}
RATE: Final = {
    "kind": "supplier_rate",
    "coverage": "share",
    "share": 50,
    "intensity": 250,
    "market": "DE",
}
RESIDUAL: Final = {"kind": "residual_mix", "intensity": 600, "market": "DE"}

EQUAL: Final = {
    "energy_import": ("energy", "import_kwh"),
    "energy_export": ("energy", "export_kwh"),
    "energy_generated": ("energy", "solar_kwh"),
    "energy_charged": ("energy", "charge_kwh"),
    "energy_discharged": ("energy", "discharge_kwh"),
    "energy_used": ("energy", "consumption_kwh"),
    "carbon": ("scope_2", "location_hourly", "kg_co2eq"),
    "carbon_annual": ("scope_2", "location_annual", "kg_co2eq"),
    "consumption_carbon": ("supply", "consumed", "kg_co2eq"),
    "export_carbon": ("supply", "exported", "kg_co2eq"),
    "avoided_export": ("avoided_by_export", "average", "kg_co2eq"),
    "transmission": ("stages", "transmission_distribution", "kg_co2eq"),
    "upstream": ("stages", "upstream", "kg_co2eq"),
}
"""What the site's statistics end in, and where a report has the same."""


async def told(under_test: SiteUnderTest, **data: Any) -> dict[str, Any]:
    """Return the response of the action."""
    response = await under_test.hass.services.async_call(
        DOMAIN, "report", data, blocking=True, return_response=True
    )
    assert response is not None
    return response


def at(report: Mapping[str, Any], where: Sequence[str]) -> Any:
    """Return a part of a report."""
    found: Any = report
    for key in where:
        found = found[key]
    return found


async def recorded(
    hass: HomeAssistant, owner: str, what: str, start: datetime, end: datetime
) -> float:
    """Return by how much a series of the record grew over some hours."""
    await async_wait_recording_done(hass)
    series = statistic_id(owner, what)
    rows = await get_instance(hass).async_add_executor_job(
        statistics_during_period, hass, start, end, {series}, "hour", None, {"change"}
    )
    return sum(row["change"] for row in rows.get(series, []))


async def contract(site: SiteUnderTest, title: str, data: Mapping[str, Any]) -> None:
    """Add a contract; the site is set up anew."""
    subentry = ConfigSubentry(
        data=MappingProxyType(dict(data)), subentry_type="contract", title=title, unique_id=None
    )
    site.hass.config_entries.async_add_subentry(site.entry, subentry)
    await site.settle()


async def produced(hass: HomeAssistant, start: datetime, kwh: Sequence[float]) -> None:
    """Let the recorder know what a plant made in each hour."""
    total, rows = 0.0, [{"start": start - (step := timedelta(hours=1)), "sum": 0.0}]
    for place, made in enumerate(kwh):
        total += made
        rows.append({"start": start + place * step, "sum": total})
    metadata = {
        "mean_type": StatisticMeanType.NONE,
        "has_sum": True,
        "name": "Plant",
        "source": PLANT.partition(":")[0],
        "statistic_id": PLANT,
        "unit_class": "energy",
        "unit_of_measurement": "kWh",
    }
    async_add_external_statistics(hass, metadata, rows)
    await async_wait_recording_done(hass)


def household(start: float, **watts: Sequence[float]) -> Household:
    """Return a home in which each hour has a power by node.

    Solar gives energy; what goes into a battery is positive.
    """
    return Household(
        [
            Appliance(
                node=node,
                source=Steps.lasting(start, [(HOUR, power) for power in powers]),
                produces=node == "solar",
            )
            for node, powers in watts.items()
        ],
        start,
    )


def meters(*nodes: str) -> tuple[list[MeterSpec], dict[str, dict[str, Any]]]:
    """Return a meter at the connection and at some nodes, with what the site keeps of them."""
    specs = [
        MeterSpec(profile="schneider_iem3000", node=node, unit=unit)
        for unit, node in enumerate(("grid", *nodes), start=1)
    ]
    roles = {"solar": "solar", "battery": "battery"}
    kept = {node: {"role": roles.get(node, "submeter"), "interval": 300} for node in nodes}
    return specs, {"grid": {"interval": 300}, **kept}
