"""What the ledger gives: sums over the homes of a scope in an hour, day, month or year."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ..contract.message import Flow, Kind
from .calendar import Grain
from .schema import SUMS

WATERMARK: Final = 2 * 3600
"""Seconds after the end of a cell in which most homes have told; before, it is open."""

SETTLED: Final = 14 * 86400
"""Seconds after the end of a cell from which it is final, if nothing has changed lately."""


class Scope(StrEnum):
    """Whose sum it is."""

    COMMUNITY = "community"
    FEEDER = "feeder"
    GROUP = "group"


class State(StrEnum):
    """How far a cell can still change."""

    OPEN = "open"
    PROVISIONAL = "provisional"
    FINAL = "final"


@dataclass(frozen=True, kw_only=True, slots=True)
class CellKey:
    """Which cell: a flow of a scope over a time, by one kind of carbon intensity."""

    grain: Grain
    begin: int
    """Seconds since 1970 UTC."""

    scope: Scope
    name: str
    flow: Flow
    kind: Kind


@dataclass(frozen=True, kw_only=True, slots=True)
class Sums:
    """What homes have told, added up; nothing stands for what they have not."""

    periods: int
    wh: int
    mg: int
    """mgCO2eq."""

    carbon_free: int
    """Wh carbon-free, of `known`."""

    known: int
    """Wh of which the carbon-free part is known."""

    measured: int
    """Wh."""

    estimated: int
    """Wh estimated or substituted."""

    covered: int
    """Seconds measured, times 10000."""

    seconds: int
    """Of the periods that were told."""

    unsynced: int
    """Periods told by a clock that no time server has set."""

    @property
    def coverage(self) -> int:
        """Return the measured part of what was told, in parts of 10000, rounded down."""
        return self.covered // self.seconds if self.seconds else 0

    @property
    def intensity(self) -> float | None:
        """Return gCO2eq/kWh, None without energy."""
        return self.mg / self.wh if self.wh else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One cell as it stands."""

    key: CellKey
    end: int
    homes: int
    """How many have told anything."""

    expected: int
    """How many belong to the scope in that time."""

    sums: Sums
    lowest: int
    """Wh of the home with the least; one home's figure, for the hub's own use only."""

    highest: int
    revision: int
    """From 0 upwards, one more with each change."""

    changed_at: int
    """When the hub changed it last, in seconds since 1970 UTC."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How the cells of a time, flow and kind stand, whatever their scope."""

    changes: int
    """A number that rises with every change of any of them."""

    changed_at: int
    """When the hub changed one of them last, in seconds since 1970 UTC."""

    homes: int
    """Homes in the largest of them, that of the community."""


def sums_of(row: tuple[int, ...]) -> Sums:
    """Return sums as a query gives them, in the order of `SUMS`."""
    return Sums(**dict(zip(SUMS, row, strict=True)))
