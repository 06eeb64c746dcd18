"""The numbered requirements: written down once, and each of them tested."""

import ast
import hashlib
from pathlib import Path
import re

from custom_components.carbon_meter.community.contract.certificates import Wanted
from custom_components.carbon_meter.community.contract.clauses import CLAUSES
from custom_components.carbon_meter.community.contract.consent import MOST_EARLIER
from custom_components.carbon_meter.community.contract.message import DURATIONS, Flow, Kind, Quality
from custom_components.carbon_meter.community.contract.reading import read
from custom_components.carbon_meter.community.contract.refusal import Code
from tests.community.contract.json_schema import schema_of
from tests.community.contract.vectors import all_vectors

ROOT = Path(__file__).parents[3]
CONTRACT = (ROOT / "docs/community/contract.md").read_text()
SOURCES = [
    path
    for path in (ROOT / "custom_components/carbon_meter/community").rglob("*.py")
    if path.name != "clauses.py"
]


def marked_clauses() -> set[str]:
    """Return the ids in the marks of all tests of the community."""
    found = set()
    for path in (ROOT / "tests/community").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.clause":
                found |= {ast.literal_eval(argument) for argument in node.args}
    return found


def test_what_is_told_of_them_counts_them() -> None:
    told = re.findall(r"(\d+) numbered requirements", (ROOT / "CHANGELOG.md").read_text())
    assert told == [str(len(CLAUSES))]


def test_every_clause_has_a_test() -> None:
    tested = marked_clauses() | {vector.clause for vector in all_vectors()}
    assert tested == set(CLAUSES)


def test_clauses_are_numbered_without_gaps() -> None:
    assert [*CLAUSES] == [f"CM-{number}" for number in range(1, len(CLAUSES) + 1)]


def test_the_document_has_every_clause_in_the_same_words() -> None:
    written = re.findall(r"^\*\*(CM-\d+)\*\* (.+?)(?=\n\n|\Z)", CONTRACT, re.MULTILINE | re.DOTALL)
    assert {number: " ".join(text.split()) for number, text in written} == dict(CLAUSES)
    assert len(written) == len(CLAUSES)


def test_the_document_shows_the_text_behind_a_digest() -> None:
    example, text, digest = re.findall(
        r"```json\n(.+?)```.+?```text\n(.+?)\n```\n\nand its digest `(\w+)`", CONTRACT, re.DOTALL
    )[0]
    footprint = read("cm/v1/lanes/home_17/up/fp/1799996400", example.encode(), 1_800_000_600)
    assert hashlib.sha256(text.encode()).hexdigest() == digest == footprint.digest


def test_refusals_name_clauses_that_exist() -> None:
    named = {clause for path in SOURCES for clause in re.findall(r'"(CM-\d+)"', path.read_text())}
    assert named
    assert named <= set(CLAUSES)


def test_the_document_lists_every_code() -> None:
    table = CONTRACT.partition("## Codes")[2].partition("\n## ")[0]
    assert {*re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)} == set(Code)


def test_the_schemas_know_the_same_words() -> None:
    fields = schema_of("footprint")["properties"]
    item = fields["items"]["items"]["properties"]
    assert set(item["flow"]["enum"]) == set(Flow)
    assert set(item["q"]["enum"]) == set(Quality)
    assert set(item["ci"]["properties"]["kind"]["enum"]) == set(Kind)
    assert tuple(fields["dur"]["enum"]) == DURATIONS
    assert set(schema_of("nack")["properties"]["code"]["enum"]) == set(Code)
    assert set(schema_of("cert")["then"]["properties"]["code"]["enum"]) == set(Code)
    assert set(schema_of("csr")["properties"]["wanted"]["enum"]) == set(Wanted)
    withdrawal, deleted = schema_of("withdraw")["properties"], schema_of("deleted")["properties"]
    assert withdrawal["also"]["maxItems"] == MOST_EARLIER
    assert deleted["homes"]["maximum"] == MOST_EARLIER + 1
