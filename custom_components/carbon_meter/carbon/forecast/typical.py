"""What an hour usually is in a zone: the last word before a yearly factor."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

import numpy as np

from ..grade import Grade
from ..intensity.source import IntensityInterval, SourceInfo
from ..intervals import HOUR
from .clock import local_clock
from .history import History, Values
from .hours import DAY

_FEWEST: Final = 5
"""Days that an hour of a season needs for a median of its own."""

_SEASONS: Final = 4
_SATURDAY: Final = 5


class TypicalHourSource:
    """The median of a zone's history by season, working day or weekend, and local hour.

    Seasons are three months each, from December on. An hour of which a season knows less than
    five days has the median of all seasons, then that of all days; where no day is known, there
    is a hole.
    """

    refresh_after: float | None = None

    def __init__(self, info: SourceInfo, zone: tzinfo = UTC) -> None:
        """Take what the history was told by, and the time zone of the site."""
        self.info = replace(info, id=f"typical:{info.id}", name=f"Typical hour of {info.name}")
        self._zone = zone
        self._medians: Values = np.full((_SEASONS, 2, DAY), np.nan)

    async def refresh(self) -> None:
        """There is nothing to fetch."""

    def learn(self, history: History) -> None:
        """Take the medians of a history; computes some tenths of a second for two years."""
        moments = history.start + history.step * np.arange(len(history.values), dtype=np.int64)
        known = np.isfinite(history.values)
        values, clock = history.values[known], local_clock(moments[known], self._zone)
        season, weekend = clock.month % 12 // 3, (clock.weekday >= _SATURDAY).astype(np.int64)
        fewest = _FEWEST * HOUR // history.step
        medians = np.full((_SEASONS, 2, DAY), np.nan)
        for hour in range(DAY):
            here = clock.hour == hour
            own, seasons, ends = values[here], season[here], weekend[here]
            medians[:, :, hour] = np.median(own) if len(own) else np.nan
            for day in (0, 1):
                of_day = own[ends == day]
                if len(of_day) >= fewest:
                    medians[:, day, hour] = np.median(of_day)
                for each in range(_SEASONS):
                    of_season = own[(ends == day) & (seasons == each)]
                    if len(of_season) >= fewest:
                        medians[each, day, hour] = np.median(of_season)
        self._medians = medians

    def intervals(self, start: float, end: float) -> Sequence[IntensityInterval]:
        """Return the typical hours of [start, end)."""
        found: list[IntensityInterval] = []
        position = start
        while position < end:
            local = datetime.fromtimestamp(position, self._zone)
            passed = local.minute * 60 + local.second + local.microsecond / 1e6
            stop = min(end, position + max(HOUR - passed, 1e-3))
            weekend = int(local.weekday() >= _SATURDAY)
            value = float(self._medians[local.month % 12 // 3, weekend, local.hour])
            if np.isfinite(value):
                found.append(
                    IntensityInterval(
                        start=position,
                        end=stop,
                        value=value,
                        grade=Grade.TYPICAL,
                        source=self.info.id,
                    )
                )
            position = stop
        return found

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        flat = [round(float(value), 1) for value in self._medians.ravel()]
        return {"medians": [value if np.isfinite(value) else None for value in flat]}

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take what `as_dict` gave before a restart.

        Raises ValueError, KeyError or TypeError for anything else, and changes nothing then.
        """
        medians = np.array(data["medians"], dtype=np.float64).reshape(self._medians.shape)
        self._medians = np.where(medians >= 0, medians, np.nan)
