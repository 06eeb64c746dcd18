"""The steps that give a hub another hub file: certificates renewed, authority rotated, new host."""

from typing import Any, ClassVar, override

from homeassistant.config_entries import ConfigEntryState, OptionsFlow

from ..community.authority.hub_file import HubFile
from ..hub_entry.keys import CONF_COMMUNITY, CONF_HUB_FILE, CONF_OWN_BROKER
from .hub_file import HubFileSteps


class NewFileSteps(HubFileSteps, OptionsFlow):
    """Take the file, try it, and let it take the place of the former one."""

    MENU: ClassVar[tuple[str, ...]] = ("hub_file",)

    def has_file(self) -> bool:
        """Return whether the hub was made with a hub file: over the own broker there is none."""
        return not self.config_entry.data[CONF_OWN_BROKER]

    @override
    async def async_objection(self, hub_file: HubFile) -> str | None:
        """Refuse the file of another community: homes and sums are those of this one."""
        is_ours = hub_file.community == self.config_entry.data[CONF_COMMUNITY]
        return None if is_ours else "hub_other_community"

    @override
    async def async_step_hub_connected(self, user_input: dict[str, Any] | None = None) -> Any:
        """Hand the file to the hub, which is set up anew with it."""
        entry = self.config_entry
        self.hass.config_entries.async_update_entry(
            entry, data={**entry.data, CONF_HUB_FILE: self._hub_form.text}
        )
        if entry.state is not ConfigEntryState.LOADED:
            # Nobody listens for its changes: a hub whose file was broken is set up now.
            self.hass.config_entries.async_schedule_reload(entry.entry_id)
        return self.async_abort(reason="hub_file_taken")
