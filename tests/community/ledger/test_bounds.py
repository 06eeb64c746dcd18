"""What one home can make a hub keep is bounded, and costs the others nothing."""

# ruff: noqa: S608  # built from the names of the package alone

from collections.abc import Iterator
from datetime import date
from pathlib import Path
import sqlite3

import pytest

from custom_components.carbon_meter.community.contract.bounds import (
    MOST_INTENSITIES,
    MOST_REVISIONS,
    MOST_SET_APART,
)
from custom_components.carbon_meter.community.contract.message import Flow, Footprint
from custom_components.carbon_meter.community.ledger import factors, statements
from custom_components.carbon_meter.community.ledger.calendar import Grain
from custom_components.carbon_meter.community.ledger.intake import Outcome
from custom_components.carbon_meter.community.ledger.ledger import Ledger
from tests.community.ledger.village import (
    BERLIN,
    COMMUNITY,
    HOUR,
    MIDSUMMER,
    footprint,
    imported,
    item,
)

NOW = MIDSUMMER + 86400


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.db", community=COMMUNITY, zone=BERLIN)
    for home in ("a", "b"):
        opened.assign(home, date(2026, 1, 1))
    yield opened
    opened.close()


def rows(ledger: Ledger, table: str) -> int:
    with ledger._database.reading() as connection:
        (count,) = connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()
    return int(count)


def wh(ledger: Ledger, start: int = MIDSUMMER) -> list[int]:
    return [cell.sums.wh for cell in ledger.cells(Grain.HOUR, start, start + HOUR)]


def weighed(home: str, start: int, *names: int, **changes) -> Footprint:
    """Return an hour of several flows, each by an intensity of its own."""
    flows = zip(Flow, names, strict=False)
    return footprint(
        home, start, *(item(flow, 1, version=str(name)) for flow, name in flows), **changes
    )


@pytest.mark.clause("CM-49")
@pytest.mark.parametrize("is_falling", [False, True])
def test_a_period_has_so_many_revisions(ledger: Ledger, is_falling: bool) -> None:
    said = [imported("a", MIDSUMMER, 10 + n, revision=n) for n in range(MOST_REVISIONS)]
    taken = ledger.take(reversed(said) if is_falling else said, NOW)
    assert set(taken) <= {Outcome.ACCEPTED, Outcome.SUPERSEDED}
    more = [imported("a", MIDSUMMER, 1, revision=MOST_REVISIONS + n) for n in range(5)]
    assert ledger.take(more, NOW) == [Outcome.TOO_MANY_REVISIONS] * 5
    assert wh(ledger) == [10 + MOST_REVISIONS - 1]
    assert rows(ledger, "revisions") == MOST_REVISIONS
    assert rows(ledger, "former") == (0 if is_falling else MOST_REVISIONS - 1)
    # What is held is still known, and nothing else has changed.
    assert ledger.take([said[3]], NOW) == [Outcome.DUPLICATE]
    others = [
        imported("b", MIDSUMMER, 1, revision=MOST_REVISIONS),
        imported("a", MIDSUMMER + HOUR, 1, revision=MOST_REVISIONS),
        imported("a", MIDSUMMER, 1, revision=MOST_REVISIONS, duration=900),
    ]
    assert ledger.take(others, NOW) == [Outcome.ACCEPTED] * 3
    assert ledger.recompute() == 0


def _steps(ledger: Ledger, *said: Footprint) -> tuple[list[Outcome], int]:
    """Return what became of footprints, and how many steps of SQLite that took."""
    count = 0

    def step() -> None:
        nonlocal count
        count += 1

    with ledger._database.reading() as connection:
        connection.set_progress_handler(step, 1)
        try:
            return ledger.take(said, NOW), count
        finally:
            connection.set_progress_handler(None, 0)


