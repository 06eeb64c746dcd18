"""Market-based scope 2: load is matched with contracts, by the year or by the hour.

    MB = sum of matched * factor + (load - matched) * residual mix

By the year the sums of the period are matched (GHG Protocol Scope 2 Guidance 2015). By the hour
what a contract delivered in an hour is matched with the load of that hour, and an excess cannot
be moved to another one (its proposed revision, in consultation from October to December 2025).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..flow.amounts import FloatArray, grams, per_interval
from ..intervals import HOUR
from .contracts import LONGEST_CERTIFICATE, QUALITY, Contract, ContractKind
from .figures import Account, Figure, Label, Matching
from .period import ReportedLoad

_OTHER_MARKET: Final = "it belongs to another market"
_NO_PROFILE: Final = "it says nothing of single hours"
_LONG_CERTIFICATE: Final = "its certificates are of more than an hour"


@dataclass(frozen=True, kw_only=True)
class ContractUse:
    """What became of one contract in the reporting period: energy in Wh, carbon in g."""

    contract: Contract
    offered: float
    matched: FloatArray
    """[T] Wh of the load that it covers."""

    carbon: float
    refused: str | None = None
    """Why nothing of it could be used, if so."""

    @property
    def excess(self) -> float:
        """Return the Wh that were offered and not needed; they are claimed nowhere else."""
        return max(0.0, self.offered - float(self.matched.sum()))


@dataclass(frozen=True, kw_only=True)
class MarketBased:
    """Market-based scope 2 of one reporting period, by one way of matching."""

    matching: Matching
    uses: tuple[ContractUse, ...]
    """In the order in which load was given to them."""

    residual: FloatArray
    """[T] Wh that no contract covers, weighed with a residual mix."""

    residual_carbon: float
    average: FloatArray
    """[T] Wh that no contract covers where no residual mix is known: the location's average."""

    average_carbon: float

    @property
    def figure(self) -> Figure:
        """Return the grams of the whole load."""
        carbon = sum(use.carbon for use in self.uses) + self.residual_carbon + self.average_carbon
        return Figure(
            label=Label(account=Account.MARKET_BASED, matching=self.matching), value=carbon
        )

    @property
    def matched(self) -> float:
        """Return the Wh of the load that contracts cover."""
        return float(sum(use.matched.sum() for use in self.uses))

    @property
    def carbon_free(self) -> FloatArray:
        """Return [T] Wh of the load that contracts for carbon-free energy cover."""
        covered = np.zeros_like(self.residual)
        for use in self.uses:
            if use.contract.carbon_free:
                covered += use.matched
        return covered


def market_based(
    load: ReportedLoad, contracts: Sequence[Contract], *, matching: Matching, location: object
) -> MarketBased:
    """Return market-based scope 2 of the gross import of one reporting period.

    `location` is the average of the location in gCO2eq/kWh, one number or one for each
    interval, for what neither a contract nor a residual mix covers. Contracts of other markets
    are refused. Certificates come first, then other contracts, then the supplier's rate, then
    residual mixes; within a kind in the order given.

    Raises ImpossibleAmountError for numbers that cannot be or do not fit.
    """
    rest = load.energy
    average = per_interval("location", location, load.length)
    uses = []
    for contract in sorted(contracts, key=lambda contract: QUALITY.index(contract.kind)):
        if contract.kind is ContractKind.RESIDUAL_MIX:
            continue
        use = _use(contract, load, rest, matching)
        rest = np.maximum(rest - use.matched, 0.0)
        uses.append(use)
    residual = np.zeros(load.length)
    carbon = 0.0
    for contract in contracts:
        if contract.kind is not ContractKind.RESIDUAL_MIX or contract.market != load.market:
            continue
        covered = np.where(contract.valid_in(load.starts), rest, 0.0)
        carbon += _carbon(contract, covered)
        residual += covered
        rest = rest - covered
    return MarketBased(
        matching=matching,
        uses=tuple(uses),
        residual=residual,
        residual_carbon=carbon,
        average=rest,
        average_carbon=float(grams(rest, average).sum()),
    )


def _use(
    contract: Contract, load: ReportedLoad, rest: FloatArray, matching: Matching
) -> ContractUse:
    """Match a contract with the load that those before it have left."""
    valid = contract.valid_in(load.starts)
    needed = np.where(valid, rest, 0.0)
    offered = np.where(valid, _offered(contract, load.energy, needed), 0.0)
    volume = float(offered.sum()) if contract.volume is None else float(contract.volume)
    refused = _refusal(contract, matching, load.market)
    if refused is not None:
        matched = np.zeros_like(needed)
    elif matching is Matching.ANNUAL:
        matched = match(needed, np.array([volume]), np.zeros(load.length, dtype=np.intp))
    else:
        blocks = load.blocks(HOUR if contract.interval is None else contract.interval)
        matched = match(needed, np.bincount(blocks, weights=offered).astype(float), blocks)
    return ContractUse(
        contract=contract,
        offered=volume,
        matched=matched,
        carbon=_carbon(contract, matched),
        refused=refused,
    )


def _refusal(contract: Contract, matching: Matching, market: str) -> str | None:
    """Return why a contract cannot be used at all, None where it can."""
    if contract.market != market:
        return _OTHER_MARKET
    if matching is Matching.ANNUAL:
        return None
    by_rate = contract.kind is ContractKind.SUPPLIER_RATE and contract.volume is None
    if contract.profile is None and not by_rate:
        return _NO_PROFILE
    if contract.interval is not None and contract.interval > LONGEST_CERTIFICATE:
        return _LONG_CERTIFICATE
    return None


def _offered(contract: Contract, load: FloatArray, needed: FloatArray) -> FloatArray:
    """Return what a contract offers in each interval; a volume says nothing of them."""
    if contract.volume is not None:
        return np.zeros_like(load)
    if contract.profile is not None:
        return per_interval(f"profile of {contract.id}", contract.profile, len(load))
    return needed if contract.share is None else load * contract.share


def _carbon(contract: Contract, energy: FloatArray) -> float:
    """Return the grams of energy under a contract."""
    factor = per_interval(f"intensity of {contract.id}", contract.intensity, len(energy))
    return float(grams(energy, factor).sum())


def match(load: FloatArray, offered: FloatArray, blocks: NDArray[np.intp]) -> FloatArray:
    """Return [T] Wh of the load that is covered: in each block the smaller of the two sums.

    `blocks` says to which block each interval belongs, `offered` [blocks] what is there for
    it. Within a block all of the load is covered to the same part.
    """
    needed = np.bincount(blocks, weights=load, minlength=len(offered)).astype(float)
    covered = np.minimum(needed, offered)
    part = np.divide(covered, needed, out=np.zeros_like(needed), where=needed > 0.0)
    matched: FloatArray = load * part[blocks]
    return matched
