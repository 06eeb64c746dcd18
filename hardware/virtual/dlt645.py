"""Virtual DL/T 645 meters on one line, behind a TCP gateway on a real port.

From the same profile files that the integration reads, encoded the other way round.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
import math
from types import MappingProxyType
from typing import Final, Self, override

from custom_components.carbon_meter.metering.dlt645.frames import (
    ANSWER,
    FUNCTION,
    MORE,
    READ,
    READ_ADDRESS,
    READ_FOLLOWING,
    REFUSED,
    Frame,
    encode_frame,
    take_frame,
)
from custom_components.carbon_meter.metering.dlt645.profile import Datum, Dlt645Profile

LOOPBACK: Final = "127.0.0.1"

_NO_SUCH_DATA: Final = 0x02
_SIGN: Final = 0x80


class LineFault(StrEnum):
    """What goes wrong with an answer on the line."""

    WRONG_CHECKSUM = "wrong_checksum"
    NOISE = "noise"
    """A crackle before the frame that looks like the beginning of one."""

    HALF_FRAME = "half_frame"
    SILENT = "silent"
    REFUSED = "refused"
    """The meter answers with an error."""

    OTHER_METER = "other_meter"
    """The answer has another meter's address."""

    LATE = "late"
    """The answer comes with the next question, before that one's own."""

    ECHO = "echo"
    """The question comes back before the answer."""

    CLOSE = "close"
    """The gateway hangs up instead of an answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Dlt645Spec:
    """Which meter is on the line, and what it can say."""

    address: str
    profile: Dlt645Profile
    model: str = ""
    blocks: bool = True
    """Whether it answers to blocks of data."""

    missing: frozenset[str] = frozenset()
    """Quantities that it refuses."""

    unavailable: frozenset[str] = frozenset()
    """Quantities that it answers with the code for: not known."""

    silent_about: frozenset[int] = frozenset()
    """Data identifiers that it does not answer at all."""

    most_data: int = 200
    """Bytes of data in one frame; the rest has to be asked for."""

    tells_address: bool = True
    """Whether it answers the question for its address."""


class VirtualDlt645Meter:
    """A meter at a place of a household.

    `values` gives what it measures, for instance `home["grid"].true_values`.
    """

    def __init__(self, spec: Dlt645Spec, values: Callable[[], Mapping[str, float]]) -> None:
        """Build the meter."""
        self.spec = spec
        self._values = values
        self._blocks = {
            block.identifier: block.quantities for block in spec.profile.blocks if spec.blocks
        }
        self._single = {datum.identifier: key for key, datum in spec.profile.data.items()}

    def shown_values(self) -> dict[str, float]:
        """Return what a reader gets, rounded by the formats."""
        values = self._values()
        hidden = self.spec.missing | self.spec.unavailable
        return {
            key: float(_digits(datum, values[key]) * datum.factor)
            for key, datum in self.spec.profile.data.items()
            if key in values and key not in hidden
        }

    def is_meant_by(self, address: str) -> bool:
        """Return whether an address, with wildcards or without, is this meter's."""
        return self.spec.address.endswith(address.lstrip("A"))

    def answer(self, question: Frame) -> bytes | None:
        """Return the frame that answers a question; None for silence."""
        match question.control:
            case control if control == READ_ADDRESS:
                if not self.spec.tells_address:
                    return None
                content = bytes(reversed(bytes.fromhex(self.spec.address)))
                return encode_frame(self.spec.address, READ_ADDRESS | ANSWER, content)
            case control if control in (READ, READ_FOLLOWING) and len(question.data) >= 4:
                return self._read(question)
            case _:
                return None

    def refusal(self, question: Frame, code: int = _NO_SUCH_DATA) -> bytes:
        """Return an error as the answer to a question."""
        control = question.control & FUNCTION | ANSWER | REFUSED
        return encode_frame(self.spec.address, control, bytes((code,)))

    def _read(self, question: Frame) -> bytes | None:
        wanted = question.data[:4]
        identifier = int.from_bytes(wanted, "little")
        if identifier in self.spec.silent_about:
            return None
        content = self._content(identifier)
        if content is None:
            return self.refusal(question)
        number = question.data[4] if question.control == READ_FOLLOWING else 0
        size = self.spec.most_data
        part, rest = content[number * size : (number + 1) * size], content[(number + 1) * size :]
        control = question.control | ANSWER | (MORE if rest else 0)
        return encode_frame(self.spec.address, control, wanted + part + question.data[4:5])

    def _content(self, identifier: int) -> bytes | None:
        """Return the bytes of a datum, a block or a text; None for what the meter lacks."""
        if identifier == self.spec.profile.identity.get("model") and self.spec.model:
            return bytes(reversed(self.spec.model.encode().ljust(10, b"\0")))
        quantities = self._blocks.get(identifier, ())
        if identifier in self._single:
            quantities = (self._single[identifier],)
        values = self._values()
        data = self.spec.profile.data
        if not quantities or any(
            key in self.spec.missing or key not in values for key in quantities
        ):
            return None
        return b"".join(
            b"\xff" * data[key].length
            if key in self.spec.unavailable
            else _encoded(data[key], values[key])
            for key in quantities
        )


