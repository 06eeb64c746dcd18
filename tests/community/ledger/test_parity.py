"""One text, one digest: SQLite, DuckDB and PostgreSQL add up to the same last digit."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
import hashlib
from pathlib import Path
import random
import sqlite3
from typing import Any, Protocol

import pytest

from custom_components.carbon_meter.community.ledger import fresh, statements
from custom_components.carbon_meter.community.ledger.calendar import HOUR, Calendar
from custom_components.carbon_meter.community.ledger.membership import FOREVER
from custom_components.carbon_meter.community.ledger.recomputing import steps
from custom_components.carbon_meter.community.ledger.schema import TABLES
from tests.community.ledger.postgres import needs_postgres, postgres
from tests.community.ledger.village import BERLIN, COMMUNITY

HOMES = 40
HOURS = 26 * 24
FLOWS = ("grid_import", "pv")


class Engine(Protocol):
    """What the three have in common."""

    def run(self, statement: str, parameters: tuple[Any, ...] = ()) -> None: ...
    def rows(self, statement: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]: ...


class _Cursor:
    """An engine behind a cursor."""

    def __init__(self, cursor: Any, *, translate=lambda statement: statement) -> None:
        self._cursor = cursor
        self._translate = translate

    def run(self, statement, parameters=()):
        self._cursor.execute(self._translate(statement), parameters)

    def rows(self, statement, parameters=()):
        self._cursor.execute(self._translate(statement), parameters)
        return self._cursor.fetchall()


@contextmanager
def _sqlite(tmp_path: Path) -> Iterator[Engine]:
    connection = sqlite3.connect(tmp_path / "parity.db")
    yield _Cursor(connection.cursor())
    connection.close()


@contextmanager
def _duckdb(tmp_path: Path) -> Iterator[Engine]:
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect(str(tmp_path / "parity.duckdb")) as connection:
        connection.execute("BEGIN")
        yield _Cursor(connection)


@contextmanager
def _postgres(_tmp_path: Path) -> Iterator[Engine]:
    psycopg = pytest.importorskip("psycopg")
    with postgres() as where, psycopg.connect(where) as connection:
        yield _Cursor(connection.cursor(), translate=statements.with_percent)


ENGINES = [
    pytest.param(_sqlite, id="sqlite"),
    pytest.param(_duckdb, id="duckdb"),
    pytest.param(_postgres, id="postgres", marks=needs_postgres),
]

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
