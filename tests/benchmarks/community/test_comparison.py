"""One small round with a real broker: every row is there, no figure is judged."""

import json
from pathlib import Path
import subprocess
import sys

import pytest

from demo.config_dir import ROOT
from tests.community.broker import needs_broker

WHAT = [
    "homes let in over mutual TLS, both sides on this machine",
    "homes let in over mutual TLS, by the broker's CPU alone",
    "ingest until stored, against the bare loop",
    "ingest until stored, part of the bare loop's rate",
    "ingest until stored and added up",
    "CPU per message, stored",
    "CPU per message, stored, answered and added up",
    "500 homes hourly, each hour published",
    "500 homes every minute",
    "500 homes x 30 days, answered",
    "500 homes x 30 days, recomputed",
    "500 homes x 30 days, recomputed: CPU",
    "500 homes, memory over Home Assistant's own, at its peak",
]


@pytest.mark.system
@pytest.mark.timeout(900)
@needs_broker
def test_one_small_round_has_every_row(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    command = [sys.executable, "-m", "benchmarks", "community-hub", "--rounds", "1", "--json", file]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [row["what"] for row in rows] == WHAT
    for row in rows:
        assert row["benchmark"] == "community"
        assert row["ours"] > 0
        assert row["peer"] > 0
        assert row["what"] in done.stdout
