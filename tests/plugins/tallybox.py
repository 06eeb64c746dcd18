"""The meter of docs/plugins.md: the integration's files out of the page, and a server."""

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path
import re
from typing import Final, Self, override

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "plugins.md"

_FILE: Final = re.compile(
    r"^`custom_components/tallybox/([^`]+)`\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL
)


def pages_files() -> dict[str, str]:
    """Return the example's files as the page shows them."""
    return dict(_FILE.findall(PAGE.read_text()))


class Tallybox(AbstractAsyncContextManager["Tallybox"]):
    """Answers questions with lines; what it says can be changed while it runs."""

    def __init__(self) -> None:
        """Lay the answers out."""
        self.answers = {
            "tell": "TB1 model=TB-3 serial=00042 kW=1.25 kWh=8765.432 V=230.1",
            "grid": "TB1 g=213.5 for=900",
        }
        self.asked: list[str] = []
        self.port = 0
        self._server: asyncio.Server

    @override
    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    @override
    async def __aexit__(self, *exception: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        question = (await reader.readline()).decode().strip()
        self.asked.append(question)
        writer.write(f"{self.answers[question]}\n".encode())
        writer.close()
