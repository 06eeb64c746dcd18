"""The 24/7 score of a period: which part of the consumption was carbon-free in its own hour.

The formula is that of `accounting.carbon_free`, on hours since 1970 UTC. Within an hour each
watt-hour of the consumption is matched to the same part, so that periods add up.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..accounting.carbon_free import CarbonFreeScore
from ..accounting.market import match
from ..flow.amounts import FloatArray
from ..intervals import HOUR
from .figures import Window, kilo, part
from .matching import MatchedImport
from .series import SiteSeries
from .sums import ExactSum


@dataclass(frozen=True, kw_only=True, slots=True)
class CarbonFreeReport:
    """Energy of the score in Wh; the score is their quotient."""

    load: float
    matched: float
    """Covered by own sources, storage and contracts in the same hour."""

    by_grid: float
    """The carbon-free part of what the grid delivered beyond that."""

    clean: float
    """What own sources, storage and contracts gave of carbon-free energy at any hour."""

    excess: float
    share_unknown: float
    """Energy of the grid whose carbon-free part nobody told: it counts as none."""

    @property
    def score(self) -> CarbonFreeScore | None:
        """Return the score of the period, None without a load."""
        if self.load == 0.0:
            return None
        return CarbonFreeScore(
            score=(self.matched + self.by_grid) / self.load,
            contracted=self.matched / self.load,
            volumetric=min(1.0, self.clean / self.load),
            excess=self.excess,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        score = self.score
        return {
            "score": None if score is None else part(score.score),
            "contracted": None if score is None else part(score.contracted),
            "volumetric": None if score is None else part(score.volumetric),
            "load_kwh": kilo(self.load),
            "matched_kwh": kilo(self.matched),
            "by_grid_kwh": kilo(self.by_grid),
            "excess_kwh": kilo(self.excess),
            "grid_share_unknown_kwh": kilo(self.share_unknown),
        }


class CarbonFreeSeries:
    """The energy of the score by interval, to be told over any period."""

    def __init__(
        self, series: SiteSeries, consumption: FloatArray, contracted: MatchedImport
    ) -> None:
        """Take the consumption in Wh, and the import as it was matched by the hour."""
        clean = own_clean(series)
        for use in contracted.contracts:
            if use.contract.carbon_free and use.refused is None:
                clean = clean + use.offered
        hours = np.unique(series.starts // max(HOUR, series.seconds), return_inverse=True)[1]
        there = np.bincount(hours, weights=clean).astype(np.float64)
        matched = match(consumption, there, hours)
        used = np.bincount(hours, weights=matched)
        left = np.divide(
            np.maximum(there - used, 0.0), there, out=np.zeros_like(there), where=there > 0.0
        )
        rest = np.maximum(consumption - matched, 0.0)
        unknown = np.isnan(series.carbon_free)
        parts = {
            "load": consumption,
            "matched": matched,
            "by_grid": rest * np.where(unknown, 0.0, series.carbon_free),
            "clean": clean,
            "excess": clean * left[hours],
            "share_unknown": np.where(unknown, rest, 0.0),
        }
        self._sums = {name: ExactSum(name, wh) for name, wh in parts.items()}

    def over(self, window: Window) -> CarbonFreeReport:
        """Return the score of a period."""
        return CarbonFreeReport(**{name: window.of(total) for name, total in self._sums.items()})


def own_clean(series: SiteSeries) -> FloatArray:
    """Return [T] Wh of carbon-free energy that own sources and storage gave.

    Solar that charges a battery counts when the battery gives it back. Of a charge as much is
    solar as `solar_charge` says, else what neither the import of the interval can have been nor
    the export was: too little rather than too much. A battery gives the mix of what it holds; its
    round trip loses what the sums of the series say.
    """
    solar = series.solar
    if not series.charge.any() and not series.discharge.any():
        return solar
    left = np.maximum(solar - series.grid_export, 0.0)
    own = np.clip(series.charge - series.grid_import, 0.0, left)
    if series.solar_charge is not None:
        own = np.minimum(series.solar_charge, np.minimum(series.charge, solar))
    stored, given = float(series.charge.sum()), float(series.discharge.sum())
    kept = min(1.0, given / stored) if stored > 0.0 else 1.0
    clean = solar - own
    content = solar_content = 0.0
    back = np.zeros(series.length)
    busy = np.flatnonzero((series.charge > 0.0) | (series.discharge > 0.0))
    for place, taken, from_solar, out in zip(
        busy.tolist(),
        (series.charge[busy] * kept).tolist(),
        (own[busy] * kept).tolist(),
        series.discharge[busy].tolist(),
        strict=True,
    ):
        if out > 0.0 and content > 0.0:
            taken_out = min(1.0, out / content)
            back[place] = solar_content * taken_out
            content -= content * taken_out
            solar_content -= solar_content * taken_out
        content += taken
        solar_content += from_solar
    return clean + back
