"""The file of the archive: begun, opened again, moved aside, refused; all or nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import resource
import shutil
import sqlite3
import tempfile
from threading import Thread

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.carbon.archive import schema
from custom_components.carbon_meter.carbon.archive.archive import Archive
from custom_components.carbon_meter.carbon.archive.errors import (
    ArchiveError,
    DamagedArchiveError,
)
from custom_components.carbon_meter.carbon.archive.rows import AuditEntry
from custom_components.carbon_meter.sqlitefile import version_of
from tests.carbon.archived import HOUR, START, grid_hour, meter_hour

NOBODY = 65534


def fill(archive: Archive, hours: int = 200) -> None:
    """Write some hours."""
    archive.put_energy(meter_hour("m", START + hour * HOUR, range(12)) for hour in range(hours))


def hours_of(archive: Archive, hours: int = 200) -> int:
    """Return how many hours of `fill` are there."""
    return int(archive.energy(["m"], START, START + hours * HOUR).known.sum()) // 12


def test_a_new_archive_is_empty_and_safe(archive: Archive) -> None:
    assert archive.damaged is None
    assert archive.first_hour() is archive.last_hour() is None
    assert archive.owners() == ()
    assert archive.totals() == archive.totals(START) == {}
    with archive._database.reading() as connection:
        settings = [
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "auto_vacuum", "user_version")
        ]
    assert settings == ["wal", 1, 2, schema.VERSION]


def test_the_span_is_that_of_energies_and_figures(archive: Archive) -> None:
    fill(archive, 3)
    assert (archive.first_hour(), archive.last_hour()) == (START, START + 2 * HOUR)
    archive.put_hourly(
        START - HOUR,
        START + 9 * HOUR,
        {"site": {"import": [(START - HOUR, 1.0)]}, "a": {"import": [(START + 8 * HOUR, 1.0)]}},
    )
    assert (archive.first_hour(), archive.last_hour()) == (START - HOUR, START + 8 * HOUR)


def test_size_is_what_lies_on_the_disk(archive: Archive, path: Path) -> None:
    fill(archive)
    assert archive.size() == sum(file.stat().st_size for file in path.parent.iterdir())
    archive.close()
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert archive.size() == path.stat().st_size > 200 * 96


def test_room_of_a_dropped_meter_is_given_back(archive: Archive) -> None:
    fill(archive, 5000)
    archive.hold()
    archive.release()
    large = archive.path.stat().st_size
    archive.drop_meter("m")
    archive.trim(START)
    archive.hold()
    assert archive.path.stat().st_size < large / 5


def test_a_closed_archive_says_so(path: Path) -> None:
    archive = Archive(path)
    archive.close()
    archive.close()
    with pytest.raises(ArchiveError, match="closed"):
        archive.get("x")


@pytest.mark.parametrize(
    ("offset", "garbage"),
    [(0, b"not a database at all"), (0, bytes(4096)), (100, bytes(3000)), (4096 * 3, bytes(40960))],
)
def test_a_damaged_file_is_moved_aside(path: Path, offset: int, garbage: bytes) -> None:
    """At once where it shows at once, else when it has been met once."""
    archive = Archive(path)
    fill(archive)
    archive.close()
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(garbage)
    damaged = path.read_bytes()

    archive = Archive(path)
    if archive.damaged is None:
        with pytest.raises(DamagedArchiveError, match="reload the site"):
            fill(archive)
        archive.close()
        archive = Archive(path)
    assert archive.damaged == path.with_name(path.name + ".damaged-1")
    assert archive.damaged.read_bytes() == damaged
    assert hours_of(archive) == 0
    fill(archive)
    archive.close()

    path.write_bytes(b"\xff" * 8192)
    archive = Archive(path)
    assert archive.damaged == path.with_name(path.name + ".damaged-2")
    archive.close()
    archive = Archive(path)
    assert archive.damaged is None
    archive.close()


def test_a_truncated_file_with_a_log_is_moved_aside_with_it(path: Path) -> None:
    archive = Archive(path)
    fill(archive)
    archive.hold()
    fill(archive, 3)
    shutil.copytree(path.parent, path.parent / "copy")
    archive.close()
    copy = path.parent / "copy" / path.name
    os.truncate(copy, 4096 * 2)
    archive = Archive(copy)
    assert archive.damaged is not None
    names = {file.name for file in copy.parent.iterdir() if "damaged" in file.name}
    assert names == {f"{path.name}.damaged-1", f"{path.name}.damaged-1-wal"}
    assert hours_of(archive) == 0
    archive.close()


def test_the_file_of_another_program_is_left_alone(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (x)")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(ArchiveError, match="another program; move it"):
        Archive(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_newer_archive_is_left_alone(path: Path) -> None:
    archive = Archive(path)
    fill(archive)
    archive.close()
    newer = sqlite3.connect(path)
    newer.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    newer.close()
    before = path.read_bytes()
    with pytest.raises(ArchiveError, match="newer version of Carbon Meter; update"):
        Archive(path)
    assert path.read_bytes() == before


def test_an_older_archive_is_brought_up_to_date_at_once_or_not_at_all(path: Path) -> None:
    archive = Archive(path)
    fill(archive, 2)
    archive.close()
    connection = sqlite3.connect(path, isolation_level=None)

    def add(to: sqlite3.Connection) -> None:
        to.execute("ALTER TABLE meter ADD COLUMN colour TEXT")

    def fail(to: sqlite3.Connection) -> None:
        to.execute("DELETE FROM energy")
        raise ArithmeticError

    newest = schema.VERSION + 2
    with pytest.raises(ArithmeticError):
        schema.bring_up_to_date(connection, {1: add, 2: fail}, newest)
    assert version_of(connection) == schema.VERSION
    assert connection.execute("SELECT COUNT(*) FROM energy").fetchone() == (2,)
    schema.bring_up_to_date(connection, {1: add, 2: lambda _: None}, newest)
    assert version_of(connection) == newest
    assert connection.execute("SELECT name, colour FROM meter").fetchall() == [("m", None)]
    connection.close()


def test_migrations_lead_from_every_version_to_this_one() -> None:
    assert sorted(schema.MIGRATIONS) == list(range(1, schema.VERSION))


@contextmanager
def _as_nobody() -> Iterator[None]:
    """Do without the rights of root, which may write everywhere."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_folder_that_cannot_be_written_is_explained() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive = Archive(folder / "old.db")
        archive.close()
        folder.chmod(0o555)
        with _as_nobody():
            with pytest.raises(ArchiveError, match="Home Assistant may write there"):
                Archive(folder / "new.db")
            with pytest.raises(ArchiveError, match=r"make it writable|may write there"):
                Archive(folder / "old.db")
        folder.chmod(0o755)
        assert [file.name for file in folder.iterdir()] == ["old.db"]
        with pytest.raises(ArchiveError, match="its folder exists"):
            Archive(folder / "missing" / "new.db")
        with pytest.raises(ArchiveError, match="cannot be opened"):
            Archive(folder)


