"""Which figure holds for a zone at a time."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from custom_components.carbon_meter.carbon.factors.factor import (
    FactorSource,
    Method,
    Scope,
    Stage,
)
from custom_components.carbon_meter.carbon.factors.library import (
    FactorLibrary,
    Zone,
    load_library,
)


def write(directory: Path, name: str, rows: str, **header: str) -> Path:
    directory.mkdir(exist_ok=True)
    lines = {
        "id": name,
        "title": "A table",
        "publisher": "Somebody",
        "edition": "first",
        "scope": "life_cycle",
        "includes_td": "false",
        **header,
    }
    text = "".join(f"{key}: {value}\n" for key, value in lines.items())
    path = directory / f"{name}.yaml"
    path.write_text(f"{text}factors:\n{rows}", encoding="utf-8")
    return path


def at(year: int, month: int = 7, day: int = 1) -> datetime:
    return datetime(year, month, day, 12, tzinfo=UTC)


def value(library: FactorLibrary, zone: str, when: datetime | None = None) -> float | None:
    factor = library.country(zone, when)
    return factor.value if factor is not None else None


def test_the_newest_year_that_has_begun(tmp_path: Path) -> None:
    write(tmp_path, "old", "  - {zone: DE, year: 2022, value: 400}\n")
    write(
        tmp_path,
        "new",
        "  - {zone: DE, year: 2024, value: 342}\n  - {zone: DE, year: 2023, value: 381}\n",
    )
    library = load_library([tmp_path])
    assert library.problems == ()
    assert value(library, "DE") == 342
    assert value(library, "DE", at(2026)) == 342
    assert value(library, "DE", at(2024, 1, 1)) == 342
    assert value(library, "DE", at(2023, 12, 31)) == 381
    assert value(library, "DE", at(2022)) == 400
    assert value(library, "DE", at(2019)) == 400  # the nearest there is
    assert value(library, "FR", at(2024)) is None
    assert value(library, "de") == 342


def test_a_factor_that_changes_in_the_middle_of_a_year(tmp_path: Path) -> None:
    write(
        tmp_path,
        "dated",
        """\
  - {zone: GB, year: 2022, value: 207, valid_from: 2024-06-01, valid_to: 2025-06-10}
  - {zone: GB, year: 2023, value: 177, valid_from: 2025-06-10}
  - {zone: GB, year: 2025, value: 216}
""",
    )
    library = load_library([tmp_path])
    assert value(library, "GB", at(2024, 5, 31)) == 216
    assert value(library, "GB", at(2024, 6, 1)) == 207
    assert value(library, "GB", at(2025, 3)) == 207
    assert value(library, "GB", at(2025, 6, 9)) == 207
    assert value(library, "GB", at(2025, 6, 10)) == 177
    assert value(library, "GB", at(2030)) == 177
    assert value(library, "GB") == 177


def test_an_open_period_ends_where_the_next_begins(tmp_path: Path) -> None:
    write(
        tmp_path,
        "dated",
        """\
  - {zone: GB, value: 1, valid_from: 2024-06-01}
  - {zone: GB, value: 2, valid_from: 2025-06-01}
""",
    )
    library = load_library([tmp_path])
    assert value(library, "GB", at(2025, 5, 31)) == 1
    assert value(library, "GB", at(2025, 6, 1)) == 2
    assert value(library, "GB", at(2024, 5, 31)) is None


def test_the_day_is_the_sites_own(tmp_path: Path) -> None:
    write(
        tmp_path,
        "dated",
        """\
  - {zone: NZ, value: 1, valid_from: 2024-01-01, valid_to: 2025-01-01}
  - {zone: NZ, value: 2, valid_from: 2025-01-01}
""",
    )
    library = load_library([tmp_path])
    moment = datetime(2024, 12, 31, 12, tzinfo=UTC)
    assert value(library, "NZ", moment) == 1
    assert value(library, "NZ", moment.astimezone(timezone(timedelta(hours=13)))) == 2


def test_a_later_directory_wins_even_with_an_older_figure(tmp_path: Path) -> None:
    write(tmp_path / "a", "packaged", "  - {zone: DE, year: 2024, value: 342}\n")
    write(tmp_path / "b", "own", "  - {zone: DE, year: 2020, value: 12}\n")
    both = load_library([tmp_path / "a", tmp_path / "b"])
    assert value(both, "DE", at(2025)) == 12
    assert both.country("DE").source.id == "own"
    assert value(load_library([tmp_path / "b", tmp_path / "a"]), "DE", at(2025)) == 342


def test_an_own_figure_that_has_run_out_gives_way(tmp_path: Path) -> None:
    write(tmp_path / "a", "packaged", "  - {zone: DE, year: 2024, value: 342}\n")
    write(
        tmp_path / "b",
        "own",
        "  - {zone: DE, value: 12, valid_from: 2025-01-01, valid_to: 2026-01-01}\n",
    )
    library = load_library([tmp_path / "a", tmp_path / "b"])
    assert value(library, "DE", at(2024)) == 342
    assert value(library, "DE", at(2025, 12, 31)) == 12
    assert value(library, "DE", at(2026, 1, 1)) == 342


def test_of_two_files_with_the_same_year_the_last_name_wins(tmp_path: Path) -> None:
    write(tmp_path, "b", "  - {zone: DE, year: 2024, value: 2}\n")
    write(tmp_path, "a", "  - {zone: DE, year: 2024, value: 1}\n")
    assert value(load_library([tmp_path]), "DE") == 2


def test_best_falls_back_to_the_country_and_to_the_world(tmp_path: Path) -> None:
    write(
        tmp_path,
        "table",
        """\
  - {zone: "001", year: 2024, value: 473}
  - {zone: CN, year: 2024, value: 557}
  - {zone: CN-BJ, year: 2022, value: 558}
