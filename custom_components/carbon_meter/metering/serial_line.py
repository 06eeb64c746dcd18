"""A serial line behind a TCP gateway: a question goes out, bytes come back.

The line belongs to all meters that are wired to it. Who asks brings the bytes of the
question and what recognises the answer, so that any serial protocol can use it.
"""

import asyncio
from collections.abc import Callable
from typing import Final, override

from .errors import (
    MeterGarbledError,
    MeterRefusedError,
    MeterSilentError,
    MeterUnreachableError,
)

_CONNECT_PATIENCE: Final = 5.0
"""Seconds for a connection to stand."""

_MOST_KEPT: Final = 8192
"""Bytes that wait for being recognised; the longest frame of a meter has some hundred."""

_SILENCES_PER_CONNECTION: Final = 3
"""Questions without one byte in return after which a connection is taken for dead."""

_MOST_SETTLING: Final = 4
"""How many times the settling time a line that does not fall silent is waited for."""


class SerialLine:
    """One TCP connection to a gateway that hands raw bytes on; opened when first needed."""

    def __init__(
        self, host: str, port: int, *, patience: float = 3.0, settling: float = 0.5
    ) -> None:
        """Take the gateway's address; nothing is opened yet.

        `patience` is the seconds that an answer may take in all. After a question that
        got none the next one waits until nothing has come for `settling` seconds: what
        comes meanwhile is late and belongs to nobody.
        """
        self.host = host
        self.port = port
        self._patience = patience
        self._settling = settling
        self._turn = asyncio.Lock()
        self._link: _Link | None = None
        self._owed = False
        self._silences = 0

    async def exchange[T](self, question: bytes, take: Callable[[bytearray], T | None]) -> T:
        """Send a question and return its answer; questions of others wait meanwhile.

        `take` is called with all that has come so far. It removes what it recognises, and
        returns the answer or None as long as that is not there.

        Raises MeterUnreachableError, MeterSilentError when nothing comes or the
        connection is closed, MeterGarbledError when something else than the answer comes.
        """
        async with self._turn:
            link = await self._ready()
            self._owed = True
            link.send(question)
            try:
                async with asyncio.timeout(self._patience):
                    while (answer := take(link.received)) is None:
                        await link.news()
            except TimeoutError:
                raise self._unanswered(link) from None
            finally:
                link.stop_listening()
            self._owed = False
            self._silences = 0
            return answer

    async def gather(self, question: bytes, seconds: float) -> bytes:
        """Send a question and return everything that comes in the seconds after it.

        Raises MeterUnreachableError, or MeterSilentError when the connection is closed.
        """
        async with self._turn:
            link = await self._ready()
            link.send(question)
            try:
                await asyncio.sleep(seconds)
            finally:
                received = bytes(link.received)
                link.stop_listening()
            if link.closed and not received:
                raise _closed()
            return received

    async def close(self) -> None:
        """Hang up; a later question connects again."""
        async with self._turn:
            self._hang_up()

    async def _ready(self) -> _Link:
        """Return a connection on which nothing is on its way any more."""
        if self._link is None or self._link.closed:
            self._link = await self._connected()
            self._owed = False
            self._silences = 0
        elif self._owed:
            await self._settled(self._link)
            self._owed = False
        return self._link

    async def _connected(self) -> _Link:
        """Return a new connection."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_CONNECT_PATIENCE):
                _, link = await loop.create_connection(_Link, self.host, self.port)
        except ConnectionRefusedError as err:
            raise MeterRefusedError(f"{self.host}:{self.port} refuses the connection") from err
        except TimeoutError as err:
            raise MeterUnreachableError(f"no answer from {self.host}:{self.port}") from err
        except (OSError, UnicodeError) as err:
            raise MeterUnreachableError(f"cannot reach {self.host}:{self.port}: {err}") from err
        return link

    async def _settled(self, link: _Link) -> None:
        """Wait until the answers that nobody waits for any more have passed."""
        for _ in range(_MOST_SETTLING):
            link.passed = 0
            await asyncio.sleep(self._settling)
            if not link.passed:
                return

    def _unanswered(self, link: _Link) -> MeterSilentError | MeterGarbledError:
        """Return why there is no answer; a connection that stays dead is given up."""
        if link.heard:
            self._silences = 0
            return MeterGarbledError(f"{link.heard} bytes came, but not the answer")
        self._silences += 1
        if self._silences >= _SILENCES_PER_CONNECTION:
            self._hang_up()
        return MeterSilentError("no answer in time")

    def _hang_up(self) -> None:
        if self._link is not None:
            link, self._link = self._link, None
            link.hang_up()


class _Link(asyncio.Protocol):
    """A connection. It keeps what comes as long as somebody listens."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.heard = 0
        """Bytes that came in return of the question."""

        self.passed = 0
        """Bytes that came while nobody listened."""

        self.closed = False
        self._listening = False
        self._transport: asyncio.Transport | None = None
        self._news = asyncio.Event()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what is written to."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        """Keep what comes; the oldest is given up for it."""
        if not self._listening:
            self.passed += len(data)
            return
        self.heard += len(data)
        self.received += data
        del self.received[:-_MOST_KEPT]
        self._news.set()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """Wake up whoever waits for an answer."""
        self.closed = True
        self._news.set()

    def send(self, question: bytes) -> None:
        """Send a question and listen from now on."""
        self.received.clear()
        self.heard = 0
        self._listening = True
        self._news.clear()
        if self._transport is not None:
            self._transport.write(question)

    async def news(self) -> None:
        """Wait until more has come; raises MeterSilentError when nothing more will."""
        if self.closed:
            raise _closed()
        await self._news.wait()
        self._news.clear()

    def stop_listening(self) -> None:
        """Drop what comes from now on."""
        self._listening = False

    def hang_up(self) -> None:
        """Close the connection at once: nothing that is on its way is worth waiting for."""
        self.closed = True
        if self._transport is not None:
            self._transport.abort()


def _closed() -> MeterSilentError:
    return MeterSilentError("the connection was closed instead of an answer")
