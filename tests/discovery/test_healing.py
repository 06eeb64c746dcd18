"""A meter that no longer answers is looked for, and found by its serial number only."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from ipaddress import IPv4Network
from types import MappingProxyType
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigSubentry, ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.discovery.healing import WAITS
from custom_components.carbon_meter.discovery.knock import open_places
from hardware.virtual import Household, MeterSpec, VirtualClock, VirtualHome
from hardware.virtual.server import Endpoint, UnknownUnit
from tests.common import meter_data

OLD, NEW, OTHER = "127.0.0.5", "127.0.0.6", "127.0.0.9"
PACKAGE = "custom_components.carbon_meter.discovery"


class Site:
    """A site with one meter that moves, in a time that only the test moves."""

    def __init__(
        self, hass: HomeAssistant, freezer: FrozenDateTimeFactory, homes: AsyncExitStack
    ) -> None:
        self.hass = hass
        self.freezer = freezer
        self.homes = homes
        self.clock = VirtualClock(dt_util.utcnow().timestamp(), frozen=True)
        self.entry: MockConfigEntry

    async def home(self, host: str, port: int = 0, serial: str = "11223344") -> VirtualHome:
        return await self.homes.enter_async_context(
            VirtualHome(
                [MeterSpec(profile="eastron_sdm630", serial=serial)],
                Household.constant(1000, self.clock.now()),
                clock=self.clock,
                endpoint=Endpoint(host=host, port=port, unknown=UnknownUnit.ANY),
            )
        )

    async def load(self, home: VirtualHome, **data: Any) -> None:
        meter = home["grid"]
        self.entry = MockConfigEntry(
            domain=DOMAIN,
            title="Home",
            data=data,
            subentries_data=[
                ConfigSubentryData(
                    data=meter_data(home.port, meter, {"host": OLD}),
                    subentry_type="meter",
                    title="Grid",
                    unique_id=f"eastron:{meter.identity.serial}",
                )
            ],
        )
        self.entry.add_to_hass(self.hass)
        assert await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.settle()

    async def settle(self) -> None:
        await self.hass.async_block_till_done(wait_background_tasks=True)

    async def wait(self, duration: timedelta) -> None:
        """Let time pass in minutes."""
        for _ in range(int(duration.total_seconds() / 60) + 2):
            self.freezer.tick(timedelta(minutes=1))
            self.clock.step(60)
            async_fire_time_changed(self.hass, dt_util.utcnow())
            await self.settle()

    @property
    def host(self) -> str:
        (subentry,) = self.entry.subentries.values()
        return str(subentry.data["host"])

    @property
    def issue(self) -> ir.IssueEntry | None:
        (subentry_id,) = self.entry.subentries
        return ir.async_get(self.hass).async_get_issue(DOMAIN, f"meter_lost_{subentry_id}")

    @property
    def answers(self) -> bool:
        (meter,) = self.entry.runtime_data.meters.values()
        return bool(meter.last_update_success)


@pytest.fixture
async def lost(
    network_time: HomeAssistant, freezer: FrozenDateTimeFactory, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Site]:
    """Return a site in a small loopback network."""

    async def adapters(_hass: HomeAssistant) -> list[dict[str, Any]]:
        own = {"address": "127.0.0.1", "network_prefix": 28}
        return [{"name": "lo", "enabled": True, "ipv4": [own], "ipv6": []}]

    monkeypatch.setattr(f"{PACKAGE}.subnets.ALLOWED", (IPv4Network("127.0.0.0/8"),))
    monkeypatch.setattr(f"{PACKAGE}.subnets.network.async_get_adapters", adapters)
    # In a time that stands still nothing that sleeps wakes up.
    monkeypatch.setattr(
        f"{PACKAGE}.healing.open_places", partial(open_places, pause=lambda _: asyncio.sleep(0))
    )
    async with AsyncExitStack() as homes:
        site = Site(network_time, freezer, homes)
        yield site
        await network_time.config_entries.async_unload(site.entry.entry_id)
        await site.settle()


async def test_meter_is_found_again_by_a_search_that_is_allowed(
    lost: Site, caplog: pytest.LogCaptureFixture
) -> None:
    home = await lost.home(OLD)
    await lost.load(home, rescan=["127.0.0.0/28"])
    await home.modbus.close()
    await lost.home(OTHER, home.port, serial="99999999")
    await lost.home(NEW, home.port)
    await lost.wait(WAITS[0])
    assert lost.host == NEW
    assert lost.answers
    assert lost.issue is None
    assert caplog.text.count("found again") == 1


async def test_without_leave_nothing_is_searched(lost: Site) -> None:
    home = await lost.home(OLD)
    await lost.load(home)
    await home.modbus.close()
    await lost.home(NEW, home.port)
    await lost.wait(WAITS[0])
    assert lost.host == OLD
    issue = lost.issue
    assert issue is not None
    assert issue.translation_placeholders == {"meter": "Grid", "host": OLD, "site": "Home"}
    # It comes back where it was.
    await home.modbus.open()
    await lost.wait(timedelta(minutes=2))
    assert lost.answers
    assert lost.issue is None


async def test_another_meter_is_never_taken_for_it(lost: Site) -> None:
    home = await lost.home(OLD)
    await lost.load(home, rescan=["127.0.0.0/28"])
    await home.modbus.close()
    await lost.home(NEW, home.port, serial="99999999")
    await lost.wait(WAITS[0])
    assert lost.host == OLD
    assert lost.issue is not None


async def test_meter_is_found_by_the_network_address_of_its_host(
    lost: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = [("00:0e:6b:11:22:33", OLD)]
    for module in ("addresses", "healing"):
        monkeypatch.setattr(f"{PACKAGE}.{module}.async_hosts_by_mac", lambda _hass: seen)
    home = await lost.home(OLD)
    await lost.load(home)
    await lost.wait(timedelta(minutes=1))
    assert dr.async_get(lost.hass).async_get_devices(
        connections={(dr.CONNECTION_NETWORK_MAC, "00:0e:6b:11:22:33")}
    )
    await home.modbus.close()
    await lost.home(NEW, home.port)
    seen[0] = ("00:0e:6b:11:22:33", NEW)
    await lost.wait(WAITS[0])
    assert lost.host == NEW
    assert lost.answers


async def test_two_meters_that_have_changed_places_are_both_found(lost: Site) -> None:
    first = await lost.home(OLD)
    await lost.load(first, rescan=["127.0.0.0/28"])
    (subentry,) = lost.entry.subentries.values()
    second = await lost.home(NEW, first.port, serial="55667788")
    lost.hass.config_entries.async_add_subentry(
        lost.entry,
        ConfigSubentry(
            data=MappingProxyType({**subentry.data, "host": NEW, "serial": "55667788"}),
            subentry_type="meter",
            title="Cabin",
            unique_id="eastron:55667788",
        ),
    )
    await lost.settle()
    for home in (first, second):
        await home.modbus.close()
    await lost.wait(timedelta(minutes=1))
    await lost.home(NEW, first.port)
    await lost.home(OLD, first.port, serial="55667788")
    await lost.wait(2 * WAITS[0])
    hosts = {meter.title: meter.data["host"] for meter in lost.entry.subentries.values()}
    assert hosts == {"Grid": NEW, "Cabin": OLD}
    await lost.wait(timedelta(minutes=1))
    assert all(meter.last_update_success for meter in lost.entry.runtime_data.meters.values())


async def test_what_was_said_of_a_removed_meter_is_withdrawn(lost: Site) -> None:
    home = await lost.home(OLD)
    await lost.load(home)
    await home.modbus.close()
    await lost.wait(WAITS[0])
    assert lost.issue is not None
    (subentry_id,) = lost.entry.subentries
    lost.hass.config_entries.async_remove_subentry(lost.entry, subentry_id)
    await lost.settle()
    assert ir.async_get(lost.hass).async_get_issue(DOMAIN, f"meter_lost_{subentry_id}") is None
