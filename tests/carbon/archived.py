"""Hours for archives."""

from collections.abc import Sequence

import numpy as np

from custom_components.carbon_meter.carbon.archive.rows import SLOTS, GridHour, MeterHour

HOUR = 3600
START = 1_767_225_600
"""2026-01-01 00:00 UTC."""


def meter_hour(
    meter: str,
    hour: int,
    imported: float | Sequence[float] = 0.0,
    exported: float | Sequence[float] = 0.0,
    grid_carbon: float | Sequence[float] = 0.0,
    *,
    known: bool | Sequence[bool] = True,
) -> MeterHour:
    """Return an hour; one number holds for all of its intervals."""
    return MeterHour(
        meter=meter,
        hour=hour,
        imported=np.broadcast_to(np.array(imported, dtype=float), SLOTS),
        exported=np.broadcast_to(np.array(exported, dtype=float), SLOTS),
        grid_carbon=np.broadcast_to(np.array(grid_carbon, dtype=float), SLOTS),
        known=np.broadcast_to(np.array(known, dtype=bool), SLOTS),
    )


def grid_hour(hour: int, value: float, grade: int = 0, source: str = "grid") -> GridHour:
    """Return an hour of one intensity."""
    return GridHour(
        hour=hour, value=[value] * SLOTS, grade=[grade] * SLOTS, source=[source] * SLOTS
    )
