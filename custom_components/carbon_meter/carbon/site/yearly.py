"""The factors of a site that hold for years: out of the library, as schedules."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

from ..factors.editions import Span, spans
from ..factors.factor import EmissionFactor, Scope, Stage
from ..factors.library import FactorLibrary
from ..factors.losses import Delivered, delivered
from ..factors.mix import LIFE_CYCLE
from ..factors.selection import Query, Selection
from ..factors.technology import Technology
from .schedule import Schedule
from .weighing import SiteFactors

_LOSSES: Final = (Stage.TRANSMISSION_DISTRIBUTION, Stage.UPSTREAM_AND_LOSSES)


@dataclass(frozen=True, kw_only=True)
class FactorSpans:
    """Which factors of the grid hold on which days; `end` is the first day that is not asked."""

    start: date
    end: date
    generation: Sequence[Span]
    losses: Sequence[Span]
    upstream: Sequence[Span]


def factor_spans(library: FactorLibrary, zone: str | None, start: date, end: date) -> FactorSpans:
    """Return the factors of a zone's grid, of its losses and of the supply of its fuels.

    A figure of losses is one of the zone itself, or of its country: another country's says
    nothing of this grid.
    """
    losses: list[Span] = []
    for stage in _LOSSES:
        found = _own(spans(library, Query(zone=zone, sources=Selection(stage=stage)), start, end))
        losses = losses or found
    upstream = Query(zone=zone, sources=Selection(stage=Stage.UPSTREAM))
    return FactorSpans(
        start=start,
        end=end,
        generation=spans(library, Query(zone=zone), start, end),
        losses=losses,
        upstream=_own(spans(library, upstream, start, end)),
    )


def _own(found: Sequence[Span]) -> list[Span]:
    """Return the spans of which a factor is known."""
    return [span for span in found if span.factor is not None]


def site_factors(
    library: FactorLibrary,
    known: FactorSpans,
    zone: tzinfo,
    *,
    solar_scope: Scope,
    loss_share: float | None,
) -> SiteFactors:
    """Return what does not come from live sources, by the local days of `zone`.

    `loss_share` is the part that is lost on the way where no factor tells it. A stage that the
    factor of generation has in it already is 0; one that is never known is None.
    """
    days = _turns(known)
    stages = {day: _stages(known, day, loss_share) for day in days}

    def of(pick: Callable[[Delivered], float | None]) -> Schedule | None:
        values = {day: None if each is None else pick(each) for day, each in stages.items()}
        if all(not value for value in values.values()):
            return None
        return scheduled({day: value or 0.0 for day, value in values.items()}, zone)

    return SiteFactors(
        solar=Schedule.constant(solar_intensity(library, solar_scope)),
        annual=of(lambda each: each.generation),
        transmission=of(lambda each: each.transmission),
        upstream=of(lambda each: each.upstream),
    )


def solar_intensity(library: FactorLibrary, scope: Scope) -> float:
    """Return gCO2eq/kWh of a site's own solar energy: nothing is emitted where it is made.

    With the life cycle what making the panels emitted (IPCC AR5 WGIII, table A.III.2).
    """
    if scope is Scope.DIRECT:
        return 0.0
    for technology in (Technology.SOLAR_ROOFTOP, Technology.SOLAR):
        wanted = Selection(technology=technology, scope=Scope.LIFE_CYCLE)
        factor = library.best(None, None, wanted)
        if factor is None:
            wanted = Selection(technology=technology, table=LIFE_CYCLE)
            factor = library.best(None, None, wanted)
        if factor is not None:
            return factor.value
    return 0.0


def scheduled(values: Mapping[date, float], zone: tzinfo) -> Schedule:
    """Return a schedule of values that hold from the beginning of a local day."""
    return Schedule.of(
        (datetime.combine(day, time.min, tzinfo=zone).timestamp(), value)
        for day, value in values.items()
    )


def by_day(value: Callable[[date], float], start: date, end: date) -> dict[date, float]:
    """Return the values of [start, end) by the first day of each run of the same value."""
    found: dict[date, float] = {}
    last: float | None = None
    day = start
    while day < end:
        present = value(day)
        if present != last:
            found[day] = last = present
        day += timedelta(days=1)
    return found


def _turns(known: FactorSpans) -> list[date]:
    """Return the days on which any factor changes."""
    tracks = (known.generation, known.losses, known.upstream)
    edges = {edge for track in tracks for span in track for edge in (span.start, span.end)}
    return sorted({known.start} | {day for day in edges if known.start <= day < known.end})


def _stages(known: FactorSpans, day: date, loss_share: float | None) -> Delivered | None:
    """Return what one kWh emits on a day, stage by stage; None without a factor of the grid."""
    generation = _on(known.generation, day)
    if generation is None:
        return None
    losses = _on(known.losses, day)
    try:
        return delivered(
            generation,
            losses=losses,
            loss_share=loss_share if losses is None else None,
            upstream=_on(known.upstream, day),
        )
    except ValueError:
        # Tables that do not fit together: what is certain is the generation.
        return delivered(generation)


def _on(track: Sequence[Span], day: date) -> EmissionFactor | None:
    return next((span.factor for span in track if span.start <= day < span.end), None)
