"""The step that chooses the network a site is described by."""

from typing import Any, ClassVar, Final

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import probatio

from ..const import CONF_NETWORK, DOMAIN
from ..libraries import async_get_libraries, async_renew_libraries
from ..networks import NetworkLibrary, NetworkMisfitError, chosen_network, listed

_NO_NETWORK: Final = ""
"""Stands for the tree of meters: no file is chosen."""


class NetworkSteps(OptionsFlow):
    """Choose a file of `<config>/carbon_meter/networks`, or none."""

    MENU: ClassVar[tuple[str, ...]] = ("network",)

    async def async_step_network(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the file; it is read anew each time, so that it can be mended meanwhile."""
        await async_renew_libraries(self.hass)
        library = (await async_get_libraries(self.hass)).networks
        options = self.config_entry.options
        errors: dict[str, str] = {}
        problems = "-"
        if user_input is not None:
            chosen = user_input.get(CONF_NETWORK, _NO_NETWORK)
            told = self._problems(library, chosen)
            if told is None:
                kept = {key: value for key, value in options.items() if key != CONF_NETWORK}
                return self.async_create_entry(
                    data={**kept, CONF_NETWORK: chosen} if chosen else kept
                )
            errors[CONF_NETWORK] = "network_unusable"
            problems = told
        current = options.get(CONF_NETWORK)
        suggested = user_input or {CONF_NETWORK: current}
        return self.async_show_form(
            step_id="network",
            data_schema=self.add_suggested_values_to_schema(_schema(library, current), suggested),
            errors=errors,
            description_placeholders={
                "folder": self.hass.config.path(DOMAIN, "networks"),
                "problems": problems,
            },
        )

    def _problems(self, library: NetworkLibrary, chosen: str) -> str | None:
        """Return what is wrong with a file as a list with its lines, None where nothing is."""
        if not chosen:
            return None
        try:
            chosen_network(chosen, self.config_entry, library)
        except NetworkMisfitError as err:
            return listed(err.problems)
        return None


def _schema(library: NetworkLibrary, current: str | None) -> probatio.Schema:
    """Return the choice of files, those with errors and one that is gone by their names."""
    options = [
        SelectOptionDict(value=file, label=f"{network.title} ({file})")
        for file, network in library.networks.items()
    ]
    without = [*library.broken, *([current] if current else [])]
    options += [
        SelectOptionDict(value=file, label=f"⚠ {file}")
        for file in dict.fromkeys(without)
        if file not in library.networks
    ]
    return probatio.Schema(
        {
            probatio.Optional(CONF_NETWORK): SelectSelector(
                SelectSelectorConfig(options=options, mode=SelectSelectorMode.DROPDOWN)
            )
        }
    )
