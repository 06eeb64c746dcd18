"""What the connections to meters that speak by themselves have in common."""

from abc import abstractmethod
import asyncio
from collections.abc import Callable
from typing import Final, override

from homeassistant.core import HomeAssistant, callback

from ..driver import Heard, Lost, MeterConnection
from ..metering.errors import MeterError, MeterSilentError
from ..metering.readings import Reading

FIRST_WORD: Final = 20.0
"""Seconds that the first reading is waited for; a meter may be set to speak less often."""

_SHORTEST_SILENCE: Final = 20.0
"""Seconds without a word that mean nothing, however often the meter is said to speak."""

_NEXT_TRY: Final = 30.0
"""Seconds until a subscription that failed is tried again."""


class SpeakingConnection(MeterConnection):
    """A meter that is listened to: its readings are handed on, its silence is noticed."""

    def __init__(
        self, hass: HomeAssistant, *, patience: float, first_word: float = FIRST_WORD
    ) -> None:
        """Take after how many seconds without a word the meter has fallen silent.

        `first_word` is for how many seconds `async_read` waits.
        """
        self._hass = hass
        self._patience = max(patience, _SHORTEST_SILENCE)
        self._first_word = first_word
        self._listening: _Listening | None = None

    @abstractmethod
    async def async_subscribe(self, heard: Heard) -> Callable[[], None]:
        """Call back with each reading from now on; return how to stop. Raises MeterError."""

    @property
    @override
    def speaks(self) -> bool:
        return True

    @override
    async def async_read(self) -> Reading:
        reading: asyncio.Future[Reading] = self._hass.loop.create_future()

        def take(heard: Reading) -> None:
            if not reading.done():
                reading.set_result(heard)

        stop = await self.async_subscribe(take)
        try:
            async with asyncio.timeout(self._first_word):
                return await reading
        except TimeoutError as err:
            raise _silent(self._first_word) from err
        finally:
            stop()

    @override
    def async_listen(self, heard: Heard, lost: Lost) -> Callable[[], None]:
        self._stop()
        self._listening = _Listening(self._hass, self, heard, lost, self._patience)
        return self._stop

    @callback
    def _stop(self) -> None:
        """Listen no more."""
        if self._listening is not None:
            self._listening.stop()
            self._listening = None

    @override
    async def async_close(self) -> None:
        # What is being subscribed to now would be held for ever.
        self._stop()


class _Listening:
    """One subscription, and the watch over it."""

    def __init__(
        self,
        hass: HomeAssistant,
        connection: SpeakingConnection,
        heard: Heard,
        lost: Lost,
        patience: float,
    ) -> None:
        self._loop = hass.loop
        self._heard = heard
        self._lost = lost
        self._patience = patience
        self._latest = self._loop.time()
        self._silent = False
        self._unsubscribe: Callable[[], None] | None = None
        self._watch = self._loop.call_later(patience, self._look)
        self._task = hass.async_create_background_task(
            self._subscribe(connection), "carbon_meter listens to a meter"
        )

    async def _subscribe(self, connection: SpeakingConnection) -> None:
        """Subscribe, as soon as that is possible."""
        while self._unsubscribe is None:
            try:
                self._unsubscribe = await connection.async_subscribe(self._take)
            except MeterError as err:
                self._tell(err)
                await asyncio.sleep(_NEXT_TRY)

    @callback
    def _take(self, reading: Reading) -> None:
        self._latest = self._loop.time()
        self._silent = False
        self._heard(reading)

    @callback
    def _look(self) -> None:
        """Tell once that nothing has been heard for long; look again when it may be so."""
        now = self._loop.time()
        due = self._latest + self._patience
        if now >= due:
            self._tell(_silent(self._patience))
        wait = self._patience if self._silent else due - now
        self._watch = self._loop.call_later(wait, self._look)

    def _tell(self, err: MeterError) -> None:
        """Tell that there is nothing to hear, once until there is again."""
        if not self._silent:
            self._silent = True
            self._lost(err)

    @callback
    def stop(self) -> None:
        """Listen no more."""
        self._task.cancel()
        self._watch.cancel()
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None


def _silent(seconds: float) -> MeterSilentError:
    return MeterSilentError(f"nothing was heard for {seconds:.0f} s")
