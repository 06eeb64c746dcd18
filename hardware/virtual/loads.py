"""What runs in a house: each appliance's power by the minute, from seed and weather.

The figures are those of a family house in a temperate climate: some 4 MWh a
year of appliances besides heating, the car and the sun.
"""

from dataclasses import dataclass
from typing import override

import numpy as np

from .chance import Array, between, smooth, uniform
from .series import Stepped
from .weather import Weather

_HALF_HOUR = 1800.0


@dataclass(frozen=True, kw_only=True)
class _Appliance(Stepped):
    """Base of the appliances."""

    weather: Weather

    @property
    def seed(self) -> int:
        """Return the seed of the household."""
        return self.weather.seed


def _bell(hour: Array, peak: float, width: float) -> Array:
    """Return 1 at the peak hour of the day, falling off around it, across midnight too."""
    distance = np.abs(np.mod(hour - peak + 12, 24) - 12)
    shape: Array = np.exp(-((distance / width) ** 2))
    return shape


class BaseLoad(_Appliance):
    """Standby, network, ventilation, light and screens."""

    @override
    def watts(self, begins: Array) -> Array:
        """Return the power in W."""
        hour = self.weather.hour(begins)
        people = 0.5 * _bell(hour, 7, 1.5) + _bell(hour, 20.5, 2.5)
        mood = 0.6 + 0.8 * smooth(self.seed, "people", begins / 1200)
        flicker = between(self.seed, "small things", begins / 60, 0, 25)
        return 105 + 330 * people * mood + flicker


class Fridge(_Appliance):
    """A compressor that runs a third of the time, a little longer on warm days."""

    @override
    def watts(self, begins: Array) -> Array:
        """Return the power in W."""
        period = 2700.0
        cycle = np.floor(begins / period)
        warm = np.clip(self.weather.temperature(begins) - 10, 0, 20) / 100
        duty = between(self.seed, "fridge", cycle, 0.28, 0.36) + warm
        return np.where(np.mod(begins, period) < duty * period, 85.0, 2.0)


class Cooking(_Appliance):
    """Breakfast, some lunches, most dinners; the plates' thermostats cut the power up."""

    @override
    def watts(self, begins: Array) -> Array:
        """Return the power in W."""
        hour, day = self.weather.hour(begins), self.weather.day(begins)
        total = np.zeros_like(begins)
        for meal, begin, chance, minutes, watts in (
            ("breakfast", 6.8, 0.9, 6, 1900.0),
            ("lunch", 12.1, 0.45, 30, 1500.0),
            ("dinner", 18.4, 0.85, 50, 2300.0),
        ):
            start = begin + between(self.seed, meal, day, -0.6, 0.6)
            lasts = minutes / 60 * between(self.seed, f"{meal} lasts", day, 0.6, 1.4)
            cooks = uniform(self.seed, f"{meal} happens", day) < chance
            heats = uniform(self.seed, f"{meal} plates", begins / 60) < 0.65
            total += watts * (cooks & heats & (hour >= start) & (hour < start + lasts))
        return total


class Washing(_Appliance):
    """Dishwasher in the evening and washing machine by day: they heat first, then turn."""

    @override
    def watts(self, begins: Array) -> Array:
        """Return the power in W."""
        hour, day = self.weather.hour(begins), self.weather.day(begins)
        total = np.zeros_like(begins)
        for machine, begin, chance in (("dishwasher", 20.0, 0.7), ("washing machine", 10.5, 0.4)):
            start = begin + between(self.seed, machine, day, -1, 1.5)
            since = np.where(uniform(self.seed, f"{machine} runs", day) < chance, hour - start, -1)
            total += 1950.0 * ((since >= 0.1) & (since < 0.45))
            total += 180.0 * ((since >= 0.45) & (since < 1.5))
        return total


@dataclass(frozen=True, kw_only=True)
class HeatPump(_Appliance):
    """Heats below 15 °C, cycling where less is needed than it gives, and hot water at noon."""

    loss: float = 180.0
    """W of heat per kelvin that the house loses."""

    electric: float = 2600.0
    """W that the compressor draws while it runs."""

    @override
    def watts(self, begins: Array) -> Array:
        """Return the power in W."""
        # A cycle is decided by the weather at its beginning: half a cycle cannot be heated.
        cycle = np.floor(begins / _HALF_HOUR) * _HALF_HOUR
        outside = self.weather.temperature(cycle)
        demand = self.loss * np.clip(20 - outside, 0, None) * (outside < 15)
        performance = np.clip(3.2 + 0.07 * outside, 1.8, 5.0)
        duty = np.clip(demand / (self.electric * performance), 0, 1)
        duty = np.where(duty < 0.15, np.where(duty > 0, 0.15, 0), duty)
        hour, day = self.weather.hour(begins), self.weather.day(begins)
        bath = 12.5 + between(self.seed, "hot water", day, -0.5, 0.5)
        water = (hour >= bath) & (hour < bath + 0.75)
        runs = (np.mod(begins, _HALF_HOUR) < duty * _HALF_HOUR) | water
        return np.where(runs, self.electric * (1 - 0.008 * np.clip(outside, -10, 25)), 9.0)


@dataclass(frozen=True, kw_only=True)
class ElectricCar(_Appliance):
    """Comes home on most evenings and charges at full power until it has what it drove."""

    power_of_charger: float = 11000.0
    """W, on three phases."""

    @override
    def watts(self, begins: Array) -> Array:
        """Return the power in W."""
        hour, today = self.weather.hour(begins), self.weather.day(begins)
        charging = np.zeros(begins.shape, dtype=bool)
        # What was begun yesterday evening may last past midnight.
        for day, since_noon in ((today, hour), (today - 1, hour + 24)):
            start = 18.2 + between(self.seed, "car comes", day, 0, 4)
            energy = between(self.seed, "car drove", day, 4000, 32000)
            drives = uniform(self.seed, "car drives", day) < 0.7
            lasts = energy / self.power_of_charger
            charging |= drives & (since_noon >= start) & (since_noon < start + lasts)
        return np.where(charging, self.power_of_charger, 3.0)


@dataclass(frozen=True, kw_only=True)
class SolarRoof(_Appliance):
    """What the roof yields; positive, the household knows that it is production."""

    peak: float = 8000.0
    """W at full sun."""

    @override
    def watts(self, begins: Array) -> Array:
        """Return the power in W."""
        sun = self.weather.sun(begins)
        # A low sun shines through more air (Kasten and Young's air mass, simplified).
        air = 0.7 ** ((1 / np.clip(sun, 0.02, 1)) ** 0.678)
        light = np.where(sun > 0.02, 1.35 * sun * air, 0)
        yields = self.peak * np.minimum(light * self.weather.clearness(begins), 1)
        return np.where(yields < 15, 0.0, yields)
