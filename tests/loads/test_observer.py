"""What is seen of loads, and that nothing is seen where nothing is said."""

from datetime import UTC, datetime, timedelta
from typing import Any

from homeassistant.core import HomeAssistant, SupportsResponse
from homeassistant.util.unit_system import US_CUSTOMARY_SYSTEM
from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.loads.observer import PLUGGED, READY, Observer
from custom_components.carbon_meter.loads.units import (
    in_celsius,
    in_kilowatt_hours,
    in_per_cent,
    in_watts,
    number_of,
)
from custom_components.carbon_meter.planning.jobs.job import Seen

NOW = datetime(2026, 9, 21, 18, tzinfo=UTC).timestamp()


def seen(hass: HomeAssistant, **data: Any) -> Seen:
    """Return what is seen of a load with such data."""
    return Observer(hass, {"kind": "run_time", **data}, None).seen(NOW)


@pytest.mark.parametrize(
    ("entity_id", "state", "attributes", "expected"),
    [
        ("switch.a", "on", {}, True),
        ("switch.a", "off", {}, False),
        ("switch.a", "jammed", {}, None),
        ("light.a", "on", {}, True),
        ("input_boolean.a", "off", {}, False),
        ("climate.a", "heat", {"hvac_action": "heating"}, True),
        ("climate.a", "heat", {"hvac_action": "idle"}, False),
        ("climate.a", "heat", {"hvac_action": "fan"}, False),
        ("climate.a", "heat", {}, None),
        ("climate.a", "off", {}, False),
        ("water_heater.a", "off", {}, False),
        ("water_heater.a", "eco", {}, None),
        ("number.a", "16", {}, True),
        ("number.a", "0", {}, False),
        ("number.a", "-2500", {}, True),
        ("switch.a", "unavailable", {}, None),
        ("switch.a", "unknown", {}, None),
        ("switch.gone", None, {}, None),
    ],
)
async def test_device_is_on(
    hass: HomeAssistant, entity_id: str, state: str | None, attributes: Any, expected: bool | None
) -> None:
    if state is not None:
        hass.states.async_set(entity_id, state, attributes)
    assert seen(hass, device=entity_id).is_on is expected


@pytest.mark.parametrize(
    ("state", "unit", "expected"),
    [
        ("1.5", "kW", 1500.0),
        ("1500", "W", 1500.0),
        ("0.0015", "MW", 1500.0),
        ("-3", "kW", -3000.0),
        ("1500", None, 1500.0),
        ("unavailable", "W", None),
        ("nan", "W", None),
        ("inf", "W", None),
        ("much", "W", None),
        ("12", "°C", None),
    ],
)
async def test_power_in_watts(
    hass: HomeAssistant, state: str, unit: str | None, expected: float | None
) -> None:
    hass.states.async_set("sensor.p", state, {"unit_of_measurement": unit} if unit else {})
    assert seen(hass, power_entity="sensor.p").power == (
        None if expected is None else pytest.approx(expected)
    )


@pytest.mark.parametrize("word", ["on", "Connected", "Charging", "awaiting start", "B", "home"])
async def test_car_is_there(hass: HomeAssistant, word: str) -> None:
    hass.states.async_set("sensor.car", word)
    assert seen(hass, kind="ev", connected="sensor.car").is_wanted is True


@pytest.mark.parametrize("word", ["off", "not_home", "Disconnected", "available", "A"])
async def test_car_is_not_there(hass: HomeAssistant, word: str) -> None:
    hass.states.async_set("sensor.car", word)
    assert seen(hass, kind="ev", connected="sensor.car").is_wanted is False


@pytest.mark.parametrize("word", ["unavailable", "unknown", "error", "", "fliegt"])
async def test_nobody_knows_where_the_car_is(hass: HomeAssistant, word: str) -> None:
    hass.states.async_set("sensor.car", word)
    assert seen(hass, kind="ev", connected="sensor.car").is_wanted is None
    assert seen(hass, kind="ev").is_wanted is None


