"""Which provider and which zone are offered where."""

import pytest

from custom_components.carbon_meter.carbon.intensity.live.catalogue import PROVIDERS, by_nearness
from custom_components.carbon_meter.carbon.intensity.live.energinet import area_at
from custom_components.carbon_meter.carbon.intensity.live.entsoe_areas import AREAS


@pytest.mark.parametrize(
    ("country", "first"),
    [
        ("GB", ["neso", "neso_regional", "electricity_maps"]),
        ("DE", ["energy_charts", "entsoe", "electricity_maps"]),
        ("FR", ["eco2mix", "energy_charts", "entsoe"]),
        ("DK", ["energinet", "energy_charts", "entsoe"]),
        ("FI", ["energy_charts", "fingrid", "entsoe"]),
        ("NL", ["energy_charts", "ned", "entsoe"]),
        ("US", ["eia", "electricity_maps", "watttime"]),
        ("AU", ["open_electricity", "electricity_maps", "watttime"]),
        ("CN", ["electricity_maps", "watttime"]),
        (None, ["electricity_maps", "watttime"]),
    ],
)
def test_what_is_near_comes_first(country, first) -> None:
    order = [provider.key for provider in by_nearness(country)]
    assert order[: len(first)] == first
    assert sorted(order) == sorted(PROVIDERS)


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_every_suggestion_is_a_zone(provider) -> None:
    for country in provider.countries or ("DE", "FR"):
        assert provider.serves(country)
        if zone := provider.suggested_zone(country):
            assert provider.zone(zone) == zone
    # Nothing is suggested where nothing is known.
    assert provider.suggested_zone(None) == ""
    assert provider.countries is None or provider.suggested_zone("XX") == ""


def test_areas_of_countries_bear_their_names() -> None:
    countries = PROVIDERS["entsoe"].countries
    assert countries is not None
    named = {country: AREAS[area] for country, area in countries.items() if area}
    for country, name in (
        ("AT", "Austria"),
        ("IE", "Ireland"),
        ("XK", "Kosovo"),
        ("LU", "Germany"),
    ):
        assert named[country].startswith(name)
    # Luxembourg is in the area of Germany; no other two countries share one.
    assert len(set(named.values())) == len(named) - 1
    assert {country for country, area in countries.items() if not area} == {"DK", "NO", "SE"}


@pytest.mark.parametrize(
    ("place", "latitude", "longitude", "area"),
    [
        ("Aarhus", 56.16, 10.20, "DK1"),
        ("Odense", 55.40, 10.39, "DK1"),
        ("Nyborg", 55.31, 10.79, "DK1"),
        ("Rudkøbing", 54.94, 10.71, "DK1"),
        ("Skagen", 57.72, 10.58, "DK1"),
        ("Anholt", 56.71, 11.57, "DK1"),
        ("Copenhagen", 55.68, 12.57, "DK2"),
        ("Kalundborg", 55.68, 11.09, "DK2"),
        ("Korsør", 55.33, 11.14, "DK2"),
        ("Nakskov", 54.83, 11.14, "DK2"),
        ("Gilleleje", 56.12, 12.31, "DK2"),
        ("Rønne", 55.10, 14.71, "DK2"),
    ],
)
def test_the_great_belt_parts_denmark(place, latitude, longitude, area) -> None:
    assert area_at(latitude, longitude) == area, place
