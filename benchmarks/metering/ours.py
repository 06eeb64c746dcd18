"""Our integration, set up through its own flow."""

from collections.abc import Mapping
from typing import Final
from unittest.mock import patch

from homeassistant.config_entries import SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity

from benchmarks.core import SetupError
from benchmarks.metering.subject import Subject
from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.coordinator import MeterCoordinator
from custom_components.carbon_meter.data import Site

_LONGEST_INTERVAL: Final = (
    900  # seconds: longer than the benchmark, so that nothing is polled unasked
)


class OurSide:
    """A site with the meter, every entity of it enabled."""

    def __init__(self, hass: HomeAssistant, coordinator: MeterCoordinator) -> None:
        """Take the meter's coordinator."""
        self._hass = hass
        self._coordinator = coordinator

    async def read(self) -> None:
        """Read everything once and write the states: what the coordinator does when it is due."""
        self._coordinator.async_show_next()
        await self._coordinator.async_refresh()
        if not self._coordinator.last_update_success:
            raise RuntimeError(
                f"our integration could not read: {self._coordinator.last_exception}"
            )

    def states(self) -> dict[str, str]:
        """Return what the entities show, by quantity."""
        registry = er.async_get(self._hass)
        shown: dict[str, str] = {}
        for quantity in self._coordinator.profile.quantities:
            unique_id = f"{self._coordinator.subentry.subentry_id}_{quantity}"
            entity_id = registry.async_get_entity_id("sensor", DOMAIN, unique_id)
            if entity_id and (state := self._hass.states.get(entity_id)):
                shown[quantity] = state.state
        return shown


async def add_meter(hass: HomeAssistant, subject: Subject) -> OurSide:
    """Add the meter as a user would.

    Raises SetupError when it is not found, or taken for another one.
    """
    flows = hass.config_entries.flow
    step = await flows.async_init(DOMAIN, context={"source": SOURCE_USER})
    step = await flows.async_configure(step["flow_id"], {"next_step_id": "address"})
    address = {"host": subject.host, "port": subject.port, "unit": subject.unit}
    step = await flows.async_configure(step["flow_id"], address)
    if step.get("step_id") != "confirm":
        raise SetupError(f"our integration did not find the meter: {step.get('errors')}")
    fields: Mapping[str, object] = {
        "site": "Benchmark",
        "model": f"{subject.profile.id}@0",
        "name": "Grid",
        "role": "grid",
        "inverted": False,
        "power_inverted": False,
        "interval": _LONGEST_INTERVAL,
    }
    with patch.object(Entity, "entity_registry_enabled_default", new=True):
        step = await flows.async_configure(step["flow_id"], dict(fields))
        await hass.async_block_till_done()
    if step["type"] is not FlowResultType.CREATE_ENTRY:
        raise SetupError(f"our integration did not add the meter: {step.get('errors')}")
    entry = step["result"]
    if entry.state is not ConfigEntryState.LOADED:
        raise SetupError(f"our integration did not load: {entry.reason}")
    site: Site = entry.runtime_data
    (coordinator,) = site.meters.values()
    return OurSide(hass, coordinator)
