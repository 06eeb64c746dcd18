"""The actions `dim_lights` and `restore_lights`: lamps that are dimmed get their own level back.

What each lamp had before is kept in a file, so that a restart at a peak leaves no lamp dark.
A lamp that somebody has set to another level since is released: nobody's wish is undone.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, cast

from homeassistant.const import ATTR_ENTITY_ID, SERVICE_TURN_ON, STATE_ON
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
from homeassistant.helpers.target import TargetSelection, async_extract_referenced_entity_ids
from homeassistant.util import dt as dt_util
import probatio

from ..const import DOMAIN, LOGGER
from ..planning.light_levels import FULL, Dimmed, dimmed, restored
from .remembered import Remembered

SERVICE_DIM_LIGHTS: Final = "dim_lights"
SERVICE_RESTORE_LIGHTS: Final = "restore_lights"

CONF_EXCEPT_LABELS: Final = "except_labels"
CONF_FLOOR: Final = "floor"
CONF_SHARE: Final = "share"
CONF_TRANSITION: Final = "transition"

_LIGHT: Final = "light"
_BRIGHTNESS: Final = "brightness"

_LONGEST: Final = 7 * 86400
"""Seconds for which a lamp that is off or away is waited for."""

type _Step = Callable[[Dimmed | None, int | None, float], Dimmed | None]
"""Gives what is known of a lamp after it, from what was known, its level and the moment."""

_COMMON: Final[Mapping[Any, Any]] = {
    **cv.TARGET_SERVICE_FIELDS,
    probatio.Optional(CONF_EXCEPT_LABELS, default=list): probatio.All(cv.ensure_list, [cv.string]),
    probatio.Optional(CONF_TRANSITION, default=0): probatio.All(
        probatio.Coerce(float), probatio.Range(min=0, max=300)
    ),
}
_PERCENT: Final = probatio.All(probatio.Coerce(float), probatio.Range(min=1, max=100))
_DIM_SCHEMA: Final = probatio.Schema(
    {
        **_COMMON,
        probatio.Required(CONF_SHARE): _PERCENT,
        probatio.Optional(CONF_FLOOR, default=50): _PERCENT,
    }
)
_RESTORE_SCHEMA: Final = probatio.Schema(dict(_COMMON))


@callback
def async_register_lights(hass: HomeAssistant) -> None:
    """Offer `carbon_meter.dim_lights` and `carbon_meter.restore_lights`."""
    memory = LightMemory(hass)

    async def dim(call: ServiceCall) -> ServiceResponse:
        """Dim the lamps of the target that are on, each to a share of its own level."""
        share = max(call.data[CONF_SHARE], call.data[CONF_FLOOR]) / 100.0
        lights = _lights(hass, call.data)
        return _response(
            await memory.async_dim(lights, share, call.data[CONF_TRANSITION], call.context)
        )

    async def restore(call: ServiceCall) -> ServiceResponse:
        """Give the lamps of the target their own level back, where they still have ours."""
        lights = _lights(hass, call.data)
        return _response(
            await memory.async_restore(lights, call.data[CONF_TRANSITION], call.context)
        )

    for name, action, schema in (
        (SERVICE_DIM_LIGHTS, dim, _DIM_SCHEMA),
        (SERVICE_RESTORE_LIGHTS, restore, _RESTORE_SCHEMA),
    ):
        hass.services.async_register(
            DOMAIN, name, action, schema, supports_response=SupportsResponse.OPTIONAL
        )


class LightMemory:
    """What each lamp was before it was dimmed."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Name the file; it is read when a lamp is to be dimmed or restored first."""
        self._hass = hass
        self._lamps = Remembered(
            hass, "lights", Dimmed.from_dict, "What %s had before it was dimmed cannot be read"
        )
        self._lock = asyncio.Lock()

    async def async_dim(
        self, lights: Iterable[str], share: float, transition: float, context: Context
    ) -> Mapping[str, list[str]]:
        """Dim lamps to a part of their own level; return which, by what was done."""

        def step(known: Dimmed | None, level: int | None, now: float) -> Dimmed | None:
            return dimmed(known, level, share, transition=transition, now=now)

        return await self._async_step(lights, transition, context, step)

    async def async_restore(
        self, lights: Iterable[str], transition: float, context: Context
    ) -> Mapping[str, list[str]]:
        """Give lamps their level back; those that are off or away get it another time."""

        def step(known: Dimmed | None, level: int | None, now: float) -> Dimmed | None:
            return restored(known, level, transition=transition, now=now)

        return await self._async_step(lights, transition, context, step)

    async def _async_step(
        self, lights: Iterable[str], transition: float, context: Context, step: _Step
    ) -> Mapping[str, list[str]]:
        """Take lamps a step on: what is meant is on disk before a lamp is told."""
        async with self._lock:
            now = dt_util.utcnow().timestamp()
            before = await self._async_load(now)
            known = dict(before)
            told: dict[str, list[str]] = {"changed": [], "released": [], "failed": []}
            wanted: dict[int, list[str]] = defaultdict(list)
            for light in sorted(lights):
                new = step(known.pop(light, None), _level(self._hass, light), now)
                if new is None:
                    continue
                known[light] = new
                if new.is_released:
                    told["released"].append(light)
                elif new is not before.get(light):
                    wanted[new.given].append(light)
            if known != before:
                await self._lamps.async_save(known)
            for given, names in wanted.items():
                failed = await self._async_give(names, given, transition, context)
                told["failed" if failed else "changed"].extend(names)
            return told

    async def _async_load(self, now: float) -> dict[str, Dimmed]:
        """Return what is known, without lamps that were not seen on for too long."""
        lamps = await self._lamps.async_load()
        return {light: lamp for light, lamp in lamps.items() if now - lamp.at < _LONGEST}

    async def _async_give(
        self, lights: list[str], level: int, transition: float, context: Context
    ) -> bool:
        """Set lamps to a level; return whether that failed. It is not tried again."""
        try:
            await self._hass.services.async_call(
                _LIGHT,
                SERVICE_TURN_ON,
                {ATTR_ENTITY_ID: lights, _BRIGHTNESS: level, CONF_TRANSITION: transition},
                blocking=True,
                context=context,
            )
        except HomeAssistantError as err:
            LOGGER.warning("%s cannot be dimmed or restored: %s", ", ".join(lights), err)
            return True
        return False


