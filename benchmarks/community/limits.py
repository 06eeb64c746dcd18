"""Ten thousand homes in Home Assistant, beside the limits that the project sets itself."""

from collections.abc import Mapping, Sequence
import json
import subprocess
import sys
import time
from typing import Any, Final

from benchmarks.community import bare, loader, month, village
from benchmarks.community.ingest import LIMIT, run
from benchmarks.community.rig import Rig
from benchmarks.rows import Better, Row, compare
from demo.config_dir import ROOT

_CORE: Final = 15.0
"""Per cent of a core."""

_ANSWER: Final = 1.0
_RECOMPUTE: Final = 20.0
"""Seconds."""

_MEMORY: Final = 250.0
"""MB over Home Assistant's own."""

_WITHIN: Final = 3600


def measure(rig: Rig, *, homes: int, seconds: float, times: int) -> list[Row]:
    """Return the rows; the broker of the rig runs, and the hub's folder is empty."""
    now = time.time()
    begin = month.first_day(now)
    sys.stderr.write(f"    {homes} homes agree\n")
    bare.subscribe(rig)
    loader.speak(rig, list(village.consents(homes)))
    village.ledger_of(rig.ledger, 0, begin).close()
    rig.ledger.unlink()
    sys.stderr.write(f"    a month of {homes} homes\n")
    items = month.fill(rig.ledger, homes, begin, month.DAYS)
    run("ours", rig, homes)
    sys.stderr.write(f"    {items} periods in the ledger, now in Home Assistant\n")
    found = _told("inside", str(rig.folder), str(homes), str(seconds), str(times))
    return _rows(json.loads(found), homes, code=float(_told("code")))


def _told(module: str, *arguments: str) -> str:
    """Return the last line that a module of this package prints in a process of its own."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", f"benchmarks.community.{module}", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=_WITHIN,
    )
    return done.stdout.splitlines()[-1]


def _rows(found: Mapping[str, Any], homes: int, *, code: float) -> list[Row]:
    """Return what was found beside the limits; `code` is the integration's own, in MB."""
    publishing = 100 * found["publishing_cpu"] / 3600
    who = f"{homes} homes"
    return [
        _row(
            f"{who} hourly, each hour published",
            "% of a core",
            [found["hourly"] + publishing],
            _CORE,
        ),
        _row(f"{min(homes, 1000)} homes every minute", "% of a core", [found["minutely"]], _CORE),
        _row(f"{who} x {month.DAYS} days, answered", "s", found["answers"], _ANSWER),
        _row(f"{who} x {month.DAYS} days, recomputed", "s", found["recompute"], _RECOMPUTE),
        _row(
            f"{who} x {month.DAYS} days, recomputed: CPU", "s", found["recompute_cpu"], _RECOMPUTE
        ),
        _row(
            f"{who}, memory over Home Assistant's own, at its peak",
            "MB",
            [found["peak"] + code],
            _MEMORY,
        ),
    ]


def _row(what: str, unit: str, figures: Sequence[float], limit: float) -> Row:
    return compare(
        benchmark="community",
        what=what,
        unit=unit,
        better=Better.LOWER,
        ours=figures,
        peer=[limit] * len(figures),
        peer_name=LIMIT,
    )
