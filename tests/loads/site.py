"""A site with loads in a real Home Assistant, in virtual time, whose intensity has a forecast."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.helpers import issue_registry as ir

from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.loads.load import Load
from custom_components.carbon_meter.loads.planner import SitePlanner
from hardware.virtual import MeterSpec
from tests.common import SiteUnderTest

CO2: Final = "sensor.co2"
SOURCES: Final = {"zone": "DE", "sources": [{"kind": "entity", "entity_id": CO2}]}
HOUR: Final = 3600.0

EVENING: Final = datetime(2026, 9, 21, 18, tzinfo=UTC)
"""A Monday; Home Assistant's tests are in the time zone of San Francisco: 11 o'clock there."""

APPLIANCE: Final[Mapping[str, Any]] = {
    "kind": "appliance",
    "device": "input_boolean.washer",
    "ready": "input_boolean.washer_ready",
    "finish_by": "07:00:00",
    "duration": 120.0,
    "power": 1000.0,
    "learn": False,
}
RUN_TIME: Final[Mapping[str, Any]] = {
    "kind": "run_time",
    "device": "input_boolean.pump",
    "power": 800.0,
    "hours": 3.0,
}
EV: Final[Mapping[str, Any]] = {
    "kind": "ev",
    "device": "input_boolean.wallbox",
    "connected": "input_boolean.car",
    "level": "sensor.car_level",
    "capacity": 50.0,
    "target": 80.0,
    "must": 60.0,
    "at_once": 0.0,
    "ready_by": "07:00:00",
    "control": "on_off",
    "most_current": 16.0,
    "phases": 3.0,
    "voltage": 230.0,
}


def forecast_attribute(values: Sequence[float], start: float) -> list[dict[str, Any]]:
    """Return hourly values from a moment on, as integrations write forecasts."""
    return [
        {
            "start": datetime.fromtimestamp(start + place * HOUR, UTC).isoformat(),
            "end": datetime.fromtimestamp(start + (place + 1) * HOUR, UTC).isoformat(),
            "intensity": value,
        }
        for place, value in enumerate(values)
    ]


class LoadedSite:
    """A site under test with what its loads are read by."""

    def __init__(self, site: SiteUnderTest) -> None:
        """Take the site; `open` sets it up."""
        self.site = site
        self.hass = site.hass
        self.values: list[float] = []
        self.began = 0.0

    async def open(
        self,
        loads: Sequence[Mapping[str, Any]],
        forecast: Sequence[float] | None = None,
        *,
        planning: Mapping[str, Any] | None = None,
        specs: Sequence[MeterSpec] = (),
        **kwargs: Any,
    ) -> None:
        """Set a site up with loads; `forecast` is by the hour from the present one on.

        Each load has the title that stands under `title` in its data, else its kind. `planning`
        are the site's options of planning, the rest goes to `SiteUnderTest.open`.
        """
        self.began = self.now // HOUR * HOUR
        if forecast is not None:
            self.forecast(forecast)
        options = {**SOURCES, "planning": dict(planning or {}), **kwargs.pop("options", {})}
        await self.site.open(specs, options=options, **kwargs)
        await self.add(*loads)

    async def add(self, *loads: Mapping[str, Any]) -> None:
        """Add loads, as the flow does; the site is set up anew."""
        for data in loads:
            self.hass.config_entries.async_add_subentry(
                self.site.entry,
                ConfigSubentry(
                    data=MappingProxyType({key: data[key] for key in data if key != "title"}),
                    subentry_type="load",
                    title=data.get("title", str(data.get("kind"))),
                    unique_id=None,
                ),
            )
        await self.site.settle()

    def forecast(self, values: Sequence[float], start: float | None = None) -> None:
        """Let the source say the present intensity and what comes, by the hour."""
        start = self.now // HOUR * HOUR if start is None else start
        self.values, self.began = list(values), start
        self.say()

    def say(self) -> None:
        """Let the source say what its forecast has for now as measured."""
        place = int((self.now - self.began) // HOUR)
        self.hass.states.async_set(
            CO2,
            str(self.values[place]) if place < len(self.values) else "unknown",
            {
                "unit_of_measurement": "gCO2eq/kWh",
                "forecast": forecast_attribute(self.values, self.began),
            },
        )

    async def advance(self, seconds: float, step: float = 60.0) -> None:
        """Let time pass; with each hour the source says what was forecast."""
        left = seconds
        while left > 0:
            to_hour = HOUR - self.now % HOUR
            part = min(step, left, to_hour)
            left -= part
            if part == to_hour and self.values:
                self.site.clock.step(part)
                self.site.freezer.tick(part)
                self.say()
                await self.site.advance(0.001)
            else:
                await self.site.advance(part, step=part)

    def set(self, entity_id: str, state: str, **attributes: Any) -> None:
        """Let an entity say something."""
        self.hass.states.async_set(entity_id, state, attributes)

    @property
    def now(self) -> float:
        return self.site.clock.now()

    @property
    def planner(self) -> SitePlanner:
        """Return the planner of the site that is loaded."""
        planner: SitePlanner = self.site.entry.runtime_data.planner
        return planner

    def load(self, title: str | None = None) -> Load:
        """Return a load by its title, the only one where none is told."""
        loads = self.planner.loads.values()
        return next(load for load in loads if title in {None, load.name})

    def issues(self) -> dict[str, dict[str, str]]:
        """Return the placeholders of what the user is told of loads, by translation key."""
        return {
            issue.translation_key: issue.translation_placeholders
            for (domain, _), issue in ir.async_get(self.hass).issues.items()
            if domain == DOMAIN and issue.translation_key.startswith(("load_", "solver_"))
        }


async def open_with_loads(
    site: SiteUnderTest,
    loads: Sequence[Mapping[str, Any]],
    options: Mapping[str, Any] | None = None,
    forecast: Sequence[float] | None = None,
    **kwargs: Any,
) -> LoadedSite:
    """Return a site that is set up with loads; `options` are those of planning."""
    found = LoadedSite(site)
    await found.open(loads, forecast, planning=options, **kwargs)
    return found
