"""What all providers have in common: asked in time, remembered, told with its grade."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

from ...grade import Grade
from ..source import IntensityInterval, SourceInfo
from .errors import ProviderError
from .memory import Memory
from .overlay import cut, overlaid
from .provider import Access, Provider
from .rows import Rows
from .surroundings import Surroundings
from .web import Web

_SOONEST: Final = 10.0
"""Seconds before anything is asked again."""

_SKEW: Final = 120.0
"""Seconds by which two clocks may differ without anybody being wrong."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Past:
    """What a provider knows of [start, end): the next piece begins at `end`."""

    start: float
    end: float
    intervals: tuple[IntensityInterval, ...]


class LiveSource(ABC):
    """A provider for one zone, as an IntensitySource.

    `intervals` answers from memory: what was measured, where that is missing the newest forecast
    made earlier, and for the time that is not published yet the last value, graded as the
    forecast that it is. `refresh` raises ProviderError; what was told before stands.
    """

    provider: ClassVar[Provider]

    def __init__(
        self, surroundings: Surroundings, access: Access, *, base_url: str | None = None
    ) -> None:
        """Take what the user gave; nothing is asked yet.

        `base_url` is where the provider is, if elsewhere than described. Raises ProviderZoneError
        or ProviderAuthError for an access that cannot be right.
        """
        provider = self.provider
        self._access = access.checked(provider)
        secrets = (self._access.key, self._access.password)
        self._web = Web(surroundings, provider, base_url, secrets)
        self._clock, self._monotonic = surroundings.clock, surroundings.monotonic
        self._factors = surroundings.factors
        self._memory = Memory()
        self._due = self._monotonic()
        self.notice = ""
        """What the provider says of its own service that a user should know: that it will end."""

        zone = self._access.zone
        self.info = SourceInfo(
            id=f"{provider.key}:{zone}",
            name=f"{provider.name}: {provider.zones.get(zone, zone)}",
            kind=provider.kind,
            scope=self._factors.scope if provider.tells_mix else provider.scope,
            licence=provider.licence,
            attribution=provider.attribution,
        )

    @property
    def refresh_after(self) -> float | None:
        """Return in how many seconds `refresh` is due."""
        return max(self._due - self._monotonic(), 0.0)

    @property
    def clock_skew(self) -> float | None:
        """Return by how many seconds the provider's clock is ahead of ours.

        None where that is not known or makes no difference. A site whose clock is wrong weighs its
        energy with the intensities of another time.
        """
        skew = self._web.skew
        return skew if skew is not None and abs(skew) > _SKEW else None

    async def refresh(self) -> None:
        """Fetch what is new; raises the ProviderError that fits."""
        now = self._clock()
        try:
            self._memory.take(await self._told_recently(now), now)
            self._memory.take(await self._forecast(now), now)
        except ProviderError as err:
            usual = self.provider.refresh if err.retry_after is None else err.retry_after
            self._due = self._monotonic() + max(usual, self._web.pace.wait, _SOONEST)
            raise
        self._due = self._monotonic() + self.provider.refresh

    def intervals(self, start: float, end: float) -> Sequence[IntensityInterval]:
        """Return what is known of [start, end)."""
        known = self._memory.intervals(start, end)
        last, carry = self._memory.last, self.provider.carry
        if last is None or not carry:
            return known
        carried = replace(last, start=last.end, end=last.end + carry, grade=Grade.FORECAST)
        return overlaid(known, cut([carried], start, end))

    async def history(self, start: float, end: float) -> AsyncIterator[Past]:
        """Yield what the provider knows of [start, end), oldest first, one query at a time.

        What was before its time is left out. Every piece stands for itself: after an error or a
        restart go on at the end of the last one. Raises ProviderError; a ProviderLimitedError says
        in how many seconds to go on.
        """
        position = max(start, self.provider.since or start)
        end = min(end, self._clock())
        while position < end:
            stop = min(position + self.provider.chunk, end)
            intervals = await self._past(position, stop)
            yield Past(start=position, end=stop, intervals=tuple(cut(intervals, position, stop)))
            position = stop

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return self._memory.as_dict(self._clock())

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take what `as_dict` gave; raises KeyError, TypeError or ValueError for anything else."""
        self._memory.restore(data, self._clock())

    async def _told_recently(self, now: float) -> list[IntensityInterval]:
        """Return what the provider tells of the time before now, and with it of the future."""
        return await self._past(now - min(self.provider.tail, self.provider.chunk), now)

    async def _forecast(self, now: float) -> list[IntensityInterval]:
        """Return the provider's forecast, where it takes a question of its own."""
        return []

    @abstractmethod
    async def _past(self, start: float, end: float) -> list[IntensityInterval]:
        """Return what the provider tells of [start, end), at most a chunk; more does not matter."""

    def _rows(self, unit: str) -> Rows:
        """Return where the rows of an answer are put."""
        mixed = self.provider.tells_mix
        source = f"{self.info.id}:{self._factors.id}" if mixed else self.info.id
        # A clock of ours that is behind does not make a measurement a forecast.
        return Rows(source, unit, now=self._clock() + max(self._web.skew or 0.0, 0.0))
