"""What the SQLite files of the floors have in common."""

from pathlib import Path
import sqlite3
from threading import Thread

import pytest

from custom_components.carbon_meter.sqlitefile import (
    LOG,
    SHARED,
    SqliteFile,
    beside,
    bytes_of,
    damage_in,
    is_damage,
    keep_on_disk,
    kind_of,
    moved_aside,
    new_tables,
    opened,
    other_identity,
    transaction,
    version_of,
)


class OwnError(Exception):
    """What the owner of a file raises."""


def prepare(connection: sqlite3.Connection) -> None:
    keep_on_disk(connection, overwrites=True)
    if not version_of(connection):
        with new_tables(connection, 3, 77):
            connection.execute("CREATE TABLE number (value INTEGER)")


def explain(err: Exception) -> Exception:
    return OwnError(f"own: {err}")


def a_file(path: Path) -> SqliteFile:
    return SqliteFile(path, prepare, explain)


def run(connection: sqlite3.Connection, *statements: str) -> None:
    for statement in statements:
        connection.execute(statement)


def values(file: SqliteFile) -> list[int]:
    with file.reading() as connection:
        return [value for (value,) in connection.execute("SELECT value FROM number")]


def test_a_block_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    file = a_file(tmp_path / "a.db")
    with file.writing() as connection:
        connection.execute("INSERT INTO number VALUES (1)")
    with pytest.raises(OwnError, match="own: no such table"), file.writing() as connection:
        run(connection, "INSERT INTO number VALUES (2)", "INSERT INTO absent VALUES (2)")
    assert values(file) == [1]
    file.close()
    again = a_file(tmp_path / "a.db")
    assert values(again) == [1]
    with again.reading() as connection:
        settings = [
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "secure_delete", "application_id")
        ]
    assert settings == ["wal", 2, 1, 77]
    again.close()


def test_numbers_beyond_64_bits_and_closed_files_are_explained(tmp_path: Path) -> None:
    file = a_file(tmp_path / "a.db")
    with pytest.raises(OwnError, match="own: Python int too large"), file.writing() as connection:
        connection.execute("INSERT INTO number VALUES (?)", (1 << 70,))
    file.close()
    with pytest.raises(OwnError, match="closed"):
        values(file)


def test_one_thread_at_a_time_has_the_connection(tmp_path: Path) -> None:
    file = a_file(tmp_path / "a.db")

    def count_up() -> None:
        for _ in range(50):
            with file.writing() as connection:
                (last,) = connection.execute("SELECT COUNT(*) FROM number").fetchone()
                connection.execute("INSERT INTO number VALUES (?)", (last,))

    threads = [Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert values(file) == list(range(200))
    file.close()


def test_emptying_the_log_leaves_nothing_of_what_was_deleted(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    file = a_file(path)
    secret = 0x5EC2E7_5EC2E7
    with file.writing() as connection:
        connection.execute("INSERT INTO number VALUES (?)", (secret,))
    with file.writing() as connection:
        connection.execute("DELETE FROM number")
    there = [beside(path, suffix).read_bytes() for suffix in ("", LOG)]
    assert any(secret.to_bytes(6) in each for each in there)
    file.empty_log()
    there = [beside(path, suffix).read_bytes() for suffix in ("", LOG)]
    assert not any(secret.to_bytes(6) in each for each in there)
    file.close()


def test_a_file_that_is_refused_is_left_as_it_was(tmp_path: Path) -> None:
    """Also one whose log was not brought into it."""
    path = tmp_path / "theirs.db"
    theirs = sqlite3.connect(path, isolation_level=None)
    theirs.execute("PRAGMA journal_mode = WAL")
    theirs.execute("CREATE TABLE theirs (x)")
    theirs.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE)
    theirs.close()
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert before[f"theirs.db{LOG}"]

    def refuse(connection: sqlite3.Connection) -> None:
        connection.execute("SELECT COUNT(*) FROM theirs").fetchone()
        raise OwnError("not ours")

    with pytest.raises(OwnError, match="not ours"):
        opened(path, refuse)
    for name in ("theirs.db", f"theirs.db{LOG}"):
        assert (tmp_path / name).read_bytes() == before[name]


def test_tables_are_made_all_or_none(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = sqlite3.connect(path, isolation_level=None)
    with pytest.raises(sqlite3.OperationalError), new_tables(connection, 5, 9):
        run(connection, "CREATE TABLE one (x)", "CREATE TABLE one (x)")
    assert version_of(connection) == 0
    assert connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone() == (0,)
    connection.close()


def test_what_sqlite_has_taken_back_by_itself_is_not_taken_back_twice(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    connection.execute("CREATE TABLE one (x UNIQUE ON CONFLICT ROLLBACK)")
    connection.execute("INSERT INTO one VALUES (1)")
    with pytest.raises(sqlite3.IntegrityError), transaction(connection):
        run(connection, "INSERT INTO one VALUES (2)", "INSERT INTO one VALUES (1)")
    assert connection.execute("SELECT x FROM one").fetchall() == [(1,)]
    connection.close()


def test_another_identity_is_told_in_words(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    connection.execute("CREATE TABLE identity (name TEXT, value TEXT)")
    connection.execute("INSERT INTO identity VALUES ('community', 'oak')")
    assert other_identity(connection, {"community": "oak", "more": "x"}) is None
    assert other_identity(connection, {"community": "elm"}) == "its community is oak, not elm"
    assert other_identity(connection, {}) == "its community is oak, not None"
    connection.close()


@pytest.mark.parametrize("content", [b"no database" * 1000, b"SQLite format 3\0" + b"\xff" * 8000])
def test_damage_is_told_from_other_trouble(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.db").write_bytes(content)
    with pytest.raises(sqlite3.DatabaseError) as damage:
        opened(tmp_path / "a.db", prepare)
    assert is_damage(damage.value)
    with pytest.raises(sqlite3.OperationalError) as nowhere:
        opened(tmp_path / "nowhere" / "a.db", prepare)
    assert not is_damage(nowhere.value)
    assert kind_of(nowhere.value) == sqlite3.SQLITE_CANTOPEN
    assert kind_of(OwnError()) is None
    assert not is_damage(OwnError())


def test_broken_pages_are_found(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    file = a_file(path)
    with file.writing() as connection:
        connection.executemany("INSERT INTO number VALUES (?)", ((n,) for n in range(20_000)))
        assert damage_in(connection) is None
    file.close()
    content = bytearray(path.read_bytes())
    content[8192:40960] = b"\x55" * 32768
    path.write_bytes(content)
    broken = a_file(path)
    with broken.reading() as connection:
        assert damage_in(connection)
    broken.close()


def test_a_file_is_moved_aside_with_its_log_to_a_free_name(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    for number in (1, 2):
        for suffix in ("", LOG, SHARED):
            beside(path, suffix).write_bytes(b"x" * number)
        assert bytes_of(path, "", LOG, SHARED, "-none") == 3 * number
        assert moved_aside(path) == tmp_path / f"a.db.damaged-{number}"
    names = {file.name: file.stat().st_size for file in tmp_path.iterdir()}
    assert names == {
        "a.db.damaged-1": 1,
        f"a.db.damaged-1{LOG}": 1,
        "a.db.damaged-2": 2,
        f"a.db.damaged-2{LOG}": 2,
    }
