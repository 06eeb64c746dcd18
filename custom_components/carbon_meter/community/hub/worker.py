"""The hub's worker: one thread between the broker and the store.

It has messages processed, and only then acknowledges them. Whatever ends it, and whenever, the
broker still has what was not committed: it comes again, as a duplicate at worst.
"""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
import logging
import random
import socket
import threading
import time
from typing import Final

from .arrived import Reply
from .connection import MOST_OUT, Connection, Link, LinkError, UnreadableError
from .errors import NotConnectedError, StoreError
from .processor import Processor
from .rights import CONTROL
from .status import WorkerStanding, WorkerState, WorkerStatus

_LOGGER: Final = logging.getLogger(__name__)

BATCH: Final = 500
"""Messages that are committed together at most."""

WAIT: Final = 0.05
"""Seconds that a message waits for others at most."""

LONGEST_PAUSE: Final = 120.0
"""Seconds between two attempts to connect, at most; the pause is a random part of that."""

STABLE: Final = 60.0
"""Seconds of a connection after which pauses are short again."""

MOST_UNREADABLE: Final = 5
"""Connections in a row that end over what cannot be read; the next one begins a new session."""

MOST_WAITING: Final = 10_000
"""Messages to be sent that wait for a connection; acks and requests come again by themselves."""

