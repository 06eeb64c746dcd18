"""What a site knows of an hour, and the footprint that it makes of it.

Whole numbers are made once, at the end: Wh and mgCO2eq of a period are the exact sum of what its
hours hold, rounded to the nearest, halves to the even one. So a footprint is at most 0.5 Wh and
0.5 mg off, the sum of n footprints at most n/2, and nothing drifts to one side.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
import math
from typing import Final

from ..contract.fields import LARGEST_AMOUNT, TEXT
from ..contract.message import Flow, Footprint, Item, Kind, Level, Quality
from ..contract.reading import WHOLE_PERIOD
from .agreed import Agreed

HOUR: Final = 3600
"""Seconds."""

MIXED: Final = "mixed"
"""Stands for a source, zone or version where the hours of a day had several."""

_COARSEST: Final = 366 * 86400
"""Seconds: a factor of a year stands for all of it."""

_UNKNOWN: Final = "unknown"
_LONGEST_TEXT: Final = 64
_LEAST: Final = Fraction(-1, 2)
"""Wh: what rounds to nothing is nothing, what is below is no energy that flowed this way."""

_WORST_FIRST: Final = (Quality.ESTIMATED, Quality.SUBSTITUTED, Quality.MEASURED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Intensity:
    """Which carbon intensity weighed the energy."""

    source: str
    zone: str
    kind: Kind
    version: str
    resolution: int
    """Seconds for which one value stands."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FlowFigures:
    """One flow of an hour."""

    wh: float | None
    """None, as NaN, infinity and less than nothing, says that it is not known."""

    grams: float | None
    """gCO2eq; None as above."""

    covered: float
    """Seconds of the hour in which the flow was measured."""

    quality: Quality
    intensity: Intensity
    carbon_free: float | None = None
    """Wh of `wh` from carbon-free sources."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HourFigures:
    """What a site knows of an hour; a flow that the site does not have is not among them."""

    start: int
    """Seconds since 1970 UTC."""

    flows: Mapping[Flow, FlowFigures]
    is_final: bool
    """Whether the site expects no better figures."""

    duration: int = HOUR
    """Seconds; shorter where a pilot tells quarters of an hour."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """How good the home's clock is."""

    synced: bool
    offset_ms: int | None = None
    """By how much it is ahead."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Maker:
    """Who makes the figures, and how."""

    software: str
    method: str = "location@1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """Which time of which home is told."""

    community: str
    home: str
    start: int
    duration: int
    """Seconds."""

    @property
    def end(self) -> int:
        """Return when it ends."""
        return self.start + self.duration


def footprint_of(  # noqa: PLR0913, PLR0917  # what is known, of what time, for whom and by whom
    hours: Iterable[HourFigures],
    period: Period,
    agreed: Agreed,
    maker: Maker,
    clock: Clock,
    now: float,
) -> Footprint | None:
    """Return revision 0 of a period out of its hours, with what was agreed to and nothing more.

    None for a period of which the site has no hour, or only such as nobody agreed to show, or
    that is shorter than was agreed. A flow that is not known in any hour is told as missing;
    where it is known in some, its coverage tells. Hours outside the period are left out.
    """
    if period.duration < agreed.duration:
        return None
    parts = [
        hour
        for hour in hours
        if period.start <= hour.start and hour.start + hour.duration <= period.end
    ]
    items = tuple(
        _item(flow, [hour.flows[flow] for hour in parts if flow in hour.flows], period.duration)
        for flow in sorted(agreed.flows)
        if any(flow in hour.flows for hour in parts)
    )
    if not items:
        return None
    is_whole = sum(hour.duration for hour in parts) == period.duration
    return Footprint(
        community=period.community,
        home=period.home,
        boot="unsent",
        seq=1,
        start=period.start,
        duration=period.duration,
        revision=0,
        at=int(now * 1000),
        items=items,
        method=maker.method,
        software=fit(maker.software),
        synced=clock.synced,
        # A clock's own error would tell that two pseudonyms are one home.
        offset_ms=clock.offset_ms if agreed.level is Level.CLEAR else None,
        level=agreed.level,
        is_final=clock.synced
        and is_whole
        and period.end <= now
        and all(hour.is_final for hour in parts),
    )


def fit(text: str) -> str:
    """Return a text as the contract takes one: short, printable, not empty."""
    ascii_only = "".join(letter if " " <= letter <= "~" else "?" for letter in text)
    short = ascii_only.strip()[:_LONGEST_TEXT].strip()
    return short if TEXT.fullmatch(short) else _UNKNOWN


def _item(flow: Flow, parts: Sequence[FlowFigures], duration: int) -> Item:
    """Return one flow of a period: the sum of what is known of it."""
    known = [part for part in parts if _is_known(part)]
    if known:
        # Sums of one kind of intensity only; the hours of another one are left to the coverage.
        known = [part for part in known if part.intensity.kind is known[-1].intensity.kind]
    named = known or parts
    intensities = [part.intensity for part in named]
    wh = max(0, _whole(part.wh for part in known))
    coverage = _coverage(known, duration)
    return Item(
        flow=flow,
        wh=wh,
        mg=_whole((part.grams for part in known), 1000),
        source=_common(intensity.source for intensity in intensities),
        zone=_common(intensity.zone for intensity in intensities),
        kind=intensities[-1].kind,
        version=_common(intensity.version for intensity in intensities),
        resolution=min(_COARSEST, max(1, *(part.resolution for part in intensities))),
        coverage=coverage,
        quality=_quality(known, coverage),
        carbon_free=_carbon_free(known, wh),
    )


def _is_known(part: FlowFigures) -> bool:
    """Return whether energy and carbon are both known, and can be."""
    if part.quality is Quality.MISSING or part.wh is None or part.grams is None:
        return False
    if not (math.isfinite(part.wh) and math.isfinite(part.grams)):
        return False
    return _LEAST <= part.wh <= LARGEST_AMOUNT // 24 and (
        abs(part.grams) * 1000 <= LARGEST_AMOUNT // 24
    )


def _whole(amounts: Iterable[float | None], factor: int = 1) -> int:
    """Return the exact sum times the factor, rounded to the nearest, halves to the even one."""
    known = (Fraction(amount) for amount in amounts if amount is not None)
    return round(sum(known) * factor)


def _coverage(known: Iterable[FlowFigures], duration: int) -> int:
    """Return the parts of 10000 of a period in which a flow was measured, rounded down.

    What was measured at all has one part of them.
    """
    covered = sum(
        min(max(part.covered, 0.0), duration) for part in known if math.isfinite(part.covered)
    )
    if covered <= 0:
        return 0
    return max(1, min(WHOLE_PERIOD, int(covered * WHOLE_PERIOD / duration)))


def _quality(known: Sequence[FlowFigures], coverage: int) -> Quality:
    """Return the worst way in which a part of the energy is known."""
    if not known:
        return Quality.MISSING
    worst = next(
        quality for quality in _WORST_FIRST if any(part.quality is quality for part in known)
    )
    return Quality.ESTIMATED if worst is Quality.MEASURED and not coverage else worst


def _carbon_free(known: Sequence[FlowFigures], wh: int) -> int | None:
    """Return the carbon-free Wh, None where they are not known of all energy."""
    amounts = []
    for part in known:
        if part.carbon_free is None or not math.isfinite(part.carbon_free):
            return None
        amounts.append(part.carbon_free)
    return min(max(_whole(amounts), 0), wh) if known else None


def _common(texts: Iterable[str]) -> str:
    """Return the text that all have in common."""
    found = {fit(text) for text in texts}
    return found.pop() if len(found) == 1 else MIXED
