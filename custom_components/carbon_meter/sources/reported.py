"""What an entity and a topic have in common: they report an intensity as it changes."""

from collections.abc import Mapping, Sequence
from typing import Any, override
from zoneinfo import ZoneInfo

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from ..carbon.intensity.live.reported_forecast import ForecastingReporter
from ..carbon.intensity.live.shapes import Origin
from ..carbon.intensity.source import IntensityInterval, SourceInfo
from .issue import SourceIssue
from .rung import Changed, Rung


class ReportedRung(Rung):
    """A reporter that is listened to; what is wrong with it is told by one repair issue."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, source_id: str, name: str, unit: str = ""
    ) -> None:
        """Take the id and the name of the source, and the unit where it is known before."""
        self._hass = hass
        self._issue = SourceIssue(hass, entry.entry_id, source_id)
        self._source = ForecastingReporter(source_id, name)
        zone = ZoneInfo(hass.config.time_zone)
        self._origin = Origin(source=source_id, unit=unit, zone=zone)
        self._changed: Changed = lambda: None

    @property
    @override
    def info(self) -> SourceInfo:
        return self._source.info

    @override
    def intervals(self, start: float, end: float) -> Sequence[IntensityInterval]:
        return self._source.intervals(start, end)

    @override
    def as_dict(self) -> dict[str, Any]:
        return self._source.as_dict()

    @override
    def restore(self, data: Mapping[str, Any]) -> None:
        self._source.restore(data)
