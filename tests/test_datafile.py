"""Data files: every problem has a file and a line, and nothing is guessed."""

from pathlib import Path

import probatio
import pytest
import yaml

from custom_components.carbon_meter import datafile
from custom_components.carbon_meter.datafile import DataFile, DataFileError, load_data_file


def any_document(document: object) -> object:
    return document


def load(tmp_path: Path, text: str | bytes, schema=any_document) -> DataFile:
    path = tmp_path / "file.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_data_file(path, schema)


def problems(tmp_path: Path, text: str | bytes, schema=any_document) -> list[tuple[int, str]]:
    with pytest.raises(DataFileError) as caught:
        load(tmp_path, text, schema)
    assert all(problem.file == str(tmp_path / "file.yaml") for problem in caught.value.problems)
    return [(problem.line, problem.message) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("NO", "NO"),  # Norway
        ("no", "no"),
        ("ON", "ON"),  # Ontario
        ("y", "y"),
        ("yes", "yes"),
        ("true", True),
        ("false", False),
        ("010", "010"),  # neither eight nor ten
        ("001", "001"),  # the world's UN M49 code
        ("12:30", "12:30"),  # not 750
        ("0b11", "0b11"),
        ("0x0B", 11),
        ("1_000", 1000),
        ("0", 0),
        ("-7", -7),
        ("1e-3", 0.001),
        ("5E2", 500.0),
        ("0.1", 0.1),
        (".5", 0.5),
        ("1e", "1e"),
        ("", None),
        ("2024-02-30", "2024-02-30"),  # no such day
        pytest.param("9" * 5000, "9" * 5000, id="digits"),
        ("!!timestamp soon", "soon"),
        ("!!int ''", ""),
        ("!!float ''", ""),
        ("!!bool perhaps", "perhaps"),
    ],
)
def test_a_plain_value_is_what_it_looks_like(tmp_path, written, value) -> None:
    data = load(tmp_path, f"a: {written}\n").data

    assert data == {"a": value}
    assert type(data["a"]) is type(value)


def test_every_value_has_its_line(tmp_path) -> None:
    file = load(tmp_path, "a:\n  - 1\n  - b: 2\n\n    c: 3\nd: {e: 4}\n")

    assert file.line() == 1
    assert file.line("a") == 1
    assert file.line("a", 0) == 2
    assert file.line("a", 1, "c") == 5
    assert file.line("d", "e") == 6
    assert file.line("a", 1, "not there", "nor this") == 3
    assert file.line("nowhere") == 1
    assert str(file.error("is wrong", "a", 1, "c")) == f"{tmp_path}/file.yaml:5: is wrong"


def test_a_byte_order_mark_and_windows_line_ends_are_no_content(tmp_path) -> None:
    file = load(tmp_path, b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")

    assert file.data == {"a": 1, "b": 2}
    assert file.line("b") == 2


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "the key 'a' is written twice"),
        ("x:\n  a: 1\n  a: 1\n", 3, "the key 'a' is written twice"),
        ("- {a: 1, b: 2,\n   a: 3}\n", 2, "the key 'a' is written twice"),
        ("a: 1\n? [x]\n: 2\n", 2, "a key must be a plain value"),
        ("a: &x\n  b: *x\n", 1, "an alias may not contain itself"),
        ("a: &x [*x]\n", 1, "an alias may not contain itself"),
        ("a: &x {<<: *x}\n", 1, "an alias may not contain itself"),
        ("a:\n  <<: 3\n", 2, "<< takes mappings only"),
        ("a: 1\nb: [1\n", 3, "not valid YAML"),
        ("a: 1\n\tb: 2\n", 2, "not valid YAML"),
        ("a: 1\nb: !!python/object:os.system ls\n", 2, "not valid YAML"),
        ("a: 1\nb: *unknown\n", 2, "not valid YAML"),
        ("a: 1\n---\nb: 2\n", 2, "another document"),
        ("ä: 1\nb: \x07\n", 2, "control characters"),
        ("a: 1\nb: \x00\n", 2, "control characters"),
        (b"a: 1\nb: 2\nc: \xff\n", 3, "cannot be read: not UTF-8"),
        ("a: 1\n".encode("utf-16"), 1, "cannot be read: not UTF-8"),
        ("", 1, "the file is empty"),
        ("# nothing\n", 1, "the file is empty"),
        pytest.param("[" * 5000 + "]" * 5000, 1, "nested too deeply", id="lists"),
        pytest.param("a:\n" + "- " * 5000 + "x", 1, "nested too deeply", id="rows"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(tmp_path, text, line, message) -> None:
    (problem,) = problems(tmp_path, text)

    assert problem[0] == line
    assert message in problem[1]
    assert "\n" not in problem[1]


def test_a_file_that_is_not_there_and_a_directory_are_problems_too(tmp_path) -> None:
    for path in (tmp_path / "missing.yaml", tmp_path):
        with pytest.raises(DataFileError, match=f"^{path}:1: cannot be read"):
            load_data_file(path, any_document)


def test_a_file_without_permission_is_a_problem(tmp_path, monkeypatch) -> None:
    def refuse(*_args: object, **_kwargs: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    assert "Permission denied" in problems(tmp_path, "a: 1")[0][1]


@pytest.mark.parametrize(
    "text",
    [
        "a0: &a0 [x, x, x, x, x, x, x, x]\n"
        + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 8)}]\n" for i in range(1, 30)),
        "a0: &a0 {x: 1}\n"
        + "".join(f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 8)}]}}\n" for i in range(1, 30)),
    ],
    ids=["aliases", "merges"],
)
def test_a_few_lines_cannot_fill_the_memory(tmp_path, text) -> None:
    ((_, message),) = problems(tmp_path, text)

    assert message == "more than 200000 values"


