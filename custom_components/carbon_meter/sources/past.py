"""What the sources of a site know of the past, for energy that was before the site."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final

from ..carbon.intensity.live.errors import ProviderError
from ..carbon.intensity.live.live_source import Past
from ..carbon.intensity.live.overlay import cut
from ..carbon.intensity.source import IntensityInterval
from ..const import LOGGER
from .refreshed import said_by
from .rung import Rung

_TRIES: Final = 3
"""Times that one source is asked again for the same piece."""

_LONGEST_WAIT: Final = 900.0
"""Seconds that are waited for a source that says when to ask again."""

_NEAR: Final = 7 * 86400.0
"""Seconds; holes that are closer are asked for together."""

type Stretch = tuple[float, float]


async def past_of(rungs: Iterable[Rung], start: float, end: float) -> AsyncIterator[Past]:
    """Yield what sources know of [start, end): each what those before it have left.

    The intervals of all pieces together do not overlap; those of one source come oldest first.
    Nothing is raised: a source that cannot say goes into the log, and the next one is asked.
    """
    holes: list[Stretch] = [(start, end)] if start < end else []
    for rung in rungs:
        left = holes
        for begin, stop in _together(holes):
            async for past in _asked(rung, begin, stop):
                intervals = _within(past.intervals, left)
                left = _without(left, intervals)
                yield Past(start=past.start, end=past.end, intervals=tuple(intervals))
        holes = left
        if not holes:
            return


async def _asked(rung: Rung, start: float, end: float) -> AsyncIterator[Past]:
    """Yield what one source knows; waits when it says that it will know later."""
    failures = 0
    while start < end:
        try:
            async for past in rung.history(start, end):
                failures = 0
                start = past.end
                yield past
        except Exception as err:  # noqa: BLE001  # whatever it is, the next source is asked
            wait = err.retry_after if isinstance(err, ProviderError) else None
            failures += 1
            if wait is None or wait > _LONGEST_WAIT or failures > _TRIES:
                LOGGER.warning("%s: its history is not known: %s", rung.info.name, said_by(err))
                return
            await asyncio.sleep(wait)
        else:
            return


def _together(holes: Sequence[Stretch]) -> list[Stretch]:
    """Return stretches that cover holes, each so long that it is worth a query."""
    found: list[Stretch] = []
    for start, end in holes:
        if found and start - found[-1][1] < _NEAR:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def _within(
    intervals: Sequence[IntensityInterval], holes: Iterable[Stretch]
) -> list[IntensityInterval]:
    """Return what of intervals lies in holes."""
    return [each for start, end in holes for each in cut(intervals, start, end)]


def _without(holes: Sequence[Stretch], intervals: Sequence[IntensityInterval]) -> list[Stretch]:
    """Return what of holes is left by intervals that are in order and lie in them."""
    left: list[Stretch] = []
    for start, end in holes:
        position = start
        for each in cut(intervals, start, end):
            if each.start > position:
                left.append((position, each.start))
            position = each.end
        if position < end:
            left.append((position, end))
    return left
