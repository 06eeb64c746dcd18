"""The import matched with contracts, interval by interval, by the hour and by calendar years.

By the hour what a contract delivers in an hour is matched with the import of that hour. By the
year it is matched with the import of the whole calendar year so far, even where a report is of a
part of it: to the part belongs the share that it has in the year by energy. Within an hour, or a
year, each watt-hour that a contract could cover is covered to the same part. So either way each
interval has its own part of every contract, whatever period is asked for, and periods add up.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo

import numpy as np
from numpy.typing import NDArray

from ..accounting.contracts import Contract, ContractKind
from ..accounting.figures import Matching
from ..accounting.market import MarketBased, market_based
from ..accounting.period import ReportedLoad
from ..flow.amounts import FloatArray, grams, per_interval
from ..intervals import HOUR
from .periods import Period, split
from .series import SiteSeries, SiteTerms, weigh


@dataclass(frozen=True, kw_only=True)
class MatchedContract:
    """What became of one contract, [T]: energy in Wh, carbon in g."""

    contract: Contract
    valid: NDArray[np.bool_]
    offered: FloatArray
    covered: FloatArray
    excess: FloatArray
    carbon: FloatArray
    refused: str | None


@dataclass(frozen=True, kw_only=True)
class MatchedImport:
    """The import by what it is weighed with, [T]: energy in Wh, carbon in g."""

    matching: Matching
    contracts: tuple[MatchedContract, ...]
    residual: FloatArray
    residual_carbon: FloatArray
    average: FloatArray
    """What neither a contract nor a residual mix covers."""

    average_carbon: FloatArray
    unweighed: FloatArray
    """The part of `average` for which the location has no figure."""

    @property
    def carbon(self) -> FloatArray:
        """Return the carbon of all of it."""
        carbon = self.residual_carbon + self.average_carbon
        for contract in self.contracts:
            carbon = carbon + contract.carbon
        return carbon


def match_hourly(series: SiteSeries, terms: SiteTerms) -> MatchedImport:
    """Match each hour by itself; what is left has the intensity of its interval.

    Raises ImpossibleAmountError for contracts that do not fit the intervals.
    """
    load = _load(series, terms, slice(0, series.length))
    years = years_of(series, terms.zone)
    return _match(load, terms.contracts, Matching.HOURLY, series.intensity, years)


def match_annual(series: SiteSeries, terms: SiteTerms, location: FloatArray) -> MatchedImport:
    """Match each calendar year by itself; what is left has the factor of the location, [T].

    Raises ImpossibleAmountError for contracts that do not fit the intervals.
    """
    parts = []
    for run in years_of(series, terms.zone):
        contracts = [_cut(contract, run, series.length) for contract in terms.contracts]
        load = _load(series, terms, run)
        whole = [slice(0, load.length)]
        parts.append(_match(load, contracts, Matching.ANNUAL, location[run], whole))
    return _joined(parts)


def years_of(series: SiteSeries, zone: tzinfo) -> list[slice]:
    """Return the intervals of each calendar year of the zone that the series reaches into."""
    if not series.length:
        return [slice(0, 0)]
    last = float(series.starts[-1])
    years = split(float(series.starts[0]), last + series.seconds, Period.YEAR, zone)
    runs = [slice(*series.within(year.start, year.end)) for year in years]
    return [run for run in runs if run.start < run.stop]


def _load(series: SiteSeries, terms: SiteTerms, run: slice) -> ReportedLoad:
    """Return the import of a run of intervals."""
    return ReportedLoad(
        load=series.grid_import[run],
        start_times=series.starts[run],
        seconds=series.seconds,
        market=terms.market,
    )


def _match(
    load: ReportedLoad,
    contracts: Sequence[Contract],
    matching: Matching,
    location: FloatArray,
    years: Sequence[slice],
) -> MatchedImport:
    """Match an import with contracts, and tell the part of each interval."""
    known = np.where(np.isnan(location), 0.0, location)
    result = market_based(load, contracts, matching=matching, location=known)
    blocks = np.zeros(load.length, dtype=np.intp)
    hours = load.blocks(HOUR) if matching is Matching.HOURLY else blocks
    rest = load.energy
    matched = []
    for use in result.uses:
        contract = use.contract
        valid = contract.valid_in(load.starts)
        needed = np.where(valid, rest, 0.0)
        offered = _offered(contract, load, valid, needed, years)
        if matching is Matching.HOURLY:
            blocks = hours if contract.interval is None else load.blocks(contract.interval)
        matched.append(
            MatchedContract(
                contract=contract,
                valid=valid,
                offered=offered,
                covered=use.matched,
                excess=_excess(offered, use.matched, blocks),
                carbon=_carbon(contract, use.matched),
                refused=use.refused,
            )
        )
        rest = np.maximum(rest - use.matched, 0.0)
    average_carbon, unweighed = weigh(result.average, location)
    return MatchedImport(
        matching=matching,
        contracts=tuple(matched),
        residual=result.residual,
        residual_carbon=_residual_carbon(result, load, contracts),
        average=result.average,
        average_carbon=average_carbon,
        unweighed=unweighed,
    )


def _offered(
    contract: Contract,
    load: ReportedLoad,
    valid: NDArray[np.bool_],
    needed: FloatArray,
    years: Sequence[slice],
) -> FloatArray:
    """Return [T] Wh that a contract offers; the volume of a year by the import of the year."""
    if contract.profile is not None:
        profile = per_interval(f"profile of {contract.id}", contract.profile, load.length)
        return np.where(valid, profile, 0.0)
    if contract.volume is not None:
        offered = np.zeros(load.length)
        for year in years:
            share = np.where(valid[year], load.energy[year], 0.0)
            share = share if share.any() else valid[year].astype(np.float64)
            if share.any():
                offered[year] = contract.volume * (share / share.sum())
        return offered
    return needed if contract.share is None else np.where(valid, load.energy * contract.share, 0.0)


def _excess(offered: FloatArray, covered: FloatArray, blocks: NDArray[np.intp]) -> FloatArray:
    """Return [T] Wh that were not needed in their hour or year, each offer by the same part."""
    there = np.bincount(blocks, weights=offered).astype(np.float64)
    left = np.maximum(there - np.bincount(blocks, weights=covered), 0.0)
    part = np.divide(left, there, out=np.zeros_like(there), where=there > 0.0)
    excess: FloatArray = offered * part[blocks]
    return excess


def _carbon(contract: Contract, energy: FloatArray) -> FloatArray:
    """Return [T] g of energy under a contract."""
    name = f"intensity of {contract.id}"
    return grams(energy, per_interval(name, contract.intensity, len(energy)))


def _residual_carbon(
    result: MarketBased, load: ReportedLoad, contracts: Sequence[Contract]
) -> FloatArray:
    """Return [T] g of what has a residual mix: the first one of the market that is valid."""
    carbon = np.zeros(load.length)
    free = np.ones(load.length, dtype=np.bool_)
    for contract in contracts:
        if contract.kind is ContractKind.RESIDUAL_MIX and contract.market == load.market:
            its = free & contract.valid_in(load.starts)
            carbon += _carbon(contract, np.where(its, result.residual, 0.0))
            free &= ~its
    return carbon


def _cut(contract: Contract, run: slice, length: int) -> Contract:
    """Return a contract whose figures by interval are those of a run of intervals."""

    def part(name: str, values: object) -> FloatArray:
        return per_interval(f"{name} of {contract.id}", values, length)[run]

    if contract.profile is not None:
        contract = replace(contract, profile=part("profile", contract.profile))
    return replace(contract, intensity=part("intensity", contract.intensity))


def _joined(parts: Sequence[MatchedImport]) -> MatchedImport:
    """Return matched years, one after the other, as one run of intervals."""
    if len(parts) == 1:
        return parts[0]
    return MatchedImport(
        matching=parts[0].matching,
        contracts=tuple(
            replace(
                same[0],
                valid=np.concatenate([part.valid for part in same]),
                offered=np.concatenate([part.offered for part in same]),
                covered=np.concatenate([part.covered for part in same]),
                excess=np.concatenate([part.excess for part in same]),
                carbon=np.concatenate([part.carbon for part in same]),
            )
            for same in zip(*(part.contracts for part in parts), strict=True)
        ),
        residual=np.concatenate([part.residual for part in parts]),
        residual_carbon=np.concatenate([part.residual_carbon for part in parts]),
        average=np.concatenate([part.average for part in parts]),
        average_carbon=np.concatenate([part.average_carbon for part in parts]),
        unweighed=np.concatenate([part.unweighed for part in parts]),
    )
