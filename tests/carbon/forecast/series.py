"""Series that tests forecast: a grid with sun at noon, people at work and some weather."""

import numpy as np

from custom_components.carbon_meter.carbon.forecast.history import History
from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.intensity.source import IntensityInterval

START = 1_700_006_400
"""2023-11-15 00:00 UTC, a Wednesday."""

HOUR = 3600
DAY = 86400


def grid(hours: int, *, seed: int = 0, noise: float = 20.0, level: float = 300.0) -> np.ndarray:
    """Return an intensity with a daily and a weekly course and weather that lasts a day or two."""
    random = np.random.default_rng(seed)
    time = np.arange(hours)
    weather = np.zeros(hours)
    for hour in range(1, hours):
        weather[hour] = 0.97 * weather[hour - 1] + random.normal(0, noise / 4)
    sun = -80 * np.maximum(0, np.sin(2 * np.pi * (time % 24 - 6) / 24))
    weekend = np.where(time // 24 % 7 >= 5, -30.0, 0.0)
    return np.maximum(0.0, level + sun + weekend + weather + random.normal(0, noise / 10, hours))


def history(values, *, step: int = HOUR, start: int = START) -> History:
    return History.of(start, values, step=step)


def interval(start: float, end: float, value: float, grade: Grade = Grade.MEASURED):
    return IntensityInterval(start=start, end=end, value=value, grade=grade, source="test")
