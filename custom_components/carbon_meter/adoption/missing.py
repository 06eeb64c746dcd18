"""Telling of entities that an adopted meter needs and that are gone."""

from collections.abc import Collection
from typing import Final

from homeassistant.core import HomeAssistant

from ..repair_issue import RepairIssue

_ISSUE: Final = "adopted_entity_missing"


class MissingEntities:
    """The repair issue of one adopted meter: there is none while all of its entities exist."""

    def __init__(self, hass: HomeAssistant, meter_id: str, title: str) -> None:
        """Take what tells the meter from others, and its name."""
        self._issue = RepairIssue(hass, f"{_ISSUE}_{meter_id}", warns=True)
        self._title = title
        self._told: set[str] = set()

    def tell(self, quantities: Collection[str]) -> None:
        """Raise the issue for the quantities whose entities are gone, or take it back."""
        if set(quantities) == self._told:
            return
        self._told = set(quantities)
        if not quantities:
            self.close()
            return
        told = {"meter": self._title, "quantities": ", ".join(sorted(quantities))}
        self._issue.tell(_ISSUE, told)

    def close(self) -> None:
        """Take the issue back."""
        self._told = set()
        self._issue.clear()
