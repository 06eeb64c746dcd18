"""From hours to the step of a source."""

import numpy as np

from ..intervals import HOUR
from .history import Values


def in_steps(hours: Values, step: int) -> Values:
    """Return rows of hourly values in steps of `step` seconds, which divide an hour.

    What lies between follows straight lines from hour to hour, and the mean of each hour stays
    what it was, except where that would be less than 0.
    """
    per_hour = HOUR // step
    if per_hour == 1:
        return hours
    rows, count = hours.shape
    middles = np.arange(count) + 0.5
    places = (np.arange(count * per_hour) + 0.5) / per_hour
    between = np.stack([np.interp(places, middles, row) for row in hours])
    parts = between.reshape(rows, count, per_hour)
    parts = parts + (hours - parts.mean(axis=2))[:, :, None]
    steps: Values = np.maximum(parts.reshape(rows, -1), 0.0)
    return steps
