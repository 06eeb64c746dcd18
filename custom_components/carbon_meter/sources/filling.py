"""What a provider knows of the two years before a site began, asked for slowly."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from ..carbon.forecast.history import KEPT
from ..carbon.grade import Grade
from ..carbon.intensity.live.errors import ProviderAuthError, ProviderError
from ..carbon.intensity.source import IntensityInterval
from ..const import LOGGER
from ..drivers.clock import now
from .live import LiveRung
from .recurring import Recurring, back_off

_DAY: Final = 86400.0

_PAUSE: Final = 60.0
"""Seconds between two pieces, at least: nobody waits for them."""

_NOT_YET: Final = 300.0
"""Seconds until it is looked again whether the provider answers at all."""

_NOTHING: Final = 60 * _DAY
"""Seconds without any value before which nothing more is looked for."""

_WAITING: Final = frozenset({"limited", "temporary"})

_CHANGES: Final = 3
"""Times that an answer in an unknown form is asked for again."""

type Take = Callable[[Sequence[IntensityInterval]], Awaitable[None]]


class Filling:
    """The stretches of the past that a provider still has to be asked for, the newest first.

    One query at a time, while the provider answers. One that refuses is left alone.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        rung: LiveRung,
        take: Take,
        learn: Callable[[], None],
    ) -> None:
        """Take what to ask, what keeps a piece, and what is called when learning is worthwhile."""
        self._rung = rung
        self._take = take
        self._learn = learn
        self._stretches: list[list[float]] | None = None
        self._failures = 0
        self._silent_since: float | None = None
        self._recurring = Recurring(hass, entry, f"history of {rung.info.id}", self._async_piece)

    @property
    def is_done(self) -> bool:
        """Return whether there is nothing more to ask for."""
        return self._stretches == []

    @callback
    def async_start(self, known_until: float | None) -> None:
        """Go on with what is missing; `known_until` is where the history ends that is there."""
        moment = now()
        if self._stretches is None:
            self._stretches = [[moment - KEPT, moment]]
        elif known_until is not None and known_until < moment - self._rung.provider.tail:
            # Home Assistant was away for longer than a refresh looks back.
            self._stretches.append([known_until, moment])
        self._recurring.async_start(_PAUSE)

    @callback
    def async_stop(self) -> None:
        """Ask for nothing more."""
        self._recurring.async_stop()

    async def _async_piece(self) -> float | None:
        """Ask for the newest piece that is missing; return in how many seconds to go on."""
        if not self._stretches:
            return None
        if not self._rung.answers:
            return _NOT_YET
        moment, provider = now(), self._rung.provider
        start, end = self._stretches[-1]
        start = max(start, moment - KEPT, provider.since or start)
        begin = max(start, end - provider.chunk)
        if begin < end:
            try:
                await self._async_ask(begin, end)
            except ProviderError as err:
                return self._refused(err)
            self._failures = 0
            self._stretches[-1] = [start, begin]
            if end > moment - 2 * provider.chunk:
                # The first of them are enough for a forecast.
                self._learn()
        if begin <= start or self._is_silent(begin):
            return self._next_stretch()
        return max(_PAUSE, provider.spacing)

    async def _async_ask(self, begin: float, end: float) -> None:
        """Ask for one piece and keep what was told; raises ProviderError."""
        told: list[IntensityInterval] = []
        async for past in self._rung.history(begin, end):
            told += past.intervals
        if any(each.grade is not Grade.FORECAST for each in told):
            self._silent_since = None
            await self._take(told)
        elif self._silent_since is None:
            self._silent_since = end

    def _is_silent(self, begin: float) -> bool:
        """Return whether so much before is not known that the rest will not be either."""
        return self._silent_since is not None and self._silent_since - begin >= _NOTHING

    def _next_stretch(self) -> float | None:
        """Leave a stretch; return when to go on with the one before."""
        assert self._stretches  # noqa: S101  # one was worked on
        self._stretches.pop()
        self._silent_since = None
        self._learn()
        return _PAUSE if self._stretches else None

    def _refused(self, err: ProviderError) -> float | None:
        """Return when to ask again for what was refused, None where that does not help."""
        self._failures += 1
        if err.reason in _WAITING or (err.reason == "changed" and self._failures <= _CHANGES):
            return max(err.retry_after or 0.0, back_off(self._failures))
        LOGGER.info("%s: its history is not asked for any more: %s", self._rung.info.name, err)
        if not isinstance(err, ProviderAuthError):
            self._stretches = []
        self._learn()
        return None

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {"source": self._rung.info.id, "stretches": self._stretches}

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take what `as_dict` gave of the same provider.

        Raises KeyError, TypeError or ValueError for anything else.
        """
        stretches = data["stretches"] if data["source"] == self._rung.info.id else None
        if stretches is not None:
            stretches = [[float(start), float(end)] for start, end in stretches]
        self._stretches = stretches
