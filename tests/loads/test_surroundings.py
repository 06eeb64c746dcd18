"""What plans are made with: carbon and price by slot, the weather, what the site takes."""

from datetime import UTC, datetime, timedelta
from typing import Any

from homeassistant.core import SupportsResponse
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.site.book import SITE_OWNER
from hardware.virtual import MeterSpec
from tests.common import SiteUnderTest
from tests.loads.site import APPLIANCE, EVENING, HOUR, LoadedSite
from tests.loads.test_planner import EVERY_KIND

T = EVENING.timestamp()


@pytest.fixture
def home(site: SiteUnderTest) -> LoadedSite:
    """Return a site that is not set up, on an evening in September."""
    site.start_at(EVENING)
    return LoadedSite(site)


def hours(values: Any) -> list[float]:
    """Return numbers rounded."""
    return [round(float(value), 4) for value in values]


async def test_slots_end_where_carbon_or_price_changes(home: LoadedSite) -> None:
    quarters = [
        {
            "start": (EVENING + timedelta(minutes=15 * place)).isoformat(),
            "end": (EVENING + timedelta(minutes=15 * place + 15)).isoformat(),
            "value": place / 100,
        }
        for place in range(6)
    ]
    home.set("sensor.price", "0", unit_of_measurement="EUR/kWh", raw_today=quarters)
    await home.open([], [300.0, 200.0], planning={"price_entity": "sensor.price"})
    signal = (await home.planner.async_around()).signal
    assert hours((signal.slots.starts[:7] - T) / 900) == [0, 1, 2, 3, 4, 5, 6]
    assert hours(signal.carbon[:7]) == [300] * 4 + [200] * 3
    assert hours(signal.price[:6]) == [0, 0.01, 0.02, 0.03, 0.04, 0.05]
    assert np.isnan(signal.price[6:]).all()
    assert np.isnan(signal.carbon[7:]).all()
    assert signal.slots.end == T + 72 * HOUR
    longer = await home.planner.async_around(T + 100 * HOUR)
    assert longer.signal.slots.end == T + 100 * HOUR


async def test_what_came_true_is_before_what_is_forecast(home: LoadedSite) -> None:
    await home.open([], [300.0, 200.0, 100.0, 50.0])
    await home.advance(1.5 * HOUR, step=600)
    signal = home.planner.signal_over(T, T + 4 * HOUR)
    by_hour = dict(zip(hours(signal.slots.starts - T), hours(signal.carbon), strict=True))
    assert [by_hour[hour * HOUR] for hour in range(4)] == [300, 200, 100, 50]
    assert len(home.planner.signal_over(T, T).slots) == 0


async def test_yearly_factor_is_nothing_to_plan_by(site: SiteUnderTest) -> None:
    home = LoadedSite(site)
    await home.open([], None, options={"sources": []})
    assert np.isnan((await home.planner.async_around()).signal.carbon).all()


async def test_weather_ahead_in_the_unit_of_its_entity(home: LoadedSite) -> None:
    room = {**EVERY_KIND["room"], "outside": "weather.home"}
    rows = [
        {
            "datetime": (EVENING + timedelta(hours=hour)).isoformat(),
            "temperature": 50.0 + 9.0 * hour,
        }
        for hour in range(3)
    ]
    asked = []

    async def answer(call: Any) -> dict[str, Any]:
        asked.append(call.data)
        return {"weather.home": {"forecast": [*rows, {"datetime": "soon"}, None]}}

    home.hass.services.async_register(
        "weather", "get_forecasts", answer, supports_response=SupportsResponse.ONLY
    )
    home.set("weather.home", "sunny", temperature=41.0, temperature_unit="°F")
    await home.open([room], [300.0] * 72)
    outside = home.load().around.outside
    # 50, 59, 68 degrees Fahrenheit at full hours; afterwards as it is now.
    assert hours(outside[:2]) == [12.5, 17.5]
    assert hours(outside[5:7]) == [5, 5]
    assert len(asked) == 1


@pytest.mark.parametrize("trouble", [ValueError, TimeoutError])
async def test_weather_that_fails_costs_no_plan(home: LoadedSite, trouble: type[Exception]) -> None:
    async def answer(call: Any) -> dict[str, Any]:
        raise trouble

    home.hass.services.async_register(
        "weather", "get_forecasts", answer, supports_response=SupportsResponse.ONLY
    )
    home.set("weather.home", "sunny", temperature=5.0, temperature_unit="°C")
    home.set("climate.room", "heat", temperature=21.0, current_temperature=20.5)
    await home.open([{**EVERY_KIND["room"], "outside": "weather.home"}], [300.0] * 72)
    assert home.load().plan is not None
    assert set(home.load().around.outside) == {5.0}


async def test_without_a_meter_at_the_grid_nothing_is_known_of_the_site(home: LoadedSite) -> None:
    await home.open([], [300.0] * 72)
    assert (await home.planner.async_around()).net is None


async def test_usual_consumption_by_the_local_hour_without_the_planned_loads(
    home: LoadedSite,
) -> None:
    specs = (
        MeterSpec(profile="eastron_sdm120", unit=1, name="grid", serial="1"),
        MeterSpec(profile="eastron_sdm120", unit=2, name="washer", serial="2"),
    )
    roles = {"grid": {"role": "grid"}, "washer": {"role": "submeter"}}
    await home.open([], [300.0] * 72, specs=specs, meters=roles, watts=1000.0)
    washer = home.site.meter("washer").subentry.subentry_id
    await home.add({**APPLIANCE, "meter": washer})
    archive = home.site.entry.runtime_data.keeper.archive
    start = int(T) - 3 * 86400

    def fill() -> None:
        rows = {SITE_OWNER: {"consumption": [], "generation": []}, washer: {"import": []}}
        for hour in range(start, int(T), 3600):
            local = datetime.fromtimestamp(hour, UTC).hour
            rows[SITE_OWNER]["consumption"].append((hour, 500.0 + local))
            rows[SITE_OWNER]["generation"].append((hour, 300.0 if local == 12 else 0.0))
            rows[washer]["import"].append((hour, 100.0))
        archive.put_hourly(start, int(T), rows)

    await home.hass.async_add_executor_job(fill)
    # It is learned anew each hour.
    around = await home.planner.surroundings.async_around(T + HOUR)
    by_hour = {
        datetime.fromtimestamp(begin, UTC).hour: net
        for begin, net in zip(around.signal.slots.starts.tolist(), around.net, strict=True)
    }
    assert by_hour[18] == pytest.approx(418)
    assert by_hour[12] == pytest.approx(112)
