"""The factor files that come with the integration, against the tables they are from."""

from collections import Counter
import csv
from datetime import date
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

from homeassistant.generated.countries import COUNTRIES
import pytest
import yaml

from custom_components.carbon_meter.carbon.factors.factor import (
    WORLD,
    Carrier,
    Method,
    Scope,
    Stage,
)
from custom_components.carbon_meter.carbon.factors.library import (
    PACKAGED_FACTORS,
    FactorLibrary,
    load_library,
)
from custom_components.carbon_meter.carbon.factors.selection import Selection

REPOSITORY = Path(__file__).parents[3]
DATA = REPOSITORY.parent / "shared/data"

needs_tables = pytest.mark.skipif(
    not (DATA / "carbon/factors").is_dir(),
    reason="the source tables (carbon/factors) do not lie beside this checkout",
)

COUNTRY_TABLES = {"ember_2024", "owid_2023"}

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
    assert set(library.sources) > COUNTRY_TABLES


def test_every_source_says_what_it_is(library: FactorLibrary) -> None:
    for source in library.sources.values():
        assert source.licence, source.id
        assert source.attribution, source.id
        assert source.url.startswith("https://"), source.id
        assert source.gases, source.id
        assert source.gwp, source.id
        assert source.notes, source.id


def test_the_tables_of_all_countries_are_of_one_kind(library: FactorLibrary) -> None:
    for name in COUNTRY_TABLES:
        source = library.sources[name]
        assert source.publisher in source.attribution
        assert source.scope is Scope.LIFE_CYCLE
        assert source.method is Method.GENERATION_AVERAGE
        assert source.includes_td is False
        assert source.unit == "gCO2eq/kWh"


def test_countries_with_and_without_a_figure(library: FactorLibrary) -> None:
    zones = {zone.code for zone in library.zones()} - {WORLD}
    countries = {zone for zone in zones if "-" not in zone}
    assert len(countries) == 214
    assert countries - COUNTRIES == {"XK"}
    assert COUNTRIES - countries == set(MISSING.split())
    for code in MISSING.split():
        assert library.country(code) is None
        assert library.best(code).zone == WORLD


def test_parts_of_countries_are_of_a_country(library: FactorLibrary) -> None:
    parts = [zone for zone in library.zones() if "-" in zone.code]
    assert Counter(zone.code[:2] for zone in parts) == {"CN": 37, "AU": 8, "US": 2}
    for zone in parts:
        assert library.best(zone.code).zone == zone.code
        assert zone.name.startswith(library.find(zone.code[:2]).name)


def test_no_country_is_in_both_tables() -> None:
    zones = Counter(
        row["zone"]
        for name in COUNTRY_TABLES
        for row in yaml.safe_load((PACKAGED_FACTORS / f"{name}.yaml").read_text("utf-8"))["factors"]
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
    zeros = [zone.code for zone in library.zones() if library.find(zone.code).value == 0.0]
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
        for name in COUNTRY_TABLES:
            factor = library.find(zone.code, None, Selection(table=name))
            if factor is not None:
                found[zone.code] = (factor.year, factor.value, name)
    assert found == expected


@needs_tables
def test_the_files_are_what_the_script_writes(make_factors: ModuleType) -> None:
    written = make_factors.files(DATA)
    assert {f"{name}.yaml" for name in COUNTRY_TABLES} < set(written)
    for name, text in written.items():
        assert (PACKAGED_FACTORS / name).read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("table", "lifecycle", "consumption_based", "includes_td"),
    [
        ("ember_2024", True, False, False),
        ("china_mee_2023", False, True, False),
        ("china_footprint_2024", True, True, True),
        ("egrid_2023", False, False, False),
        ("uk_desnz_2026", False, False, False),
    ],
)
def test_what_must_not_be_added_twice(
    library: FactorLibrary,
    table: str,
    lifecycle: bool,
    consumption_based: bool,
    includes_td: bool,
) -> None:
    source = library.sources[table]
    assert source.lifecycle is lifecycle
    assert source.consumption_based is consumption_based
    assert source.includes_td is includes_td


def test_what_is_read_second_hand_is_marked(library: FactorLibrary) -> None:
    for source in library.sources.values():
        if source.confidence == "secondary":
            assert source.via, source.id
    assert library.sources["india_cea_v21"].confidence == "secondary"
    assert library.sources["china_mee_2023"].confidence == "verified"


def printed(library: FactorLibrary, zone: str, table: str, **wanted: object) -> float | None:
    """Return what a table has for a zone on the newest day, in its own unit of kg."""
    factor = library.find(zone, None, Selection(table=table, **wanted))
    return round(factor.value / 1000, 9) if factor is not None else None


