"""One round against a real virtual meter: what is counted must be right, times are not judged."""

import json
from pathlib import Path
import subprocess
import sys

import pytest

from benchmarks.metering.comparison import run
from demo.config_dir import ROOT
from demo.processes import ChildError
from demo.virtual_home import VirtualHome

WHAT = [
    "requests per full reading",
    "CPU per full reading, states written",
    "time per full reading, states written",
    "CPU per full reading, driver alone",
    "time per full reading, driver alone",
    "full readings, driver alone against a bare loop",
    "full readings, driver alone against the shared connection alone",
    "200 meters at 1 s, 20 quantities: lateness of the readings, 99th percentile",
    "200 meters at 1 s, 20 quantities: CPU of one core",
    "200 meters at 1 s, 20 quantities: longest stall of the event loop",
]


@pytest.mark.system
def test_one_round_has_every_row(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    command = [sys.executable, "-m", "benchmarks", "metering", "--rounds", "1", "--json", file]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "ERROR" not in done.stderr
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [row["what"] for row in rows] == WHAT
    # The profile's 45 quantities lie in three spans that 80 registers each can reach.
    assert (rows[0]["ours"], rows[0]["peer"], rows[0]["ratio"]) == (3, 45, 15)
    for row in rows:
        assert row["benchmark"] == "metering"
        assert row["ours"] > 0
        assert row["peer"] > 0
        assert row["ratio"] > 0
        assert row["what"] in done.stdout
        assert row["better"] == ("higher" if row["unit"] == "1/s" else "lower")


def test_a_meter_that_does_not_start_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(_self) -> None:
        raise ChildError("the virtual home ended with code 2")

    monkeypatch.setattr(VirtualHome, "__aenter__", refuse)
    with pytest.raises(ChildError, match="ended with code 2"):
        run(1)
