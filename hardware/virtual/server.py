"""Modbus TCP on a real port, with one or more devices behind it.

pymodbus listens, frames and codes. Its own request loop keeps one request per
connection, loses a second one that comes in the same packet, and answers late
with the number of a later request; a gateway that is to be late on purpose needs
its own.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
import struct
from typing import Any, Final, override

from pymodbus.constants import ExcCodes
from pymodbus.pdu import ExceptionResponse, ModbusPDU
from pymodbus.pdu.mei_message import ReadDeviceInformationResponse
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersResponse,
    ReadInputRegistersResponse,
)
from pymodbus.server import ModbusTcpServer
from pymodbus.server.requesthandler import ServerRequestHandler
from pymodbus.simulator import DataType, SimData, SimDevice

from custom_components.carbon_meter.metering.modbus.registers import Function

from .device import Answer, Device

LOOPBACK: Final = "127.0.0.1"

_HEADER: Final = 7
_LONGEST_FRAME: Final = 260
_REQUEST: Final = 5
"""Bytes of a read request's body: function, address and count."""

_IDENTIFY: Final = b"\x2b\x0e"
"""Function 43, encapsulated interface 14: the device identification."""

_FUNCTIONS: Final = {3: Function.HOLDING, 4: Function.INPUT}


class UnknownUnit(StrEnum):
    """What a port does with requests for a unit that it does not have."""

    REFUSE = "refuse"
    """Exception 11, as gateways do whose device does not respond."""

    SILENT = "silent"
    """Nothing, as serial converters do."""

    ANY = "any"
    """The first device answers, as meters with a network port of their own do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """Where a port is opened, and what it does with unknown units."""

    host: str = LOOPBACK
    port: int = 0
    """0 is any free one, chosen when the port is opened first."""

    unknown: UnknownUnit = UnknownUnit.REFUSE


class ModbusPort:
    """A TCP port and the devices behind it, by unit id."""

    def __init__(self, devices: Iterable[Device], endpoint: Endpoint | None = None) -> None:
        """Take the devices; by default they answer on a free port of the loopback.

        Raises ValueError when two devices have the same unit id.
        """
        endpoint = endpoint or Endpoint()
        self._devices: dict[int, Device] = {}
        for device in devices:
            if device.unit in self._devices:
                raise ValueError(f"two devices have the unit id {device.unit}")
            self._devices[device.unit] = device
        self._host = endpoint.host
        self._port = endpoint.port
        self._unknown = endpoint.unknown
        self._server: _Server | None = None

    @property
    def host(self) -> str:
        """Return the address that the port is bound to."""
        return self._host

    @property
    def port(self) -> int:
        """Return the port number; 0 before it is opened for the first time."""
        return self._port

    @property
    def listening(self) -> bool:
        """Return whether connections are accepted."""
        return self._server is not None

    async def open(self) -> None:
        """Accept connections; raises OSError when the port is taken."""
        if self._server is not None:
            return
        server = _Server(self, self._host, self._port)
        if not await server.listen():
            raise OSError(f"cannot listen on {self._host}:{self._port}")
        self._port = server.bound_port
        self._server = server

    async def close(self) -> None:
        """Close every connection and accept none; `open` takes the same port again."""
        if self._server is not None:
            server, self._server = self._server, None
            server.close()

    def answer(self, unit: int, function: Function, address: int, count: int) -> Answer:
        """Return what a read request to a unit brings."""
        device = self._device(unit)
        return self._nobody() if device is None else device.answer(function, address, count)

    def identify(self, unit: int) -> Answer:
        """Return what a request for the device identification of a unit brings."""
        device = self._device(unit)
        if device is None:
            return self._nobody()
        if not device.identification:
            return Answer(code=ExcCodes.ILLEGAL_FUNCTION)
        return Answer(identification=device.identification)

    def _device(self, unit: int) -> Device | None:
        """Return who answers for a unit id."""
        device = self._devices.get(unit)
        if device is None and self._unknown is UnknownUnit.ANY:
            return next(iter(self._devices.values()), None)
        return device

    def _nobody(self) -> Answer:
        """Return what comes back where there is no such unit."""
        if self._unknown is UnknownUnit.SILENT:
            return Answer(silent=True)
        return Answer(code=ExcCodes.GATEWAY_NO_RESPONSE)


class _Server(ModbusTcpServer):
    """pymodbus' listener, with our connections."""

    def __init__(self, port: ModbusPort, host: str, number: int) -> None:
        # The library insists on a register store; ours are asked by the connections.
        nothing = SimDevice(0, simdata=[SimData(0, datatype=DataType.REGISTERS)])
        super().__init__(nothing, address=(host, number))
        self.devices = port

    @property
    def bound_port(self) -> int:
        """Return the port that is listened on."""
        listener: Any = self.transport
        return int(listener.sockets[0].getsockname()[1])

    @override
    def callback_new_connection(self) -> _Connection:
        """Return what handles a new connection."""
        return _Connection(self)


