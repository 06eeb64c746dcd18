"""Finland: Fingrid's estimate for the electricity consumed, with the user's key.

Dataset 265, every three minutes, imports and exports accounted for, gCO2/kWh
(data.fingrid.fi/en/datasets/265): `{data[]{datasetId, startTime, endTime, value}, pagination}`, at
most 20 000 rows per page (R package finnishgrid 0.2.0).
"""

from typing import Final, override

from ...grade import Grade
from ..source import IntensityInterval
from .answers import mapping, part, sequence
from .live_source import LiveSource
from .provider import DAY, HOUR, Basis, Need, Provider
from .times import instant, utc

_FORM: Final = "%Y-%m-%dT%H:%M:%S.000Z"

FINGRID: Final = Provider(
    key="fingrid",
    name="Fingrid",
    base_url="https://data.fingrid.fi/api",
    zones={"FI": "Finland"},
    countries={"FI": "FI"},
    need=Need.KEY,
    register="https://data.fingrid.fi/instructions",
    basis=Basis.CONSUMPTION,
    includes_td=None,
    licence="CC BY 4.0",
    attribution="Fingrid, data.fingrid.fi",
    terms="https://data.fingrid.fi/en/license",
    auth_statuses=frozenset({401, 403}),
    spacing=10.0,
    burst=4,
    refresh=300.0,
    step=180.0,
    carry=HOUR,
    chunk=4 * DAY,
)


class FingridSource(LiveSource):
    """The intensity of what is consumed in Finland, which Fingrid calls an estimate."""

    provider = FINGRID

    @override
    async def _past(self, start: float, end: float) -> list[IntensityInterval]:
        document = await self._web.json(
            "/datasets/265/data",
            [
                ("startTime", utc(start, _FORM)),
                ("endTime", utc(end, _FORM)),
                ("format", "json"),
                ("pageSize", "20000"),
            ],
            headers={"x-api-key": self._access.key},
        )
        rows = self._rows("gCO2/kWh")
        for entry in sequence(part(document, "data", "the answer"), "data"):
            row = mapping(entry, "a row")
            begin, stop = instant(row.get("startTime")), instant(row.get("endTime"))
            if begin is not None and begin == stop:
                stop = begin + self.provider.step
            rows.add(begin, stop, row.get("value"), Grade.ESTIMATED)
        return rows.intervals()
