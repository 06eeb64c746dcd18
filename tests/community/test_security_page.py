"""The page on security names tests that exist."""

import ast
from pathlib import Path
import re

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "community" / "security.md"
NAMED = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE.read_text())


def _tests(path: Path) -> set[str]:
    """Return the names of the tests of a file; those of a state machine are assigned."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    defined = {
        node.name
        for node in nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }
    assigned = {
        node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return {name for name in defined | assigned if name.startswith(("test_", "Test"))}


@pytest.mark.parametrize(("file", "name"), sorted(set(NAMED)))
def test_each_named_test_exists(file: str, name: str) -> None:
    tests = _tests(ROOT / file)
    assert tests if not name else name in tests


def test_every_clause_has_a_test() -> None:
    table = PAGE.read_text().partition("## ETSI EN 303 645")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| (5\.\d+|6) [^|]*\|(.*)$", table, flags=re.MULTILINE))
    assert list(rows) == [*(f"5.{number}" for number in range(1, 14)), "6"]
    assert all("`tests/" in row for row in rows.values())


def test_there_is_a_way_to_report() -> None:
    text = (ROOT / "SECURITY.md").read_text()
    assert "Report a vulnerability" in text
    for target in re.findall(r"\]\((docs/[^)#]+|hardware/[^)#]+)\)", text):
        assert (ROOT / target).is_file(), target
