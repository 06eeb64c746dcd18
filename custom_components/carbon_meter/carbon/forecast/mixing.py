"""Several forecasts become one: each weighs what it deserved over the last weeks.

Weights are powers of the mean absolute error, per quarter of a day of lead, of what each method
forecast for the hours that are known by now (combination of forecasts by inverse error: Bates
and Granger, Operational Research Quarterly 20, 1969). So the regression gives way where it does
not suit a grid, and the profile takes over at the leads where it is better.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from .history import Values
from .hours import DAY
from .methods import HORIZON

BUCKET: Final = 6
"""Hours of lead that share their weights."""

MEMORY: Final = 28 * DAY
"""Hours over which errors count."""

_POWER: Final = 8.0
_TINY: Final = 0.01
"""gCO2eq/kWh; errors below are none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mixed:
    """The common forecast of each origin, a row of 72 leads, and the error to expect of it."""

    values: Values
    error: Values
    """Mean absolute error of the methods over the last weeks, weighted as they are.

    Never 0; NaN before anything is known.
    """


def mix(forecasts: Sequence[Values], truth: Values) -> Mixed:
    """Mix forecasts of consecutive origins by what was known at each.

    `truth` is what came in the hour after the first origin and in all later ones that are known,
    NaN where nothing is; a row of the result uses that of hours up to its origin only. Before
    anything is known, all weigh the same.
    """
    errors = np.stack([_recent_errors(forecast, truth) for forecast in forecasts])
    known = np.nan_to_num(errors)
    weights = ((known + _TINY) / (known.min(axis=0) + _TINY)) ** -_POWER
    weights /= weights.sum(axis=0)
    values = np.zeros_like(forecasts[0])
    for forecast, weight in zip(forecasts, weights, strict=True):
        values += np.repeat(weight, BUCKET, axis=1) * forecast
    error = np.repeat((weights * errors).sum(axis=0) + _TINY, BUCKET, axis=1)
    return Mixed(values=values, error=error)


def _recent_errors(forecast: Values, truth: Values) -> Values:
    """Return the mean absolute error per bucket of leads that is known at each origin."""
    origins = len(forecast)
    # Row k of what came belongs to the origin k: the hour itself is the row before.
    summed = np.zeros((origins, HORIZON // BUCKET))
    counted = np.zeros((origins, HORIZON // BUCKET))
    for lead in range(1, HORIZON + 1):
        came = truth[lead - 1 : origins - 1]
        off = np.abs(came - forecast[: len(came), lead - 1])
        known = np.isfinite(off)
        rows = slice(lead, lead + len(came))
        summed[rows, (lead - 1) // BUCKET] += np.where(known, off, 0.0)
        counted[rows, (lead - 1) // BUCKET] += known
    total, count = _windowed(summed), _windowed(counted)
    error: Values = np.where(count < BUCKET, np.nan, total / np.maximum(count, 1))
    # Where leads this long have not come true yet, shorter ones speak for them.
    for bucket in range(1, error.shape[1]):
        missing = np.isnan(error[:, bucket])
        error[missing, bucket] = error[missing, bucket - 1]
    return error


def _windowed(rows: Values) -> Values:
    """Return the sums over the last `MEMORY` rows."""
    sums = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0)])
    last = np.arange(1, len(rows) + 1)
    window: Values = np.maximum(sums[last] - sums[np.maximum(last - MEMORY, 0)], 0.0)
    return window
