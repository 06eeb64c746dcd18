"""A TLS socket that reads and writes in large pieces.

paho reads a packet as one byte, one to four bytes, and the rest, and writes each packet by itself.
Every such step is a call into OpenSSL and a record on the wire; taken together they cost a hub that
catches up a third of its time.
"""

import ssl
from typing import Any, Final

_PIECE: Final = 65536
"""Bytes: some TLS records."""

_PATIENCE: Final = 8.0
"""Seconds."""


class PiecewiseSocket(ssl.SSLSocket):
    """Gives out of what was read in one go, and gathers what is to be written until `flush`.

    Made by a context of which it is the `sslsocket_class`. Once it does not block, it raises
    what an SSLSocket raises where nothing has come.
    """

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Return at most so many bytes."""
        state = self.__dict__
        read: bytes = state.get("piece", b"")
        at: int = state.get("at", 0)
        if at >= len(read):
            state["is_dry"] = True
            try:
                read, at = super().recv(_PIECE, flags), 0
            except ssl.SSLWantReadError, ssl.SSLWantWriteError, ssl.SSLEOFError:
                raise
            except ssl.SSLError as err:
                state["trouble"] = str(err)
                raise
            state["piece"] = read
        state["is_dry"] = False
        end = at + buflen
        state["at"] = end
        return read[at:end]

    def pending(self) -> int:
        """Return how many bytes can be had without asking the network."""
        return self.held + int(super().pending())

    @property
    def held(self) -> int:
        """Return how many bytes were read and not given out."""
        read: bytes = self.__dict__.get("piece", b"")
        at: int = self.__dict__.get("at", 0)
        return max(len(read) - at, 0)

    @property
    def is_dry(self) -> bool:
        """Return whether the network had nothing when it was asked last."""
        return bool(self.__dict__.get("is_dry", False))

    @property
    def trouble(self) -> str | None:
        """Return what is wrong with the certificates, as the other side has said on reading."""
        trouble: str | None = self.__dict__.get("trouble")
        return trouble

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands within a time in which nobody despairs of the thread."""
        self.settimeout(_PATIENCE)
        super().do_handshake(block)

    def send(self, data: Any, flags: int = 0) -> int:
        """Take bytes to be written; returns how many that are."""
        gathered: bytearray = self.__dict__.setdefault("gathered", bytearray())
        gathered += data
        return len(data)

    @property
    def unsent(self) -> int:
        """Return how many bytes wait for `flush`."""
        return len(self.__dict__.get("gathered", b""))

    def flush(self) -> None:
        """Write what was gathered, as far as the network takes it now; raises OSError."""
        gathered: bytearray = self.__dict__.get("gathered", bytearray())
        while gathered:
            try:
                sent = super().send(bytes(gathered[:_PIECE]))
            except ssl.SSLWantReadError, ssl.SSLWantWriteError:
                return
            del gathered[:sent]
