"""Up to which hour a membership was handed everything as it is, kept over restarts."""

from dataclasses import asdict, dataclass
import json
from pathlib import Path
from typing import Final, Self

from homeassistant.util.file import WriteError, write_utf8_file_atomic

from ..carbon.intervals import HOUR, floor
from ..const import LOGGER

_FILE: Final = "told.json"

_LOOK_BACK: Final = 31 * 24 * HOUR
"""Seconds that are compared again after a crash: what was read late just before it."""

_OLDEST: Final = 400 * 24 * HOUR
"""Seconds; a hub takes nothing that is longer ago."""


@dataclass(kw_only=True)
class Told:
    """How far it is. Losing it costs a comparison of what is told anyway."""

    until: int
    """Hours before this one were handed over as they are."""

    mark: int = 0
    """Of the restatements that were looked at, see `Source.async_changed_since`."""

    @classmethod
    def begin(cls, folder: Path, now: float) -> Self:
        """Return what was kept at the end of the last run; reads and writes a file.

        Without an orderly end hours may have changed of which nothing is kept here: then what is
        not long ago is compared again.
        """
        try:
            kept = json.loads((folder / _FILE).read_text(encoding="utf-8"))
            told = cls(until=int(kept["until"]), mark=int(kept["mark"]))
            ended = kept["ended"] is True
        except OSError, ValueError, KeyError, TypeError:
            told, ended = cls(until=floor(now, HOUR)), False
        if not ended:
            told.touched(floor(now - _LOOK_BACK, HOUR), now)
        told.save(folder)
        return told

    def end(self, folder: Path) -> None:
        """Keep it, and that nothing was touched afterwards."""
        self.save(folder, ended=True)

    def save(self, folder: Path, *, ended: bool = False) -> None:
        """Keep it; writes a file."""
        try:
            text = json.dumps(asdict(self) | {"ended": ended})
            write_utf8_file_atomic(str(folder / _FILE), text)
        except WriteError as err:
            LOGGER.warning("%s: what was told is compared again at the next start", err)

    def touched(self, first: int, now: float) -> None:
        """Take note that an hour has to be handed over again, with all that follow."""
        self.until = max(min(self.until, first), floor(now - _OLDEST, HOUR))
