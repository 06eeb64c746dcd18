"""Where a membership has its hours from: a site's book, or what a hub publishes."""

from collections.abc import Callable, Sequence
from typing import Protocol

from homeassistant.core import CALLBACK_TYPE

from ..community.contract.message import Flow
from ..community.member.figures import HourFigures


class Source(Protocol):
    """Hours that can be told."""

    async def async_flows(self) -> tuple[Flow, ...]:
        """Return the flows that there are."""

    async def async_hours(self, begin: int, end: int) -> Sequence[HourFigures]:
        """Return the hours of [begin, end), full hours, as they are known now.

        Raises SourceError where they cannot be read now.
        """

    def ready_until(self, now: float) -> int:
        """Return up to which hour everything has been read that is to be expected."""

    async def async_changed_since(self, mark: int) -> tuple[int | None, int]:
        """Return the first hour that was restated after a mark, and the mark of now.

        It outlives a crash, which what listeners are told does not. Raises SourceError.
        """

    def async_listen(self, listener: Callable[[int | None], None]) -> CALLBACK_TYPE:
        """Call back with the first hour that has changed, None for none; returns how to stop."""


class SourceError(Exception):
    """The hours cannot be read now; nothing is lost."""
