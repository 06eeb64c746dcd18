"""Files that change together: all of them, or none."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from .layout import write


@contextmanager
def all_or_none(folders: Iterable[Path], files: Iterable[Path]) -> Generator[None]:
    """Put back the files of some folders, and some more, where the block raises.

    A database is left: what was signed stays written down, so that it can be revoked.
    """
    watched = tuple(folders)
    before = {path: _held(path) for path in [*_files_in(watched), *files]}
    try:
        yield
    except BaseException:
        for path in _files_in(watched):
            if path not in before:
                path.unlink()
        for path, held in before.items():
            if _held(path) != held:
                _put_back(path, held)
        raise


def _files_in(folders: Iterable[Path]) -> list[Path]:
    """Return all files but databases."""
    return [
        path
        for folder in folders
        for path in sorted(folder.iterdir())
        if path.is_file() and ".db" not in path.name
    ]


def _held(path: Path) -> tuple[bytes, int] | None:
    """Return what is in a file and who may read it, None without one."""
    return (path.read_bytes(), path.stat().st_mode & 0o777) if path.exists() else None


def _put_back(path: Path, held: tuple[bytes, int] | None) -> None:
    """Let a file be as it was."""
    if held is None:
        path.unlink(missing_ok=True)
        return
    content, mode = held
    write(path, content, mode)
