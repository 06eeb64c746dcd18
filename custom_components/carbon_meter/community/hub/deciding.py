"""Deciding what an hour, a day, a month or a year shows, from what homes have told of it.

An hour is decided by itself. A day shows what its hours show, and what they could not show if that
is of enough homes; a month shows what its days show and what they could not; a year is the sum of
its months. So each part is given away once, and every figure is a sum of classes of k homes.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from ..ledger.calendar import HOUR, Grain
from ..ledger.cells import CellKey, Scope
from ..ledger.contributions import Whole
from ..ledger.ledger import Ledger
from ..privacy.partition import (
    NOBODY,
    Asked,
    Given,
    Past,
    Ratio,
    ScopeKey,
    decide,
    joined,
)
from ..privacy.parts import (
    MIXED,
    Parts,
    Some,
    corrected,
    homes_of,
    overlapping,
    parts_of,
    periods_of,
    united,
)
from ..privacy.publish import COMPLETE, Reason, reason_of, reason_of_homes
from ..privacy.quantiles import safe_quantiles
from ..privacy.rules import Rules
from ..privacy.sums import Content, content_of
from .packing import Bucket
from .releases import Counter, Release, Releases, Series

_PLACE: Final = 42
"""Bits of the key of what a home has in a longer time: its place."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A bucket that is part of a cell, with the parts that it was decided by."""

    given: Given
    frozen: frozenset[int]
    parts: Parts
    label: Whole
    tried: Whole


