"""Plays a plan with a real broker, a real hub and homes as processes, and kills all of them."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from random import Random
import sqlite3
import sys
import time
from typing import Final

from benchmarks.community import rig as rigs
from benchmarks.community.loss.plan import COMMUNITY, DAY, ZONE, Plan
from benchmarks.community.loss.truth import Findings, check
from custom_components.carbon_meter.community.ledger.ledger import Ledger
from demo.community.broker import Broker
from demo.config_dir import ROOT
from demo.processes import Child, ChildError, Children, Progress

_POLL: Final = 0.1
_RECOUNT: Final = 1.0
"""Seconds between two counts of all that has come."""

_FASTEST: Final = 12_000.0
"""Virtual seconds in a real one for one home; many wait longer for the hub before they repeat."""

_SLOWEST: Final = 60.0
_LONGEST_OUTAGE: Final = 1.5
"""Seconds that something killed stays away."""


@dataclass(frozen=True, kw_only=True)
class Kills:
    """How often each is killed."""

    hub: int
    broker: int
    homes: int


@dataclass(frozen=True, kw_only=True)
class Result:
    """A run and its verdict."""

    findings: Findings
    seconds: float
    kills: Kills


def plan_of(seed: int, homes: int, days: int, *, daily: int = 10) -> Plan:
    """Return a plan for the days before today; of a hundred homes `daily` tell whole days."""
    begin = int(time.time()) // DAY * DAY - days * DAY
    return Plan(seed=seed, homes=homes, days=days, begin=begin, daily=daily)


async def play(  # noqa: PLR0913  # what makes a run
    children: Children,
    folder: Path,
    plan: Plan,
    kills: Kills,
    *,
    processes: int = 4,
    within: float = 120.0,
) -> Result:
    """Play a plan to its end and check the books.

    Raises ChildError when a process ends by itself, or the homes are not rid of what they have
    to say `within` so many seconds.
    """
    rig, broker = rigs.make(
        children,
        folder,
        community=COMMUNITY,
        homes=[plan.name(number) for number in range(plan.homes)],
        pace=max(_SLOWEST, _FASTEST / plan.homes),
    )
    plan.save(folder / "plan.json")
    _enrol(rig, plan)
    stage = _Stage(children, rig, broker, plan, processes)
    begin = time.monotonic()
    await stage.start()
    await stage.until_done(_disturbances(plan, kills), deadline=begin + within)
    seconds = time.monotonic() - begin
    stage.stop()
    with Progress("counting"):
        findings = check(rig.ledger, plan)
    return Result(findings=findings, seconds=seconds, kills=kills)


def _enrol(rig: rigs.Rig, plan: Plan) -> None:
    """Make all homes members."""
    ledger = Ledger(rig.ledger, community=COMMUNITY, zone=ZONE)
    for number in range(plan.homes):
        ledger.assign(
            plan.name(number),
            plan.first_day,
            feeder=plan.feeder(number),
            groups=(plan.group(number),),
        )
    ledger.close()


def _disturbances(plan: Plan, kills: Kills) -> list[tuple[float, str]]:
    """Return what is killed when, as the part of all footprints that have come by then."""
    chance = Random(f"kills {plan.seed}")  # noqa: S311
    names = ["hub"] * kills.hub + ["broker"] * kills.broker + ["homes"] * kills.homes
    return sorted((chance.uniform(0.02, 0.95), name) for name in names)


class _Stage:
    """The processes of a run."""

    def __init__(
        self, children: Children, rig: rigs.Rig, broker: Broker, plan: Plan, processes: int
    ) -> None:
        self._children = children
        self._rig = rig
        self._broker = broker
        self._plan = plan
        self._chance = Random(f"outages {plan.seed}")  # noqa: S311
        size = -(-plan.homes // processes)
        self._groups = {
            first: min(size, plan.homes - first) for first in range(0, plan.homes, size)
        }
        self._homes: dict[int, Child] = {}
        self._hub: Child | None = None
        self._counted = (float("-inf"), 0.0)
        self._said = sum(1 for number in range(plan.homes) for _ in plan.starts(number))

    async def start(self) -> None:
        await self._broker.start()
        self._start_hub()
        for first in self._groups:
            self._start_homes(first)

    def _start_hub(self) -> None:
        self._hub = self._run("hub", "hub", str(self._rig.folder))

    def _start_homes(self, first: int) -> None:
        self._homes[first] = self._run(
            f"homes-{first}", "homes", str(self._rig.folder), str(first), str(self._groups[first])
        )

    def _run(self, name: str, module: str, *arguments: str) -> Child:
        return self._children.start(
            name,
            [sys.executable, "-m", f"benchmarks.community.loss.{module}", *arguments],
            log=self._rig.folder / f"{name}.log",
            cwd=ROOT,
        )

    async def until_done(self, planned: list[tuple[float, str]], *, deadline: float) -> None:
        """Wait until every home is rid of what it has to say; kill as planned meanwhile."""
        left = iter(planned)
        coming = next(left, None)
        with Progress(f"{self._said} periods of {self._plan.homes} homes") as progress:
            while not self._all_done() or coming is not None:
                self._check()
                if coming is not None and (self._part() >= coming[0] or self._all_done()):
                    await self._disturb(coming[1])
                    coming = next(left, None)
                if time.monotonic() > deadline:
                    raise ChildError(f"{self._part():.0%} of the footprints have come in time")
                progress.show()
                await asyncio.sleep(_POLL)

    async def _disturb(self, what: str) -> None:
        """Kill something as a power cut would, and start it again after a while."""
        pause = self._chance.uniform(0, _LONGEST_OUTAGE)
        match what:
            case "hub":
                assert self._hub is not None
                self._hub.kill()
                await asyncio.sleep(pause)
                self._start_hub()
            case "broker":
                self._broker.child.kill()
                await asyncio.sleep(pause)
                await self._broker.start()
            case _:
                first = self._chance.choice(list(self._homes))
                self._homes[first].kill()
                (self._rig.folder / f"done-{first}").unlink(missing_ok=True)
                await asyncio.sleep(pause)
                self._start_homes(first)

    def _all_done(self) -> bool:
        return all((self._rig.folder / f"done-{first}").exists() for first in self._groups)

    def _check(self) -> None:
        """Raise ChildError when something has ended that nobody has killed."""
        for child in (self._hub, self._broker.child):
            assert child is not None
            child.check()
        for first, child in self._homes.items():
            if not (self._rig.folder / f"done-{first}").exists() and child.returncode != 0:
                child.check()

    def _part(self) -> float:
        """Return which part of the footprints has come, as of a second ago at most."""
        at, part = self._counted
        if time.monotonic() < at + _RECOUNT:
            return part
        connection = sqlite3.connect(f"file:{self._rig.ledger}?mode=ro", uri=True, timeout=10)
        try:
            (count,) = connection.execute("SELECT COUNT(*) FROM revisions").fetchone()
        finally:
            connection.close()
        part = float(count / max(1, self._said))
        self._counted = (time.monotonic(), part)
        return part

    def stop(self) -> None:
        """End the hub and the broker in order."""
        assert self._hub is not None
        self._hub.stop()
        self._broker.child.stop()
