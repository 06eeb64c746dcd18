"""Flows: a site with its first meter, further meters, the site's carbon intensity."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentry,
    ConfigSubentryData,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_HOST, CONF_MODEL, CONF_NAME, CONF_PORT
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
)
import probatio

from .const import (
    CONF_BASE,
    CONF_PROFILE,
    CONF_SERIAL,
    CONF_SITE,
    CONF_UNIT,
    DOMAIN,
    SUBENTRY_METER,
)
from .libraries import async_get_libraries
from .meter_flow import (
    ADDRESS_FIELDS,
    address_of,
    choice_key,
    details_schema,
    live_values,
    meter_data,
    meter_unique_id,
    setting_fields,
)
from .metering.candidate import Candidate
from .options_flow import CarbonMeterOptionsFlow
from .probe import Address, ProbeError, async_probe, async_try_profile

_NEW_SITE = "new"


class MeterFinder:
    """What a flow has found out about an address so far."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Start without an address."""
        self._hass = hass
        self.address: Address | None = None
        self.candidates: tuple[Candidate, ...] = ()
        self.errors: dict[str, str] = {}
        self.detail = ""

    async def async_ask(self, user_input: dict[str, Any]) -> bool:
        """Ask the address; return whether there is something to confirm."""
        self.errors, self.detail = {}, ""
        self.address = address_of(user_input)
        try:
            self.candidates = await async_probe(self._hass, self.address)
        except ProbeError as err:
            self._fail(err)
            return False
        return True

    async def async_choose(self, choice: str) -> Candidate | None:
        """Return the meter that the user chose, None where it cannot be that one."""
        self.errors, self.detail = {}, ""
        for candidate in self.candidates:
            if choice_key(candidate) == choice:
                return candidate
        assert self.address is not None  # noqa: S101  # the form is shown after an address
        libraries = await async_get_libraries(self._hass)
        profile = libraries.profiles.profiles.get(choice.partition("@")[0])
        if not isinstance(profile, ModbusProfile) or profile.is_chained:
            # The chain of models tells what there is; what it does not name is not there.
            self.errors = {"base": "model_mismatch"}
            return None
        try:
            return await async_try_profile(self._hass, self.address, profile)
        except ProbeError as err:
            self._fail(err)
            return None

    @property
    def confirm_step(self) -> str:
        """Return the form for what was found: proved, or only likely."""
        return "confirm" if self.candidates[0].certain else "likely"

    def _fail(self, err: ProbeError) -> None:
        self.errors = {"base": err.key}
        self.detail = err.detail

    @property
    def placeholders(self) -> dict[str, str]:
        """Return what the forms say of the address."""
        placeholders = {"detail": self.detail or "-"}
        if self.candidates:
            best = self.candidates[0]
            placeholders |= {
                "meter": best.name,
                "values": live_values(best),
                "count": str(len(self.candidates)),
            }
        return placeholders


def _is_configured(hass: HomeAssistant, unique_id: str, data: Mapping[str, Any]) -> bool:
    """Return whether any site has the meter: by its number, or by its very place."""
    place = [data[key] for key in (CONF_HOST, CONF_PORT, CONF_UNIT, CONF_BASE)]
    return any(
        subentry.unique_id == unique_id
        or [subentry.data[key] for key in (CONF_HOST, CONF_PORT, CONF_UNIT, CONF_BASE)] == place
        for entry in hass.config_entries.async_entries(DOMAIN)
        for subentry in entry.subentries.values()
    )


class CarbonMeterConfigFlow(ConfigFlow, domain=DOMAIN):
    """Add a meter: the first one creates the site."""

    VERSION = 1
    _finder: MeterFinder

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> CarbonMeterOptionsFlow:
        """Return the flow that chooses the carbon intensity."""
        return CarbonMeterOptionsFlow()

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return what can be added to a site."""
        return {SUBENTRY_METER: MeterSubentryFlow}

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the meter's address."""
        if user_input is None:
            self._finder = MeterFinder(self.hass)
        elif await self._finder.async_ask(user_input):
            return await self.async_step_confirm()
        return self.async_show_form(
            step_id="user",
            data_schema=self.add_suggested_values_to_schema(
                probatio.Schema(ADDRESS_FIELDS), user_input
            ),
            errors=self._finder.errors,
            description_placeholders=self._finder.placeholders,
        )

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Confirm what was found, and where it belongs."""
        finder = self._finder
        if user_input is not None and (
            candidate := await finder.async_choose(user_input[CONF_MODEL])
        ):
            return await self._async_finish(candidate, user_input)
        libraries = await async_get_libraries(self.hass)
        schema = details_schema(finder.candidates, libraries.profiles.profiles, self._site_field())
        return self.async_show_form(
            step_id=finder.confirm_step,
            data_schema=self.add_suggested_values_to_schema(schema, user_input),
            errors=finder.errors,
            description_placeholders=finder.placeholders,
        )

    async def async_step_likely(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Confirm a meter that does not say what it is."""
        return await self.async_step_confirm(user_input)

    def _site_field(self) -> dict[Any, Any]:
        """Return the choice of the site, or the name of the first one."""
        entries = self.hass.config_entries.async_entries(DOMAIN)
        if not entries:
            name = self.hass.config.location_name
            return {probatio.Required(CONF_SITE, default=name): TextSelector()}
        options = [
            *(SelectOptionDict(value=entry.entry_id, label=entry.title) for entry in entries),
            SelectOptionDict(value=_NEW_SITE, label="+"),
        ]
        return {
            probatio.Required(CONF_SITE, default=entries[0].entry_id): SelectSelector(
                SelectSelectorConfig(options=options, custom_value=True)
            )
        }

    async def _async_finish(
        self, candidate: Candidate, user_input: dict[str, Any]
    ) -> ConfigFlowResult:
        """Create the site with the meter, or add the meter to the site that was chosen."""
        assert self._finder.address is not None  # noqa: S101  # the form is shown after an address
        unique_id = meter_unique_id(self._finder.address, candidate, self._finder.candidates)
        await self.async_set_unique_id(unique_id)
        data = meter_data(self._finder.address, candidate, user_input)
        if _is_configured(self.hass, unique_id, data):
            return self.async_abort(reason="already_configured")
        title = user_input[CONF_NAME].strip() or candidate.name
        entry = self.hass.config_entries.async_get_entry(user_input[CONF_SITE])
        if entry is not None and entry.domain == DOMAIN:
            self.hass.config_entries.async_add_subentry(
                entry,
                ConfigSubentry(
                    data=MappingProxyType(data),
                    subentry_type=SUBENTRY_METER,
                    title=title,
                    unique_id=unique_id,
                ),
            )
            return self.async_abort(
                reason="meter_added",
                description_placeholders={"meter": title, "site": entry.title},
            )
        # A site is told from others by its own id, not by its first meter's.
        await self.async_set_unique_id(None)
        site = user_input[CONF_SITE].strip()
        return self.async_create_entry(
            title=self.hass.config.location_name if site in ("", _NEW_SITE) else site,
            data={},
            subentries=[
                ConfigSubentryData(
                    data=data, subentry_type=SUBENTRY_METER, title=title, unique_id=unique_id
                )
            ],
        )


