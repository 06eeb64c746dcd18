"""The home battery: what it may take, what it must give back, and when."""

from datetime import UTC, datetime

from hypothesis import given, strategies as st
import numpy as np
import pytest

from hardware.virtual import Constant, Household, Steps, Weather
from hardware.virtual.battery import HomeBattery
from hardware.virtual.integral import Integral

START = datetime(2026, 3, 20, 6, tzinfo=UTC).timestamp()
"""6 h of solar time on the meridian: a day of the battery begins."""

GREENWICH = Weather(longitude=0.0)


def of_day(roof: float, night: float, **details: float) -> HomeBattery:
    """Return a battery with a roof from 8 to 12 h, and a need from 18 to 22 h."""
    return HomeBattery(
        weather=GREENWICH,
        roof=Steps.lasting(START + 7200, [(4 * 3600, roof)]),
        loads=[Steps.lasting(START + 12 * 3600, [(4 * 3600, night)])],
        **details,
    )


def energies(battery: HomeBattery, hours: float = 24.0) -> tuple[float, float]:
    """Return the Wh that went in and that came out."""
    power = battery.power(battery.edges(START, START + hours * 3600))
    return float(power[power > 0].sum()) / 60, float(-power[power < 0].sum()) / 60


def test_it_takes_no_more_than_the_night_will_draw() -> None:
    # 4 h of 1 kW are given; on the way in and out a tenth is lost.
    assert energies(of_day(3000.0, 1000.0)) == pytest.approx((4000 / 0.9, 4000))


def test_it_gives_no_more_than_the_day_has_brought() -> None:
    assert energies(of_day(1000.0, 3000.0)) == pytest.approx((4000, 3600))


def test_it_holds_its_capacity_and_keeps_to_its_limit() -> None:
    battery = of_day(9000.0, 9000.0, capacity=6000.0, limit=2500.0, round_trip=0.81)
    assert energies(battery) == pytest.approx((6000 / 0.9, 6000 * 0.9))
    power = battery.power(battery.edges(START, START + 86400))
    assert (power.max(), power.min()) == pytest.approx((2500, -2500))


def test_it_charges_by_day_and_gives_after_dark() -> None:
    battery = of_day(2000.0, 500.0)
    times = battery.edges(START, START + 86400)
    power = battery.power(times)
    assert not power[times < START + 7200].any()
    assert power[times < START + 12 * 3600].min() == 0
    assert power[times >= START + 12 * 3600].max() == 0
    # Surplus after 16 h of solar time is not for the night any more.
    late = HomeBattery(
        weather=GREENWICH,
        roof=Steps.lasting(START + 10 * 3600, [(3600, 3000.0)]),
        loads=[Constant(watts=100.0)],
    )
    assert energies(late)[0] == 0


@given(
    seed=st.integers(0, 50),
    longitude=st.floats(-179, 179),
    first=st.integers(0, 365),
    round_trip=st.floats(0.5, 1.0),
)
def test_over_its_days_what_comes_out_is_the_round_trip_of_what_went_in(
    seed: int, longitude: float, first: int, round_trip: float
) -> None:
    weather = Weather(seed=seed, longitude=longitude)
    battery = HomeBattery(
        weather=weather,
        roof=Constant(watts=1500.0 + 40 * seed),
        loads=[Constant(watts=20.0 * seed)],
        round_trip=round_trip,
    )
    morning = (20_000 + first) * 86400 + 6 * 3600 - weather.shift
    steps = battery.edges(morning, morning + 2 * 86400)
    power = battery.power(steps)
    taken, given_back = power[power > 0].sum() / 60, -power[power < 0].sum() / 60
    assert given_back == pytest.approx(round_trip * taken)
    # At no moment has more come out than could have.
    stored = np.cumsum(np.where(power > 0, power * round_trip, power))
    assert stored.min() > -1e-6


def test_the_household_has_one_that_does_not_serve_the_car() -> None:
    start = datetime(2026, 4, 10, tzinfo=UTC).timestamp()
    household = Household.simulated(start, Weather(seed=3))
    battery = Integral(household.nodes["battery"], start)
    week = battery.energy(start + 7 * 86400)
    assert 10_000 < week.total_imported < 80_000
    assert 0 < week.total_exported <= 0.9 * week.total_imported + 1e-6
    serves = (household.nodes["house"], household.nodes["heat_pump"])
    for minute in range(0, 2 * 1440, 7):
        at = start + 60 * minute
        need = sum(float(node.flows(np.array([at]))[0, :3].sum()) for node in serves)
        assert -sum(battery.flow(at).active) <= need + 1e-6
