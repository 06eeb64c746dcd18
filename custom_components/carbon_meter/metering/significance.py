"""Whether what a meter says has to be shown now or can wait.

A meter that is sampled every second would fill the recorder; one that is shown every ten
seconds only would be late where somebody switches on a load.
"""

from collections.abc import Mapping
from typing import Final

from .readings import Fault

_STEP: Final = 50.0
"""W; the smallest load that people switch and look for is a lamp or two."""

_SHARE: Final = 0.1
"""Of what was shown last: the power of a house that cooks moves by a few per cent all the time."""


_MOST_EXTRA: Final = 5
"""Writings ahead of the interval until it is over: a register that flickers is no news either."""


class Significance:
    """Decides when the entities of one meter are written.

    Every `interval` seconds, and at once when the power has moved by more than 50 W and
    10 % of what was shown last, when a quantity becomes known or unknown, and when a
    fault comes or goes. Each writing ahead of the interval doubles the change that the next
    one takes, and there are five at most: a restless load is written a few times per
    interval, not with each sample.
    """

    def __init__(self, *, interval: float = 10.0, watched: str = "power") -> None:
        """Start with nothing shown: the first sample is written."""
        self._interval = interval
        self._watched = watched
        self._written: float | None = None
        self._sampled = 0.0
        self._shown: float | None = None
        self._known: frozenset[str] = frozenset()
        self._faulty: frozenset[str] = frozenset()
        self._extra = 0

    def is_due(
        self, time: float, values: Mapping[str, float], faults: tuple[Fault, ...] = ()
    ) -> bool:
        """Return whether to write what was said at a moment; a True is taken as written."""
        spacing, self._sampled = time - self._sampled, time
        faulty = frozenset(fault.quantity for fault in faults) if faults else frozenset()
        regular = self._written is None or self._is_time(time - self._written, spacing)
        if regular:
            self._written, self._extra = time, 0
        elif self._extra < _MOST_EXTRA and self._has_changed(values, faulty):
            self._extra += 1
        else:
            return False
        self._shown = values.get(self._watched)
        if values.keys() != self._known:
            self._known = frozenset(values)
        self._faulty = faulty
        return True

    def _is_time(self, since: float, spacing: float) -> bool:
        """Return whether this sample is the nearest to the end of the interval.

        Polls are never quite punctual: one that comes a moment early must not wait for the
        next. After a clock was set back it is time as well.
        """
        return since < 0 or since + min(max(spacing, 0.0), self._interval) / 2 >= self._interval

    def _has_changed(self, values: Mapping[str, float], faulty: frozenset[str]) -> bool:
        """Return whether a sample says something else than what is shown."""
        if faulty != self._faulty or values.keys() != self._known:
            return True
        value, shown = values.get(self._watched), self._shown
        if value is None or shown is None:
            return False
        return abs(value - shown) > 2.0**self._extra * max(_STEP, _SHARE * abs(shown))