_FIRST_PAUSE: Final = 1.0
_STORE_PAUSES: Final = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before the disk is tried again."""

_ANSWERING: Final = 0.5
"""Seconds between two rounds of answers while messages keep coming."""

_IDLE: Final = 1.0
"""Seconds between two slices of what can wait, where little comes."""

_RESTING: Final = 5.0
"""Seconds between two of them while messages wait: homes come first."""


class HubWorker:
    """Carries messages between a broker and a processor, in a thread of its own."""

    def __init__(
        self,
        link: Link | Callable[[], Link],
        processor: Processor,
        *,
        now: Callable[[], float] = time.time,
        batch: int = BATCH,
        name: str = "hub",
    ) -> None:
        """Take where the broker is and who makes something of the messages.

        A function for the link is asked before every connection, in the worker's thread.
        """
        self._link = link
        self._processor = processor
        self._now = now
        self._batch = batch
        self.on_control: Callable[[bytes], None] | None = None
        """Told what the broker answers to the hub's commands, in the worker's thread."""

        self._outgoing: deque[Reply] = deque()
        self._connection = Connection(self._outgoing, self._controlled)
        self._thread = threading.Thread(target=self._run, name=f"carbon_meter {name}", daemon=True)
        self._ears, self._mouth = socket.socketpair()
        for end in (self._ears, self._mouth):
            end.setblocking(False)
        self._is_stopping = threading.Event()
        self._listeners: list[Callable[[], None]] = []
        self._standing = WorkerStanding(now)
        self._first_at: float | None = None
        self._answered_at = self._rested_at = float("-inf")
        self._has_more = False
        self._unreadable = 0
        self._store_tries = 0
        self._store_due = float("-inf")

    # For other threads

    @property
    def status(self) -> WorkerStatus:
        """Return how it stands."""
        return self._standing.status(
            waiting=len(self._connection.arrived),
            owed=self._processor.owed,
            counts=self._processor.counts,
        )

    def start(self) -> None:
        """Begin; it goes on until `stop`, with or without a broker."""
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> bool:
        """End after the batch in hand; return whether the thread has ended within the time."""
        self._is_stopping.set()
        self._wake()
        if self._thread.ident is None:
            self._ears.close()
            self._mouth.close()
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def publish(self, topic: str, payload: bytes) -> None:
        """Send a message with QoS 1, in the order of calls; raises NotConnectedError."""
        if not self._connection.is_ready:
            raise NotConnectedError("the hub is not connected to its broker")
        self._outgoing.append(Reply(topic, payload))
        if threading.current_thread() is not self._thread:
            self._wake()

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have somebody called in the worker's thread after changes; return how to end that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    # In the worker's thread

    def _run(self) -> None:
        """Connect, serve, wait, again and again."""
        tries = 0
        while not self._is_stopping.is_set():
            began = time.monotonic()
            try:
                self._serve()
            except UnreadableError as err:
                self._stumbled(err)
            except LinkError as err:
                self._become(err.state, str(err))
            except Exception as err:  # the thread must not end while the hub goes on
                self._connection.close()
                message = f"{type(err).__name__}: {err}"
                if message != self._standing.error:
                    _LOGGER.exception("The community's connection has failed")
                self._become(WorkerState.WAITING, message)
            if time.monotonic() - began > STABLE:
                tries = self._unreadable = 0
            longest = min(_FIRST_PAUSE * 2.0**tries, LONGEST_PAUSE)
            tries = min(tries + 1, 20)
            if not self._is_stopping.is_set():
                self._is_stopping.wait(longest * random.random())  # noqa: S311  # no secret
        self._connection.close()
        self._become(WorkerState.STOPPED, None)
        self._ears.close()
        self._mouth.close()

    def _serve(self) -> None:
        """Connect and work until the connection is lost, or the worker is to stop."""
        link = self._link() if callable(self._link) else self._link
        # Twice as many as are committed at once: the next ones come meanwhile.
        is_anew = self._unreadable >= MOST_UNREADABLE
        self._connection.open(link, 2 * self._batch, is_anew=is_anew)
        if is_anew:
            self._unreadable = 0
        self._first_at = None
        while not self._is_stopping.is_set():
            self._connection.run(self._patience(), self._room(), self._ears)
            if self._connection.is_ready and not self._standing.is_connected:
                self._become(WorkerState.CONNECTED, None)
            self._work()
        while self._connection.arrived and self._commit():
            pass
        self._answer()
        self._connection.flush()

    def _stumbled(self, err: UnreadableError) -> None:
        """Take note of what cannot be read; if it comes again and again, leave it behind.

        No ack of a home is lost by that: it says again what the store has not taken.
        """
        self._unreadable += 1
        what = f"what the broker hands on cannot be read ({err})"
        if self._unreadable >= MOST_UNREADABLE:
            what += "; the hub begins a new session, and homes say again what was in the old one"
            _LOGGER.error("The community: %s. Please report it", what)
        self._become(WorkerState.WAITING, what)

    def _room(self) -> int:
        """Return how many messages may have arrived before no more are read.

        While the disk takes nothing, more than the broker sends without an ack: what else it
        says is still heard.
        """
        is_stuck = self._standing.state is WorkerState.STORE
        return 2 * self._batch + 1 if is_stuck else self._batch

    def _patience(self) -> float:
        """Return for how long nothing has to be done, in seconds."""
        if self._standing.state is WorkerState.STORE:
            return max(self._store_due - time.monotonic(), 0.0)
        if self._first_at is not None:
            return max(self._first_at + WAIT - time.monotonic(), 0.0)
        return 0.0 if self._has_more else _IDLE

    def _work(self) -> None:
        """Do what is due: commit, answer, or what can wait."""
        arrived = self._connection.arrived
        if arrived and self._first_at is None:
            self._first_at = time.monotonic()
        is_due = self._first_at is not None and (
            len(arrived) >= self._batch or time.monotonic() >= self._first_at + WAIT
        )
        is_busy = len(arrived) >= self._batch
        if is_due and self._commit():
            self._first_at = time.monotonic() if arrived else None
        if is_due or not arrived:
            self._answer(_ANSWERING if is_busy else 0.0)
            self._rest(_RESTING if is_busy else 0.0 if self._has_more else _IDLE)

    def _commit(self) -> bool:
        """Have a batch put on the disk, then acknowledge it; return False if it cannot be now."""
        if time.monotonic() < self._store_due:
            return False
        arrived = self._connection.arrived
        batch = list(islice(arrived, self._batch))
        try:
            replies = self._processor.process([message for _, message in batch], self._now())
        except StoreError as err:
            self._store_failed(err)
            return False
        self._store_works()
        lag = time.monotonic() - (self._first_at or time.monotonic())
        self._standing.took(len(batch), lag)
        if len(self._outgoing) < MOST_WAITING:
            # Else the broker takes nothing: who gets no answer says the same again.
            self._outgoing.extend(replies)
        for number, _ in batch:
            arrived.popleft()
            self._connection.acknowledge(number)
        self._connection.flush()
        self._tell()
        return True

    def _answer(self, pause: float = 0.0) -> None:
        """Send acks and requests, as many as the broker takes without piling up.

        Not before so many seconds after the last time: an ack for many costs as much as for one.
        """
        now = time.monotonic()
        if now < self._store_due or now - self._answered_at < pause:
            return
        self._answered_at = now
        room = MOST_OUT - self._connection.unsent
        if room <= 0 or not self._connection.is_ready:
            return
        try:
            self._outgoing.extend(self._processor.answers(self._now(), room))
        except StoreError as err:
            self._store_failed(err)

    def _rest(self, pause: float) -> None:
        """Do a slice of what can wait, if the last one is so many seconds ago."""
        now = time.monotonic()
        if now < self._store_due or now - self._rested_at < pause:
            return
        try:
            self._has_more = self._processor.idle(self._now())
            self._rested_at = time.monotonic()
        except StoreError as err:
            self._store_failed(err)
        else:
            self._store_works()

    def _store_failed(self, err: StoreError) -> None:
        """Wait before the disk is tried again; what has come stays with the broker."""
        pause = _STORE_PAUSES[min(self._store_tries, len(_STORE_PAUSES) - 1)]
        self._store_tries += 1
        self._store_due = time.monotonic() + pause
        if self._standing.state is not WorkerState.STORE:
            _LOGGER.error("The community's store takes nothing: %s", err)
            self._become(WorkerState.STORE, str(err))

    def _store_works(self) -> None:
        """Take note that the disk takes what it is given."""
        self._store_tries = 0
        if self._standing.state is WorkerState.STORE:
            _LOGGER.warning("The community's store works again")
            self._become(WorkerState.CONNECTED, None)

    def _become(self, state: WorkerState, error: str | None) -> None:
        """Be in another state, and say so."""
        is_connected = state in {WorkerState.CONNECTED, WorkerState.STORE}
        self._standing.become(state, error, connected=is_connected)
        self._bound()
        self._tell()

    def _bound(self) -> None:
        """Drop answers for which there is no room; no command to the broker, which comes once."""
        if len(self._outgoing) <= MOST_WAITING:
            return
        room = MOST_WAITING
        for _ in range(len(self._outgoing)):
            reply = self._outgoing.popleft()
            if reply.topic == CONTROL or room > 0:
                self._outgoing.append(reply)
                room -= reply.topic != CONTROL

    def _tell(self) -> None:
        """Tell the listeners; what they do wrong is not the worker's."""
        for listener in tuple(self._listeners):
            try:
                listener()
            except Exception:
                _LOGGER.exception("A listener of the community's worker has failed")

    def _controlled(self, payload: bytes) -> None:
        """Hand on what the broker answers to commands."""
        if self.on_control is not None:
            self.on_control(payload)

    def _wake(self) -> None:
        """Let the worker's thread look around."""
        with suppress(OSError):
            self._mouth.send(b"1")
