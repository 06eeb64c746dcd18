"""A repair issue of a source of carbon intensity."""

from collections.abc import Mapping

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..const import DOMAIN


class SourceIssue:
    """One thing that the user can do something about, told until it is over."""

    def __init__(self, hass: HomeAssistant, entry_id: str, source_id: str, about: str = "") -> None:
        """Name the issue of a site's source; `about` tells several of one source apart."""
        self._hass = hass
        self._issue_id = "_".join(filter(None, ("intensity", entry_id, source_id, about)))

    @callback
    def tell(self, key: str, placeholders: Mapping[str, str]) -> None:
        """Tell it by the text of a translation key; what was told before is replaced."""
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key=key,
            translation_placeholders=dict(placeholders),
        )

    @callback
    def clear(self) -> None:
        """It is over."""
        ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)