def test_a_revision_costs_the_same_however_many_there_are(ledger: Ledger) -> None:
    """A file of before the bound can hold any number: they cost no steps either."""
    for start in (MIDSUMMER, MIDSUMMER + 24 * HOUR):
        said = [imported("a", start, 1, revision=n) for n in range(MOST_REVISIONS - 3)]
        ledger.take(said, NOW)
    first = _steps(ledger, imported("a", MIDSUMMER, 2, revision=MOST_REVISIONS))
    again = _steps(ledger, imported("a", MIDSUMMER, 2, revision=MOST_REVISIONS))
    full = _steps(ledger, *(imported("a", MIDSUMMER, 3, revision=500 + n) for n in range(3)))
    assert first[0] == [Outcome.ACCEPTED]
    assert again[0] == [Outcome.DUPLICATE]
    assert full[0] == [Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.TOO_MANY_REVISIONS]
    with ledger._database.writing() as connection:
        connection.executemany(
            "INSERT INTO revisions SELECT community, home, start_at, duration, ?, digest,"
            " received_at, produced_ms, method, software, level, final FROM revisions"
            " WHERE home = 'a' AND start_at = ? AND revision = 0",
            [(1000 + n, MIDSUMMER + 24 * HOUR) for n in range(20_000)],
        )
    second = _steps(ledger, imported("a", MIDSUMMER + 24 * HOUR, 1, revision=1001))
    third = _steps(ledger, imported("a", MIDSUMMER + 24 * HOUR, 1, revision=50_000))
    assert second[0] == [Outcome.QUARANTINED]
    assert third[0] == [Outcome.TOO_MANY_REVISIONS]
    assert third[1] < first[1]
    assert second[1] < first[1] + full[1]


@pytest.mark.parametrize(
    "statement",
    [
        statements.DIGEST,
        statements.HIGHEST,
        statements.COUNT_REVISIONS,
        statements.COUNT_QUARANTINE,
        statements.LATEST,
        statements.FACTOR,
        statements.HIGHEST_FACTOR,
        statements.HAS_USED,
        statements.USED,
        statements.COUNT_USED,
        statements.DROP_UNUSED,
        statements.FORGET_USED,
        statements.KEEP_FORMER,
        statements.DROP_OLDER_ITEMS,
        *statements.FORGET_HOME,
    ],
)
def test_what_is_asked_for_each_message_is_found_by_a_key(ledger: Ledger, statement: str) -> None:
    with ledger._database.reading() as connection:
        plan = connection.execute(
            f"EXPLAIN QUERY PLAN {statement}", (0,) * statement.count("?")
        ).fetchall()
    found = [row[3] for row in plan]
    assert any(row.startswith("SEARCH") for row in found)
    # A subquery of a bounded number of rows is gone through, and no table.
    subqueries = {"SCAN told", "SCAN apart"}
    assert not [row for row in found if row.startswith("SCAN") and row not in subqueries]


@pytest.mark.parametrize(
    "statement",
    [
        statements.EXTREMES_OF_HOUR,
        statements.HOMES_OF_HOUR,
        statements.PARTS,
        statements.PARTS_WITH_LEVEL,
    ],
)
def test_what_is_asked_of_an_hour_does_not_grow_with_the_past(
    ledger: Ledger, statement: str
) -> None:
    with ledger._database.reading() as connection:
        plan = connection.execute(
            f"EXPLAIN QUERY PLAN {statement}", (0,) * statement.count("?")
        ).fetchall()
    [items] = [row[3] for row in plan if row[3].split()[1] == "i"]
    assert items.startswith("SEARCH")
    assert "(community=? AND home=? AND start_at" in items


