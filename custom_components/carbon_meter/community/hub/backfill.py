"""Asking homes for what is missing: politely, spread over time, never all at once.

A home that is heard of is looked at within an hour. Where periods are missing that have long been
over, it is asked once, then after an hour, two, four, up to a day: what it does not have, it cannot
tell. A home without gaps is looked at once a day.
"""

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
import random
from typing import Final

from ..contract.answers import MOST_RANGES, Request
from ..contract.consent import Consent
from ..contract.reading import OLDEST
from ..ledger.ledger import Ledger
from .books import Books

PAUSE: Final = 3600
"""Seconds between two requests to a home, at least; twice as many each time in vain."""

LOOK: Final = 86400
"""Seconds between two looks at a home from which nothing is missing."""

PATIENCE: Final = 3 * 3600
"""Seconds after its end for which a period may still come by itself."""

MOST_PERIODS: Final = 2400
"""In one request, 100 days of hours: the answer to more would keep the home from its own time."""

_MARGIN: Final = 3600
"""Seconds before the oldest that a home may tell: it takes time to answer."""

_DOUBLINGS: Final = 5


class Backfill:
    """Which home is to be asked for what, and when."""

    def __init__(
        self,
        ledger: Ledger,
        books: Books,
        *,
        spread: float = PAUSE,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Begin with nobody heard of.

        `spread` are the seconds over which first looks are spread, `chance` gives 0 to 1.
        """
        self._ledger = ledger
        self._books = books
        self._spread = spread
        self._chance = chance
        self._due: dict[str, float] = {}
        self._queue: list[tuple[float, str]] = []
        self._durations: dict[str, int] = {}

    def heard(self, home: str, duration: int, now: float) -> None:
        """Take note that a home is there, and of which length its periods are."""
        self._durations[home] = duration
        if home not in self._due:
            self._put(home, now + self._spread * self._chance())

    def forget(self, home: str) -> None:
        """Ask a home for nothing any more."""
        self._due.pop(home, None)
        self._durations.pop(home, None)

    def requests(self, now: float, most: int) -> Iterator[Request]:
        """Yield what is to be asked now, after looking at `most` homes at most."""
        looks = 0
        while looks < most and self._queue and self._queue[0][0] <= now:
            at, home = heappop(self._queue)
            if self._due.get(home) != at:
                continue
            looks += 1
            # It is looked at again once it is heard of again: nobody asks an empty house.
            del self._due[home]
            request = self._look(home, now)
            if request is not None:
                yield request

    def _put(self, home: str, due: float) -> None:
        """Have a home looked at then."""
        self._due[home] = due
        heappush(self._queue, (due, home))

    def _look(self, home: str, now: float) -> Request | None:
        """Return what to ask a home for; None for nothing, or not yet."""
        agreement = self._books.agreement(home)
        if not isinstance(agreement, Consent):
            return None
        asked = self._books.asked(home)
        if asked is not None and asked[0] > now:
            self._put(home, asked[0])
            return None
        duration = max(self._durations.get(home, 0), agreement.duration)
        missing = self._ledger.missing(
            home, int(now) - OLDEST + _MARGIN, int(now) - PATIENCE, duration=duration
        )
        count = sum(periods for _, periods in missing)
        if not count:
            self._books.ask(home, now + LOOK, 0, 0)
            return None
        tries = asked[1] + 1 if asked is not None and asked[2] == count else 0
        pause = min(PAUSE << min(tries, _DOUBLINGS), LOOK)
        self._books.ask(home, now + pause, tries, count)
        return Request(
            community=self._ledger.community,
            home=home,
            duration=duration,
            missing=_bounded(missing, duration),
        )


def _bounded(missing: list[tuple[int, int]], duration: int) -> tuple[tuple[int, int], ...]:
    """Return the latest of the missing periods, as many as one request asks for."""
    left = MOST_PERIODS
    kept: list[tuple[int, int]] = []
    for start, count in reversed(missing[-MOST_RANGES:]):
        if not left:
            break
        taken = min(count, left)
        left -= taken
        kept.append((start + (count - taken) * duration, taken))
    return tuple(reversed(kept))
