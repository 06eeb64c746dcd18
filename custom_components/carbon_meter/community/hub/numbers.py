"""Which numbers of a run have come, as an ack tells them."""

from bisect import bisect_right
from dataclasses import dataclass, field

from ..contract.answers import MOST_RANGES


@dataclass(kw_only=True, slots=True)
class Numbers:
    """What has come of one run of a home: bounded, whatever it counts."""

    upto: int = 0
    """Every number from 1 to this one has come."""

    also: list[tuple[int, int]] = field(default_factory=list)
    """First and last of further ones, ascending, with gaps between."""

    highest: int = 0
    digest: str = ""
    """Of the footprint that came last with the highest number."""

    heard_at: int = 0
    """When the hub heard of this run last, in seconds since 1970 UTC."""

    is_owed: bool = False
    """Whether the home has to be told."""

    def add(self, seq: int, digest: str) -> None:
        """Take note of a number that has come, perhaps again."""
        self.is_owed = True
        if seq >= self.highest:
            self.highest, self.digest = seq, digest
        if seq <= self.upto:
            return
        if seq == self.upto + 1:
            self.upto = seq
            if self.also and self.also[0][0] == seq + 1:
                self.upto = self.also.pop(0)[1]
            return
        self._insert(seq)
        if len(self.also) > MOST_RANGES:
            # The home sends them again, if it was not told before.
            del self.also[0]

    def _insert(self, seq: int) -> None:
        """Put a number among the further ones."""
        place = bisect_right(self.also, seq, key=lambda numbers: numbers[0])
        first = last = seq
        begin = end = place
        if place and self.also[place - 1][1] >= seq - 1:
            begin = place - 1
            first, last = self.also[begin][0], max(self.also[begin][1], seq)
        if place < len(self.also) and self.also[place][0] == seq + 1:
            end = place + 1
            last = self.also[place][1]
        self.also[begin:end] = [(first, last)]
