"""What a service says that is not Modbus: a web page, a login banner.

A Modbus client only notices that no answer came. For people who have typed a wrong
port it helps to see what does answer there. Used after Modbus has failed, so that no
meter has to take a second connection.
"""

import asyncio
import contextlib
from typing import Final

# Function 3, one register at address 0 of unit 1, as transaction 1 in Modbus TCP framing.
_QUESTION: Final = bytes.fromhex("000100000006010300000001")

_SHOWN: Final = 40
"""Characters."""


async def first_words(host: str, port: int, wait: float) -> str | None:
    """Return what answers a Modbus request in another language, None where nothing does.

    Waits `wait` seconds at most for the connection and as long for an answer.
    """
    try:
        async with asyncio.timeout(wait):
            reader, writer = await asyncio.open_connection(host, port)
    except OSError, TimeoutError:
        return None
    answer = b""
    try:
        with contextlib.suppress(OSError, TimeoutError):
            writer.write(_QUESTION)
            async with asyncio.timeout(wait):
                answer = await reader.read(260)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    if not answer or answer[2:4] == b"\0\0":
        return None
    text = "".join(chr(byte) if 32 <= byte < 127 else " " for byte in answer).split()
    return " ".join(text)[:_SHOWN] or answer[:16].hex(" ")
