"""Filling in a site's past: what its meters counted before it began, weighed hour by hour.

It goes in pieces, the oldest first, so that batteries are carried on. What is done is kept in the
archive with each piece: after a restart it goes on by itself, and doing it again changes nothing.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util
import numpy as np

from .backfill_report import Filled, report_of
from .bookkeeper import Bookkeeper
from .carbon.archive.errors import ArchiveError
from .carbon.intensity.kept import KeptSource
from .carbon.intensity.ladder import Ladder
from .carbon.intensity.source import IntensityInterval, SourceInfo
from .carbon.intervals import HOUR, floor
from .carbon.site.entries import GridEntry, HourEntry, grid_entry
from .carbon.site.weighed import PER_HOUR
from .const import CONF_INVERTED, DOMAIN, LOGGER
from .coordinator import MeterCoordinator
from .data import CarbonMeterConfigEntry
from .intensity import SiteIntensity
from .past_energy import PastEnergy, PastSource, async_past_energy
from .record import Record
from .refusals import failed

_STATE: Final = "backfill"
"""Under which the archive keeps what is being filled in, and up to where it has come."""

_PIECE: Final = 7 * 24 * HOUR
"""Seconds of the past that are filled in at once."""

_TOGETHER: Final = 24 * HOUR
"""Seconds of intensities that are looked up before others have their turn."""

_HISTORY: Final = SourceInfo(id="history", name="History")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to fill in: from when on, and what each meter is read from."""

    start: int
    """A full hour, seconds since 1970 UTC."""

    meters: Mapping[str, tuple[PastSource, ...]]
    """By subentry."""

    def as_dict(self) -> dict[str, Any]:
        """Return what is kept of it."""
        return {
            "start": self.start,
            "meters": {
                meter_id: [source.as_list() for source in sources]
                for meter_id, sources in self.meters.items()
            },
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return what was kept."""
        return cls(
            start=data["start"],
            meters={
                meter_id: tuple(PastSource.from_list(kept) for kept in sources)
                for meter_id, sources in data["meters"].items()
            },
        )


class Backfill:
    """The one backfill of a site that may be running."""

    def __init__(  # noqa: PLR0913, PLR0917  # the parts of a site
        self,
        hass: HomeAssistant,
        entry: CarbonMeterConfigEntry,
        keeper: Bookkeeper,
        intensity: SiteIntensity,
        meters: Mapping[str, MeterCoordinator],
        record: Record,
    ) -> None:
        """Take the site's parts; nothing runs before `async_resume` or `async_fill`."""
        self._hass = hass
        self._entry = entry
        self._keeper = keeper
        self._intensity = intensity
        self._meters = meters
        self._record = record
        self._listeners: set[Callable[[], None]] = set()
        self._request: Request | None = None
        self._task: asyncio.Task[dict[str, Any]] | None = None
        self.progress: float | None = None
        """How much is done, in percent; None while nothing is filled in."""

    @callback
    def async_add_listener(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call back when the progress has changed; returns how to stop it."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    async def async_resume(self) -> None:
        """Go on with what a restart has interrupted; raises ArchiveError."""
        kept = await self._hass.async_add_executor_job(self._keeper.archive.get, _STATE)
        if kept is None or (self._task is not None and not self._task.done()):
            return
        request = Request.from_dict(kept)
        known = {one: of for one, of in request.meters.items() if one in self._meters}
        if known:
            self._start(Request(start=request.start, meters=known), kept["position"])
        else:
            await self._keep(None)

    async def async_fill(self, request: Request) -> dict[str, Any]:
        """Fill in, and return what was done; see `backfill_report`.

        Whoever asks for the same waits for it. Raises ServiceValidationError when something else
        is being filled in or there is nothing to fill in, HomeAssistantError when it has stopped.
        """
        if self._task is None or self._task.done():
            self._start(request, request.start)
        elif request != self._request:
            raise ServiceValidationError(
                translation_domain=DOMAIN, translation_key="backfill_running"
            )
        assert self._task is not None  # noqa: S101  # started just now
        task = self._task
        # Whoever waits may go away; the work goes on.
        await asyncio.wait([task])
        if task.cancelled():
            raise HomeAssistantError(
                translation_domain=DOMAIN, translation_key="backfill_interrupted"
            )
        return task.result()

    async def async_stop(self) -> None:
        """Stop; it goes on when the site is set up again."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])

    @callback
    def _start(self, request: Request, position: int) -> None:
        self._request = request
        self._task = self._entry.async_create_background_task(
            self._hass, self._run(request, position), "fill in past hours"
        )
        self._task.add_done_callback(self._ended)

    @callback
    def _ended(self, task: asyncio.Task[dict[str, Any]]) -> None:
        self._tell(None)
        err = None if task.cancelled() else task.exception()
        if err is not None and not isinstance(err, ServiceValidationError):
            LOGGER.error("Past hours were not filled in: %s", err, exc_info=err)

    @callback
    def _tell(self, progress: float | None) -> None:
        self.progress = progress
        for listener in list(self._listeners):
            listener()

    async def _run(self, request: Request, position: int) -> dict[str, Any]:
        try:
            return await self._fill(request, position)
        except ArchiveError as err:
            raise failed("archive_unusable", err) from err

    async def _fill(self, request: Request, position: int) -> dict[str, Any]:
        """Fill in from a position on; return what the whole request has brought."""
        self._tell(0.0)
        filled = [one for one in await self._read(request) if len(one.past.hours)]
        if not filled:
            await self._keep(None)
            raise ServiceValidationError(
                translation_domain=DOMAIN, translation_key="nothing_to_fill"
            )
        first = min(int(one.past.hours[0]) for one in filled)
        end = max(int(one.past.hours[-1]) for one in filled) + HOUR
        await self._keeper.async_include(
            {one.meter_id: (int(one.past.hours[0]), one.end) for one in filled}
        )
        for begin in range(max(position, first), end, _PIECE):
            await self._keep({**request.as_dict(), "position": begin})
            self._tell(100.0 * (begin - first) / (end - first))
            stop = min(begin + _PIECE, end)
            entries = [entry for one in filled for entry in _entries(one, begin, stop)]
            if entries:
                grid = await self._grid(begin, stop)
                # What has begun is brought to its end: the live sensors follow from it.
                await asyncio.shield(self._keeper.async_fill(entries, grid, stop))
        await self._keep({**request.as_dict(), "position": end})
        await self._record.async_publish()
        report = await self._hass.async_add_executor_job(
            report_of, self._keeper.archive, self._keeper.plan, filled
        )
        await self._keep(None)
        return report

    async def _keep(self, state: Mapping[str, Any] | None) -> None:
        await self._hass.async_add_executor_job(self._keeper.archive.put, _STATE, state)

    async def _read(self, request: Request) -> list[Filled]:
        """Return what the meters counted before their own ledgers began."""
        present = floor(dt_util.utcnow().timestamp(), HOUR)
        began = await self._keeper.async_began()
        found: list[Filled] = []
        for meter_id, sources in request.meters.items():
            end = min(began.get(meter_id, present), present)
            subentry = self._meters[meter_id].subentry
            past: PastEnergy = await async_past_energy(
                self._hass, sources, request.start, end, inverted=subentry.data[CONF_INVERTED]
            )
            found.append(
                Filled(
                    meter_id=meter_id,
                    name=subentry.title,
                    end=end,
                    past=past,
                    is_volume=any(source.quantity == "volume" for source in sources),
                )
            )
        return found

    async def _grid(self, start: int, end: int) -> list[GridEntry]:
        """Return the intensity of a piece: what the sources know of it, else the ladder."""
        history: list[IntensityInterval] = []
        async for past in self._intensity.async_history(start, end):
            history += past.intervals
        history.sort(key=lambda interval: interval.start)
        told = KeptSource(_HISTORY)
        told.take(history)
        ladder = Ladder([told, *self._intensity.ladder.sources])
        found: list[GridEntry] = []
        for begin in range(start, end, _TOGETHER):
            stop = min(begin + _TOGETHER, end)
            together = KeptSource(_HISTORY)
            together.take(ladder.intervals(begin, stop))
            known = Ladder([together])
            found += [grid_entry(known, hour) for hour in range(begin, stop, HOUR)]
            await asyncio.sleep(0)
        return found


def _entries(one: Filled, start: int, end: int) -> list[HourEntry]:
    """Return the hours of a meter in [start, end)."""
    past = one.past
    first, last = np.searchsorted(past.hours, (start, end)).tolist()
    return [
        HourEntry(
            meter=one.meter_id,
            hour=int(past.hours[place]),
            total=np.array([past.imported[place], past.exported[place], 0.0]),
            fine=None,
            known=np.full(PER_HOUR, not past.spread[place]),
            measured=0.0 if past.spread[place] else float(HOUR),
        )
        for place in range(first, last)
    ]
