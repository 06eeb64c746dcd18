"""The steps that put the sources of carbon intensity together: add, order, change, remove."""

from typing import Any, ClassVar, Final, override

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.helpers.selector import SelectOptionDict

from ..carbon.intensity.live.catalogue import PROVIDERS
from ..const import CONF_KIND, CONF_PROVIDER, CONF_SOURCE, CONF_SOURCES, SourceKind
from ..libraries import async_get_libraries
from .live_steps import LiveSteps
from .reported_steps import ReportedSteps
from .source_forms import choice_schema, order_schema, removal_schema
from .source_names import is_known

_FEWEST_TO_ORDER: Final = 2


class SourceSteps(LiveSteps, ReportedSteps):
    """The list of sources, in the order in which they are believed."""

    MENU: ClassVar[tuple[str, ...]] = ("sources",)

    @override
    async def async_step_sources(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say what can be done with the list; once it has changed, save comes first."""
        self._edited, self._is_marginal = None, False
        options = ["save"] if self._is_changed else []
        options.append("add_source")
        if len(self._sources) >= _FEWEST_TO_ORDER:
            options.append("order")
        if self._editable():
            options.append("edit_source")
        if self._sources:
            options.append("remove_sources")
        return self.async_show_menu(
            step_id="sources",
            menu_options=[*options, "marginal"],
            description_placeholders=await self._async_placeholders(),
        )

    async def async_step_add_source(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Choose the kind of source; other integrations are named only if they have one."""
        libraries = await async_get_libraries(self.hass)
        kinds = [
            kind.value
            for kind in SourceKind
            if kind is not SourceKind.PLUGIN or libraries.intensity_offers
        ]
        return self.async_show_menu(
            step_id="add_source",
            menu_options=kinds,
            description_placeholders=await self._async_placeholders(),
        )

    async def async_step_order(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Put the sources into another order; those that are not chosen come last."""
        if user_input is not None:
            chosen = list(dict.fromkeys(int(position) for position in user_input[CONF_SOURCES]))
            left = [position for position in range(len(self._sources)) if position not in chosen]
            self._draft[CONF_SOURCES] = [self._sources[position] for position in (*chosen, *left)]
            return await self.async_step_sources()
        return self.async_show_form(
            step_id="order",
            data_schema=order_schema(await self._async_options()),
            description_placeholders=await self._async_placeholders(),
        )

    async def async_step_edit_source(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Choose the source that is to be changed."""
        if user_input is not None:
            self._edited = int(user_input[CONF_SOURCE])
            kind = SourceKind(self._before[CONF_KIND])
            if kind is SourceKind.LIVE:
                return await self._async_provider(PROVIDERS[self._before[CONF_PROVIDER]])
            forms = {
                SourceKind.ENTITY: self.async_step_entity,
                SourceKind.TOPIC: self.async_step_topic,
                SourceKind.FIXED: self.async_step_fixed,
                SourceKind.PLUGIN: self.async_step_plugin,
            }
            return await forms[kind]()
        options = await self._async_options()
        return self.async_show_form(
            step_id="edit_source",
            data_schema=choice_schema(CONF_SOURCE, [options[i] for i in self._editable()]),
            description_placeholders=await self._async_placeholders(),
        )

    async def async_step_remove_sources(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Remove the sources that are ticked."""
        if user_input is not None:
            removed = {int(position) for position in user_input[CONF_SOURCES]}
            self._draft[CONF_SOURCES] = [
                source for position, source in enumerate(self._sources) if position not in removed
            ]
            return await self.async_step_sources()
        return self.async_show_form(
            step_id="remove_sources",
            data_schema=removal_schema(await self._async_options()),
            description_placeholders=await self._async_placeholders(),
        )

    async def async_step_save(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Save the list."""
        return self._save()

    def _editable(self) -> list[int]:
        """Return the positions of the sources whose form is known here.

        One that a later version brought, or of a provider that is no more, can be removed.
        """
        return [position for position, source in enumerate(self._sources) if is_known(source)]

    async def _async_options(self) -> list[SelectOptionDict]:
        """Return the sources for a choice, by their positions."""
        return [
            SelectOptionDict(value=str(position), label=name)
            for position, name in enumerate(await self._async_names())
        ]
