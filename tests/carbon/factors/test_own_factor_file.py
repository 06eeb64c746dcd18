"""The example of docs/factors.md is a file that works."""

from datetime import UTC, datetime
from pathlib import Path
import re

import pytest

from custom_components.carbon_meter.carbon.factors.factor import Scope
from custom_components.carbon_meter.carbon.factors.library import (
    PACKAGED_FACTORS,
    FactorLibrary,
    load_library,
)

DOCS = Path(__file__).parents[3] / "docs/factors.md"


@pytest.fixture
def library(tmp_path: Path) -> FactorLibrary:
    (example,) = re.findall(
        r"^```yaml\n(.*?)^```$", DOCS.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    (tmp_path / "example.yaml").write_text(example, encoding="utf-8")
    return load_library([PACKAGED_FACTORS, tmp_path])


def test_the_example_loads(library: FactorLibrary) -> None:
    assert library.problems == ()
    assert library.sources["my_supplier"].scope is Scope.DIRECT


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