def _level(hass: HomeAssistant, light: str) -> int | None:
    """Return the level of a lamp that is on, 1 to 255; None for one that has none."""
    state = hass.states.get(light)
    if state is None or state.state != STATE_ON:
        return None
    level = state.attributes.get(_BRIGHTNESS)
    return int(level) if isinstance(level, int | float) and 1 <= level <= FULL else None


def _lights(hass: HomeAssistant, data: Mapping[str, Any]) -> set[str]:
    """Return the lamps of a target, groups as their members, without those of a label."""
    labels = data[CONF_EXCEPT_LABELS]
    left_out = _named(hass, {"label_id": labels}) if labels else set()
    return _named(hass, data) - left_out


def _named(hass: HomeAssistant, target: Mapping[str, Any]) -> set[str]:
    """Return the lamps of a target, groups as their members."""
    selected = async_extract_referenced_entity_ids(hass, TargetSelection(dict(target)))
    lights: set[str] = set()
    waiting = [*selected.referenced, *selected.indirectly_referenced]
    seen: set[str] = set()
    while waiting:
        entity_id = waiting.pop()
        if entity_id in seen or not entity_id.startswith(f"{_LIGHT}."):
            continue
        seen.add(entity_id)
        state = hass.states.get(entity_id)
        members = state.attributes.get(ATTR_ENTITY_ID) if state is not None else None
        if members:
            waiting.extend(members)
        else:
            lights.add(entity_id)
    return lights


def _response(told: Mapping[str, list[str]]) -> ServiceResponse:
    return cast("ServiceResponse", {key: list(lights) for key, lights in told.items()})
