"""What the entities of a hub show: of each scope the last hour, day and month that was decided."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ..community.hub.publishing import Publisher
from ..community.hub.view import Period, view
from ..community.ledger.calendar import Grain
from ..community.ledger.cells import Scope

SHOWN_GRAINS: Final = (Grain.HOUR, Grain.DAY, Grain.MONTH)

_WINDOWS: Final = {Grain.HOUR: 2 * 86400, Grain.DAY: 8 * 86400, Grain.MONTH: 70 * 86400}
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
    scopes: tuple[ScopeKey, ...]
    """Feeders and groups of which something was decided."""

    def last(self, scope: ScopeKey, grain: Grain) -> Period | None:
        """Return the last period of a scope, None where nothing was decided lately."""
        return self.periods.get((scope, grain))


def nothing_published() -> Figures:
    """Return the figures of a hub that has just been made."""
    return Figures(at=None, periods={}, scopes=())


def figures_of(publisher: Publisher, now: float) -> Figures:
    """Read the figures; blocks. Raises LedgerError."""
    scopes = tuple(
        (scope, name) for scope, name in publisher.scopes() if scope is not Scope.COMMUNITY
    )
    periods: dict[tuple[ScopeKey, Grain], Period] = {}
    for scope in (COMMUNITY, *scopes):
        for grain in SHOWN_GRAINS if scope is COMMUNITY else (Grain.DAY,):
            period = _last(publisher, grain, scope, now)
            if period is not None:
                periods[scope, grain] = period
    return Figures(at=now, periods=periods, scopes=scopes)


def _last(publisher: Publisher, grain: Grain, scope: ScopeKey, now: float) -> Period | None:
    """Return the last period of which anything was decided."""
    kind, name = scope
    periods = view(
        publisher, grain, int(now) - _WINDOWS[grain], int(now), scope=kind, name=name
    ).periods
    return max(periods, key=lambda period: period.begin, default=None)
