"""Meters are heard over real multicast on the loopback."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
import socket

import pytest

from custom_components.carbon_meter.metering.errors import MeterUnreachableError
from custom_components.carbon_meter.metering.profile_library import load_profiles
from custom_components.carbon_meter.metering.readings import Reading
from custom_components.carbon_meter.metering.speedwire.listener import (
    DISCOVERY_REQUEST,
    GROUP,
    SpeedwireListener,
)
from custom_components.carbon_meter.metering.speedwire.meter import SpeedwireMeter
from custom_components.carbon_meter.metering.speedwire.profile import SpeedwireProfile
from custom_components.carbon_meter.metering.speedwire.telegram import SpeedwireMessage
from tests.metering.speedwire.captures import ENERGY_METER, HOME_MANAGER

LOOPBACK = "127.0.0.1"
PROFILES = load_profiles().of(SpeedwireProfile)
PROFILE = PROFILES["sma_energy_meter"]


@pytest.fixture
def port(socket_enabled: None) -> int:
    """A port of this test's own: what others send into the group is not heard."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def send(port: int) -> Callable[[bytes], None]:
    """Send a datagram into the group."""

    def sending(datagram: bytes) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(LOOPBACK))
            sender.sendto(datagram, (GROUP, port))

    return sending


@pytest.fixture
async def opened(port: int) -> AsyncIterator[Callable[[], Awaitable[SpeedwireListener]]]:
    """Return what opens a listener on the loopback."""
    async with AsyncExitStack() as stack:

        async def opening() -> SpeedwireListener:
            listener = SpeedwireListener([LOOPBACK], lambda: 1000.0, port=port)
            await listener.open()
            stack.push_async_callback(listener.close)
            return listener

        yield opening


class Heard:
    """What was heard, and a wait for more of it."""

    def __init__(self) -> None:
        self.messages: list[SpeedwireMessage] = []
        self._more = asyncio.Event()

    def __call__(self, message: SpeedwireMessage) -> None:
        self.messages.append(message)
        self._more.set()

    async def wait(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.messages) < count:
                self._more.clear()
                await self._more.wait()

    @property
    def serials(self) -> list[int]:
        return [message.serial for message in self.messages]


def other(datagram: bytes, *, serial: int | None = None, ticker: int | None = None) -> bytes:
    """Return the telegram of another meter or another moment."""
    if serial is not None:
        datagram = datagram[:20] + serial.to_bytes(4) + datagram[24:]
    if ticker is not None:
        datagram = datagram[:24] + ticker.to_bytes(4) + datagram[28:]
    return datagram


async def test_two_meters_are_told_apart(opened, send) -> None:
    listener = await opened()
    readings: dict[str, list[Reading]] = {"meter": [], "manager": []}
    heard = Heard()
    SpeedwireMeter(PROFILE, 1901403938, listener).listen(readings["meter"].append)
    SpeedwireMeter(PROFILE, 3014003406, listener, susy_id=372).listen(readings["manager"].append)
    SpeedwireMeter(PROFILE, 3014003406, listener, susy_id=349).listen(pytest.fail)
    listener.listen(heard)

    send(ENERGY_METER)
    send(HOME_MANAGER)
    await heard.wait(2)

    assert [reading.values["power"] for reading in readings["meter"]] == [634.7]
    assert [reading.values["power"] for reading in readings["manager"]] == [-699.7]
    assert readings["meter"][0].time == 1000.0


async def test_duplicates_and_garbage_are_not_told(opened, send) -> None:
    listener = await opened()
    heard = Heard()
    listener.listen(heard)

    for datagram in (
        *(b"", b"\0", DISCOVERY_REQUEST, ENERGY_METER[:54], ENERGY_METER[:-1]),
        *(other(ENERGY_METER, ticker=5000), other(ENERGY_METER, ticker=5000)),
        *(other(ENERGY_METER, ticker=6000), other(ENERGY_METER, ticker=5500)),
        other(ENERGY_METER, serial=7, ticker=1),
    ):
        send(datagram)
    await heard.wait(3)

    assert [(message.serial, message.ticker) for message in heard.messages] == [
        (1901403938, 5000),
        (1901403938, 6000),
        (7, 1),
    ]


async def test_a_second_listener_on_the_same_port_hears_the_same(opened, send) -> None:
    """As another program on this machine: neither takes the telegrams from the other."""
    first, second = Heard(), Heard()
    (await opened()).listen(first)
    (await opened()).listen(second)

    send(ENERGY_METER)
    send(HOME_MANAGER)
    await first.wait(2)
    await second.wait(2)

    assert first.serials == second.serials == [1901403938, 3014003406]


