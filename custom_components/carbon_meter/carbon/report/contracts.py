"""Market-based scope 2 of a period, with what became of each contract."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ..accounting.contracts import Contract
from ..accounting.figures import Account, Figure, Label
from .figures import FigureSeries, PeriodFigure, Window, kilo
from .matching import MatchedContract, MatchedImport
from .sums import ExactSum

_NOT_VALID: Final = "it is not valid in this time"

_REST: Final = ("residual", "residual_carbon", "average", "average_carbon")
_PARTS: Final = ("offered", "covered", "excess", "carbon")


@dataclass(frozen=True, kw_only=True, slots=True)
class ContractReport:
    """One contract in a period; energy in Wh."""

    contract: Contract
    offered: float
    covered: float
    """Of the import."""

    excess: float
    """Offered and not needed; it is claimed nowhere else."""

    carbon: Figure
    refused: str | None
    """Why nothing of it could be used, if so."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "id": self.contract.id,
            "kind": self.contract.kind.value,
            "market": self.contract.market,
            "source": self.contract.source,
            "carbon_free": self.contract.carbon_free,
            "offered_kwh": kilo(self.offered),
            "covered_kwh": kilo(self.covered),
            "excess_kwh": kilo(self.excess),
            "kg_co2eq": kilo(self.carbon.value),
            "refused": self.refused,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class MarketReport:
    """Market-based scope 2 by one way of matching; energy in Wh."""

    total: PeriodFigure
    contracts: tuple[ContractReport, ...]
    """In the order in which import was given to them."""

    residual: float
    """What a residual mix weighs."""

    residual_carbon: Figure
    average: float
    """What the average of the location weighs; unweighed parts included."""

    average_carbon: Figure

    @property
    def figure(self) -> Figure:
        """Return the grams of the whole import."""
        return self.total.figure

    @property
    def covered(self) -> float:
        """Return the Wh of the import that contracts cover."""
        return sum(contract.covered for contract in self.contracts)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return self.total.as_dict() | {
            "contracts": [contract.as_dict() for contract in self.contracts],
            "residual_mix": {
                "kwh": kilo(self.residual),
                "kg_co2eq": kilo(self.residual_carbon.value),
            },
            "location_average": {
                "kwh": kilo(self.average),
                "kg_co2eq": kilo(self.average_carbon.value),
            },
        }


class MarketSeries:
    """An import that is matched with contracts, to be told over any period."""

    def __init__(self, matched: MatchedImport, load: ExactSum) -> None:
        """Take what the import was matched with, and its sums in Wh."""
        self._label = Label(account=Account.MARKET_BASED, matching=matched.matching)
        self._total = FigureSeries(self._label, load, matched.carbon, matched.unweighed)
        self._contracts = [_ContractSeries(use, self._label) for use in matched.contracts]
        self._rest = {name: ExactSum(name, getattr(matched, name)) for name in _REST}

    def over(self, window: Window) -> MarketReport:
        """Return the market-based figure of a period."""
        rest = {name: window.of(total) for name, total in self._rest.items()}
        return MarketReport(
            total=self._total.over(window),
            contracts=tuple(contract.over(window) for contract in self._contracts),
            residual=rest["residual"],
            residual_carbon=Figure(label=self._label, value=rest["residual_carbon"]),
            average=rest["average"],
            average_carbon=Figure(label=self._label, value=rest["average_carbon"]),
        )


class _ContractSeries:
    """What became of one contract, to be told over any period."""

    def __init__(self, use: MatchedContract, label: Label) -> None:
        """Take the contract by interval."""
        name = use.contract.id
        self._contract = use.contract
        self._refused = use.refused
        self._label = label
        self._valid = ExactSum(name, use.valid.astype(np.float64))
        self._sums = {part: ExactSum(name, getattr(use, part)) for part in _PARTS}

    def over(self, window: Window) -> ContractReport:
        """Return what became of it in a period."""
        sums = {part: window.of(total) for part, total in self._sums.items()}
        return ContractReport(
            contract=self._contract,
            offered=sums["offered"],
            covered=sums["covered"],
            excess=sums["excess"],
            carbon=Figure(label=self._label, value=sums["carbon"]),
            refused=self._refused or (None if window.of(self._valid) else _NOT_VALID),
        )
