"""Homes in processes of their own, to be killed: `python -m tests.community.member.home`.

A line on standard input starts a home, forked from this process, which has imported everything: a
start takes milliseconds. A line that is empty is answered by one that is.
"""

import asyncio
import os
from pathlib import Path
import signal
import sys

from .house import HOUR, House
from .membership import linked


async def tell(folder: Path, begin: int, first: int, count: int) -> None:
    """Tell hours by their numbers, and say of each when it is kept; go on until killed."""
    house = House()
    async with linked(folder, house) as link:
        for number in range(first, count):
            await link.tell(house.live(begin + number * HOUR, float(number)))
            say(f"kept {number}")
            await asyncio.sleep(0.005)
        await asyncio.Event().wait()


def say(line: str) -> None:
    """Write a line in one piece."""
    os.write(sys.stdout.fileno(), f"{line}\n".encode())


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        match line.split():
            case [folder, *numbers]:
                process = os.fork()
                if not process:
                    asyncio.run(tell(Path(folder), *map(int, numbers)))
                say(f"started {process}")
            case _:
                say("")


if __name__ == "__main__":
    main()
