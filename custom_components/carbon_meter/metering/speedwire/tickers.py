"""Which telegrams are new: a meter on two interfaces is heard twice, and order may be lost."""

from typing import Final

from .telegram import SpeedwireMessage

_WRAP: Final = 1 << 32

_MEMORY: Final = 10.0
"""Seconds within which a telegram may be overtaken or come again. A ticker that lies further
back is that of a meter that was switched on anew."""

_MOST_METERS: Final = 256
"""How many meters are remembered: who sends made-up serial numbers fills no memory."""


class Tickers:
    """The latest ticker of each meter."""

    def __init__(self) -> None:
        """Know no meter yet."""
        self._latest: dict[tuple[int, int], SpeedwireMessage] = {}

    def is_new(self, message: SpeedwireMessage) -> bool:
        """Return whether a telegram is neither a duplicate nor older than one that was heard."""
        meter = (message.susy_id, message.serial)
        latest = self._latest.pop(meter, None)
        if latest is not None and _is_stale(message, latest):
            self._latest[meter] = latest
            return False
        self._latest[meter] = message
        if len(self._latest) > _MOST_METERS:
            del self._latest[next(iter(self._latest))]
        return True


def _is_stale(message: SpeedwireMessage, latest: SpeedwireMessage) -> bool:
    """Return whether a telegram is as old as another or a little older.

    By the ticker, which starts again at 2³² ms, and by the clock: a ticker that stands still
    does not silence its meter for ever.
    """
    behind = (latest.ticker - message.ticker) % _WRAP
    return behind < _MEMORY * 1000 and 0 <= message.time - latest.time < _MEMORY
