"""Events: steps in power, and what of a meter cannot be believed."""

import asyncio
from typing import Final, override

from homeassistant.components.event import (
    DOMAIN as EVENT_DOMAIN,
    EventEntity,
    EventEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN
from .coordinator import MeterCoordinator
from .data import CarbonMeterConfigEntry
from .entity import MeterEntity
from .metering.incidents import Incident, Reason
from .metering.steps import LONGEST_SPACING, PowerStep, StepKind

PARALLEL_UPDATES: Final = 0

STEPS: Final = EventEntityDescription(
    key="power_step",
    translation_key="power_step",
    event_types=[kind.value for kind in StepKind],
)
INCIDENTS: Final = EventEntityDescription(
    key="incident",
    translation_key="incident",
    entity_category=EntityCategory.DIAGNOSTIC,
    event_types=[reason.value for reason in Reason],
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: CarbonMeterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the events of each meter; steps where it is read often enough to see them."""
    for subentry_id, meter in entry.runtime_data.meters.items():
        entities: list[EventEntity] = [IncidentEvent(meter, INCIDENTS)]
        if _sees_steps(meter):
            entities.append(StepEvent(meter, STEPS))
        else:
            _remove_steps(hass, subentry_id)
        async_add_entities(entities, config_subentry_id=subentry_id)
        await asyncio.sleep(0)  # of two hundred meters each lets others have their turn


def _sees_steps(meter: MeterCoordinator) -> bool:
    return meter.poll_interval <= LONGEST_SPACING and "power" in meter.profile.quantities


def _remove_steps(hass: HomeAssistant, subentry_id: str) -> None:
    """Remove what a meter had while it was read more often."""
    registry = er.async_get(hass)
    unique_id = f"{subentry_id}_{STEPS.key}"
    if entity_id := registry.async_get_entity_id(EVENT_DOMAIN, DOMAIN, unique_id):
        registry.async_remove(entity_id)


class _MeterEvent(MeterEntity, EventEntity):
    """An event of one meter; it stands whether or not the meter answers."""

    @property
    @override
    def available(self) -> bool:
        return True

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write nothing: the event has not happened again."""


class StepEvent(_MeterEvent):
    """A device starts or stops, a load jumps."""

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the steps of the meter."""
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.async_listen_for_steps(self._async_stepped))

    @callback
    def _async_stepped(self, step: PowerStep) -> None:
        details = {
            "size": round(step.size, 1),
            "before": round(step.before, 1),
            "after": round(step.after, 1),
            "duration": round(step.duration, 1),
            "previous_duration": round(step.lasted, 1),
        }
        if step.ran is not None:
            details["running_time"] = round(step.ran, 1)
        self._trigger_event(step.kind.value, details)
        self.async_write_ha_state()


class IncidentEvent(_MeterEvent):
    """Something that cannot be believed has begun or is over."""

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the incidents of the meter."""
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.async_listen_for_incidents(self._async_happened))

    @callback
    def _async_happened(self, incident: Incident) -> None:
        self._trigger_event(
            incident.reason.value,
            {
                "quantity": incident.quantity or None,
                "amount": round(incident.amount, 3),
                "unit": incident.unit,
                "ongoing": incident.lasts,
            },
        )
        self.async_write_ha_state()
