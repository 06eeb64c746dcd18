"""The Netherlands: the Nationaal Energie Dashboard, with the user's token.

`/v1/utilizations?point=0&type=27&classification=..&activity=1`: `hydra:member[]{validfrom, validto,
emissionfactor}` in kg/kWh of the electricity generated; classification 1 is the forecast, 2 what is
current; granularity 4 is a quarter of an hour, 5 an hour; days are plain dates, a time is refused;
200 requests in 5 min (ned.nl; templates of evcc).
"""

from typing import Final, override

from ...grade import Grade
from ..source import IntensityInterval
from .answers import mapping, part, sequence
from .live_source import LiveSource
from .provider import DAY, HOUR, Basis, Need, Provider
from .times import instant, utc

_FORECAST, _CURRENT = "1", "2"
_QUARTERS, _HOURS = "4", "5"

NED: Final = Provider(
    key="ned",
    name="Nationaal Energie Dashboard",
    base_url="https://api.ned.nl/v1",
    zones={"NL": "Netherlands"},
    countries={"NL": "NL"},
    need=Need.KEY,
    register="https://ned.nl/nl/user/register",
    auth_statuses=frozenset({401, 403}),
    basis=Basis.PRODUCTION,
    includes_td=False,
    licence="By the terms of the Nationaal Energie Dashboard",
    attribution="Nationaal Energie Dashboard (ned.nl)",
    terms="https://ned.nl/nl/api",
    spacing=2.0,
    burst=10,
    refresh=0.25 * HOUR,
    step=0.25 * HOUR,
    carry=2 * HOUR,
    horizon=12 * HOUR,
    # An answer has at most 200 rows: eight days of hours.
    chunk=7 * DAY,
)


class NedSource(LiveSource):
    """The intensity of what is generated in the Netherlands."""

    provider = NED

    @override
    async def _told_recently(self, now: float) -> list[IntensityInterval]:
        today = now // DAY * DAY
        return await self._days(today - DAY, today + DAY, _CURRENT, _QUARTERS)

    @override
    async def _forecast(self, now: float) -> list[IntensityInterval]:
        today = now // DAY * DAY
        return await self._days(today, today + 2 * DAY, _FORECAST, _QUARTERS)

    @override
    async def _past(self, start: float, end: float) -> list[IntensityInterval]:
        first, last = start // DAY * DAY, -(-end // DAY) * DAY
        return await self._days(first, last, _CURRENT, _HOURS)

    async def _days(
        self, first: float, end: float, classification: str, granularity: str
    ) -> list[IntensityInterval]:
        """Return the rows of whole days in UTC."""
        document = await self._web.json(
            "/utilizations",
            [
                ("point", "0"),
                ("type", "27"),
                ("granularity", granularity),
                ("granularitytimezone", "0"),
                ("classification", classification),
                ("activity", "1"),
                ("validfrom[after]", utc(first, "%Y-%m-%d")),
                ("validfrom[strictly_before]", utc(end, "%Y-%m-%d")),
                ("itemsPerPage", "200"),
            ],
            headers={"X-AUTH-TOKEN": self._access.key, "Accept": "application/ld+json"},
        )
        members = sequence(part(document, "hydra:member", "the answer"), "hydra:member")
        grade = Grade.FORECAST if classification == _FORECAST else Grade.MEASURED
        rows = self._rows("kg/kWh")
        for member in members:
            row = mapping(member, "a row")
            rows.add(
                instant(row.get("validfrom")),
                instant(row.get("validto")),
                row.get("emissionfactor"),
                grade,
            )
        return rows.intervals()
