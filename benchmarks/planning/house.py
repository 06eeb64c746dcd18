"""Six loads of a house whose fuse is too small for all at once."""

import numpy as np

from custom_components.carbon_meter.planning.block import Profile
from custom_components.carbon_meter.planning.charging import Charger, Connection, Need
from custom_components.carbon_meter.planning.loads import BlockLoad, ChargeLoad, Load, RunLoad
from custom_components.carbon_meter.planning.run_time import Rules
from custom_components.carbon_meter.planning.signal import Signal
from custom_components.carbon_meter.planning.site import Fuse
from custom_components.carbon_meter.planning.slots import Slots
from custom_components.carbon_meter.planning.window import Window

_START = 1_793_750_400.0
_HOUR = 3600.0


def house(seed: int) -> tuple[Signal, list[Load], Fuse]:
    """Return two days in quarters of an hour, six loads and a fuse of 8 kW."""
    rng = np.random.default_rng(seed)
    hours = np.arange(192) / 4
    daily = 120 * np.sin(2 * np.pi * (hours - 6) / 24 + rng.uniform(0, 6))
    carbon = np.maximum(250 + daily + np.cumsum(rng.normal(0, 6, 192)), 20)
    signal = Signal.of(Slots.of(_START, _START + 48 * _HOUR, 900), carbon)

    def window(start: float, end: float) -> Window:
        return Window(start=_START + start * _HOUR, end=_START + end * _HOUR)

    def car(name: str, start: float, energy: float, end: float, charger: Charger) -> ChargeLoad:
        return ChargeLoad(
            name=name,
            connection=Connection(start=_START + start * _HOUR, charger=charger),
            needs=(Need(energy=energy, deadline=_START + end * _HOUR),),
        )

    loads: list[Load] = [
        BlockLoad(
            name="dishwasher",
            profile=Profile.of([2000, 150, 100, 1800, 200, 60], 1200),
            window=window(1, 20),
        ),
        BlockLoad(name="washer", profile=Profile.flat(2100, 5400), window=window(0, 24)),
        RunLoad(
            name="pool pump",
            power=1100,
            run_time=8 * _HOUR,
            window=window(0, 24),
            rules=Rules(least_run=_HOUR, least_pause=_HOUR / 2),
        ),
        RunLoad(name="water heater", power=3000, run_time=3 * _HOUR, window=window(0, 30)),
        car("car", 0, 30_000, 36, Charger(least=1400, most=7400)),
        car("second car", 6, 12_000, 30, Charger.of_amperes(6, 16)),
    ]
    return signal, loads, Fuse(limit=8000, base=300 + 200 * rng.random(192))
