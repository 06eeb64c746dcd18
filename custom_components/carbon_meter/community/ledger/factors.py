"""The carbon intensities that homes name: each text once, and which home has named which.

Both are in the file, as many as there are; in memory are those of late. So a home that names ever
new ones fills neither, and what it alone has named goes with it.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterable
import sqlite3
from typing import Final

from ..contract.bounds import MOST_INTENSITIES
from ..contract.message import Item
from . import statements

_TEXTS: Final = 4096
"""Intensities held in memory, of all homes."""

_USES: Final = 65_536
"""Pairs of home and intensity held in memory: six each of ten thousand homes, in 14 MB."""

type _Texts = tuple[str, str, str, str, int]


class _Recent[K: Hashable, V]:
    """What was looked up of late, no more than so many."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """Return what is held, None if nothing is."""
        value = self._held.get(key)
        if value is not None:
            self._held.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> None:
        """Hold a value, and let go of what was not asked for for longest."""
        self._held[key] = value
        if len(self._held) > self._most:
            self._held.popitem(last=False)

    def clear(self) -> None:
        """Let go of everything."""
        self._held.clear()

    def __len__(self) -> int:
        return len(self._held)


class Factors:
    """The numbers under which carbon intensities stand in the items of one community."""

    def __init__(self, community: str) -> None:
        """Begin with nothing in memory."""
        self._community = community
        self._numbers: _Recent[_Texts, int] = _Recent(_TEXTS)
        self._used: _Recent[tuple[str, int], bool] = _Recent(_USES)

    def clear(self) -> None:
        """Forget what is in memory, as after a transaction that came to nothing."""
        self._numbers.clear()
        self._used.clear()

    @property
    def held(self) -> int:
        """Return how many rows are held in memory."""
        return len(self._numbers) + len(self._used)

    def of(
        self, connection: sqlite3.Connection, home: str, items: Iterable[Item]
    ) -> list[int] | None:
        """Return the number of each item's intensity; what is new is kept.

        None, and nothing is kept, if the home would have named too many by that.
        """
        texts = [
            (item.source, item.zone, item.kind.value, item.version, item.resolution)
            for item in items
        ]
        numbers: dict[_Texts, int] = {}
        new: dict[_Texts, int | None] = {}
        for each in texts:
            number = self._number(connection, each)
            if number is not None and self._has_used(connection, home, number):
                numbers[each] = number
            else:
                new[each] = number
        if new:
            (used,) = connection.execute(statements.COUNT_USED, (self._community, home)).fetchone()
            if used + len(new) > MOST_INTENSITIES:
                return None
            for each, number in new.items():
                numbers[each] = self._use(connection, home, each, number)
        return [numbers[each] for each in texts]

    def forget(self, connection: sqlite3.Connection, home: str) -> None:
        """Delete what a home has used, and the texts that no other home uses."""
        which = (self._community, home)
        numbers = connection.execute(statements.USED, which).fetchall()
        connection.execute(statements.FORGET_USED, which)
        for (number,) in numbers:
            connection.execute(statements.DROP_UNUSED, (number, number))
        self.clear()

    def _number(self, connection: sqlite3.Connection, texts: _Texts) -> int | None:
        """Return the number of an intensity, None if nobody has named it."""
        number = self._numbers.get(texts)
        if number is None:
            row = connection.execute(statements.FACTOR, texts).fetchone()
            if row is not None:
                number = int(row[0])
                self._numbers.put(texts, number)
        return number

    def _has_used(self, connection: sqlite3.Connection, home: str, number: int) -> bool:
        """Return whether a home has named an intensity before."""
        if self._used.get((home, number)) is None:
            which = (self._community, home, number)
            row = connection.execute(statements.HAS_USED, which).fetchone()
            if row is None:
                return False
            self._used.put((home, number), True)
        return True

    def _use(
        self, connection: sqlite3.Connection, home: str, texts: _Texts, number: int | None
    ) -> int:
        """Keep that a home names an intensity, and the intensity if nobody did before."""
        if number is None:
            (highest,) = connection.execute(statements.HIGHEST_FACTOR).fetchone()
            number = 1 if highest is None else int(highest) + 1
            connection.execute(statements.PUT_FACTOR, (number, *texts))
            self._numbers.put(texts, number)
        connection.execute(statements.PUT_USED, (self._community, home, number))
        self._used.put((home, number), True)
        return number
