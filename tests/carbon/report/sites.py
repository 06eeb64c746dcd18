"""Sites for tests of reports, and what of a report adds up."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, tzinfo
from typing import Any

import numpy as np

from custom_components.carbon_meter.carbon.factors.editions import Span
from custom_components.carbon_meter.carbon.factors.factor import EmissionFactor
from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.report.report import AccountedSite, SiteReport
from custom_components.carbon_meter.carbon.report.series import SiteSeries, SiteTerms
from tests.carbon.accounting.factor_rows import factor

HOUR = 3600.0
MARKET = "DK1"

ENERGIES = (
    *("grid_import", "grid_export", "solar", "charge", "discharge", "consumption"),
    *("unmetered", "unaccounted", "residual", "unweighed"),
)


def at(year: int, month: int, day: int, hour: int = 0, zone: tzinfo = UTC) -> float:
    """Return a local time in seconds since 1970 UTC."""
    return datetime(year, month, day, hour, tzinfo=zone).timestamp()


def always(row: EmissionFactor | None) -> list[Span]:
    """Return a factor that holds for the years of the tests."""
    return [Span(start=date(1970, 1, 1), end=date(2100, 1, 1), factor=row)]


def terms(**changes: Any) -> SiteTerms:
    """Return terms in UTC, with a factor of the year of 350 g/kWh."""
    return SiteTerms(**{"zone": UTC, "market": MARKET, "factors": always(factor(350.0)), **changes})


def series(grid_import: object, **changes: Any) -> SiteSeries:
    """Return consecutive hours from 1970 on, of an import in Wh at 400 g/kWh."""
    energy = np.asarray(grid_import, dtype=float)
    return SiteSeries(
        **{
            "starts": np.arange(len(energy)) * HOUR,
            "seconds": HOUR,
            "grid_import": energy,
            "intensity": 400.0,
            "grade": Grade.MEASURED,
            **changes,
        }
    )


def report(site: SiteSeries, agreed: SiteTerms | None = None) -> SiteReport:
    """Return the report of all intervals of a site."""
    end = float(site.starts[-1]) + site.seconds
    return AccountedSite(site, agreed or terms()).report(float(site.starts[0]), end)


def additive(told: SiteReport) -> dict[str, float]:
    """Return every figure of a report that is a sum over its intervals."""
    figures: dict[str, float] = {"covered": told.covered}
    for name in ENERGIES:
        figures[f"energy {name}"] = getattr(told.energy, name)
    figures |= {f"grade {grade}": energy for grade, energy in told.energy.by_grade.items()}
    for name in ["load", "matched", "by_grid", "clean", "excess", "share_unknown"]:
        figures[f"clean {name}"] = getattr(told.carbon_free, name)
    for stage, part in told.stages.items():
        figures[f"{stage} carbon"] = part.figure.value
        figures[f"{stage} contained"] = part.contained
        figures[f"{stage} unknown"] = part.unknown
    for name in ("market_hourly", "market_annual"):
        market = getattr(told, name)
        for part in ["residual", "average", "covered"]:
            figures[f"{name} {part}"] = getattr(market, part)
        figures[f"{name} residual carbon"] = market.residual_carbon.value
        figures[f"{name} average carbon"] = market.average_carbon.value
        for use in market.contracts:
            for part in ["offered", "covered", "excess"]:
                figures[f"{name} {use.contract.id} {part}"] = getattr(use, part)
            figures[f"{name} {use.contract.id} carbon"] = use.carbon.value
    figures |= dict(_period_figures(told))
    figures |= {f"total {figure.label}": figure.value for figure in told.totals}
    return figures


def _period_figures(told: SiteReport) -> Iterator[tuple[str, float]]:
    """Yield the figures that know what they could not weigh."""
    named = {
        "location hourly": told.location_hourly,
        "location annual": told.location_annual,
        "market hourly": told.market_hourly.total,
        "market annual": told.market_annual.total,
        "avoided": told.avoided,
        "avoided marginal": told.avoided_marginal,
        "consumed": told.consumed,
        "exported": told.exported,
        **{str(carrier.figure.label): carrier for carrier in told.carriers},
    }
    for name, figure in named.items():
        if figure is not None:
            yield f"{name} carbon", figure.figure.value
            yield f"{name} quantity", figure.quantity
            yield f"{name} unweighed", figure.unweighed
