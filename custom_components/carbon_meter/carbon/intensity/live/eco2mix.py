"""France: RTE's éCO2mix by way of ODRÉ's open data, without a key.

Datasets eco2mix-national-tr (the last weeks, in quarters of an hour) and eco2mix-national-cons-def
(what is consolidated or final), API "explore" version 2.1: `{total_count, results[]{date_heure,
taux_co2, nature}}`, at most 100 rows per page. `taux_co2` is RTE's estimate of what generation in
France emits by combustion, in g/kWh; imports do not enter (rte-france.com/eco2mix).
"""

from collections.abc import Mapping
from typing import Any, Final, override

from ...factors.factor import Scope
from ...grade import Grade
from ..source import IntensityInterval
from .answers import mapping, part, sequence
from .live_source import LiveSource
from .provider import DAY, HOUR, Basis, Provider
from .rows import step_of
from .times import instant, utc

_FORM: Final = "%Y-%m-%dT%H:%M:%S+00:00"
_PAGE: Final = 100
_PAGES: Final = 8
_NEW, _FINAL = "eco2mix-national-tr", "eco2mix-national-cons-def"

ECO2MIX: Final = Provider(
    key="eco2mix",
    name="RTE éCO2mix",
    base_url="https://odre.opendatasoft.com/api/explore/v2.1/catalog/datasets",
    zones={"FR": "France"},
    countries={"FR": "FR"},
    scope=Scope.DIRECT,
    basis=Basis.PRODUCTION,
    includes_td=False,
    licence="Licence Ouverte 2.0 (Etalab)",
    attribution="RTE, éCO2mix, by way of ODRÉ",
    terms="https://odre.opendatasoft.com",
    spacing=2.0,
    burst=10,
    refresh=0.25 * HOUR,
    step=0.25 * HOUR,
    carry=2 * HOUR,
    chunk=4 * DAY,
)


class Eco2mixSource(LiveSource):
    """The intensity of what is generated in France."""

    provider = ECO2MIX

    @override
    async def _told_recently(self, now: float) -> list[IntensityInterval]:
        return await self._dataset(_NEW, now - self.provider.tail, now)

    @override
    async def _past(self, start: float, end: float) -> list[IntensityInterval]:
        new = await self._dataset(_NEW, start, end)
        return new or await self._dataset(_FINAL, start, end)

    async def _dataset(self, name: str, start: float, end: float) -> list[IntensityInterval]:
        """Return the rows of a dataset in [start, end)."""
        first, last = utc(start, _FORM), utc(end, _FORM)
        known = "taux_co2 is not null"
        where = f"date_heure >= date'{first}' and date_heure < date'{last}' and {known}"
        records: list[Mapping[str, Any]] = []
        for page in range(_PAGES):
            document = await self._web.json(
                f"/{name}/records",
                [
                    ("select", "date_heure,taux_co2,nature"),
                    ("where", where),
                    ("order_by", "date_heure"),
                    ("limit", str(_PAGE)),
                    ("offset", str(page * _PAGE)),
                ],
            )
            found = sequence(part(document, "results", "the answer"), "results")
            records += [mapping(entry, "a row") for entry in found]
            if len(found) < _PAGE:
                break
        return self._intervals(records)

    def _intervals(self, records: list[Mapping[str, Any]]) -> list[IntensityInterval]:
        starts = [instant(record.get("date_heure")) for record in records]
        step = step_of(starts, self.provider.step)
        rows = self._rows("gCO2eq/kWh")
        for begin, record in zip(starts, records, strict=True):
            real_time = "temps r" in str(record.get("nature", "")).lower()
            grade = Grade.ESTIMATED if real_time else Grade.MEASURED
            stop = begin + step if begin is not None else None
            rows.add(begin, stop, record.get("taux_co2"), grade)
        return rows.intervals()
