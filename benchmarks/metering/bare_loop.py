"""The least that reading can cost: prebuilt frames out, answers in, nothing made of them."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
import struct
from typing import Final

from benchmarks.metering.subject import Subject
from custom_components.carbon_meter.metering.modbus.blocks import Block
from custom_components.carbon_meter.metering.modbus.registers import Function

NAME: Final = "a bare loop"

_CODES: Final = {Function.HOLDING: 3, Function.INPUT: 4}
_PATIENCE: Final = 5.0  # seconds for the first answers


class BareLoop:
    """A connection of its own, and the request frames of one full reading."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        blocks: Iterable[Block],
        unit: int,
    ) -> None:
        """Build the frames that Modbus TCP has for the blocks."""
        self._reader = reader
        self._writer = writer
        self._exchanges = [
            (
                struct.pack(
                    ">HHHBBHH",
                    number,
                    0,
                    6,
                    unit,
                    _CODES[block.function],
                    block.address,
                    block.words,
                ),
                9 + 2 * block.words,
            )
            for number, block in enumerate(blocks)
        ]

    async def read(self) -> None:
        """Send each frame and read its answer."""
        for frame, length in self._exchanges:
            self._writer.write(frame)
            await self._reader.readexactly(length)

    async def check(self) -> None:
        """Make sure once that the answers are those of a reading.

        Raises RuntimeError when one is not, TimeoutError when there is none.
        """
        async with asyncio.timeout(_PATIENCE):
            for frame, length in self._exchanges:
                self._writer.write(frame)
                head = await self._reader.readexactly(9)
                if head[:2] != frame[:2] or head[7] != frame[7] or head[8] != length - 9:
                    raise RuntimeError(f"{frame.hex(' ')} was answered with {head.hex(' ')}")
                await self._reader.readexactly(length - 9)


@asynccontextmanager
async def bare_loop(subject: Subject, blocks: Iterable[Block]) -> AsyncGenerator[BareLoop]:
    """Connect to the meter, and hang up in the end."""
    reader, writer = await asyncio.open_connection(subject.host, subject.port)
    try:
        loop = BareLoop(reader, writer, blocks, subject.unit)
        await loop.check()
        yield loop
    finally:
        writer.close()
        await writer.wait_closed()
