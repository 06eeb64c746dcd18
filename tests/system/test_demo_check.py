"""The main job: a real Home Assistant reads real meters and shows carbon that is right."""

import os
from pathlib import Path

import pytest

from demo.__main__ import run_check
from demo.config_dir import ROOT
from demo.processes import Children

pytestmark = [
    pytest.mark.system,
    pytest.mark.usefixtures("socket_enabled"),
    # One of them waits for the next five minutes.
    pytest.mark.timeout(600),
]

NEXT_PYTHON = ROOT / ".venv-next" / "bin" / "python"


async def test_oldest_home_assistant(
    children: Children, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run_check(children, tmp_path, thorough=True) == 0
    out = capsys.readouterr().out
    for figure in (
        "Grid, energy imported",
        "Grid, energy exported",
        "Solar, energy exported",
        "Battery, energy imported",
        "Site, import carbon",
        "Site, export carbon",
        "Site, used carbon",
        "Heat pump, carbon",
        "Car, carbon",
        "Battery, carbon charged",
        "Battery, carbon discharged",
        "Battery, carbon stored",
    ):
        assert f"right  {figure}" in out
    assert "WRONG" not in out


@pytest.mark.next
async def test_newest_home_assistant(children: Children, tmp_path: Path) -> None:
    if not NEXT_PYTHON.exists() and "CI" not in os.environ:
        pytest.skip("the newest Home Assistant is not installed: scripts/setup next")
    assert await run_check(children, tmp_path, python=NEXT_PYTHON) == 0
