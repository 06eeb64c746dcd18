"""A network of loopback addresses."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from homeassistant.core import HomeAssistant
import pytest
import pytest_socket

from tests.discovery.network import NETWORK, Answer, ServeTcp


@pytest.fixture
def loopback_network(socket_enabled: None) -> None:
    """Let tests connect to any of the addresses."""
    pytest_socket.socket_allow_hosts(NETWORK)


@pytest.fixture
def network_time(
    loopback_network: None, real_time: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> HomeAssistant:
    """Return Home Assistant in the network, with a clock that runs.

    Its searches give nobody else a turn between two unit ids: there is nobody else.
    """
    monkeypatch.setattr("custom_components.carbon_meter.drivers.modbus_search.PAUSE", 0)
    return real_time


@pytest.fixture
async def serve_tcp(loopback_network: None) -> AsyncIterator[ServeTcp]:
    """Return what opens a port with a server that is no meter."""
    async with AsyncExitStack() as stack:

        async def start(answer: Answer, host: str = "127.0.0.1", port: int = 0) -> int:
            server = await asyncio.start_server(answer, host, port)
            stack.callback(server.close_clients)
            stack.callback(server.close)
            return int(server.sockets[0].getsockname()[1])

        yield start
