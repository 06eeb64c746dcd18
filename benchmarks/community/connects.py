"""How many homes the broker lets in each second, with certificates on both sides."""

import asyncio
import ssl
import struct
import time
from typing import Final

import psutil

from benchmarks.community.ingest import LIMIT
from benchmarks.community.rig import Rig
from benchmarks.rows import Better, Row, compare

_AT_ONCE: Final = 16
_HOMES_A_MINUTE: Final = 10_000 / 60
"""Homes that must be let in each second for all of ten thousand to be back in a minute."""

_CONNECTED: Final = b"\x00"
_CONNACK: Final = 0x20


async def measure(rig: Rig, broker: int, homes: list[str], rounds: int) -> list[Row]:
    """Connect each home once per round; `broker` is the process id of mosquitto."""
    contexts = [rig.context(name) for name in homes]
    process = psutil.Process(broker)
    rates, costs = [], []
    for _ in range(rounds):
        slots = asyncio.Semaphore(_AT_ONCE)
        cpu, begin = _cpu(process), time.perf_counter()
        writers = await asyncio.gather(
            *(
                _connect(rig, context, name, slots)
                for context, name in zip(contexts, homes, strict=True)
            )
        )
        rates.append(len(homes) / (time.perf_counter() - begin))
        costs.append(len(homes) / (_cpu(process) - cpu))
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0.5)
    limit = [_HOMES_A_MINUTE] * rounds
    what = "homes let in over mutual TLS"
    return [
        _row(f"{what}, both sides on this machine", "1/s", rates, limit),
        _row(f"{what}, by the broker's CPU alone", "1/s of a core", costs, limit),
    ]


async def _connect(
    rig: Rig, context: ssl.SSLContext, name: str, slots: asyncio.Semaphore
) -> asyncio.StreamWriter:
    """Shake hands and say CONNECT; raises ConnectionError when the broker does not let it in."""
    async with slots:
        reader, writer = await asyncio.open_connection(rig.host, rig.port, ssl=context)
        client = name.encode()
        body = b"\x00\x04MQTT\x05\x02" + struct.pack(">H", 60) + b"\x00"
        body += struct.pack(">H", len(client)) + client
        writer.write(bytes([0x10, len(body)]) + body)
        kind, length = await reader.readexactly(2)
        answer = await reader.readexactly(length)
        if kind != _CONNACK or answer[1:2] != _CONNECTED:
            raise ConnectionError(f"{name} was not let in: {answer.hex()}")
        return writer


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _row(what: str, unit: str, ours: list[float], limit: list[float]) -> Row:
    return compare(
        benchmark="community",
        what=what,
        unit=unit,
        better=Better.HIGHER,
        ours=ours,
        peer=limit,
        peer_name=LIMIT,
    )


def names(count: int) -> list[str]:
    """Return the ids of homes that connect."""
    return [f"c{number:05d}" for number in range(count)]