def test_what_a_mapping_takes_over_it_may_change(tmp_path) -> None:
    text = "base: &b {x: 1, y: 2}\nmore: &m {x: 9, z: 3}\nc:\n  x: 5\n  <<: [*b, *m]\n"
    file = load(tmp_path, text)

    assert file.data["c"] == {"x": 5, "y": 2, "z": 3}
    assert file.line("c") == 3
    assert file.line("c", "x") == 4
    assert file.line("c", "y") == 1
    assert file.data["c"] == yaml.safe_load(text)["c"]


SCHEMA = probatio.Schema(
    {
        probatio.Required("name"): str,
        "rows": [{probatio.Required("code"): int, "kind": probatio.In(["a", "b"])}],
    }
)


def test_a_nested_error_names_its_line_and_its_place(tmp_path) -> None:
    text = "name: x\nrows:\n  - code: 1\n  - code: one\n    kind: a\n  - {code: 2,\n     kind: z}\n"

    found = problems(tmp_path, text, SCHEMA)

    assert [line for line, _ in found] == [4, 7]
    assert found[0][1].startswith("rows.1.code: ")
    assert found[1][1].startswith("rows.2.kind: ")


def test_an_unknown_key_and_a_missing_one_are_both_told(tmp_path) -> None:
    found = problems(tmp_path, "rows:\n  - kind: a\nnmae: x\n", SCHEMA)

    assert (3, "nmae") in [(line, message.split(":")[0]) for line, message in found]
    assert any(line == 2 and "code" in message for line, message in found)
    assert any(line == 1 and "name" in message for line, message in found)


def test_the_message_of_an_error_is_one_line_per_problem_in_their_order(tmp_path) -> None:
    with pytest.raises(DataFileError) as caught:
        load(tmp_path, "name: 1\nrows:\n  - code: x\n", SCHEMA)

    lines = str(caught.value).splitlines()
    assert [line.split(":")[1] for line in lines] == ["1", "3"]
    assert all(line.startswith(str(tmp_path / "file.yaml")) for line in lines)


@pytest.mark.parametrize("document", ["3", "text", "[1, 2]", "~"])
def test_a_document_of_another_kind_is_refused_by_the_schema(tmp_path, document) -> None:
    ((line, _),) = problems(tmp_path, f"{document}\n", SCHEMA)

    assert line == 1


def test_without_libyaml_the_same_is_read(tmp_path, monkeypatch) -> None:
    """The slower loader of a system without libyaml has to agree."""

    class Plain(yaml.SafeLoader):
        yaml_implicit_resolvers = datafile._Loader.yaml_implicit_resolvers

    text = "a: NO\nb: {c: 010, <<: {d: 1e-3}}\n"
    compiled = load(tmp_path, text)
    monkeypatch.setattr(datafile, "_Loader", Plain)

    assert load(tmp_path, text) == compiled
    assert problems(tmp_path, "ä: 1\nb: \x07\n")[0][0] == 2
    assert problems(tmp_path, "[" * 5000 + "]" * 5000)[0] == (1, "nested too deeply")


def test_what_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_bytes(b"# nothing\n" * 250_000)
    with pytest.raises(DataFileError, match=r"large.yaml:1: larger than 2 MB"):
        load_data_file(path, lambda data: data)
