"""Great Britain: NESO's Carbon Intensity API, for the whole island and for its regions.

Endpoints and shapes: carbon-intensity.github.io/api-definitions; cross-checked with aioukcarbon
0.2.0 and the example responses in emoncms/demandshaper. An unknown or a full postcode is answered
`200` with the body `null`; regional values are forecasts for ever, they never get an `actual`.
"""

from collections.abc import Iterable
from dataclasses import replace
import re
from typing import Any, Final, override

from ...factors.factor import Scope
from ...grade import Grade
from ..source import IntensityInterval
from .answers import mapping, part, sequence
from .errors import ProviderZoneError
from .live_source import LiveSource
from .provider import DAY, HOUR, Basis, Provider
from .times import instant, utc

_LICENCE: Final = "CC BY 4.0"
_ATTRIBUTION: Final = (
    "Carbon Intensity API, National Energy System Operator with the Environmental Defense Fund "
    "Europe, the University of Oxford and WWF"
)
_TERMS: Final = "https://github.com/carbon-intensity/terms"
_BASE_URL: Final = "https://api.carbonintensity.org.uk"
_FORM: Final = "%Y-%m-%dT%H:%MZ"
_SINCE: Final = 1_525_996_800.0
"""2018-05-11, the first day that is answered."""

NATIONAL: Final = Provider(
    key="neso",
    name="NESO Carbon Intensity",
    base_url=_BASE_URL,
    zones={"GB": "Great Britain"},
    countries={"GB": "GB"},
    scope=Scope.DIRECT,
    basis=Basis.CONSUMPTION,
    includes_td=True,
    licence=_LICENCE,
    attribution=_ATTRIBUTION,
    terms=_TERMS,
    spacing=2.0,
    burst=4,
    refresh=0.25 * HOUR,
    step=0.5 * HOUR,
    horizon=48 * HOUR,
    since=_SINCE,
    chunk=13 * DAY,
)

REGIONAL: Final = replace(
    NATIONAL,
    key="neso_regional",
    name="NESO Carbon Intensity, regional",
    zones={
        "1": "North Scotland",
        "2": "South Scotland",
        "3": "North West England",
        "4": "North East England",
        "5": "South Yorkshire",
        "6": "North Wales, Merseyside and Cheshire",
        "7": "South Wales",
        "8": "West Midlands",
        "9": "East Midlands",
        "10": "East England",
        "11": "South West England",
        "12": "South England",
        "13": "London",
        "14": "South East England",
        "15": "England",
        "16": "Scotland",
        "17": "Wales",
    },
    zone_form=r"[A-Z]{1,2}[0-9][A-Z0-9]?(?: ?[0-9][A-Z]{2})?",
    zone_hint="a region, or a postcode such as SW1A",
    countries={"GB": ""},
    refresh=0.5 * HOUR,
    # Windows of 14 days are refused here.
    chunk=7 * DAY,
)


class NesoSource(LiveSource):
    """The national intensity: measured for the past, and a forecast of 48 h."""

    provider = NATIONAL

    @override
    async def _forecast(self, now: float) -> list[IntensityInterval]:
        return self._read(await self._web.json(f"/intensity/{utc(now, _FORM)}/fw48h"))

    @override
    async def _past(self, start: float, end: float) -> list[IntensityInterval]:
        path = f"/intensity/{utc(start, _FORM)}/{utc(end, _FORM)}"
        return self._read(await self._web.json(path))

    def _read(self, document: Any) -> list[IntensityInterval]:
        rows = sequence(part(document, "data", "the answer"), "data")
        return self._intervals(rows)

    def _intervals(self, rows: Iterable[Any]) -> list[IntensityInterval]:
        """Return half hours: what was measured where it was, else the forecast."""
        found = self._rows("gCO2/kWh")
        for row in rows:
            period = mapping(row, "a half hour")
            intensity = mapping(period.get("intensity"), "an intensity")
            start, end = instant(period.get("from")), instant(period.get("to"))
            actual = intensity.get("actual")
            grade = Grade.FORECAST if actual is None else Grade.MEASURED
            found.add(start, end, intensity.get("forecast") if actual is None else actual, grade)
        return found.intervals()


class NesoRegionalSource(NesoSource):
    """The intensity of one of the 17 regions, by its number or by a postcode."""

    provider = REGIONAL

    @property
    def _place(self) -> str:
        zone = self._access.zone
        # Only the outward half is known: of SW1A 1AA it is SW1A.
        outward = re.sub(r" ?[0-9][A-Z]{2}$", "", zone) if len(zone) > 4 else zone
        return f"regionid/{zone}" if zone in self.provider.zones else f"postcode/{outward}"

    @override
    async def _forecast(self, now: float) -> list[IntensityInterval]:
        path = f"/regional/intensity/{utc(now, _FORM)}/fw48h/{self._place}"
        return self._read(await self._web.json(path))

    @override
    async def _past(self, start: float, end: float) -> list[IntensityInterval]:
        path = f"/regional/intensity/{utc(start, _FORM)}/{utc(end, _FORM)}/{self._place}"
        return self._read(await self._web.json(path))

    @override
    def _read(self, document: Any) -> list[IntensityInterval]:
        if document is None:
            raise ProviderZoneError(f"{self.provider.name} does not know {self._access.zone}")
        region = part(document, "data", "the answer")
        if isinstance(region, list):
            region = region[0] if region else None
        return self._intervals(sequence(part(region, "data", "a region"), "data"))
