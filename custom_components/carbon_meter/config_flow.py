"""The flow of a site: its first meter creates it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlowResult,
    ConfigSubentryFlow,
    OptionsFlow,
)
from homeassistant.core import callback
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
)
import probatio

from .adoption.sources import DRIVER_KEY
from .const import (
    CONF_DRIVER,
    CONF_SITE,
    CONF_SOURCES,
    DOMAIN,
    SUBENTRY_CONTRACT,
    SUBENTRY_METER,
)
from .entries import async_sites, is_hub
from .flows.adoption import AdoptionSteps
from .flows.contract import ContractSubentryFlow
from .flows.discovered import DiscoveredSteps
from .flows.drafts import MeterDraft
from .flows.first_source import CONF_LIVE, live_fields, live_sources
from .flows.hub import HubSteps
from .flows.hub_options import HubOptionsFlow
from .flows.load import LoadSubentryFlow
from .flows.membership import MembershipSubentryFlow
from .flows.membership_of_hub import HubMembershipSubentryFlow
from .flows.meter import MeterSubentryFlow, add_meter
from .flows.options import CarbonMeterOptionsFlow
from .flows.reauth import ReauthSteps
from .flows.search import withdraw_offers
from .loads.keys import SUBENTRY_LOAD
from .membership.keys import SUBENTRY_MEMBERSHIP
from .migration import MINOR_VERSION, VERSION

_NEW_SITE: Final = "new"


class CarbonMeterConfigFlow(AdoptionSteps, DiscoveredSteps, ReauthSteps, HubSteps, domain=DOMAIN):
    """Add meters: the first ones create the site. Or run the hub of a community."""

    VERSION = VERSION
    MINOR_VERSION = MINOR_VERSION

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Return the flow that changes the options of a site, or that of a hub."""
        return HubOptionsFlow() if is_hub(config_entry) else CarbonMeterOptionsFlow()

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return what can be added to a site; a hub can only join a larger community."""
        if is_hub(config_entry):
            return {SUBENTRY_MEMBERSHIP: HubMembershipSubentryFlow}
        return {
            SUBENTRY_METER: MeterSubentryFlow,
            SUBENTRY_LOAD: LoadSubentryFlow,
            SUBENTRY_CONTRACT: ContractSubentryFlow,
            SUBENTRY_MEMBERSHIP: MembershipSubentryFlow,
        }

    @override
    async def async_offers(self) -> list[str]:
        """Return the steps by which a meter can be added, and that which makes a hub."""
        return [*await super().async_offers(), "hub"]

    @override
    def site_fields(self) -> dict[Any, Any]:
        """Return the choice of the site, or the name of the first one and its live source."""
        entries = async_sites(self.hass, include_ignore=False)
        if not entries:
            name = self.hass.config.location_name
            return {
                probatio.Required(CONF_SITE, default=name): TextSelector(),
                **live_fields(self.hass),
            }
        options = [
            *(SelectOptionDict(value=entry.entry_id, label=entry.title) for entry in entries),
            SelectOptionDict(value=_NEW_SITE, label="+"),
        ]
        return {
            probatio.Required(CONF_SITE, default=entries[0].entry_id): SelectSelector(
                SelectSelectorConfig(options=options, custom_value=True)
            )
        }

    @override
    async def async_finish(
        self, drafts: Sequence[MeterDraft], user_input: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Create the site with the meters, or add them to the site that was chosen."""
        withdraw_offers(self.hass, drafts, except_for=self.flow_id)
        entry = self.hass.config_entries.async_get_entry(user_input[CONF_SITE])
        if entry is not None and entry.domain == DOMAIN:
            self.keep_site_data(entry)
            for draft in drafts:
                add_meter(self.hass, entry, draft)
            if len(drafts) == 1:
                return self.async_abort(
                    reason="meter_added",
                    description_placeholders={"meter": drafts[0].title, "site": entry.title},
                )
            return self.async_abort(
                reason="meters_added",
                description_placeholders={"count": str(len(drafts)), "site": entry.title},
            )
        # A site is told from others by its own id, not by its first meter's.
        await self.async_set_unique_id(None)
        site = user_input[CONF_SITE].strip()
        return self.async_create_entry(
            title=self.hass.config.location_name if site in ("", _NEW_SITE) else site,
            data=self.site_data,
            options={CONF_SOURCES: live_sources(user_input.get(CONF_LIVE, ()))},
            subentries=[draft.as_subentry() for draft in drafts],
            description="adopted"
            if any(draft.data[CONF_DRIVER] == DRIVER_KEY for draft in drafts)
            else None,
        )
