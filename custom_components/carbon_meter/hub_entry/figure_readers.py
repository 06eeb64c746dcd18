"""How single figures are read out of a published period, for entities and statistics alike."""

from collections.abc import Callable
from typing import Final

from ..community.contract.message import Flow, Kind
from ..community.hub.periods import FlowFigures, Period

PERCENT: Final = 100.0
_HALF: Final = 0.5

type Reader = Callable[[Period], float | int | None]


def imported(period: Period) -> FlowFigures | None:
    """Return what was drawn from the grid, weighed by the average intensity."""
    return period.flow(Flow.GRID_IMPORT, Kind.AVERAGE)


def of_import(name: str, factor: float = 1) -> Reader:
    """Return what reads a figure of the import."""

    def figure(period: Period) -> float | int | None:
        flow = imported(period)
        value = None if flow is None else getattr(flow, name)
        return None if value is None else value * factor

    return figure


def of_shared(name: str, factor: float = 1.0) -> Reader:
    """Return what reads a figure of the shared solar energy."""

    def figure(period: Period) -> float | None:
        value = None if period.shared is None else getattr(period.shared, name)
        return None if value is None else value * factor

    return figure


def score(period: Period) -> float | None:
    """Return the 24/7 score in percent."""
    return None if period.cfe_score is None else period.cfe_score * PERCENT


def median(period: Period) -> float | None:
    """Return the median of what homes have drawn, in kWh."""
    flow = imported(period)
    return None if flow is None else flow.quantiles.get(_HALF)