""",
    )
    library = load_library([tmp_path])
    expected = {"CN-BJ": "CN-BJ", "CN-SH": "CN", "CN-SH-2": "CN", "LI": "001", "": "001"}
    for zone, found in expected.items():
        assert library.best(zone, at(2025)).zone == found
    assert library.best(None).zone == "001"
    assert library.country("LI") is None
    assert load_library([]).best("LI") is None


def test_only_grid_averages_are_taken_unless_asked(tmp_path: Path) -> None:
    rows = "  - {zone: AU, year: 2024, value: %s}\n"
    write(tmp_path, "average", rows % 630, method="consumption_average")
    write(tmp_path, "losses", rows % 70, stage="transmission_distribution")
    write(tmp_path, "marginal", rows % 900, method="marginal")
    write(tmp_path, "residual", rows % 800, method="residual_mix")
    write(tmp_path, "gas", rows % 185, carrier="natural_gas")
    library = load_library([tmp_path])
    assert value(library, "AU", at(2025)) == 630
    assert library.best("AU").value == 630

    def losses(source: FactorSource) -> bool:
        return source.stage is Stage.TRANSMISSION_DISTRIBUTION

    assert library.find("AU", at(2025), losses).value == 70
    assert library.find("AU", None, lambda source: source.method is Method.MARGINAL).value == 900
    assert library.best("AU-NSW", None, losses).value == 70
    assert library.best("NZ", None, losses) is None


def test_zones_for_a_selector(tmp_path: Path) -> None:
    write(
        tmp_path / "a",
        "table",
        """\
  - {zone: ZW, year: 2024, value: 1, name: Zimbabwe}
  - {zone: AX, year: 2024, value: 1, name: Åland Islands}
  - {zone: BE, year: 2024, value: 1, name: Belgium}
  - {zone: BE, year: 2023, value: 2}
  - {zone: XX-1, year: 2024, value: 1}
""",
    )
    write(tmp_path / "a", "gas", "  - {zone: FR, year: 2024, value: 1}\n", carrier="natural_gas")
    write(tmp_path / "b", "own", "  - {zone: BE, year: 2024, value: 1}\n")
    assert load_library([tmp_path / "a", tmp_path / "b"]).zones() == [
        Zone(code="AX", name="Åland Islands"),
        Zone(code="BE", name="Belgium"),
        Zone(code="XX-1", name="XX-1"),
        Zone(code="ZW", name="Zimbabwe"),
    ]


def test_a_faulty_file_costs_no_other(tmp_path: Path) -> None:
    good = write(tmp_path, "good", "  - {zone: DE, year: 2024, value: 342}\n")
    bad = write(tmp_path, "bad", "  []\n", scope="unknown")
    holed = write(tmp_path, "holed", "  - {zone: FR, year: 2024, value: }\n")
    (tmp_path / "broken.yml").write_text("factors: [\n", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not a factor file", encoding="utf-8")
    (tmp_path / ".hidden.yaml").write_text("not a factor file", encoding="utf-8")
    (tmp_path / "empty.yaml").write_text("", encoding="utf-8")
    library = load_library([tmp_path])
    assert value(library, "DE") == 342
    assert set(library.sources) == {"good", "holed"}
    places = {(Path(problem.file).name, problem.line) for problem in library.problems}
    assert places == {(bad.name, 5), (holed.name, 8), ("broken.yml", 2), ("empty.yaml", 1)}
    assert good.name not in {name for name, _ in places}


def test_an_id_is_for_one_file(tmp_path: Path) -> None:
    first = write(tmp_path / "a", "table", "  - {zone: DE, year: 2024, value: 342}\n")
    second = write(tmp_path / "b", "other", "  - {zone: DE, year: 2024, value: 1}\n", id="table")
    library = load_library([tmp_path / "a", tmp_path / "b"])
    assert value(library, "DE") == 342
    (problem,) = library.problems
    assert (problem.file, problem.line) == (str(second), 1)
    assert str(first) in problem.message


def test_directories_that_cannot_be_read(tmp_path: Path) -> None:
    assert load_library([tmp_path / "absent"]).problems == ()
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    (problem,) = load_library([file]).problems
    assert problem.file == str(file)


@pytest.mark.parametrize("scope", list(Scope))
def test_the_scope_comes_with_the_factor(tmp_path: Path, scope: Scope) -> None:
    write(tmp_path, "table", "  - {zone: DE, year: 2024, value: 1}\n", scope=scope)
    assert load_library([tmp_path]).country("DE").scope is scope