class MeterSubentryFlow(ConfigSubentryFlow):
    """Add a meter to a site, or change one."""

    _finder: MeterFinder

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the meter's address."""
        if user_input is None:
            self._finder = MeterFinder(self.hass)
        elif await self._finder.async_ask(user_input):
            return await self.async_step_confirm()
        return self.async_show_form(
            step_id="user",
            data_schema=self.add_suggested_values_to_schema(
                probatio.Schema(ADDRESS_FIELDS), user_input
            ),
            errors=self._finder.errors,
            description_placeholders=self._finder.placeholders,
        )

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Confirm what was found."""
        finder = self._finder
        if user_input is not None and (
            candidate := await finder.async_choose(user_input[CONF_MODEL])
        ):
            assert finder.address is not None  # noqa: S101  # the form is shown after an address
            unique_id = meter_unique_id(finder.address, candidate, finder.candidates)
            data = meter_data(finder.address, candidate, user_input)
            if _is_configured(self.hass, unique_id, data):
                return self.async_abort(reason="already_configured")
            return self.async_create_entry(
                title=user_input[CONF_NAME].strip() or candidate.name,
                data=data,
                unique_id=unique_id,
            )
        libraries = await async_get_libraries(self.hass)
        schema = details_schema(finder.candidates, libraries.profiles.profiles, {})
        return self.async_show_form(
            step_id=finder.confirm_step,
            data_schema=self.add_suggested_values_to_schema(schema, user_input),
            errors=finder.errors,
            description_placeholders=finder.placeholders,
        )

    async def async_step_likely(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Confirm a meter that does not say what it is."""
        return await self.async_step_confirm(user_input)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change where a meter is, its name, role or interval; it must stay the same meter."""
        subentry = self._get_reconfigure_subentry()
        if user_input is None:
            self._finder = MeterFinder(self.hass)
        elif await self._finder.async_ask(user_input):
            same = await self._async_same_meter(subentry)
            if same is not None:
                address = address_of(user_input)
                return self.async_update_and_abort(
                    self._get_entry(),
                    subentry,
                    title=user_input[CONF_NAME].strip() or subentry.title,
                    unique_id=meter_unique_id(address, same, self._finder.candidates),
                    data=meter_data(address, same, user_input),
                )
            self._finder.errors = {"base": "another_meter"}
        schema = probatio.Schema(
            {**ADDRESS_FIELDS, probatio.Required(CONF_NAME): TextSelector(), **setting_fields()}
        )
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=self.add_suggested_values_to_schema(
                schema, user_input or {**subentry.data, CONF_NAME: subentry.title}
            ),
            errors=self._finder.errors,
            description_placeholders=self._finder.placeholders,
        )

    async def _async_same_meter(self, subentry: ConfigSubentry) -> Candidate | None:
        """Return the candidate that is the configured meter: same family, same serial number.

        Where several are, it is the one at the same registers. A model that was chosen by
        hand is tried by hand.
        """
        data = subentry.data
        family = [
            candidate
            for candidate in self._finder.candidates
            if candidate.profile.id == data[CONF_PROFILE]
        ]
        if not family:
            chosen = await self._finder.async_choose(f"{data[CONF_PROFILE]}@{data[CONF_BASE]}")
            family = [chosen] if chosen is not None else []
        same = [candidate for candidate in family if candidate.serial == data[CONF_SERIAL]]
        same.sort(key=lambda candidate: candidate.settings["base"] != data[CONF_BASE])
        return same[0] if same else None
