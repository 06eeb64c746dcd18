"""The flow of a meter: add one or several to a site, or change one."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigSubentry,
    ConfigSubentryFlow,
)
from homeassistant.const import CONF_NAME
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import TextSelector
import probatio

from ..const import CONF_DRIVER, CONF_PROFILE, CONF_SERIAL, SUBENTRY_METER
from ..libraries import async_get_libraries
from ..metering.candidate import Candidate
from .adoption import AdoptionSteps
from .drafts import MeterDraft, meter_data, meter_unique_id, other_meters
from .finder import MeterFinder
from .meter_form import setting_fields
from .search import SearchSteps, withdraw_offers


def add_meter(hass: HomeAssistant, entry: ConfigEntry, draft: MeterDraft) -> None:
    """Add a meter to a site."""
    hass.config_entries.async_add_subentry(
        entry,
        ConfigSubentry(
            data=MappingProxyType(dict(draft.data)),
            subentry_type=SUBENTRY_METER,
            title=draft.title,
            unique_id=draft.unique_id,
            **({} if draft.subentry_id is None else {"subentry_id": draft.subentry_id}),
        ),
    )


class MeterSubentryFlow(AdoptionSteps, SearchSteps, ConfigSubentryFlow):
    """Add meters to a site, or change one."""

    @property
    @override
    def site(self) -> ConfigEntry:
        return self._get_entry()

    @override
    async def async_finish(
        self, drafts: Sequence[MeterDraft], user_input: Mapping[str, Any]
    ) -> Any:
        self.keep_site_data(self.site)
        withdraw_offers(self.hass, drafts)
        if len(drafts) == 1:
            (draft,) = drafts
            return self.async_create_entry(
                title=draft.title, data=draft.data, unique_id=draft.unique_id
            )
        for draft in drafts:
            add_meter(self.hass, self.site, draft)
        return self.async_abort(
            reason="meters_added",
            description_placeholders={"count": str(len(drafts)), "site": self.site.title},
        )

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> Any:
        """Change where a meter is, its name, role or intervals; it must stay the same meter."""
        subentry = self._get_reconfigure_subentry()
        if user_input is None:
            libraries = await async_get_libraries(self.hass)
            driver = libraries.drivers.get(subentry.data[CONF_DRIVER])
            if driver is None:
                return self.async_abort(reason="unknown_driver")
            self._finder = MeterFinder(self.hass, driver)
        finder = self._finder
        # What is left empty in the form is no more: a password can be taken away.
        asked = {str(key) for key in finder.driver.address_fields}
        kept = {key: value for key, value in subentry.data.items() if key not in asked}
        if user_input is not None and await finder.async_ask({**kept, **user_input}):
            same = await self._async_same_meter(subentry)
            if same is not None:
                return self.async_update_and_abort(
                    self._get_entry(),
                    subentry,
                    title=user_input[CONF_NAME].strip() or subentry.title,
                    unique_id=meter_unique_id(
                        finder.driver, finder.address, same, finder.candidates
                    ),
                    data=meter_data(finder.driver, finder.address, same, user_input),
                )
            finder.errors = {"base": "another_meter"}
        schema = probatio.Schema(
            {
                **finder.driver.address_fields,
                probatio.Required(CONF_NAME): TextSelector(),
                **setting_fields(parents=other_meters(self.site, subentry.subentry_id)),
            }
        )
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=self.add_suggested_values_to_schema(
                schema, user_input or {**subentry.data, CONF_NAME: subentry.title}
            ),
            errors=finder.errors,
            description_placeholders=finder.placeholders,
        )

    async def _async_same_meter(self, subentry: ConfigSubentry) -> Candidate | None:
        """Return the candidate that is the configured meter: same family, same serial number.

        Where several are, it is the one at the same place. A model that was chosen by
        hand is tried by hand.
        """
        data, finder = subentry.data, self._finder
        family = [
            candidate
            for candidate in finder.candidates
            if candidate.profile.id == data[CONF_PROFILE]
        ]
        if not family:
            chosen = await finder.async_choose(data[CONF_PROFILE])
            family = [chosen] if chosen is not None else []
        same = [candidate for candidate in family if candidate.serial == data[CONF_SERIAL]]
        same.sort(key=lambda candidate: not candidate.settings.items() <= data.items())
        return same[0] if same else None
