"""Generation, the way to the site and the supply of fuel, each with the factors of its time."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ..accounting.figures import Account, Figure, Label, Matching
from ..accounting.stages import by_stage
from ..factors.factor import EmissionFactor, Stage
from ..factors.losses import delivered
from ..flow.amounts import FloatArray, grams
from .figures import Window, kilo
from .series import SiteSeries, SiteTerms
from .spans import stretches
from .sums import ExactSum

_KWH: Final = 1000.0


@dataclass(frozen=True, kw_only=True, slots=True)
class StageReport:
    """One stage of the imported electricity, by the factors of the year."""

    figure: Figure
    contained: float
    """Wh whose figure of another stage has this one in it already."""

    unknown: float
    """Wh for which nothing is known of this stage."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "kg_co2eq": kilo(self.figure.value),
            "account": self.figure.label.account.value,
            "contained_in_another_kwh": kilo(self.contained),
            "unknown_kwh": kilo(self.unknown),
        }


@dataclass(frozen=True, kw_only=True)
class _Stages:
    """What is known of one kWh, in g by stage; what is in the figure of another stage."""

    per_kwh: dict[Stage, float]
    contained: frozenset[Stage] = frozenset()


class StageSeries:
    """The stages of the import by interval, to be told over any period."""

    def __init__(self, series: SiteSeries, terms: SiteTerms) -> None:
        """Weigh the gross import with the factors of each day."""
        self.problems: tuple[str, ...] = ()
        """Factors that do not fit together: the days they hold have generation alone."""

        energy = series.grid_import
        weighed: dict[Stage, tuple[FloatArray, FloatArray, FloatArray]] = {
            stage: (np.zeros(len(energy)), np.zeros(len(energy)), energy.copy())
            for stage in _ACCOUNTS
            if stage is not Stage.UPSTREAM_AND_LOSSES or _is_combined(terms)
        }
        tracks = (terms.factors, terms.losses, terms.upstream)
        for run, (generation, losses, upstream) in stretches(tracks, series.starts, terms.zone):
            if generation is None:
                continue
            share = terms.loss_share if losses is None else None
            found = self._stages(generation, losses, share, upstream)
            for stage, (carbon, contained, unknown) in weighed.items():
                if stage in found.per_kwh:
                    carbon[run] = grams(energy[run], np.float64(found.per_kwh[stage]))
                    unknown[run] = 0.0
                elif stage in found.contained:
                    contained[run] = energy[run]
                    unknown[run] = 0.0
        self._sums = {
            stage: tuple(ExactSum(stage, array) for array in arrays)
            for stage, arrays in weighed.items()
        }

    def _stages(
        self,
        generation: EmissionFactor,
        losses: EmissionFactor | None,
        share: float | None,
        upstream: EmissionFactor | None,
    ) -> _Stages:
        """Return the stages of one kWh; generation alone where the factors do not fit."""
        try:
            known = by_stage(_KWH, generation, losses=losses, loss_share=share, upstream=upstream)
            within = set(
                delivered(generation, losses=losses, loss_share=share, upstream=upstream).within
            )
        except ValueError as err:
            self.problems += (str(err),) if str(err) not in self.problems else ()
            return _Stages(per_kwh={Stage.GENERATION: generation.value, Stage.USE: 0.0})
        if Stage.UPSTREAM_AND_LOSSES in known:
            within |= {Stage.TRANSMISSION_DISTRIBUTION, Stage.UPSTREAM}
        else:
            within.add(Stage.UPSTREAM_AND_LOSSES)
        return _Stages(
            per_kwh={stage: figure.value for stage, figure in known.items()} | {Stage.USE: 0.0},
            contained=frozenset(within),
        )

    def over(self, window: Window) -> dict[Stage, StageReport]:
        """Return the stages of a period in the order of the way."""
        reports = {}
        for stage, (carbon, contained, unknown) in self._sums.items():
            label = Label(account=_ACCOUNTS[stage], matching=Matching.ANNUAL, stage=stage)
            reports[stage] = StageReport(
                figure=Figure(label=label, value=window.of(carbon)),
                contained=window.of(contained),
                unknown=window.of(unknown),
            )
        return reports


def _is_combined(terms: SiteTerms) -> bool:
    """Return whether a table prints fuel supply and losses as one figure."""
    return any(
        span.factor is not None and span.factor.source.stage is Stage.UPSTREAM_AND_LOSSES
        for span in terms.losses
    )


_ACCOUNTS: Final = {
    Stage.GENERATION: Account.LOCATION_BASED,
    Stage.TRANSMISSION_DISTRIBUTION: Account.VALUE_CHAIN,
    Stage.UPSTREAM: Account.VALUE_CHAIN,
    Stage.UPSTREAM_AND_LOSSES: Account.VALUE_CHAIN,
    Stage.USE: Account.DIRECT,
}
"""Where each stage is reported. Electricity emits nothing where it is used."""
