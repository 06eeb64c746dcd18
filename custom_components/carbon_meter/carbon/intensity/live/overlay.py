"""Intervals over intervals: the better ones where they are, the others around them."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..source import IntensityInterval


def overlaid(
    above: Sequence[IntensityInterval], below: Iterable[IntensityInterval]
) -> list[IntensityInterval]:
    """Return all of `above`, and of `below` what it does not cover.

    Both are in order and do not overlap, and so is the result.
    """
    ends = [interval.end for interval in above]
    merged = list(above)
    for interval in below:
        position = interval.start
        index = bisect_right(ends, position)
        while position < interval.end:
            stop = above[index].start if index < len(above) else interval.end
            if position < min(stop, interval.end):
                merged.append(replace(interval, start=position, end=min(stop, interval.end)))
            position = above[index].end if index < len(above) else interval.end
            index += 1
    return sorted(merged, key=lambda interval: interval.start)


def cut(
    intervals: Sequence[IntensityInterval], start: float, end: float
) -> list[IntensityInterval]:
    """Return what lies in [start, end) of intervals that are in order and do not overlap."""
    first = bisect_right(intervals, start, key=lambda interval: interval.end)
    last = bisect_left(intervals, end, lo=first, key=lambda interval: interval.start)
    inside = list(intervals[first:last])
    if inside and inside[0].start < start:
        inside[0] = replace(inside[0], start=start)
    if inside and inside[-1].end > end:
        inside[-1] = replace(inside[-1], end=end)
    return inside