class Dlt645Gateway(AbstractAsyncContextManager["Dlt645Gateway"]):
    """A TCP port and the meters on the line behind it."""

    def __init__(self, meters: Iterable[VirtualDlt645Meter], *, port: int = 0) -> None:
        """Wire the meters to the line; 0 is any free port, chosen when it is opened."""
        self.meters: Mapping[str, VirtualDlt645Meter] = MappingProxyType(
            {meter.spec.address: meter for meter in meters}
        )
        self.port = port
        self.questions: list[Frame] = []
        self.connections = 0
        self._faults: dict[LineFault, int | None] = {}
        self._late = b""
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    def misbehave(self, fault: LineFault, times: int | None = 1) -> None:
        """Let a fault hold for so many questions; None: until it is cleared."""
        self._faults[fault] = times

    def clear(self) -> None:
        """End all faults."""
        self._faults.clear()

    @override
    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, LOOPBACK, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    @override
    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
            self.hang_up()
            await self._server.wait_closed()

    def hang_up(self) -> None:
        """Close every connection; new ones are accepted."""
        for writer in tuple(self._open):
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        received = bytearray()
        try:
            while data := await reader.read(1024):
                received += data
                while (question := take_frame(received)) is not None:
                    if self._takes(LineFault.CLOSE):
                        return
                    writer.write(self._reaction(question))
        except ConnectionError:
            return
        finally:
            self._open.discard(writer)
            writer.close()

    def _reaction(self, question: Frame) -> bytes:
        """Return what the line carries after a question, faults and all."""
        self.questions.append(question)
        answers = [
            answer
            for meter in self.meters.values()
            if meter.is_meant_by(question.address) and (answer := self._answer(meter, question))
        ]
        said, self._late = self._late, b""
        if self._takes(LineFault.ECHO):
            said += encode_frame(question.address, question.control, question.data)
        answer = _collided(answers)
        if self._takes(LineFault.LATE):
            self._late = answer
            return said
        if self._takes(LineFault.SILENT):
            return said
        if answer and self._takes(LineFault.WRONG_CHECKSUM):
            answer = answer[:-2] + bytes((answer[-2] ^ 0x55,)) + answer[-1:]
        if answer and self._takes(LineFault.HALF_FRAME):
            answer = answer[: len(answer) // 2]
        if self._takes(LineFault.NOISE):
            said += b"\x16\x68\x01\x00\x68"
        return said + answer

    def _answer(self, meter: VirtualDlt645Meter, question: Frame) -> bytes | None:
        if self._takes(LineFault.REFUSED):
            return meter.refusal(question, 0x01)
        answer = meter.answer(question)
        if answer and self._takes(LineFault.OTHER_METER):
            frame = take_frame(bytearray(answer))
            if frame is not None:
                return encode_frame("999900009999", frame.control, frame.data)
        return answer

    def _takes(self, fault: LineFault) -> bool:
        """Return whether a fault holds, counting down the questions that it has left."""
        if fault not in self._faults:
            return False
        left = self._faults[fault]
        if left is not None:
            self._faults[fault] = left - 1
            if left <= 1:
                del self._faults[fault]
        return True


def _collided(answers: list[bytes]) -> bytes:
    """Return what is heard when all speak at once: a line is low where anybody pulls it down."""
    if len(answers) < 2:
        return b"".join(answers)
    heard = bytearray(max(answers, key=len))
    for answer in answers:
        for place, byte in enumerate(answer):
            heard[place] &= byte
    return bytes(heard)


def _encoded(datum: Datum, value: float) -> bytes:
    """Return a value as decimal digits, the low byte first."""
    digits = _digits(datum, value)
    raw = bytearray.fromhex(f"{abs(digits):0{2 * datum.length}d}")
    if digits < 0:
        raw[0] |= _SIGN
    return bytes(reversed(raw))


def _digits(datum: Datum, value: float) -> int:
    """Return the digits without their point; counters show what is complete and roll over."""
    exact = value / float(datum.factor)
    if not datum.signed:
        exact = abs(exact)
    if "energy" in datum.quantity:
        return int(math.floor(exact) % 10**datum.digits)
    return round(exact)
