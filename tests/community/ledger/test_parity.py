"""One text, one digest: SQLite, DuckDB and PostgreSQL add up to the same last digit."""

# ruff: noqa: S608  # built from the names of the package alone

from collections.abc import Iterator
from datetime import date, timedelta
import hashlib
from pathlib import Path
import random
from types import SimpleNamespace
from typing import Any

import pytest

from custom_components.carbon_meter.community.contract.message import Flow, Footprint, Kind, Quality
from custom_components.carbon_meter.community.ledger import fresh, ledger as ledger_of, statements
from custom_components.carbon_meter.community.ledger.calendar import HOUR, Calendar, Grain
from custom_components.carbon_meter.community.ledger.cells import Scope
from custom_components.carbon_meter.community.ledger.intake import Outcome
from custom_components.carbon_meter.community.ledger.ledger import Ledger
from custom_components.carbon_meter.community.ledger.membership import FOREVER
from custom_components.carbon_meter.community.ledger.recomputing import steps
from custom_components.carbon_meter.community.ledger.schema import TABLES
from tests.community.ledger.engines import ENGINES, Engine, EngineDatabase
from tests.community.ledger.village import BERLIN, COMMUNITY, footprint, item

HOMES = 40
HOURS = 26 * 24
FLOWS = ("grid_import", "pv")


LIVED = "38ad310b7ed95c8fd4003c322416a73dc1f1838b26aa1ce137f746b88560e953"

DIGEST = "b3fbd940c40faa7067b371bac068d78608079119f1a64b2d2af77b7113dfe6bc"


