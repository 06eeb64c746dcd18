"""How the flow of a subentry ends: one more, or another one in its place."""

from typing import Any

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigSubentryFlow,
    SubentryFlowResult,
)


class KeepingFlow(ConfigSubentryFlow):
    """A flow that adds a subentry, or changes the one that is being changed."""

    def keep(self, title: str, data: dict[str, Any]) -> SubentryFlowResult:
        """Add what was told, or let it take the place of what was there."""
        if self.source == SOURCE_RECONFIGURE:
            return self.async_update_and_abort(
                self._get_entry(), self._get_reconfigure_subentry(), title=title, data=data
            )
        return self.async_create_entry(title=title, data=data)
