"""The steps that make a hub: with the hub file of a community, or over Home Assistant's broker."""

from typing import Any, Final, override

from homeassistant.config_entries import ConfigFlow, ConfigFlowResult
from homeassistant.const import CONF_NAME
from homeassistant.helpers.selector import TextSelector
from homeassistant.util import slugify
import probatio

from ..community.authority.hub_file import HubFile
from ..community.contract.refusal import RefusedError
from ..community.contract.topics import checked_id
from ..const import CONF_ENTRY, ENTRY_HUB
from ..hub_entry.keys import CONF_COMMUNITY, CONF_HUB_FILE, CONF_OWN_BROKER, CONF_TIME_ZONE
from .hub_file import HubFileSteps

_MQTT: Final = "mqtt"

PILOT_SCHEMA: Final = probatio.Schema(
    {
        probatio.Required(CONF_NAME): TextSelector(),
        probatio.Optional(CONF_COMMUNITY): TextSelector(),
    }
)


class HubSteps(HubFileSteps, ConfigFlow):
    """From a hub file, or a name, to the hub of a community."""

    async def async_step_hub(self, user_input: dict[str, Any] | None = None) -> Any:
        """Ask over which broker the homes are heard."""
        return self.async_show_menu(step_id="hub", menu_options=["hub_file", "hub_pilot"])

    @override
    async def async_objection(self, hub_file: HubFile) -> str | None:
        """End the flow where the community has a hub here."""
        await self._async_once(hub_file.community)
        return None

    @override
    async def async_step_hub_connected(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Keep the hub."""
        hub_file = self._hub_form.hub_file
        assert hub_file is not None  # noqa: S101  # it has been tried
        await self._async_once(hub_file.community)
        return self._keep(
            hub_file.name or hub_file.community,
            hub_file.community,
            {CONF_HUB_FILE: self._hub_form.text, CONF_OWN_BROKER: False},
        )

    async def async_step_hub_pilot(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the name of a community whose homes share Home Assistant's own broker."""
        errors: dict[str, str] = {}
        if user_input is not None:
            name = user_input[CONF_NAME].strip()
            told = user_input.get(CONF_COMMUNITY, "").strip()
            community = told or slugify(name)
            if not name:
                errors[CONF_NAME] = "hub_name_needed"
            elif not _is_id(community):
                errors[CONF_COMMUNITY] = "hub_community_id"
            elif not self.hass.config_entries.async_loaded_entries(_MQTT):
                errors["base"] = "hub_no_mqtt"
            else:
                await self._async_once(community)
                return self._keep(name, community, {CONF_OWN_BROKER: True})
        return self.async_show_form(
            step_id="hub_pilot",
            data_schema=self.add_suggested_values_to_schema(PILOT_SCHEMA, user_input),
            errors=errors,
        )

    async def _async_once(self, community: str) -> None:
        """End the flow where the community has a hub here: two would fight for each message."""
        await self.async_set_unique_id(unique_id(community), raise_on_progress=False)
        self._abort_if_unique_id_configured(error="hub_configured")

    def _keep(self, title: str, community: str, data: dict[str, Any]) -> ConfigFlowResult:
        """Create the entry."""
        return self.async_create_entry(
            title=title,
            data={
                CONF_ENTRY: ENTRY_HUB,
                CONF_COMMUNITY: community,
                CONF_TIME_ZONE: self.hass.config.time_zone,
                **data,
            },
            description="hub",
        )


def unique_id(community: str) -> str:
    """Return what tells the hub of a community from every other entry."""
    return f"hub:{community}"


def _is_id(community: str) -> bool:
    """Return whether a name can be the id of a community."""
    try:
        checked_id(community)
    except RefusedError:
        return False
    return True
