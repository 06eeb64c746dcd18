"""Contracts for electricity that the market-based method counts with."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..flow.amounts import Amount, FloatArray, ImpossibleAmountError, amount, amounts
from ..intervals import HOUR


class ContractKind(StrEnum):
    """What a contract is, best first: the order in which load is given to contracts.

    Certificates, other contracts, the supplier's rate, the residual mix; where there is none of
    them the average of the location (GHG Protocol Scope 2 Guidance 2015, hierarchy of
    market-based factors, table 6.3).
    """

    CERTIFICATE = "certificate"
    PPA = "ppa"
    SUPPLIER_RATE = "supplier_rate"
    RESIDUAL_MIX = "residual_mix"


QUALITY: Final = tuple(ContractKind)

LONGEST_CERTIFICATE: Final = HOUR
"""Seconds; a certificate of a longer interval says nothing of an hour (EnergyTag GC standard)."""


class ContractError(ValueError):
    """A contract that says too little, or two things at once; `contract` is its id."""

    def __init__(self, contract: str, problem: str) -> None:
        """Name the contract and what is wrong with it."""
        self.contract = contract
        super().__init__(f"{contract}: {problem}")


@dataclass(frozen=True, kw_only=True)
class Contract:
    """One contract, as the user enters it.

    It covers a `volume` in Wh over the reporting period, a `share` of the load from 0 to 1, or
    a `profile` in Wh for each interval: one of them. A supplier's rate covers all of the load
    unless it says otherwise; a residual mix covers what is left and has none of them.

    Raises ContractError and ImpossibleAmountError for what cannot be.
    """

    id: str
    kind: ContractKind
    intensity: Amount
    """gCO2eq/kWh; one number, or one for each interval."""

    market: str
    """The boundary within which it can be used, such as a bidding zone or a country."""

    source: str = ""
    """Where the factor is written: registry, contract, supplier's disclosure."""

    valid_from: float | None = None
    valid_to: float | None = None
    """Seconds since 1970 UTC, half open; None for no bound."""

    volume: float | None = None
    share: float | None = None
    profile: Sequence[float] | FloatArray | None = None
    interval: float | None = None
    """Seconds of production that one certificate stands for; None for an hour at the most."""

    carbon_free: bool = False
    """Whether it counts for the score of carbon-free energy."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        amounts(f"intensity of {self.id}", self.intensity)
        covers = [part for part in (self.volume, self.share, self.profile) if part is not None]
        if self.kind is ContractKind.RESIDUAL_MIX:
            if covers:
                raise ContractError(self.id, "a residual mix covers what is left, nothing else")
        elif len(covers) > 1:
            raise ContractError(self.id, "give a volume, a share or a profile, not several")
        elif not covers and self.kind is not ContractKind.SUPPLIER_RATE:
            raise ContractError(self.id, "a volume, a share or a profile is missing")
        if self.volume is not None:
            amount(f"volume of {self.id}", self.volume)
        if self.share is not None and not 0.0 <= amount(f"share of {self.id}", self.share) <= 1.0:
            raise ImpossibleAmountError(f"share of {self.id}", f"{self.share} is more than all")
        if self.profile is not None:
            amounts(f"profile of {self.id}", self.profile)
        if self.interval is not None and amount(f"interval of {self.id}", self.interval) == 0.0:
            raise ImpossibleAmountError(f"interval of {self.id}", "it has no length")
        if None not in (self.valid_from, self.valid_to) and not self._is_period():
            raise ContractError(self.id, "it ends before it begins")

    def _is_period(self) -> bool:
        """Return whether the end comes after the beginning."""
        return (self.valid_from or 0.0) < (self.valid_to or 0.0)

    def valid_in(self, starts: FloatArray) -> NDArray[np.bool_]:
        """Return in which intervals it holds, by their beginnings."""
        first = -np.inf if self.valid_from is None else self.valid_from
        end = np.inf if self.valid_to is None else self.valid_to
        return (starts >= first) & (starts < end)
