"""One id's line to the hub: it comes back after every failure, and never in a hurry."""

import asyncio
from collections.abc import Callable, Coroutine
import logging
import random
import time
from typing import Any, Final

from ..contract.topics import to_home
from ..outbox.errors import OutboxError
from .errors import MemberError
from .holdings import Holdings
from .report import Report
from .schedule import BackOff, Pace
from .status import MemberState
from .transport import Transport, TransportError, TransportFactory, Trouble

_LOGGER = logging.getLogger(__name__)

_LOOK_AGAIN: Final = 60.0
"""Seconds after which a home with a certificate that has ended looks whether it has another."""

_PEOPLE: Final = frozenset({Trouble.NOT_AUTHORIZED, Trouble.NOT_TRUSTED, Trouble.NOT_YET})
"""What does not change by itself."""

type Speak = Callable[[Transport], Coroutine[Any, Any, None]]
"""Speaks on a connection until another one is wanted."""

type Listen = Callable[[Transport], Coroutine[Any, Any, None]]
"""Hears what comes until the connection ends."""


class Connection:
    """Connects, has `speak` and `listen` work on it, waits, connects again."""

    def __init__(  # noqa: PLR0913, PLR0917  # who speaks, where to, and who wants to know
        self,
        home: str,
        holdings: Holdings,
        factory: TransportFactory,
        pace: Pace,
        report: Report,
        changed: Callable[[], None],
    ) -> None:
        """Take which id speaks, where to, and whom to tell how it goes."""
        self._home = home
        self._holdings = holdings
        self._factory = factory
        self._pace = pace
        self._report = report
        self._changed = changed

    async def run(self, speak: Speak, listen: Listen) -> None:
        """Go on until cancelled.

        `listen` runs beside `speak`; when `speak` returns it is connected anew without waiting.
        """
        back_off = BackOff(self._pace)
        await asyncio.sleep(random.random() * self._pace.first)  # noqa: S311 - no secret
        while True:
            if self._has_ended():
                await asyncio.sleep(_LOOK_AGAIN)
                continue
            began: float | None = None
            try:
                async with self._factory(self._home) as transport:
                    began = time.monotonic()
                    await self._converse(transport, speak, listen)
                wait = 0.0
            except TransportError as err:
                self._report.failed(err)
                lasted = 0.0 if began is None else time.monotonic() - began
                is_hopeless = err.trouble in _PEOPLE
                wait = back_off.refused() if is_hopeless else back_off.failed(lasted)
                _LOGGER.debug("%s: %s; again in %.0f s", self._home, err, wait)
            except (OutboxError, MemberError) as err:
                self._report.stopped(MemberState.STORE, str(err))
                wait = back_off.failed(0.0)
                _LOGGER.warning("%s; again in %.0f s", err, wait)
            self._changed()
            await asyncio.sleep(wait)

    async def _converse(self, transport: Transport, speak: Speak, listen: Listen) -> None:
        """Speak and listen until one of both ends."""
        await transport.subscribe(to_home(self._holdings.state.community, self._home))
        self._report.connected(self._holdings.now())
        self._changed()
        both = [
            asyncio.create_task(speak(transport)),
            asyncio.create_task(listen(transport)),
        ]
        try:
            done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)
        for task in done:
            task.result()
        if both[0] not in done:
            raise TransportError(Trouble.LOST, "the connection has ended")

    def _has_ended(self) -> bool:
        """Return whether the certificate has ended, and say so."""
        identity = self._holdings.identity(self._home)
        if identity is None or not identity.has_ended(self._holdings.now()):
            return False
        self._report.stopped(MemberState.EXPIRED, f"since {identity.holds_until}")
        self._changed()
        return True
