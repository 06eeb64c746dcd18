"""SQLite, DuckDB and PostgreSQL (15 or later) behind one face: statements, and a whole ledger."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
import importlib
import os
from pathlib import Path
import sqlite3
from types import ModuleType
from typing import Any, Protocol

import pytest

from custom_components.carbon_meter.community.ledger import statements
from tests.community.ledger.postgres import VERSION, needs_postgres, postgres


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


def _module(name: str) -> ModuleType:
    """Return a package for developers; where everything is tested it may not be missing."""
    if os.environ.get("CI") == "true":
        return importlib.import_module(name)
    module: ModuleType = pytest.importorskip(name)
    return module


@contextmanager
def _sqlite(tmp_path: Path) -> Iterator[Engine]:
    connection = sqlite3.connect(tmp_path / "parity.db")
    yield _Cursor(connection.cursor())
    connection.close()


@contextmanager
def _duckdb(tmp_path: Path) -> Iterator[Engine]:
    with _module("duckdb").connect(str(tmp_path / "parity.duckdb")) as connection:
        connection.execute("BEGIN")
        yield _Cursor(connection)


@contextmanager
def _postgres(_tmp_path: Path) -> Iterator[Engine]:
    psycopg = _module("psycopg")
    with postgres() as where, psycopg.connect(where) as connection:
        assert connection.info.server_version // 10_000 >= VERSION
        yield _Cursor(connection.cursor(), translate=statements.with_percent)


ENGINES = [
    pytest.param(_sqlite, id="sqlite"),
    pytest.param(_duckdb, id="duckdb"),
    pytest.param(_postgres, id="postgres", marks=needs_postgres),
]


class _Rows:
    """What a statement gave, as a cursor of sqlite3 shows it."""

    def __init__(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self._rows = iter(rows)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self._rows

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(self._rows, None)

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(self._rows)


class _Connection:
    """An engine as a connection of sqlite3."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> _Rows:
        # A word of an enum is its text.
        plain = tuple(str(each) if isinstance(each, str) else each for each in parameters)
        if statement.startswith("SELECT"):
            return _Rows(self._engine.rows(statement, plain))
        self._engine.run(statement, plain)
        return _Rows(())

    def executemany(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        for row in rows:
            self.execute(statement, row)


class EngineDatabase:
    """The database of a ledger on any engine, in one transaction that a test takes back."""

    def __init__(self, engine: Engine, tables: Sequence[str], more: Sequence[str]) -> None:
        self.connection = _Connection(engine)
        for statement in (*tables, *more):
            self.connection.execute(statement)

    def reading(self) -> AbstractContextManager[_Connection]:
        return self._given()

    def writing(self) -> AbstractContextManager[_Connection]:
        return self._given()

    @contextmanager
    def _given(self) -> Iterator[_Connection]:
        yield self.connection

    def empty_log(self) -> None:
        """There is none that a test looks into."""

    def close(self) -> None:
        """The engine is closed by who has opened it."""
