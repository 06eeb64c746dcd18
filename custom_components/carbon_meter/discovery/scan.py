"""The search of the local network that a user has asked for."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, LOGGER
from ..driver import MeterDriver
from ..libraries import async_get_libraries
from .found import FoundMeter, distinct, found_meters
from .knock import AT_ONCE, PATIENCE, PER_SECOND, Place, open_places
from .services import Service, async_services

_LINES_AT_ONCE: Final = 8
"""Hosts that are asked at the same time; each host is asked one question after the other."""

_KNOCKING: Final = 0.3
"""The part of the whole that finding the open ports is shown as."""

_ANNOUNCING: Final = 3.0
"""Seconds in which services announce themselves."""

_DATA_SEARCH: HassKey[NetworkSearch] = HassKey(f"{DOMAIN}_search")


class SearchRunningError(Exception):
    """The network is being searched already."""


@dataclass(frozen=True, kw_only=True)
class SearchPlan:
    """What is to be searched."""

    hosts: Sequence[str]
    drivers: Sequence[MeterDriver]
    every_unit: bool = False
    ports: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Ports by driver, where not those of the driver itself."""

    announcements: bool = True
    """Whether to heed what announces itself, whatever its address."""

    def ports_of(self, driver: MeterDriver) -> tuple[int, ...]:
        """Return the ports at which a protocol is looked for."""
        return self.ports.get(driver.key, driver.ports)

    @property
    def places(self) -> list[Place]:
        """Return every host with every port, each once."""
        ports = dict.fromkeys(port for driver in self.drivers for port in self.ports_of(driver))
        return [(host, port) for host in self.hosts for port in ports]

    @property
    def longest_knocking(self) -> float:
        """Return after how many seconds the open ports are known at the latest."""
        count = len(self.places)
        return max(count / PER_SECOND, count / AT_ONCE * PATIENCE)


class NetworkSearch:
    """One search. Everything is read-only, and nothing is left open when it is cancelled."""

    def __init__(
        self,
        hass: HomeAssistant,
        plan: SearchPlan,
        told: Callable[[float], None] | None = None,
    ) -> None:
        """Begin nothing yet; `told` is called with the part that is done, from 0 to 1."""
        self._hass = hass
        self._plan = plan
        self._told = told
        self._lines: dict[str, float] = {}
        self.meters: list[FoundMeter] = []
        """What has been found so far."""

        self.services: list[Service] = []
        self.open_ports = 0

    @staticmethod
    def running(hass: HomeAssistant) -> bool:
        """Return whether the network is being searched now."""
        return _DATA_SEARCH in hass.data

    async def async_run(self) -> None:
        """Search; raises SearchRunningError when another search is under way."""
        if self.running(self._hass):
            raise SearchRunningError
        self._hass.data[_DATA_SEARCH] = self
        try:
            async with asyncio.TaskGroup() as tasks:
                for driver in self._plan.drivers:
                    if driver.answers_calls:
                        tasks.create_task(self._call(driver))
                tasks.create_task(self._ask_hosts())
        finally:
            del self._hass.data[_DATA_SEARCH]

    async def _ask_hosts(self) -> None:
        """Find the open ports, then ask each host."""
        async with asyncio.TaskGroup() as tasks:
            if self._plan.announcements:
                tasks.create_task(self._hear_announcements())
            knocking = tasks.create_task(
                open_places(self._plan.places, progress=lambda part: self._tell(part * _KNOCKING))
            )
        by_host: dict[str, list[int]] = {}
        announced = [place for service in self.services for place in service.places]
        for host, port in dict.fromkeys([*knocking.result(), *announced]):
            by_host.setdefault(host, []).append(port)
        self.open_ports = len(knocking.result())
        self._lines = dict.fromkeys(by_host, 0.0)
        limit = asyncio.Semaphore(_LINES_AT_ONCE)

        async def ask(host: str, ports: list[int]) -> None:
            async with limit:
                await self._ask_host(host, ports)
            self._line_told(host, 1.0)

        async with asyncio.TaskGroup() as tasks:
            for host, ports in by_host.items():
                tasks.create_task(ask(host, ports))

    async def _hear_announcements(self) -> None:
        self.services = await async_services(self._hass, _ANNOUNCING)

    async def _ask_host(self, host: str, ports: list[int]) -> None:
        """Ask one host on its open ports, by the protocols that are looked for there."""
        libraries = await async_get_libraries(self._hass)
        announced = {
            (place, service.kind.protocol) for service in self.services for place in service.places
        }
        for done, port in enumerate(ports):

            def told(part: float, done: int = done) -> None:
                self._line_told(host, (done + part) / len(ports))

            for driver in self._plan.drivers:
                is_announced = ((host, port), driver.key) in announced
                if port not in self._plan.ports_of(driver) and not is_announced:
                    continue
                try:
                    finds = await driver.async_search(
                        self._hass,
                        host,
                        port,
                        libraries.profiles,
                        every_unit=self._plan.every_unit,
                        progress=told,
                    )
                except Exception:  # noqa: BLE001  # a driver of a plugin ends no search
                    LOGGER.exception("The search of %s:%s as %s failed", host, port, driver.name)
                    continue
                self.meters = distinct([*self.meters, *found_meters(driver, finds)])
                if finds:
                    break

    async def _call(self, driver: MeterDriver) -> None:
        """Call the meters that answer a multicast."""
        libraries = await async_get_libraries(self._hass)
        try:
            finds = await driver.async_call(self._hass, libraries.profiles)
        except Exception:  # noqa: BLE001  # as above
            LOGGER.exception("The call of %s meters failed", driver.name)
            return
        self.meters = distinct([*self.meters, *found_meters(driver, finds)])

    def _line_told(self, host: str, part: float) -> None:
        """Take note of how far one host is."""
        self._lines[host] = max(part, self._lines[host])
        asked = sum(self._lines.values()) / len(self._lines)
        self._tell(_KNOCKING + (1 - _KNOCKING) * asked)

    def _tell(self, part: float) -> None:
        if self._told is not None:
            self._told(part)
