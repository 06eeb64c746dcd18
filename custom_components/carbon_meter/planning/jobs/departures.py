"""When a car leaves, and when it is away: by what is told, by its calendar, by the time of day."""

from collections.abc import Mapping
from datetime import time, tzinfo
import math
from typing import Any, Final

from .held import number
from .job import Stretches
from .times import moment_or_none, next_at

_FARTHEST: Final = 7 * 86_400.0
"""Seconds: before a trip that is farther away it leaves at its time of day."""


class Departures:
    """The trips of a car, and a departure that is told for once."""

    def __init__(self) -> None:
        """Start without a trip."""
        self.once: float | None = None
        """When it leaves this time, whatever its trips say."""

        self.trips: Stretches = ()

    def take(self, stretches: Stretches | None) -> None:
        """Take the trips of a calendar, None for not known; impossible ones are left out."""
        if stretches is not None:
            self.trips = tuple(
                sorted(
                    (start, end)
                    for start, end in stretches
                    if math.isfinite(start) and math.isfinite(end) and end > start
                )
            )

    def next(self, now: float, ready_by: time, zone: tzinfo) -> float:
        """Return when it leaves next: as it was told, on a trip, or at its time of day."""
        if self.once is not None and self.once > now:
            return self.once
        trips = (start for start, _ in self.trips if now < start <= now + _FARTHEST)
        return next(trips, next_at(now, ready_by, zone))

    def away(self, now: float, *, is_here: bool) -> Stretches:
        """Return when it is away; where it is seen to be here, the trip of now is not made."""
        return tuple(
            (start, end)
            for start, end in self.trips
            if end > now and not (is_here and start <= now)
        )

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {"once": self.once, "trips": [list(trip) for trip in self.trips]}

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take what `as_dict` gave; raises ValueError, KeyError or TypeError for anything else."""
        once = moment_or_none(data["once"])
        self.take(tuple((number(start), number(end)) for start, end in data["trips"]))
        self.once = once
