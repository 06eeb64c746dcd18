"""Whether the hub's books are those of the plan: sums, and what it reports missing."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
import sqlite3
from typing import Final

from benchmarks.community.loss.plan import COMMUNITY, DAY, ZONE, Plan
from custom_components.carbon_meter.community.contract.message import Quality
from custom_components.carbon_meter.community.ledger.calendar import Grain
from custom_components.carbon_meter.community.ledger.cells import Cell, Scope
from custom_components.carbon_meter.community.ledger.ledger import Ledger

_MOST: Final = 20
"""Contradictions that are told; one is enough."""

type Place = tuple[Grain, int, Scope, str, str]
"""Grain, begin, scope, its name, flow."""


@dataclass(kw_only=True)
class Sum:
    """What plain counting comes to in one cell."""

    homes: set[int] = field(default_factory=set)
    periods: int = 0
    wh: int = 0
    mg: int = 0
    carbon_free: int = 0
    measured: int = 0
    covered: int = 0


@dataclass(kw_only=True)
class Findings:
    """What has come out of a run."""

    wrong: list[str] = field(default_factory=list)
    """Contradictions; empty is what it has to be."""

    told: int = 0
    """Periods that the hub has."""

    corrected: int = 0
    """Of them such as were revised at least once."""

    true_told: int = 0
    """Periods of homes that did not fall silent, and what came of the others."""

    missing: int = 0
    """Periods that the hub reports as missing."""

    true_missing: int = 0

    cells: int = 0
    wh: int = 0
    true_wh: int = 0
    mg: int = 0
    true_mg: int = 0

    def say(self, text: str) -> None:
        """Take up a contradiction."""
        if len(self.wrong) < _MOST:
            self.wrong.append(text)


def check(path: Path, plan: Plan) -> Findings:
    """Compare the ledger in a file with the plan; nobody else has it open."""
    found = Findings()
    held = _held(path)
    ledger = Ledger(path, community=COMMUNITY, zone=ZONE)
    try:
        for number in range(plan.homes):
            _check_home(found, ledger, plan, number, held.get(plan.name(number), {}))
        _check_sums(found, ledger, plan, _count(plan, held))
        if quarantined := ledger.quarantined():
            found.say(f"{len(quarantined)} footprints are set apart, {quarantined[0]} first")
        if wrong := ledger.recompute():
            found.say(f"{wrong} totals and cells differ from a full recomputation")
    finally:
        ledger.close()
    return found


def _held(path: Path) -> dict[str, dict[int, int]]:
    """Return by home and period the revision that holds, straight from the file."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT home, start_at, MAX(revision) FROM revisions GROUP BY 1, 2")
    held: dict[str, dict[int, int]] = defaultdict(dict)
    for home, start, revision in rows:
        held[home][start] = revision
    connection.close()
    return held


def _check_home(
    found: Findings, ledger: Ledger, plan: Plan, number: int, held: Mapping[int, int]
) -> None:
    """Check that a home's periods are there in their last revision, and the others missing."""
    name, duration = plan.name(number), plan.duration(number)
    said = list(plan.starts(number))
    if extra := held.keys() - set(said):
        found.say(f"{name}: {len(extra)} periods that it never told")
    if plan.silent_from(number) is None:
        for start in said:
            if held.get(start) != plan.last_revision(number, start):
                found.say(f"{name}: revision {held.get(start)} of {start} holds")
    asked = {
        start + place * duration
        for start, count in ledger.missing(name, plan.begin, plan.end, duration=duration)
        for place in range(count)
    }
    expected = set(range(plan.begin, plan.end, duration)) - held.keys()
    if asked != expected:
        found.say(f"{name}: {len(asked)} periods reported missing, {len(expected)} are")
    found.told += len(held)
    found.true_told += len(held if plan.silent_from(number) is not None else said)
    found.corrected += sum(revision > 0 for revision in held.values())
    found.missing += len(asked)
    found.true_missing += len(expected)


def _count(plan: Plan, held: Mapping[str, Mapping[int, int]]) -> dict[Place, Sum]:
    """Add up what the homes truly had in the revisions that hold."""
    sums: dict[Place, Sum] = defaultdict(Sum)
    for number in range(plan.homes):
        scopes = (
            (Scope.COMMUNITY, COMMUNITY),
            (Scope.FEEDER, plan.feeder(number)),
            (Scope.GROUP, plan.group(number)),
        )
        duration = plan.duration(number)
        for start, revision in held.get(plan.name(number), {}).items():
            times = list(_times(start, duration))
            for item in plan.items(number, start, revision):
                if item.quality is Quality.MISSING:
                    continue
                for grain, begin in times:
                    for scope, name in scopes:
                        total = sums[grain, begin, scope, name, item.flow]
                        total.homes.add(number)
                        total.periods += 1
                        total.wh += item.wh
                        total.mg += item.mg
                        total.carbon_free += _carbon_free(item.flow, item.wh, item.carbon_free)
                        total.measured += item.wh * (item.quality is Quality.MEASURED)
                        total.covered += item.coverage * duration
    return sums


def _carbon_free(flow: str, wh: int, told: int | None) -> int:
    if told is None:
        return wh if flow == "pv" else 0
    return told


def _times(start: int, duration: int) -> Iterator[tuple[Grain, int]]:
    """Yield the hour, day, month and year of a period."""
    if duration < DAY:
        yield Grain.HOUR, start
    day = datetime.fromtimestamp(start + duration // 2, ZONE).date()
    yield Grain.DAY, _midnight(day)
    yield Grain.MONTH, _midnight(day.replace(day=1))
    yield Grain.YEAR, _midnight(day.replace(month=1, day=1))


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=ZONE).timestamp())


def _check_sums(found: Findings, ledger: Ledger, plan: Plan, sums: Mapping[Place, Sum]) -> None:
    """Compare every cell of every scope and grain."""
    scopes: list[tuple[Scope, str]] = [(Scope.COMMUNITY, COMMUNITY)]
    scopes += [(Scope.FEEDER, name) for name in {plan.feeder(n) for n in range(plan.homes)}]
    scopes += [(Scope.GROUP, name) for name in {plan.group(n) for n in range(plan.homes)}]
    seen: set[Place] = set()
    for scope, name in scopes:
        members = sum(
            name in {COMMUNITY, plan.feeder(number), plan.group(number)}
            for number in range(plan.homes)
        )
        for grain in Grain:
            # Half a year around: months and years begin long before the first day.
            for cell in ledger.cells(
                grain, plan.begin - 400 * DAY, plan.end + DAY, scope=scope, name=name
            ):
                place = (grain, cell.key.begin, scope, name, cell.key.flow.value)
                seen.add(place)
                _check_cell(found, cell, sums.get(place, Sum()), members)
    found.cells = len(seen)
    if absent := sums.keys() - seen:
        found.say(f"{len(absent)} cells are not there, {min(absent)} first")


def _check_cell(found: Findings, cell: Cell, total: Sum, members: int) -> None:
    """Compare one cell."""
    sums = cell.sums
    is_ = (
        *(cell.homes, cell.expected, sums.periods, sums.wh, sums.mg),
        *(sums.carbon_free, sums.measured, sums.covered),
    )
    ought = (
        *(len(total.homes), members, total.periods, total.wh, total.mg),
        *(total.carbon_free, total.measured, total.covered),
    )
    if is_ != ought:
        found.say(f"{cell.key}: {is_} instead of {ought}")
    if cell.key.grain is Grain.YEAR and cell.key.scope is Scope.COMMUNITY:
        found.wh += sums.wh
        found.true_wh += total.wh
        found.mg += sums.mg
        found.true_mg += total.mg
