"""Denmark: Energinet's Energi Data Service, every five minutes, with a prognosis.

Datasets CO2Emis and CO2EmisProg (energidataservice.dk): g/kWh of the electricity consumed, imports
included, resolution 5 min, updated every 15 min; the prognosis reaches at least 9 h ahead. Rows are
`{Minutes5UTC, PriceArea, CO2Emission}`, the time in UTC without an offset.
"""

from datetime import UTC
import json
from typing import Final, override

from ...grade import Grade
from ..source import IntensityInterval
from .answers import mapping, part, sequence
from .live_source import LiveSource
from .provider import DAY, HOUR, Basis, Provider
from .rows import step_of
from .times import instant, utc

_FORM: Final = "%Y-%m-%dT%H:%M"

ENERGINET: Final = Provider(
    key="energinet",
    name="Energinet",
    base_url="https://api.energidataservice.dk",
    zones={"DK1": "Western Denmark", "DK2": "Eastern Denmark"},
    countries={"DK": ""},
    basis=Basis.CONSUMPTION,
    includes_td=None,
    licence="CC BY 4.0",
    attribution="Energinet (www.energidataservice.dk)",
    terms="https://www.energidataservice.dk/terms-and-conditions",
    spacing=5.0,
    burst=4,
    refresh=0.25 * HOUR,
    step=300.0,
    carry=HOUR,
    horizon=9 * HOUR,
    chunk=7 * DAY,
)


def area_at(latitude: float, longitude: float) -> str:
    """Return the price area of a place in Denmark, in degrees: the Great Belt parts them.

    North of Zealand all islands of the Kattegat (Anholt, Læsø) belong to the west.
    """
    # From the tip of Røsnæs on in the north, from that of Lolland on in the south.
    border = 10.86 if latitude > 55.2 else 10.955
    return "DK2" if longitude > border and latitude < 56.3 else "DK1"


class EnerginetSource(LiveSource):
    """The intensity of what is consumed in one of the two price areas."""

    provider = ENERGINET

    @override
    async def _forecast(self, now: float) -> list[IntensityInterval]:
        # From an hour ago on: what is measured comes late.
        return await self._dataset("CO2EmisProg", now - HOUR, now + 2 * DAY, Grade.FORECAST)

    @override
    async def _past(self, start: float, end: float) -> list[IntensityInterval]:
        return await self._dataset("CO2Emis", start, end, Grade.MEASURED)

    async def _dataset(
        self, name: str, start: float, end: float, grade: Grade
    ) -> list[IntensityInterval]:
        """Return the rows of a dataset in [start, end)."""
        area = self._access.zone
        document = await self._web.json(
            f"/dataset/{name}",
            [
                ("start", utc(start, _FORM)),
                ("end", utc(end, _FORM)),
                ("timezone", "utc"),
                ("filter", json.dumps({"PriceArea": [area]})),
                ("columns", "Minutes5UTC,PriceArea,CO2Emission"),
                ("sort", "Minutes5UTC asc"),
                ("limit", "0"),
            ],
        )
        records = [
            record
            for entry in sequence(part(document, "records", "the answer"), "records")
            if (record := mapping(entry, "a record")).get("PriceArea") == area
        ]
        starts = [instant(record.get("Minutes5UTC"), UTC) for record in records]
        step = step_of(starts, self.provider.step)
        rows = self._rows("g/kWh")
        for begin, record in zip(starts, records, strict=True):
            stop = begin + step if begin is not None else None
            rows.add(begin, stop, record.get("CO2Emission"), grade)
        return rows.intervals()