@pytest.mark.parametrize(
    ("zone", "figures"),
    [
        ("CN", (0.5568, 0.5366, 0.5306)),
        ("CN-NORTH", (None, 0.6776, 0.6361)),
        ("CN-NORTHEAST", (None, 0.5564, 0.5122)),
        ("CN-EAST", (None, 0.5617, 0.5500)),
        ("CN-CENTRAL", (None, 0.5395, 0.5271)),
        ("CN-NORTHWEST", (None, 0.5857, 0.5543)),
        ("CN-SOUTH", (None, 0.3869, 0.4042)),
        ("CN-SOUTHWEST", (None, 0.2268, 0.2472)),
        ("CN-BJ", (0.5688, 0.5580, None)),
        ("CN-TJ", (0.7355, 0.7041, None)),
        ("CN-HE", (0.7901, 0.7252, None)),
        ("CN-SX", (0.7222, 0.7096, None)),
        ("CN-NM", (0.7025, 0.6849, None)),
        ("CN-LN", (0.5876, 0.5626, None)),
        ("CN-JL", (0.5629, 0.4932, None)),
        ("CN-HL", (0.6342, 0.5368, None)),
        ("CN-SH", (0.5834, 0.5849, None)),
        ("CN-JS", (0.6451, 0.5978, None)),
        ("CN-ZJ", (0.5422, 0.5153, None)),
        ("CN-AH", (0.7075, 0.6782, None)),
        ("CN-FJ", (0.4711, 0.4092, None)),
        ("CN-JX", (0.5835, 0.5752, None)),
        ("CN-SD", (0.6838, 0.6410, None)),
        ("CN-HA", (0.6369, 0.6058, None)),
        ("CN-HB", (0.3672, 0.4364, None)),
        ("CN-HN", (0.5138, 0.4900, None)),
        ("CN-GD", (0.4715, 0.4403, None)),
        ("CN-GX", (0.5154, 0.4044, None)),
        ("CN-HI", (0.4524, 0.4184, None)),
        ("CN-CQ", (0.4743, 0.5227, None)),
        ("CN-SC", (0.1255, 0.1404, None)),
        ("CN-GZ", (0.5182, 0.4989, None)),
        ("CN-YN", (0.1235, 0.1073, None)),
        ("CN-SN", (0.6336, 0.6558, None)),
        ("CN-GS", (0.4955, 0.4772, None)),
        ("CN-QH", (0.1326, 0.1567, None)),
        ("CN-NX", (0.6546, 0.6423, None)),
        ("CN-XJ", (0.6577, 0.6231, None)),
    ],
)
def test_china(library: FactorLibrary, zone: str, figures: tuple[float | None, ...]) -> None:
    """Ministry of Ecology and Environment, 2021 to 2023, in kgCO2/kWh (facts, A9)."""
    found = tuple(printed(library, zone, f"china_mee_{year}") for year in (2021, 2022, 2023))
    assert found == figures


def test_china_beside_the_averages(library: FactorLibrary) -> None:
    """What is left without traded certificates, and fossil power alone (facts, A9)."""
    residual = {"methods": {Method.RESIDUAL_MIX}}
    assert printed(library, "CN", "china_mee_2022", **residual) == 0.5856
    assert printed(library, "CN", "china_mee_2023", **residual) == 0.6096
    fossil = [
        printed(library, "CN", f"china_mee_{year}", technology="fossil")
        for year in (2021, 2022, 2023)
    ]
    assert fossil == [0.8426, 0.8325, 0.8273]


def test_the_footprint_of_china_by_stages(library: FactorLibrary) -> None:
    """The whole way, and the grid's part of it, in kgCO2eq/kWh (facts, A3)."""
    assert printed(library, "CN", "china_footprint_2023") == 0.6205
    assert printed(library, "CN", "china_footprint_2024") == 0.5777
    td = printed(library, "CN", "china_footprint_2024", stage=Stage.TRANSMISSION_DISTRIBUTION)
    assert td == 0.0327
    assert library.find("CN", None, Selection(table="china_footprint_2024")).source.includes_td
    kinds = {
        technology: printed(library, "CN", "china_footprint_2023", technology=technology)
        for technology in ("wind", "solar", "biomass")
    }
    assert kinds == {"wind": 0.0336, "solar": 0.0545, "biomass": 0.0457}


@pytest.mark.parametrize(
    ("zone", "pounds", "grams"),
    [
        ("US-CAMX", 429.983, 195.037),
        ("US-RFCE", 599.170, 271.779),
        ("US", 770.884, 349.667),
    ],
)
def test_egrid_in_pounds(library: FactorLibrary, zone: str, pounds: float, grams: float) -> None:
    """EPA eGRID2023 revision 2: lb/MWh times 0.45359237 (facts, A9)."""
    factor = library.find(zone, None, Selection(table="egrid_2023"))
    assert round(factor.value, 3) == grams
    assert factor.value == pytest.approx(pounds * 0.45359237, rel=1e-15)


