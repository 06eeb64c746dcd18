"""The examples of docs/factors.md are files that work."""

from datetime import UTC, date, datetime
from pathlib import Path
import re

import pytest

from custom_components.carbon_meter.carbon.factors.factor import (
    Carrier,
    Confidence,
    Method,
    Scope,
    Stage,
)
from custom_components.carbon_meter.carbon.factors.fuel import (
    Counting,
    emissions,
    find_fuel,
    fuel_query,
)
from custom_components.carbon_meter.carbon.factors.library import (
    PACKAGED_FACTORS,
    FactorLibrary,
    load_library,
)

DOCS = Path(__file__).parents[3] / "docs/factors.md"


@pytest.fixture
def library(tmp_path: Path) -> FactorLibrary:
    examples = re.findall(
        r"^```yaml\n(.*?)^```$", DOCS.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    for number, example in enumerate(examples):
        (tmp_path / f"example_{number}.yaml").write_text(example, encoding="utf-8")
    return load_library([PACKAGED_FACTORS, tmp_path])


def test_the_examples_load(library: FactorLibrary) -> None:
    assert library.problems == ()
    assert library.sources["my_supplier"].scope is Scope.DIRECT
    assert library.sources["my_heat"].published == date(2026, 2, 1)


def test_gas_and_heat_of_the_example(library: FactorLibrary) -> None:
    day, volume = date(2026, 3, 1), Counting(unit="m3")
    gas = find_fuel(library, fuel_query(Carrier.NATURAL_GAS, "DE"), volume, day)
    assert gas.factor.source.id == "my_heat"
    assert emissions(gas.factor, 100, volume) == pytest.approx(100 * 11.2 * 182, rel=1e-12)
    energy = Counting(unit="kWh")
    heat = find_fuel(library, fuel_query(Carrier.DISTRICT_HEAT, "DE"), energy, day)
    assert (heat.factor.value, heat.factor.source.includes_td) == (95.0, True)


@pytest.mark.parametrize(
    ("day", "source", "value"),
    [
        (datetime(2025, 3, 31, tzinfo=UTC), "ember_2024", 342.06),
        (datetime(2025, 4, 1, tzinfo=UTC), "my_supplier", 212.0),
        (datetime(2026, 3, 31, tzinfo=UTC), "my_supplier", 212.0),
        (datetime(2026, 4, 1, tzinfo=UTC), "my_supplier", 187.5),
        (datetime(2030, 1, 1, tzinfo=UTC), "my_supplier", 187.5),
    ],
)
def test_the_example_applies_from_its_dates(
    library: FactorLibrary, day: datetime, source: str, value: float
) -> None:
    factor = library.country("DE", day)
    assert (factor.source.id, factor.value) == (source, value)


def test_the_docs_count_what_is_there() -> None:
    text = DOCS.read_text(encoding="utf-8")
    library = load_library()
    rows = [library.find(zone.code) for zone in library.zones()]
    for source, count in (("ember_2024", 209), ("owid_2023", 5)):
        assert sum(row.source.id == source and row.zone != "001" for row in rows) == count
        assert re.search(rf"`{source}\.yaml` \|.*\| {count} ", text)


def test_the_docs_name_every_file_and_every_word() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for path in PACKAGED_FACTORS.rglob("*.yaml"):
        assert f"`{path.relative_to(PACKAGED_FACTORS).as_posix()}`" in text, path.name
    for words in (Carrier, Stage, Method, Scope, Confidence):
        for word in words:
            assert f"`{word}`" in text, word
