"""The thread of a hub in which all that needs much memory is done.

What a thread has once needed, glibc keeps for that thread: in threads that Home Assistant gives
out by turns, publishing a month and working it out again would be paid for several times over.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from ..community.ledger.database import LedgerError


class OwnThread:
    """Does one thing after the other, beside the event loop."""

    def __init__(self) -> None:
        """Begin with nothing to do; the thread is made when there is something."""
        self._threads = ThreadPoolExecutor(1, "carbon_meter hub")

    async def async_run[Found](self, work: Callable[[], Found]) -> Found:
        """Do some work and return what it returns.

        Raises what that raises, and LedgerError after the end.
        """
        try:
            done = asyncio.get_running_loop().run_in_executor(self._threads, work)
        except RuntimeError as err:
            raise LedgerError("the hub is closed") from err
        return await done

    async def async_close(self) -> None:
        """End the thread, after what it does; nothing is done any more."""
        await asyncio.to_thread(self._threads.shutdown)
