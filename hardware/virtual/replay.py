"""Recorded homes: a year of hourly load and solar yield, over and over.

Reads the CityLearn challenge of 2022 (MIT licence): `Building_N.csv.gz` with a
row for each hour from 31 July 23:00 local standard time on, load in kWh, solar
yield in W per kW, and `schema.json` with each roof's size.
"""

import csv
from dataclasses import dataclass
import gzip
import json
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from .chance import Array
from .series import Source
from .weather import Weather

DEFAULT_PLACE: Final = (
    Path(__file__).resolve().parents[3] / "shared" / "data" / "load" / "citylearn"
)
"""Beside the checkout, where those who work on the project keep their data."""

_HOURS: Final = 8760
_FIRST_HOUR: Final = (212 - 1) * 24 + 23
"""31 July is day 212 of a year without a leap day."""

_FEBRUARY_28: Final = 58
_USUAL_ROOF: Final = 4.0


class ReplayError(Exception):
    """A recorded home cannot be read; says which file and why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _HourlyYear:
    """W for each hour of the year in some place's solar time."""

    values: Array
    weather: Weather

    def edges(self, start: float, end: float) -> Array:
        """Return the beginnings of the local hours."""
        shift = self.weather.shift
        first, last = np.ceil((start + shift) / 3600), np.ceil((end + shift) / 3600)
        return np.arange(first, last) * 3600 - shift

    def power(self, times: Array) -> Array:
        """Return the power in W for each time."""
        return self.values[_row(self.weather.local(times))]


@dataclass(frozen=True, kw_only=True, slots=True)
class PlacedHome:
    """A recorded home under the virtual sky: W that it drew and W that its roof gave."""

    load: Source
    solar: Source


@dataclass(frozen=True, kw_only=True, slots=True)
class CityLearnHome:
    """A year of one home, by the rows of its file."""

    load: Array
    """W."""

    solar: Array
    """W, positive."""

    def placed(self, weather: Weather) -> PlacedHome:
        """Return the home's year in the solar time of the virtual house, so that noon is noon."""
        return PlacedHome(
            load=_HourlyYear(values=self.load, weather=weather),
            solar=_HourlyYear(values=self.solar, weather=weather),
        )


def find_citylearn() -> Path | None:
    """Return the usual place of the recorded homes, None where it does not exist."""
    return DEFAULT_PLACE if DEFAULT_PLACE.is_dir() else None


def load_citylearn(directory: Path, building: int) -> CityLearnHome:
    """Read one recorded home; raises ReplayError."""
    path = directory / f"Building_{building}.csv.gz"
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        load = np.array([float(row["non_shiftable_load"]) for row in rows]) * 1000
        solar = np.array([float(row["solar_generation"]) for row in rows])
    except FileNotFoundError as err:
        raise ReplayError(f"{path} does not exist") from err
    except (OSError, EOFError, UnicodeDecodeError, KeyError, ValueError, TypeError) as err:
        raise ReplayError(f"{path} is not a recorded home: {err}") from err
    if len(rows) != _HOURS:
        raise ReplayError(f"{path} has {len(rows)} hours instead of {_HOURS}")
    return CityLearnHome(load=load, solar=solar * _roof(directory, building))


def _roof(directory: Path, building: int) -> float:
    """Return the size of a home's solar roof in kW."""
    path = directory / "schema.json"
    try:
        schema = json.loads(path.read_text(encoding="utf-8"))
        roof = schema["buildings"][f"Building_{building}"]["pv"]
        return float(roof["attributes"]["nominal_power"])
    except FileNotFoundError:
        return _USUAL_ROOF
    except (OSError, KeyError, TypeError, ValueError) as err:
        raise ReplayError(f"{path} does not say the roof of building {building}: {err}") from err


def _row(local: Array) -> npt.NDArray[np.intp]:
    """Return the row of the file for each local time; a leap day repeats the day before."""
    hours = np.floor(local / 3600).astype(np.int64)
    days = hours // 24
    years = days.astype("datetime64[D]").astype("datetime64[Y]")
    day = days - years.astype("datetime64[D]").astype(np.int64)
    number = years.astype(np.int64) + 1970
    leap = (number % 4 == 0) & ((number % 100 != 0) | (number % 400 == 0))
    day = np.where(leap & (day > _FEBRUARY_28), day - 1, day)
    return (day * 24 + hours % 24 - _FIRST_HOUR) % _HOURS
