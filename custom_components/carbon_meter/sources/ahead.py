"""The hours ahead, put together from a source's own forecast and ours."""

from collections.abc import Iterable
import math
from typing import Final

import numpy as np

from ..carbon.forecast.forecast import Forecast
from ..carbon.forecast.history import Values
from ..carbon.forecast.methods import HORIZON
from ..carbon.grade import Grade
from ..carbon.intensity.source import IntensityInterval
from ..carbon.intervals import HOUR

_OF_SOURCES: Final = frozenset({Grade.MEASURED, Grade.ESTIMATED, Grade.FORECAST})


def put_together(
    told: Iterable[IntensityInterval], ours: Forecast | None, step: int, moment: float
) -> Forecast | None:
    """Return what is known of the 72 hours from the step on that is running at a moment.

    `told` is what the sources know of that time, `ours` our newest forecast, whose step counts
    where there is one. In each step the middle is the source's, as far as it reaches, then ours.
    A source gives no band: around its value the band is as far away as in ours around our middle;
    where there is no forecast of ours the three are the same, which says that nobody knows how
    certain it is. The steps end where nobody knows more; None where that is at once.
    """
    step = ours.step if ours is not None else step
    start = math.floor(moment / step) * step
    count = HORIZON * HOUR // step
    p10, p50, p90 = _ours(ours, start, count)
    own = _told(told, start, step, count)
    known = np.isfinite(own)
    has_band = known & np.isfinite(p50)
    below, above = np.where(has_band, p50 - p10, 0.0), np.where(has_band, p90 - p50, 0.0)
    p10 = np.where(known, np.maximum(own - below, 0.0), p10)
    p90 = np.where(known, own + above, p90)
    p50 = np.where(known, own, p50)
    holes = np.flatnonzero(~np.isfinite(p50))
    end = int(holes[0]) if len(holes) else count
    if end == 0:
        return None
    return Forecast(
        made=moment, start=start, step=step, p10=p10[:end], p50=p50[:end], p90=p90[:end]
    )


def _ours(ours: Forecast | None, start: int, count: int) -> Values:
    """Return our three rows on the steps from `start` on, NaN where they do not reach."""
    rows = np.full((3, count), np.nan)
    if ours is not None:
        skipped = (start - ours.start) // ours.step
        if skipped >= 0:
            known = np.stack([ours.p10, ours.p50, ours.p90])[:, skipped : skipped + count]
            rows[:, : known.shape[1]] = known
    return rows


def _told(told: Iterable[IntensityInterval], start: int, step: int, count: int) -> Values:
    """Return the means of what sources told, NaN for steps of which less than half is known.

    `told` is in order and does not overlap. That a measured value stays beyond the step that is
    running is no forecast.
    """
    rows: list[tuple[float, float, float]] = []
    for interval in told:
        if interval.grade in _OF_SOURCES:
            reach = start + (count if interval.grade is Grade.FORECAST else 1) * step
            begin, end = max(interval.start, start), min(interval.end, reach)
            if begin < end:
                rows.append((begin, end, interval.value))
    if not rows:
        return np.full(count, np.nan)
    begins, ends, values = np.array(rows).T
    # What is known up to each of their ends, in seconds and in seconds times grams.
    moments = np.stack([begins, ends], axis=1).ravel()
    lengths = np.stack([np.zeros(len(rows)), ends - begins], axis=1)
    edges = start + step * np.arange(count + 1)
    covered = np.diff(np.interp(edges, moments, np.cumsum(lengths)))
    weighted = np.diff(np.interp(edges, moments, np.cumsum(lengths * values[:, None])))
    enough = covered >= step / 2
    # The difference of two sums may be a hair below 0.
    return np.where(enough, np.maximum(weighted, 0.0) / np.where(enough, covered, 1.0), np.nan)
