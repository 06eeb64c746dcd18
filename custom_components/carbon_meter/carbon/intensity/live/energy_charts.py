"""Europe: Energy-Charts of Fraunhofer ISE, measured and forecast, without a key.

`/co2eq?country=de`: `unix_seconds[]`, `co2eq[]`, `co2eq_forecast[]` with nulls, `deprecated`
(api.energy-charts.info); `start` and `end` as clients of it use them. The licence differs between
countries: where an answer names it, that text is taken.
"""

from dataclasses import replace
from typing import Final, override

from ...grade import Grade
from ..source import IntensityInterval
from .answers import mapping, part, sequence
from .errors import ProviderChangedError
from .live_source import LiveSource
from .provider import DAY, HOUR, Provider
from .rows import step_of
from .times import unix_instant, utc

_FORM: Final = "%Y-%m-%dT%H:%MZ"

_COUNTRIES: Final = {
    "AL": "Albania",
    "AM": "Armenia",
    "AT": "Austria",
    "AZ": "Azerbaijan",
    "BY": "Belarus",
    "BE": "Belgium",
    "BA": "Bosnia and Herzegovina",
    "BG": "Bulgaria",
    "HR": "Croatia",
    "CY": "Cyprus",
    "CZ": "Czechia",
    "DK": "Denmark",
    "EE": "Estonia",
    "FI": "Finland",
    "FR": "France",
    "GE": "Georgia",
    "DE": "Germany",
    "GR": "Greece",
    "HU": "Hungary",
    "IE": "Ireland",
    "IT": "Italy",
    "XK": "Kosovo",
    "LV": "Latvia",
    "LT": "Lithuania",
    "LU": "Luxembourg",
    "MT": "Malta",
    "MD": "Moldova",
    "ME": "Montenegro",
    "NL": "Netherlands",
    "MK": "North Macedonia",
    "NO": "Norway",
    "PL": "Poland",
    "PT": "Portugal",
    "RO": "Romania",
    "RU": "Russia",
    "RS": "Serbia",
    "SK": "Slovakia",
    "SI": "Slovenia",
    "ES": "Spain",
    "SE": "Sweden",
    "CH": "Switzerland",
    "TR": "Turkey",
    "UA": "Ukraine",
}
"""Its countries that have an ISO code there (description of its API 1.5, openapi.json)."""

ENERGY_CHARTS: Final = Provider(
    key="energy_charts",
    name="Energy-Charts",
    base_url="https://api.energy-charts.info",
    zones=_COUNTRIES,
    zone_form="[A-Z]{2}",
    zone_hint="a country in Europe, such as DE",
    countries={country: country for country in _COUNTRIES},
    basis=None,
    includes_td=None,
    licence="CC BY 4.0 for data of SMARD.de (Bundesnetzagentur), else as Energy-Charts says",
    attribution="Energy-Charts, Fraunhofer ISE",
    terms="https://www.energy-charts.info",
    spacing=5.0,
    burst=2,
    refresh=0.25 * HOUR,
    step=0.25 * HOUR,
    carry=2 * HOUR,
    horizon=DAY,
    chunk=7 * DAY,
)


class EnergyChartsSource(LiveSource):
    """The intensity of a country in quarters of an hour."""

    provider = ENERGY_CHARTS

    @override
    async def _told_recently(self, now: float) -> list[IntensityInterval]:
        return await self._past(now - self.provider.tail, now + 2 * self.provider.horizon)

    @override
    async def _past(self, start: float, end: float) -> list[IntensityInterval]:
        document = mapping(
            await self._web.json(
                "/co2eq",
                [
                    ("country", self._access.zone.lower()),
                    ("start", utc(start, _FORM)),
                    ("end", utc(end, _FORM)),
                ],
            ),
            "the answer",
        )
        if document.get("deprecated") is True:
            self.notice = "Energy-Charts announces the end of this service"
        licence = document.get("license_info") or document.get("license")
        if isinstance(licence, str):
            self.info = replace(self.info, licence=licence[:200])
        names = ("unix_seconds", "co2eq", "co2eq_forecast")
        columns = [sequence(part(document, name, "the answer"), name) for name in names]
        if len({len(column) for column in columns}) != 1:
            raise ProviderChangedError("the columns have different lengths")
        starts = [unix_instant(value) for value in columns[0]]
        step = step_of(starts, self.provider.step)
        rows = self._rows("gCO2eq/kWh")
        for begin, measured, forecast in zip(starts, columns[1], columns[2], strict=True):
            stop = begin + step if begin is not None else None
            if measured is not None:
                rows.add(begin, stop, measured, Grade.MEASURED)
            else:
                rows.add(begin, stop, forecast, Grade.FORECAST)
        return rows.intervals()
