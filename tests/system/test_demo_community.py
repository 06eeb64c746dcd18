"""The community's job: a real hub hears homes over a real broker and publishes what is right."""

from pathlib import Path
import re

import pytest

import demo.__main__
from tests.community.broker import needs_broker

pytestmark = [
    pytest.mark.system,
    pytest.mark.usefixtures("socket_enabled"),
    pytest.mark.timeout(600),
    needs_broker,
]


def test_a_small_community(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo.__main__, "_STATE", tmp_path / "demo")
    assert demo.__main__.main(["--community", "20", "--check"]) == 0
    out = capsys.readouterr().out
    figures = re.search(
        r"^all (\d+) figures are right, and the log has no error$", out, re.MULTILINE
    )
    assert figures is not None
    # With so few homes days are published, not only counts.
    assert int(figures[1]) > 100
    assert "WRONG" not in out
    # Nothing is left behind when all is right.
    assert list(tmp_path.iterdir()) == []
