"""From what a user has typed to what is planned."""

from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.loads import keys
from custom_components.carbon_meter.loads.settings import LoadSettingsError, job_of
from tests.loads.site import APPLIANCE, EV, RUN_TIME
from tests.loads.test_planner import EVERY_KIND

ZONE = ZoneInfo("Europe/Berlin")


def settings(data: dict[str, Any], **changes: Any) -> Any:
    """Return the settings of the job of a load."""
    return job_of({**data, **changes}, ZONE, "Name").settings


@pytest.mark.parametrize("data", EVERY_KIND.values(), ids=EVERY_KIND)
def test_every_kind_has_a_job_with_its_name(data: dict[str, Any]) -> None:
    assert settings(data).name == "Name"


def test_units_of_a_car() -> None:
    car = settings(EV, control="current", least_current=6.0, most_current=16.0, at_once=20.0)
    assert car.capacity == 50_000
    assert car.charger.levels[0] == 6 * 3 * 230
    assert car.charger.levels[-1] == 16 * 3 * 230
    assert len(car.charger.levels) == 11
    assert (car.target, car.must, car.at_once, car.efficiency) == (80, 60, 20, 0.9)
    assert car.ready_by == time(7)


def test_car_without_a_level_has_an_energy() -> None:
    data = {key: value for key, value in EV.items() if key not in {"level", "target", "must"}}
    car = settings(data, energy=10.0)
    assert (car.capacity, car.energy, car.must_energy) == (None, 10_000, 10_000)
    assert settings(data, energy=10.0, must_energy=4.0).must_energy == 4_000
    with pytest.raises(LoadSettingsError, match="energy is missing"):
        job_of(data, ZONE)


def test_what_must_be_is_all_of_it_where_it_is_not_told() -> None:
    car = settings({key: value for key, value in EV.items() if key != "must"})
    assert (car.must, car.target) == (80, 80)


def test_units_of_a_run_time() -> None:
    pump = settings(RUN_TIME, least_run=30.0, longest_pause=5.0, quiet_from="22:00:00")
    assert (pump.hours, pump.rules.least_run, pump.longest_pause) == (3, 1800, 18_000)
    # Quiet hours need both of their ends.
    assert pump.quiet is None
    pump = settings(RUN_TIME, quiet_from="22:00:00", quiet_to="06:00:00", most_starts=2.0)
    assert pump.quiet == (time(22), time(6))
    assert pump.rules.most_starts == 2


def test_appliance_has_defaults() -> None:
    washer = settings({"kind": "appliance"})
    assert (washer.profile.duration, washer.profile.energy) == (7200, 1000)
    assert washer.finish_by == time(7)
    assert settings(APPLIANCE, duration=90.0).profile.duration == 5400


def test_tank_with_its_run_against_legionella() -> None:
    data = {**EVERY_KIND["tank"], "hygiene": 62.0, "hygiene_day": "wed", "hygiene_by": "05:30:00"}
    tank = settings(data)
    assert tank.body.capacity == pytest.approx(150 * 1.163)
    assert tank.draw == 5_000
    assert (tank.hygiene.temperature, tank.hygiene.weekday) == (62, 2)
    assert tank.hygiene.by == time(5, 30)


def test_zone_follows_its_setpoint() -> None:
    zone = settings({**EVERY_KIND["air"], "shift_down": 2.0, "days": ["mon", "tue"]})
    assert (zone.low, zone.high, zone.depth, zone.relax) == (22, 25, 2, 1)
    assert zone.occupied.days == {0, 1}
    warm = settings({**EVERY_KIND["air"], "heat_source": "heat_pump", "shift_down": 2.0})
    assert (warm.depth, warm.relax) == (1, 2)


def test_parts_of_light_and_of_a_battery() -> None:
    light = settings(EVERY_KIND["light"], dim=70.0, peak=20.0)
    assert (light.dim, light.dim_least, light.peak) == pytest.approx((0.7, 0.5, 0.2))
    battery = settings(EVERY_KIND["battery"], reserve=15.0, efficiency=81.0)
    assert (battery.capacity, battery.reserve, battery.efficiency) == (10_000, 15, 0.81)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({}, "not a valid LoadKind"),
        ({"kind": "rocket"}, "not a valid LoadKind"),
        ({**APPLIANCE, "duration": 0.0}, "duration cannot be 0 min"),
        ({**APPLIANCE, "power": 0.0}, "power cannot be 0"),
        ({**APPLIANCE, "finish_by": "late"}, "finish_by is no time of day"),
        ({**RUN_TIME, "hours": 25.0}, "a day has no 25 hours"),
        ({**RUN_TIME, "hours": -1.0}, "hours cannot be"),
        ({**RUN_TIME, "power": "nan"}, "power cannot be"),
        ({**RUN_TIME, "power": True}, "power cannot be"),
        ({"kind": "run_time", "hours": 3.0}, "power is missing"),
        ({**EV, "must": 90.0}, "90 % must be charged, but 80 % is enough"),
        ({**EV, "control": "current", "least_current": 20.0}, "20 A is more than 16 A"),
        ({**EV, "control": "stages"}, "not charged by stages"),
        ({**EV, "efficiency": 0.0}, "efficiency cannot be 0 %"),
        ({**EV, "phases": 0.0}, "a charger has a voltage"),
        ({**EVERY_KIND["tank"], "low": 65.0}, "low"),
        ({**EVERY_KIND["tank"], "heat_source": "fire"}, "fire is no source of heat"),
        ({**EVERY_KIND["tank"], "control": "stages", "stages": 3}, "stages is no list"),
        ({**EVERY_KIND["tank"], "hygiene": 60.0, "hygiene_day": "moon"}, "moon is no weekday"),
        ({**EVERY_KIND["air"], "days": ["today"]}, "no weekdays"),
        ({"kind": "thermal", "body": "room", "power": 1.0, "low": 1.0, "high": 2.0}, "area"),
    ],
)
def test_what_cannot_be_is_told(data: dict[str, Any], problem: str) -> None:
    with pytest.raises(LoadSettingsError, match=problem):
        job_of(data, ZONE)


VALUES = st.one_of(
    st.none(), st.booleans(), st.floats(), st.text(max_size=4), st.lists(st.floats(), max_size=2)
)
KEYS = [value for name, value in vars(keys).items() if name.startswith("CONF_")]


@given(st.sampled_from(list(EVERY_KIND.values())), st.dictionaries(st.sampled_from(KEYS), VALUES))
def test_no_data_make_anything_else_than_a_job_or_an_error(
    data: dict[str, Any], changes: dict[str, Any]
) -> None:
    try:
        job = job_of({**data, **changes}, ZONE)
    except LoadSettingsError:
        return
    assert job.as_dict() is not None
