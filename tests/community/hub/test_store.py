"""Full disks, locked and broken files: nothing is acknowledged, and nothing is lost."""

from contextlib import suppress
from pathlib import Path
import sqlite3

import pytest

from custom_components.carbon_meter.community.contract.consent import proof_of
from custom_components.carbon_meter.community.hub.books import Books
from custom_components.carbon_meter.community.hub.errors import StoreError
from tests.community.hub.homes import (
    NOW,
    agreed,
    consent,
    heard,
    homes_of,
    own_broker,
    said,
    settled,
    withdrawal,
)

FILES = ("ledger.db", "books.db")


def opened(folder: Path):
    hub = own_broker(folder)
    settled(hub, "a", "b")
    for each in (hub.ledger._database, hub.books._file):
        each._connection.execute("PRAGMA busy_timeout = 50")
    return hub


def recovers(hub) -> None:
    """Give what was not taken again: all of it is there once, and acknowledged."""
    batch = [said("a", hour, hour, seq=hour + 1) for hour in range(12)]
    replies = hub.processor.process(batch, NOW) + hub.processor.answers(NOW)
    [ack] = heard(replies).acks
    assert (ack.home, ack.upto) == ("a", 12)
    for hour in range(12):
        assert homes_of(hub.ledger, hour) == {"a": hour}
    assert hub.ledger.recompute() == 0
    hub.close()


@pytest.mark.parametrize("name", FILES)
def test_a_locked_file(tmp_path: Path, name: str) -> None:
    hub = opened(tmp_path)
    other = sqlite3.connect(tmp_path / name, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    batch = [said("a", hour, hour, seq=hour + 1) for hour in range(12)]
    for _ in range(3):
        with pytest.raises(StoreError, match="locked"):
            hub.processor.process(batch, NOW)
        assert hub.processor.answers(NOW) == []
    other.execute("ROLLBACK")
    other.close()
    recovers(hub)


@pytest.mark.parametrize("name", FILES)
def test_a_full_disk(tmp_path: Path, name: str) -> None:
    hub = opened(tmp_path)
    connection = (hub.ledger._database if name == "ledger.db" else hub.books._file)._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    batch = [said("a", hour, hour, seq=hour + 1, boot=f"run{hour}") for hour in range(12)]
    batch += [said("b", -hour, hour, seq=2 * hour, boot="x" * 64) for hour in range(1, 400)]
    with pytest.raises(StoreError, match="full"):
        hub.processor.process(batch, NOW)
    assert hub.processor.answers(NOW) == []
    assert hub.processor.counts.messages == 0
    connection.execute("PRAGMA max_page_count = 1073741823")
    recovers(hub)


def test_members_are_members_when_the_file_can_be_read_again(tmp_path: Path) -> None:
    """What is held in memory must not be half read: real members would be sent away for good."""
    hub = opened(tmp_path)
    connection = hub.ledger._database._connection

    class Broken:
        """Lets the first statements through, then nothing, not even reading."""

        def __init__(self, statements: int) -> None:
            self._left = statements

        def __getattr__(self, name: str):
            return getattr(connection, name)

        def execute(self, *args):
            self._left -= 1
            if self._left < 0 and args[0] != "ROLLBACK":
                raise sqlite3.OperationalError("disk I/O error")
            return connection.execute(*args)

        def executemany(self, *args):
            self._left = -1
            raise sqlite3.OperationalError("disk I/O error")

    for statements in range(8):
        hub.ledger._database._connection = Broken(statements)
        with pytest.raises(StoreError, match="I/O"):
            hub.processor.process([said("a", 0, 0), said("b", 0, 0)], NOW)
    hub.ledger._database._connection = connection
    recovers_with_b(hub)


def recovers_with_b(hub) -> None:
    replies = hub.processor.process([said("b", 0, 5)], NOW)
    assert replies == []
    assert homes_of(hub.ledger, 0) == {"b": 5}
    hub.close()


def test_a_broken_ledger_is_said_and_takes_nothing(tmp_path: Path) -> None:
    hub = opened(tmp_path)
    hub.processor.process([said("a", hour, 1, seq=hour + 1) for hour in range(12)], NOW)
    hub.close()
    path = tmp_path / "ledger.db"
    path.write_bytes(path.read_bytes()[:4096] + b"\x5a" * 40000)
    with pytest.raises(StoreError, match=r"ledger\.db"):
        own_broker(tmp_path)


@pytest.mark.parametrize("content", [b"no database at all" * 999, b""])
def test_broken_books_are_begun_anew(tmp_path: Path, content: bytes) -> None:
    hub = opened(tmp_path)
    hub.processor.process([said("a", 0, 0)], NOW)
    hub.close()
    (tmp_path / "books.db").write_bytes(content)
    again = own_broker(tmp_path)
    assert (again.books.damaged is not None) == bool(content)
    home = again.desk.invite(NOW).home
    answer = heard(again.processor.process([said("a", 1, 1, seq=2)], NOW))
    assert [nack.code for nack in answer.nacks] == ["consent"]  # until the home agrees again
    assert not heard(again.processor.process([consent(home)], NOW)).nacks
    again.close()


def test_books_that_break_in_use_keep_what_homes_have_agreed_to(tmp_path: Path) -> None:
    hub = opened(tmp_path)
    hub.processor.process([said("a", 0, 0)], NOW)
    hub.books._file._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    hub.books._file._connection.execute("PRAGMA cache_size = 0")
    path = tmp_path / "books.db"
    path.write_bytes(path.read_bytes()[:4096] + b"\x5a" * (path.stat().st_size - 4096))
    failures = 0
    batch = [said("a", hour, hour, seq=hour + 1) for hour in range(12)]
    for _ in range(5):
        try:
            hub.processor.process(batch, NOW)
        except StoreError:
            failures += 1
    assert failures
    assert hub.books.damaged is not None
    recovers(hub)
    reopened = own_broker(tmp_path)
    assert reopened.books.agreement("a") == agreed("a")
    reopened.close()


@pytest.mark.parametrize("point", range(8))
def test_a_withdrawal_cut_off_anywhere_is_done_when_it_comes_again(
    tmp_path: Path, point: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The power fails before the n-th transaction of a withdrawal with two ids."""
    hub = opened(tmp_path)
    secret = "7" * 64
    hub.books.agree(agreed("b", proof=proof_of(secret)))
    hub.processor.process([said("a", 0, 1), said("b", 0, 2)], NOW)
    left = [point]

    def counted(original):
        def writing(*args):
            left[0] -= 1
            if left[0] < 0:
                raise OSError("power cut")
            return original(*args)

        return writing

    monkeypatch.setattr(hub.ledger._database, "writing", counted(hub.ledger._database.writing))
    monkeypatch.setattr(hub.books._file, "writing", counted(hub.books._file.writing))
    with suppress(StoreError):
        hub.processor.process([withdrawal("a", 9, ("b", secret))], NOW)
    monkeypatch.undo()
    hub.close()
    again = own_broker(tmp_path)
    assert heard(again.processor.process([withdrawal("a", 9, ("b", secret))], NOW)).others
    assert homes_of(again.ledger, 0) == {}
    assert again.ledger.homes == ()
    assert again.ledger.recompute() == 0
    again.close()


def test_books_of_a_newer_version_are_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(StoreError, match="newer"):
        Books(path)
    assert not list(tmp_path.glob("*damaged*"))
