"""A community's broker that runs, and everybody who may come to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.community.broker import Broker


@pytest.fixture(autouse=True)
def sockets(socket_enabled: None) -> None:
    """Let all tests of this folder talk to a broker on the loopback."""


@pytest.fixture
def broker(tmp_path: Path, sockets: None) -> Iterator[Broker]:
    """Return a broker that is set up but does not run yet; it is ended with the test."""
    result = Broker(tmp_path)
    yield result
    result.kill()
