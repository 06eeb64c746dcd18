"""What the tests of the virtual home share."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from modbus_connection.tmodbus import TmodbusUnit

NOON = datetime(2026, 7, 15, 11, 0, tzinfo=UTC).timestamp()
"""A summer's day: the sun shines, so that energy flows both ways."""

type Connect = Callable[..., Awaitable[TmodbusUnit]]
"""Takes a port, a unit id and how long to wait for an answer."""