def test_india(library: FactorLibrary) -> None:
    """CEA, version 21, by Indian financial years, in kgCO2/kWh (facts, A9)."""
    table = Selection(table="india_cea_v21")
    assert library.find("IN", date(2024, 3, 31), table).value == 729.0
    assert library.find("IN", date(2024, 4, 1), table).value == 711.7
    margins = {
        method: printed(library, "IN", "india_cea_v21", methods={method})
        for method in (Method.COMBINED_MARGIN, Method.OPERATING_MARGIN, Method.BUILD_MARGIN)
    }
    assert list(margins.values()) == [0.7383, 0.9646, 0.5119]


@pytest.mark.parametrize(
    ("zone", "scope_2", "scope_3"),
    [
        ("AU-NSW", 0.66, 0.04),
        ("AU-VIC", 0.77, 0.09),
        ("AU-QLD", 0.71, 0.10),
        ("AU-SA", 0.23, 0.05),
        ("AU-WA-SWIS", 0.51, 0.06),
        ("AU-TAS", 0.15, 0.03),
        ("AU-NT", 0.56, 0.07),
        ("AU", 0.63, 0.07),
    ],
)
def test_australia(library: FactorLibrary, zone: str, scope_2: float, scope_3: float) -> None:
    """NGA Factors 2024, in kgCO2eq/kWh (facts, A9)."""
    assert printed(library, zone, "australia_nga_2024") == scope_2
    assert printed(library, zone, "australia_nga_2024", stage=Stage.UPSTREAM_AND_LOSSES) == scope_3


@pytest.mark.parametrize(
    ("table", "wanted", "value"),
    [
        ("uk_desnz_2024", {}, 0.20705),
        ("uk_desnz_2025", {}, 0.17700),
        ("uk_desnz_2026", {}, 0.13096),
        ("uk_desnz_2025", {"stage": Stage.TRANSMISSION_DISTRIBUTION}, 0.01853),
        ("uk_desnz_2026", {"stage": Stage.TRANSMISSION_DISTRIBUTION}, 0.01299),
        ("uk_desnz_2025", {"carrier": Carrier.DISTRICT_HEAT}, 0.17529),
        ("uk_desnz_2025", {"carrier": Carrier.WATER}, 0.1913),
        ("uk_desnz_2025", {"carrier": Carrier.WASTEWATER}, 0.17088),
    ],
)
def test_united_kingdom(
    library: FactorLibrary, table: str, wanted: dict[str, object], value: float
) -> None:
    """DESNZ conversion factors, in kgCO2eq per kWh or m³ (facts, A9; the flat files)."""
    assert printed(library, "GB", table, **wanted) == value


def test_the_united_kingdom_between_its_editions(library: FactorLibrary) -> None:
    """From 2025 to 2026 about 26 % less, losses about 30 % less (facts, A9)."""
    fall = [
        1
        - printed(library, "GB", "uk_desnz_2026", stage=stage)
        / printed(library, "GB", "uk_desnz_2025", stage=stage)
        for stage in (Stage.GENERATION, Stage.TRANSMISSION_DISTRIBUTION)
    ]
    assert [round(share, 2) for share in fall] == [0.26, 0.30]


@pytest.mark.parametrize(
    ("technology", "figures"),
    [
        ("coal", (740, 820, 910)),
        ("gas", (410, 490, 650)),
        ("biomass_cofiring", (620, 740, 890)),
        ("biomass", (130, 230, 420)),
        ("geothermal", (6, 38, 79)),
        ("hydro", (1, 24, 2200)),
        ("nuclear", (3.7, 12, 110)),
        ("solar_concentrating", (8.8, 27, 63)),
        ("solar_rooftop", (None, 41, 60)),
        ("solar_utility", (18, 48, 180)),
        ("wind_onshore", (7, 11, 56)),
        ("wind_offshore", (8, 12, 35)),
        ("ocean", (5.6, 17, 28)),
    ],
)
def test_ipcc_ar5(
    library: FactorLibrary, technology: str, figures: tuple[float | None, ...]
) -> None:
    """Table A.III.2 of the Fifth Assessment Report, working group III (facts, A1)."""
    wanted = Selection(table="ipcc_ar5_generation", technology=technology, scope=Scope.LIFE_CYCLE)
    factor = library.find(WORLD, None, wanted)
    assert (factor.low, factor.value, factor.high) == figures


def test_ipcc_ar5_at_the_chimney(library: FactorLibrary) -> None:
    """Direct emissions of coal and gas in the same table (facts, A1)."""
    found = {}
    for technology in ("coal", "gas"):
        wanted = Selection(table="ipcc_ar5_generation", technology=technology, scope=Scope.DIRECT)
        factor = library.find(WORLD, None, wanted)
        found[technology] = (factor.low, factor.value, factor.high)
    assert found == {"coal": (670, 760, 870), "gas": (350, 370, 490)}
