"""Which rows of one file are for the same time."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from ...datafile import Problem
from .factor import EmissionFactor


def separate(
    factors: Sequence[EmissionFactor],
) -> tuple[tuple[EmissionFactor, ...], list[Problem]]:
    """Return the rows that are sound, in their order, and what is wrong with the others.

    Two rows about the same thing may not be for the same year nor for the same
    days: which is right cannot be known, so neither is used. A row that names no
    last day ends where the next one begins.
    """
    groups = defaultdict(list)
    for factor in factors:
        groups[_subject(factor)].append(factor)
    sound: dict[int, EmissionFactor] = {}
    problems = []
    order = {id(factor): number for number, factor in enumerate(factors)}
    for group in groups.values():
        ended = dict(zip(map(id, group), _ended(group), strict=True))
        for rivals in _rivals(list(ended.values())):
            problems.append(_problem(rivals))
            unsure = {id(rival) for rival in rivals}
            ended = {key: factor for key, factor in ended.items() if id(factor) not in unsure}
        sound |= {order[key]: factor for key, factor in ended.items()}
    return tuple(sound[number] for number in sorted(sound)), problems


def _subject(factor: EmissionFactor) -> tuple[object, ...]:
    """Return what a row is about, whatever its time."""
    source = factor.source
    return (
        factor.zone,
        factor.measure,
        source.carrier,
        source.stage,
        source.scope,
        source.method,
        source.technology,
        source.heating_value,
        source.biogenic,
    )


def _ended(group: Sequence[EmissionFactor]) -> list[EmissionFactor]:
    """Return the rows, those without a last day ended where the next begins."""
    starts = sorted({_start(factor) for factor in group if factor.is_dated})
    return [
        replace(factor, valid_to=later[0])
        if factor.is_dated
        and factor.valid_to is None
        and (later := [start for start in starts if start > _start(factor)])
        else factor
        for factor in group
    ]


def _rivals(group: list[EmissionFactor]) -> list[list[EmissionFactor]]:
    """Return the rows that are for the same time, together."""
    clusters: list[list[EmissionFactor]] = []
    for factor in sorted(group, key=_position):
        if clusters and any(_meet(factor, other) for other in clusters[-1]):
            clusters[-1].append(factor)
        else:
            clusters.append([factor])
    return [cluster for cluster in clusters if len(cluster) > 1]


def _meet(one: EmissionFactor, other: EmissionFactor) -> bool:
    """Return whether two rows about the same thing are for the same time."""
    if one.is_dated and other.is_dated:
        return _start(one) < _end(other) and _start(other) < _end(one)
    return one.is_dated == other.is_dated and one.year == other.year


def _position(factor: EmissionFactor) -> tuple[bool, date]:
    """Return where a row stands among others: yearly ones first, each kind by its time."""
    if factor.is_dated or factor.year is None:
        return True, _start(factor)
    return False, date(factor.year, 1, 1)


def _start(factor: EmissionFactor) -> date:
    return factor.valid_from or date.min


def _end(factor: EmissionFactor) -> date:
    return factor.valid_to or date.max


def _problem(rivals: Sequence[EmissionFactor]) -> Problem:
    """Return the problem of rows for the same time: which is right cannot be known."""
    ordered = sorted(rivals, key=lambda factor: factor.line)
    lines = " and ".join(str(factor.line) for factor in ordered)
    return Problem(
        file=ordered[0].source.file,
        line=ordered[-1].line,
        message=f"{ordered[0].zone} is written more than once for the same time, in the lines "
        f"{lines}; none of these rows is used",
    )