@pytest.mark.clause("CM-50")
def test_a_home_names_so_many_intensities(ledger: Ledger) -> None:
    flows = len(Flow)
    starts = [MIDSUMMER + n * HOUR for n in range(MOST_INTENSITIES // flows + 2)]
    said = [
        weighed("a", start, *range(n * flows, (n + 1) * flows)) for n, start in enumerate(starts)
    ]
    taken = ledger.take(said, NOW)
    full = MOST_INTENSITIES // flows
    assert taken == [Outcome.ACCEPTED] * full + [Outcome.TOO_MANY_INTENSITIES] * 2
    left = MOST_INTENSITIES - full * flows
    assert rows(ledger, "factors") == rows(ledger, "used_factors") == full * flows
    assert wh(ledger, starts[-1]) == []
    assert rows(ledger, "revisions") == full
    # As many as are left, and those that are known, as a new hour and as a revision.
    new = range(10_000, 10_000 + left)
    goes_on = [
        weighed("a", starts[-1], *new),
        weighed("a", starts[-2], *range(flows)),
        weighed("a", starts[0], *range(5, 5 + flows), revision=1),
    ]
    assert ledger.take(goes_on, NOW) == [Outcome.ACCEPTED] * 3
    assert rows(ledger, "factors") == MOST_INTENSITIES
    beyond = [
        weighed("a", starts[-1] + HOUR, 20_000),
        weighed("a", starts[0], 0, 20_000, revision=2),
        weighed("a", starts[0], 7, 1, revision=2),
        weighed("b", starts[0], *range(20_000, 20_000 + flows)),
    ]
    assert ledger.take(beyond, NOW) == [
        Outcome.TOO_MANY_INTENSITIES,
        Outcome.TOO_MANY_INTENSITIES,
        Outcome.ACCEPTED,
        Outcome.ACCEPTED,
    ]
    assert rows(ledger, "factors") == MOST_INTENSITIES + flows
    assert ledger.recompute() == 0


def test_few_intensities_are_held_in_memory(ledger: Ledger, monkeypatch) -> None:
    """However many there are in the file, an item keeps the number of its own."""
    monkeypatch.setattr(factors, "_TEXTS", 5)
    monkeypatch.setattr(factors, "_USES", 7)
    ledger._intake._factors = factors.Factors(COMMUNITY)
    names = [n * 7 % 40 for n in range(200)]
    for n, name in enumerate(names):
        ledger.take([weighed("ab"[n % 2], MIDSUMMER + n * HOUR, name)], NOW)
        assert ledger._intake._factors.held <= 12
    with ledger._database.reading() as connection:
        told = connection.execute(
            "SELECT f.version FROM items JOIN factors f USING (factor) ORDER BY start_at"
        ).fetchall()
    assert [int(version) for (version,) in told] == names
    assert rows(ledger, "factors") == 40


def test_what_came_to_nothing_is_not_held_in_memory(ledger: Ledger) -> None:
    def broken() -> Iterator[Footprint]:
        yield weighed("a", MIDSUMMER, 1)
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        ledger.take(broken(), NOW)
    assert ledger._intake._factors.held == 0
    assert ledger.take([weighed("a", MIDSUMMER, 2, 1)], NOW) == [Outcome.ACCEPTED]
    assert rows(ledger, "factors") == rows(ledger, "used_factors") == 2


@pytest.mark.clause("CM-51")
def test_so_much_of_a_home_is_set_apart(ledger: Ledger) -> None:
    starts = [MIDSUMMER + n * HOUR for n in range(MOST_SET_APART)]
    ledger.take([imported(home, start, 1) for home in "ab" for start in starts], NOW)
    contradict = [imported("a", start, wh) for wh in (2, 3) for start in starts]
    assert ledger.take(contradict, NOW) == [Outcome.QUARANTINED] * 2 * MOST_SET_APART
    assert ledger.take([imported("b", starts[0], 2)], NOW) == [Outcome.QUARANTINED]
    kept = ledger.quarantined()
    assert [row[0] for row in kept] == ["a"] * MOST_SET_APART + ["b"]
    assert all('"wh":2' in row[4] for row in kept)


def test_a_text_goes_with_the_last_home_that_has_named_it(ledger: Ledger, tmp_path: Path) -> None:
    ledger.take([weighed("a", MIDSUMMER, 71_001, 71_002), weighed("b", MIDSUMMER, 71_002)], NOW)
    ledger.take([weighed("a", MIDSUMMER, 71_002, revision=1)], NOW)
    ledger.withdraw("a")
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"71001" not in files
    assert b"71002" in files
    assert ledger.take([weighed("b", MIDSUMMER + HOUR, 71_003, 71_002)], NOW) == [Outcome.ACCEPTED]
    ledger.withdraw("b")
    assert rows(ledger, "factors") == rows(ledger, "used_factors") == 0
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"7100" not in files


def test_a_file_of_an_earlier_version_knows_who_has_named_what(
    ledger: Ledger, tmp_path: Path
) -> None:
    ledger.take([weighed("a", MIDSUMMER, 71_001), weighed("b", MIDSUMMER, 71_002)], NOW)
    ledger.close()
    with sqlite3.connect(tmp_path / "ledger.db") as older:
        older.execute("DROP TABLE used_factors")
        older.execute("DROP INDEX factors_by_text")
        older.execute("DROP TABLE former")
        older.execute("CREATE TABLE former (home TEXT NOT NULL, wh BIGINT NOT NULL)")
        older.execute("PRAGMA user_version = 2")
    older.close()
    again = Ledger(tmp_path / "ledger.db", community=COMMUNITY, zone=BERLIN)
    again.take([weighed("b", MIDSUMMER, 71_002, revision=1)], NOW)
    assert rows(again, "former") == 1
    again.withdraw("a")
    again.close()
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"71001" not in files
    assert b"71002" in files
