"""The simple ways to forecast: they need no fitting and no more than a few weeks of history."""

from typing import Final

import numpy as np

from .history import Values
from .hours import DAY, WEEK, Hours

HORIZON: Final = 72
"""Hours."""

LEADS: Final = np.arange(1, HORIZON + 1)
"""How many hours after the last known one each hour of a forecast lies."""

_WEEK_DAYS: Final = 7
_PROFILE_DAYS: Final = 28
LONGEST_LOOK: Final = _PROFILE_DAYS * DAY + WEEK
"""Hours before its origin that a method looks at."""

_DECAY: Final = 36.0
"""Hours in which what is unusual now has gone down to 1/e."""


def same_hour_before(values: Values, days: int, *, ahead: int = DAY, apart: int = DAY) -> Values:
    """Return for every hour the mean of the same hour of up to `days` days before.

    The result is `ahead` hours longer than the values: the hours that can be told from them.
    Days are `apart` hours apart. Where no day before is known, the first value stands.
    """
    size = len(values) + ahead
    sums, counts = np.zeros(size), np.zeros(size)
    for day in range(1, days + 1):
        offset = apart * day
        if offset >= size:
            break
        part = values[: size - offset]
        sums[offset : offset + len(part)] += part
        counts[offset : offset + len(part)] += 1
    return np.where(counts > 0, sums / np.maximum(counts, 1), values[0])


def trailing_mean(values: Values, hours: int) -> Values:
    """Return for every hour the mean of the last hours, itself included."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    last = np.arange(1, len(values) + 1)
    first = np.maximum(last - hours, 0)
    means: Values = (sums[last] - sums[first]) / (last - first)
    return means


def _latest_days(expected: Values, first: int, last: int) -> Values:
    """Return a row of 72 leads per origin: what is expected of the day after it, thrice."""
    rows = np.lib.stride_tricks.sliding_window_view(expected[first + 1 : last + DAY], DAY)
    return np.tile(rows, (1, HORIZON // DAY))


def yesterday(hours: Hours, first: int, last: int) -> Values:
    """Forecast by the same hour of the last day known (persistence), for origins [first, last).

    An origin is the place of the last known hour; the result has a row of 72 leads for each.
    """
    shifted = np.concatenate([np.full(DAY, hours.values[0]), hours.values])
    return _latest_days(shifted, first, last)


def week_mean(hours: Hours, first: int, last: int) -> Values:
    """Forecast by the mean of each hour of the day over the last seven days."""
    return _latest_days(same_hour_before(hours.values, _WEEK_DAYS), first, last)


def profile(hours: Hours, first: int, last: int) -> Values:
    """Forecast by the mean of each hour over 28 days, plus what is unusual now and fades."""
    usual = same_hour_before(hours.values, _PROFILE_DAYS)
    level = trailing_mean(hours.values - usual[: len(hours.values)], WEEK)[first:last, None]
    unusual = (hours.values - usual[: len(hours.values)])[first:last, None]
    fading = np.exp(-LEADS / _DECAY)
    forecasts: Values = _latest_days(usual, first, last) + level + (unusual - level) * fading
    return forecasts
