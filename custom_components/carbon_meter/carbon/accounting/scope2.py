"""Scope 2 both ways, hourly and annual: four figures side by side, and none that blends them."""

from collections.abc import Sequence
from dataclasses import dataclass

from .contracts import Contract
from .figures import Figure, Matching
from .location import location_annual, location_hourly
from .market import MarketBased, market_based
from .period import ReportedLoad


@dataclass(frozen=True, kw_only=True)
class Scope2Report:
    """Scope 2 of one reporting period. Each figure carries its label and unit."""

    location_hourly: Figure
    location_annual: Figure
    market_hourly: MarketBased
    market_annual: MarketBased

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Return the four figures in the order in which they are reported."""
        return (
            self.location_hourly,
            self.location_annual,
            self.market_hourly.figure,
            self.market_annual.figure,
        )


def scope2_report(
    load: ReportedLoad,
    contracts: Sequence[Contract],
    *,
    intensity: object,
    annual_factor: float,
) -> Scope2Report:
    """Return scope 2 of the gross import of one reporting period.

    `intensity` is the average of the location in gCO2eq/kWh, by interval, `annual_factor` its
    factor of the year. Where neither contract nor residual mix covers the load, the hourly
    market-based figure takes the interval's intensity and the annual one the year's factor.

    Raises ImpossibleAmountError for numbers that cannot be or do not fit.
    """
    return Scope2Report(
        location_hourly=location_hourly(load.energy, intensity),
        location_annual=location_annual(load.energy, annual_factor),
        market_hourly=market_based(load, contracts, matching=Matching.HOURLY, location=intensity),
        market_annual=market_based(
            load, contracts, matching=Matching.ANNUAL, location=annual_factor
        ),
    )
