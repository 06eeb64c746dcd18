"""What goes into a book's archive: hours of the grid that are known better, hours of meters."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..archive.archive import Archive
from ..archive.rows import GridHour, MeterHour, Series
from ..flow.amounts import FloatArray, ImpossibleAmountError, amounts
from ..grade import BEST_FIRST, Grade
from ..intervals import HOUR, INTERVAL
from . import figures as names
from .entries import GridEntry, HourEntry
from .weighed import PER_HOUR

type Flags = NDArray[np.bool_]

TIME: Final = "#time"
"""Ends the owner of the seconds that readings of a meter account for."""

TOLD_UNTIL: Final = "told_until"
"""Under which the archive keeps up to when the grid's intensity is settled."""

_TOLD_UNTIL: Final[Mapping[Series, str]] = {
    "average": TOLD_UNTIL,
    "marginal": "marginal_told_until",
}

_ROUNDING: Final = 1e-9
"""Relative difference that is none."""

_SPAN: Final = 31 * 24 * HOUR
"""Seconds of one meter that are in memory at once."""


@dataclass(frozen=True, kw_only=True)
class GridChange:
    """What entries have changed in what is known of the grid."""

    changed: Mapping[int, Flags]
    """By hour: [12] which intervals have another intensity."""

    revised: tuple[int, ...]
    """The hours of which some were over and known before."""

    regraded: tuple[int, ...]
    """The hours of which something is known better or worse than before."""


def check_entries(rows: Collection[HourEntry], grid: Iterable[GridEntry]) -> None:
    """Raise ImpossibleAmountError for what no meter and no grid can have told."""
    for row in rows:
        fine = 0 if row.fine is None else np.shape(row.fine)
        if np.shape(row.total) != (3,) or fine not in {0, (3, PER_HOUR)} or row.hour % HOUR:
            raise ImpossibleAmountError(f"{row.meter} at {row.hour}", "it is no hour of a meter")
    told = [np.array([*row.total, row.measured]) for row in rows]
    told += [np.ravel(row.fine) for row in rows if row.fine is not None]
    if told:
        amounts("hours of meters", np.concatenate(told))
    for entry in grid:
        where = f"the grid at {entry.hour}"
        if amounts(where, np.nan_to_num(entry.value, nan=0.0, posinf=np.inf)).shape != (PER_HOUR,):
            raise ImpossibleAmountError(where, "it has no twelve intervals")


def put_grid(
    archive: Archive, entries: Iterable[GridEntry], *, now: float, force: bool, series: Series
) -> GridChange:
    """Keep what is known better of the grid.

    What is told of an interval that is not over is provisional: nothing is restated by it.
    """
    until = archive.get(_TOLD_UNTIL[series]) or 0.0
    told = {entry.hour: entry for entry in entries}
    changed: dict[int, Flags] = {}
    revised: list[int] = []
    regraded: list[int] = []
    rows: list[GridHour] = []
    for start, end in runs(told, _SPAN):
        kept = archive.grid(start, end, series)
        for hour in range(start, end, HOUR):
            entry, first = told[hour], (hour - start) // INTERVAL
            part = slice(first, first + PER_HOUR)
            held = GridHour(
                hour=hour,
                value=kept.value[part],
                grade=kept.grade[part],
                source=kept.source[part].tolist(),
            )
            ends = hour + INTERVAL * (1 + np.arange(PER_HOUR))
            settled = (ends <= until) & np.isfinite(kept.value[part])
            take, differs = _taken(entry, held, settled, force=force)
            if not take.any():
                continue
            rows.append(_merged(entry, held, take))
            if (take & (entry.grade != kept.grade[part])).any():
                regraded.append(hour)
            if (take & differs).any():
                changed[hour] = take & differs
            if (take & differs & settled).any():
                revised.append(hour)
    archive.put_grid(rows, series)
    if told and now > until:
        archive.put(_TOLD_UNTIL[series], now)
    return GridChange(changed=changed, revised=tuple(revised), regraded=tuple(regraded))


def _taken(entry: GridEntry, held: GridHour, settled: Flags, *, force: bool) -> tuple[Flags, Flags]:
    """Return which intervals of an entry are taken, and where they say something else."""
    value, grade = np.asarray(held.value), np.asarray(held.grade)
    same = np.array([a == b for a, b in zip(held.source, entry.source, strict=True)])
    differs = ~np.isclose(value, entry.value, rtol=_ROUNDING, atol=0.0)
    better = entry.grade < grade
    # A yearly figure of today says nothing of yesterday: it is restated on purpose only.
    again = same & (entry.grade == grade) & (entry.grade < BEST_FIRST.index(Grade.YEARLY))
    take: Flags = np.isfinite(entry.value) & (~settled | better | ((again | force) & differs))
    return take, differs


def _merged(entry: GridEntry, held: GridHour, take: Flags) -> GridHour:
    """Return an hour with what is taken of an entry, and what was held elsewhere."""
    return GridHour(
        hour=entry.hour,
        value=np.where(take, entry.value, held.value),
        grade=np.where(take, entry.grade, held.grade).astype(np.uint8),
        source=[
            new if taken else old
            for new, old, taken in zip(entry.source, held.source, take.tolist(), strict=True)
        ],
    )


