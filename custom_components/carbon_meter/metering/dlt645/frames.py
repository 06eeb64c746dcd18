"""The frames of DL/T 645-2007: FE… 68 A0…A5 68 C L DATA CS 16.

Addresses and data go low byte first, each byte of the data is raised by 0x33, and the
checksum is the sum of everything from the first 68 on.
"""

from dataclasses import dataclass
import re
from typing import Final

READ: Final = 0x11
"""Control code of the question for data."""

READ_FOLLOWING: Final = 0x12
"""Control code of the question for the rest of data that did not fit in one frame."""

READ_ADDRESS: Final = 0x13
"""Control code of the question who is there; for a single meter on the line."""

ANSWER: Final = 0x80
REFUSED: Final = 0x40
MORE: Final = 0x20
"""Bits of the control code: of a meter, an error, and that there is a rest to be asked for."""

FUNCTION: Final = 0x1F
"""The bits of the control code that question and answer have in common."""

ANYBODY: Final = "AA" * 6
"""The address that every meter answers to."""

LONGEST: Final = 255
"""Most bytes of data that a frame has room for."""

_WAKE_UP: Final = b"\xfe" * 4
_START: Final = 0x68
_END: Final = 0x16
_HEAD: Final = 10
_OFFSET: Final = 0x33
_IDLE: Final = b"\xfe\xff\x00"
"""What lines carry without anybody having said something."""

_ADDRESS: Final = re.compile(r"(?:AA){0,6}[0-9]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """A frame whose checksum is right."""

    address: str
    """Twelve digits as they are printed on the meter; hexadecimal if they are none."""

    control: int
    data: bytes
    """Low byte first, without the offset of the line."""

    @property
    def is_answer(self) -> bool:
        """Return whether a meter sent it; a question comes back where the line echoes."""
        return bool(self.control & ANSWER)


def is_address(text: str) -> bool:
    """Return whether a text is the address of one meter."""
    return len(text) == 12 and text.isascii() and text.isdecimal()


def wildcard(last_digits: str) -> str:
    """Return the address of all meters whose number ends like this."""
    return last_digits.rjust(12, "A")


def encode_frame(address: str, control: int, data: bytes = b"") -> bytes:
    """Return a frame with the bytes that wake a meter up before it.

    Raises ValueError for what is no address and for data that do not fit.
    """
    if len(address) != 12 or not _ADDRESS.fullmatch(address):
        raise ValueError(f"{address!r} is not an address of twelve digits")
    if len(data) > LONGEST:
        raise ValueError(f"{len(data)} bytes do not fit in a frame")
    body = bytes(
        (
            _START,
            *reversed(bytes.fromhex(address)),
            _START,
            control,
            len(data),
            *((byte + _OFFSET) & 0xFF for byte in data),
        )
    )
    return _WAKE_UP + body + bytes((sum(body) & 0xFF, _END))


def take_frame(received: bytearray) -> Frame | None:
    """Remove and return the first whole frame, with the noise before it; None if there is none.

    What may be the beginning of a frame stays.
    """
    unfinished: int | None = None
    start = received.find(_START)
    while start >= 0:
        match _length(received, start):
            case None if unfinished is None:
                unfinished = start
            case int(length) if length:
                frame = _decoded(received[start : start + length])
                del received[: start + length]
                return frame
        start = received.find(_START, start + 1)
    del received[: len(received) if unfinished is None else unfinished]
    return None


def split_frames(received: bytes) -> tuple[list[Frame], int]:
    """Return the frames among bytes, and how many bytes are of none of them."""
    rest = bytearray(received)
    frames: list[Frame] = []
    noise = 0
    while rest:
        before = len(rest)
        whole = bytes(rest)
        frame = take_frame(rest)
        if frame is None:
            noise += _noise(whole)
            break
        frames.append(frame)
        noise += _noise(whole[: before - len(rest) - _HEAD - len(frame.data) - 2])
    return frames, noise


def _noise(stretch: bytes) -> int:
    """Return how many bytes of a stretch mean something was said."""
    return sum(byte not in _IDLE for byte in stretch)


def _length(received: bytearray, start: int) -> int | None:
    """Return the length of the frame that begins here; 0 if none does, None if it is not whole."""
    if len(received) > start + 7 and received[start + 7] != _START:
        return 0
    if len(received) < start + _HEAD:
        return None
    end = start + _HEAD + received[start + 9]
    if len(received) < end + 2:
        return None
    whole = received[end] == sum(received[start:end]) & 0xFF and received[end + 1] == _END
    return end + 2 - start if whole else 0


def _decoded(raw: bytearray) -> Frame:
    return Frame(
        address=raw[6:0:-1].hex().upper(),
        control=raw[8],
        data=bytes((byte - _OFFSET) & 0xFF for byte in raw[_HEAD:-2]),
    )
