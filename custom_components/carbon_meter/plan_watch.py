"""Notices when a site is made of something else: a new day, another area, a meter turned round."""

from collections.abc import Coroutine
from datetime import datetime
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.event import async_track_time_change
from homeassistant.util import dt as dt_util

from .carbon.archive.errors import ArchiveError
from .carbon.site.restating import Restated
from .const import DOMAIN, LOGGER
from .data import CarbonMeterConfigEntry
from .editions import async_follow_editions
from .meter_tree import counts_as_import
from .plans import async_plan_anew

_MINUTE: Final = 2
_SECOND: Final = 20
"""Past midnight, when the day before is entered."""


class PlanWatch:
    """Lets the book of a loaded site go on with what the site has become."""

    def __init__(self, hass: HomeAssistant, entry: CarbonMeterConfigEntry) -> None:
        """Take the site's entry."""
        self._hass = hass
        self._entry = entry
        self._site = entry.runtime_data
        self._is_turning = False

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Watch; returns how to stop."""
        unsubscribe = [
            async_track_time_change(
                self._hass, self._next_day, hour=0, minute=_MINUTE, second=_SECOND
            ),
            self._hass.bus.async_listen(dr.EVENT_DEVICE_REGISTRY_UPDATED, self._device_changed),
            self._site.keeper.async_add_listener(self._entered),
        ]

        @callback
        def stop() -> None:
            for unsub in unsubscribe:
                unsub()

        return stop

    async def _next_day(self, _now: datetime) -> None:
        """Take the factors that hold from today on; let what is old take less room."""
        await async_plan_anew(self._hass, self._entry)
        await async_follow_editions(self._hass, self._entry)
        await self._site.keeper.async_trim()

    @callback
    def _device_changed(self, event: Event[dr.EventDeviceRegistryUpdatedData]) -> None:
        """Count a meter in another area as soon as its device is moved there."""
        data = event.data
        if data["action"] != "update" or "area_id" not in data["changes"]:
            return
        device = dr.async_get(self._hass).async_get(data["device_id"])
        if device is not None and self._entry.entry_id in device.config_entries:
            self._run(async_plan_anew(self._hass, self._entry))

    @callback
    def _entered(self) -> None:
        """See whether a generator's meter turns out to be mounted the other way round."""
        meters = self._site.keeper.plan.meters
        turned = [
            meter_id
            for meter_id, meter in self._site.meters.items()
            if meter_id in meters.place and counts_as_import(meter) != meters.is_reversed(meter_id)
        ]
        if turned and not self._is_turning:
            self._is_turning = True
            self._run(self._async_turn(turned))

    async def _async_turn(self, meter_ids: list[str]) -> None:
        """Weigh what such a meter has counted so far as what it is."""
        keeper = self._site.keeper
        try:
            await async_plan_anew(self._hass, self._entry)
            began = await keeper.async_began()
            first = await self._hass.async_add_executor_job(keeper.archive.first_hour)
            if first is not None:
                start = max(first, min(began.get(meter_id, first) for meter_id in meter_ids))
                titles = [self._site.meters[meter_id].subentry.title for meter_id in meter_ids]
                await keeper.async_restate(
                    start,
                    int(dt_util.utcnow().timestamp()),
                    [],
                    Restated(reason="meter_turned", detail=", ".join(titles)),
                    with_present_plan=True,
                )
        except ArchiveError as err:
            LOGGER.error("%s", err)
        finally:
            self._is_turning = False

    @callback
    def _run(self, change: Coroutine[Any, Any, None]) -> None:
        self._entry.async_create_task(self._hass, change, f"{DOMAIN} plan of {self._entry.title}")
