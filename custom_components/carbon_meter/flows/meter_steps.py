"""The steps that add a meter by its address: shared by the flow of a site and of a meter."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_MODEL, CONF_NAME
from homeassistant.data_entry_flow import FlowHandler
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import probatio

from ..const import CONF_PROTOCOL
from ..drivers.modbus import ModbusDriver
from ..libraries import async_get_libraries
from ..metering.candidate import Candidate
from .drafts import MeterDraft, is_configured, meter_data, meter_unique_id, other_meters
from .finder import MeterFinder
from .meter_form import details_schema, model_selector

type Input = dict[str, Any] | None

_BY_ADDRESS: Final = ("address", "protocol")


class MeterSteps(FlowHandler[Any, Any, Any]):
    """From an address to a meter that is confirmed.

    A flow that uses it says what is done with the meters in `async_finish`.
    """

    _finder: MeterFinder

    @property
    def site(self) -> ConfigEntry | None:
        """Return the site that is extended, None where the user has yet to choose it."""
        return None

    def site_fields(self) -> dict[Any, Any]:
        """Return the fields in which the user chooses the site."""
        return {}

    @abstractmethod
    async def async_finish(
        self, drafts: Sequence[MeterDraft], user_input: Mapping[str, Any]
    ) -> Any:
        """Add meters, of which none is configured yet; `user_input` has the `site_fields`."""

    async def async_offers(self) -> list[str]:
        """Return the steps by which a meter can be added, for the menu."""
        return list(_BY_ADDRESS)

    async def async_step_user(self, user_input: Input = None) -> Any:
        """Ask how the meter is to be found."""
        return self.async_show_menu(step_id="user", menu_options=await self.async_offers())

    async def async_step_protocol(self, user_input: Input = None) -> Any:
        """Ask which protocol the meter speaks."""
        libraries = await async_get_libraries(self.hass)
        if user_input is not None:
            driver = libraries.drivers[user_input[CONF_PROTOCOL]]
            self._finder = MeterFinder(self.hass, driver)
            return await self._address_form(None)
        options = [
            SelectOptionDict(value=driver.key, label=driver.name)
            for driver in libraries.drivers.values()
            if driver.address_fields
        ]
        schema = probatio.Schema(
            {
                probatio.Required(CONF_PROTOCOL): SelectSelector(
                    SelectSelectorConfig(options=options, mode=SelectSelectorMode.LIST)
                )
            }
        )
        return self.async_show_form(step_id="protocol", data_schema=schema)

    async def async_step_address(self, user_input: Input = None) -> Any:
        """Ask for the meter's address, of a Modbus meter unless another protocol was chosen."""
        if user_input is None:
            libraries = await async_get_libraries(self.hass)
            self._finder = MeterFinder(self.hass, libraries.drivers[ModbusDriver.key])
        elif choice := user_input.get(CONF_MODEL):
            if await self._finder.async_try(user_input, choice):
                return await self.async_step_confirm()
        elif await self._finder.async_ask(user_input):
            return await self.async_step_confirm()
        return await self._address_form(user_input)

    async def _address_form(self, user_input: Input) -> Any:
        finder = self._finder
        fields = dict(finder.driver.address_fields)
        if finder.errors:
            # Some meters do not even answer the questions by which they are recognised.
            libraries = await async_get_libraries(self.hass)
            known = libraries.profiles.profiles
            if any(finder.driver.can_try(profile) for profile in known.values()):
                fields[probatio.Optional(CONF_MODEL)] = model_selector(finder.driver, (), known)
        return self.async_show_form(
            step_id="address",
            data_schema=self.add_suggested_values_to_schema(probatio.Schema(fields), user_input),
            errors=finder.errors,
            description_placeholders=finder.placeholders,
        )

    async def async_step_confirm(self, user_input: Input = None) -> Any:
        """Confirm what was found, and where it belongs."""
        finder = self._finder
        libraries = await async_get_libraries(self.hass)
        if user_input is not None and (
            candidate := await finder.async_choose(user_input[CONF_MODEL])
        ):
            draft = self.draft(finder, candidate, user_input)
            if is_configured(self.hass, libraries.drivers, draft):
                return self.async_abort(reason="already_configured")
            return await self.async_finish([draft], user_input)
        schema = details_schema(
            finder.driver,
            finder.candidates,
            libraries.profiles.profiles,
            more=self.site_fields(),
            parents=other_meters(self.site) if self.site is not None else {},
        )
        return self.async_show_form(
            step_id=finder.confirm_step,
            data_schema=self.add_suggested_values_to_schema(schema, user_input),
            errors=finder.errors,
            description_placeholders=finder.placeholders,
        )

    async def async_step_likely(self, user_input: Input = None) -> Any:
        """Confirm a meter that does not say what it is."""
        return await self.async_step_confirm(user_input)

    async def async_step_unconfirmed(self, user_input: Input = None) -> Any:
        """Confirm a meter whose map only one source gives."""
        return await self.async_step_confirm(user_input)

    @staticmethod
    def draft(
        finder: MeterFinder, candidate: Candidate, user_input: Mapping[str, Any]
    ) -> MeterDraft:
        """Return the meter as the user has confirmed it."""
        return MeterDraft(
            title=user_input.get(CONF_NAME, "").strip() or candidate.name,
            data=meter_data(finder.driver, finder.address, candidate, user_input),
            unique_id=meter_unique_id(finder.driver, finder.address, candidate, finder.candidates),
        )
