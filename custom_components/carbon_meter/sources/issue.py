"""A repair issue of a source of carbon intensity."""

from homeassistant.core import HomeAssistant

from ..repair_issue import RepairIssue


class SourceIssue(RepairIssue):
    """One thing that the user can do something about, told until it is over."""

    def __init__(self, hass: HomeAssistant, entry_id: str, source_id: str, about: str = "") -> None:
        """Name the issue of a site's source; `about` tells several of one source apart."""
        issue_id = "_".join(filter(None, ("intensity", entry_id, source_id, about)))
        super().__init__(hass, issue_id, warns=True)
