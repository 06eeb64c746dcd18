"""A broker that has lost the rights of all homes is told them again.

The plugin of mosquitto 2.0 writes its file in place: a power cut meanwhile leaves nothing of it,
and the broker comes back with the hub alone. So the hub asks after every connect.
"""

from contextlib import suppress
import logging
from typing import Final, Protocol

from .control import ControlError
from .desk import DeskError
from .dynsec import DynsecControl, complaints

_LOGGER: Final = logging.getLogger(__name__)


class Desk(Protocol):
    """Who knows all homes."""

    def resync(self) -> None:
        """Tell the broker all homes again."""


class Restoring:
    """Asks a broker what it knows, and hears its answers; in one thread."""

    def __init__(self, control: DynsecControl, desk: Desk) -> None:
        """Take how to tell the broker something, and who knows what to tell."""
        self._control = control
        self._desk = desk
        self._connected_since: float | None = None

    def connected(self, since: float | None) -> None:
        """Ask the broker once for each connection; `since` is when it began, None without one."""
        if since == self._connected_since:
            return
        self._connected_since = since
        if since is not None:
            with suppress(ControlError):
                self._control.inquire()

    def answered(self, payload: bytes) -> None:
        """Hear what the broker answers to commands."""
        for complaint in complaints(payload):
            _LOGGER.warning("The broker has not done what the hub has told it: %s", complaint)
        if not self._control.is_fresh(payload):
            return
        _LOGGER.warning("The broker has lost the rights of all homes: it is told them again")
        try:
            self._desk.resync()
            self._control.refreshed()
        except (DeskError, ControlError) as err:
            # The mark stays: the next connection begins with it again.
            _LOGGER.warning("The broker could not be told all rights: %s", err)