def _said() -> list[tuple[Any, ...]]:
    """Return what 40 homes say in 26 days: with gaps, corrections and repetitions, in no order."""
    chance = random.Random(20261123)  # noqa: S311
    calendar = Calendar(BERLIN)
    begin = calendar.begin(date(2026, 10, 10)) // HOUR * HOUR
    rows = []
    for home in range(HOMES):
        quarters = home % 8 == 0
        step = 900 if quarters else HOUR
        for start in range(begin, begin + HOURS * HOUR // (4 if quarters else 1), step):
            if chance.random() < 0.05:
                continue
            for revision in range(1 + (chance.random() < 0.1) + (chance.random() < 0.02)):
                for flow in FLOWS[: 1 + home % 2]:
                    row = _row(chance, calendar, home, start, step, flow, revision)
                    rows += [row] * (1 + (chance.random() < 0.05))
    chance.shuffle(rows)
    return rows


def _row(chance, calendar, home, start, step, flow, revision):
    wh = chance.randrange(5000)
    quality = chance.choice([0, 0, 0, 1, 2, 3])
    day = calendar.day(start, step)
    return (
        COMMUNITY,
        f"home-{home}",
        start,
        step,
        flow,
        "average",
        revision,
        start - start % HOUR,
        day,
        1 + home % 5,
        int(quality < 3),
        quality,
        wh,
        wh * chance.randrange(-50, 800),
        wh // 3,
        wh,
        chance.randrange(10001),
        int(chance.random() < 0.01),
        1,
    )


def _batches(rows: list[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows in their order, in statements that have no key twice."""
    batch: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for row in rows:
        if row[:5] in batch or len(batch) == 1500:
            yield list(batch.values())
            batch = {}
        batch[row[:5]] = row
    yield list(batch.values())


def _begin(engine: Engine) -> None:
    for table in TABLES:
        engine.run(table)
    for place in range(1, 6):
        scopes = [("community", COMMUNITY), ("feeder", f"feeder-{place % 2}")]
        for scope, name in [*scopes, *([("group", "school")] if place > 3 else [])]:
            engine.run(statements.PUT_PLACE, (COMMUNITY, place, scope, name))
    for home in range(HOMES):
        name = f"home-{home}"
        engine.run(statements.PUT_HOME, (COMMUNITY, name, 0, FOREVER, 1 + home % 5))
        engine.run(statements.PUT_LENGTH, (COMMUNITY, name, 900 if home % 8 == 0 else HOUR))


def _recompute(engine: Engine) -> None:
    # Eight homes are in each place: the last slice is shorter.
    for statement, parameters in steps(COMMUNITY, engine.rows, homes=10):
        engine.run(statement, parameters)


def _digest(engine: Engine) -> str:
    """Return the SHA-256 of all cells; an engine that gives 1.0 or Decimal(1) gives another."""
    digest = hashlib.sha256()
    # Texts are put in order here: each engine has an order of its own for them.
    for row in sorted(engine.rows(fresh.ALL_CELLS)):
        digest.update(repr(row).encode())
    return digest.hexdigest()


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_gives_the_same_digest(engine, tmp_path: Path, socket_enabled: None) -> None:
    said = _said()
    assert len(said) > 20_000
    calendar = Calendar(BERLIN)
    days = {row[8] for row in said}
    with engine(tmp_path) as opened:
        _begin(opened)
        for day in days:
            opened.run(statements.PUT_DAY, (day, calendar.month(day), calendar.year(day)))
        for batch in _batches(said):
            flat = tuple(value for row in batch for value in row)
            opened.run(statements.of_rows(statements.PUT_ITEM, len(batch)), flat)
        _recompute(opened)
        assert _digest(opened) == DIGEST
        *period, _, _ = key = said[0][:6]
        revision, wh = max((row[6], row[12]) for row in said if row[:6] == key)
        opened.run(statements.KEEP_FORMER, (*period, revision))
        opened.run(statements.KEEP_FORMER, (*period, revision + 1))
        which = (*key[:5], revision)
        assert opened.rows(statements.FORMER, which * 2) == [(wh,), (wh,)]
        opened.run(statements.PUT_PUBLISHED, (COMMUNITY, 1))
        opened.run(statements.PUT_PUBLISHED, (COMMUNITY, 2))
        assert opened.rows(statements.PUBLISHED, (COMMUNITY,)) == [(2,)]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_sum_beyond_64_bits_is_an_error(engine, tmp_path: Path, socket_enabled: None) -> None:
    """The cast is what makes it one where sums are wider than their terms."""
    calendar = Calendar(BERLIN)
    start = calendar.begin(date(2026, 10, 10))
    with engine(tmp_path) as opened:
        _begin(opened)
        for home in range(2):
            chance = random.Random(1)  # noqa: S311
            row = _row(chance, calendar, home, start, HOUR, "grid_import", 0)
            opened.run(statements.PUT_ITEM, (*row[:10], 1, 0, 1 << 62, 0, 0, 0, *row[16:]))
        with pytest.raises(Exception, match=r"(?i)overflow|out of range|can't be cast"):
            _recompute(opened)
        opened.run("ROLLBACK")


BOOKED_FROM = date(2026, 10, 25)
"""The day with the hour that clocks have twice."""

BOOKED_AT = 1_800_000_000


def _told() -> list[list[Footprint]]:
    """Return batches of what homes say, with everything that can happen to it."""
    chance = random.Random(15)  # noqa: S311
    begin = Calendar(BERLIN).begin(BOOKED_FROM)
    every: list[Footprint] = []
    for home in "abcd":
        for start in range(begin, begin + 28 * HOUR, HOUR):
            if chance.random() < 0.1:
                continue
            for revision in range(1 + (chance.random() < 0.3)):
                flows = (Flow.GRID_IMPORT, Flow.PV)[: chance.randrange(1, 3)]
                items = [
                    item(
                        flow,
                        chance.randrange(3000),
                        quality=chance.choice(list(Quality)[:3]),
                        kind=chance.choice(list(Kind)[:2]),
                        version=chance.choice(["1", "2", home]),
                    )
                    for flow in flows
                ]
                every.append(footprint(home, start, *items, revision=revision))
        # Quarters of an hour that is told, and a day of hours that are.
        every += [
            footprint(home, begin + 9 * HOUR + part * 900, item(Flow.PV, 7), duration=900)
            for part in range(4)
        ]
    start = (begin // 86400 + 1) * 86400
    every.append(footprint("c", start, item(Flow.GRID_IMPORT, 4321), duration=86400))
    every += chance.sample(every, 20)
    every.append(footprint("a", every[0].start, item(Flow.PV, 1), revision=every[0].revision))
    chance.shuffle(every)
    return [every[at : at + 40] for at in range(0, len(every), 40)]


def _lived(ledger: Ledger) -> list[Outcome]:
    """Have a community go on for a while: tell, settle, move, leave, withdraw."""
    for home in "abcd":
        ledger.assign(home, date(2026, 1, 1), feeder="north" if home < "c" else "south")
    outcomes = []
    for number, batch in enumerate(_told()):
        outcomes += ledger.take(batch, BOOKED_AT + number)
        if number == 1:
            ledger.settle(3)
        if number == 2:
            ledger.assign("b", BOOKED_FROM + timedelta(1), feeder="south", groups=["school"])
        if number == 3:
            ledger.leave("c", BOOKED_FROM + timedelta(1))
    ledger.withdraw("d")
    ledger.settle()
    return outcomes


_LEFT = {
    "cells": f"SELECT {statements.CELL_NAMES}, revision FROM cells",
    "totals": f"SELECT home, grain, begin_at, place, flow, kind, {statements.NAMES} FROM totals",
    "items": "SELECT * FROM items",
    "former": "SELECT * FROM former",
    "revisions": "SELECT * FROM revisions",
    "quarantine": "SELECT * FROM quarantine",
    "factors": "SELECT * FROM factors",
    "used_factors": "SELECT * FROM used_factors",
    "unbooked": "SELECT * FROM unbooked",
    "days": "SELECT * FROM days",
    "homes": "SELECT * FROM homes",
}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_ledger_lives_on_every_engine(
    engine, tmp_path: Path, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the statements of a recomputation alone: those of taking, booking and deleting too."""
    begin = Calendar(BERLIN).begin(BOOKED_FROM)
    with engine(tmp_path) as opened:
        monkeypatch.setattr(
            ledger_of,
            "Database",
            lambda _path, _identity, *, outdated, more: EngineDatabase(
                opened, (*outdated, *TABLES), more
            ),
        )
        monkeypatch.setattr(ledger_of, "time", SimpleNamespace(time=lambda: BOOKED_AT + 60))
        ledger = Ledger(tmp_path, community=COMMUNITY, zone=BERLIN)
        outcomes = _lived(ledger)
        assert {*outcomes} == {
            Outcome.ACCEPTED,
            Outcome.DUPLICATE,
            Outcome.SUPERSEDED,
            Outcome.QUARANTINED,
        }
        shown = [
            cell
            for scope, name in ((Scope.COMMUNITY, None), (Scope.FEEDER, "south"))
            for grain in Grain
            for cell in ledger.cells(grain, 0, begin + 9 * 86400, scope=scope, name=name)
        ]
        asked = [ledger.homes_of(cell.key) for cell in shown[:40]]
        asked.append(ledger.missing("a", begin, begin + 48 * HOUR))
        asked.append(sorted(ledger.standing(Grain.DAY, 0).items()))
        asked.append(ledger.told_energy([("a", begin, HOUR, 0), ("b", begin, HOUR, 1)], Flow.PV))
        digest = hashlib.sha256(repr((outcomes, shown, asked)).encode())
        for name, statement in _LEFT.items():
            rows = sorted(opened.rows(statement))
            assert rows or name == "unbooked"
            digest.update(repr(rows).encode())
        assert digest.hexdigest() == LIVED
        series = ("pv", "average")
        for statement in (statements.PARTS, statements.PARTS_WITH_LEVEL):
            parts = opened.rows(statement, (COMMUNITY, 0, begin + 9 * 86400, *series))
            counted = opened.rows(
                "SELECT home, start_at, duration, wh FROM items"
                " WHERE counted = 1 AND place > 0 AND flow = 'pv' AND kind = 'average'"
            )
            assert sorted((*row[:3], row[7]) for row in parts) == sorted(counted) != []
        # Carried from change to change, it is what a full recomputation comes to.
        _recompute(opened)
        for wrong in (
            fresh.WRONG_CELLS,
            fresh.RIGHT_CELLS,
            fresh.WRONG_TOTALS,
            fresh.RIGHT_TOTALS,
        ):
            assert opened.rows(wrong) == []
