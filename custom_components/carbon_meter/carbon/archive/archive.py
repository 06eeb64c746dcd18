"""The archive of one site: one SQLite file beside the configuration.

It keeps what weighing past hours again needs (five-minute energies, the intensity of the grid, the
batteries at the beginning of an hour), the hourly figures that were told, and why they changed.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from . import audit, batteries, energy, grid, hourly, plans, settings
from .database import Database
from .rows import (
    AuditEntry,
    EnergySeries,
    GridHour,
    GridSeries,
    HourlySeries,
    MeterHour,
    Series,
    check_hour,
    check_span,
)

FINE: Final = 62 * 86400
"""Seconds for which energies are kept by five minutes; before that by quarters of an hour."""


class Archive:
    """What a site must know of its past.

    Every method blocks and belongs in an executor; calls from several threads wait for each other.
    Times are seconds since 1970 UTC, hours and the bounds of stretches multiples of 3600.

    All methods raise ArchiveError, whose message says what to do, when the file cannot be read
    or written, and ValueError for rows that cannot be: other than twelve numbers, not finite, a
    time that is no full hour. Nothing of a call that raised is kept.
    """

    def __init__(self, path: Path, *, held: bool = False) -> None:
        """Open the file or begin it; `held` while a backup is being made, see `hold`.

        A damaged file is renamed to `<name>.damaged-<n>`, which `damaged` then tells, and a new
        one is begun. Raises ArchiveError for the file of another program or of a newer version.
        """
        self._database = Database(path, held=held)

    @property
    def path(self) -> Path:
        """Return where the file lies."""
        return self._database.path

    @property
    def damaged(self) -> Path | None:
        """Return where the damaged file is that was found in this place, if one was."""
        return self._database.damaged

    def close(self) -> None:
        """Let go of the file; what was stored is in it."""
        self._database.close()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Make all calls within it one: all of them are kept or, when it is left by an error, none.

        It belongs to one thread; others wait until it ends.
        """
        with self._database.writing():
            yield

    # Energies of meters

    def put_energy(self, rows: Iterable[MeterHour]) -> None:
        """Keep hours of meters, in place of what was kept of them."""
        with self._database.writing() as connection:
            energy.put(connection, rows)

    def energy(self, meters: Sequence[str], start: int, end: int) -> EnergySeries:
        """Return the energies of meters in [start, end); one that is not known has none."""
        check_span(start, end)
        with self._database.reading() as connection:
            return energy.read(connection, meters, start, end)

    def drop_meter(self, meter: str) -> None:
        """Forget the energies of a meter."""
        with self._database.writing() as connection:
            energy.drop(connection, meter)

    # The grid

    def put_grid(self, rows: Iterable[GridHour], series: Series = "average") -> None:
        """Keep hours of the intensity of the grid, in place of what was kept of them."""
        with self._database.writing() as connection:
            grid.put(connection, rows, series)

    def grid(self, start: int, end: int, series: Series = "average") -> GridSeries:
        """Return the intensity of the grid in [start, end)."""
        check_span(start, end)
        with self._database.reading() as connection:
            return grid.read(connection, start, end, series)

    # Plans

    def put_plan(self, hour: int, plan: str) -> None:
        """Keep what the site is made of from an hour on, as a text."""
        check_hour(hour)
        with self._database.writing() as connection:
            plans.put(connection, hour, plan)

    def plans(self) -> list[tuple[int, str]]:
        """Return from which hours which plan held, in order."""
        with self._database.reading() as connection:
            return plans.read(connection)

    def forget_plans(self, start: int, end: int | None = None) -> None:
        """Forget the plans that begin in [start, end), without an end all later ones."""
        with self._database.writing() as connection:
            plans.forget(connection, start, end)

    # Batteries

    def put_batteries(self, hour: int, states: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep the ledgers (`Battery.as_dict`) by battery as they are when an hour begins."""
        check_hour(hour)
        with self._database.writing() as connection:
            batteries.put(connection, hour, states)

    def batteries(self, hour: int) -> tuple[int, dict[str, Any]] | None:
        """Return the newest ledgers at or before an hour, with their hour."""
        with self._database.reading() as connection:
            return batteries.read(connection, hour)

    def forget_batteries(self, after: int) -> None:
        """Forget the ledgers of hours after a time: they follow from figures that change."""
        with self._database.writing() as connection:
            batteries.forget(connection, after)

    # Hourly figures

    def put_hourly(
        self,
        start: int,
        end: int,
        rows: Mapping[str, Mapping[str, Sequence[tuple[int, float]]]],
    ) -> None:
        """Keep figures by owner, figure and hour, in place of all that [start, end) held of them.

        A figure of a named owner that is not given in that time is 0 from now on.
        """
        check_span(start, end)
        with self._database.writing() as connection:
            hourly.put(connection, rows, start, end)

    def hourly(self, owner: str, figures: Sequence[str], start: int, end: int) -> HourlySeries:
        """Return figures of an owner in [start, end): the hours in which any of them is not 0."""
        check_span(start, end)
        with self._database.reading() as connection:
            return hourly.read(connection, owner, figures, start, end)

    def owners(self) -> tuple[str, ...]:
        """Return who has figures or a base, by name."""
        with self._database.reading() as connection:
            return hourly.owners(connection)

    def owners_of(self, figure: str, start: int, end: int) -> set[str]:
        """Return who has a figure in [start, end), and perhaps some who have it in that month."""
        check_span(start, end)
        with self._database.reading() as connection:
            return hourly.owners_of(connection, figure, start, end)

    def drop_owner(self, owner: str) -> None:
        """Forget the figures and the base of an owner."""
        with self._database.writing() as connection:
            hourly.drop(connection, owner)

    def put_base(self, owner: str, figure: str, value: float) -> None:
        """Keep what a figure had come to before the archive began."""
        with self._database.writing() as connection:
            hourly.put_base(connection, owner, figure, value)

    def totals(self, before: int | None = None) -> dict[str, dict[str, float]]:
        """Return by owner and figure the base and the sum of all hours, or of those before one."""
        if before is not None:
            check_hour(before)
        with self._database.reading() as connection:
            return hourly.totals(connection, before)

    def first_hour(self) -> int | None:
        """Return the first hour of which energies or figures are kept."""
        with self._database.reading() as connection:
            found = (energy.first_hour(connection), hourly.first_hour(connection))
        return min((hour for hour in found if hour is not None), default=None)

    def last_hour(self) -> int | None:
        """Return the last hour of which energies or figures are kept."""
        with self._database.reading() as connection:
            found = (energy.last_hour(connection), hourly.last_hour(connection))
        return max((hour for hour in found if hour is not None), default=None)

    # The audit trail

    def add_audit(self, entry: AuditEntry) -> int:
        """Append an entry to the audit trail, whatever its `id`; return the id it got."""
        with self._database.writing() as connection:
            return audit.add(connection, entry)

    def audit(self, limit: int = 100, before_id: int | None = None) -> list[AuditEntry]:
        """Return the newest entries, the newest first; go on with the id of the last."""
        with self._database.reading() as connection:
            return audit.read(connection, limit, before_id)

    # Small things

    def get(self, key: str) -> Any:
        """Return what was put under a key, None if nothing was."""
        with self._database.reading() as connection:
            return settings.get(connection, key)

    def put(self, key: str, value: Any) -> None:
        """Keep a value that JSON can tell under a key."""
        with self._database.writing() as connection:
            settings.put(connection, key, value)

    # Care

    def trim(self, now: float) -> None:
        """Keep energies older than FINE by quarters of an hour; nothing else is ever deleted.

        Every quarter keeps its sum. It goes in pieces: others have their turn in between.
        """
        before = energy.whole_hours(now - FINE)
        with self._database.reading() as connection:
            pieces = energy.untrimmed(connection, before)
        for piece in pieces:
            with self._database.writing() as connection:
                energy.thin(connection, piece)
        self._database.give_back()

    def size(self) -> int:
        """Return the bytes that the archive takes on the disk."""
        return self._database.size()

    def hold(self) -> None:
        """Leave the file alone until `release`, so that a copy of it is whole.

        Everything that was stored is in the file then. Writing goes on, into the log beside the
        file (`-wal`), of which a copy is of use up to wherever it ends.
        """
        self._database.hold()

    def release(self) -> None:
        """Write to the file again."""
        self._database.release()
