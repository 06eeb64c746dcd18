"""The actions `shed_load` and `restore_loads`: what a limit switched off is known after a restart.

A load is shed when its device has been switched off to keep a limit. It is given back to its
plan, no sooner than told, and only if nobody has decided otherwise since.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self, cast

from homeassistant.const import (
    ATTR_ENTITY_ID,
    SERVICE_TURN_OFF,
    SERVICE_TURN_ON,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import (
    Context,
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
import probatio

from ..const import DOMAIN, LOGGER
from .remembered import Remembered

SERVICE_SHED_LOAD: Final = "shed_load"
SERVICE_RESTORE_LOADS: Final = "restore_loads"

CONF_DEVICE: Final = "device"
CONF_DEVICES: Final = "devices"
CONF_LEAST_OFF: Final = "least_off"
CONF_MOST: Final = "most"
CONF_OVERRIDE: Final = "override"
CONF_OVERRIDDEN: Final = "overridden"

_ANY_DOMAIN: Final = "homeassistant"
_MINUTE: Final = 60.0
_SILENT: Final = (None, STATE_UNAVAILABLE, STATE_UNKNOWN)

_SHED_SCHEMA: Final = probatio.Schema(
    {
        probatio.Required(CONF_DEVICE): cv.entity_id,
        probatio.Optional(CONF_OVERRIDE): cv.entity_id,
        probatio.Optional(CONF_OVERRIDDEN, default=False): cv.boolean,
        probatio.Optional(CONF_LEAST_OFF, default=10): probatio.All(
            probatio.Coerce(float), probatio.Range(min=0, max=1440)
        ),
    }
)
_RESTORE_SCHEMA: Final = probatio.Schema(
    {
        probatio.Required(CONF_DEVICES): cv.entity_ids,
        probatio.Optional(CONF_MOST, default=1): probatio.All(
            probatio.Coerce(int), probatio.Range(min=1, max=100)
        ),
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shed:
    """A load that was switched off to keep a limit."""

    until: float
    """Seconds since 1970 UTC before which it stays off."""

    override: str | None
    """The switch of its override that was turned on for this; None: it has no plan, or its
    user had taken it over before."""

    is_planned: bool
    """Whether it has a plan to be given back to."""

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {"until": self.until, "override": self.override, "is_planned": self.is_planned}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return what `as_dict` gave; raises KeyError, TypeError or ValueError for other data."""
        override = data["override"]
        return cls(
            until=float(data["until"]),
            override=None if override is None else str(override),
            is_planned=bool(data["is_planned"]),
        )


@callback
def async_register_shedding(hass: HomeAssistant) -> None:
    """Offer `carbon_meter.shed_load` and `carbon_meter.restore_loads`."""
    memory = ShedMemory(hass)

    async def shed(call: ServiceCall) -> None:
        """Switch a load off, take it from its plan and remember both."""
        await memory.async_shed(call.data, call.context)

    async def restore(call: ServiceCall) -> ServiceResponse:
        """Give loads back, the last of the list first."""
        restored = await memory.async_restore(
            call.data[CONF_DEVICES], call.data[CONF_MOST], call.context
        )
        return cast("ServiceResponse", {"restored": restored, "shed": memory.shed})

    hass.services.async_register(DOMAIN, SERVICE_SHED_LOAD, shed, _SHED_SCHEMA)
    hass.services.async_register(
        DOMAIN,
        SERVICE_RESTORE_LOADS,
        restore,
        _RESTORE_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )


class ShedMemory:
    """Which loads are shed."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Name the file; it is read when a load is to be shed or restored first."""
        self._hass = hass
        self._loads = Remembered(hass, "shed", Shed.from_dict, "Whether %s was shed cannot be read")
        self._lock = asyncio.Lock()

    @property
    def shed(self) -> list[str]:
        """Return the devices of the loads that are shed."""
        return self._loads.names

    async def async_shed(self, data: Mapping[str, Any], context: Context) -> None:
        """Switch a load off and remember it; what is meant is on disk before.

        Raises HomeAssistantError when the device cannot be switched off.
        """
        device, override = data[CONF_DEVICE], data.get(CONF_OVERRIDE)
        is_taken_over = data[CONF_OVERRIDDEN]
        async with self._lock:
            shed = await self._loads.async_load()
            known = shed.get(device)
            shed[device] = Shed(
                until=dt_util.utcnow().timestamp() + _MINUTE * data[CONF_LEAST_OFF],
                # A load that is shed again was not taken over by its user but by us.
                override=override if known is not None or not is_taken_over else None,
                is_planned=override is not None,
            )
            await self._loads.async_save(shed)
            if override is not None and self._state(override) == STATE_OFF:
                await self._async_switch(override, SERVICE_TURN_ON, context)
            if self._state(device) != STATE_OFF:
                await self._async_switch(device, SERVICE_TURN_OFF, context)

    async def async_restore(self, devices: Iterable[str], most: int, context: Context) -> list[str]:
        """Give back so many loads at the most; return their devices."""
        async with self._lock:
            shed = await self._loads.async_load()
            before = dict(shed)
            restored: list[str] = []
            for device in reversed(list(devices)):
                if device in shed and len(restored) < most:
                    load = shed[device]
                    if self._is_over(device, load):
                        del shed[device]
                    elif self._is_due(device, load):
                        del shed[device]
                        restored.append(device)
            if shed != before:
                await self._loads.async_save(shed)
            for device in restored:
                await self._async_give_back(device, before[device], context)
            return restored

    def _is_over(self, device: str, load: Shed) -> bool:
        """Return whether somebody else has decided: it runs, or its override has ended."""
        if self._state(device) not in (*_SILENT, STATE_OFF):
            return True
        return load.override is not None and self._state(load.override) == STATE_OFF

    def _is_due(self, device: str, load: Shed) -> bool:
        """Return whether a load can be given back now: it is there, and was off for long enough."""
        there = self._state(device) not in _SILENT
        known = load.override is None or self._state(load.override) == STATE_ON
        return there and known and dt_util.utcnow().timestamp() >= load.until

    async def _async_give_back(self, device: str, load: Shed, context: Context) -> None:
        """Give a load back to its plan; one without a plan is switched on."""
        try:
            if load.override is not None:
                await self._async_switch(load.override, SERVICE_TURN_OFF, context)
            elif not load.is_planned:
                await self._async_switch(device, SERVICE_TURN_ON, context)
        except HomeAssistantError as err:
            LOGGER.warning("%s cannot be given back: %s", device, err)

    async def _async_switch(self, entity_id: str, service: str, context: Context) -> None:
        await self._hass.services.async_call(
            _ANY_DOMAIN, service, {ATTR_ENTITY_ID: entity_id}, blocking=True, context=context
        )

    def _state(self, entity_id: str) -> str | None:
        state = self._hass.states.get(entity_id)
        return None if state is None else state.state
