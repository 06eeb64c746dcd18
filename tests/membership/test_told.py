"""How far hours were handed over: what was restated is so again, and nothing is skipped."""

import json
from pathlib import Path

from custom_components.carbon_meter.membership.told import Told

HOUR = 3600
NOW = 1_800_000_000.0 // HOUR * HOUR


def test_a_restated_hour_only_leads_back() -> None:
    told = Told(until=int(NOW))
    told.touched(int(NOW) - 5 * HOUR, NOW)
    assert told.until == NOW - 5 * HOUR
    # What changed later does not skip what has yet to be handed over.
    told.touched(int(NOW) - HOUR, NOW)
    assert told.until == NOW - 5 * HOUR


def test_the_mark_outlives_a_restart(tmp_path: Path) -> None:
    told = Told.begin(tmp_path, NOW)
    told.mark = 7
    told.until = int(NOW)
    told.end(tmp_path)
    assert json.loads((tmp_path / "told.json").read_text())["ended"] is True
    again = Told.begin(tmp_path, NOW)
    assert (again.until, again.mark) == (NOW, 7)
    # Until it ends in order it counts as one that has crashed.
    assert json.loads((tmp_path / "told.json").read_text())["ended"] is False
