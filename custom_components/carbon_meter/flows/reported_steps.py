"""The steps for sources that report by themselves: entity, topic, plugin; and the fixed value."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import CONF_ENTITY_ID
from homeassistant.helpers.selector import SelectOptionDict
import probatio

from ..const import CONF_KIND, CONF_OFFER, SourceKind
from ..libraries import async_get_libraries
from .source_drafts import SourceDrafts
from .source_forms import choice_schema, entity_schema, fixed_schema, tidied, topic_schema
from .source_names import source_name
from .source_reports import FieldError, async_said_on_topic, said_by_entity


class ReportedSteps(SourceDrafts):
    """From an entity, a topic, an offer or a value to a source."""

    _reported: Mapping[str, Any]
    _said: Mapping[str, str]

    async def async_step_entity(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take what an entity says, now and of the future."""
        wrong: FieldError | None = None
        if user_input is not None:
            source = {CONF_KIND: SourceKind.ENTITY.value, **user_input}
            try:
                self._check_listed(source)
                self._said = said_by_entity(self.hass, user_input[CONF_ENTITY_ID])
            except FieldError as err:
                wrong = err
            else:
                self._reported = source
                return await self.async_step_reported_confirm()
        return await self._async_source_form("entity", entity_schema(), user_input, wrong)

    async def async_step_topic(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take what is said on a topic of the home's MQTT broker."""
        wrong: FieldError | None = None
        if user_input is not None:
            given = {key: text for key, text in tidied(user_input).items() if text}
            source = {CONF_KIND: SourceKind.TOPIC.value, **given}
            try:
                self._check_listed(source)
                self._said = await async_said_on_topic(self.hass, source)
            except FieldError as err:
                wrong = err
            else:
                self._reported = source
                return await self.async_step_reported_confirm()
        return await self._async_source_form("topic", topic_schema(), user_input, wrong)

    async def async_step_reported_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show what the entity or the topic says now."""
        if user_input is not None:
            return await self._async_keep(self._reported)
        name = source_name(self.hass, self._reported, {})
        return self.async_show_form(
            step_id="reported_confirm",
            data_schema=probatio.Schema({}),
            description_placeholders=await self._async_placeholders(source=name, **self._said),
        )

    async def async_step_fixed(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take one value for all time."""
        return await self._async_untried(SourceKind.FIXED, fixed_schema(), user_input)

    async def async_step_plugin(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take a source that another integration offers."""
        libraries = await async_get_libraries(self.hass)
        offers = {key: offer.name for key, offer in sorted(libraries.intensity_offers.items())}
        if (kept := self._before.get(CONF_OFFER)) is not None:
            # What has gone may come back: it is not lost by looking at it.
            offers.setdefault(kept, kept)
        options = [SelectOptionDict(value=key, label=name) for key, name in offers.items()]
        return await self._async_untried(
            SourceKind.PLUGIN, choice_schema(CONF_OFFER, options), user_input
        )

    async def _async_untried(
        self, kind: SourceKind, schema: probatio.Schema, user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        """Show the form of a source that need not be tried, or keep what was entered in it."""
        wrong: FieldError | None = None
        if user_input is not None:
            source = {CONF_KIND: kind.value, **user_input}
            try:
                self._check_listed(source)
            except FieldError as err:
                wrong = err
            else:
                return await self._async_keep(source)
        return await self._async_source_form(kind.value, schema, user_input, wrong)

    def _check_listed(self, source: Mapping[str, Any]) -> None:
        """Raise FieldError where another source in the list says the same."""
        if self._is_listed(source):
            raise FieldError("base", "already_listed")

    async def _async_source_form(
        self,
        step_id: str,
        schema: probatio.Schema,
        user_input: Mapping[str, Any] | None,
        wrong: FieldError | None,
    ) -> ConfigFlowResult:
        """Show the form of a source, with what was given, was before, or is wrong."""
        detail = wrong.detail if wrong is not None else "-"
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, user_input or self._before),
            errors=wrong.errors if wrong is not None else {},
            description_placeholders=await self._async_placeholders(unit=detail, detail=detail),
        )