def test_a_full_disk_is_explained_and_costs_only_the_last_call(archive: Archive) -> None:
    fill(archive, 100)
    with archive._database.reading() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 2}").fetchall()

    def write() -> None:
        with archive.transaction():
            archive.put("begun", value=True)
            fill(archive, 5000)

    with pytest.raises(ArchiveError, match="disk is full; free some space"):
        write()
    assert archive.get("begun") is None
    assert hours_of(archive) == 100

    def go_on_regardless() -> None:
        with archive.transaction():
            with pytest.raises(ArchiveError, match="disk is full"):
                fill(archive, 5000)
            archive.put("begun", value=True)

    with pytest.raises(ArchiveError, match="taken back all of this transaction"):
        go_on_regardless()
    assert archive.get("begun") is None
    with archive._database.reading() as connection:
        connection.execute("PRAGMA max_page_count = 1000000").fetchall()
    fill(archive, 150)
    assert hours_of(archive) == 150


def test_a_disk_that_takes_no_more_is_explained(archive: Archive) -> None:
    """The operating system refuses the writing, not SQLite by a rule of its own."""
    fill(archive, 100)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (archive.size() + 100_000, limits[1]))
    try:
        with pytest.raises(ArchiveError, match=r"free some space|that it has space"):
            fill(archive, 50_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert hours_of(archive) == 100
    fill(archive, 150)
    assert hours_of(archive) == 150


def test_a_file_that_another_program_holds_is_explained(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sqlite3.connect(archive.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with archive._database.reading() as connection:
        connection.execute("PRAGMA busy_timeout = 50").fetchall()
    with pytest.raises(ArchiveError, match="another program holds the file; close it"):
        archive.put("x", 1)
    other.close()
    archive.put("x", 1)


steps = st.lists(st.sampled_from(["put", "fail inside", "enter", "leave", "fail"]), max_size=14)


@given(steps)
def test_a_transaction_is_all_or_nothing_at_every_depth(choices: list[str]) -> None:
    """Compared with what lists would hold."""

    class WrongTurnError(Exception):
        """What ends a block."""

    counter = iter(range(1000))
    moves = iter(choices)

    def run(archive: Archive, kept: set[int]) -> None:
        for move in moves:
            match move:
                case "put":
                    number = next(counter)
                    archive.put_grid([grid_hour(START + number * HOUR, float(number))])
                    kept.add(number)
                case "fail inside":
                    number = next(counter)
                    rows = [grid_hour(START + number * HOUR, 1.0), grid_hour(START + 1, 1.0)]
                    with pytest.raises(ValueError, match="start of an hour"):
                        archive.put_grid(rows)
                case "enter":
                    inner = set(kept)
                    try:
                        with archive.transaction():
                            run(archive, inner)
                    except WrongTurnError:
                        continue
                    kept |= inner
                case "leave":
                    return
                case "fail":
                    raise WrongTurnError

    with tempfile.TemporaryDirectory() as folder:
        archive = Archive(Path(folder) / "site.db")
        kept: set[int] = set()
        while True:
            try:
                run(archive, kept)
            except WrongTurnError:
                continue
            if next(moves, None) is None:
                break
        archive.close()
        archive = Archive(Path(folder) / "site.db")
        series = archive.grid(START, START + 1000 * HOUR)
        archive.close()
    found = {number for number in range(1000) if series.value[number * 12] == number}
    assert found == kept
    assert (series.value == series.value).sum() == 12 * len(kept)


def test_threads_take_turns(archive: Archive) -> None:
    """No transaction of one has a part of another's."""
    rounds = 30

    def work(name: str) -> None:
        for number in range(rounds):
            with archive.transaction():
                before = archive.get("count") or 0
                archive.put_energy([meter_hour(name, START + number * HOUR, 1.0)])
                archive.put("count", before + 1)

    threads = [Thread(target=work, args=(f"meter {number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert archive.get("count") == 6 * rounds
    series = archive.energy([f"meter {number}" for number in range(6)], START, START + 30 * HOUR)
    assert series.known.all()


def entry(number: int) -> AuditEntry:
    """Return an entry of the audit trail."""
    return AuditEntry(
        when=number, reason="x", detail=str(number), start=START, end=START, owners=()
    )


def test_a_copy_of_a_held_file_is_whole_wherever_its_log_is_cut(
    archive: Archive, path: Path, tmp_path: Path
) -> None:
    """As a backup finds it: every transaction in it or not, in their order."""
    for number in range(5):
        archive.add_audit(entry(number))
    archive.hold()
    file = path.read_bytes()
    for number in range(5, 40):
        with archive.transaction():
            archive.add_audit(entry(number))
            fill(archive, number)
    assert path.read_bytes() == file
    log = path.with_name(path.name + "-wal").read_bytes()
    counts = set()
    for part in range(0, len(log) + 1, 12_345):
        copy = tmp_path / f"cut-{part}" / path.name
        copy.parent.mkdir()
        copy.write_bytes(file)
        copy.with_name(path.name + "-wal").write_bytes(log[:part])
        restored = Archive(copy)
        assert restored.damaged is None
        details = [int(found.detail) for found in restored.audit()][::-1]
        assert details == list(range(len(details)))
        assert len(details) >= 5
        assert hours_of(restored) == (len(details) - 1 if len(details) > 5 else 0)
        counts.add(len(details))
        restored.close()
    assert len(counts) > 10
    archive.release()
    assert path.read_bytes() != file
    assert path.with_name(path.name + "-wal").stat().st_size == 0


def test_a_held_archive_that_is_closed_and_opened_again_leaves_the_file_alone(path: Path) -> None:
    archive = Archive(path)
    archive.hold()
    file = path.read_bytes()
    fill(archive, 5000)
    archive.close()
    assert path.read_bytes() == file
    archive = Archive(path, held=True)
    assert hours_of(archive, 5000) == 5000
    fill(archive, 10)
    archive.close()
    assert path.read_bytes() == file
    archive = Archive(path)
    archive.close()
    assert path.read_bytes() != file
    archive = Archive(path)
    assert hours_of(archive, 5000) == 5000
    archive.close()
