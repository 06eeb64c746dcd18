"""What the manifest asks Home Assistant to look out for is ours alone."""

from ipaddress import ip_address
import json
from pathlib import Path

from homeassistant.generated.dhcp import DHCP
from homeassistant.generated.mqtt import MQTT
from homeassistant.generated.zeroconf import ZEROCONF
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo

from custom_components.carbon_meter import const
from custom_components.carbon_meter.discovery.services import KINDS, service_of
from custom_components.carbon_meter.metering.json.announcements import (
    discovery_topics,
    topic_matches,
)
from custom_components.carbon_meter.metering.json.profile import JsonProfile
from custom_components.carbon_meter.metering.profile_library import load_profiles

MANIFEST = json.loads((Path(const.__file__).parent / "manifest.json").read_text())

MAKERS = {
    "000158": "Electro Industries/Gauge Tech",
    "000E6B": "Janitza electronics GmbH",
    "00134D": "Inepro BV",
    "00174A": "Socomec",
    "0019EE": "Carlo Gavazzi Controls SpA",
    "0050A1": "Carlo Gavazzi, Inc.",
    "00D09D": "Veris Industries",
    "307A57": "Accuenergy (Canada) Inc",
    "6849B2": "Carlo Gavazzi Ltd",
    "E0F325": "Elkor Technologies Inc.",
    "ECC38A": "Accuenergy (Canada) Inc",
}
"""Makers of meters and of little else. Source: IEEE MA-L registry (package aiooui 0.1.11)."""


def test_services_are_ours_alone() -> None:
    assert set(MANIFEST["zeroconf"]) == {name for name, kind in KINDS.items() if kind.matched}
    assert not set(KINDS) & set(ZEROCONF)


def test_only_names_of_at_most_fifteen_characters_are_in_the_manifest() -> None:
    for name, kind in KINDS.items():
        assert kind.matched == (len(name.split(".")[0]) <= 16), name


def test_network_addresses_are_those_of_meter_makers_and_ours_alone() -> None:
    registered, *makers = MANIFEST["dhcp"]
    assert registered == {"registered_devices": True}
    assert {each["macaddress"].rstrip("*") for each in makers} == set(MAKERS)
    taken = {
        str(each["macaddress"])[:6]
        for each in DHCP
        if "macaddress" in each and "hostname" not in each
    }
    assert not taken & set(MAKERS)


def test_topics_are_known_to_a_profile_and_ours_alone() -> None:
    profiles = [each for each in load_profiles().of(JsonProfile).values() if each.topics]
    known = discovery_topics(profiles)
    for topic in MANIFEST["mqtt"]:
        example = topic.replace("+", "x")
        assert any(topic_matches(pattern, example) for pattern in known), topic
        assert not any(topic in topics for topics in MQTT.values())


def test_service_without_a_port_is_asked_nowhere() -> None:
    info = ZeroconfServiceInfo(
        ip_address=ip_address("fd00::5"),
        ip_addresses=[ip_address("fd00::5"), ip_address("192.168.1.5")],
        port=None,
        hostname="x",
        type="_modbus._tcp.local.",
        name="x",
        properties={},
    )
    assert service_of(info).places == []
    assert service_of(info).host == "192.168.1.5"
