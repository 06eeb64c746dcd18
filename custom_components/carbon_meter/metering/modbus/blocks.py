"""Which requests read a set of registers: as few as the meter's limit allows."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, groupby

from .registers import Function


@dataclass(frozen=True, order=True, kw_only=True, slots=True)
class Span:
    """Consecutive registers that belong together and must not be read in parts."""

    function: Function
    address: int
    words: int
    alone: bool = False

    @property
    def end(self) -> int:
        """Return the address behind the last register."""
        return self.address + self.words


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """One read request and the spans that it brings."""

    spans: tuple[Span, ...]

    @property
    def function(self) -> Function:
        """Return the space that the request reads."""
        return self.spans[0].function

    @property
    def address(self) -> int:
        """Return the first address of the request."""
        return self.spans[0].address

    @property
    def words(self) -> int:
        """Return how many registers the request asks for."""
        return max(span.end for span in self.spans) - self.address

    def split(self) -> tuple[Block, Block]:
        """Return two blocks, parted where the widest hole between the spans lies.

        A meter that refuses a request mostly does so because of a hole in its map.
        Without a hole the block is halved. Needs at least two spans.
        """
        ends = accumulate((span.end for span in self.spans), max)
        holes = [after.address - end for end, after in zip(ends, self.spans[1:], strict=False)]
        widest = max(holes)
        cut = holes.index(widest) + 1 if widest > 0 else len(self.spans) // 2
        return Block(spans=self.spans[:cut]), Block(spans=self.spans[cut:])


def plan_blocks(spans: Iterable[Span], max_registers: int) -> tuple[Block, ...]:
    """Return the fewest requests of at most `max_registers` that read all spans.

    Filling each request from the lowest address up is optimal for intervals on a
    line. Holes are read along. A span longer than the limit gets a request of its
    own, which the meter then answers or refuses.
    """
    blocks: list[Block] = []
    for _, group in groupby(sorted(set(spans)), key=lambda span: span.function):
        pending: list[Span] = []
        for span in group:
            if span.alone:
                blocks.append(Block(spans=(span,)))
                continue
            if pending and span.end - pending[0].address > max_registers:
                blocks.append(Block(spans=tuple(pending)))
                pending = []
            pending.append(span)
        if pending:
            blocks.append(Block(spans=tuple(pending)))
    return tuple(blocks)
