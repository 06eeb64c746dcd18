"""The factor files that come with the integration, against the tables they are from."""

from collections import Counter
import csv
import importlib.util
import json
from pathlib import Path
import time
from types import ModuleType
from typing import Any

from homeassistant.generated.countries import COUNTRIES
import pytest
import yaml

from custom_components.carbon_meter.carbon.factors.factor import WORLD, Method, Scope
from custom_components.carbon_meter.carbon.factors.library import (
    PACKAGED_FACTORS,
    FactorLibrary,
    load_library,
)

REPOSITORY = Path(__file__).parents[3]
DATA = REPOSITORY.parent / "shared/data"

needs_tables = pytest.mark.skipif(
    not (DATA / "carbon/factors").is_dir(),
    reason="the source tables (carbon/factors) do not lie beside this checkout",
)

MISSING = """
AD AI AQ AX BL BQ BV CC CW CX FM GG GS HM IM IO JE LI MC MF MH MP NF NU PN PW SJ SM SX
TF TK TV UM VA WF YT
"""


@pytest.fixture(scope="module")
def library() -> FactorLibrary:
    return load_library()


@pytest.fixture(scope="module")
def make_factors() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "make_factors", REPOSITORY / "scripts/make_factors.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def alpha_2() -> dict[str, str]:
    with (REPOSITORY / "scripts/countries.csv").open(encoding="utf-8", newline="") as file:
        return {row["alpha_3"]: row["alpha_2"] for row in csv.DictReader(file)}


def table(name: str) -> dict[str, Any]:
    return json.loads((DATA / "carbon/factors" / name).read_text(encoding="utf-8"))


def test_every_file_loads_without_a_problem(library: FactorLibrary) -> None:
    assert library.problems == ()
    assert set(library.sources) == {path.stem for path in PACKAGED_FACTORS.glob("*.yaml")}
    assert set(library.sources) == {"ember_2024", "owid_2023"}


def test_every_source_says_what_it_is(library: FactorLibrary) -> None:
    for source in library.sources.values():
        assert source.licence
        assert source.publisher in source.attribution
        assert source.url.startswith("https://")
        assert source.gases
        assert source.gwp
        assert source.scope is Scope.LIFE_CYCLE
        assert source.method is Method.GENERATION_AVERAGE
        assert source.includes_td is False
        assert source.unit == "gCO2eq/kWh"


def test_countries_with_and_without_a_figure(library: FactorLibrary) -> None:
    zones = {zone.code for zone in library.zones()} - {WORLD}
    assert len(zones) == 214
    assert zones - COUNTRIES == {"XK"}
    assert COUNTRIES - zones == set(MISSING.split())
    for code in MISSING.split():
        assert library.country(code) is None
        assert library.best(code).zone == WORLD


def test_no_country_is_in_two_files() -> None:
    zones = Counter(
        row["zone"]
        for path in PACKAGED_FACTORS.glob("*.yaml")
        for row in yaml.safe_load(path.read_text(encoding="utf-8"))["factors"]
    )
    assert set(zones.values()) == {1}


@pytest.mark.parametrize(
    ("zone", "year", "value", "source"),
    [
        ("001", 2024, 472.94, "ember_2024"),
        ("AU", 2024, 553.76, "ember_2024"),
        ("CN", 2024, 557.5, "ember_2024"),
        ("DE", 2024, 342.06, "ember_2024"),
        ("FR", 2024, 44.18, "ember_2024"),
        ("GB", 2024, 215.79, "ember_2024"),
        ("IN", 2024, 708.96, "ember_2024"),
        ("JP", 2024, 483.73, "ember_2024"),
        ("US", 2024, 383.55, "ember_2024"),
        ("NO", 2024, 30.75, "ember_2024"),
        ("XK", 2024, 958.72, "ember_2024"),
        ("ZM", 2023, 111.0, "ember_2024"),
        ("BM", 2022, 650.794, "owid_2023"),
        ("EH", 2009, 666.667, "owid_2023"),
        ("GI", 2022, 600.0, "owid_2023"),
        ("SH", 2022, 1000.0, "owid_2023"),
        ("TL", 2022, 666.667, "owid_2023"),
    ],
)
def test_figures_as_printed(
    library: FactorLibrary, zone: str, year: int, value: float, source: str
) -> None:
    factor = library.find(zone)
    assert (factor.year, factor.value, factor.source.id) == (year, value, source)


def test_a_printed_zero_is_explained(library: FactorLibrary) -> None:
    zeros = [zone.code for zone in library.zones() if library.find(zone.code).value == 0]
    assert zeros == ["CF"]
    assert "rounded" in library.country("CF").note


def test_the_country_table_is_iso_3166(alpha_2: dict[str, str]) -> None:
    assert set(alpha_2.values()) == COUNTRIES | {"XK"}
    assert len(alpha_2) == len(set(alpha_2.values()))
    expected = {"CHE": "CH", "CHN": "CN", "AUT": "AT", "AUS": "AU", "PRK": "KP", "KOR": "KR"}
    assert {code: alpha_2[code] for code in expected} == expected


@needs_tables
def test_every_row_against_the_tables(library: FactorLibrary, alpha_2: dict[str, str]) -> None:
    expected = {}
    for code, row in table("codecarbon_global_energy_mix.json").items():
        expected[alpha_2[code]] = (row["year"], row["carbon_intensity"], "owid_2023")
    for key, row in table("ember_average-intensities_co2js_0.19.0.json").items():
        if key == "World" or row["country_code"]:
            zone = WORLD if key == "World" else alpha_2[row["country_code"]]
            figure = row["emissions_intensity_gco2_per_kwh"]
            expected[zone] = (row["year"], figure, "ember_2024")
    found = {}
    for zone in library.zones():
        factor = library.find(zone.code)
        found[zone.code] = (factor.year, factor.value, factor.source.id)
    assert found == expected


@needs_tables
def test_the_files_are_what_the_script_writes(make_factors: ModuleType) -> None:
    written = make_factors.files(DATA)
    assert {path.name for path in PACKAGED_FACTORS.glob("*.yaml")} == set(written)
    for name, text in written.items():
        assert (PACKAGED_FACTORS / name).read_text(encoding="utf-8") == text


def test_loading_does_not_hold_up_a_start() -> None:
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        load_library()
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.15
