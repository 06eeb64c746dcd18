"""What tells a device from every other, whichever integration it comes through."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.identities import (
    adopted_identities,
    driven_identities,
    host_identity,
    known_elsewhere,
    mac_identity,
    serial_identity,
)
from tests.common import SiteUnderTest
from tests.drivers.test_entities import opened
from tests.foreign import ForeignDevice

MAC = "a4:cf:12:0b:6e:01"


@pytest.mark.parametrize("mac", [MAC, "A4-CF-12-0B-6E-01", "a4cf120b6e01", "A4CF.120B.6E01"])
def test_mac_has_one_form(mac: str) -> None:
    assert mac_identity(mac) == "mac:a4cf120b6e01"


@pytest.mark.parametrize("text", ["", "a4:cf:12", "g4:cf:12:0b:6e:01", "serial number 12"])
def test_what_is_no_mac(text: str) -> None:
    assert mac_identity(text) is None


@given(st.text(alphabet="0123456789ABCDEFxyz", min_size=5, max_size=20))
def test_serial_number_with_and_without_its_decoration(serial: str) -> None:
    bare = serial_identity(serial)
    for decorated in (serial.lower(), f" {serial} ", "-".join(serial), f"000{serial}"):
        assert serial_identity(decorated) == bare


@pytest.mark.parametrize("serial", ["", "1", "0001", "#-", "0000000000"])
def test_short_serial_numbers_tell_nothing_apart(serial: str) -> None:
    assert serial_identity(serial) is None


@pytest.mark.parametrize(
    "host", ["meter.local", "Meter.Local.", "http://meter.local:8080/page", " METER.local"]
)
def test_host_has_one_form(host: str) -> None:
    assert host_identity(host) == "host:meter.local"


@pytest.mark.parametrize("host", ["", " ", "http://[", "http://"])
def test_what_is_no_host(host: str) -> None:
    assert host_identity(host) is None


async def test_device_of_another_integration_is_known(hass: HomeAssistant) -> None:
    device = ForeignDevice(hass, "plug", serial="SN-004711", mac=MAC, host="192.0.2.7")
    assert known_elsewhere(hass, mac=MAC) is None
    energy = device.add("energy", 1, "kWh")
    assert known_elsewhere(hass, mac="A4CF120B6E01") is device.entry
    assert known_elsewhere(hass, serial="sn004711") is device.entry
    assert known_elsewhere(hass, host="192.0.2.7") is device.entry
    assert known_elsewhere(hass, host="192.0.2.8", mac="a4:cf:12:0b:6e:02") is None
    assert known_elsewhere(hass) is None
    er.async_get(hass).async_update_entity(energy, disabled_by=er.RegistryEntryDisabler.USER)
    assert known_elsewhere(hass, mac=MAC) is None


async def test_device_without_a_meter_is_not_meant(hass: HomeAssistant) -> None:
    ForeignDevice(hass, "lamp", mac=MAC).add("voltage", 230, "V")
    assert known_elsewhere(hass, mac=MAC) is None


async def test_adopted_and_driven_meters(site: SiteUnderTest) -> None:
    assert adopted_identities(site.hass) == driven_identities(site.hass) == set()
    device = ForeignDevice(site.hass, "plug", serial="SN-004711", mac=MAC, host="192.0.2.7")
    await opened(site, ("energy_import", device.add("energy", 1, "kWh")))
    assert adopted_identities(site.hass) == {
        "serial:sn004711",
        "mac:a4cf120b6e01",
        "host:192.0.2.7",
    }
    assert driven_identities(site.hass) == set()


async def test_serial_number_of_a_driven_meter(site: SiteUnderTest) -> None:
    await site.open()
    serial = site.meter().subentry.data["serial"]
    assert driven_identities(site.hass) == {serial_identity(serial)}
