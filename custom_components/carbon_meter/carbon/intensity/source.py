"""The door for sources of carbon intensity."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ..factors.factor import Scope
from ..grade import Grade


class IntensityKind(StrEnum):
    """What the intensity is of. The two are never blended."""

    AVERAGE = "average"
    """All generation, divided by all energy: for inventories."""

    MARGINAL = "marginal"
    """What one kWh more or less changes: for decisions."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IntensityInterval:
    """The intensity over [start, end), in seconds since 1970 UTC and gCO2eq/kWh."""

    start: float
    end: float
    value: float
    grade: Grade
    source: str
    """Id of the source, with its edition where it has one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceInfo:
    """What has to be known of a source to use and to name it."""

    id: str
    name: str
    kind: IntensityKind = IntensityKind.AVERAGE
    scope: Scope | None = None
    """None where the source does not say."""

    licence: str = ""
    attribution: str = ""


class IntensitySource(Protocol):
    """Anything that knows an intensity for some stretches of time.

    A source answers from what it holds and never blocks. One that has to fetch
    keeps itself up to date by `refresh`, which its owner calls when `refresh_after`
    seconds have passed; None means that it never has to.
    """

    @property
    def info(self) -> SourceInfo:
        """Return what the source is."""

    @property
    def refresh_after(self) -> float | None:
        """Return in how many seconds `refresh` is due, None for never."""

    async def refresh(self) -> None:
        """Fetch what is new."""

    def intervals(self, start: float, end: float) -> Sequence[IntensityInterval]:
        """Return what is known of [start, end): in order, cut to it, possibly with holes."""
