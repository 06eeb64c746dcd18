"""What the entities of a hub show: of each scope the last hour, day, month that was decided.

Of the community also the last year, and what the days of the running month and year come to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ..community.hub.periods import Period
from ..community.hub.publishing import Publisher
from ..community.hub.view import so_far, view
from ..community.ledger.calendar import Grain
from ..community.ledger.cells import Scope

SHOWN_GRAINS: Final = (Grain.HOUR, Grain.DAY, Grain.MONTH)
RUNNING_GRAINS: Final = (Grain.MONTH, Grain.YEAR)

_WINDOWS: Final = {
    Grain.HOUR: 2 * 86400,
    Grain.DAY: 8 * 86400,
    Grain.MONTH: 70 * 86400,
    Grain.YEAR: 740 * 86400,
}
"""Seconds back in which the last one is looked for; what is older says nothing of the present."""

type ScopeKey = tuple[Scope, str | None]
"""A scope with its name; the community has none."""

COMMUNITY: Final[ScopeKey] = (Scope.COMMUNITY, None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """The last periods that were decided, by scope and grain; a suppressed one is there as such."""

    at: float | None
    """When they were read, None before anything was."""

    periods: Mapping[tuple[ScopeKey, Grain], Period]
    so_far: Mapping[Grain, Period]
    """What the published days of the running month and year come to, for the community."""

    scopes: tuple[ScopeKey, ...]
    """Feeders and groups of which something was decided."""

    def last(self, scope: ScopeKey, grain: Grain) -> Period | None:
        """Return the last period of a scope, None where nothing was decided lately."""
        return self.periods.get((scope, grain))


def nothing_published() -> Figures:
    """Return the figures of a hub that has just been made."""
    return Figures(at=None, periods={}, so_far={}, scopes=())


def figures_of(publisher: Publisher, now: float) -> Figures:
    """Read the figures; blocks. Raises LedgerError."""
    scopes = tuple(
        (scope, name) for scope, name in publisher.scopes() if scope is not Scope.COMMUNITY
    )
    periods: dict[tuple[ScopeKey, Grain], Period] = {}
    for scope in (COMMUNITY, *scopes):
        for grain in (*SHOWN_GRAINS, Grain.YEAR) if scope is COMMUNITY else (Grain.DAY,):
            period = _last(publisher, grain, scope, now)
            if period is not None:
                periods[scope, grain] = period
    running = {grain: so_far(publisher, grain, int(now)) for grain in RUNNING_GRAINS}
    return Figures(
        at=now,
        periods=periods,
        so_far={grain: period for grain, period in running.items() if period is not None},
        scopes=scopes,
    )


def _last(publisher: Publisher, grain: Grain, scope: ScopeKey, now: float) -> Period | None:
    """Return the last period of which anything was decided."""
    kind, name = scope
    periods = view(
        publisher,
        grain,
        int(now) - _WINDOWS[grain],
        int(now),
        scope=kind,
        name=name,
        # Of a year they are too many to read with each publication.
        with_hours=grain is not Grain.YEAR,
    ).periods
    return max(periods, key=lambda period: period.begin, default=None)
