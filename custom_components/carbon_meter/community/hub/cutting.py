"""Who floods is put out by the broker for a while: dropping what it says still takes time.

A broker hands messages on in the order in which they came, and MQTT has them acknowledged in that
order: whatever a hub does, others wait behind a flood that is let in.
"""

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from typing import Final, Protocol

from .control import ControlError

MOST_DROPPED: Final = 1000
"""Messages of one home within a minute that it had no right to say; one in order has none."""

CUT_FOR: Final = 600.0
"""Seconds."""

_MINUTE: Final = 60.0


class Door(Protocol):
    """Where homes come in; both may be repeated, and raise ControlError for not now."""

    def cut(self, home: str) -> None:
        """Throw a home out and let it in no more, until `let_in`; a mark of it stays."""

    def let_in(self, home: str) -> None:
        """Let a home in again that was cut off."""


class Cutting:
    """Counts what was dropped, and has the broker cut off whose it was.

    Moments are seconds by the hub's clock, which may be set back: then a home waits once more.
    """

    def __init__(self) -> None:
        """Begin with nobody."""
        self.door: Door | None = None
        """None where the broker is not ours: there everybody stays in."""

        self._dropped: Counter[str] = Counter()
        self._counted_since = float("-inf")
        self._cut: dict[str, float] = {}

    @property
    def homes(self) -> tuple[str, ...]:
        """Return who is cut off."""
        return tuple(sorted(self._cut))

    def drop(self, home: str, now: float) -> None:
        """Count a message that was dropped; it may be one too many."""
        if not 0 <= now - self._counted_since < _MINUTE:
            self._dropped.clear()
            self._counted_since = now
        self._dropped[home] += 1
        if self._dropped[home] < MOST_DROPPED or home in self._cut or self.door is None:
            return
        with suppress(ControlError):
            self.door.cut(home)
            self._cut[home] = now

    def found(self, homes: Iterable[str], now: float) -> None:
        """Take note of marks that the broker has: who was cut off before the hub began."""
        for home in homes:
            self._cut.setdefault(home, now)

    def turn(self, now: float) -> None:
        """Let in whose time is over."""
        if self.door is None:
            return
        for home, since in list(self._cut.items()):
            if since > now:
                self._cut[home] = now
            elif now - since >= CUT_FOR:
                with suppress(ControlError):
                    self.door.let_in(home)
                    del self._cut[home]
