"""The file of the outbox: whose it is, what damages it, and a process that is killed."""

from pathlib import Path
import sqlite3
import subprocess
import sys

import pytest

from custom_components.carbon_meter.community.outbox.errors import OutboxError
from custom_components.carbon_meter.community.outbox.outbox import Outbox
from tests.community.outbox.homes import NOW, footprint, hours

ROOT = Path(__file__).parents[3]

WRITER = """
import custom_components.carbon_meter
import sys
from pathlib import Path
from custom_components.carbon_meter.community.outbox.outbox import Outbox
from tests.community.outbox.homes import NOW, footprint

outbox = Outbox(Path(sys.argv[1]))
for hour in range(100000):
    outbox.put(footprint(hour))
    outbox.sent(outbox.pending(1, NOW), NOW)
    print(hour, flush=True)
"""


@pytest.mark.clause("CM-33")
def test_a_killed_process_has_kept_what_it_was_told_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(25)]
        process.kill()
        told += [int(line) for line in process.stdout.read().splitlines()]
    assert told == [*range(len(told))]
    outbox = Outbox(path)
    assert outbox.damaged is None
    found = hours(outbox.pending(100_000, NOW + 86400))
    assert found[: len(told)] == told
    assert len(found) <= len(told) + 1
    outbox.close()


def test_a_damaged_file_is_moved_aside(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    path.write_bytes(b"no database" * 1000)
    outbox = Outbox(path)
    assert outbox.damaged == tmp_path / "outbox.db.damaged-1"
    assert outbox.damaged.read_bytes() == b"no database" * 1000
    outbox.put(footprint(0))
    outbox.close()
    again = Outbox(path)
    assert again.damaged is None
    assert hours(again.pending(9, NOW)) == [0]
    again.close()


def test_broken_pages_are_found_on_opening(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    outbox = Outbox(path)
    outbox.put_all(footprint(hour) for hour in range(200))
    outbox.close()
    content = bytearray(path.read_bytes())
    content[8192:40960] = b"\x55" * 32768
    path.write_bytes(content)
    outbox = Outbox(path)
    assert outbox.damaged is not None
    assert outbox.pending(9, NOW) == []
    outbox.close()


def test_the_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE theirs (x)")
    database.close()
    before = path.read_bytes()
    with pytest.raises(OutboxError, match="belongs to another program"):
        Outbox(path)
    assert path.read_bytes() == before


def test_a_file_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    Outbox(path).close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 2")
    database.close()
    with pytest.raises(OutboxError, match="another version"):
        Outbox(path)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutboxError, match="cannot be used"):
        Outbox(tmp_path / "nowhere" / "outbox.db")


def test_a_full_disk_keeps_what_was_kept(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    outbox = Outbox(path)
    outbox.put(footprint(0))
    with outbox._file.reading() as database:
        pages = database.execute("PRAGMA page_count").fetchone()[0]
        database.execute(f"PRAGMA max_page_count = {pages}").fetchall()
    with pytest.raises(OutboxError, match="full"):
        outbox.put_all(footprint(hour) for hour in range(1, 500))
    assert hours(outbox.pending(9, NOW)) == [0]
    outbox.close()


def test_the_disk_is_synchronised(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    with outbox._file.reading() as database:
        assert database.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert database.execute("PRAGMA synchronous").fetchone()[0] == 2
    outbox.close()


def test_after_closing_it_says_so(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    outbox.close()
    with pytest.raises(OutboxError):
        outbox.put(footprint(0))
