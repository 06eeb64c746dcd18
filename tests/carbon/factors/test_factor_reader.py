"""One factor file, sound and faulty."""

from datetime import date
from pathlib import Path

import pytest

from custom_components.carbon_meter.carbon.factors.factor import (
    Carrier,
    Method,
    Scope,
    Stage,
)
from custom_components.carbon_meter.carbon.factors.reader import FactorFile, read_factor_file
from custom_components.carbon_meter.datafile import DataFileError

HEADER = """\
id: mine
title: Figures of my supplier
publisher: Stadtwerke
edition: "2025"
scope: direct
includes_td: true
"""


def read(tmp_path: Path, rows: str, header: str = HEADER) -> FactorFile:
    path = tmp_path / "mine.yaml"
    path.write_text(f"{header}factors:\n{rows}", encoding="utf-8")
    return read_factor_file(path)


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


def test_a_sound_file(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        """\
  - {zone: NO, year: 2024, value: 30.75, name: Norge}
  - zone: CN-BJ
    value: 558
    valid_from: 2025-04-01
    valid_to: 2026-04-01
    note: half a year late
""",
    )
    assert file.problems == ()
    norway, beijing = file.factors
    assert (norway.zone, norway.value, norway.year, norway.name) == ("NO", 30.75, 2024, "Norge")
    assert norway.line == 8
    assert not norway.is_dated
    assert (beijing.zone, beijing.value, beijing.year) == ("CN-BJ", 558.0, None)
    assert (beijing.valid_from, beijing.valid_to) == (date(2025, 4, 1), date(2026, 4, 1))
    assert beijing.note == "half a year late"
    assert beijing.is_dated
    source = file.source
    assert norway.source is beijing.source is source
    assert (source.id, source.publisher, source.edition) == ("mine", "Stadtwerke", "2025")
    assert norway.scope is source.scope is Scope.DIRECT
    assert source.includes_td is True
    assert source.unit == "gCO2eq/kWh"
    assert (source.carrier, source.stage) == (Carrier.ELECTRICITY, Stage.GENERATION)
    assert source.method is Method.GENERATION_AVERAGE
    assert source.licence is None
    assert source.file.endswith("mine.yaml")


def test_figures_are_converted_from_the_unit_of_the_file(tmp_path: Path) -> None:
    rows = "  - {zone: CN, year: 2023, value: 0.5306}\n"
    file = read(tmp_path, rows, HEADER + "unit: kgCO2/kWh\n")
    assert file.factors[0].value == 530.6
    assert file.source.unit == "kgCO2/kWh"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{zone: DE, year: 2024}", "factors.value: required key not provided"),
        ("{zone: DE, year: 2024, value: }", "factors.value: the figure is missing"),
        ("{zone: DE, year: 2024, value: ~}", "factors.value: the figure is missing"),
        ("{zone: DE, year: 2024, value: .nan}", "factors.value: nan is not a figure"),
        ("{zone: DE, year: 2024, value: .inf}", "factors.value: inf is not a figure"),
        ("{zone: DE, year: 2024, value: -1}", "factors.value: -1 is negative"),
        ("{zone: DE, year: 2024, value: n/a}", "factors.value: 'n/a' is not a number"),
        ("{zone: DE, year: 2024, value: true}", "factors.value: True is not a number"),
        ("{zone: DE, year: 2024, value: 342,06}", "factors.06: not a valid option"),
        ("{zone: DE, year: 2024, value: 5001}", "5001 gCO2eq/kWh is more than any supply emits"),
        (f"{{zone: DE, year: 2024, value: 1{'0' * 400}}}", "factors.value: inf is not a figure"),
        ("{zone: DE, year: 24, value: 300}", "factors.year: 24 is not a year"),
        ("{zone: DE, value: 300}", "a year, or valid_from, is missing"),
        ("{zone: DE, valid_from: 2025-02-30, value: 300}", "'2025-02-30' is not a day"),
        ("{zone: DE, valid_from: 2025, value: 300}", "2025 is not a day"),
        (
            "{zone: DE, valid_from: 2025-01-02, valid_to: 2025-01-02, value: 300}",
            "factors.valid_to: 2025-01-02 does not come after valid_from, 2025-01-02",
        ),
        ("{zone: DE, year: 2024, value: 300, valid_form: 2025-01-01}", "did you mean"),
        ("{zone: DEU, year: 2024, value: 300}", "'DEU' is not a zone"),
        ("{zone: de, year: 2024, value: 300}", "'de' is not a zone"),
        ("{zone: 826, year: 2024, value: 300}", "write it in quotes"),
        ("{year: 2024, value: 300}", "factors.zone: required key not provided"),
        ("DE", "expected a mapping"),
        ("", "expected a mapping"),
    ],
)
def test_a_faulty_row_is_named_and_costs_no_other(tmp_path: Path, row: str, message: str) -> None:
    rows = f"""\
  - {{zone: FR, year: 2024, value: 44.18}}
  - {row}
  - {{zone: IT, year: 2024, value: 287.55}}
"""
    file = read(tmp_path, rows)
    assert [factor.zone for factor in file.factors] == ["FR", "IT"]
    problem = file.problems[0]
    assert problem.file == str(tmp_path / "mine.yaml")
    assert problem.line == 9
    assert message in problem.message
    assert "not used" in problem.message


