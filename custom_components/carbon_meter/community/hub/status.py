"""How a hub's worker stands, for people to see."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from typing import Final

from .counts import Counts

MINUTE: Final = 60.0
"""Seconds over which rate and lag are looked at."""


class WorkerState(StrEnum):
    """How the connection to the broker stands."""

    STARTING = "starting"
    CONNECTED = "connected"
    WAITING = "waiting"
    """Without connection; it is tried again."""

    NOT_TRUSTED = "not_trusted"
    """The broker's certificate, or ours, does not hold."""

    NOT_AUTHORIZED = "not_authorized"
    """The broker does not let the hub in, or not hear its homes."""

    STORE = "store"
    """Connected, but the disk takes nothing: what homes say stays with the broker."""

    STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerStatus:
    """A worker at one moment."""

    state: WorkerState
    since: float
    """When that began, in seconds since 1970 UTC."""

    connected_since: float | None
    error: str | None
    """What went wrong last, None while all is well."""

    committed: int
    """Messages that are on the disk and acknowledged, since the start."""

    batches: int
    rate: float
    """Messages a second over the last minute."""

    lag: float | None
    """Seconds from the arrival of a message here to the disk, the longest of the last minute."""

    waiting: int
    """Messages that have arrived and are not on the disk."""

    owed: int
    """Acks that have not been sent."""

    counts: Counts


class WorkerStanding:
    """How a worker stands as it goes along: told by itself, asked by any thread."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Begin; `now` gives seconds since 1970 UTC."""
        self.state = WorkerState.STARTING
        self.error: str | None = None
        self._now = now
        self._since = now()
        self._connected_since: float | None = None
        self._committed = self._batches = 0
        self._pulse = _Pulse()
        self._lock = Lock()

    @property
    def is_connected(self) -> bool:
        """Return whether there is a connection."""
        return self._connected_since is not None

    def become(
        self, state: WorkerState, error: str | None, *, connected: bool | None = None
    ) -> bool:
        """Be in a state; return whether that or the error is another now.

        `connected` says whether there is a connection, None that this has not changed.
        """
        with self._lock:
            has_changed = (state, error) != (self.state, self.error)
            if state is not self.state:
                self._since = self._now()
            self.state, self.error = state, error
            if connected is False:
                self._connected_since = None
            elif connected and self._connected_since is None:
                self._connected_since = self._now()
        return has_changed

    def took(self, messages: int, lag: float) -> None:
        """Take note of a batch that is on the disk, so many seconds after it came."""
        with self._lock:
            self._committed += messages
            self._batches += 1
            self._pulse.beat(self._now(), messages, lag)

    def status(self, *, waiting: int, owed: int, counts: Counts) -> WorkerStatus:
        """Return all of it, with what the worker knows of its messages."""
        now = self._now()
        with self._lock:
            return WorkerStatus(
                state=self.state,
                since=self._since,
                connected_since=self._connected_since,
                error=self.error,
                committed=self._committed,
                batches=self._batches,
                rate=self._pulse.rate(now),
                lag=self._pulse.lag(now),
                waiting=waiting,
                owed=owed,
                counts=counts,
            )


class _Pulse:
    """What went through in the last minute."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._batches: deque[tuple[float, int, float]] = deque()

    def beat(self, now: float, messages: int, lag: float) -> None:
        """Take note of a batch."""
        self._batches.append((now, messages, lag))
        self._trim(now)

    def rate(self, now: float) -> float:
        """Return messages a second."""
        self._trim(now)
        return sum(messages for _, messages, _ in self._batches) / MINUTE

    def lag(self, now: float) -> float | None:
        """Return the longest lag in seconds, None without messages."""
        self._trim(now)
        return max((lag for _, _, lag in self._batches), default=None)

    def _trim(self, now: float) -> None:
        """Let go of what is older than a minute, or of a time that has been taken back."""
        while self._batches and not 0 <= now - self._batches[0][0] <= MINUTE:
            self._batches.popleft()
