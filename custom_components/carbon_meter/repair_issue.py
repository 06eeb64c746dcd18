"""A repair issue: what somebody can put right, told until it is over."""

from collections.abc import Mapping

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN


class RepairIssue:
    """One thing that is told or not; telling it again replaces what was told before."""

    def __init__(self, hass: HomeAssistant, issue_id: str, *, warns: bool = False) -> None:
        """Name the issue; one that only warns is of something without which all else goes on."""
        self._hass = hass
        self._issue_id = issue_id
        self._severity = ir.IssueSeverity.WARNING if warns else ir.IssueSeverity.ERROR

    @callback
    def tell(
        self,
        key: str,
        placeholders: Mapping[str, str],
        *,
        about: str | None = None,
        persists: bool = False,
    ) -> None:
        """Tell it by the text of a translation key.

        `about` is the domain of another integration whose fault it is; one that `persists` is
        there after a restart without being told again.
        """
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue_id,
            is_fixable=False,
            is_persistent=persists,
            issue_domain=about,
            severity=self._severity,
            translation_key=key,
            translation_placeholders=dict(placeholders),
        )

    @callback
    def clear(self) -> None:
        """It is over."""
        ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)
