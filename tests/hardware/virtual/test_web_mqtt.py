"""Every packaged family with topics, published to a real broker and heard back."""

from collections.abc import Iterator
import json
from pathlib import Path

import pytest

from custom_components.carbon_meter.metering.json.announcements import (
    discovery_topics,
    identify_mqtt,
)
from custom_components.carbon_meter.metering.json.listener import MqttJsonMeter
from custom_components.carbon_meter.metering.json.profile import JsonProfile
from custom_components.carbon_meter.metering.profile_library import load_profiles
from hardware.virtual.clock import VirtualClock
from hardware.virtual.electrical import Supply
from hardware.virtual.household import Household
from hardware.virtual.web import Unknown, WebDevice
from hardware.virtual.web.publisher import Publisher
from tests.metering.json.broker import Listener, mosquitto, needs_mosquitto

PROFILES = {
    key: profile
    for key, profile in load_profiles().of(JsonProfile).items()
    if profile.protocol == "mqtt"
}
pytestmark = needs_mosquitto

ANNOUNCED = {
    "shelly_gen1": (
        "shellies/announce",
        {"id": "shellyem-C45BBE000001", "model": "SHEM", "mac": "C45BBE000001"},
    ),
    "shelly_gen1_3em_mqtt": (
        "shellies/announce",
        {"id": "shellyem3-C45BBE000003", "model": "SHEM-3", "mac": "C45BBE000003"},
    ),
    "zigbee2mqtt": (
        "zigbee2mqtt/bridge/devices",
        [
            {"friendly_name": "Coordinator", "ieee_address": "0x00", "definition": None},
            {
                "friendly_name": "lamp",
                "ieee_address": "0x01",
                "definition": {"vendor": "V", "model": "L", "exposes": [{"type": "light"}]},
            },
            {
                "friendly_name": "washing machine",
                "ieee_address": "0xa4c1380000000001",
                "definition": {
                    "vendor": "Tuya",
                    "model": "TS011F_plug_1",
                    "exposes": [{"property": "power"}, {"property": "energy", "unit": "kWh"}],
                },
            },
        ],
    ),
}
"""What families announce that do not announce themselves by their values."""


@pytest.fixture
def port(socket_enabled: None, tmp_path: Path) -> Iterator[int]:
    with mosquitto(tmp_path) as number:
        yield number


def played(name: str, clock: VirtualClock, watts: float = 3300.0) -> WebDevice:
    house = Household.constant(watts, clock.now(), supply=Supply(seed=3))
    clock.step(600)
    return WebDevice.alone(PROFILES[name], house, clock, initial_import=5e6, initial_export=1e6)


def settings_of(device: WebDevice) -> dict:
    return {
        key: value
        for key, value in device.meter.settings.items()
        if device.profile.settings[key] != value
    }


@pytest.mark.parametrize("name", sorted(PROFILES))
@pytest.mark.parametrize("watts", [3300.0, -1250.0])
def test_every_family_is_identified_and_heard_exactly(name, watts, port, clock) -> None:
    device = played(name, clock, watts)
    meter = MqttJsonMeter(device.profile, settings_of(device), clock=clock.now)
    topics = {*discovery_topics(PROFILES.values()), *meter.topics}
    found, reading = [], None
    with Listener(port, topics) as listener, Publisher("127.0.0.1", port) as publisher:
        if name in ANNOUNCED:
            topic, payload = ANNOUNCED[name]
            publisher.say(topic, json.dumps(payload))
            message = listener.next()
            found += identify_mqtt(message.topic, message.payload, PROFILES.values())
        for _ in publisher.publish(device):
            message = listener.next()
            found += identify_mqtt(message.topic, message.payload, PROFILES.values())
            reading = meter.hear(message.topic, message.payload, retained=message.retain) or reading

    assert dict(reading.values) == device.shown_values()
    assert reading.faults == ()
    assert reading.time == clock.now()
    own = [each for each in found if each.profile.id == name]
    assert {each.profile.id for each in found} == {name}
    assert any(each.certain for each in own)
    wanted = {key: str(value) for key, value in device.meter.settings.items()}
    assert any(
        {key: str(value) for key, value in {**device.profile.settings, **each.settings}.items()}
        == wanted
        for each in own
    )


@pytest.mark.parametrize("form", [Unknown.NULL, Unknown.NAN, Unknown.TEXT, Unknown.HUGE])
@pytest.mark.parametrize("name", sorted(PROFILES))
def test_what_a_device_does_not_know_is_absent(name, form, port, clock) -> None:
    device = played(name, clock)
    keys = list(device.shown_values())
    device.meter.forget(keys[:1], form)
    meter = MqttJsonMeter(device.profile, settings_of(device), clock=clock.now)
    reading = None
    with Listener(port, meter.topics) as listener, Publisher("127.0.0.1", port) as publisher:
        for _ in publisher.publish(device):
            message = listener.next()
            reading = meter.hear(message.topic, message.payload) or reading

    assert keys[0] not in reading.values
    assert dict(reading.values) == device.shown_values()
    assert reading.faults == ()


def test_what_the_broker_had_kept_is_no_reading(port, clock) -> None:
    device = played("openwb2", clock)
    with Publisher("127.0.0.1", port) as publisher:
        messages = publisher.publish(device, retain=True)
    try:
        meter = MqttJsonMeter(device.profile, settings_of(device), clock=clock.now)
        with Listener(port, meter.topics) as listener:
            for _ in messages:
                message = listener.next()
                assert message.retain
                assert meter.hear(message.topic, message.payload, retained=True) is None
            with Publisher("127.0.0.1", port) as publisher:
                publisher.say("openWB/counter/0/get/power", "123.5")
            message = listener.next()
            heard = meter.hear(message.topic, message.payload, retained=message.retain)
            assert dict(heard.values) == {"power": 123.5}
    finally:
        with Publisher("127.0.0.1", port) as publisher:
            for topic in messages:
                publisher.say(topic, b"", retain=True)
