"""The weather over the virtual home: temperature, sun and clouds from time and place.

Plausible, repeatable and free of data files; not a forecast.
"""

from dataclasses import dataclass

import numpy as np

from .chance import Array, smooth

_DAY = 86400.0
_YEAR = 365.2425 * _DAY


@dataclass(frozen=True, kw_only=True, slots=True)
class Weather:
    """What people and the sun do is a matter of local solar time: UTC shifted by longitude."""

    seed: int = 0
    latitude: float = 50.0
    longitude: float = 10.0
    """Degrees; south and west are negative."""

    @property
    def shift(self) -> float:
        """Return how far local mean solar time is ahead of UTC, in whole seconds."""
        return float(round(self.longitude * 240))

    def local(self, times: Array) -> Array:
        """Return local mean solar time, in seconds like the UTC that goes in."""
        return times + self.shift

    def day(self, times: Array) -> Array:
        """Return the number of the local day."""
        return np.floor(self.local(times) / _DAY)

    def hour(self, times: Array) -> Array:
        """Return the local hour of the day, 0 to below 24."""
        hour: Array = np.mod(self.local(times), _DAY) / 3600
        return hour

    def temperature(self, times: Array) -> Array:
        """Return the outdoor temperature in °C."""
        # The coldest day is near 20 January in the north, half a year later in the south.
        season = -np.cos(2 * np.pi * (times - 19 * _DAY) / _YEAR) * np.sign(self.latitude or 1)
        daily = np.sin(2 * np.pi * (self.hour(times) - 9) / 24)
        spell = smooth(self.seed, "warm spell", times / (3 * _DAY)) - 0.5
        temperature: Array = 10 + 9.5 * season + 3.5 * daily + 9 * spell
        return temperature

    def sun(self, times: Array) -> Array:
        """Return the sine of the sun's height over the horizon, 0 at night."""
        declination = np.radians(-23.44) * np.cos(2 * np.pi * (times + 10 * _DAY) / _YEAR)
        latitude = np.radians(self.latitude)
        angle = np.radians(15 * (self.hour(times) - 12))
        height = np.sin(latitude) * np.sin(declination)
        height += np.cos(latitude) * np.cos(declination) * np.cos(angle)
        lit: Array = np.maximum(height, 0)
        return lit

    def clearness(self, times: Array) -> Array:
        """Return the share of the sunlight that the clouds let through, 0.1 to 1."""
        cover = smooth(self.seed, "clouds of the day", times / (6 * 3600))
        passing = smooth(self.seed, "passing clouds", times / 240)
        shade = np.clip(1.6 * cover - 0.4, 0, 1) * (0.35 + 0.65 * passing)
        return 1 - 0.9 * shade
