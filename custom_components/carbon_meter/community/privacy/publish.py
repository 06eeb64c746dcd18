"""What may be published: cells large enough, alone and together with all that is known."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from ..contract.message import Flow, Kind
from ..ledger.calendar import Grain
from ..ledger.cells import Cell, CellKey, Scope
from ..ledger.contributions import Whole
from .members import Members
from .partition import Partition
from .rules import Rules

_PERCENT: Final = 100


class Reason(StrEnum):
    """Why a cell is suppressed."""

    FEW = "few"
    """It has fewer than k homes."""

    DOMINANT = "dominant"
    """One home has too large a part of it."""

    DIFFERENCE = "difference"
    """With other cells, or with what it was before, it would show fewer than k homes."""

    CONSENT = "consent"
    """Not all of its homes have consented to be shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PublicCell:
    """A cell as everybody may see it; of a suppressed one there is nothing but the reason."""

    key: CellKey
    end: int
    suppressed: Reason | None = None
    homes: int | None = None
    expected: int | None = None
    wh: int | None = None
    mg: int | None = None
    """mgCO2eq; of two significant digits where `is_rounded`."""

    is_rounded: bool = False
    """Whether fewer than k homes were weighed by another carbon intensity than the others.

    Energy and exact carbon together would then tell what those few have used.
    """

    carbon_free: int | None = None
    """Wh, None unless all homes know theirs."""

    estimated: int | None = None
    """Wh estimated or substituted; None where that would show the few homes that estimate."""

    coverage: int | None = None
    """Percent of the told periods that were measured, rounded down."""

    revision: int | None = None


def published(
    cells: Iterable[Cell],
    members: Mapping[CellKey, Members],
    rules: Rules,
    *,
    earlier: Mapping[tuple[Flow, Kind], Iterable[Members]] | None = None,
) -> list[PublicCell]:
    """Return cells as they may be shown, in their order.

    A cell is shown if it has k homes, none of them dominates, and no sum or difference of
    shown cells has fewer than k homes or a dominating one. `earlier` is what was shown before
    and overlaps with the cells, of each flow and kind: whoever saw it can subtract it, so a
    corrected cell is shown only where at least k homes have changed. The least, the most and
    single homes are never shown.

    `members` must have every cell, from `members_of`. Where only one of two cells can be
    shown it is the community before feeders, feeders before groups, and the longer time:
    the choice follows from names and times alone, so it tells nothing.
    """
    wanted: dict[tuple[Flow, Kind], list[Cell]] = defaultdict(list)
    order = list(cells)
    for cell in order:
        wanted[cell.key.flow, cell.key.kind].append(cell)
    result: dict[CellKey, PublicCell] = {}
    for series, own in wanted.items():
        before = list((earlier or {}).get(series, ()))
        partition = Partition([*before, *(members[cell.key] for cell in own)], rules)
        for each in before:
            partition.force(each.part)
        for cell in sorted(own, key=_rank):
            result[cell.key] = _decided(cell, members[cell.key], partition, rules)
    return [result[cell.key] for cell in order]


def shown(
    cells: Iterable[PublicCell], members: Mapping[CellKey, Members]
) -> dict[tuple[Flow, Kind], list[Members]]:
    """Return what showing these cells has given away: `earlier` of whatever is shown later."""
    result: dict[tuple[Flow, Kind], list[Members]] = defaultdict(list)
    for cell in cells:
        if cell.suppressed is not None:
            continue
        whole = members[cell.key]
        given = [whole.part]
        if not cell.is_rounded:
            given += _by_factor(whole)
        if cell.estimated:
            given.append(whole.part[whole.estimated])
        result[cell.key.flow, cell.key.kind] += [whole.only(part) for part in given]
    return dict(result)


def _by_factor(members: Members) -> list[Whole]:
    """Return the parts by the carbon intensity that weighed them."""
    return [members.part[members.factor == each] for each in np.unique(members.factor)]


def _rounded(amount: int) -> int:
    """Return an amount with two significant digits."""
    return round(amount, 2 - len(str(abs(amount))))


def _rank(cell: Cell) -> tuple[int, int, int, str]:
    """Return where a cell comes when not all can be shown."""
    grains = (Grain.YEAR, Grain.MONTH, Grain.DAY, Grain.HOUR)
    key = cell.key
    return (list(Scope).index(key.scope), grains.index(key.grain), key.begin, key.name)


def _decided(cell: Cell, members: Members, partition: Partition, rules: Rules) -> PublicCell:
    """Return a cell as it may be shown, and take note of what that gives away."""
    many, balanced = partition.enough(members.part)
    reason: Reason | None = None
    if rules.clear_only and not members.clear:
        reason = Reason.CONSENT
    elif not many:
        reason = Reason.FEW
    elif not balanced:
        reason = Reason.DOMINANT
    elif not partition.admit(members.part):
        reason = Reason.DIFFERENCE
    if reason is not None:
        return PublicCell(key=cell.key, end=cell.end, suppressed=reason)
    sums = cell.sums
    is_exact = all(partition.admit(each) for each in _by_factor(members))
    guessed = members.part[members.estimated]
    return PublicCell(
        key=cell.key,
        end=cell.end,
        homes=cell.homes,
        expected=cell.expected,
        wh=sums.wh,
        mg=sums.mg if is_exact else _rounded(sums.mg),
        is_rounded=not is_exact,
        carbon_free=sums.carbon_free if sums.known == sums.wh else None,
        estimated=sums.estimated if not len(guessed) or partition.admit(guessed) else None,
        coverage=sums.coverage // _PERCENT,
        revision=cell.revision,
    )
