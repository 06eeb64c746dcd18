"""The cells of a time: what each scope shows of the classes that it is made of."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..ledger.calendar import HOUR, Grain
from ..ledger.cells import CellKey, Scope
from ..ledger.contributions import Whole
from ..ledger.ledger import Ledger
from ..privacy.given import NOBODY, Given, ScopeKey
from ..privacy.parts import Parts, Some, homes_of
from ..privacy.publish import COMPLETE, Reason, reason_of, reason_of_homes
from ..privacy.quantiles import safe_quantiles
from ..privacy.rules import Rules
from ..privacy.sums import Content, content_of
from .releases import Release, Releases, Series


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A bucket that is part of a cell, with the parts that it was decided by."""

    given: Given
    frozen: frozenset[int]
    parts: Parts
    label: Whole
    tried: Whole
    barred: Whole


class Cells:
    """Makes cells with one ledger, one file of releases and one set of rules."""

    def __init__(self, ledger: Ledger, releases: Releases, rules: Rules) -> None:
        """Keep them."""
        self._ledger = ledger
        self._releases = releases
        self._rules = rules

    def expected(self, grain: Grain, begin: int, scope: ScopeKey) -> int:
        """Return how many homes are members of a scope in a time."""
        end = self._ledger.calendar.end(grain, begin)
        return self._ledger.expected(begin, end, scope=Scope(scope[0]), name=scope[1])

    @property
    def community(self) -> ScopeKey:
        """Return the scope that has all homes."""
        return (Scope.COMMUNITY.value, self._ledger.community)

    def scopes(self) -> list[ScopeKey]:
        """Return all scopes, those first that are shown where not all can be."""
        return [
            self.community,
            *((Scope.FEEDER.value, name) for name in self._ledger.names(Scope.FEEDER)),
            *((Scope.GROUP.value, name) for name in self._ledger.names(Scope.GROUP)),
        ]

    def masks(self, place: Whole) -> list[tuple[ScopeKey, Some]]:
        """Return of each scope which of these places are in it."""
        places = self._ledger.scopes
        inside: dict[ScopeKey, list[int]] = defaultdict(list)
        for number, scopes in places.items():
            for scope in scopes:
                inside[scope].append(number)
        most = max(places, default=0) + 1
        result = []
        for scope in self.scopes():
            table = np.zeros(most, dtype=np.bool_)
            table[inside[scope]] = True
            result.append((scope, table[place]))
        return result

    def decided(
        self, series: Series, grain: Grain, begin: int, told: Parts, pieces: Sequence[Piece]
    ) -> list[Release]:
        """Return the cells of all scopes: those that have told anything, or show anything."""
        result = []
        day = begin if grain is Grain.DAY else self._ledger.calendar.day(begin, HOUR)
        for scope, mask in self.masks(told.place):
            key = _key(series, grain, begin, scope)
            before = self._releases.cell(key)
            holds = [piece.given.holds.get(scope, ()) for piece in pieces]
            if before is None and not mask.any() and not any(holds):
                continue
            content = content_in(pieces, scope)
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
                    expected=self.expected(Grain.DAY, day, scope),
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

    def summed_up(
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
        for scope, mask in self.masks(totals.place):
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
                reason = reason_of_homes(homes, self._rules)
                if self._rules.clear_only:
                    reason = Reason.CONSENT
            hides = self._rules.clear_only and content.seconds < told
            own = (given.classes[number].homes for number in given.holds.get(scope, ()))
            # Who has withdrawn since is in what was shown.
            many = max(len(homes), *own, *(release.homes for release in below[scope]), 0)
            expected = self.expected(grain, begin, scope)
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


def content_in(pieces: Iterable[Piece], scope: ScopeKey) -> Content:
    """Return what the classes of a scope come to."""
    return content_of(
        piece.given.classes[number]
        for piece in pieces
        for number in piece.given.holds.get(scope, ())
    )


def _key(series: Series, grain: Grain, begin: int, scope: ScopeKey) -> CellKey:
    return CellKey(
        grain=grain,
        begin=begin,
        scope=Scope(scope[0]),
        name=scope[1],
        flow=series[0],
        kind=series[1],
    )


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
