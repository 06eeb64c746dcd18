"""Messages on a topic: a number, a number with its unit, an object, a forecast."""

from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.carbon.intensity.live.message import (
    UnreadableMessageError,
    read_message,
)
from custom_components.carbon_meter.carbon.intensity.live.shapes import Origin
from custom_components.carbon_meter.carbon.units import UnknownIntensityUnitError
from custom_components.carbon_meter.metering.json.path import Path

T = 1_790_020_800.0
ORIGIN = Origin(source="mqtt:grid/co2", unit="gCO2eq/kWh", zone=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("payload", "value", "unit"),
    [
        (b"123.5", 123.5, ORIGIN.unit),
        ("0", 0.0, ORIGIN.unit),
        (b" 1.2e2\n", 120.0, ORIGIN.unit),
        (b"123.5 gCO2/kWh", 123.5, "gCO2/kWh"),
        (b"0.5 kg/kWh", 0.5, "kg/kWh"),
        (b'"77"', 77.0, ORIGIN.unit),
        (b'{"value": 55}', 55.0, ORIGIN.unit),
        (b'{"carbonIntensity": 55, "units": {"carbonIntensity": "kg/MWh"}}', 55.0, "kg/MWh"),
        (b'{"intensity": {"forecast": 60, "actual": 55}}', 55.0, ORIGIN.unit),
        (b'{"co2": "41.5", "unit": "lb/MWh"}', 41.5, "lb/MWh"),
        (b"", None, ORIGIN.unit),
        (b"null", None, ORIGIN.unit),
        (b"unavailable", None, ORIGIN.unit),
        (b'{"value": null}', None, ORIGIN.unit),
        (b"{}", None, ORIGIN.unit),
    ],
)
def test_what_is_said(payload, value, unit) -> None:
    message = read_message(payload, ORIGIN, now=T)
    assert (message.value, message.unit, message.forecast) == (value, unit, ())


@pytest.mark.parametrize(
    "payload",
    [
        b"<html>",
        b"green",
        b'"1e999 g/kWh"',
        b'{"temperature": 5}',
        b"[1, 2]",
        b'{"value": [1]}',
        b"true",
        b'{"value": true}',
        b"NaN",
        b"1e999",
    ],
)
def test_what_is_not_understood(payload) -> None:
    with pytest.raises(UnreadableMessageError):
        read_message(payload, ORIGIN, now=T)


def test_a_message_without_end() -> None:
    with pytest.raises(UnreadableMessageError, match="longer than"):
        read_message(b"1" * 1_000_001, ORIGIN, now=T)


def test_where_the_user_says_that_it_stands() -> None:
    path = Path.checked("grid.now").bound({})
    payload = b'{"grid": {"now": 88}, "value": 1}'
    assert read_message(payload, ORIGIN, now=T, path=path).value == 88
    assert read_message(b'{"value": 1}', ORIGIN, now=T, path=path).value is None
    assert read_message(b"5", ORIGIN, now=T, path=path).value is None


def test_a_forecast_comes_along() -> None:
    payload = (
        b'{"value": 100, "unit": "kg/MWh", '
        b'"forecast": [{"start": "2026-09-21T21:00:00Z", "value": 90}]}'
    )
    message = read_message(payload, ORIGIN, now=T)
    assert message.value == 100
    assert [(each.start - T, each.value) for each in message.forecast] == [(3600, 90)]


def test_a_list_is_a_forecast_alone() -> None:
    payload = b'[{"start": "2026-09-21T21:00:00Z", "value": 90}]'
    message = read_message(payload, ORIGIN, now=T)
    assert message.value is None
    assert message.forecast[0].value == 90


def test_a_forecast_in_percent_is_refused() -> None:
    payload = b'{"unit": "%", "forecast": [{"start": "2026-09-21T21:00:00Z", "value": 90}]}'
    with pytest.raises(UnknownIntensityUnitError):
        read_message(payload, ORIGIN, now=T)


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_no_payload_breaks_it(payload) -> None:
    try:
        message = read_message(payload, ORIGIN, now=T)
    except UnreadableMessageError, UnknownIntensityUnitError:
        return
    assert message.value is None or isinstance(message.value, float)
