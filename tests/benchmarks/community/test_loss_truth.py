"""The check of the loss test finds whatever is wrong in the hub's books."""

from collections.abc import Callable
from pathlib import Path
import sqlite3

import pytest

from benchmarks.community.loss.plan import COMMUNITY, DAY, ZONE, Plan
from benchmarks.community.loss.truth import check
from custom_components.carbon_meter.community.ledger.ledger import Ledger

PLAN = Plan(seed=11, homes=12, days=2, begin=20_400 * DAY)


@pytest.fixture
def books(tmp_path: Path) -> Path:
    """Return a ledger that has everything, in another order than it was said."""
    path = tmp_path / "ledger.db"
    ledger = Ledger(path, community=COMMUNITY, zone=ZONE)
    for number in range(PLAN.homes):
        ledger.assign(
            PLAN.name(number),
            PLAN.first_day,
            feeder=PLAN.feeder(number),
            groups=(PLAN.group(number),),
        )
    said = [
        PLAN.footprint(number, saying.start, saying.revision)
        for number in range(PLAN.homes)
        for day in PLAN.sayings(number)
        for saying in day
    ]
    ledger.take(reversed(said), PLAN.end)
    ledger.settle()
    ledger.close()
    return path


def test_sound_books_are_sound(books: Path) -> None:
    found = check(books, PLAN)
    assert found.wrong == []
    assert found.wh == found.true_wh > 0
    assert found.mg == found.true_mg
    assert found.told > 100
    assert found.corrected > 0
    assert found.missing == found.true_missing > 0
    assert found.cells > 100


def lose_a_revision(file: sqlite3.Connection) -> None:
    """Forget the last revision of a period that was revised, with all that came of it."""
    home, start, revision = file.execute(
        "SELECT home, start_at, revision FROM revisions WHERE revision > 0 LIMIT 1"
    ).fetchone()
    file.execute(
        "DELETE FROM revisions WHERE home = ? AND start_at = ? AND revision = ?",
        (home, start, revision),
    )


def lose_a_period(file: sqlite3.Connection) -> None:
    """Forget a period, as if its message had been lost."""
    home, start = file.execute("SELECT home, start_at FROM revisions LIMIT 1").fetchone()
    for table in ("revisions", "items"):
        file.execute(f"DELETE FROM {table} WHERE home = ? AND start_at = ?", (home, start))  # noqa: S608


def count_twice(file: sqlite3.Connection) -> None:
    """Count one item twice, in its own row and so in every recomputation."""
    file.execute(
        "UPDATE items SET wh = 2 * wh WHERE (home, start_at, flow) ="
        " (SELECT home, start_at, flow FROM items WHERE wh > 0 AND counted LIMIT 1)"
    )


def be_off_by_one(file: sqlite3.Connection) -> None:
    """Change one cell by one mg."""
    file.execute(
        "UPDATE cells SET mg = mg + 1 WHERE (grain, scope, name, begin_at, flow) ="
        " (SELECT grain, scope, name, begin_at, flow FROM cells LIMIT 1)"
    )


@pytest.mark.parametrize("damage", [lose_a_revision, lose_a_period, count_twice, be_off_by_one])
def test_what_is_wrong_is_found(books: Path, damage: Callable[[sqlite3.Connection], None]) -> None:
    with sqlite3.connect(books) as file:
        damage(file)
    file.close()
    assert check(books, PLAN).wrong != []
