"""What has left the home, kept over restarts so that its owner sees it at once."""

from collections.abc import Sequence
from dataclasses import asdict
import json
from pathlib import Path
from typing import Final

from homeassistant.util.file import WriteError, write_utf8_file_atomic

from ..community.member.outgoing import Outgoing, Sort
from ..const import LOGGER

_FILE: Final = "left.json"


def load_left(folder: Path) -> tuple[Outgoing, ...]:
    """Return what was kept, nothing where it cannot be read; reads a file."""
    try:
        kept = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        return tuple(Outgoing(**{**one, "kind": Sort(one["kind"])}) for one in kept)
    except OSError, ValueError, KeyError, TypeError:
        return ()


def save_left(folder: Path, messages: Sequence[Outgoing]) -> None:
    """Keep messages in a file for its owner alone; nothing is kept of no message."""
    path = folder / _FILE
    try:
        if messages:
            text = json.dumps([asdict(one) for one in messages])
            write_utf8_file_atomic(str(path), text, private=True)
        else:
            path.unlink(missing_ok=True)
    except (WriteError, OSError) as err:
        LOGGER.warning("%s: what has left is not shown after a restart", err)
