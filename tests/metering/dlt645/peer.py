"""A meter of the PyPI package dlt645, in a process of its own: its import takes 300 MB.

Takes the address and the values by data identifier as JSON, and prints its port.
"""

import asyncio
import json
import sys

from dlt645.aio import AsyncMeterServerService


async def main(address: str, values: dict[str, float]) -> None:
    meter = AsyncMeterServerService.new_tcp_server("127.0.0.1", 0)
    # The package keeps an address as it goes over the line.
    meter.set_address(bytes.fromhex(address)[::-1])
    for key, value in values.items():
        identifier = int(key, 16)
        stored = meter.set_02 if identifier >> 24 == 2 else meter.set_00
        if not stored(identifier, value):
            raise ValueError(f"{key} cannot be {value}")
    async with meter:
        sys.stdout.write(f"{meter.server.port}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])))
