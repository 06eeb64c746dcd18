"""The world: Electricity Maps, API version 3, with the user's token.

`/carbon-intensity/history` (the last 24 h), `/latest`, `/forecast` (paid plans only), `/past-range`
(at most 10 days of hours per query): rows of `{carbonIntensity, datetime, isEstimated,
emissionFactorType}`, gCO2eq/kWh of consumption (portal.electricitymaps.com/docs; models of
aioelectricitymaps 1.1.1). The free plan is one zone, for private use, without forecast.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, override

from ...factors.factor import Scope
from ...grade import Grade
from ..source import IntensityInterval
from .answers import mapping, part, sequence
from .errors import ProviderAuthError, ProviderPlanError, ProviderZoneError
from .live_source import LiveSource
from .provider import DAY, HOUR, Basis, Need, Provider
from .rows import step_of
from .times import instant, utc

_FORM: Final = "%Y-%m-%dT%H:%M:%SZ"
_SCOPES: Final = {"lifecycle": Scope.LIFE_CYCLE, "direct": Scope.DIRECT}

ELECTRICITY_MAPS: Final = Provider(
    key="electricity_maps",
    name="Electricity Maps",
    base_url="https://api.electricitymaps.com/v3",
    zone_form="[A-Z]{2}(?:-[A-Z0-9]+)*",
    zone_hint="a zone of app.electricitymaps.com, such as FR or US-CAL-CISO",
    zone_is_country=True,
    need=Need.KEY,
    register="https://portal.electricitymaps.com",
    basis=Basis.CONSUMPTION,
    includes_td=None,
    licence="By your plan with Electricity Maps; the free plan is for private use",
    attribution="Electricity Maps",
    terms="https://www.electricitymaps.com/terms-and-conditions",
    spacing=10.0,
    burst=4,
    refresh=0.5 * HOUR,
    step=HOUR,
    carry=2 * HOUR,
    horizon=72 * HOUR,
    chunk=10 * DAY,
)


class ElectricityMapsSource(LiveSource):
    """The intensity of what is consumed in a zone, with a forecast where the plan has one."""

    provider = ELECTRICITY_MAPS
    _has_forecast = True
    _has_history = True

    @override
    async def _told_recently(self, now: float) -> list[IntensityInterval]:
        # The last 24 h, or what the plan gives of them: the last value.
        if self._has_history:
            try:
                return self._read(await self._ask("history"), "history")
            except ProviderPlanError:
                self._has_history = False
        latest = mapping(await self._ask("latest"), "the answer")
        return self._intervals([latest], Grade.MEASURED)

    @override
    async def _forecast(self, now: float) -> list[IntensityInterval]:
        if not self._has_forecast:
            return []
        try:
            document = await self._ask("forecast", ("horizonHours", "72"))
        except ProviderPlanError, ProviderAuthError, ProviderZoneError:
            # The token was accepted before: the plan has none, and that does not change by asking.
            self._has_forecast = False
            return []
        rows = sequence(part(document, "forecast", "the answer"), "forecast")
        return self._intervals(rows, Grade.FORECAST)

    @override
    async def _past(self, start: float, end: float) -> list[IntensityInterval]:
        window = ("start", utc(start, _FORM)), ("end", utc(end, _FORM))
        return self._read(await self._ask("past-range", *window), "data")

    async def _ask(self, what: str, *parameters: tuple[str, str]) -> Any:
        """Return an answer; a token that is not for this zone is a matter of the plan."""
        try:
            return await self._web.json(
                f"/carbon-intensity/{what}",
                [("zone", self._access.zone), *parameters],
                headers={"auth-token": self._access.key},
            )
        except ProviderAuthError as err:
            if "zone" in str(err).lower():
                raise ProviderPlanError(
                    f"the token is not for {self._access.zone} ({what})"
                ) from err
            raise

    def _read(self, document: Any, name: str) -> list[IntensityInterval]:
        return self._intervals(sequence(part(document, name, "the answer"), name), Grade.MEASURED)

    def _intervals(self, entries: Sequence[Any], grade: Grade) -> list[IntensityInterval]:
        """Return rows as intervals; the provider says of each whether it estimated."""
        records = [mapping(entry, "a row") for entry in entries]
        starts = [instant(record.get("datetime")) for record in records]
        step = step_of(starts, self.provider.step)
        rows = self._rows("gCO2eq/kWh")
        for begin, record in zip(starts, records, strict=True):
            self._learn_scope(record.get("emissionFactorType"))
            estimated = grade is Grade.MEASURED and record.get("isEstimated") is True
            rows.add(
                begin,
                begin + step if begin is not None else None,
                record.get("carbonIntensity"),
                Grade.ESTIMATED if estimated else grade,
            )
        return rows.intervals()

    def _learn_scope(self, kind: Any) -> None:
        """Take note of what the intensities count, as the answers say."""
        scope = _SCOPES.get(kind) if isinstance(kind, str) else None
        if scope is not None and scope is not self.info.scope:
            self.info = replace(self.info, scope=scope)
