"""How well a figure is known."""

from enum import StrEnum
from typing import Final


class Grade(StrEnum):
    """How the intensity of an interval is known, best first."""

    MEASURED = "measured"
    """Told by a source for this very time."""

    ESTIMATED = "estimated"
    """Told by a source that says itself that it estimated."""

    FORECAST = "forecast"
    """Taken from a forecast made earlier."""

    TYPICAL = "typical_hour"
    """What this hour usually is in this zone."""

    YEARLY = "yearly_factor"
    """An average over a year, or a value fixed by the user."""


BEST_FIRST: Final = tuple(Grade)