def test_the_line_of_a_fault_is_the_line_of_the_value(tmp_path: Path) -> None:
    rows = "  - zone: DE\n    year: 2024\n    value: n/a\n"
    (problem,) = read(tmp_path, rows).problems
    assert problem.line == 10
    assert str(problem).startswith(f"{tmp_path / 'mine.yaml'}:10: factors.value:")
    assert "the row DE is not used" in problem.message


def test_a_high_figure_within_reason_is_kept(tmp_path: Path) -> None:
    rows = "  - {zone: TM, year: 2023, value: 5000}\n"
    assert read(tmp_path, rows).factors[0].value == 5000


def test_rows_for_the_same_time_are_both_dropped(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        """\
  - {zone: DE, year: 2024, value: 342.06}
  - {zone: DE, year: 2023, value: 380.95}
  - {zone: DE, year: 2024, value: 324.06}
  - {zone: FR, year: 2024, value: 44.18}
""",
    )
    assert [(factor.zone, factor.year) for factor in file.factors] == [("DE", 2023), ("FR", 2024)]
    (problem,) = file.problems
    assert problem.line == 10
    assert "DE is written more than once" in problem.message
    assert "8 and 10" in problem.message


def test_repeated_rows_in_one_line_do_not_drag_others_along(tmp_path: Path) -> None:
    rows = "  [{zone: DE, year: 2024, value: 1}, {zone: DE, year: 2024, value: 1}, {zone: FR, year: 2024, value: 2}]"  # noqa: E501
    file = read(tmp_path, rows)
    assert [factor.zone for factor in file.factors] == ["FR"]
    assert len(file.problems) == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("scope: direct", "scope: some", "scope: expected Scope or one of"),
        ("scope: direct\n", "", "scope: required key not provided"),
        ("includes_td: true", "includes_td: 1", "includes_td: expected true or false"),
        ("includes_td: true\n", "", "includes_td: required key not provided"),
        ("id: mine", "id: My file", "id: expected lower-case letters"),
        ("title: ", "titel: ", "title: required key not provided"),
        ('edition: "2025"', "edition: 2025", "edition: expected a text"),
        ("scope: direct", "scope: direct\nunit: '%'", "unit: '%' is not a unit"),
    ],
)
def test_a_faulty_header_costs_the_file(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in HEADER
    with pytest.raises(DataFileError) as caught:
        read(
            tmp_path,
            "  - {zone: DE, year: 2024, value: 342.06}\n",
            HEADER.replace(old, new, 1),
        )
    assert any(message in problem.message for problem in caught.value.problems)


def test_the_line_of_a_header_fault(tmp_path: Path) -> None:
    header = HEADER.replace("scope: direct", "scope: some")
    with pytest.raises(DataFileError) as caught:
        read(tmp_path, "  []\n", header)
    (problem,) = caught.value.problems
    assert problem.line == line_of(header, "scope: some") == 5


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ("  - {zone: DE, year: 2024, value: 1\n  - {zone: FR}\n", 9),
        ("  - {zone: DE, year: 2024, value: 1}\n  - {zone: FR, zone: IT}\n", 9),
        ("  - {zone: DE, year: 2024, value: 1}\n\x07\n", 9),
    ],
)
def test_what_is_not_yaml_costs_the_file(tmp_path: Path, rows: str, line: int) -> None:
    with pytest.raises(DataFileError) as caught:
        read(tmp_path, rows)
    assert caught.value.problems[0].file == str(tmp_path / "mine.yaml")
    assert caught.value.problems[0].line == line


def test_a_file_nested_beyond_reason_costs_the_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("[" * 2000 + "]" * 2000, encoding="utf-8")
    with pytest.raises(DataFileError, match=r"mine\.yaml:1: nested too deeply"):
        read_factor_file(path)
