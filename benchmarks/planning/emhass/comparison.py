"""The planner beside EMHASS: the same instances, the same objective, EMHASS's gap at 0."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
import json
from pathlib import Path
import subprocess
import sys
import time
from typing import Any, Final

import numpy as np

from benchmarks.planning.emhass.environment import VERSION, ensure_emhass
from benchmarks.planning.emhass.instances import KINDS, Instance, make_instances
from benchmarks.planning.emhass.ours import solve
from benchmarks.rows import Better, Row, compare

NAME: Final = f"EMHASS {VERSION}"

_PEER: Final = Path(__file__).with_name("peer.py")
_SECONDS: Final = 60.0
"""The most that EMHASS may take for one instance."""

_SAME: Final = 1e-6
"""Objectives that differ by no more than this part are the same."""

_ROUNDS: Final = 5
"""How often ours solves each instance; the median counts."""

_OPTIMAL: Final = "Optimal"


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What both say to one instance: gCO2eq, and seconds on the clock."""

    instance: Instance
    ours: float
    peer: float
    status: str
    our_seconds: float
    cold: float
    """EMHASS, with building its problem."""

    warm: float
    """EMHASS again, its problem being kept."""

    @property
    def excess(self) -> float:
        """Return by which part ours is worse; below zero it is better."""
        return (self.ours - self.peer) / max(abs(self.peer), abs(self.ours), 1e-9)


def run(rounds: int | None) -> Sequence[Row]:
    """Measure; see `benchmarks.registry.Run`. Rounds are solutions of each instance by ours.

    Raises PeerMissingError where EMHASS cannot be installed.
    """
    results = list(solve_both(make_instances(), rounds or _ROUNDS))
    _show(results)
    return _rows(results)


def solve_both(instances: Sequence[Instance], rounds: int) -> Iterator[Result]:
    """Yield the results of both planners, one instance after the other."""
    sys.stderr.write("    making sure that EMHASS is there\n")
    python = ensure_emhass()
    task = {
        "gap": 0.0,
        "seconds": _SECONDS,
        "instances": [instance.as_dict() for instance in instances],
    }
    answer = subprocess.run(  # noqa: S603
        [python, _PEER], input=json.dumps(task), capture_output=True, text=True, check=False
    )
    lines = answer.stdout.splitlines()
    if answer.returncode or len(lines) != len(instances):
        raise RuntimeError(f"{NAME} ended with {answer.returncode}: {answer.stderr[-2000:]}")
    for instance, line in zip(instances, lines, strict=True):
        yield _result(instance, json.loads(line), rounds)


def _result(instance: Instance, answer: dict[str, Any], rounds: int) -> Result:
    """Return the result of an instance that EMHASS has answered."""
    powers = solve(instance)
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        solve(instance)
        seconds.append(time.perf_counter() - began)
    return Result(
        instance=instance,
        ours=_objective(instance, powers),
        peer=_objective(instance, np.array(answer["powers"])),
        status=answer["status"],
        our_seconds=float(np.median(seconds)),
        cold=answer["cold"],
        warm=answer["warm"],
    )


def _objective(instance: Instance, powers: Any) -> float:
    """Return the gCO2eq; a room's last step, which EMHASS has no limit for, is left out."""
    if instance.kind in {"room", "switched_room"}:
        powers = np.append(powers[:-1], 0.0)
    return instance.value(powers)


def _show(results: Sequence[Result]) -> None:
    """Print a table of kinds."""
    print(f"\n{len(results)} instances, {NAME} at gap 0; times are medians in ms")
    print(
        f"{'kind':28} {'n':>4} {'worst':>9} {'best':>9} {'not optimal':>11}"
        f" {'ours':>8} {'cold':>8} {'warm':>8} {'cold/ours':>9} {'warm/ours':>9}"
    )
    for kind in KINDS:
        own = [each for each in results if each.instance.title == kind.title]
        optimal = [each.excess for each in own if each.status == _OPTIMAL]
        ours = float(np.median([each.our_seconds for each in own])) * 1000.0
        cold = float(np.median([each.cold for each in own])) * 1000.0
        warm = float(np.median([each.warm for each in own])) * 1000.0
        print(
            f"{kind.title:28} {len(own):4} {max(optimal, default=np.nan):9.1e}"
            f" {min(optimal, default=np.nan):9.1e} {len(own) - len(optimal):11}"
            f" {ours:8.3f} {cold:8.1f} {warm:8.1f} {cold / ours:9.0f} {warm / ours:9.0f}"
        )
    worse = [each for each in results if each.status == _OPTIMAL and each.excess > _SAME]
    print(f"ours worse by more than {_SAME:.0e} on {len(worse)} instances")
    print(
        "worst and best: objective of ours above that of the peer, as a part, where it is optimal"
    )


def _rows(results: Sequence[Result]) -> list[Row]:
    """Return the comparisons by kind: time, and how many plans are as good as the other's."""
    rows = []
    for kind in KINDS:
        own = [each for each in results if each.instance.title == kind.title]
        for how, peer in (("", "cold"), (", the peer again, its problem kept", "warm")):
            rows.append(
                compare(
                    benchmark="planning",
                    what=f"time of a plan, {kind.title}{how}",
                    unit="ms",
                    better=Better.LOWER,
                    ours=[each.our_seconds * 1000.0 for each in own],
                    peer=[getattr(each, peer) * 1000.0 for each in own],
                    peer_name=NAME,
                )
            )
        rows.append(
            compare(
                benchmark="planning",
                what=f"plans no worse than the other's by {_SAME:.0e}, {kind.title}",
                unit="%",
                better=Better.HIGHER,
                ours=[_share(each.excess <= _SAME for each in own)],
                peer=[_share(each.excess >= -_SAME for each in own)],
                peer_name=NAME,
            )
        )
    return rows


def _share(found: Iterable[bool]) -> float:
    """Return how many are true, in percent."""
    return 100.0 * float(np.mean(list(found)))
