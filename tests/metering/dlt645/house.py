"""A house in the sun at one moment: what the meters of the tests measure."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache

from hardware.virtual import MeterSpec, VirtualClock, VirtualHome

NOON = datetime(2026, 7, 15, 11, 0, tzinfo=UTC).timestamp()


@cache
def measured(phases: int = 3) -> Callable[[], Mapping[str, float]]:
    """Return what tells every quantity at the grid connection, to a meter of so many phases."""
    profile = {1: "eastron_sdm120", 3: "eastron_sdm630"}[phases]
    clock = VirtualClock(NOON - 3600, frozen=True)
    spec = MeterSpec(profile=profile, initial_import=1.23456789e8, initial_export=4_321_098.7)
    home = VirtualHome([spec], clock=clock)
    clock.step(3600)
    return home["grid"].true_values
