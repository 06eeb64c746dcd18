"""What the user is told of a load, in repair issues, until it is over."""

from typing import Literal

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant, callback

from ..repair_issue import RepairIssue

type Key = Literal["load_unusable", "load_failed"]


class LoadIssues:
    """The repair issues of the loads of one site."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Take the site's entry."""
        self._hass = hass
        self._entry = entry
        self._told: dict[str, str] = {}

    @callback
    def tell(self, load: ConfigSubentry, key: Key, problem: str) -> bool:
        """Tell a problem of a load; return whether it is told for the first time."""
        issue_id = f"{key}_{load.subentry_id}"
        if self._told.get(issue_id) == problem:
            return False
        self._told[issue_id] = problem
        placeholders = {"load": load.title, "site": self._entry.title, "problem": problem}
        RepairIssue(self._hass, issue_id).tell(key, placeholders)
        return True

    @callback
    def clear(self, load: ConfigSubentry, key: Key) -> None:
        """It is over."""
        self._clear(f"{key}_{load.subentry_id}")

    @callback
    def clear_all(self) -> None:
        """The site is unloaded, or one of its loads is gone."""
        for issue_id in list(self._told):
            self._clear(issue_id)

    def _clear(self, issue_id: str) -> None:
        if self._told.pop(issue_id, None) is not None:
            RepairIssue(self._hass, issue_id).clear()
