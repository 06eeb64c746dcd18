"""The hub of a community: ingest beside a bare loop, its costs in Home Assistant, connections.

One mosquitto with mutual TLS, set up by the project's own tool, serves all of it on the loopback.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
import shutil
import tempfile
from typing import Final

from benchmarks.community import connects, ingest, limits, rig as rigs, village
from benchmarks.rows import Row
from demo.processes import Children

_ROUNDS: Final = 7
_HOMES: Final = 10_000
_SECONDS: Final = 60.0
_TIMES: Final = 3
_CONNECTS: Final = 500
_FEWEST: Final = 3


def run(rounds: int | None) -> Sequence[Row]:
    """Measure; see `benchmarks.registry.Run`. Fewer than three rounds: everything smaller."""
    folder = Path(tempfile.mkdtemp(prefix="bench-community-"))
    try:
        with Children() as children:
            return asyncio.run(_measure(children, folder, rounds or _ROUNDS))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _measure(children: Children, folder: Path, rounds: int) -> Sequence[Row]:
    is_small = rounds < _FEWEST
    homes = connects.names(_CONNECTS // 10 if is_small else _CONNECTS)
    rig, broker = rigs.make(children, folder, community=village.COMMUNITY, homes=homes, loader=True)
    await broker.start()
    rows = await connects.measure(rig, broker.child.pid, homes, rounds)
    rows += ingest.measure(rig, rounds, periods=3 if is_small else ingest.PERIODS)
    shutil.rmtree(rig.hub)
    rig.hub.mkdir()
    rows += limits.measure(
        rig,
        homes=_HOMES // 20 if is_small else _HOMES,
        seconds=5.0 if is_small else _SECONDS,
        times=1 if is_small else _TIMES,
    )
    broker.child.stop()
    return rows
