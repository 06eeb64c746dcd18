"""A site in a real Home Assistant core whose meters answer on real sockets, in virtual time."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState, ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.coordinator import MeterCoordinator
from hardware.virtual import Household, MeterSpec, VirtualClock, VirtualHome, VirtualMeter

LOOPBACK: Final = "127.0.0.1"


def meter_data(
    port: int, meter: VirtualMeter, changes: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return what the flow keeps of a virtual meter."""
    return {
        "driver": "modbus",
        "host": LOOPBACK,
        "port": port,
        "unit": meter.unit,
        "profile": meter.profile.id,
        "base": 0,
        "manufacturer": meter.profile.vendor,
        "model": meter.profile.name,
        "serial": meter.identity.serial,
        "role": "grid",
        "inverted": False,
        "power_inverted": False,
        "interval": 10,
        "write_interval": 10,
        **(changes or {}),
    }


class SiteUnderTest:
    """Virtual meters, the site's entry, and the one hand that moves time."""

    def __init__(self, hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
        """Stop the time, at a noon of its own: nothing must depend on when tests are run."""
        self.hass = hass
        self.freezer = freezer
        # A Wednesday without a change of the clocks.
        freezer.move_to(datetime(2026, 11, 18, 12, tzinfo=dt_util.get_default_time_zone()))
        self.clock = VirtualClock(dt_util.utcnow().timestamp(), frozen=True)
        self.home: VirtualHome
        self.entry: MockConfigEntry

    async def open(
        self,
        specs: Sequence[MeterSpec] = (MeterSpec(profile="eastron_sdm630"),),
        *,
        watts: float | None = 3000.0,
        household: Household | None = None,
        options: Mapping[str, Any] | None = None,
        meters: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> MockConfigEntry:
        """Open the meters' port and set the site up; `meters` changes a meter's data by name."""
        now = self.clock.now()
        if household is None:
            constant = watts is not None
            household = Household.constant(watts, now) if constant else Household.simulated(now)
        self.home = VirtualHome(specs, household, clock=self.clock)
        await self.home.modbus.open()
        self.entry = MockConfigEntry(
            domain=DOMAIN,
            title="Home",
            options=dict(options or {}),
            subentries_data=[
                ConfigSubentryData(
                    data=meter_data(self.home.port, meter, (meters or {}).get(name)),
                    subentry_type="meter",
                    title=name.capitalize(),
                    unique_id=f"{meter.profile.vendor.lower()}:{meter.identity.serial}",
                )
                for name, meter in self.home.meters.items()
            ],
        )
        self.entry.add_to_hass(self.hass)
        await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.settle()
        return self.entry

    def start_at(self, moment: datetime) -> None:
        """Set the time, before anything is opened."""
        self.freezer.move_to(moment)
        self.clock = VirtualClock(moment.timestamp(), frozen=True)

    async def settle(self) -> None:
        """Wait until everything that has begun is done."""
        await self.hass.async_block_till_done(wait_background_tasks=True)

    async def advance(self, seconds: float, step: float = 10.0) -> None:
        """Let time pass, and everything that is due with it."""
        left = seconds
        while left > 0:
            part = min(step, left)
            left -= part
            self.clock.step(part)
            self.freezer.tick(timedelta(seconds=part))
            async_fire_time_changed(self.hass, dt_util.utcnow())
            await self.settle()

    def pass_unseen(self, seconds: float) -> None:
        """Let time pass without Home Assistant: it is not running."""
        self.clock.step(seconds)
        self.freezer.tick(timedelta(seconds=seconds))

    def meter(self, name: str = "grid") -> MeterCoordinator:
        """Return a meter's coordinator."""
        title = name.capitalize()
        return next(
            meter
            for meter in self.entry.runtime_data.meters.values()
            if meter.subentry.title == title
        )

    def entity_id(self, key: str, name: str | None = "grid") -> str:
        """Return the entity of a meter's quantity, or of the site where the name is None."""
        owner = self.entry.entry_id if name is None else self.meter(name).subentry.subentry_id
        entity_id = er.async_get(self.hass).async_get_entity_id("sensor", DOMAIN, f"{owner}_{key}")
        assert entity_id is not None, f"no entity {key} of {name}"
        return entity_id

    def value(self, key: str, name: str | None = "grid") -> float:
        """Return the state of an entity as a number."""
        state = self.hass.states.get(self.entity_id(key, name))
        assert state is not None
        return float(state.state)

    async def unload(self) -> None:
        """Take the site down, as at an orderly stop."""
        assert await self.hass.config_entries.async_unload(self.entry.entry_id)
        await self.settle()

    async def load(self) -> None:
        """Set the site up again."""
        assert await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.settle()

    async def close(self) -> None:
        """Leave nothing running."""
        if hasattr(self, "entry") and self.entry.state is not ConfigEntryState.NOT_LOADED:
            await self.hass.config_entries.async_unload(self.entry.entry_id)
            await self.settle()
        if hasattr(self, "home"):
            await self.home.modbus.close()
