"""The environment that EMHASS is run in: its own, of a Python that it has packages for."""

from collections.abc import Iterator
from pathlib import Path
import shutil
import subprocess
from typing import Final

import uv

VERSION: Final = "0.18.7"
_PYTHONS: Final = ("3.13", "3.12")
_FOLDER: Final = Path(__file__).resolve().parents[3] / ".cache" / "emhass"
_PATIENCE: Final = 900.0
"""Seconds that an installation may take."""


class PeerMissingError(RuntimeError):
    """EMHASS could not be installed; the message says what failed."""


def ensure_emhass() -> Path:
    """Return an interpreter that has EMHASS, installing it into .cache/emhass where it is not.

    It takes some minutes and a gigabyte the first time. Raises PeerMissingError.
    """
    python = _FOLDER / "bin" / "python"
    stamp = _FOLDER / ".stamp"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == VERSION and python.exists():
        return python
    base = _base_python()
    _run("make an environment", "venv", "--clear", "--no-project", "--python", base, str(_FOLDER))
    _run("install it", "pip", "install", "--python", str(python), f"emhass=={VERSION}")
    stamp.write_text(VERSION, encoding="utf-8")
    return python


def _base_python() -> str:
    """Return a Python that EMHASS can be installed for."""
    for candidate in _candidates():
        if _works(candidate):
            return candidate
    # Those that uv keeps itself; it downloads one where it can.
    _run("fetch a Python", "python", "install", "--no-bin", _PYTHONS[0])
    return _PYTHONS[0]


def _candidates() -> Iterator[str]:
    """Yield Pythons that may be there."""
    for version in _PYTHONS:
        if found := shutil.which(f"python{version}"):
            yield found
    if pyenv := shutil.which("pyenv"):
        answer = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=False)  # noqa: S603
        for version in _PYTHONS:
            folders = Path(answer.stdout.strip(), "versions").glob(f"{version}.*")
            yield from (str(folder / "bin" / "python") for folder in sorted(folders))


def _works(python: str) -> bool:
    """Return whether a command is a Python of the versions that are wanted."""
    try:
        answer = subprocess.run(  # noqa: S603
            [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return False
    return answer.stdout.strip() in _PYTHONS


def _run(what: str, *arguments: str) -> None:
    """Run uv."""
    try:
        answer = subprocess.run(  # noqa: S603
            [uv.find_uv_bin(), "--quiet", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )
    except (OSError, subprocess.TimeoutExpired) as err:
        raise PeerMissingError(f"EMHASS {VERSION}: could not {what}: {err}") from err
    if answer.returncode:
        raise PeerMissingError(
            f"EMHASS {VERSION}: could not {what}: {answer.stderr.strip()[-500:]}"
        )