class _Connection(ServerRequestHandler):
    """One client: every frame it sends is answered under its own number, in order."""

    def __init__(self, server: _Server) -> None:
        super().__init__(server, None, None, None)  # type: ignore[no-untyped-call]
        self._devices = server.devices
        self._received = b""
        self._free_at = 0.0
        self._waiting: set[asyncio.TimerHandle] = set()

    @override
    def data_received(self, data: bytes) -> None:
        """Answer every complete frame; hang up on what cannot be Modbus."""
        self._received += data
        while len(self._received) >= _HEADER + 1 and self.transport is not None:
            size = int.from_bytes(self._received[4:6]) + 6
            if self._received[2:4] != b"\0\0" or not _HEADER < size <= _LONGEST_FRAME:
                self.close()
                return
            if len(self._received) < size:
                return
            frame, self._received = self._received[:size], self._received[size:]
            self._handle(frame)

    @override
    def callback_disconnected(self, exc: Exception | None) -> None:
        """Forget the answers when the client has gone."""
        self._forget()
        super().callback_disconnected(exc)

    @override
    def close(self, reconnect: bool = False) -> None:
        """Forget the answers and hang up."""
        self._forget()
        super().close(reconnect)

    def _forget(self) -> None:
        for timer in self._waiting:
            timer.cancel()
        self._waiting.clear()

    def _handle(self, frame: bytes) -> None:
        """Answer one frame, now or later."""
        _, unit, number, body = self.framer.decode(frame)
        answer = self._answer(unit, body)
        if answer.silent:
            return
        now = self.loop.time()
        # A device answers one request after the other.
        self._free_at = max(self._free_at, now) + answer.delay
        if self._free_at <= now:
            self._send(answer, body[0], unit, number)
            return

        def send_later() -> None:
            self._waiting.discard(timer)
            self._send(answer, body[0], unit, number)

        timer = self.loop.call_at(self._free_at, send_later)
        self._waiting.add(timer)

    def _answer(self, unit: int, body: bytes) -> Answer:
        """Return what the devices say to the body of a frame."""
        function = _FUNCTIONS.get(body[0])
        if body[:2] == _IDENTIFY:
            return self._devices.identify(unit)
        if function is None:
            return Answer(code=ExcCodes.ILLEGAL_FUNCTION)
        if len(body) != _REQUEST:
            return Answer(code=ExcCodes.ILLEGAL_VALUE)
        address, count = struct.unpack(">HH", body[1:])
        return self._devices.answer(unit, function, address, count)

    def _send(self, answer: Answer, function: int, unit: int, number: int) -> None:
        """Put an answer on the wire."""
        if self.transport is None:
            return
        if answer.close:
            self.close()
            return
        response: ModbusPDU
        if answer.code is not None:
            response = ExceptionResponse(function & 0x7F, answer.code)
        elif answer.identification is not None:
            response = ReadDeviceInformationResponse(information=dict(answer.identification))
        elif function == 3:
            response = ReadHoldingRegistersResponse(registers=list(answer.words))
        else:
            response = ReadInputRegistersResponse(registers=list(answer.words))
        response.transaction_id = number
        response.dev_id = unit if answer.unit is None else answer.unit
        packet = self.framer.buildFrame(response)
        self.send(packet[:2] + b"\xde\xad" + packet[4:] if answer.broken else packet)
