"""A made-up house: what it draws, generates, stores and gives away, by the quarter of an hour.

Everything follows from the seed, the number of the house and the day, so that the past can be
told today and checked again tomorrow.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
import math
from random import Random
from typing import Final, Self

from custom_components.carbon_meter.community.contract.message import Flow

QUARTER: Final = 900
"""Seconds."""

DAY: Final = 86400
_QUARTERS: Final = DAY // QUARTER
_HOURS_PER_QUARTER: Final = QUARTER / 3600
_MIDSUMMER: Final = 171
"""Day of the year with the highest sun."""

_NOON: Final = 11.2
"""Hour in UTC at which the sun is highest over the demo's homes."""

_LEAVES: Final = 6.0
"""Hour in UTC until which a car has had the night to charge."""

_CHARGING: Final = 0.95
"""Of what goes into a battery or a car, the part that arrives."""

_ROOFS: Final = frozenset({1, 2, 4})
"""Last digits, to the base of five, of the numbers of houses with solar cells."""

type Quarter = Mapping[Flow, int]
"""Wh of the flows that the house has."""


@dataclass(frozen=True, kw_only=True, slots=True)
class House:
    """What a house is equipped with; all powers in W, all stores in Wh."""

    seed: int
    number: int
    people: int
    standby: float
    heating: float
    """Electric power of the heat pump at 0 °C, 0 without one."""

    solar: float
    """Peak power of the roof, 0 without solar cells."""

    battery: float
    """0 without a battery."""

    car: float
    """What the car needs on a day, 0 without one at home."""

    @classmethod
    def of(cls, number: int, seed: int) -> Self:
        """Return the house of that number in the village of that seed.

        Three of five have solar cells, a third of those a battery; one of five has a car,
        another a heat pump.
        """
        chance = Random(f"house {seed} {number}")  # noqa: S311
        solar = chance.choice((6400.0, 7200.0, 8000.0, 9600.0)) if number % 5 in _ROOFS else 0.0
        return cls(
            seed=seed,
            number=number,
            people=chance.choice((2, 3, 3)),
            standby=chance.uniform(150, 190),
            heating=chance.uniform(250, 400) if number % 5 == 2 else 0.0,
            solar=solar,
            battery=chance.choice((5000.0, 7500.0, 10_000.0))
            if solar and number % 10 in {1, 4}
            else 0.0,
            car=chance.uniform(2000, 4500) if number % 5 == 1 else 0.0,
        )

    @property
    def flows(self) -> tuple[Flow, ...]:
        """Return what the house has to tell."""
        flows = [Flow.GRID_IMPORT]
        if self.solar:
            flows += [Flow.GRID_EXPORT, Flow.PV]
        if self.battery:
            flows += [Flow.BATTERY_IN, Flow.BATTERY_OUT]
        return tuple(flows)

    @property
    def equipment(self) -> str:
        """Return what it has, in a few words."""
        parts = [
            name
            for name, there in (
                ("solar", self.solar),
                ("battery", self.battery),
                ("car", self.car),
                ("heat pump", self.heating),
            )
            if there
        ]
        return ", ".join(parts) or "-"

    def energy(self, start: int, duration: int) -> dict[Flow, int]:
        """Return Wh of each flow in a period of whole quarters within one day of UTC."""
        day = start - start % DAY
        first, count = (start - day) // QUARTER, duration // QUARTER
        quarters = _day(self, day)[first : first + count]
        return {flow: sum(quarter[flow] for quarter in quarters) for flow in self.flows}

    def quarters(self, day: int) -> Iterator[Quarter]:
        """Yield the quarters of a day of UTC, which begins with the battery a third full."""
        chance = Random(f"day {self.seed} {self.number} {day}")  # noqa: S311
        sky = Random(f"sky {self.seed} {day}").uniform(0.25, 1.0)  # noqa: S311
        cold = _cold(day)
        plugged = chance.uniform(16.5, 20.0)
        # The cars of the street take turns all night, so that its cable carries them.
        charging = self.car / _CHARGING / (24 - plugged + _LEAVES)
        stored = self.battery / 3
        for place in range(_QUARTERS):
            hour = place * _HOURS_PER_QUARTER
            load = self._appliances(hour, chance) + self.heating * cold * _night(hour)
            need = load * _HOURS_PER_QUARTER
            if hour >= plugged or hour < _LEAVES:
                need += charging * _HOURS_PER_QUARTER
            clouds = min(1.0, max(0.05, sky * chance.uniform(0.85, 1.1)))
            sun = round(self.solar * _sun(day, hour) * clouds * _HOURS_PER_QUARTER)
            used = round(need)
            into = out = 0
            if self.battery:
                most = 0.4 * self.battery * _HOURS_PER_QUARTER
                into = int(max(0, min(sun - used, most, (self.battery - stored) / _CHARGING)))
                out = int(max(0, min(used - sun, most, stored)))
                stored += into * _CHARGING - out
            balance = used - sun + into - out
            known = {
                Flow.GRID_IMPORT: max(0, balance),
                Flow.GRID_EXPORT: max(0, -balance),
                Flow.PV: sun,
                Flow.BATTERY_IN: into,
                Flow.BATTERY_OUT: out,
            }
            yield {flow: known[flow] for flow in self.flows}

    def _appliances(self, hour: float, chance: Random) -> float:
        """Return the power of what people use: most in the morning and in the evening."""
        morning = math.exp(-(((hour - 6.2) / 1.1) ** 2))
        evening = math.exp(-(((hour - 18.0) / 2.2) ** 2))
        activity = 0.25 + 0.9 * morning + 1.6 * evening
        return self.standby + self.people * 95 * activity * chance.uniform(0.7, 1.3)


@lru_cache(maxsize=4096)
def _day(house: House, day: int) -> tuple[Quarter, ...]:
    return tuple(house.quarters(day))


def _season(day: int) -> float:
    """Return -1 in midwinter to 1 in midsummer."""
    return math.cos(2 * math.pi * ((day // DAY) % 365.2425 - _MIDSUMMER) / 365.2425)


def _cold(day: int) -> float:
    """Return how much must be heated, 0 to 1."""
    return max(0.0, 0.45 - 0.55 * _season(day))


def _night(hour: float) -> float:
    """Return how much more is heated in cold hours."""
    return 1.0 + 0.35 * math.cos(2 * math.pi * (hour - 4) / 24)


def _sun(day: int, hour: float) -> float:
    """Return the part of a roof's peak power that a clear sky gives."""
    season = _season(day)
    half = 6.0 + 2.3 * season
    away = abs(hour + _HOURS_PER_QUARTER / 2 - _NOON) / half
    return (0.5 + 0.32 * season) * math.cos(away * math.pi / 2) if away < 1 else 0.0
