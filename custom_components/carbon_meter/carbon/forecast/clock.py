"""The clock on the wall for many moments at once."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

import numpy as np
from numpy.typing import NDArray

_DAY: Final = 86400


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalClock:
    """Local hour (0 to 23), weekday (0 is Monday) and month (1 to 12), one for each moment."""

    hour: NDArray[np.int64]
    weekday: NDArray[np.int64]
    month: NDArray[np.int64]


def local_clock(moments: NDArray[np.int64], zone: tzinfo) -> LocalClock:
    """Return what the clock shows at moments in seconds since 1970 UTC."""
    local = moments + _offsets(moments, zone)
    days = local // _DAY
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return LocalClock(
        hour=local % _DAY // 3600,
        # 1970-01-01 was a Thursday.
        weekday=(days + 3) % 7,
        month=months % 12 + 1,
    )


def _offsets(moments: NDArray[np.int64], zone: tzinfo) -> NDArray[np.int64]:
    """Return the seconds to add to UTC; asked once per day, except where clocks change."""
    days, index = np.unique(moments // _DAY, return_inverse=True)
    at_start = np.array([_offset(int(day) * _DAY, zone) for day in days], dtype=np.int64)
    at_end = np.array([_offset((int(day) + 1) * _DAY - 1, zone) for day in days], dtype=np.int64)
    offsets = at_start[index]
    for changing in np.flatnonzero((at_start != at_end)[index]):
        offsets[changing] = _offset(int(moments[changing]), zone)
    return offsets


def _offset(moment: int, zone: tzinfo) -> int:
    shift = datetime.fromtimestamp(moment, zone).utcoffset()
    return 0 if shift is None else int(shift.total_seconds())
