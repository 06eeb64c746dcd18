"""The band around a forecast, from how far forecasts of unseen days were off.

Signed residuals are divided by the error to expect at their origin, and their quantiles taken with
the correction for finite samples (split conformal prediction with normalised scores: Lei, G'Sell,
Rinaldo, Tibshirani and Wasserman, JASA 113, 2018), each tail for itself (Romano, Patterson and
Candès, Conformalized quantile regression, NeurIPS 2019), of residuals from cross-fitting (Barber,
Candès, Ramdas and Tibshirani, Predictive inference with the jackknife+, Annals of Statistics 49,
2021). Older residuals weigh less, because grids change (the same, Conformal prediction beyond
exchangeability, Annals of Statistics 51, 2023). Days count as samples, not hours, which err
together.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from .history import Values
from .hours import DAY
from .methods import HORIZON, LEADS
from .mixing import BUCKET

TAIL: Final = 0.1
"""What may lie below the band, and what above it."""

USED: Final = 366 * DAY
"""Hours of origins whose residuals count: every season once."""

_HALF_LIFE: Final = 180.0 * DAY
"""Hours in which a residual loses half its weight."""

_FEWEST: Final = 4
"""Days that an hour of the day needs for quantiles of its own."""

_BUCKETS: Final = HORIZON // BUCKET


@dataclass(frozen=True, kw_only=True, slots=True)
class Band:
    """Quantiles of residuals, in units of the error to expect: low, middle and high.

    Three tables of 12 buckets of leads by 24 hours of the day (UTC) that is forecast.
    """

    quantiles: Values

    @classmethod
    def of(cls, residuals: Values, hours: NDArray[np.int64]) -> Self:
        """Return the band of residuals: rows of 72 leads, the latest last, NaN where not known.

        `hours` are the hours of the day (UTC) that begin at the origins.
        """
        residuals, hours = residuals[-USED:], hours[-USED:]
        weights = 0.5 ** (np.arange(len(residuals) - 1, -1, -1) / _HALF_LIFE)
        weights = np.repeat(weights[:, None], BUCKET, axis=1)
        of_day = _of_day(hours)
        quantiles = np.zeros((3, _BUCKETS, DAY))
        for bucket in range(_BUCKETS):
            columns = slice(bucket * BUCKET, (bucket + 1) * BUCKET)
            known = np.isfinite(residuals[:, columns])
            errors, weight = residuals[:, columns][known], weights[known]
            hour = of_day[:, columns][known]
            order = np.argsort(errors)
            errors, weight, hour = errors[order], weight[order], hour[order]
            whole = _quantiles(errors, weight)
            for each in range(DAY):
                own = hour == each
                enough = np.count_nonzero(own) >= _FEWEST * BUCKET
                quantiles[:, bucket, each] = (
                    _quantiles(errors[own], weight[own]) if enough else whole
                )
        return cls(quantiles=quantiles)

    def around(self, values: Values, error: Values, hours: NDArray[np.int64]) -> Values:
        """Return p10, p50 and p90 of forecasts, rows of 72 leads; in order and at least 0."""
        bucket = (LEADS - 1) // BUCKET
        spread = self.quantiles[:, bucket[None, :], _of_day(hours)] * error
        return np.sort(np.maximum(values + spread, 0.0), axis=0)


def _of_day(hours: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the hour of the day of each lead; the first lead is the hour of the origin itself."""
    return (hours[:, None] + LEADS - 1) % DAY


def _quantiles(errors: Values, weights: Values) -> Values:
    """Return the low, middle and high quantile of sorted errors; none for no errors.

    The error that is to come has the weight of a new day and may lie beyond all others.
    """
    if len(errors) == 0:
        return np.zeros(3)
    below = np.cumsum(weights)
    total = below[-1]
    reach = (1 - TAIL) * (total + BUCKET)
    above = total - below + weights
    last = len(errors) - 1
    high = min(int(np.searchsorted(below, reach)), last)
    low = max(last - int(np.searchsorted(above[::-1], reach)), 0)
    middle = min(int(np.searchsorted(below, total / 2)), last)
    return errors[[low, middle, high]]
