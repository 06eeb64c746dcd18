"""From the broker to the durable store: the hub beside the bare loop, in turns.

Messages wait at the broker before either begins, so that who sends them takes nothing from either.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
import json
from pathlib import Path
import shutil
import subprocess
import sys
import time
from typing import Final

from benchmarks.community import bare, loader, village
from benchmarks.community.rig import Rig
from benchmarks.rows import Better, Row, compare
from demo.config_dir import ROOT

SIDES: Final = ("ours", "bare", "summing")
_HOMES: Final = 1000
PERIODS: Final = 20
_LEAST: Final = 0.8
"""Of the bare loop's rate: what the issue of the project asks for."""

_WITHIN: Final = 600


def measure(rig: Rig, rounds: int, periods: int = PERIODS) -> list[Row]:
    """Return the rates of both; the broker of the rig runs, and knows the loader."""
    now = time.time()
    begin = int(now) // village.HOUR * village.HOUR - 30 * 86400
    messages = list(village.messages(_HOMES, periods, begin))
    template = _prepared(rig, now)
    samples: dict[str, list[Mapping[str, float]]] = {side: [] for side in SIDES}
    for number in range(rounds):
        sys.stderr.write(f"    {len(messages)} messages, round {number + 1} of {rounds}\n")
        first = number % len(SIDES)
        for side in SIDES[first:] + SIDES[:first]:
            shutil.rmtree(rig.hub)
            shutil.copytree(template, rig.hub)
            bare.subscribe(rig)
            loader.speak(rig, messages)
            samples[side].append(run(side, rig, len(messages)))
    return _rows(samples, len(messages))


def _prepared(rig: Rig, now: float) -> Path:
    """Return a folder with the files of a hub to which all homes have agreed."""
    village.ledger_of(rig.ledger, _HOMES, village.last_midnight(now) - timedelta(days=40)).close()
    bare.subscribe(rig)
    loader.speak(rig, list(village.consents(_HOMES)))
    run("ours", rig, _HOMES)
    template = rig.folder / "template"
    shutil.copytree(rig.hub, template)
    return template


def run(side: str, rig: Rig, count: int) -> Mapping[str, float]:
    """Run a consumer as a process of its own; return what it measured."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "benchmarks.community.consumer", side, rig.folder, str(count)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=_WITHIN,
    )
    found: Mapping[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _rows(samples: Mapping[str, Sequence[Mapping[str, float]]], count: int) -> list[Row]:
    """Return the comparisons."""

    def rates(side: str, key: str = "seconds") -> list[float]:
        return [count / sample[key] for sample in samples[side]]

    def costs(side: str, key: str = "cpu") -> list[float]:
        return [1e6 * sample[key] / count for sample in samples[side]]

    ours, plain = rates("ours"), rates("bare")
    share = [mine / theirs for mine, theirs in zip(ours, plain, strict=True)]
    what = "ingest until stored"
    return [
        _row(f"{what}, against the bare loop", "1/s", ours, plain, "bare loop, the same rows"),
        _row(f"{what}, part of the bare loop's rate", "", share, [_LEAST] * len(share), LIMIT),
        _row(
            "ingest until stored and added up",
            "1/s",
            rates("ours", "settled_seconds"),
            rates("summing"),
            "bare loop, the same rows, totals and cells",
        ),
        *(
            compare(
                benchmark="community",
                what=f"CPU per message, {done}",
                unit="µs",
                better=Better.LOWER,
                ours=costs("ours", key),
                peer=costs(side),
                peer_name=name,
            )
            for done, key, side, name in (
                ("stored", "cpu", "bare", "bare loop, the same rows"),
                (
                    "stored, answered and added up",
                    "settled_cpu",
                    "summing",
                    "bare loop, the same rows, totals and cells",
                ),
            )
        ),
    ]


LIMIT: Final = "the limit"


def _row(what: str, unit: str, ours: Sequence[float], peer: Sequence[float], name: str) -> Row:
    return compare(
        benchmark="community",
        what=what,
        unit=unit,
        better=Better.HIGHER,
        ours=ours,
        peer=peer,
        peer_name=name,
    )
