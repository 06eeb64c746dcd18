"""How far a published cell can still change: provisional, or final.

Like all that is published it follows from what was decided and when, never from the ledger as it
stands, so that nobody learns of a message by asking.
"""

from collections.abc import Sequence
from typing import Final

from ..ledger.calendar import Calendar
from ..ledger.cells import SETTLED, State
from .releases import Counter, Release, Releases

AGAIN: Final = 86400
"""Seconds after which an hour or a day is decided again if it has changed."""

OLDEST: Final = 420 * 86400
"""Seconds: a change of hours and days further back is not published any more.

Homes tell at most 400 days back.
"""


def states(releases: Releases, calendar: Calendar, cells: Sequence[Release]) -> list[State]:
    """Return the state of cells of one grain and scope at the last publication, in their order.

    A cell is final from `SETTLED` after its end, if nothing that homes have told or taken back
    waits to be shown and nothing was decided of its time for `AGAIN`; in any case when nothing
    of it is published any more.
    """
    # That of the file: an answer is the same for everybody until something is published again.
    now = releases.count(Counter.CLOCK)
    ends = [calendar.end(cell.key.grain, cell.key.begin) for cell in cells]
    settled = [
        cell
        for cell, end in zip(cells, ends, strict=True)
        if end + SETTLED <= now < end + OLDEST and not _waits(cell)
    ]
    decided = {
        (series, begin): at
        for series in {(cell.key.flow, cell.key.kind) for cell in settled}
        for begin, at in releases.decided_at(
            series,
            settled[0].key.grain,
            min(cell.key.begin for cell in settled),
            max(cell.key.begin for cell in settled),
        ).items()
    }
    final = {
        cell.key
        for cell in settled
        if now >= decided.get(((cell.key.flow, cell.key.kind), cell.key.begin), 0) + AGAIN
    }
    return [
        State.FINAL if cell.key in final or now >= end + OLDEST else State.PROVISIONAL
        for cell, end in zip(cells, ends, strict=True)
    ]


def _waits(cell: Release) -> bool:
    """Return whether it may show more, or something else, when more homes have changed."""
    return not cell.is_current or cell.content.seconds != cell.told
