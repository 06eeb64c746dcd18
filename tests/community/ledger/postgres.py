"""A real PostgreSQL server on a socket of its own, as somebody who is not root."""

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import shutil
import subprocess
import tempfile

import pytest

VERSION = 15
"""The least that the statements are promised for; where there are several it is the one taken."""

_UNPACKED = Path(__file__).parents[3] / ".cache/postgresql"
_FOLDERS = sorted(
    path
    for root in (_UNPACKED, Path("/"))
    for path in root.glob("usr/lib/postgresql/*/bin")
    if path.parent.name.isdecimal() and int(path.parent.name) >= VERSION
)
_INITDB = shutil.which("initdb", path=os.pathsep.join([*map(str, _FOLDERS), os.environ["PATH"]]))

needs_postgres = pytest.mark.skipif(
    _INITDB is None and os.environ.get("CI") != "true",
    reason=f"postgresql {VERSION} is not installed",
)


def _as_nobody() -> list[str]:
    """Return how to become nobody: the server refuses to be run by root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]


def _within_reach(programs: Path, folder: Path) -> Path:
    """Return where nobody can run the programs: what lies below a closed folder is copied."""
    parents = programs.resolve().parents
    if os.geteuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in parents):
        return programs
    shutil.copytree(_UNPACKED, folder / "unpacked", symlinks=True)
    return folder / "unpacked" / programs.relative_to(_UNPACKED)


def _libraries(programs: Path) -> dict[str, str]:
    """Return where the programs find the libraries that were unpacked with them."""
    if len(programs.parents) < 6:
        return dict(os.environ)
    root = programs.parents[4]
    found = [
        str(path)
        for pattern in ("usr/lib/*-linux-gnu", "lib/*-linux-gnu")
        for path in root.glob(pattern)
    ]
    return {**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(found)}


@contextmanager
def postgres() -> Iterator[str]:
    """Run a server with an empty database; yield how to connect."""
    assert _INITDB, f"postgresql {VERSION} is not installed"
    # The path of a socket may be 107 bytes long: those of pytest are longer.
    with tempfile.TemporaryDirectory(prefix="pg", dir="/tmp") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody", "nogroup")
        programs = _within_reach(Path(_INITDB).parent, folder)
        surroundings = _libraries(programs)
        data = folder / "data"

        def run(program: str, *arguments: str) -> None:
            subprocess.run(
                [*_as_nobody(), str(programs / program), "-D", str(data), *arguments],
                check=True,
                cwd=folder,
                env=surroundings,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                timeout=60,
            )

        run("initdb", "--auth=trust", "--username=hub", "--no-sync", "--encoding=UTF8")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        run("pg_ctl", "start", "--wait", "--log", str(folder / "log"), "-o", options)
        try:
            yield f"host={folder} user=hub dbname=postgres"
        finally:
            run("pg_ctl", "stop", "--wait", "-m", "immediate")
