"""How many homes are members of a scope in a time: for dozens of times of dozens of scopes."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

type ScopeName = tuple[str, str]
"""A scope and its name."""

type Span = tuple[int, int]
"""The first day, and the one after the last."""

type Stay = tuple[int, int, int]
"""The first day, the one after the last, and the place."""


class Roll:
    """The members of all scopes, as they were when it was made."""

    def __init__(
        self, homes: Iterable[Sequence[Stay]], scopes: Mapping[int, Iterable[ScopeName]]
    ) -> None:
        """Sort them; of each home its stays are given in order of time."""
        self._begins: defaultdict[ScopeName, list[int]] = defaultdict(list)
        self._ends: defaultdict[ScopeName, list[int]] = defaultdict(list)
        self._several: defaultdict[ScopeName, list[list[Span]]] = defaultdict(list)
        """Of homes that were there, elsewhere, and there again."""

        for stays in homes:
            for where, spans in _by_scope(stays, scopes).items():
                if len(spans) > 1:
                    self._several[where].append(spans)
                    continue
                ((begin, end),) = spans
                self._begins[where].append(begin)
                self._ends[where].append(end)
        for days in (*self._begins.values(), *self._ends.values()):
            days.sort()

    def count(self, where: ScopeName, begin: int, end: int) -> int:
        """Return how many homes are members at some time in [begin, end), each once."""
        came = bisect_left(self._begins.get(where, ()), end)
        gone = bisect_right(self._ends.get(where, ()), begin)
        return (came - gone) + sum(
            any(first < end and last > begin for first, last in spans)
            for spans in self._several.get(where, ())
        )


def _by_scope(
    stays: Sequence[Stay], scopes: Mapping[int, Iterable[ScopeName]]
) -> dict[ScopeName, list[Span]]:
    """Return when a home was in each scope, in one span where it moved within it."""
    result: dict[ScopeName, list[Span]] = {}
    for first, last, place in stays:
        if first >= last:
            continue
        for where in scopes.get(place, ()):
            spans = result.setdefault(where, [])
            if spans and spans[-1][1] == first:
                spans[-1] = (spans[-1][0], last)
            else:
                spans.append((first, last))
    return result
