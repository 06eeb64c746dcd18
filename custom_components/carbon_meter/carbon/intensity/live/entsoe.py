"""Europe: the ENTSO-E transparency platform, from the generation mix, with the user's token.

`/api?documentType=A75&processType=A16&in_Domain=<EIC>&periodStart=..&periodEnd=..`: actual
generation by type. What is generated is weighed with the factors that are handed in, whose name
goes with every figure; imports do not enter. 400 requests a minute for an address and a token, then
ten minutes of 429; no data are an acknowledgement with code 999 (API guide; entsoe-py for the
codes).
"""

from typing import Final, override

from ...factors.technology import Technology
from ..source import IntensityInterval
from .entsoe_areas import AREAS, COUNTRIES
from .entsoe_xml import Acknowledgement, parse
from .errors import ProviderChangedError
from .live_source import LiveSource
from .mixes import add_mixes
from .provider import DAY, HOUR, Basis, Need, Provider
from .times import utc

_FORM: Final = "%Y%m%d%H%M"
_ANSWERS: Final = frozenset({200, 400})
"""Where there are no data the status is one or the other."""

TECHNOLOGIES: Final = {
    "B01": Technology.BIOMASS,
    "B02": Technology.COAL,
    "B03": Technology.GAS,
    "B04": Technology.GAS,
    "B05": Technology.COAL,
    "B06": Technology.OIL,
    "B07": Technology.OIL,
    "B08": Technology.COAL,
    "B09": Technology.GEOTHERMAL,
    "B11": Technology.HYDRO,
    "B12": Technology.HYDRO,
    "B13": Technology.HYDRO,
    "B14": Technology.NUCLEAR,
    "B15": Technology.UNKNOWN,
    "B16": Technology.SOLAR,
    "B17": Technology.UNKNOWN,
    "B18": Technology.WIND,
    "B19": Technology.WIND,
    "B20": Technology.UNKNOWN,
}
"""Types of generation (psrType) as kinds that have a factor.

Coal-derived gas counts as gas, oil shale as oil, peat as coal, tides as hydro. Waste has no factor
in IPCC AR5 and counts as unknown, as do other renewables. Pumped storage (B10) and other storage
(B25) are not generation.
"""

ENTSOE: Final = Provider(
    key="entsoe",
    name="ENTSO-E",
    base_url="https://web-api.tp.entsoe.eu",
    zones=AREAS,
    countries=COUNTRIES,
    need=Need.KEY,
    register="https://transparency.entsoe.eu",
    tells_mix=True,
    basis=Basis.PRODUCTION,
    includes_td=False,
    licence="By the terms of the ENTSO-E Transparency Platform (Regulation (EU) 543/2013)",
    attribution="ENTSO-E Transparency Platform",
    terms="https://transparency.entsoe.eu",
    spacing=1.0,
    burst=10,
    ban=600.0,
    refresh=0.25 * HOUR,
    step=0.25 * HOUR,
    carry=3 * HOUR,
    # More would be allowed, up to a year; two days are about a megabyte.
    chunk=2 * DAY,
)


class EntsoeSource(LiveSource):
    """The intensity of what is generated in an area."""

    provider = ENTSOE

    @override
    async def _past(self, start: float, end: float) -> list[IntensityInterval]:
        reply = await self._web.reply(
            "/api",
            [
                ("documentType", "A75"),
                ("processType", "A16"),
                ("in_Domain", self._access.zone),
                ("periodStart", utc(start // HOUR * HOUR, _FORM)),
                ("periodEnd", utc(-(-end // HOUR) * HOUR, _FORM)),
                ("securityToken", self._access.key),
            ],
            accepted=_ANSWERS,
        )
        document = await self._web.decoded("/api", reply.body, parse)
        if isinstance(document, Acknowledgement):
            if document.means_nothing_there:
                return []
            raise ProviderChangedError(f"ENTSO-E refuses: {document.text[:120]!r}")
        rows = self._rows("gCO2eq/kWh")
        add_mixes(rows, document, TECHNOLOGIES, self._factors)
        return rows.intervals()
