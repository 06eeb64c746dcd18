"""What is kept for one id of the home: its outbox, what it told, its key and certificate."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
import shutil
from typing import Final

from ..authority.credentials import Credentials
from ..authority.errors import AuthorityError
from ..authority.files import remove as overwrite
from ..contract.fields import LARGEST_REVISION
from ..contract.message import Footprint
from ..contract.refusal import Code, RefusedError
from ..contract.revisions import Standing
from ..outbox.outbox import Outbox
from .errors import MemberError
from .told import Told

_OUTBOX: Final = "outbox.sqlite"
_TOLD: Final = "told.sqlite"
_MINUTE: Final = 60


class Box:
    """The files of one id, in a folder of its own. Every method blocks.

    Raises OutboxError or MemberError when the disk fails; what was put before stays.
    """

    def __init__(self, folder: Path, now: float) -> None:
        """Open the files or begin them; the folder is there."""
        self.folder = folder
        self.credentials = Credentials(folder)
        was_there = (folder / _OUTBOX).exists()
        self.outbox = Outbox(folder / _OUTBOX)
        try:
            self._told = Told(folder / _TOLD)
        except BaseException:
            self.outbox.close()
            raise
        is_lost = self.outbox.damaged is not None or not was_there
        if is_lost != self._told.is_new:
            # One of both was lost, and with it revisions that the hub may have.
            self._told.begin_at(revision_of(now))

    def close(self) -> None:
        """Close the files."""
        self.outbox.close()
        self._told.close()

    def tell(self, footprints: Iterable[Footprint], *, again: bool = False) -> int:
        """Put what is known of periods into the outbox; return how many have news in them.

        Each becomes the revision after the last one, unless the same was told. `again` has it
        sent even so, for a hub that asks for what was let go.
        """
        count = 0
        fresh = []
        for footprint in footprints:
            if not again and self._told.has(footprint):
                continue
            held = self.outbox.revision(footprint)
            if held is None:
                fresh.append(replace(footprint, revision=self._told.base))
            elif self._put(footprint, held):
                count += 1
        standings = self.outbox.put_all(fresh)
        self._told.keep(fresh)
        return count + standings.count(Standing.NEWER)

    def _put(self, footprint: Footprint, held: int) -> bool:
        """Put a period again; return whether it is a new revision."""
        try:
            standing = self.outbox.put(replace(footprint, revision=held))
        except RefusedError as err:
            if err.code is not Code.CONFLICT:
                raise
            standing = self.outbox.put(replace(footprint, revision=held + 1))
        self._told.keep((footprint,))
        return standing is Standing.NEWER

    def renumber(self, start: int, duration: int, now: float) -> None:
        """Give a period a revision that is higher than any that the hub can have.

        It has another content under the present one: the home was put back from a backup.
        """

        def change(footprint: Footprint) -> Footprint:
            if (footprint.start, footprint.duration) != (start, duration):
                return footprint
            revision = max(footprint.revision + 1, revision_of(now))
            return replace(footprint, revision=min(revision, LARGEST_REVISION))

        self.outbox.revise(change)

    def revise(self, change: Callable[[Footprint], Footprint | None]) -> int:
        """Change or withhold what has not left; see `Outbox.revise`."""
        return self.outbox.revise(change)

    def untold(self) -> int:
        """Return how many periods the hub does not have yet, or not as they are."""
        status = self.outbox.status()
        return status.waiting + status.out + len(self._told.due())

    def due(self) -> list[tuple[int, int]]:
        """Return the longer periods that are to be told once they are over."""
        return self._told.due()

    def add_due(self, periods: Iterable[tuple[int, int]]) -> None:
        """Have longer periods told once they are over."""
        self._told.add_due(periods)

    def drop_due(self, period: tuple[int, int]) -> None:
        """Take a longer period off that was told."""
        self._told.drop_due(period)

    def remove(self) -> None:
        """Close and remove everything, the key overwritten; raises MemberError."""
        self.close()
        remove_folder(self.folder)


def databases(folder: Path) -> list[Path]:
    """Return the databases of all ids of a membership, in the order in which to copy them.

    What is in the outbox alone is told again; what is said to be told, but is in no outbox, never
    would be: so the outbox is the later one.
    """
    paths = [home / name for home in sorted(folder.iterdir()) for name in (_TOLD, _OUTBOX)]
    return [path for path in paths if path.is_file()]


def revision_of(now: float) -> int:
    """Return a revision that rises with time: minutes since 1970, far above what is counted."""
    return max(0, int(now // _MINUTE))


def remove_folder(folder: Path) -> None:
    """Remove what is kept for an id, all keys overwritten before; raises MemberError."""
    try:
        Credentials(folder).remove()
        # Those that wait for a certificate.
        for asked in folder.glob("*.json"):
            overwrite(asked)
        if folder.exists():
            shutil.rmtree(folder)
    except (AuthorityError, OSError) as err:
        raise MemberError(f"{folder} cannot be removed ({err})") from err
