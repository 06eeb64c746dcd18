"""The sources of a site while its options are open: changed as often as wanted, saved once."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow

from ..const import CONF_MARGINAL, CONF_SOURCES
from ..libraries import async_get_libraries
from .source_names import identity, numbered, source_name


class SourceDrafts(OptionsFlow):
    """What the steps for all kinds of sources have in common.

    `_edited` is the position of the source that is being changed, None for one that is added.
    """

    _edited: int | None = None
    _is_marginal = False
    """Whether the source that is being settled is the marginal one, which stands by itself."""

    _changed: dict[str, Any] | None = None

    @property
    def _draft(self) -> dict[str, Any]:
        """Return the options as they would be saved now."""
        if self._changed is None:
            options = self.config_entry.options
            sources = [dict(source) for source in options.get(CONF_SOURCES, ())]
            self._changed = {**options, CONF_SOURCES: sources}
        return self._changed

    @property
    def _sources(self) -> list[dict[str, Any]]:
        sources: list[dict[str, Any]] = self._draft[CONF_SOURCES]
        return sources

    @property
    def _before(self) -> Mapping[str, Any]:
        """Return the source that is being changed, nothing for one that is added."""
        if self._is_marginal:
            marginal: Mapping[str, Any] = self._draft.get(CONF_MARGINAL, {})
            return marginal
        return {} if self._edited is None else self._sources[self._edited]

    @property
    def _is_changed(self) -> bool:
        kept = self.config_entry.options
        return self._draft != {**kept, CONF_SOURCES: list(kept.get(CONF_SOURCES, ()))}

    async def _async_names(self) -> list[str]:
        """Return what the sources are called, in their order."""
        libraries = await async_get_libraries(self.hass)
        return [
            source_name(self.hass, source, libraries.intensity_offers) for source in self._sources
        ]

    async def _async_placeholders(self, **more: str) -> dict[str, str]:
        """Return the placeholders of a step: every one tells the present order."""
        return {"sources": numbered(await self._async_names()), **more}

    def _is_listed(self, source: Mapping[str, Any]) -> bool:
        """Return whether another source in the list says the same."""
        return not self._is_marginal and any(
            identity(source) == identity(other)
            for position, other in enumerate(self._sources)
            if position != self._edited
        )

    async def _async_keep(self, source: Mapping[str, Any]) -> ConfigFlowResult:
        """Take a source into the list, where it was before or at the end."""
        if self._is_marginal:
            self._draft[CONF_MARGINAL] = dict(source)
        elif self._edited is None:
            self._sources.append(dict(source))
        else:
            self._sources[self._edited] = dict(source)
        return await self.async_step_sources()

    @abstractmethod
    async def async_step_sources(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say what can be done with the list."""

    def _save(self) -> ConfigFlowResult:
        """Save the options as they are now."""
        return self.async_create_entry(data=self._draft)
