"""Questions and answers of DL/T 645-2007 on a line that several meters share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ..errors import (
    MeterGarbledError,
    MeterRejectedError,
    MeterSilentError,
    WrongMeterError,
)
from ..serial_line import SerialLine
from .frames import (
    FUNCTION,
    MORE,
    READ,
    READ_FOLLOWING,
    REFUSED,
    Frame,
    encode_frame,
    split_frames,
    take_frame,
)

_TRIES: Final = 2
"""A frame in a hundred is lost on a real line; two in a row mean something."""

_MOST_FOLLOWING: Final = 16
"""Frames with which one datum may go on."""

_REFUSALS: Final = {0x01: "other error", 0x02: "no such data", 0x04: "not allowed"}
"""What the bits of the error byte mean, those that a question for data can bring."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """What was said on the line after a question to many."""

    frames: tuple[Frame, ...]
    """The answers that could be understood."""

    noise: int
    """Bytes that could not: several meters spoke at once, or nobody speaks this language."""


class Dlt645Line:
    """A line with DL/T 645 meters behind a TCP gateway; one question at a time."""

    def __init__(
        self, host: str, port: int, *, patience: float = 3.0, settling: float = 0.5
    ) -> None:
        """Take the gateway's address; it is connected to with the first question.

        `patience` is the seconds that one answer may take: the standard allows a meter
        half a second, a slow line and the gateway need the rest.
        """
        self._line = SerialLine(host, port, patience=patience, settling=settling)

    async def ask(self, address: str, identifier: int) -> bytes:
        """Return the bytes of a datum, low byte first, with what follows in further frames.

        Raises MeterUnreachableError, MeterSilentError, MeterGarbledError,
        MeterRejectedError with the meter's error byte as code, or WrongMeterError when
        only a meter with another address answers.
        """
        frame = await self._ask(_Question(address=address, control=READ, identifier=identifier))
        content = frame.data[4:]
        for sequence in range(1, _MOST_FOLLOWING + 1):
            if not frame.control & MORE:
                return content
            frame = await self._ask(
                _Question(
                    address=address,
                    control=READ_FOLLOWING,
                    identifier=identifier,
                    sequence=bytes((sequence,)),
                )
            )
            content += frame.data[4:-1]
        raise MeterGarbledError(f"data {identifier:08X} does not end")

    async def ask_all(
        self, address: str, control: int, data: bytes = b"", *, seconds: float
    ) -> Heard:
        """Ask all meters that an address with wildcards fits, and listen for some seconds.

        Raises MeterUnreachableError, or MeterSilentError when the connection is closed.
        """
        received = await self._line.gather(encode_frame(address, control, data), seconds)
        frames, noise = split_frames(received)
        return Heard(frames=tuple(frame for frame in frames if frame.is_answer), noise=noise)

    async def close(self) -> None:
        """Hang up; a later question connects again."""
        await self._line.close()

    async def _ask(self, question: _Question) -> Frame:
        """Return the answer to a question, which is asked again when it got lost."""
        for _ in range(_TRIES - 1):
            try:
                return await self._ask_once(question)
            except MeterSilentError, MeterGarbledError, WrongMeterError:
                continue
        return await self._ask_once(question)

    async def _ask_once(self, question: _Question) -> Frame:
        others: list[str] = []
        try:
            frame = await self._line.exchange(question.frame, question.taker(others))
        except MeterSilentError as err:
            raise MeterSilentError(f"{question}: {err}") from err
        except MeterGarbledError as err:
            if others:
                raise WrongMeterError(expected=question.address, found=others[-1]) from err
            raise MeterGarbledError(f"{question}: {err}") from err
        if frame.control & REFUSED:
            code = frame.data[0] if frame.data else 0
            said = ", ".join(text for bit, text in _REFUSALS.items() if code & bit)
            raise MeterRejectedError(f"{question}: error 0x{code:02X} ({said})", code=code)
        return frame


@dataclass(frozen=True, kw_only=True, slots=True)
class _Question:
    """What is asked of one meter, and how its answer is known."""

    address: str
    control: int
    identifier: int
    sequence: bytes = b""
    """The number of the frame where the rest of a datum is asked for."""

    def __str__(self) -> str:
        return f"meter {self.address}, data {self.identifier:08X}"

    @property
    def frame(self) -> bytes:
        """Return the bytes to send."""
        return encode_frame(self.address, self.control, self._wanted + self.sequence)

    def taker(self, others: list[str]) -> Callable[[bytearray], Frame | None]:
        """Return what finds the answer among bytes; `others` gets who else answered."""

        def take(received: bytearray) -> Frame | None:
            while (frame := take_frame(received)) is not None:
                if not frame.is_answer or frame.control & FUNCTION != self.control:
                    continue
                if frame.address != self.address:
                    others.append(frame.address)
                elif self._is_answered_by(frame):
                    return frame
            return None

        return take

    @property
    def _wanted(self) -> bytes:
        return self.identifier.to_bytes(4, "little")

    def _is_answered_by(self, frame: Frame) -> bool:
        """Return whether a frame is about what was asked; a refusal does not say it."""
        if frame.control & REFUSED:
            return True
        return (
            len(frame.data) >= 4 + len(self.sequence)
            and frame.data.startswith(self._wanted)
            and frame.data.endswith(self.sequence)
        )
