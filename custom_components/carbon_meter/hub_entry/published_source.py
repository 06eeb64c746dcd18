"""What a hub publishes as what a larger community is told: hours of the whole community."""

from collections.abc import Callable, Sequence
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..community.contract.message import Flow, Footprint, Item, Quality
from ..community.hub.upward import footprints
from ..community.ledger.calendar import HOUR, Grain
from ..community.ledger.cells import WATERMARK
from ..community.ledger.database import LedgerError
from ..community.member.figures import FlowFigures, HourFigures, Intensity
from ..membership.source import Source, SourceError
from .hub import Hub

_BACK: Final = 31 * 86400
"""Seconds back in which flows are looked for, and which are told again after a start."""

_READY: Final = WATERMARK + HOUR
"""Seconds after the beginning of an hour until it can be published at all."""

_MG_PER_G: Final = 1000
_WHOLE: Final = 10_000


class PublishedSource(Source):
    """Tells hours out of what a loaded hub has published."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
        """Take the entry, whose runtime data is the hub."""
        self._hass = hass
        self._hub: Hub = entry.runtime_data
        self._begun = int(dt_util.utcnow().timestamp())

    @override
    async def async_flows(self) -> tuple[Flow, ...]:
        end = int(dt_util.utcnow().timestamp())
        publisher = self._hub.opened.publisher

        def read() -> tuple[Flow, ...]:
            cells = publisher.cells(Grain.HOUR, end - _BACK, end)
            return tuple(sorted({cell.key.flow for cell in cells if cell.suppressed is None}))

        try:
            return await self._hass.async_add_executor_job(read)
        except LedgerError as err:
            raise SourceError(str(err)) from err

    @override
    async def async_hours(self, begin: int, end: int) -> Sequence[HourFigures]:
        hub = self._hub

        def read() -> list[HourFigures]:
            # Who is told, and by which id, is for the link to say.
            told = footprints(
                hub.opened.publisher, begin, end, community=hub.community, home="h", now=0.0
            )
            return [_figures(footprint) for footprint in told]

        try:
            return await self._hass.async_add_executor_job(read)
        except LedgerError as err:
            raise SourceError(str(err)) from err

    @override
    def ready_until(self, now: float) -> int:
        published = self._hub.published_at
        until = now - _READY if published is None else min(now, published) - WATERMARK
        return int(until) // HOUR * HOUR

    @override
    async def async_changed_since(self, mark: int) -> tuple[int | None, int]:
        now = int(dt_util.utcnow().timestamp())
        changed = (change.hour for change in self._hub.changes if change.at >= mark)
        first = min(changed, default=None)
        if mark < self._begun:
            # What was published anew before the start is not remembered: all of it is compared.
            first = min(now - _BACK, now if first is None else first) // HOUR * HOUR
        return first, now

    @override
    @callback
    def async_listen(self, listener: Callable[[int | None], None]) -> CALLBACK_TYPE:
        hub = self._hub
        seen = hub.changes[-1].number if hub.changes else 0

        @callback
        def told() -> None:
            nonlocal seen
            new = [change for change in hub.changes if change.number > seen]
            seen = new[-1].number if new else seen
            listener(min((change.hour for change in new), default=None))

        return hub.async_add_listener(told)


def _figures(footprint: Footprint) -> HourFigures:
    """Return the hour that a footprint tells."""
    return HourFigures(
        start=footprint.start,
        flows={item.flow: _flow(item) for item in footprint.items},
        is_final=footprint.is_final,
    )


def _flow(item: Item) -> FlowFigures:
    """Return one flow of it; what is missing stays missing."""
    is_missing = item.quality is Quality.MISSING
    return FlowFigures(
        wh=None if is_missing else float(item.wh),
        grams=None if is_missing else item.mg / _MG_PER_G,
        covered=item.coverage * HOUR / _WHOLE,
        quality=item.quality,
        intensity=Intensity(
            source=item.source,
            zone=item.zone,
            kind=item.kind,
            version=item.version,
            resolution=item.resolution,
        ),
        carbon_free=None if item.carbon_free is None else float(item.carbon_free),
    )
