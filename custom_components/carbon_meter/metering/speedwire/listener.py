"""Hears the energy meters of the local network, on the interfaces that it is given."""

import asyncio
from collections.abc import Callable, Iterable
import contextlib
import logging
import socket
import time
from typing import Final, override

from ..candidate import Candidate
from ..errors import MeterUnreachableError
from ..plausibility import is_plausible
from .profile import SpeedwireProfile
from .telegram import NoTelegramError, SpeedwireMessage, parse_telegram
from .tickers import Tickers

GROUP: Final = "239.12.255.254"
"""The multicast group of all Speedwire devices."""

PORT: Final = 9522

DISCOVERY_REQUEST: Final = bytes.fromhex("534d4100000402a0ffffffff0000002000000000")
"""Asks all SMA devices to say that they are there.

Described in SMA's technical information SpeedwireDD-TI-en-10 (Speedwire device discovery); the
SMA plugin of nymea sends the same.
"""

_LOGGER: Final = logging.getLogger(__name__)

type Heard = Callable[[SpeedwireMessage], None]


class SpeedwireListener:
    """A socket that is joined to the Speedwire group, for any number of meters."""

    def __init__(
        self,
        interfaces: Iterable[str],
        clock: Callable[[], float] = time.time,
        *,
        port: int = PORT,
    ) -> None:
        """Take the addresses of the own interfaces to listen on; nothing is opened yet.

        `clock` gives seconds since 1970 UTC.
        """
        self._interfaces = tuple(dict.fromkeys(interfaces))
        self._clock = clock
        self._port = port
        self._joined: tuple[str, ...] = ()
        self._heard: list[Heard] = []
        self._tickers = Tickers()
        self._socket: socket.socket | None = None
        self._transport: asyncio.DatagramTransport | None = None

    @property
    def joined(self) -> tuple[str, ...]:
        """Return the addresses of the interfaces on which the group is heard."""
        return self._joined

    async def open(self) -> None:
        """Join the group; an interface that has gone is left out.

        Other programs of this machine may use the port as well. Raises
        MeterUnreachableError when the port is taken or no interface can join.
        """
        if self._transport is not None:
            return
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._joined = _join(opened, self._interfaces, self._port)
            self._transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: _Endpoint(self._receive), sock=opened
            )
        except OSError as err:
            opened.close()
            self._joined = ()
            raise MeterUnreachableError(f"cannot listen to Speedwire: {err}") from err
        self._socket = opened

    async def close(self) -> None:
        """Leave the group; `open` joins again, and who listens goes on."""
        if self._transport is not None:
            self._transport.close()
            self._transport = self._socket = None
            self._joined = ()
            # The socket is closed in the loop's next round.
            await asyncio.sleep(0)

    def listen(self, heard: Heard) -> Callable[[], None]:
        """Have every new telegram of any meter told from now on; return how to end it.

        Duplicates and telegrams that were overtaken are left out.
        """
        self._heard.append(heard)

        def stop() -> None:
            with contextlib.suppress(ValueError):
                self._heard.remove(heard)

        return stop

    async def discover(
        self, profiles: Iterable[SpeedwireProfile], seconds: float = 3.0
    ) -> tuple[Candidate, ...]:
        """Return the meters that speak within some seconds, by their serial numbers.

        Devices that wait to be asked are asked. A model that no profile names is read by
        the first and not certain.
        """
        known = list(profiles)
        messages: dict[tuple[int, int], SpeedwireMessage] = {}

        def take(message: SpeedwireMessage) -> None:
            messages[message.susy_id, message.serial] = message

        stop = self.listen(take)
        try:
            self._request_discovery()
            await asyncio.sleep(seconds)
        finally:
            stop()
        return tuple(_candidate(messages[key], known) for key in sorted(messages)) if known else ()

    def _request_discovery(self) -> None:
        """Send the request out of every interface; meters are heard also without."""
        if self._socket is None:
            return
        for interface in self._joined:
            with contextlib.suppress(OSError):
                self._socket.setsockopt(
                    socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface)
                )
                self._socket.sendto(DISCOVERY_REQUEST, (GROUP, self._port))

    def _receive(self, datagram: bytes) -> None:
        """Tell a new telegram to all who listen."""
        try:
            message = parse_telegram(datagram, self._clock())
        except NoTelegramError:
            return
        if not self._tickers.is_new(message):
            return
        for heard in tuple(self._heard):
            try:
                heard(message)
            except Exception:
                _LOGGER.exception("What listens to meter %s failed", message.serial)


class _Endpoint(asyncio.DatagramProtocol):
    def __init__(self, receive: Callable[[bytes], None]) -> None:
        self._receive = receive

    @override
    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        """Hand on what came, whoever sent it."""
        self._receive(data)


def _join(opened: socket.socket, interfaces: Iterable[str], port: int) -> tuple[str, ...]:
    """Bind a socket to the port and join the group; return the interfaces that could.

    Raises OSError when none could.
    """
    opened.setblocking(False)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "SO_REUSEPORT"):
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    # Not to the group alone: some meters are set to send to single machines.
    opened.bind(("", port))
    joined: list[str] = []
    failure = OSError("there is no interface to listen on")
    for interface in interfaces:
        try:
            membership = socket.inet_aton(GROUP) + socket.inet_aton(interface)
            opened.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        except OSError as err:
            failure = err
            continue
        joined.append(interface)
    if not joined:
        raise failure
    return tuple(joined)


def _candidate(message: SpeedwireMessage, profiles: list[SpeedwireProfile]) -> Candidate:
    """Return the meter that a telegram is from."""
    named = [profile for profile in profiles if message.susy_id in profile.susy_ids]
    profile = (named or profiles)[0]
    reading = profile.decode(message)
    return Candidate(
        profile=profile,
        settings={"susy_id": message.susy_id, "serial": message.serial},
        certain=bool(named) and is_plausible(reading.values, profile.phases),
        reading=reading,
        manufacturer=profile.vendor,
        model=profile.susy_ids.get(message.susy_id, f"SUSyID {message.susy_id}"),
        serial=str(message.serial),
    )
