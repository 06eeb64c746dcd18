"""The appliances: the same at the same moment, and what one expects of them."""

from datetime import UTC, datetime

import numpy as np
import pytest

from hardware.virtual import Weather
from hardware.virtual.loads import (
    BaseLoad,
    Cooking,
    ElectricCar,
    Fridge,
    HeatPump,
    SolarRoof,
    Washing,
)
from hardware.virtual.series import Stepped

ALL = (BaseLoad, Fridge, Cooking, Washing, HeatPump, ElectricCar, SolarRoof)


def moment(month: int, day: int, hour: int = 0) -> float:
    return datetime(2026, month, day, hour, tzinfo=UTC).timestamp()


def days(month: int, count: int) -> np.ndarray:
    start = moment(month, 1)
    return np.arange(start, start + count * 86400, 60)


def mean_watts(appliance: Stepped, times: np.ndarray) -> float:
    return float(appliance.power(times).mean())


@pytest.mark.parametrize("kind", ALL)
def test_the_same_moment_gives_the_same_power(kind: type[Stepped]) -> None:
    times = days(3, 2)
    whole = kind(weather=Weather(seed=5)).power(times)
    assert np.array_equal(kind(weather=Weather(seed=5)).power(times[700:900]), whole[700:900])
    assert np.array_equal(kind(weather=Weather(seed=5)).power(times + 59.9), whole)
    assert not np.array_equal(kind(weather=Weather(seed=6)).power(times), whole)
    assert whole.min() >= 0


@pytest.mark.parametrize("kind", ALL)
def test_the_power_changes_at_the_edges_only(kind: type[Stepped]) -> None:
    appliance = kind(weather=Weather())
    seconds = np.arange(moment(3, 2, 9), moment(3, 2, 22))
    changes = seconds[1:][np.diff(appliance.power(seconds)) != 0]
    edges = appliance.edges(seconds[0], seconds[-1] + 1)
    assert np.isin(changes, edges).all()
    assert changes.size > 0


def test_edges_are_from_the_start_to_before_the_end() -> None:
    fridge = Fridge(weather=Weather())
    assert fridge.edges(120, 240).tolist() == [120, 180]
    assert fridge.edges(121, 241).tolist() == [180, 240]


def test_a_year_in_the_house_is_what_families_need() -> None:
    weather = Weather(seed=1)
    times = np.arange(moment(1, 1), moment(1, 1) + 365 * 86400, 60)
    kinds = (BaseLoad, Fridge, Cooking, Washing)
    house = sum(mean_watts(kind(weather=weather), times) for kind in kinds)
    assert 2000 < house * 8.76 < 5000
    assert 2500 < mean_watts(HeatPump(weather=weather), times) * 8.76 < 7000
    assert 6000 < mean_watts(SolarRoof(weather=weather), times) * 8.76 < 10000


def test_the_heat_pump_follows_the_weather_and_cycles() -> None:
    pump = HeatPump(weather=Weather())
    assert mean_watts(pump, days(1, 14)) > 5 * mean_watts(pump, days(7, 14))
    spring = pump.power(days(4, 14)) > 1000
    starts = np.count_nonzero(np.diff(spring.astype(int)) == 1)
    assert starts > 14 * 5


def test_the_car_charges_by_night_and_gets_what_it_drove() -> None:
    car = ElectricCar(weather=Weather(longitude=0))
    times = days(6, 28)
    charging = car.power(times) > 100
    hours = (times % 86400) // 3600
    assert not charging[(hours >= 6) & (hours < 18)].any()
    edges = np.flatnonzero(np.diff(charging.astype(int), prepend=0, append=0))
    sessions = (edges[1::2] - edges[::2]) / 60 * 11
    assert 10 <= sessions.size <= 28
    assert sessions.min() >= 3.5
    assert sessions.max() <= 32.5


def test_the_roof_yields_by_day_only() -> None:
    roof = SolarRoof(weather=Weather(longitude=0), peak=5000)
    times = days(6, 14)
    power = roof.power(times)
    hours = (times % 86400) / 3600
    assert power[(hours < 3) | (hours > 21)].max() == 0
    assert 3000 < power.max() <= 5000
    # Noon is at 12 of solar time: as much light comes before it as after it, clouds aside.
    assert 11 < (hours * power).sum() / power.sum() < 13
    assert mean_watts(roof, days(12, 14)) < power.mean() / 3


def test_the_south_has_its_winter_in_july() -> None:
    north, south = Weather(latitude=50), Weather(latitude=-35)
    july, january = days(7, 14), days(1, 14)
    assert north.temperature(july).mean() > north.temperature(january).mean() + 10
    assert south.temperature(july).mean() < south.temperature(january).mean() - 10
    assert south.sun(july).max() < south.sun(january).max()


@pytest.mark.parametrize("longitude", [-122.4, 0.0, 10.0, 151.2])
def test_noon_is_where_the_sun_is_highest(longitude: float) -> None:
    weather = Weather(longitude=longitude)
    times = days(5, 1)
    highest = weather.hour(times)[np.argmax(weather.sun(times))]
    assert highest == pytest.approx(12, abs=0.05)
    # Fifteen degrees are an hour.
    utc = np.array([moment(5, 1, 12) - longitude / 15 * 3600])
    assert weather.hour(utc)[0] == pytest.approx(12, abs=0.001)
