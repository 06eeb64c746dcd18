"""Which numbers of a run have come, as acks tell them."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from ..contract.answers import MOST_RANGES

MOST_SPILT: Final = 10_000
"""Ranges of one run that wait in memory to be told: as many as one home may say at once."""

type Range = tuple[int, int]
"""First and last of numbers that follow each other."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one ack names of a run."""

    upto: int
    also: tuple[Range, ...]
    digest: str
    """Of the footprint with the highest of these numbers."""


@dataclass(kw_only=True, slots=True)
class Numbers:
    """What has come of one run of a home: bounded, whatever it counts."""

    upto: int = 0
    """Every number from 1 to this one has come."""

    also: list[Range] = field(default_factory=list)
    """Further ones, ascending, with gaps between: the latest, as many as one ack names."""

    highest: int = 0
    digest: str = ""
    """Of the footprint that came last with the highest number."""

    heard_at: int = 0
    """When the hub heard of this run last, in seconds since 1970 UTC."""

    is_owed: bool = False
    """Whether the home has to be told."""

    spilt: list[Range] = field(default_factory=list)
    """What found no room in `also`, until the home is told; not kept over a restart."""

    _digests: dict[int, str] = field(default_factory=dict)
    """Of the footprints that end a range of `also`, as far as they came since the start."""

    _spilt_digests: dict[int, str] = field(default_factory=dict)
    """Of those that end a range of `spilt`."""

    def add(self, seq: int, digest: str) -> None:
        """Take note of a number that has come, perhaps again."""
        self.is_owed = True
        if seq >= self.highest:
            self.highest, self.digest = seq, digest
        if seq <= self.upto:
            return
        if seq == self.upto + 1:
            self.upto = seq
            self._close_up()
            return
        _insert(self.also, self._digests, (seq, seq), digest)
        while len(self.also) > MOST_RANGES:
            numbers, held = _first(self.also, self._digests)
            # Without it they are of before a restart: what was not told the home sends again.
            if held is not None:
                _insert(self.spilt, self._spilt_digests, numbers, held)
        if len(self.spilt) > MOST_SPILT:
            _first(self.spilt, self._spilt_digests)

    def tell(self) -> Iterator[Told]:
        """Yield what acks have to name, the lowest numbers first; it counts as told then."""
        spilt, digests = self.spilt, self._spilt_digests
        self.spilt, self._spilt_digests, self.is_owed = [], {}, False
        for place in range(0, len(spilt), MOST_RANGES):
            part = tuple(spilt[place : place + MOST_RANGES])
            yield Told(self.upto, part, digests[part[-1][1]])
        yield Told(self.upto, tuple(self.also), self.digest)

    def _close_up(self) -> None:
        """Take what follows at once on all that has come."""
        places = ((self.also, self._digests), (self.spilt, self._spilt_digests))
        while touching := [place for place in places if _begins_by(place[0], self.upto + 1)]:
            (_, last), _ = _first(*touching[0])
            self.upto = max(self.upto, last)


def _begins_by(ranges: list[Range], number: int) -> bool:
    """Return whether the first of ascending ranges begins with a number or before it."""
    return bool(ranges) and ranges[0][0] <= number


def _first(ranges: list[Range], digests: dict[int, str]) -> tuple[Range, str | None]:
    """Take the first of ascending ranges, with the digest of its end."""
    numbers = ranges.pop(0)
    return numbers, digests.pop(numbers[1], None)


def _insert(ranges: list[Range], digests: dict[int, str], numbers: Range, digest: str) -> None:
    """Put numbers among ascending ranges, joined with what they touch; `digest` is of their end."""
    first, last = numbers
    begin = bisect_right(ranges, first, key=lambda held: held[0])
    if begin and ranges[begin - 1][1] >= first - 1:
        begin -= 1
    end = begin
    while end < len(ranges) and ranges[end][0] <= last + 1:
        first, last = min(first, ranges[end][0]), max(last, ranges[end][1])
        end += 1
    for _, inner in ranges[begin:end]:
        if inner != last:
            digests.pop(inner, None)
    ranges[begin:end] = [(first, last)]
    if last == numbers[1]:
        digests[last] = digest
