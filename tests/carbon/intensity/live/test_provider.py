"""Zones and secrets as people type them."""

import pytest

from custom_components.carbon_meter.carbon.intensity.live.catalogue import PROVIDERS
from custom_components.carbon_meter.carbon.intensity.live.errors import (
    LONGEST_WAIT,
    ProviderAuthError,
    ProviderLimitedError,
    ProviderZoneError,
)
from custom_components.carbon_meter.carbon.intensity.live.provider import Access


@pytest.mark.parametrize(
    ("key", "typed", "zone"),
    [
        ("neso", "", "GB"),
        ("neso_regional", "13", "13"),
        ("neso_regional", " sw1a 1aa ", "SW1A 1AA"),
        ("neso_regional", "M1", "M1"),
        ("energy_charts", "de", "DE"),
        ("energinet", "dk1", "DK1"),
        ("electricity_maps", "us-cal-ciso", "US-CAL-CISO"),
        ("watttime", "caiso_north", "CAISO_NORTH"),
        ("entsoe", "10ynl----------l", "10YNL----------L"),
        ("eia", "ciso\n", "CISO"),
        ("fingrid", "", "FI"),
    ],
)
def test_a_zone_as_the_provider_writes_it(key, typed, zone) -> None:
    assert PROVIDERS[key].zone(typed) == zone


@pytest.mark.parametrize(
    ("key", "typed"),
    [
        ("neso_regional", ""),
        ("neso_regional", "99"),
        ("neso_regional", "SW1A 1AA/../x"),
        ("energinet", "SE3"),
        ("energinet", ""),
        ("electricity_maps", "DE&x=1"),
        ("entsoe", "10YXX----------L"),
    ],
)
def test_what_is_no_zone(key, typed) -> None:
    with pytest.raises(ProviderZoneError):
        PROVIDERS[key].zone(typed)


def test_secrets_are_not_shown_and_can_be_sent() -> None:
    access = Access(zone="FI", key=" secret-1 ", password="secret-2")
    assert "secret" not in repr(access)
    assert access.checked(PROVIDERS["fingrid"]).key == "secret-1"
    with pytest.raises(ProviderAuthError, match="cannot be sent"):
        Access(zone="FI", key="line\r\nHost: x").checked(PROVIDERS["fingrid"])


def test_no_wait_is_longer_than_a_day() -> None:
    assert ProviderLimitedError("x", retry_after=1e9).retry_after == LONGEST_WAIT
    assert ProviderLimitedError("x", retry_after=-5).retry_after == 0
    assert str(ProviderZoneError("x")) == "x. Choose another zone"
