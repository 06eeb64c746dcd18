"""Members beside a real broker."""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from tests.community.broker import Broker

from .hub import Hub


@pytest.fixture(autouse=True)
def sockets(socket_enabled: None) -> None:
    """Let the tests connect."""


@pytest.fixture
def broker(tmp_path: Path) -> Generator[Broker]:
    """Return a running broker."""
    made = Broker(tmp_path)
    with made:
        yield made


@pytest.fixture
async def hub(broker: Broker, tmp_path: Path) -> AsyncGenerator[Hub]:
    """Return a hub that is not connected yet."""
    made = Hub(broker, tmp_path / "hub")
    yield made
    made.close()