def put_energies(
    archive: Archive,
    rows: Iterable[HourEntry],
    grid: Mapping[int, GridEntry],
    changed: Mapping[int, Flags],
    others: Collection[str],
) -> frozenset[tuple[str, int]]:
    """Keep the energies of entries, and weigh those of `others` again where the grid has changed.

    Returns the meters and hours of entries that send energy, or have.
    """
    by_meter: dict[str, dict[int, HourEntry]] = {meter: {} for meter in others if changed}
    for row in rows:
        by_meter.setdefault(row.meter, {})[row.hour] = row
    sending: set[tuple[str, int]] = set()
    for meter, of_meter in by_meter.items():
        also = changed if meter in others else ()
        for start, end in runs({*of_meter, *also}, _SPAN):
            entries = [of_meter.get(hour) for hour in range(start, end, HOUR)]
            sending |= _put_run(archive, meter, start, entries, grid, changed)
        for start, end in runs(of_meter, None):
            times = [(hour, of_meter[hour].measured) for hour in range(start, end, HOUR)]
            archive.put_hourly(start, end, {meter + TIME: {names.MEASURED_TIME: times}})
    return frozenset(sending)


def _put_run(  # noqa: PLR0913, PLR0917  # one step of put_energies
    archive: Archive,
    meter: str,
    start: int,
    entries: Sequence[HourEntry | None],
    grid: Mapping[int, GridEntry],
    changed: Mapping[int, Flags],
) -> set[tuple[str, int]]:
    """Keep consecutive hours of a meter: twelve intervals each, whose sums are those told.

    `entries` are None where nothing but the grid is new. Returns which hours send, or have.
    """
    count = len(entries)
    hours = [start + place * HOUR for place in range(count)]
    held = archive.energy([meter], start, start + count * HOUR)
    value = archive.grid(start, start + count * HOUR).value.reshape(count, PER_HOUR)
    before = np.stack([held.imported[0], held.exported[0], held.grid_carbon[0]])
    before = before.reshape(3, count, PER_HOUR)
    fine, total = before.copy(), before.sum(axis=-1)
    has_fine = np.zeros((count, 1), dtype=np.bool_)
    known = held.known[0].reshape(count, PER_HOUR).copy()
    for place, row in enumerate(entries):
        if row is None:
            continue
        total[:, place] = row.total
        if row.fine is None:
            known[place] |= row.known
        else:
            fine[:, place], known[place], has_fine[place] = row.fine, row.known, True
    imported, exported = _summed_to(fine[0], total[0]), _summed_to(fine[1], total[1])
    moved = _stacked([changed.get(hour) for hour in hours])
    told = [grid.get(hour) for hour in hours]
    exact = has_fine & _is_exact(fine, imported, told, value)
    # Without the ledger's intervals the integral of before still holds for the same energy.
    unmoved = ~has_fine & ~moved & np.isclose(imported, before[0], rtol=_ROUNDING, atol=0.0)
    weighed = imported * np.nan_to_num(value) / 1000.0
    carbon = np.where(exact, fine[2], np.where(unmoved, before[2], weighed))
    told_here = np.array([row is not None for row in entries])
    worth = told_here | (moved.any(axis=-1) & before[0].any(axis=-1))
    archive.put_energy(
        MeterHour(
            meter=meter,
            hour=hours[place],
            imported=imported[place],
            exported=exported[place],
            grid_carbon=carbon[place],
            known=known[place],
        )
        for place in np.flatnonzero(worth).tolist()
    )
    sends = told_here & (exported.any(axis=-1) | before[1].any(axis=-1))
    return {(meter, hours[place]) for place in np.flatnonzero(sends).tolist()}


def _stacked(flags: Sequence[Flags | None]) -> Flags:
    """Return flags of hours as [H, 12], none where there are none."""
    nothing = np.zeros(PER_HOUR, dtype=np.bool_)
    return np.array([nothing if one is None else one for one in flags])


def _summed_to(shape: FloatArray, total: FloatArray) -> FloatArray:
    """Return [H, 12] energies with given sums: what they lack is spread evenly over the hour."""
    known = shape.sum(axis=-1)
    near = np.abs(known - total) <= _ROUNDING * np.maximum(total, known)
    factor = np.divide(total, known, out=np.ones_like(total), where=known > total)
    lacking = np.maximum(total - known, 0.0) / PER_HOUR
    filled: FloatArray = shape * factor[:, np.newaxis] + lacking[:, np.newaxis]
    return np.where(near[:, np.newaxis], shape, filled)


def _is_exact(
    fine: FloatArray,
    imported: FloatArray,
    told: Sequence[GridEntry | None],
    kept: FloatArray,
) -> Flags:
    """Return where the ledger has weighed with what is known now.

    Its intensity then lies between the lowest and the highest of the interval: it is the exact
    integral, which a mean is not. Elsewhere the intensity has become known only afterwards.
    """
    nothing = np.full(PER_HOUR, np.nan)
    low, high, value = (
        np.array([nothing if one is None else getattr(one, name) for one in told])
        for name in ("low", "high", "value")
    )
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        weighed = fine[2] / fine[0] * 1000.0
        margin = _ROUNDING * np.fmax(high, 1.0)
        within = (weighed >= low - margin) & (weighed <= high + margin)
    whole = np.isclose(fine[0], imported, rtol=_ROUNDING, atol=0.0)
    exact: Flags = within & whole & np.isclose(value, kept, rtol=_ROUNDING, atol=0.0)
    return exact


def runs(hours: Iterable[int], longest: int | None) -> list[tuple[int, int]]:
    """Return hours as stretches of consecutive ones, none longer than so many seconds."""
    found: list[tuple[int, int]] = []
    for hour in sorted(hours):
        if found and found[-1][1] == hour and (longest is None or hour - found[-1][0] < longest):
            found[-1] = found[-1][0], hour + HOUR
        else:
            found.append((hour, hour + HOUR))
    return found
