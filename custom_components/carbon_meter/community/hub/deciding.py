"""Deciding what an hour, a day, a month or a year shows, from what homes have told of it.

An hour is decided by itself. A day shows what its hours show, and what they could not show if that
is of enough homes; a month shows what its days show and what they could not; a year is the sum of
its months. So each part is given away once, and every figure is a sum of classes of k homes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from ..ledger.calendar import HOUR, Grain
from ..ledger.cells import CellKey, Scope
from ..ledger.contributions import Whole
from ..ledger.ledger import Ledger
from ..privacy.given import NOBODY, Asked, Given, Past, Ratio, joined
from ..privacy.partition import decide
from ..privacy.parts import Parts, corrected, homes_of, overlapping, parts_of, periods_of, united
from ..privacy.rules import Rules
from ..privacy.sums import Content
from .cells import Cells, Piece, content_in
from .packing import Bucket
from .releases import Release, Releases, Series
from .waiting import units_of, waiting_days


class Decider:
    """Decides with one ledger, one file of releases and one set of rules."""

    def __init__(self, ledger: Ledger, releases: Releases, rules: Rules, finest: Grain) -> None:
        """Keep them; `finest` is the shortest time of which anything is shown."""
        self._ledger = ledger
        self._releases = releases
        self._rules = rules
        self._finest = finest
        self._cells = Cells(ledger, releases, rules)

    def expected(self, day: int) -> int:
        """Return how many homes are members on a day."""
        return self._cells.expected(Grain.DAY, day, self._cells.community)

    def hour(self, series: Series, hour: int, seen: int, now: int) -> list[CellKey]:
        """Decide an hour and keep it; return which published cells have changed."""
        day = self._ledger.calendar.day(hour, HOUR)
        every = self._parts(series, hour, hour + HOUR, day)
        of_day = self._releases.bucket(series, Grain.DAY, day) or Bucket()
        piece = self._decide_hour(series, hour, day, every, of_day)
        cells = self._cells.decided(series, Grain.HOUR, hour, piece.parts, [piece])
        with self._releases.changing() as change:
            change.put_bucket(
                (*series, Grain.HOUR, hour),
                Bucket(given=piece.given, tried=piece.tried, barred=piece.barred),
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
        decided = self._releases.decided_at(
            series, Grain.HOUR, day - HOUR, self._ledger.calendar.end(Grain.DAY, day)
        )
        # What an hour has shown is part of its day, whether or not anybody still tells it.
        of_day = {hour for hour in decided if self._ledger.calendar.day(hour, HOUR) == day}
        for hour in sorted(of_day.union(hour for hour in seen if hour is not None)):
            # What an hour has once shown, it goes on to show.
            if (
                self._finest is not Grain.HOUR
                and self._releases.bucket(series, Grain.HOUR, hour) is None
            ):
                continue
            piece = pieces[hour] = self._decide_hour(series, hour, day, every, before)
            released += self._cells.decided(series, Grain.HOUR, hour, piece.parts, [piece])
        inside = united([piece.given.key for piece in pieces.values()])
        stale = united([np.setdiff1d(each.given.key, each.parts.key) for each in pieces.values()])
        rest = every.only(~np.isin(every.key, inside))
        otherwise = self._shown_otherwise(
            series, day, day, self._ledger.calendar.end(Grain.DAY, day)
        )
        barred = self._barred(series, day, before, rest)
        decision = decide(
            before.given,
            Asked(
                parts=rest,
                scopes=self._cells.masks(rest.place),
                blocked=overlapping(rest.key, united([stale, before.taken, otherwise, barred])),
                past=self._past(series, day),
                ratio=_ratio([content_in(pieces.values(), self._cells.community)]),
            ),
            self._rules,
        )
        own = Piece(
            given=decision.given,
            frozen=decision.frozen,
            parts=rest,
            label=decision.label,
            tried=_tried(before, rest.key[decision.waiting], decision.given),
            barred=barred,
        )
        released += self._cells.decided(series, Grain.DAY, day, every, [*pieces.values(), own])
        bucket = Bucket(
            given=decision.given,
            waiting=rest.key[decision.waiting],
            taken=before.taken,
            tried=own.tried,
            barred=own.barred,
        )
        with self._releases.changing() as change:
            for hour, piece in pieces.items():
                change.put_bucket(
                    (*series, Grain.HOUR, hour),
                    Bucket(given=piece.given, tried=piece.tried, barred=piece.barred),
                    seen=seen.get(hour, 0),
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
        waiting = {} if grain is Grain.YEAR else waiting_days(self._releases, series, begin, end)
        units, origin = units_of(self._ledger, self._releases, series, waiting)
        shorter = Grain.DAY if grain is Grain.MONTH else Grain.MONTH
        below = {
            scope: [
                release
                for release in self._releases.cells(shorter, begin, end, Scope(scope[0]), scope[1])
                if (release.key.flow, release.key.kind) == series
            ]
            for scope in self._cells.scopes()
        }
        before = self._releases.bucket(series, grain, begin) or Bucket()
        decision = decide(
            Given(),
            Asked(
                parts=units,
                scopes=self._cells.masks(units.place),
                ratio=_ratio([each.content for each in below[self._cells.community]]),
            ),
            self._rules,
        )
        given = joined(before.given, decision.given)
        cells = self._cells.summed_up(series, grain, begin, below, given)
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

    def _decide_hour(
        self, series: Series, hour: int, day: int, every: Parts, of_day: Bucket
    ) -> Piece:
        """Decide an hour among the parts of its day."""
        start, duration, _ = periods_of(every.key, day)
        parts = every.only((start >= hour) & (start + duration <= hour + HOUR))
        before = self._releases.bucket(series, Grain.HOUR, hour) or Bucket()
        otherwise = self._shown_otherwise(series, day, hour, hour + HOUR)
        barred = self._barred(series, day, before, parts)
        elsewhere = united([of_day.given.key, of_day.taken, otherwise, barred])
        decision = decide(
            before.given,
            Asked(
                parts=parts,
                scopes=self._cells.masks(parts.place),
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
            barred=barred,
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

    def _barred(self, series: Series, day: int, before: Bucket, parts: Parts) -> Whole:
        """Return what could not be shown and was told otherwise since, or not at all, at any time.

        Whoever corrects it until it is shown, or drops out and comes back, would find out how much
        the largest home has used.
        """
        gone = np.setdiff1d(before.tried, parts.key)
        if not len(gone):
            return before.barred
        return united([before.barred, corrected(gone, self._past(series, day)(gone), parts)])

    def _past(self, series: Series, day: int) -> Past:
        """Return how to find out what parts of a day had that count no longer."""

        def look_up(key: Whole) -> Whole:
            names = self._releases.names()
            homes = (names.get(number, "") for number in homes_of(key).tolist())
            periods = (each.tolist() for each in periods_of(key, day))
            found = self._ledger.told_energy(zip(homes, *periods, strict=True), series[0])
            return np.array([-1 if wh is None else wh for wh in found], dtype=np.int64)

        return look_up


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
