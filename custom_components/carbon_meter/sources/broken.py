"""A source that the options name and that cannot be what they say."""

from collections.abc import Mapping, Sequence
from typing import Any, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from ..carbon.intensity.live.errors import ProviderAuthError
from ..carbon.intensity.source import IntensityInterval, SourceInfo
from ..const import LOGGER
from .issue import SourceIssue
from .live import ask_for_key, without_advice
from .rung import Changed, Rung


class BrokenRung(Rung):
    """It knows nothing, and the user is told why: the site goes on with its other sources."""

    tells = False
    forecasts = False

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, given: Mapping[str, Any], err: Exception
    ) -> None:
        """Take what the options give and why nothing can be made of it."""
        self._hass = hass
        self._entry = entry
        self._given = given
        self._error = err
        names = [given.get(key) for key in ("kind", "provider", "zone")]
        name = ":".join(str(each)[:60] for each in names if each)
        self._info = SourceInfo(id=f"broken:{name}", name=name or "?")
        self._issue = SourceIssue(hass, entry.entry_id, self._info.id)

    @property
    @override
    def info(self) -> SourceInfo:
        return self._info

    @override
    def intervals(self, start: float, end: float) -> Sequence[IntensityInterval]:
        return ()

    @override
    @callback
    def async_start(self, changed: Changed) -> CALLBACK_TYPE:
        LOGGER.warning("%s: %s", self._info.name, self._error)
        if isinstance(self._error, ProviderAuthError):
            ask_for_key(self._hass, self._entry, self._given)
        else:
            text = {"source": self._info.name, "error": without_advice(self._error)}
            self._issue.tell("intensity_source_invalid", text)
        return self._issue.clear
