"""What a hub or its broker has lost, the other one knows: rights, who was put out, who has left.

The plugin of mosquitto 2.0 writes its file in place: a power cut meanwhile leaves nothing of it,
and the broker comes back with the hub alone. The operator's tool puts homes out without the hub,
and leaves a mark. The hub leaves one for each home of which it has deleted all: where its own files
come from a backup of before, it deletes that again. So it asks for all of it after every connect,
and hears the tool meanwhile.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
import logging
import time
from typing import Final, Protocol

from .control import ControlError
from .desk import DeskError
from .dynsec import DynsecControl, complaints, is_fresh, revoked_in, withdrawn_in
from .errors import StoreError

_LOGGER: Final = logging.getLogger(__name__)

_AGAIN: Final = 60.0
"""Seconds until a broker is asked again whose answer could not be followed."""


class Desk(Protocol):
    """Who knows all homes."""

    def resync(self) -> None:
        """Tell the broker all homes again."""

    def revoked(self, homes: Iterable[str], now: float) -> None:
        """Take note of whom the operator has put out at the broker."""


class Books(Protocol):
    """Who knows of whom all was deleted."""

    def withdrawn(self) -> set[str]:
        """Return their ids; raises StoreError."""


class Deleting(Protocol):
    """Who deletes homes."""

    def strike_out(self, home: str, now: float) -> None:
        """Delete all that was told under an id, for good; raises StoreError."""


class Restoring:
    """Asks a broker what it knows, and hears its answers; in one thread."""

    def __init__(
        self,
        control: DynsecControl,
        desk: Desk,
        books: Books,
        deleting: Deleting,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Take how to tell the broker something, who knows what to tell, and who deletes."""
        self._control = control
        self._desk = desk
        self._books = books
        self._deleting = deleting
        self._now = now
        self._connected_since: float | None = None
        self._failed_at: float | None = None
        """When an answer could not be followed, None if the last one could."""

    def connected(self, since: float | None) -> None:
        """Ask the broker once for each connection; `since` is when it began, None without one.

        Where its answer could not be followed it is asked again.
        """
        failed_at, now = self._failed_at, self._now()
        is_due = failed_at is not None and not 0 <= now - failed_at < _AGAIN
        if since == self._connected_since and not is_due:
            return
        self._connected_since, self._failed_at = since, None
        if since is not None:
            with suppress(ControlError):
                self._control.inquire()

    def answered(self, payload: bytes) -> None:
        """Hear what the broker answers to commands."""
        for complaint in complaints(payload):
            _LOGGER.warning("The broker has not done what the hub has told it: %s", complaint)
        try:
            # First who was put out: no right must be given back to them.
            if found := revoked_in(payload):
                self._desk.revoked(found, self._now())
            if (marked := withdrawn_in(payload)) is not None:
                self._agree_on_withdrawn(marked)
            if is_fresh(payload):
                _LOGGER.warning(
                    "The broker has lost the rights of all homes: it is told them again"
                )
                self._desk.resync()
                self._control.refreshed()
        except (DeskError, ControlError, StoreError) as err:
            # The marks stay.
            self._failed_at = self._now()
            _LOGGER.warning("What the broker says cannot be followed now: %s", err)

    def _agree_on_withdrawn(self, marked: set[str]) -> None:
        """Delete who is marked and still here; mark who was deleted and is not marked."""
        deleted = self._books.withdrawn()
        if unknown := sorted(marked - deleted):
            _LOGGER.warning(
                "The hub's files come from a backup, and do not know of %d that have left: what"
                " these have told is deleted again",
                len(unknown),
            )
        for home in unknown:
            self._deleting.strike_out(home, self._now())
        for home in sorted(deleted - marked):
            self._control.withdrawn(home)
