"""Devices as real entities of real platforms: they take real calls and keep each one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from homeassistant.components.button import ButtonEntity
from homeassistant.components.climate import ClimateEntity, ClimateEntityFeature, HVACMode
from homeassistant.components.light import ColorMode, LightEntity, LightEntityFeature
from homeassistant.components.number import NumberEntity
from homeassistant.components.select import SelectEntity
from homeassistant.components.switch import SwitchEntity
from homeassistant.components.water_heater import WaterHeaterEntity, WaterHeaterEntityFeature
from homeassistant.const import UnitOfTemperature
from homeassistant.core import Context
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.entity import Entity
from homeassistant.util import dt as dt_util

WATER_HEATER_MODES: Final = ["eco", "performance", "off"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A command that reached a device."""

    service: str
    """Such as `turn_on`, `set_value`, `select_option`, `set_temperature`, `press`."""

    data: Mapping[str, Any] = field(default_factory=dict)
    context: Context | None = None
    moment: datetime


class Device(Entity):
    """What all devices share; the attributes of an entity can be set by hand."""

    _attr_should_poll = False
    domain: str

    def __init__(self, name: str, **attributes: Any) -> None:
        """Make a device; `attributes` are an entity's without their `_attr_`."""
        self.entity_id = f"{self.domain}.{name}"
        self._attr_unique_id = f"fake_{self.domain}_{name}"
        self._attr_name = name
        self.calls: list[Call] = []
        self.obeys = True
        """Whether a command has an effect."""

        self.fails = False
        """Whether a command raises an error."""

        self.is_late = False
        """Whether it tells what it did only at `report()`, as of its own, like a polled device."""

        self._put(attributes)

    def _put(self, attributes: Mapping[str, Any]) -> None:
        """Set attributes of the entity."""
        for name, value in attributes.items():
            setattr(self, f"_attr_{name}", value)

    def _take(self, service: str, data: Mapping[str, Any], **effect: Any) -> None:
        """Keep a call and do what it says."""
        self.calls.append(
            Call(service=service, data=dict(data), context=self._context, moment=dt_util.utcnow())
        )
        if self.fails:
            raise HomeAssistantError(f"{self.entity_id} did not answer")
        if not self.obeys:
            return
        self._put(effect)
        if not self.is_late:
            self.async_write_ha_state()

    def report(self) -> None:
        """Write the state as a device does that tells of itself: without anybody's context."""
        self._context = None
        self._context_set = None
        self.async_write_ha_state()

    def by_hand(self, **attributes: Any) -> None:
        """Change it as a knob on the device does."""
        self._put(attributes)
        self.report()

    def leave(self) -> None:
        """Become unavailable."""
        self.by_hand(available=False)

    def come_back(self, **attributes: Any) -> None:
        """Become available, maybe in another state."""
        self.by_hand(available=True, **attributes)


class FakeSwitch(Device, SwitchEntity):
    """A switch; attribute `is_on`."""

    domain = "switch"
    _attr_is_on = False

    async def async_turn_on(self, **kwargs: Any) -> None:
        """Switch on."""
        self._take("turn_on", kwargs, is_on=True)

    async def async_turn_off(self, **kwargs: Any) -> None:
        """Switch off."""
        self._take("turn_off", kwargs, is_on=False)


class FakeButton(Device, ButtonEntity):
    """A button; its state is when it was pressed last."""

    domain = "button"

    async def async_press(self) -> None:
        """Press."""
        self._take("press", {})


class FakeNumber(Device, NumberEntity):
    """A number; attributes `native_value`, `native_min_value`, `native_max_value`."""

    domain = "number"
    _attr_native_min_value = 0
    _attr_native_max_value = 100
    _attr_native_step = 1
    _attr_native_value = 0

    async def async_set_native_value(self, value: float) -> None:
        """Take a value."""
        self._take("set_value", {"value": value}, native_value=value)


class FakeSelect(Device, SelectEntity):
    """A choice; attributes `options`, `current_option`."""

    domain = "select"

    async def async_select_option(self, option: str) -> None:
        """Take an option."""
        self._take("select_option", {"option": option}, current_option=option)


class FakeLight(Device, LightEntity):
    """A lamp; attributes `is_on`, `brightness` (0 to 255)."""

    domain = "light"
    _attr_color_mode = ColorMode.BRIGHTNESS
    _attr_supported_color_modes = {ColorMode.BRIGHTNESS}  # noqa: RUF012
    _attr_supported_features = LightEntityFeature.TRANSITION
    _attr_is_on = False
    _attr_brightness = 255

    async def async_turn_on(self, **kwargs: Any) -> None:
        """Switch on, or change the brightness."""
        brightness = kwargs.get("brightness", self._attr_brightness)
        self._take("turn_on", kwargs, is_on=True, brightness=brightness)

    async def async_turn_off(self, **kwargs: Any) -> None:
        """Switch off."""
        self._take("turn_off", kwargs, is_on=False)


class FakeClimate(Device, ClimateEntity):
    """A heat pump or air conditioner; attributes `target_temperature`, `hvac_mode`."""

    domain = "climate"
    _attr_temperature_unit = UnitOfTemperature.CELSIUS
    _attr_hvac_modes = [HVACMode.HEAT, HVACMode.COOL, HVACMode.OFF]  # noqa: RUF012
    _attr_hvac_mode = HVACMode.HEAT
    _attr_target_temperature = 21.0
    _attr_target_temperature_step = 0.5
    _attr_current_temperature = 21.0
    _attr_min_temp = 7.0
    _attr_max_temp = 35.0
    _attr_supported_features = (
        ClimateEntityFeature.TARGET_TEMPERATURE
        | ClimateEntityFeature.TURN_ON
        | ClimateEntityFeature.TURN_OFF
    )

    async def async_set_temperature(self, **kwargs: Any) -> None:
        """Take a setpoint."""
        self._take("set_temperature", kwargs, target_temperature=kwargs["temperature"])

    async def async_set_hvac_mode(self, hvac_mode: HVACMode) -> None:
        """Take a mode."""
        self._take("set_hvac_mode", {"hvac_mode": hvac_mode}, hvac_mode=hvac_mode)


class FakeWaterHeater(Device, WaterHeaterEntity):
    """A water heater; attributes `current_operation`, `target_temperature`."""

    domain = "water_heater"
    _attr_temperature_unit = UnitOfTemperature.CELSIUS
    _attr_operation_list = WATER_HEATER_MODES
    _attr_current_operation = "off"
    _attr_target_temperature = 50.0
    _attr_current_temperature = 45.0
    _attr_min_temp = 30.0
    _attr_max_temp = 70.0
    _attr_supported_features = (
        WaterHeaterEntityFeature.TARGET_TEMPERATURE
        | WaterHeaterEntityFeature.OPERATION_MODE
        | WaterHeaterEntityFeature.ON_OFF
    )

    async def async_set_temperature(self, **kwargs: Any) -> None:
        """Take a setpoint."""
        self._take("set_temperature", kwargs, target_temperature=kwargs["temperature"])

    async def async_set_operation_mode(self, operation_mode: str) -> None:
        """Take a mode."""
        self._take(
            "set_operation_mode",
            {"operation_mode": operation_mode},
            current_operation=operation_mode,
        )

    async def async_turn_on(self, **kwargs: Any) -> None:
        """Switch on."""
        self._take("turn_on", kwargs, current_operation="eco")

    async def async_turn_off(self, **kwargs: Any) -> None:
        """Switch off."""
        self._take("turn_off", kwargs, current_operation="off")