class Decider:
    """Decides with one ledger, one file of releases and one set of rules."""

    def __init__(self, ledger: Ledger, releases: Releases, rules: Rules, finest: Grain) -> None:
        """Keep them; `finest` is the shortest time of which anything is shown."""
        self._ledger = ledger
        self._releases = releases
        self._rules = rules
        self._finest = finest
        self._members: dict[tuple[Grain, int, ScopeKey], int] = {}

    def forget(self) -> None:
        """Forget how many homes there are: they may be others now."""
        self._members.clear()

    def expected(self, day: int) -> int:
        """Return how many homes are members on a day."""
        return self._expected(Grain.DAY, day, self._community)

    def hour(self, series: Series, hour: int, seen: int, now: int) -> list[CellKey]:
        """Decide an hour and keep it; return which published cells have changed."""
        day = self._ledger.calendar.day(hour, HOUR)
        every = self._parts(series, hour, hour + HOUR, day)
        of_day = self._releases.bucket(series, Grain.DAY, day) or Bucket()
        piece = self._decide_hour(series, hour, day, every, of_day)
        cells = self._cells(series, Grain.HOUR, hour, piece.parts, [piece])
        with self._releases.changing() as change:
            change.put_bucket(
                (*series, Grain.HOUR, hour),
                Bucket(given=piece.given, tried=piece.tried),
                seen=seen,
                now=now,
            )
            return [cell.key for cell in cells if change.put_cell(cell)]

    def day(
        self, series: Series, day: int, seen: Mapping[int | None, int], now: int
    ) -> list[CellKey]:
        """Decide a day with those of its hours that have changed, and keep them.

        `seen` is upon what: by hour, None for the day itself.
        """
        every = self._parts(series, day, self._ledger.calendar.end(Grain.DAY, day), day)
        before = self._releases.bucket(series, Grain.DAY, day) or Bucket()
        pieces: dict[int, Piece] = {}
        released: list[Release] = []
        for hour in sorted(hour for hour in seen if hour is not None):
            # What an hour has once shown, it goes on to show.
            if (
                self._finest is not Grain.HOUR
                and self._releases.bucket(series, Grain.HOUR, hour) is None
            ):
                continue
            piece = pieces[hour] = self._decide_hour(series, hour, day, every, before)
            released += self._cells(series, Grain.HOUR, hour, piece.parts, [piece])
        inside = united([piece.given.key for piece in pieces.values()])
        stale = united([np.setdiff1d(each.given.key, each.parts.key) for each in pieces.values()])
        rest = every.only(~np.isin(every.key, inside))
        otherwise = self._shown_otherwise(
            series, day, day, self._ledger.calendar.end(Grain.DAY, day)
        )
        decision = decide(
            before.given,
            Asked(
                parts=rest,
                scopes=self._masks(rest.place),
                blocked=overlapping(
                    rest.key,
                    united(
                        [stale, before.taken, otherwise, self._corrected(series, day, before, rest)]
                    ),
                ),
                past=self._past(series, day),
                ratio=_ratio([self._content(pieces.values(), self._community)]),
            ),
            self._rules,
        )
        own = Piece(
            given=decision.given,
            frozen=decision.frozen,
            parts=rest,
            label=decision.label,
            tried=_tried(before, rest.key[decision.waiting], decision.given),
        )
        released += self._cells(series, Grain.DAY, day, every, [*pieces.values(), own])
        bucket = Bucket(
            given=decision.given,
            waiting=rest.key[decision.waiting],
            taken=before.taken,
            tried=own.tried,
        )
        with self._releases.changing() as change:
            for hour, piece in pieces.items():
                change.put_bucket(
                    (*series, Grain.HOUR, hour),
                    Bucket(given=piece.given, tried=piece.tried),
                    seen=seen[hour],
                    now=now,
                )
            changed = [cell.key for cell in released if change.put_cell(cell)]
            change.put_bucket(
                (*series, Grain.DAY, day),
                bucket,
                seen=seen[None],
                now=now,
                has_changed=bool(changed),
            )
        return changed

    def longer(
        self, series: Series, grain: Grain, begin: int, seen: int, now: int
    ) -> list[CellKey]:
        """Decide a month or a year out of what its days or months show, and keep it."""
        end = self._ledger.calendar.end(grain, begin)
        # A home may have another pseudonym in each month: over a year it would count as many.
        waiting = {} if grain is Grain.YEAR else self._waiting(series, begin, end)
        units, origin = self._units(series, waiting)
        shorter = Grain.DAY if grain is Grain.MONTH else Grain.MONTH
        below = {
            scope: [
                release
                for release in self._releases.cells(shorter, begin, end, Scope(scope[0]), scope[1])
                if (release.key.flow, release.key.kind) == series
            ]
            for scope in self._scopes()
        }
        before = self._releases.bucket(series, grain, begin) or Bucket()
        decision = decide(
            Given(),
            Asked(
                parts=units,
                scopes=self._masks(units.place),
                ratio=_ratio([each.content for each in below[self._community]]),
            ),
            self._rules,
        )
        given = joined(before.given, decision.given)
        cells = self._longer_cells(series, grain, begin, below, given)
        shown = set(units.key[decision.label > 0].tolist())
        with self._releases.changing() as change:
            for day, bucket in waiting.items():
                is_shown = np.isin(origin[day], list(shown))
                if not is_shown.any():
                    continue
                rest = replace(
                    bucket,
                    waiting=bucket.waiting[~is_shown],
                    taken=united([bucket.taken, bucket.waiting[is_shown]]),
                )
                change.take(series, day, rest)
            change.put_bucket((*series, grain, begin), Bucket(given=given), seen=seen, now=now)
            return [cell.key for cell in cells if change.put_cell(cell)]

    def _waiting(self, series: Series, begin: int, end: int) -> dict[int, Bucket]:
        """Return the days in [begin, end) of which something waits."""
        since = max(begin, self._releases.count(Counter.FENCE))
        return {
            day: bucket
            for day, flow, kind in self._releases.marks(Grain.DAY, since)
            if (flow, kind) == series and day < end
            if (bucket := self._releases.bucket(series, Grain.DAY, day)) is not None
            and len(bucket.waiting)
        }

    def _decide_hour(
        self, series: Series, hour: int, day: int, every: Parts, of_day: Bucket
    ) -> Piece:
        """Decide an hour among the parts of its day."""
        start, duration, _ = periods_of(every.key, day)
        parts = every.only((start >= hour) & (start + duration <= hour + HOUR))
        before = self._releases.bucket(series, Grain.HOUR, hour) or Bucket()
        otherwise = self._shown_otherwise(series, day, hour, hour + HOUR)
        elsewhere = united(
            [
                of_day.given.key,
                of_day.taken,
                otherwise,
                self._corrected(series, day, before, parts),
            ]
        )
        decision = decide(
            before.given,
            Asked(
                parts=parts,
                scopes=self._masks(parts.place),
                blocked=overlapping(parts.key, elsewhere),
                past=self._past(series, day),
            ),
            self._rules,
        )
        waiting = parts.key[decision.waiting]
        if len(np.unique(homes_of(waiting))) < self._rules.k:
            waiting = NOBODY
        return Piece(
            given=decision.given,
            frozen=decision.frozen,
            parts=parts,
            label=decision.label,
            tried=_tried(before, waiting, decision.given),
        )

    def _parts(self, series: Series, begin: int, end: int, day: int) -> Parts:
        """Return what homes have told of a time within a day."""
        found = self._ledger.contributions(begin, end, *series, with_level=self._rules.clear_only)
        return parts_of(found, self._releases.numbers(found.names), day)

    def _shown_otherwise(self, series: Series, day: int, begin: int, end: int) -> Whole:
        """Return what was shown of [begin, end) of a day by another kind of intensity.

        It is the same energy: what one kind shows less what the other does would tell few homes.
        """
        calendar = self._ledger.calendar
        hours = self._releases.others(series, Grain.HOUR, begin - HOUR, end)
        found = self._releases.others(series, Grain.DAY, day, day + 1).get(day, [])
        for hour, keys in hours.items():
            if hour >= begin - HOUR // 2 and calendar.day(hour, HOUR) == day:
                found += keys
        return united(found)

    def _corrected(self, series: Series, day: int, before: Bucket, parts: Parts) -> Whole:
        """Return what could not be shown and has another energy by now.

        Whoever corrects it until it is shown would find out how much the largest home has used.
        """
        gone = np.setdiff1d(before.tried, parts.key)
        return corrected(gone, self._past(series, day)(gone), parts) if len(gone) else gone

    def _past(self, series: Series, day: int) -> Past:
        """Return how to find out what parts of a day had that count no longer."""

        def look_up(key: Whole) -> Whole:
            names = self._releases.names()
            homes = (names.get(number, "") for number in homes_of(key).tolist())
            periods = (each.tolist() for each in periods_of(key, day))
            found = self._ledger.energy(zip(homes, *periods, strict=True), series[0])
            return np.array([-1 if wh is None else wh for wh in found], dtype=np.int64)

        return look_up

    @property
    def _community(self) -> ScopeKey:
        return (Scope.COMMUNITY.value, self._ledger.community)

    def _scopes(self) -> list[ScopeKey]:
        """Return all scopes, those first that are shown where not all can be."""
        return [
            self._community,
            *((Scope.FEEDER.value, name) for name in self._ledger.names(Scope.FEEDER)),
            *((Scope.GROUP.value, name) for name in self._ledger.names(Scope.GROUP)),
        ]

    def _masks(self, place: Whole) -> list[tuple[ScopeKey, Some]]:
        """Return of each scope which of these places are in it."""
        places = self._ledger.scopes
        inside: dict[ScopeKey, list[int]] = defaultdict(list)
        for number, scopes in places.items():
            for scope in scopes:
                inside[scope].append(number)
        most = max(places, default=0) + 1
        result = []
        for scope in self._scopes():
            table = np.zeros(most, dtype=np.bool_)
            table[inside[scope]] = True
            result.append((scope, table[place]))
        return result

    def _content(self, pieces: Iterable[Piece], scope: ScopeKey) -> Content:
        return content_of(
            piece.given.classes[number]
            for piece in pieces
            for number in piece.given.holds.get(scope, ())
        )

    def _cells(
        self, series: Series, grain: Grain, begin: int, told: Parts, pieces: Sequence[Piece]
    ) -> list[Release]:
        """Return the cells of all scopes: those that have told anything, or show anything."""
        result = []
        day = begin if grain is Grain.DAY else self._ledger.calendar.day(begin, HOUR)
        for scope, mask in self._masks(told.place):
            key = _key(series, grain, begin, scope)
            before = self._releases.cell(key)
            holds = [piece.given.holds.get(scope, ()) for piece in pieces]
            if before is None and not mask.any() and not any(holds):
                continue
            content = self._content(pieces, scope)
            seconds = int(told.seconds[mask].sum())
            reason = None
            if content.seconds == 0 or content.seconds < COMPLETE * seconds:
                reason = reason_of(told.only(mask), self._rules)
            homes, wh = _homes(pieces, holds)
            if self._rules.clear_only and not all(
                piece.given.classes[number].is_clear
                for piece, held in zip(pieces, holds, strict=True)
                for number in held
            ):
                wh = NOBODY
            result.append(
                Release(
                    key=key,
                    reason=reason,
                    homes=homes,
                    expected=self._expected(Grain.DAY, day, scope),
                    content=content,
                    is_current=not any(
                        piece.frozen.intersection(held)
                        for piece, held in zip(pieces, holds, strict=True)
                    ),
                    told=seconds,
                    quantiles=self._quantiles(before, content, wh),
                )
            )
        return result

    def _longer_cells(
        self,
        series: Series,
        grain: Grain,
        begin: int,
        below: Mapping[ScopeKey, Sequence[Release]],
        given: Given,
    ) -> list[Release]:
        """Return the cells of a month or a year: what its parts show, and what waited."""
        totals = self._ledger.totals(grain, begin, *series)
        # Days may hold what was shown by other rules: nobody knows here who has consented.
        rules = self._rules.without_consent()
        result = []
        for scope, mask in self._masks(totals.place):
            key = _key(series, grain, begin, scope)
            before = self._releases.cell(key)
            if before is None and not mask.any() and not below[scope]:
                continue
            content = sum(
                (release.content for release in below[scope]),
                content_of(given.classes[number] for number in given.holds.get(scope, ())),
            )
            told = sum(release.told for release in below[scope])
            homes, which = np.unique(totals.home[mask], return_inverse=True)
            wh = np.bincount(which.reshape(-1), weights=totals.wh[mask]).astype(np.int64)
            reason: Reason | None = None
            if content.seconds == 0 or content.seconds < COMPLETE * told:
                reason = reason_of_homes(homes, wh, self._rules)
                if self._rules.clear_only:
                    reason = Reason.CONSENT
            hides = self._rules.clear_only and content.seconds < told
            many, expected = len(homes), self._expected(grain, begin, scope)
            if grain is Grain.YEAR:
                many = max((release.homes for release in below[scope]), default=0)
                expected = max((release.expected for release in below[scope]), default=0)
                hides = hides or many < len(homes)
            result.append(
                Release(
                    key=key,
                    reason=reason,
                    homes=many,
                    expected=expected,
                    content=content,
                    is_current=all(release.is_current for release in below[scope]),
                    told=told,
                    quantiles=self._quantiles(before, content, NOBODY if hides else wh, rules),
                )
            )
        return result

    def _quantiles(
        self, before: Release | None, content: Content, wh: Whole, rules: Rules | None = None
    ) -> dict[float, float]:
        """Return the quantiles of a cell: as they were if it shows what it has shown before."""
        if before is not None and before.content == content:
            return before.quantiles
        return safe_quantiles(wh, rules or self._rules)

    def _expected(self, grain: Grain, begin: int, scope: ScopeKey) -> int:
        """Return how many homes are members of a scope in a time."""
        if (grain, begin, scope) not in self._members:
            end = self._ledger.calendar.end(grain, begin)
            self._members[grain, begin, scope] = self._ledger.expected(
                begin, end, scope=Scope(scope[0]), name=scope[1]
            )
        return self._members[grain, begin, scope]

    def _units(
        self, series: Series, waiting: Mapping[int, Bucket]
    ) -> tuple[Parts, dict[int, Whole]]:
        """Return what waits, by home and place, and of each waiting part to which that belongs."""
        names = self._releases.names()
        units: dict[int, list[int]] = {}
        origin: dict[int, Whole] = {}
        for day, bucket in waiting.items():
            numbers = homes_of(bucket.waiting).tolist()
            periods = zip(*(each.tolist() for each in periods_of(bucket.waiting, day)), strict=True)
            asked = [
                (names.get(number, ""), *period)
                for number, period in zip(numbers, periods, strict=True)
            ]
            belongs = np.full(len(asked), -1, dtype=np.int64)
            for row, (number, part, found) in enumerate(
                zip(numbers, asked, self._ledger.look_up(asked, *series), strict=True)
            ):
                if found is None:
                    continue
                place, wh, coverage, is_estimated, is_clear = found
                belongs[row] = key = number << _PLACE | place
                unit = units.setdefault(key, [0, 0, 0, 0, 0, 1])
                for column, amount in enumerate((wh, part[2], coverage * part[2], 1, is_estimated)):
                    unit[column] += amount
                unit[5] &= is_clear
            origin[day] = belongs
        key = np.array(sorted(units), dtype=np.int64)
        columns = np.array([units[each] for each in key.tolist()], dtype=np.int64).reshape(-1, 6).T
        nothing = np.zeros(len(key), dtype=np.int64)
        return Parts(
            key=key,
            home=key >> _PLACE,
            place=key & ((1 << _PLACE) - 1),
            wh=columns[0],
            mg=nothing,
            carbon_free=nothing,
            covered=columns[2],
            seconds=columns[1],
            periods=columns[3],
            is_estimated=columns[4] > 0,
            stratum=np.full(len(key), MIXED, dtype=np.int64),
            knows_free=nothing > 0,
            is_clear=columns[5] > 0,
        ), origin


