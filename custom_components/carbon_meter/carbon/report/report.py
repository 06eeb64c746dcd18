"""Every figure of a site over a period.

`AccountedSite` weighs each interval once; a report adds up the intervals that begin in its period.
As the intervals do not depend on the period, and their sums are exact (`sums`), hours, days,
weeks, months, quarters and years agree, the running one and those with a change of the clocks
included. For that it must hold the same intervals whatever is asked for: see `data_for`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

import numpy as np

from ..accounting.figures import Account, Figure, Label, Matching
from ..factors.factor import Stage
from ..flow.amounts import FloatArray, amount
from ..intensity.source import IntensityKind
from ..intervals import HOUR
from .clean import CarbonFreeReport, CarbonFreeSeries
from .contracts import MarketReport, MarketSeries
from .energy import EnergyReport, EnergySeries
from .figures import FigureSeries, PeriodFigure, Window, kilo, part
from .matching import match_annual, match_hourly, years_of
from .periods import Bounds, Period, bounds, split
from .series import SiteSeries, SiteTerms
from .spans import by_interval
from .stages import StageReport, StageSeries
from .sums import ExactSum
from .totals import account_totals, normalised


@dataclass(frozen=True, kw_only=True, slots=True)
class MatchedYear:
    """A calendar year that the annual matching of a report rests on."""

    year: int
    load: float
    """Wh of import in it, as far as the series reaches."""

    share: float
    """The part of it that lies in the report."""

    from_start: bool
    """Whether the series begins with the year, or before it."""

    over: bool
    """Whether the series reaches its end; until then its annual figures can still change."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "year": self.year,
            "import_kwh": kilo(self.load),
            "share": part(self.share),
            "from_start": self.from_start,
            "over": self.over,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class SiteReport:
    """All figures of one period; none blends two of them."""

    period: Bounds
    zone: tzinfo
    covered: float
    """Seconds of the period for which there are intervals."""

    energy: EnergyReport
    location_hourly: PeriodFigure
    location_annual: PeriodFigure
    market_hourly: MarketReport
    market_annual: MarketReport
    """The matching of whole calendar years, and of it what fell into the period."""

    years: tuple[MatchedYear, ...]
    stages: dict[Stage, StageReport]
    stage_problems: tuple[str, ...]
    carbon_free: CarbonFreeReport
    avoided: PeriodFigure
    """By export, with the grid's average."""

    avoided_marginal: PeriodFigure | None
    """By export, with the marginal intensity; None where no source tells one."""

    consumed: PeriodFigure | None
    """What the supply mix brought to the consumption; None where it was not weighed."""

    exported: PeriodFigure | None
    """What the supply mix sent away with the export; None where it was not weighed."""

    carriers: tuple[PeriodFigure, ...]
    totals: tuple[Figure, ...]
    normalised: tuple[Figure, ...]

    @property
    def scope2(self) -> tuple[Figure, ...]:
        """Return scope 2 of the electricity in its four ways, in the order of reporting."""
        return (
            self.location_hourly.figure,
            self.location_annual.figure,
            self.market_hourly.figure,
            self.market_annual.figure,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON has it: kg to the milligram, kWh, local times with offset."""
        return {
            "start": _iso(self.period.start, self.zone),
            "end": _iso(self.period.end, self.zone),
            "seconds": self.period.end - self.period.start,
            "covered_seconds": self.covered,
            "energy": self.energy.as_dict(),
            "scope_2": {
                "location_hourly": self.location_hourly.as_dict(),
                "location_annual": self.location_annual.as_dict(),
                "market_hourly": self.market_hourly.as_dict(),
                "market_annual": self.market_annual.as_dict(),
                "matched_years": [year.as_dict() for year in self.years],
            },
            "stages": {stage.value: told.as_dict() for stage, told in self.stages.items()},
            "stage_problems": list(self.stage_problems),
            "carbon_free": self.carbon_free.as_dict(),
            "avoided_by_export": {
                "average": self.avoided.as_dict(),
                "marginal": _plain(self.avoided_marginal),
            },
            "supply": {"consumed": _plain(self.consumed), "exported": _plain(self.exported)},
            "carriers": [
                _labelled(carrier.figure) | carrier.as_dict() for carrier in self.carriers
            ],
            "totals": [
                _labelled(figure) | {"kg_co2eq": kilo(figure.value)} for figure in self.totals
            ],
            "normalised": [
                _labelled(figure)
                | {"kg_co2eq": kilo(figure.value), "per": figure.unit.partition("/")[2]}
                for figure in self.normalised
            ],
        }


class AccountedSite:
    """The intervals of a site, weighed in every way, to be told over any period."""

    def __init__(self, series: SiteSeries, terms: SiteTerms) -> None:
        """Weigh each interval; see `data_for` for which there should be.

        Raises ImpossibleAmountError for contracts that do not fit the intervals.
        """
        self._series = series
        self._terms = terms
        self._years = years_of(series, terms.zone)
        self._energy = EnergySeries(series)
        self._stages = StageSeries(series, terms)
        sums = self._energy.sums
        factor = by_interval(terms.factors, series.starts, terms.zone)
        hourly = match_hourly(series, terms)
        self._market_hourly = MarketSeries(hourly, sums["grid_import"])
        self._market_annual = MarketSeries(match_annual(series, terms, factor), sums["grid_import"])
        consumption = self._energy.consumption
        self._clean = CarbonFreeSeries(series, consumption, hourly)

        def imported(matching: Matching, intensity: FloatArray) -> FigureSeries:
            label = Label(account=Account.LOCATION_BASED, matching=matching)
            return FigureSeries.by_intensity(
                label, sums["grid_import"], series.grid_import, intensity
            )

        def avoided(kind: IntensityKind, intensity: FloatArray) -> FigureSeries:
            label = Label(account=Account.AVOIDED, kind=kind)
            return FigureSeries.by_intensity(
                label, sums["grid_export"], series.grid_export, intensity
            )

        self._location_hourly = imported(Matching.HOURLY, series.intensity)
        self._location_annual = imported(Matching.ANNUAL, factor)
        average = series.intensity if series.export_intensity is None else series.export_intensity
        self._avoided = avoided(IntensityKind.AVERAGE, average)
        self._avoided_marginal = (
            None if series.marginal is None else avoided(IntensityKind.MARGINAL, series.marginal)
        )
        self._consumed = _known(Account.CONSUMED, consumption, series.consumption_carbon)
        self._exported = _known(Account.EXPORTED, series.grid_export, series.export_carbon)
        self._carriers = [
            _gappy(carrier.label, carrier.quantity, carrier.carbon, carrier.unit)
            for carrier in series.carriers
        ]

    def report(self, start: float, end: float) -> SiteReport:
        """Return the figures of [start, end), in seconds since 1970 UTC.

        An interval belongs to the period in which it begins. The end of a running period is now.
        Raises ImpossibleAmountError for moments that are no numbers.
        """
        period = Bounds(
            amount("start", start, signed=True), max(start, amount("end", end, signed=True))
        )
        window = Window(*self._series.within(period.start, period.end))
        location_hourly = self._location_hourly.over(window)
        location_annual = self._location_annual.over(window)
        market_hourly = self._market_hourly.over(window)
        market_annual = self._market_annual.over(window)
        stages = self._stages.over(window)
        carriers = tuple(carrier.over(window) for carrier in self._carriers)
        avoided = self._avoided.over(window)
        marginal = _over(self._avoided_marginal, window)
        consumed, exported = _over(self._consumed, window), _over(self._exported, window)
        ways = (location_hourly, location_annual, market_hourly, market_annual)
        # Generation is the location-based figure itself.
        parts = [
            stage.figure
            for stage in stages.values()
            if stage.figure.label.account is Account.VALUE_CHAIN
        ]
        totals = account_totals(
            [way.figure for way in ways], [*parts, *(carrier.figure for carrier in carriers)]
        )
        totals += tuple(
            told.figure for told in (avoided, marginal, consumed, exported) if told is not None
        )
        return SiteReport(
            period=period,
            zone=self._terms.zone,
            covered=(window.end - window.first) * self._series.seconds,
            energy=self._energy.over(window),
            location_hourly=location_hourly,
            location_annual=location_annual,
            market_hourly=market_hourly,
            market_annual=market_annual,
            years=tuple(self._matched_years(window)),
            stages=stages,
            stage_problems=self._stages.problems,
            carbon_free=self._clean.over(window),
            avoided=avoided,
            avoided_marginal=marginal,
            consumed=consumed,
            exported=exported,
            carriers=carriers,
            totals=totals,
            normalised=normalised(totals, self._terms.references, period, self._terms.zone),
        )

    def reports(self, start: float, end: float, period: Period) -> Iterator[SiteReport]:
        """Yield the report of each period in [start, end), the first and the last cut to it."""
        for piece in split(start, end, period, self._terms.zone):
            yield self.report(piece.start, piece.end)

    def _matched_years(self, window: Window) -> Iterator[MatchedYear]:
        """Yield the calendar years that a report touches."""
        imported = self._energy.sums["grid_import"]
        starts, seconds = self._series.starts, self._series.seconds
        for run in self._years:
            first, end = max(window.first, run.start), min(window.end, run.stop)
            if first >= end:
                continue
            year = bounds(Period.YEAR, float(starts[run.start]), self._terms.zone)
            load = imported.between(run.start, run.stop)
            middle = datetime.fromtimestamp((year.start + year.end) / 2, self._terms.zone)
            yield MatchedYear(
                year=middle.year,
                load=load,
                share=imported.between(first, end) / load if load > 0.0 else 0.0,
                from_start=float(starts[0]) < year.start + seconds,
                over=float(starts[-1]) + seconds >= year.end,
            )


def data_for(start: float, end: float, zone: tzinfo) -> Bounds:
    """Return what a series must hold (up to now) for a report over [start, end).

    These are whole calendar years, for annual matching, and whole hours, for the hourly one.
    """
    first = bounds(Period.YEAR, start, zone).start
    last = bounds(Period.YEAR, max(start, end - 1), zone).end
    return Bounds(first // HOUR * HOUR, -(-last // HOUR) * HOUR)


def _known(account: Account, energy: FloatArray, carbon: FloatArray) -> FigureSeries | None:
    """Return what the supply mix carried, None where it was never weighed."""
    if np.isnan(carbon).all():
        return None
    return _gappy(Label(account=account), energy, carbon)


def _gappy(
    label: Label, quantity: FloatArray, carbon: FloatArray, unit: str = "Wh"
) -> FigureSeries:
    """Return a figure of carbon that is known in some intervals."""
    gap = np.isnan(carbon)
    known = np.where(gap, 0.0, carbon)
    total = ExactSum(str(label), quantity)
    return FigureSeries(label, total, known, np.where(gap, quantity, 0.0), unit)


def _over(series: FigureSeries | None, window: Window) -> PeriodFigure | None:
    """Return a figure of a period, None where there is none."""
    return None if series is None else series.over(window)


def _plain(figure: PeriodFigure | None) -> dict[str, Any] | None:
    """Return a figure that may be missing as plain values."""
    return None if figure is None else figure.as_dict()


def _labelled(figure: Figure) -> dict[str, Any]:
    """Return what a figure is of, as plain values."""
    label = figure.label
    return {
        "account": label.account.value,
        "matching": None if label.matching is None else label.matching.value,
        "stage": None if label.stage is None else label.stage.value,
        "kind": label.kind.value,
        "carrier": label.carrier,
    }


def _iso(moment: float, zone: tzinfo) -> str:
    """Return a moment as the clock on the wall shows it, with its offset."""
    return datetime.fromtimestamp(moment, zone).isoformat()
