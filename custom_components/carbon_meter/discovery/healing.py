"""Meters that no longer answer are looked for: their address may have changed."""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from homeassistant.const import CONF_PORT
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_track_time_interval

from ..const import CONF_RESCAN, CONF_SERIAL, DOMAIN, SUBENTRY_METER
from ..data import CarbonMeterConfigEntry
from ..repair_issue import RepairIssue
from .addresses import ConfiguredMeter, async_hosts_by_mac, async_learn_mac, async_move, mac_of
from .knock import open_places
from .scan import NetworkSearch
from .services import async_services
from .subnets import async_subnets

CHECK_INTERVAL: Final = timedelta(minutes=1)

WAITS: Final = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=6))
"""For how long a meter has been silent when it is looked for; the last is repeated."""

_ANNOUNCING: Final = 3.0
"""Seconds in which services announce themselves."""

_ISSUE: Final = "meter_lost"


class AddressWatch:
    """Looks after the addresses of a site's meters as long as it is loaded."""

    def __init__(self, hass: HomeAssistant, entry: CarbonMeterConfigEntry) -> None:
        """Have no worries yet."""
        self._hass = hass
        self._entry = entry
        self._silent_since: dict[str, datetime] = {}
        self._searches: dict[str, int] = {}
        self._search: asyncio.Task[None] | None = None

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Begin; returns how to stop."""
        self._forget_removed()
        return async_track_time_interval(
            self._hass, self._async_check, CHECK_INTERVAL, cancel_on_shutdown=True
        )

    def _forget_removed(self) -> None:
        """Withdraw what was said of meters that are gone."""
        known = {
            subentry_id
            for entry in self._hass.config_entries.async_entries(DOMAIN)
            for subentry_id in entry.subentries
        }
        for domain, issue_id in list(ir.async_get(self._hass).issues):
            name, _, subentry_id = issue_id.rpartition("_")
            if domain == DOMAIN and name == _ISSUE and subentry_id not in known:
                ir.async_delete_issue(self._hass, DOMAIN, issue_id)

    @callback
    def _async_check(self, now: datetime) -> None:
        """Look for the meters for which it is time."""
        answering: list[ConfiguredMeter] = []
        due: list[ConfiguredMeter] = []
        for subentry in self._entry.get_subentries_of_type(SUBENTRY_METER):
            meter = ConfiguredMeter(entry=self._entry, subentry=subentry)
            key = subentry.subentry_id
            if not meter.host or key not in self._entry.runtime_data.meters:
                continue
            if meter.answers:
                answering.append(meter)
                self._silent_since.pop(key, None)
                self._searches.pop(key, None)
                RepairIssue(self._hass, f"{_ISSUE}_{key}").clear()
            elif now - self._silent_since.setdefault(key, now) >= self._patience(key):
                due.append(meter)
        async_learn_mac(self._hass, answering)
        if due and (self._search is None or self._search.done()):
            # Ends with the site: a meter that is moved sets it up anew.
            self._search = self._entry.async_create_background_task(
                self._hass, self._look_for(due), f"look for meters of {self._entry.title}"
            )

    def _patience(self, key: str) -> timedelta:
        """Return for how long a meter must have been silent for its next search."""
        searches = self._searches.get(key, 0)
        last = len(WAITS) - 1
        return WAITS[min(searches, last)] + WAITS[last] * max(0, searches - last)

    async def _look_for(self, meters: list[ConfiguredMeter]) -> None:
        """Look for meters, those of one host together; tell of those that are not found."""
        by_host: dict[tuple[str, int], list[ConfiguredMeter]] = {}
        for meter in meters:
            key = meter.subentry.subentry_id
            self._searches[key] = self._searches.get(key, 0) + 1
            place = meter.host, int(meter.data.get(CONF_PORT, 0))
            by_host.setdefault(place, []).append(meter)
        for (host, port), group in by_host.items():
            if not await self._found_again(group, host, port):
                for meter in group:
                    self._tell_lost(meter)

    async def _found_again(self, group: list[ConfiguredMeter], host: str, port: int) -> bool:
        """Return whether the meters of a host were found at another one."""
        mac = mac_of(self._hass, group)
        for known, other in async_hosts_by_mac(self._hass):
            if known == mac and await async_move(self._hass, group, other, by_mac=True):
                return True
        if not any(meter.data[CONF_SERIAL] for meter in group):
            return False
        announced = [service.host for service in await async_services(self._hass, _ANNOUNCING)]
        for other in dict.fromkeys([*announced, *await self._open_hosts(host, port)]):
            if other != host and await async_move(self._hass, group, other):
                return True
        return False

    async def _open_hosts(self, host: str, port: int) -> Iterable[str]:
        """Return the hosts with this port open, in the networks that may be searched."""
        allowed = self._entry.data.get(CONF_RESCAN)
        if not port or not allowed or NetworkSearch.running(self._hass):
            return ()
        places = [
            (other, port)
            for subnet in await async_subnets(self._hass)
            if str(subnet.network) in allowed
            for other in subnet.hosts
            if other != host
        ]
        return [other for other, _ in await open_places(places)]

    def _tell_lost(self, meter: ConfiguredMeter) -> None:
        """Tell that a meter is nowhere to be found."""
        told = {"meter": meter.subentry.title, "host": meter.host, "site": self._entry.title}
        issue_id = f"{_ISSUE}_{meter.subentry.subentry_id}"
        RepairIssue(self._hass, issue_id, warns=True).tell(_ISSUE, told)
