"""The loss test at its full size: what the hub has in the end, beside what truly was.

A ratio of 1.00 is what every row has to have; the run fails when there is a contradiction.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
import shutil
import sys
import tempfile
import time
from typing import Final

from benchmarks.community.loss.run import Kills, plan_of, play
from benchmarks.community.loss.truth import Findings
from benchmarks.rows import Better, Row, compare
from demo.processes import Children

_HOMES: Final = 1000
_DAYS: Final = 30
_KILLS: Final = Kills(hub=20, broker=10, homes=10)
_WITHIN: Final = 3 * 3600.0
_SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108
_ROOM: Final = 12 << 30
"""Bytes: an outbox keeps its log of four megabytes while it is open."""

_FEWER: Final = 10
"""Rounds from which on everything has its full size."""


class LossError(RuntimeError):
    """The hub's books are not those of the plan."""


def run(rounds: int | None) -> Sequence[Row]:
    """Play one month; with fewer than ten rounds, so many tenths of its homes and days."""
    tenths = min(_FEWER, rounds or _FEWER)
    seed = time.time_ns() % 1_000_000
    plan = plan_of(seed, _HOMES * tenths // _FEWER, max(2, _DAYS * tenths // _FEWER))
    sys.stderr.write(f"    seed {seed}: {plan.homes} homes, {plan.days} days\n")
    folder = Path(tempfile.mkdtemp(prefix="bench-loss-", dir=_memory()))
    try:
        with Children() as children:
            result = asyncio.run(play(children, folder, plan, _KILLS, within=_WITHIN))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if result.findings.wrong:
        raise LossError(f"seed {seed}: {result.findings.wrong}")
    sys.stderr.write(f"    {result.seconds:.0f} s, {result.findings.told} periods told\n")
    return _rows(result.findings, f"{plan.homes} homes, {plan.days} days")


def _memory() -> Path | None:
    """Return where files are in memory, None where there is no room for a thousand outboxes.

    What is killed is processes: what they have written stays, on a disk or not. To wait for a disk
    a million times would make a day of the hour.
    """
    try:
        free = shutil.disk_usage(_SHARED_MEMORY).free
    except OSError:
        return None
    return _SHARED_MEMORY if free > _ROOM else None


def _rows(found: Findings, what: str) -> Sequence[Row]:
    """Return the sums beside the truth."""
    return [
        compare(
            benchmark="community-loss",
            what=f"{what}, {name}",
            unit=unit,
            better=Better.HIGHER,
            ours=[float(ours)],
            peer=[float(truth)],
            peer_name="the truth",
        )
        for name, unit, ours, truth in (
            ("energy of all sums", "Wh", found.wh, found.true_wh),
            ("carbon of all sums", "mg", found.mg, found.true_mg),
            ("periods that the hub has", "periods", found.told, found.true_told),
            ("periods that it reports missing", "periods", found.missing, found.true_missing),
        )
    ]
