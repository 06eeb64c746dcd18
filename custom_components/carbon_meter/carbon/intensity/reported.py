"""An intensity that somebody else reports as it changes: an entity, a topic."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import math
from typing import Any, Final

from ..grade import Grade
from ..units import to_grams_per_kwh
from .source import IntensityInterval, SourceInfo

HOLD: Final = 3600.0
"""Seconds for which the last value is still taken when nobody listened any more."""

_KEEP: Final = 14 * 86400.0
"""Seconds of history that late energy can still be weighed with."""

_LARGEST: Final = 5000.0
"""gCO2eq/kWh; no way of generating electricity emits more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Change:
    time: float
    value: float | None
    """gCO2eq/kWh; None from when the reporter knew nothing."""


class ReportedSource:
    """A step function of time made of reports.

    A value holds from its report until the next one, until the reporter says that
    it knows nothing, and, over a time in which nobody listened, for an hour more.
    """

    refresh_after: float | None = None

    def __init__(self, source_id: str, name: str, *, grade: Grade = Grade.MEASURED) -> None:
        """Start without any report."""
        self.info = SourceInfo(id=source_id, name=name)
        self._grade = grade
        self._changes: list[_Change] = []
        self._heard = -math.inf

    async def refresh(self) -> None:
        """Reports come by themselves."""

    def report(self, moment: float, value: float, unit: str) -> None:
        """Take a value that holds from `moment` (seconds since 1970 UTC) on.

        Raises UnknownIntensityUnitError for a unit that cannot be converted and
        ValueError for a value that no electricity can have; both end the validity
        of the value before.
        """
        self.lost(moment)
        grams = to_grams_per_kwh(value, unit)
        if not math.isfinite(grams) or not 0 <= grams <= _LARGEST:
            raise ValueError(f"{value} {unit} is not a possible carbon intensity")
        self._change(moment, grams)

    def lost(self, moment: float) -> None:
        """Take note that from `moment` on nothing is known."""
        self._change(moment, None)

    def heard(self, moment: float) -> None:
        """Take note that the reporter was heard until `moment`: its last report still holds."""
        # Much earlier than before is a clock that was set back.
        if moment > self._heard or moment < self._heard - HOLD:
            self._heard = moment

    def _change(self, moment: float, value: float | None) -> None:
        """Set the value from a moment on; what was believed of later times is dropped."""
        self._heard = max(self._heard, moment)
        while self._changes and self._changes[-1].time >= moment:
            self._changes.pop()
        if not self._changes or self._changes[-1].value != value:
            self._changes.append(_Change(time=moment, value=value))
        oldest = self._heard - _KEEP
        while len(self._changes) > 1 and self._changes[1].time < oldest:
            del self._changes[0]

    def intervals(self, start: float, end: float) -> Sequence[IntensityInterval]:
        """Return the values that hold in [start, end)."""
        found: list[IntensityInterval] = []
        first = max(bisect_right(self._changes, start, key=lambda change: change.time) - 1, 0)
        for index in range(first, len(self._changes)):
            change = self._changes[index]
            if change.time >= end:
                break
            last = index + 1 == len(self._changes)
            until = self._heard + HOLD if last else self._changes[index + 1].time
            begin, stop = max(start, change.time), min(end, until)
            if change.value is None or begin >= stop:
                continue
            found.append(
                IntensityInterval(
                    start=begin,
                    end=stop,
                    value=change.value,
                    grade=self._grade,
                    source=self.info.id,
                )
            )
        return found

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {
            "heard": self._heard if math.isfinite(self._heard) else None,
            "changes": [[change.time, change.value] for change in self._changes],
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take what `as_dict` gave before a restart.

        Between then and the first new report nobody listened: the gap is closed an
        hour after the last word. Raises KeyError, TypeError or ValueError for anything else.
        """
        if data["heard"] is None:
            return
        heard = float(data["heard"])
        changes = [
            _Change(time=float(moment), value=None if value is None else float(value))
            for moment, value in data["changes"]
        ]
        self._heard, self._changes = heard, sorted(changes, key=lambda change: change.time)
        if self._changes and self._changes[-1].value is not None:
            self._changes.append(_Change(time=self._heard + HOLD, value=None))
