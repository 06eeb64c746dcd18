"""The page about profiles of JSON meters tells the truth."""

import json
from pathlib import Path
import re

import pytest

from custom_components.carbon_meter.metering.errors import MeterAuthError
from custom_components.carbon_meter.metering.json.announcements import identify_mqtt
from custom_components.carbon_meter.metering.json.identification import identify_http
from custom_components.carbon_meter.metering.json.listener import MqttJsonMeter
from custom_components.carbon_meter.metering.json.meter import HttpJsonMeter
from custom_components.carbon_meter.metering.json.path import Path as Expression
from custom_components.carbon_meter.metering.json.profile import AuthKind, JsonProfile
from custom_components.carbon_meter.metering.json.schema import HTTP, MQTT
from custom_components.carbon_meter.metering.json.web import Credentials
from custom_components.carbon_meter.metering.profile_schema import load_profile

PAGE = (Path(__file__).parents[3] / "docs" / "profiles-json.md").read_text()


def example(number: int, tmp_path: Path) -> JsonProfile:
    path = tmp_path / "example.yaml"
    path.write_text(re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[number])
    profile = load_profile(path, (HTTP, MQTT))
    assert isinstance(profile, JsonProfile)
    return profile


async def test_the_example_with_a_page(device, session, tmp_path) -> None:
    profile = example(0, tmp_path)
    values = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL).group(1)
    info = re.search(r"`/api/info` says `(.*?)`", PAGE).group(1)
    served = await device({"/api/values": values, "/api/info": info})

    found = await identify_http(session, "127.0.0.1", served.port, [profile])

    assert [(each.settings, each.model, each.serial) for each in found.candidates] == [
        ({"channel": 0}, "Clamp Hub", "AABBCCDDEEFF"),
        ({"channel": 1}, "Clamp Hub", "AABBCCDDEEFF"),
    ]
    first, second = found.candidates
    assert dict(first.reading.values) == {"power": 352, "voltage": 231.2, "energy_import": 1250700}
    assert dict(second.reading.values) == {
        "power": -1204,
        "voltage": 231,
        "energy_import": 12100,
        "energy_export": 8090400,
    }
    meter = HttpJsonMeter(session, profile, base_url=served.url, settings=second.settings)
    assert (await meter.read()).values == second.reading.values


def test_the_example_with_topics(tmp_path) -> None:
    profile = example(1, tmp_path)
    message = ("reader/77/live", json.dumps({"watts": 230, "sn": "X1"}))
    (candidate,) = identify_mqtt(*message, [profile])
    assert (candidate.settings, candidate.serial) == ({"device": "77"}, "X1")
    meter = MqttJsonMeter(profile, candidate.settings)
    meter.hear(*message)
    reading = meter.hear("reader/77/energy/total", "12.5")
    assert dict(reading.values) == {"power": 230, "energy_import": 12500}


def test_the_expressions_of_the_page_are_some() -> None:
    table = PAGE.split("### Where a value lies")[1].split("### What a value")[0]
    rows = re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE)
    expressions = [text for row in rows for text in re.findall(r"`(.*?)`", row)]
    assert len(expressions) >= 6
    for text in expressions:
        assert Expression.checked(text.replace("\\|", "|"))


def test_every_key_is_in_the_page() -> None:
    keys = {str(key) for form in (HTTP, MQTT) for key in form.fields}
    assert keys >= {"requests", "topics", "fields"}
    for key in keys | {"plus", "minus", "when", "decimal_comma", "unless", "optional", "partial"}:
        assert key in PAGE, key


@pytest.mark.parametrize("kind", [each for each in AuthKind if each is not AuthKind.SESSION])
def test_every_kind_of_password_is_in_the_page(kind) -> None:
    assert kind in PAGE
    assert MeterAuthError("x", kind=kind).kind == kind
    assert Credentials(token="t", password="p").serve(kind)
