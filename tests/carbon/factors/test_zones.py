"""From a zone outwards to the world, and what is said of it."""

from datetime import date
from pathlib import Path

import pytest

from custom_components.carbon_meter.carbon.factors.factor import Scope
from custom_components.carbon_meter.carbon.factors.library import Caveat, load_library
from custom_components.carbon_meter.carbon.factors.selection import Selection
from custom_components.carbon_meter.carbon.factors.zones import AROUND, zone_and_around

from .tables import write

PACKAGED = load_library()


@pytest.mark.parametrize(
    ("zone", "around"),
    [
        ("DE", ["DE", "001"]),
        ("CN-BJ", ["CN-BJ", "CN-NORTH", "CN", "001"]),
        ("cn-gd", ["CN-GD", "CN-SOUTH", "CN", "001"]),
        ("CN-NM", ["CN-NM", "CN", "001"]),
        ("AU-ACT", ["AU-ACT", "AU-NSW", "AU", "001"]),
        ("US-CAL-CISO", ["US-CAL-CISO", "US-CAL", "US", "001"]),
        ("001", ["001"]),
        ("", ["001"]),
        (None, ["001"]),
    ],
)
def test_the_way_outwards(zone: str | None, around: list[str]) -> None:
    assert list(zone_and_around(zone)) == around


def test_every_zone_around_another_has_a_figure() -> None:
    assert all(PACKAGED.find(outer) is not None for outer in AROUND.values())


@pytest.mark.parametrize(
    ("zone", "found", "passed"),
    [
        ("CN-BJ", "CN-BJ", ()),
        ("CN-XZ", "CN-SOUTHWEST", ("CN-XZ",)),
        ("CN-HK", "CN", ("CN-HK",)),
        ("AU-ACT", "AU-NSW", ("AU-ACT",)),
        ("AU-WA", "AU", ("AU-WA",)),
        ("US-TEX-ERCO", "US", ("US-TEX-ERCO", "US-TEX")),
        ("AQ", "001", ("AQ",)),
    ],
)
def test_the_answer_says_how_far_it_went(zone: str, found: str, passed: tuple[str, ...]) -> None:
    resolved = PACKAGED.resolve(zone)
    assert (resolved.factor.zone, resolved.passed) == (found, passed)
    assert (Caveat.ANOTHER_ZONE in resolved.caveats) == bool(passed)


def test_what_is_not_verified_is_said() -> None:
    official = Selection(scope=Scope.DIRECT)
    assert PACKAGED.resolve("IN", None, official).caveats == (Caveat.NOT_VERIFIED,)
    assert PACKAGED.resolve("IN-DL", None, official).caveats == (
        Caveat.ANOTHER_ZONE,
        Caveat.NOT_VERIFIED,
    )
    assert PACKAGED.resolve("CN", None, official).caveats == ()


def test_a_scope_is_never_mixed_with_the_other(tmp_path: Path) -> None:
    write(tmp_path, "direct", "  - {zone: DE, year: 2024, value: 1}\n")
    write(tmp_path, "whole", "  - {zone: DE, year: 2020, value: 2}\n", scope="life_cycle")
    both = load_library([tmp_path])
    assert both.find("DE").value == 2
    assert both.find("DE", date(2024, 6, 1)).value == 2
    assert both.find("DE", None, Selection(scope=Scope.DIRECT)).value == 1
    assert both.find("DE", None, Selection(scope=Scope.LIFE_CYCLE)).value == 2


def test_the_official_factor_of_a_country_is_there_beside_the_common_one() -> None:
    assert PACKAGED.find("CN").source.id == "ember_2024"
    assert PACKAGED.find("CN", None, Selection(scope=Scope.DIRECT)).value == 530.6
    assert PACKAGED.find("GB").source.id == "ember_2024"
    day = date(2025, 7, 1)
    assert PACKAGED.find("GB", day, Selection(scope=Scope.DIRECT)).value == 177.0
