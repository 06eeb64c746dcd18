"""Why the archive cannot be used, in words that lead to what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
import sqlite3
from typing import Final

from ...sqlitefile import is_damage, kind_of

_ADVICE: Final = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space, then reload the site",
    sqlite3.SQLITE_READONLY: "the file or its folder is read-only; make it writable for "
    "Home Assistant, then reload the site",
    sqlite3.SQLITE_PERM: "Home Assistant may not write there; give it the right, then reload "
    "the site",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened; see that its folder exists and that "
    "Home Assistant may write there, then reload the site",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written; see that it has space and is "
    "sound, then reload the site",
    sqlite3.SQLITE_BUSY: "another program holds the file; close it, then reload the site",
    sqlite3.SQLITE_LOCKED: "another program holds the file; close it, then reload the site",
    sqlite3.SQLITE_NOLFS: "the disk allows no file of this size; move Home Assistant's "
    "configuration to another one",
}


class ArchiveError(Exception):
    """The archive cannot be read or written; the message says what to do."""


class DamagedArchiveError(ArchiveError):
    """The file is damaged: opening it again moves it aside and begins a new one."""


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite complains about into an ArchiveError that says what to do."""
    try:
        yield
    except sqlite3.Error as err:
        raise explanation(path, err) from err


def explanation(path: Path, err: sqlite3.Error) -> ArchiveError:
    """Return the error to raise for what SQLite complains about."""
    if is_damage(err):
        return DamagedArchiveError(
            f"{path} is damaged ({err}); reload the site: the file is then set aside and a new "
            "archive begun"
        )
    kind = kind_of(err)
    advice = None if kind is None else _ADVICE.get(kind)
    return ArchiveError(f"{path} cannot be used ({err})" + (f": {advice}" if advice else ""))
