"""A virtual SMA energy meter: sends its telegram into the multicast group once a second.

From the same profile files that the integration reads, encoded the other way round.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
import math
import socket
import struct
import time
from typing import Final, Self, override

from custom_components.carbon_meter.metering.speedwire.listener import GROUP, PORT
from custom_components.carbon_meter.metering.speedwire.profile import Channel, SpeedwireProfile

LOOPBACK: Final = "127.0.0.1"

_LARGEST: Final = {4: 0xFFFFFFFF, 8: 0xFFFFFFFFFFFFFFFF}
_END: Final = bytes(4)


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeedwireSpec:
    """Which meter speaks, and where."""

    susy_id: int = 349
    serial: int = 1_900_000_001
    firmware: bytes = bytes((2, 3, 4)) + b"R"
    interface: str = LOOPBACK
    """Address of the interface that is sent from."""

    port: int = PORT
    missing: frozenset[str] = frozenset()
    """Quantities that this model does not send."""

    unavailable: frozenset[str] = frozenset()
    """Quantities that it sends the code for: not known."""


class VirtualSpeedwireMeter(AbstractAsyncContextManager["VirtualSpeedwireMeter"]):
    """A meter at a place of a household; inside it a telegram is sent each second.

    `values` gives what the meter measures, for instance `home["grid"].true_values`.
    """

    def __init__(
        self,
        values: Callable[[], Mapping[str, float]],
        profile: SpeedwireProfile,
        spec: SpeedwireSpec | None = None,
        *,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        """Build the meter; `ticks` is what its ticker counts, in seconds."""
        self.spec = spec or SpeedwireSpec()
        self._values = values
        self._profile = profile
        self._ticks = ticks
        self._socket: socket.socket | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def ticker(self) -> int:
        """Return the milliseconds that the next telegram has."""
        return int(self._ticks() * 1000) & 0xFFFFFFFF

    def shown_values(self) -> dict[str, float]:
        """Return what a reader gets, rounded by the channels."""
        values = self._values()
        hidden = self.spec.missing | self.spec.unavailable
        return {
            key: float(_raw(channel, values) * channel.factor)
            for key, channel in self._profile.channels.items()
            if key in values and key not in hidden
        }

    def telegram(self) -> bytes:
        """Return the datagram of now."""
        body = struct.pack(">HHII", 0x6069, self.spec.susy_id, self.spec.serial, self.ticker)
        body += self._blocks()
        head = b"SMA\0" + struct.pack(">HHIHH", 4, 0x02A0, 1, len(body), 0x0010)
        return head + body + _END

    def send(self, datagram: bytes | None = None) -> None:
        """Send a datagram at once, by default the telegram of now."""
        if self._socket is None:
            self._socket = _sender(self.spec.interface)
        self._socket.sendto(datagram or self.telegram(), (GROUP, self.spec.port))

    @override
    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    @override
    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self.close()

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def _run(self) -> None:
        while True:
            self.send()
            await asyncio.sleep(1)

    def _blocks(self) -> bytes:
        """Return the OBIS blocks, in the order of the channels, and the firmware's."""
        values = self._values()
        raw: dict[tuple[int, int], int] = {}
        for key, channel in self._profile.channels.items():
            if key in self.spec.missing or key not in values:
                continue
            first, second = _split(channel, values)
            if key in self.spec.unavailable:
                first = second = _LARGEST[channel.type]
            raw[channel.channel, channel.type] = first
            if channel.other is not None:
                raw[channel.other, channel.type] = second
        blocks = [
            struct.pack(">HBB", number, kind, 0) + raw[number, kind].to_bytes(kind)
            for number, kind in sorted(raw)
        ]
        return b"".join(blocks) + struct.pack(">HBB", 0x9000, 0, 0) + self.spec.firmware


def _split(channel: Channel, values: Mapping[str, float]) -> tuple[int, int]:
    """Return the raw values of a channel and of that of the other direction."""
    raw = _raw(channel, values)
    if channel.other is None:
        return raw, 0
    exporting = raw < 0
    if channel.other_sign > 0:
        # A magnitude has a channel for each direction as well: that of the power.
        exporting = values[channel.quantity.replace("apparent_", "")] < 0
    return (0, abs(raw)) if exporting else (abs(raw), 0)


def _raw(channel: Channel, values: Mapping[str, float]) -> int:
    """Return the nearest raw value; counters show only what is complete.

    A direction of its own or a bare number has no room for a sign.
    """
    exact = values[channel.quantity] / float(channel.factor)
    if channel.type == 8:
        return math.floor(exact)
    return round(exact) if channel.other is not None else abs(round(exact))


def _sender(interface: str) -> socket.socket:
    """Return a socket that sends to groups from an interface."""
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.setblocking(False)
    sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
    return sender
