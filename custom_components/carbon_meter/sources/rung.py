"""One source of a site: a rung of its ladder that keeps itself up to date."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from homeassistant.core import CALLBACK_TYPE, callback

from ..carbon.intensity.live.live_source import Past
from ..carbon.intensity.source import IntensityInterval, SourceInfo

type Changed = Callable[[], None]
"""Called when a source knows something else than before, of the past or of the future."""


class Rung(ABC):
    """An intensity source that runs by itself between `async_start` and what that returns."""

    refresh_after: float | None = None

    tells: bool = True
    """Whether it tells what was, so that a forecast can learn from it."""

    forecasts: bool = True
    """Whether what it knows of the future is more than that the last value stays."""

    @property
    @abstractmethod
    def info(self) -> SourceInfo:
        """Return what the source is."""

    async def refresh(self) -> None:  # noqa: B027  # nobody has to call it
        """Nothing has to be done: it refreshes itself."""

    @abstractmethod
    def intervals(self, start: float, end: float) -> Sequence[IntensityInterval]:
        """Return what is known of [start, end)."""

    def heard(self, moment: float) -> None:  # noqa: B027  # most are not listened to
        """Take note that Home Assistant was there until a moment."""

    @callback
    def async_start(self, changed: Changed) -> CALLBACK_TYPE:
        """Begin to listen or to ask; returns how to stop."""
        return lambda: None

    async def async_ask(self) -> None:  # noqa: B027  # most cannot be asked
        """Ask now for what is new, as fast as the source allows."""

    async def history(self, start: float, end: float) -> AsyncIterator[Past]:
        """Yield what is known of [start, end), oldest first; may raise ProviderError."""
        yield Past(start=start, end=end, intervals=tuple(self.intervals(start, end)))

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {}

    def restore(self, data: Mapping[str, Any]) -> None:  # noqa: B027  # most know nothing
        """Take what `as_dict` gave; raises KeyError, TypeError or ValueError for anything else."""
