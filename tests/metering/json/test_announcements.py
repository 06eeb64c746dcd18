"""Which meters a message announces."""

import json

import pytest

from custom_components.carbon_meter.metering.json.announcements import (
    discovery_topics,
    identify_mqtt,
    topic_matches,
)

TASMOTA = {
    "ip": "192.168.15.10",
    "dn": "Tasmota",
    "fn": ["Test"],
    "hn": "tasmota_49A3BC-0956",
    "mac": "00000049A3BC",
    "md": "Sonoff Basic",
    "t": "tasmota_49A3BC",
    "ft": "%prefix%/%topic%/",
    "tp": ["cmnd", "stat", "tele"],
}


def announced(profiles, topic, payload):
    text = payload if isinstance(payload, (str, bytes)) else json.dumps(payload)
    return identify_mqtt(topic, text, profiles.values(), clock=lambda: 5.0)


def test_what_to_subscribe_to(profiles) -> None:
    topics = discovery_topics(profiles.values())
    assert set(topics) >= {
        "shellies/announce",
        "tasmota/discovery/+/config",
        "glow/+/SENSOR/electricitymeter",
        "zigbee2mqtt/bridge/devices",
        "+/events/rpc",
        "evcc/site/grid/#",
    }
    assert list(topics) == sorted(set(topics))


def test_a_shelly_em_has_two_clamps(profiles) -> None:
    payload = {"id": "shellyem-1", "model": "SHEM", "mac": "C45B", "ip": "192.168.1.5"}
    found = announced(profiles, "shellies/announce", payload)
    assert [candidate.settings for candidate in found] == [
        {"device": "shellyem-1", "channel": 0},
        {"device": "shellyem-1", "channel": 1},
    ]
    assert {(each.profile.id, each.model, each.serial, each.certain) for each in found} == {
        ("shelly_gen1", "SHEM", "C45B", True)
    }
    assert found[0].reading.time == 5.0
    assert found[0].reading.values == {}
    assert announced(profiles, "shellies/announce", payload | {"model": "SHSW-1"}) == ()


def test_tasmota_announces_what_may_not_measure(profiles) -> None:
    (found,) = announced(profiles, "tasmota/discovery/00000049A3BC/config", TASMOTA)
    assert (found.profile.id, found.settings) == ("tasmota", {"topic": "tasmota_49A3BC"})
    assert (found.model, found.serial, found.certain) == ("Sonoff Basic", "00000049A3BC", False)
    other = TASMOTA | {"ft": "home/%topic%/%prefix%/"}
    assert announced(profiles, "tasmota/discovery/00000049A3BC/config", other) == ()
    energy = {"Time": "2026-01-01T00:00:00", "ENERGY": {"Power": 5, "Total": 1.5}}
    (found,) = announced(profiles, "tele/plug/SENSOR", energy)
    assert found.certain
    assert dict(found.reading.values) == {"power": 5, "energy_import": 1500, "energy_total": 1500}
    assert announced(profiles, "tele/plug/SENSOR", {"AM2301": {"Temperature": 20}}) == ()


@pytest.mark.parametrize("topic", ["power", "imported", "voltages"])
def test_a_counter_of_openwb(profiles, topic) -> None:
    (found,) = announced(profiles, f"openWB/counter/7/get/{topic}", "[1]")
    assert (found.profile.id, found.settings) == ("openwb2", {"counter": "7"})


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("openWB/counter/7/get/fault_str", "x"),
        ("openWB/counter/get/hierarchy", "[]"),
        ("evcc/site/grid/name", "x"),
        ("dsmr/reading/id", "1"),
        ("zigbee2mqtt/bridge/devices", "null"),
        ("zigbee2mqtt/bridge/devices", [None, 1, {"definition": {"exposes": 3}}]),
        ("x/events/rpc", {"method": "NotifyEvent", "params": {}}),
        ("glow/1/SENSOR/electricitymeter", b"\xff"),
        ("shellies/announce", "[" * 100_000),
        ("shellies/announce", "x" * 2_000_000),
        ("shellies/announce", {"model": "SHEM", "id": "a'b"}),
        ("shellies/announce", {"model": "SHEM", "id": ["x"]}),
    ],
)
def test_other_messages_announce_nothing(profiles, topic, payload) -> None:
    assert announced(profiles, topic, payload) == ()


@pytest.mark.parametrize(
    ("pattern", "topic", "expected"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/+", "a/b", True),
        ("a/+", "a", False),
        ("a/#", "a/b/c", True),
        ("a/#", "a", True),
        ("+/b", "x/c", False),
    ],
)
def test_wildcards(pattern, topic, expected) -> None:
    assert topic_matches(pattern, topic) is expected
