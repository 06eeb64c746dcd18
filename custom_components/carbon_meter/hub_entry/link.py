"""The link between a hub and its homes: a thread of its own, or Home Assistant's broker."""

from collections.abc import Callable
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant

from ..community.hub.status import WorkerStatus
from .files import Opened
from .own_broker import OwnBroker


class HubLink:
    """Started and stopped with the entry; `heard` is called in the event loop."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        opened: Opened,
        heard: Callable[[], None],
    ) -> None:
        """Choose the way; nothing runs yet."""
        self._hass = hass
        self._core = opened.core
        self._heard = heard
        self._own: OwnBroker | None = None
        self._stop_listening: CALLBACK_TYPE | None = None
        self._last: WorkerStatus | None = None
        if opened.core.worker is None:
            self._own = OwnBroker(hass, entry, opened.core, heard)

    @property
    def status(self) -> WorkerStatus:
        """Return how it is."""
        if self._own is not None:
            return self._own.status
        assert self._core.worker is not None  # noqa: S101  # one of both is there
        return self._core.worker.status

    async def async_start(self) -> None:
        """Begin to listen to the homes; without a broker it goes on trying."""
        if self._own is not None:
            await self._own.async_start()
            return
        worker = self._core.worker
        assert worker is not None  # noqa: S101  # one of both is there

        def told() -> None:
            self._hass.loop.call_soon_threadsafe(self._heard)

        self._stop_listening = worker.listen(told)
        await self._hass.async_add_executor_job(self._core.start)

    async def async_stop(self) -> None:
        """Finish what is in hand, and stop."""
        if self._own is not None:
            await self._own.async_stop()
            return
        await self._hass.async_add_executor_job(self._core.stop)
        if self._stop_listening is not None:
            self._stop_listening()
            self._stop_listening = None
