"""Tells when a store asks for a new plan: it is lost, found, beyond its limits, off its plan."""

from typing import Final

import numpy as np

from .job import Planned

_AGAIN: Final = 600.0
"""s between two new plans for that."""


class Watch:
    """Compares the content of a store, such as a temperature, with its limits and its plan."""

    def __init__(self, low: float, high: float, *, allowed: float) -> None:
        """Start with a content that is not known; so much it may be off its plan."""
        self._low, self._high, self._allowed = low, high, allowed
        self._side: int | None = None
        self._expected: float | None = None
        self._told: float | None = None

    def see(self, now: float, level: float | None) -> bool:
        """Return whether a content, None for one that is not known, asks for a new plan."""
        side = None if level is None else int(level > self._high) - int(level < self._low)
        before, self._side = self._side, side
        if side != before:
            return True
        if level is None or self._expected is None:
            return False
        told = self._told
        if abs(level - self._expected) <= self._allowed or (
            told is not None and 0.0 <= now - told < _AGAIN
        ):
            return False
        self._told = now
        return True

    def expect(self, planned: Planned | None, now: float) -> None:
        """Take what a plan says for a moment."""
        place = None if planned is None else place_of(planned, now)
        if planned is None or planned.contents is None or place is None or place == 0:
            self._expected = None
            return
        slots = planned.plan.slots
        edges = (slots.starts[place], slots.ends[place])
        self._expected = float(np.interp(now, edges, planned.contents[place - 1 : place + 1]))


def place_of(planned: Planned, now: float) -> int | None:
    """Return which slot of a plan holds a moment, None where none does."""
    slots = planned.plan.slots
    if len(slots) == 0 or not slots.start <= now < slots.end:
        return None
    return slots.index(now)


def ahead_of(planned: Planned, now: float, seconds: float) -> tuple[bool, float] | None:
    """Return whether a plan runs within so many seconds, and the content at their end.

    None where the plan does not hold the moment, or tells no contents.
    """
    place = place_of(planned, now)
    if place is None or planned.contents is None:
        return None
    slots = planned.plan.slots
    until = min(now + seconds, slots.end)
    last = int(np.searchsorted(slots.ends, until))
    runs = any(piece.start < until and piece.end > now for piece in planned.plan.pieces)
    return runs, float(planned.contents[last])
