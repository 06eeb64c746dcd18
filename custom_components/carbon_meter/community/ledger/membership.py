"""Which home is where: membership is frozen for whole local days.

A place is one combination of feeder and groups; a home is in one place on a day, or is no member.
"""

from collections import defaultdict
from collections.abc import Iterable
import sqlite3
from typing import Final

from . import statements
from .cells import Scope
from .roll import Roll

FOREVER: Final = 1 << 40
"""The last day of a membership that nobody has ended."""


class Membership:
    """The memberships of one community, held in memory and kept in the ledger's file.

    After a transaction that came to nothing, `load` it again.
    """

    def __init__(self, community: str) -> None:
        """Begin empty; `load` fills it."""
        self._community = community
        self.scopes: dict[int, tuple[tuple[str, str], ...]] = {}
        self._homes: dict[str, list[tuple[int, int, int]]] = {}
        self._roll: Roll | None = None

    def load(self, connection: sqlite3.Connection) -> None:
        """Read places and homes."""
        self._roll = None
        places: dict[int, list[tuple[str, str]]] = defaultdict(list)
        rows = connection.execute(
            "SELECT place, scope, name FROM places WHERE community = ?", (self._community,)
        )
        for place, scope, name in rows:
            places[place].append((scope, name))
        self.scopes = {place: tuple(sorted(scopes)) for place, scopes in places.items()}
        self._homes = defaultdict(list)
        rows = connection.execute(
            "SELECT home, first_day, last_day, place FROM homes WHERE community = ?"
            " ORDER BY home, first_day",
            (self._community,),
        )
        for home, first, last, place in rows:
            self._homes[home].append((first, last, place))

    def __contains__(self, home: str) -> bool:
        return home in self._homes

    @property
    def homes(self) -> tuple[str, ...]:
        """Return everybody who is or was a member, by name."""
        return tuple(sorted(self._homes))

    def spans(self, home: str) -> tuple[tuple[int, int], ...]:
        """Return from which day to before which a home is a member."""
        return tuple((first, last) for first, last, _ in self._homes.get(home, ()))

    def place(self, home: str, day: int) -> int:
        """Return where a home is on a day, 0 where it is no member."""
        for first, last, place in self._homes.get(home, ()):
            if first <= day < last:
                return place
        return 0

    def expected(self, scope: str, name: str, begin: int, end: int) -> int:
        """Return how many homes are members of a scope at some time in [begin, end)."""
        if self._roll is None:
            self._roll = Roll(self._homes.values(), self.scopes)
        return self._roll.count((scope, name), begin, end)

    def put(
        self,
        connection: sqlite3.Connection,
        home: str,
        day: int,
        where: tuple[str | None, Iterable[str]] | None,
    ) -> int:
        """Place a home from a day on, `where` being feeder and groups, None for nowhere.

        What was planned for later days is dropped. Returns the place, 0 for nowhere.
        """
        self._roll = None
        kept = [
            (first, min(last, day), place)
            for first, last, place in self._homes.get(home, ())
            if first < day
        ]
        place = 0
        if where is not None:
            place = self._find(connection, *where)
            kept.append((day, FOREVER, place))
        connection.execute(
            "DELETE FROM homes WHERE community = ? AND home = ?", (self._community, home)
        )
        for first, last, here in kept:
            connection.execute(statements.PUT_HOME, (self._community, home, first, last, here))
        if kept:
            self._homes[home] = kept
        else:
            self._homes.pop(home, None)
        return place

    def forget(self, home: str) -> None:
        """Forget a home, once it is deleted from the file."""
        self._roll = None
        self._homes.pop(home, None)

    def _find(
        self, connection: sqlite3.Connection, feeder: str | None, groups: Iterable[str]
    ) -> int:
        """Return the place of a feeder and groups, a new one if nobody was there before."""
        scopes = {(Scope.COMMUNITY.value, self._community)}
        scopes |= {(Scope.GROUP.value, group) for group in groups}
        if feeder is not None:
            scopes.add((Scope.FEEDER.value, feeder))
        wanted = tuple(sorted(scopes))
        for place, here in self.scopes.items():
            if here == wanted:
                return place
        place = max(self.scopes, default=0) + 1
        for scope, name in wanted:
            connection.execute(statements.PUT_PLACE, (self._community, place, scope, name))
        self.scopes[place] = wanted
        return place
