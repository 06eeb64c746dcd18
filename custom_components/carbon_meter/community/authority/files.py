"""Files with secrets: readable by their owner alone, whole or not there, overwritten at the end."""

from contextlib import suppress
import os
from pathlib import Path
import secrets
import shutil
from typing import Final

from .errors import AuthorityError

_DATABASES: Final = tuple(
    kind + beside for kind in (".db", ".sqlite") for beside in ("", "-wal", "-shm", "-journal")
)


def make_folder(folder: Path) -> None:
    """Make a folder that only its owner can look into; raises AuthorityError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as err:
        raise AuthorityError(f"{folder} cannot be made ({err})") from err


def write(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Write a file that is either the new one or the one before, whatever happens meanwhile.

    Raises AuthorityError.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except BaseException:
            with suppress(OSError):
                draft.unlink()
            raise
        _settle(path.parent)
    except OSError as err:
        raise AuthorityError(f"{path} cannot be written ({err})") from err


def read(path: Path) -> str:
    """Return a file; raises AuthorityError."""
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as err:
        raise AuthorityError(f"{path} cannot be read ({err})") from err


def remove(path: Path) -> None:
    """Overwrite a file and remove it, if it is there; raises AuthorityError."""
    try:
        with path.open("r+b") as file:
            file.write(bytes(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
        _settle(path.parent)
    except FileNotFoundError:
        return
    except OSError as err:
        raise AuthorityError(f"{path} cannot be removed ({err})") from err


def erase(folder: Path) -> None:
    """Delete a folder whatever is in it, as far as the disk lets it go.

    Files are overwritten before, but for databases: these hold no keys, and can be large.
    """
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and not _is_database(path):
            with suppress(AuthorityError):
                remove(path)
    shutil.rmtree(folder, ignore_errors=True)


def _is_database(path: Path) -> bool:
    """Return whether a file is a database of ours, or lies beside one."""
    return path.name.endswith(_DATABASES)


def _settle(folder: Path) -> None:
    """Have the disk keep what stands in a folder."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
