"""What surrounds the loads of a site: the signal, the weather, what else the site takes."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
import math
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import numpy as np

from ..bookkeeper import Bookkeeper
from ..carbon.archive.errors import ArchiveError
from ..carbon.flow.amounts import FloatArray
from ..carbon.grade import Grade
from ..carbon.intervals import HOUR
from ..carbon.site import figures as names
from ..carbon.site.book import SITE_OWNER
from ..carbon.site.meters import Role
from ..const import LOGGER
from ..intensity import SiteIntensity
from ..planning.jobs.job import Around
from ..planning.signal import Signal
from ..planning.slots import Slots
from .keys import CONF_OUTSIDE
from .observer import temperature_of
from .prices import SitePrices
from .units import in_celsius

AHEAD: Final = 72 * 3600.0
"""Seconds of the signal."""

_DAYS: Final = 7
"""Of which the usual consumption is learned."""

_ENOUGH: Final = 2
"""Days on which an hour was measured before anything is said of it."""

_WEATHER_HOLDS: Final = 1800.0
_WEATHER_AGAIN: Final = 300.0
"""Seconds after which the weather is asked for again, and after it was not told."""

_PATIENCE: Final = 10.0
"""Seconds that plans wait for the weather."""

type Weather = tuple[FloatArray, FloatArray]
"""Moments, and the degrees Celsius that are forecast for them."""

_NO_WEATHER: Final[Weather] = (np.empty(0), np.empty(0))

type Row = tuple[float, float, float, float, float]
"""From when to when, p50, p10 and p90."""


class Surroundings:
    """Puts together what plans are made with."""

    def __init__(
        self,
        hass: HomeAssistant,
        intensity: SiteIntensity,
        keeper: Bookkeeper,
        prices: SitePrices,
        metered: Collection[str],
    ) -> None:
        """Take where figures come from; `metered` are the ids of the loads' meters."""
        self._hass = hass
        self._intensity = intensity
        self._keeper = keeper
        self._prices = prices
        self._metered = metered
        self._weather: dict[str, tuple[float, Weather]] = {}
        self._usual: tuple[float, FloatArray | None, FloatArray | None] | None = None
        """From when it is, and W of each hour of the local day: in the mean, and at the most."""

    # The signal

    def signal_over(self, start: float, end: float, now: float) -> Signal:
        """Return what came true and what is forecast of carbon and price over [start, end).

        Slots end where a figure changes, and with each full hour. What is not known is NaN. A
        yearly factor or a fixed value is not known, as nothing can be planned by it, unless it is
        all that there is and prices are told: these decide among hours of the same carbon.
        """
        rows: list[Row] = []
        if start < now:
            rows += [
                (each.start, each.end, each.value, each.value, each.value)
                for each in self._intensity.ladder.intervals(start, min(now, end))
                if each.grade is not Grade.YEARLY
            ]
        rows += [row for row in self._ahead() if row[1] > now]
        if not rows and self._prices.is_told:
            rows = [
                (each.start, each.end, each.value, each.value, each.value)
                for each in self._intensity.ladder.intervals(start, end)
            ]
        prices = self._prices.intervals(start, end)
        edges = _edges(start, end, rows, [(each.start, each.end) for each in prices])
        if len(edges) < 2:
            return Signal.of(Slots(edges[:0], edges[:0]), [])
        slots = Slots.at(edges)
        known = np.full((3, len(slots)), np.nan)
        for begin, stop, *figures in rows:
            known[:, slots.places(max(begin, start), min(stop, end))] = np.array(figures)[:, None]
        price = None
        if self._prices.is_told:
            price = np.full(len(slots), np.nan)
            for each in prices:
                price[slots.places(each.start, each.end)] = each.value
        return Signal.of(slots, known[0], low=known[1], high=known[2], price=price)

    def _ahead(self) -> list[Row]:
        """Return the steps of the forecast."""
        forecast = self._intensity.forecast
        if forecast is None:
            return []
        return [
            (float(start), float(start + forecast.step), float(p50), float(p10), float(p90))
            for start, p10, p50, p90 in zip(
                range(forecast.start, forecast.end, forecast.step),
                forecast.p10,
                forecast.p50,
                forecast.p90,
                strict=True,
            )
        ]

    async def async_around(self, now: float, end: float | None = None) -> Around:
        """Return the signal from now on, for 72 h or until `end`, and what else the site takes."""
        signal = self.signal_over(now, max(now + AHEAD, end or now), now)
        await self.async_learn(now)
        usual = None if self._usual is None else self._usual[1]
        return Around(signal=signal, net=self._by_hour(signal.slots, usual))

    async def async_around_of(self, site: Around, data: Mapping[str, Any], now: float) -> Around:
        """Return what surrounds a load: the same, with the temperature outside if it needs it."""
        entity_id = data.get(CONF_OUTSIDE)
        if not isinstance(entity_id, str):
            return site
        return replace(site, outside=await self._async_outside(entity_id, site.signal.slots, now))

    # The weather

    async def _async_outside(self, entity_id: str, slots: Slots, now: float) -> FloatArray | None:
        """Return the temperature outside in each slot: forecast, else as it is now."""
        state = self._hass.states.get(entity_id)
        present = (
            None
            if state is None
            else temperature_of(state, self._hass.config.units.temperature_unit)
        )
        found = np.full(len(slots), math.nan if present is None else present)
        if state is not None and state.domain == "weather":
            unit = state.attributes.get("temperature_unit")
            moments, degrees = await self._async_weather(entity_id, unit, now)
            if len(moments):
                middles = (slots.starts + slots.ends) / 2.0
                inside = (middles >= moments[0] - HOUR) & (middles <= moments[-1] + HOUR)
                found = np.where(inside, np.interp(middles, moments, degrees), found)
        return found if np.isfinite(found).any() else None

    async def _async_weather(self, entity_id: str, unit: Any, now: float) -> Weather:
        """Return the hourly forecast of a weather entity, empty where it has none."""
        asked, known = self._weather.get(entity_id, (-math.inf, _NO_WEATHER))
        if 0.0 <= now - asked < (_WEATHER_HOLDS if len(known[0]) else _WEATHER_AGAIN):
            return known
        response: Any = None
        try:
            async with asyncio.timeout(_PATIENCE):
                response = await self._hass.services.async_call(
                    "weather",
                    "get_forecasts",
                    {"entity_id": entity_id, "type": "hourly"},
                    blocking=True,
                    return_response=True,
                )
        except Exception as err:  # noqa: BLE001  # whatever it is, plans are made without it
            LOGGER.debug("%s: no forecast: %r", entity_id, err)
        known = _weather_of(response, entity_id, unit)
        self._weather[entity_id] = (now, known)
        return known

    # What else the site takes

    def greatest(self, slots: Slots) -> FloatArray | None:
        """Return the most that the site takes beside its planned loads, as it was lately, in W."""
        return self._by_hour(slots, None if self._usual is None else self._usual[2])

    def _by_hour(self, slots: Slots, usual: FloatArray | None) -> FloatArray | None:
        """Return what is usual in the local hour of each slot; None where nothing is known."""
        if usual is None:
            return None
        zone = dt_util.get_default_time_zone()
        middles = ((slots.starts + slots.ends) / 2.0).tolist()
        hours = [datetime.fromtimestamp(middle, zone).hour for middle in middles]
        found: FloatArray = usual[np.array(hours, dtype=np.int64)]
        return found

    async def async_learn(self, now: float) -> None:
        """Learn what the site takes, once an hour; without a meter at the grid nothing is known."""
        hour = now // HOUR * HOUR
        if self._usual is not None and self._usual[0] == hour:
            return
        mean, most = None, None
        if self._keeper.plan.meters.grids:
            try:
                mean, most = await self._hass.async_add_executor_job(self._learned, int(hour))
            except ArchiveError as err:
                LOGGER.debug("What the site takes is not known: %s", err)
        self._usual = (hour, mean, most)

    def _learned(self, hour: int) -> tuple[FloatArray | None, FloatArray | None]:
        """Return the W of each local hour over the last days, in the mean and at the most.

        What the site consumed less what it generated and less what its planned loads took by their
        own meters. Batteries are in neither. It blocks.
        """
        archive = self._keeper.archive
        start = hour - _DAYS * 24 * HOUR
        series = archive.hourly(SITE_OWNER, [names.CONSUMPTION, names.GENERATION], start, hour)
        if not len(series.hours):
            return None, None
        net = series.values[0] - series.values[1]
        meters = self._keeper.plan.meters
        for meter_id in self._metered:
            if meter_id not in meters.place or meters.role(meter_id) is not Role.SUBMETER:
                continue
            own = archive.hourly(meter_id, [names.IMPORT], start, hour).dense(start, hour)[0]
            net -= own[(series.hours - start) // HOUR]
        zone = dt_util.get_default_time_zone()
        local = np.array(
            [datetime.fromtimestamp(each, zone).hour for each in series.hours.tolist()]
        )
        mean, most = np.full(24, math.nan), np.full(24, math.nan)
        for each in range(24):
            of_hour = net[local == each]
            if len(of_hour) >= _ENOUGH:
                mean[each], most[each] = of_hour.mean(), max(of_hour.max(), 0.0)
        if not np.isfinite(mean).any():
            return None, None
        return mean, most


def _edges(
    start: float, end: float, rows: Iterable[Row], others: Iterable[tuple[float, float]]
) -> FloatArray:
    """Return where slots begin and end: where a figure changes, and at full hours."""
    hours = np.arange(start // HOUR + 1.0, end / HOUR) * HOUR
    moments = [moment for row in (*rows, *others) for moment in row[:2] if start < moment < end]
    if not end > start:
        return np.empty(0)
    return np.unique(np.concatenate([[start, end], hours, np.array(moments, dtype=np.float64)]))


def _weather_of(response: Any, entity_id: str, unit: Any) -> Weather:
    """Return moments and degrees Celsius of an answer, empty where there are none."""
    found = response.get(entity_id) if isinstance(response, Mapping) else None
    rows = found.get("forecast") if isinstance(found, Mapping) else None
    points: dict[float, float] = {}
    for row in rows if isinstance(rows, list) else []:
        moment = dt_util.parse_datetime(str(row.get("datetime"))) if row else None
        degrees = in_celsius(row.get("temperature"), unit) if row else None
        if moment is not None and degrees is not None:
            points[dt_util.as_utc(moment).timestamp()] = degrees
    ordered = sorted(points)
    return np.array(ordered), np.array([points[moment] for moment in ordered])
