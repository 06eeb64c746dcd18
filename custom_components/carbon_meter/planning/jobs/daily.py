"""What something that is never done has taken, handed out once a day."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any

from ..plan import Piece
from .taken import Course, Finished
from .times import moment_or_none


class Daily:
    """The power of each local day as it is seen; below zero what a battery gives."""

    def __init__(self, zone: tzinfo) -> None:
        """Start with a day of which nothing was seen."""
        self._zone = zone
        self._course = Course()
        self._finished = Finished()
        self._last: float | None = None

    def see(self, now: float, power: float | None) -> tuple[Piece, ...] | None:
        """Take the power in W, None where it is not known; return a day that is over."""
        last, self._last = self._last, now
        self._course.see(now, power)
        if last is None or self._day(now) <= self._day(last):
            return None
        pieces = self._course.take()
        self._finished.put(pieces)
        return pieces

    def done(self) -> tuple[Piece, ...] | None:
        """Return what was taken on a day that is over, once; None for none."""
        return self._finished.take()

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {
            "course": self._course.as_dict(),
            "finished": self._finished.as_list(),
            "last": self._last,
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take what `as_dict` gave; raises ValueError, KeyError or TypeError for anything else."""
        last = moment_or_none(data["last"])
        self._finished.restore(data["finished"])
        self._course.restore(data["course"])
        self._last = last

    def _day(self, now: float) -> int:
        return datetime.fromtimestamp(now, self._zone).toordinal()
