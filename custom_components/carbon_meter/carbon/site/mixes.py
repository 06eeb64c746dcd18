"""What was mixed in the last weeks, in memory: a meter is weighed again without the others."""

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..grade import BEST_FIRST
from ..intervals import HOUR
from .places import Mix, Place, joined
from .weighed import PER_HOUR

_MOST: Final = 18_000
"""Hours times places that are kept: 62 days of twelve places take some ten megabytes."""


class Mixes:
    """The mix of each hour, as it was weighed last."""

    def __init__(self) -> None:
        """Know nothing."""
        self._hours: dict[int, tuple[Mix, int]] = {}
        self._size = 0

    def remember(self, mix: Mix, start: int, end: int) -> None:
        """Keep the mix of consecutive hours in place of what was kept of them."""
        for place, hour in enumerate(range(start, end, HOUR)):
            old = self._hours.pop(hour, None)
            self._size += len(mix.places) - (0 if old is None else len(old[0].places))
            self._hours[hour] = mix, place
        while self._size > _MOST and len(self._hours) > 1:
            oldest = next(iter(self._hours))
            self._size -= len(self._hours.pop(oldest)[0].places)

    def lacks(self, start: int, end: int) -> bool:
        """Return whether the mix of some hour is not known."""
        return any(hour not in self._hours for hour in range(start, end, HOUR))

    def joined(self, meters: Iterable[str], start: int, end: int, grades: NDArray[np.intp]) -> Mix:
        """Return the mix of meters in consecutive hours, all of which are known."""
        parts: list[tuple[Mix, int, int]] = []
        for hour in range(start, end, HOUR):
            mix, place = self._hours[hour]
            first = place * PER_HOUR
            if parts and parts[-1][0] is mix and parts[-1][2] == first:
                parts[-1] = mix, parts[-1][1], first + PER_HOUR
            else:
                parts.append((mix, first, first + PER_HOUR))
        of_grid = Place(
            grid_share=np.ones(len(grades)),
            others=np.zeros(len(grades)),
            quality=np.eye(len(BEST_FIRST))[grades],
        )
        return joined(parts, of_grid, meters)
