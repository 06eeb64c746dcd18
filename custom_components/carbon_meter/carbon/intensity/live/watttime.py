"""The world: WattTime's marginal operating emissions, API version 3, with the user's account.

`/login` (Basic) gives a token for 30 min; `/v3/historical` (at most 32 days per query) and
`/v3/forecast` answer `{meta{region, signal_type, units}, data[]{point_time, value}}` in five
minutes, in lb/MWh (docs.watttime.org). What one kWh more or less changes is kept apart from
averages. Without a subscription only the region CAISO_NORTH is served.
"""

from collections.abc import Sequence
from typing import Any, Final, override

import aiohttp

from ...factors.factor import Scope
from ...grade import Grade
from ...units import UnknownIntensityUnitError
from ..source import IntensityInterval, IntensityKind
from .answers import mapping, part, sequence
from .errors import ProviderAuthError, ProviderChangedError, ProviderPlanError
from .live_source import LiveSource
from .provider import DAY, HOUR, Need, Provider
from .rows import step_of
from .times import instant, utc

_FORM: Final = "%Y-%m-%dT%H:%MZ"
_SIGNAL: Final = "co2_moer"

WATTTIME: Final = Provider(
    key="watttime",
    name="WattTime",
    base_url="https://api.watttime.org",
    zone_form="[A-Z0-9]+(?:_[A-Z0-9]+)*",
    zone_hint="a region of WattTime, such as CAISO_NORTH",
    need=Need.ACCOUNT,
    register="https://docs.watttime.org",
    kind=IntensityKind.MARGINAL,
    scope=Scope.DIRECT,
    basis=None,
    includes_td=None,
    licence="By your plan with WattTime",
    attribution="WattTime",
    terms="https://watttime.org/data-plans",
    # 3000 requests in 5 min are allowed, 100 logins.
    spacing=3.0,
    burst=10,
    refresh=300.0,
    step=300.0,
    horizon=72 * HOUR,
    # 32 days are allowed; a week is what can be read at once without holding anybody up.
    chunk=7 * DAY,
)


class WattTimeSource(LiveSource):
    """The marginal intensity of a region; its values are modelled, never measured."""

    provider = WATTTIME
    _token = ""

    @override
    async def _forecast(self, now: float) -> list[IntensityInterval]:
        document = await self._ask("/v3/forecast", [*self._region, ("horizon_hours", "72")])
        return self._read(document, Grade.FORECAST)

    @override
    async def _past(self, start: float, end: float) -> list[IntensityInterval]:
        window = [*self._region, ("start", utc(start, _FORM)), ("end", utc(end, _FORM))]
        return self._read(await self._ask("/v3/historical", window), Grade.ESTIMATED)

    async def region_at(self, latitude: float, longitude: float) -> str:
        """Return the region of a place in degrees; raises ProviderZoneError where there is none."""
        place = [
            ("latitude", f"{latitude:.4f}"),
            ("longitude", f"{longitude:.4f}"),
            ("signal_type", _SIGNAL),
        ]
        return str(part(await self._ask("/v3/region-from-loc", place), "region", "the answer"))

    @property
    def _region(self) -> list[tuple[str, str]]:
        return [("region", self._access.zone), ("signal_type", _SIGNAL)]

    async def _ask(self, path: str, parameters: Sequence[tuple[str, str]]) -> Any:
        """Return an answer; a token that has run out is renewed once."""
        if self._token:
            try:
                return await self._web.json(path, parameters, headers=self._bearer)
            except ProviderAuthError, ProviderPlanError:
                self._token = ""
        await self._log_in()
        return await self._web.json(path, parameters, headers=self._bearer)

    @property
    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    async def _log_in(self) -> None:
        """Get a token; raises ProviderAuthError where the account is not accepted."""
        basic = aiohttp.encode_basic_auth(self._access.username, self._access.password)
        try:
            document = await self._web.json("/login", headers={"Authorization": basic})
        except ProviderPlanError as err:
            raise ProviderAuthError("WattTime does not accept the account") from err
        token = part(document, "token", "the answer")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise ProviderChangedError("the token is no text")
        self._token = token

    def _read(self, document: Any, grade: Grade) -> list[IntensityInterval]:
        meta = mapping(part(document, "meta", "the answer"), "meta")
        if meta.get("signal_type", _SIGNAL) != _SIGNAL:
            raise ProviderChangedError(f"{meta['signal_type']!r} instead of {_SIGNAL}")
        try:
            rows = self._rows(str(meta.get("units")))
        except UnknownIntensityUnitError as err:
            # Percentages above all: an index says how dirty it is for this region, not how dirty.
            raise ProviderChangedError(str(err)) from err
        entries = sequence(part(document, "data", "the answer"), "data")
        points = [mapping(entry, "a point") for entry in entries]
        starts = [instant(point.get("point_time")) for point in points]
        step = step_of(starts, self.provider.step)
        for begin, point in zip(starts, points, strict=True):
            rows.add(begin, begin + step if begin is not None else None, point.get("value"), grade)
        return rows.intervals()