def _key(series: Series, grain: Grain, begin: int, scope: ScopeKey) -> CellKey:
    return CellKey(
        grain=grain,
        begin=begin,
        scope=Scope(scope[0]),
        name=scope[1],
        flow=series[0],
        kind=series[1],
    )


def _tried(before: Bucket, waiting: Whole, given: Given) -> Whole:
    """Return what could not be shown until now."""
    every = united([before.tried, waiting])
    return every[~overlapping(every, given.key)]


def _ratio(contents: Iterable[Content]) -> Ratio | None:
    """Return how what is shown is weighed; None if nothing is, or it cannot be said."""
    whole = sum(contents, Content())
    if not whole.wh or whole.mg is None:
        return None
    free = None if whole.carbon_free is None else whole.carbon_free / whole.wh
    return whole.mg / whole.wh, free


def _homes(pieces: Sequence[Piece], holds: Sequence[Sequence[int]]) -> tuple[int, Whole]:
    """Return of how many homes a cell is, and the energy of those that have not changed."""
    present = [NOBODY]
    homes, energy = [NOBODY], [NOBODY]
    for piece, held in zip(pieces, holds, strict=True):
        if not held:
            continue
        table = np.zeros(max(piece.given.classes) + 1, dtype=np.bool_)
        table[list(held)] = True
        present.append(homes_of(piece.given.key[table[piece.given.label]]))
        own = table[piece.label]
        homes.append(piece.parts.home[own])
        energy.append(piece.parts.wh[own])
    every, which = np.unique(np.concatenate(homes), return_inverse=True)
    wh = np.bincount(
        which.reshape(-1), weights=np.concatenate(energy), minlength=len(every)
    ).astype(np.int64)
    return len(np.unique(np.concatenate(present))), wh
