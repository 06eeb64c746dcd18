"""A house with figures of its own, and a clock that a test can set."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
import time
from typing import Any

from custom_components.carbon_meter.community.contract.message import Flow, Kind, Level, Quality
from custom_components.carbon_meter.community.member.agreed import Agreed
from custom_components.carbon_meter.community.member.figures import (
    HOUR,
    Clock,
    FlowFigures,
    HourFigures,
    Intensity,
    Maker,
)
from custom_components.carbon_meter.community.member.schedule import Pace

MAKER = Maker(software="carbon_meter 0.1.0")
QUICK = Pace(rate=1000.0, spread=0, first=0.0, backoff=0.1, longest=0.3, stable=0.5)
INTENSITY = Intensity(
    source="energy-charts", zone="DE", kind=Kind.AVERAGE, version="2026-11", resolution=900
)


def flow(wh: float | None, **changes: Any) -> FlowFigures:
    values: dict[str, Any] = {
        "wh": wh,
        "grams": None if wh is None else wh * 0.35,
        "covered": 3600.0,
        "quality": Quality.MEASURED,
        "intensity": INTENSITY,
    }
    return FlowFigures(**{**values, **changes})


def hour(start: int, wh: float | None = 1000.0, **changes: Any) -> HourFigures:
    values: dict[str, Any] = {
        "start": start,
        "flows": {Flow.GRID_IMPORT: flow(wh), Flow.PV: flow(250.5)},
        "is_final": False,
    }
    return HourFigures(**{**values, **changes})


def agreed(**changes: Any) -> Agreed:
    values: dict[str, Any] = {
        "text": "joining@1",
        "level": Level.CLEAR,
        "duration": HOUR,
        "flows": (Flow.GRID_IMPORT, Flow.PV),
    }
    return Agreed(**{**values, **changes})


@dataclass
class House:
    """What the archive of a site is for a membership."""

    ahead: float = 0.0
    """Seconds by which its clock is ahead of the real one."""

    archive: dict[int, HourFigures] = field(default_factory=dict)

    def now(self) -> float:
        return time.time() + self.ahead

    def clock(self) -> Clock:
        return Clock(synced=True, offset_ms=3)

    def live(self, start: int, *whs: float | None) -> list[HourFigures]:
        """Have hours in the archive; return them."""
        lived = [hour(start + place * HOUR, wh) for place, wh in enumerate(whs)]
        self.archive |= {each.start: each for each in lived}
        return lived

    async def hours(self, begin: int, end: int) -> Sequence[HourFigures]:
        return [each for start, each in sorted(self.archive.items()) if begin <= start < end]


async def until(condition: Callable[[], object], what: str = "", patience: float = 90.0) -> None:
    """Wait until something is so; fail when it takes too long."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, f"in vain: {what}"
        await asyncio.sleep(0.02)