@pytest.mark.parametrize(
    ("word", "expected"),
    [("on", True), ("home", True), ("off", False), ("not_home", False), ("unavailable", None)],
)
async def test_somebody_is_in_a_zone(hass: HomeAssistant, word: str, expected: bool | None) -> None:
    hass.states.async_set("binary_sensor.office", word)
    assert seen(hass, kind="air_zone", occupied="binary_sensor.office").is_wanted is expected
    assert seen(hass, kind="light_zone", occupied="binary_sensor.office").is_wanted is None


def test_words_are_written_as_they_are_looked_up() -> None:
    for word in (*PLUGGED, *READY):
        assert word == word.lower().replace(" ", "_").replace("-", "_")


async def test_level_and_temperature(hass: HomeAssistant) -> None:
    hass.states.async_set("sensor.level", "0.42")
    assert seen(hass, kind="ev", level="sensor.level").level == pytest.approx(42)
    hass.states.async_set("sensor.level", "42", {"unit_of_measurement": "%"})
    assert seen(hass, kind="battery", level="sensor.level").level == 42
    hass.states.async_set("sensor.level", "101", {"unit_of_measurement": "%"})
    assert seen(hass, kind="battery", level="sensor.level").level is None
    hass.states.async_set("sensor.warm", "68", {"unit_of_measurement": "°F"})
    assert seen(hass, kind="thermal", temperature="sensor.warm").level == pytest.approx(20)
    # A sensor that was chosen and says nothing is not replaced by another figure.
    hass.states.async_set("climate.a", "heat", {"current_temperature": 21, "temperature": 22})
    hass.states.async_set("sensor.warm", "unavailable")
    found = seen(hass, kind="thermal", temperature="sensor.warm", device="climate.a")
    assert (found.level, found.setpoint) == (None, 22)
    assert seen(hass, kind="thermal", device="climate.a").level == 21


async def test_thermostats_are_in_the_unit_of_the_home(hass: HomeAssistant) -> None:
    hass.config.units = US_CUSTOMARY_SYSTEM
    hass.states.async_set("climate.a", "heat", {"current_temperature": 68, "temperature": 77})
    found = seen(hass, kind="thermal", device="climate.a")
    assert (found.level, found.setpoint) == (pytest.approx(20), pytest.approx(25))


async def test_calendar_tells_when_the_car_is_away(hass: HomeAssistant) -> None:
    trip = datetime.fromtimestamp(NOW, UTC) + timedelta(hours=3)
    events = [
        {"start": trip.isoformat(), "end": (trip + timedelta(hours=1)).isoformat()},
        {
            "start": (trip + timedelta(hours=1)).isoformat(),
            "end": (trip + timedelta(hours=2)).isoformat(),
        },
        {"start": "2026-09-25", "end": "2026-09-26"},
        {"start": "soon", "end": None},
        7,
    ]
    asked = []

    async def answer(call: Any) -> dict[str, Any]:
        asked.append(call.data)
        return {"calendar.car": {"events": events}}

    observer = Observer(hass, {"kind": "ev", "calendar": "calendar.car"}, None)
    await observer.async_refresh(NOW)
    assert observer.seen(NOW).stretches is None
    hass.services.async_register(
        "calendar", "get_events", answer, supports_response=SupportsResponse.ONLY
    )
    await observer.async_refresh(NOW)
    first, day = observer.seen(NOW).stretches
    assert first == (NOW + 3 * 3600, NOW + 5 * 3600)
    assert day[1] - day[0] == 86400
    # It is not asked again at once, and what it said stays when it does not answer.
    await observer.async_refresh(NOW + 60)
    assert len(asked) == 1
    events[:] = []
    await observer.async_refresh(NOW + 1000)
    assert observer.seen(NOW).stretches == ()


@given(
    st.one_of(st.none(), st.booleans(), st.floats(), st.text(), st.lists(st.integers())),
    st.one_of(st.none(), st.sampled_from(["", "W", "kW", "%", "°C", "K", "kWh", "x"])),
)
def test_whatever_comes_is_a_number_or_nothing(value: Any, unit: str | None) -> None:
    for read in (in_celsius, in_watts, in_kilowatt_hours, in_per_cent):
        found = read(value, unit)
        assert found is None or isinstance(found, float)
        if number_of(value) is None:
            assert found is None