async def test_who_stops_listening_hears_no_more(opened, send) -> None:
    listener = await opened()
    ended, heard = Heard(), Heard()
    stop = listener.listen(ended)
    listener.listen(heard)
    send(ENERGY_METER)
    await heard.wait(1)

    stop()
    stop()
    send(HOME_MANAGER)
    await heard.wait(2)

    assert len(ended.messages) == 1


async def test_a_listener_that_fails_costs_no_other(opened, send, caplog) -> None:
    listener = await opened()
    heard = Heard()

    def failing(_: SpeedwireMessage) -> None:
        raise RuntimeError("broken")

    listener.listen(failing)
    listener.listen(heard)
    send(ENERGY_METER)
    await heard.wait(1)

    assert "What listens to meter 1901403938 failed" in caplog.text


async def test_a_closed_listener_can_be_opened_again(opened, send) -> None:
    listener = await opened()
    witness = Heard()
    (await opened()).listen(witness)
    heard = Heard()
    listener.listen(heard)

    await listener.close()
    assert listener.joined == ()
    send(ENERGY_METER)
    await witness.wait(1)
    await listener.open()
    await listener.open()
    assert listener.joined == (LOOPBACK,)
    send(HOME_MANAGER)
    await heard.wait(1)

    assert heard.serials == [3014003406]


async def test_an_interface_that_has_gone_is_left_out(port, send) -> None:
    listener = SpeedwireListener(["198.51.100.1", LOOPBACK, LOOPBACK], port=port)
    heard = Heard()
    listener.listen(heard)
    await listener.open()
    try:
        assert listener.joined == (LOOPBACK,)
        send(ENERGY_METER)
        await heard.wait(1)
    finally:
        await listener.close()


@pytest.mark.parametrize("interfaces", [(), ("198.51.100.1",), ("not an address",)])
async def test_without_an_interface_nothing_can_be_heard(port, interfaces) -> None:
    listener = SpeedwireListener(interfaces, port=port)

    with pytest.raises(MeterUnreachableError, match="cannot listen to Speedwire"):
        await listener.open()

    assert listener.joined == ()
    await listener.close()


@pytest.mark.parametrize("option", [socket.SO_REUSEADDR, socket.SO_REUSEPORT])
async def test_the_port_is_shared_in_whichever_way_others_share_it(port, send, option) -> None:
    listener = SpeedwireListener([LOOPBACK], port=port)
    heard = Heard()
    listener.listen(heard)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as program:
        program.setsockopt(socket.SOL_SOCKET, option, 1)
        program.bind(("", port))
        await listener.open()
        try:
            send(ENERGY_METER)
            await heard.wait(1)
        finally:
            await listener.close()


async def test_a_port_that_somebody_keeps_to_himself(port) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as selfish:
        selfish.bind(("", port))
        with pytest.raises(MeterUnreachableError, match="cannot listen to Speedwire"):
            await SpeedwireListener([LOOPBACK], port=port).open()


async def test_meters_that_speak_and_those_that_wait_to_be_asked_are_found(
    opened, send, port
) -> None:
    listener = await opened()

    class Shy(asyncio.DatagramProtocol):
        """A meter that sends once it is asked."""

        def datagram_received(self, data: bytes, addr: object) -> None:
            if data == DISCOVERY_REQUEST:
                send(HOME_MANAGER)
                send(other(HOME_MANAGER, serial=5))
                send(ENERGY_METER[:18] + b"\x01\xf4" + ENERGY_METER[20:])

    asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asked.setblocking(False)
    asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    asked.bind(("", port))
    membership = socket.inet_aton(GROUP) + socket.inet_aton(LOOPBACK)
    asked.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Shy, sock=asked)
    try:
        candidates = await listener.discover(PROFILES.values(), 0.5)
    finally:
        transport.close()

    assert [(candidate.serial, candidate.model) for candidate in candidates] == [
        ("5", "Sunny Home Manager 2.0"),
        ("3014003406", "Sunny Home Manager 2.0"),
        ("1901403938", "SUSyID 500"),
    ]
    assert [candidate.certain for candidate in candidates] == [True, True, False]
    assert candidates[1].name == "SMA Sunny Home Manager 2.0"
    assert candidates[1].settings == {"susy_id": 372, "serial": 3014003406}
    assert candidates[1].reading.values["power"] == -699.7


async def test_where_nobody_speaks_nothing_is_found(opened) -> None:
    listener = await opened()

    assert await listener.discover(PROFILES.values(), 0.05) == ()
    await listener.close()
    assert await listener.discover(PROFILES.values(), 0.05) == ()
