"""From factors that hold for days to factors of intervals."""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from itertools import pairwise

import numpy as np

from ..factors.editions import Span
from ..factors.factor import EmissionFactor
from ..flow.amounts import FloatArray
from .periods import start_of


def by_interval(spans: Sequence[Span], starts: FloatArray, zone: tzinfo) -> FloatArray:
    """Return [T] gCO2eq/kWh: the factor that holds when each interval begins, NaN for none."""
    values = np.full(len(starts), np.nan)
    for span in spans:
        first, end = np.searchsorted(starts, _edges(span, zone))
        if span.factor is not None:
            values[first:end] = span.factor.value
    return values


def stretches(
    tracks: Sequence[Sequence[Span]], starts: FloatArray, zone: tzinfo
) -> Iterator[tuple[slice, tuple[EmissionFactor | None, ...]]]:
    """Yield runs of intervals in which the factor of every track stays, with these factors."""
    placed = [
        [(*np.searchsorted(starts, _edges(span, zone)).tolist(), span.factor) for span in track]
        for track in tracks
    ]
    turns = {0, len(starts)} | {edge for track in placed for span in track for edge in span[:2]}
    ordered = sorted(turns)
    for first, end in pairwise(ordered):
        factors = (
            next((factor for begin, stop, factor in track if begin <= first < stop), None)
            for track in placed
        )
        yield slice(first, end), tuple(factors)


def _edges(span: Span, zone: tzinfo) -> tuple[int, int]:
    """Return the first second of a span and the one after its last."""
    return start_of(span.start, zone), start_of(span.end, zone)
