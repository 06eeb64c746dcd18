"""The one simulation of a site that may be running: in an executor, with progress, to be cancelled.

It ends when it is cancelled, when whoever asked goes away (a script that is stopped), and when the
site is unloaded. Nothing is kept of it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any

from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from ..const import DOMAIN
from ..planning.simulate import Cancellation, CancelledError, Progress


class Stage(StrEnum):
    """What a simulation is at."""

    READING = "reading"
    """What was recorded is read."""

    SIMULATING = "simulating"


type Read[Work] = Callable[[], Awaitable[Work]]
"""Reads what is simulated, in the event loop."""

type Work[Found] = Callable[[Progress, Cancellation], Found]
"""Simulates, in an executor; raises CancelledError soon after it was asked to stop."""


class Simulation:
    """What a site simulates, and how far it has come."""

    def __init__(self, hass: HomeAssistant, title: str) -> None:
        """Take the title of the site; nothing runs."""
        self._hass = hass
        self._title = title
        self._listeners: set[Callable[[], None]] = set()
        self._cancellation: Cancellation | None = None
        self._job: asyncio.Future[Any] | None = None
        self.progress: float | None = None
        """How much is done, in percent; None while nothing runs."""

        self.stage: Stage | None = None

    @property
    def is_running(self) -> bool:
        """Return whether something is being simulated."""
        return self._cancellation is not None

    @callback
    def async_add_listener(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call back when the progress has changed; returns how to stop it."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    async def async_run[Found](self, read: Read[Work[Found]]) -> Found:
        """Read, simulate and return what was found.

        Raises ServiceValidationError while something is being simulated already,
        HomeAssistantError when it was cancelled.
        """
        if self._cancellation is not None:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="simulation_running",
                translation_placeholders={"site": self._title},
            )
        stop = self._cancellation = Cancellation()
        forget = self._hass.bus.async_listen(EVENT_HOMEASSISTANT_STOP, self._stopping)
        try:
            self._tell(0.0, Stage.READING)
            work = await read()
            stop.check()
            self._tell(0.0, Stage.SIMULATING)
            self._job = self._hass.async_add_executor_job(work, self._progress(stop), stop)
            # Whoever waits may go away: the thread has to be told, and is waited for.
            found: Found = await asyncio.shield(self._job)
        except CancelledError as err:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="simulation_cancelled",
                translation_placeholders={"site": self._title},
            ) from err
        else:
            # Of a thread that ended before it was waited for, the end is known before what it
            # told of its progress is heard.
            await asyncio.sleep(0)
            return found
        finally:
            forget()
            stop.cancel()
            if self._job is not None and not self._job.done():
                self._job.add_done_callback(self._ended)
            else:
                self._ended(self._job)

    @callback
    def async_cancel(self) -> bool:
        """Ask what runs to stop at its next step; return whether anything runs."""
        if self._cancellation is None:
            return False
        self._cancellation.cancel()
        return True

    @callback
    def _stopping(self, _event: Event) -> None:
        """Stop with Home Assistant, which does not wait for threads."""
        self.async_cancel()

    async def async_stop(self) -> None:
        """Stop what runs, and wait until it has: the site is unloaded."""
        self.async_cancel()
        if self._job is not None:
            await asyncio.wait([self._job])

    @callback
    def _ended(self, job: asyncio.Future[Any] | None) -> None:
        """Take note that nothing runs any more; nobody may have waited for the end."""
        if job is not None and not job.cancelled():
            job.exception()
        self._cancellation = self._job = None
        self._tell(None, None)

    def _progress(self, stop: Cancellation) -> Progress:
        """Return what is told of progress in the thread that simulates: every percent once."""
        told = 0

        def progress(done: int, everything: int) -> None:
            nonlocal told
            percent = 100 * done // everything
            if percent > told:
                told = percent
                self._hass.loop.call_soon_threadsafe(self._simulated, stop, float(percent))

        return progress

    @callback
    def _simulated(self, stop: Cancellation, percent: float) -> None:
        """Take note of progress, unless what made it has ended in the meantime."""
        if self._cancellation is stop:
            self._tell(percent, Stage.SIMULATING)

    @callback
    def _tell(self, progress: float | None, stage: Stage | None) -> None:
        self.progress, self.stage = progress, stage
        for listener in list(self._listeners):
            listener()
