"""Three years of hourly carbon intensity of ten grids (Electricity Maps, ODbL 1.0)."""

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
import gzip
from pathlib import Path
from typing import Final

import numpy as np

from custom_components.carbon_meter.carbon.forecast.history import Values

DATA: Final = Path(__file__).resolve().parents[3] / "shared" / "data" / "carbon"
"""Beside the checkout; the data are not part of the project."""

TRAINED: Final = (2021, 2022)
SCORED: Final = 2023

_TIME: Final = "Datetime (UTC)"
_COLUMNS: Final = {"life cycle": "(LCA)", "direct": "(direct)"}

TIME_ZONES: Final = {
    "AU-NSW": "Australia/Sydney",
    "BR-SP": "America/Sao_Paulo",
    "CA-ON": "America/Toronto",
    "DE-LU": "Europe/Berlin",
    "GB": "Europe/London",
    "KR": "Asia/Seoul",
    "US-CAL-CISO": "America/Los_Angeles",
    "US-NY-NYIS": "America/New_York",
    "US-TEX-ERCO": "America/Chicago",
    "ZA": "Africa/Johannesburg",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Zone:
    """One grid: hours in gCO2eq/kWh from `start` (seconds since 1970 UTC) on."""

    name: str
    time_zone: str
    start: int
    values: Values
    scored: int
    """The place of the first hour of the year that is scored."""


def load_zones(scope: str) -> list[Zone]:
    """Return the grids, `scope` is life cycle or direct.

    Raises FileNotFoundError where the data do not lie beside the checkout, ValueError where
    they are not hour by hour.
    """
    return [_load(name, scope) for name in TIME_ZONES]


def _load(name: str, scope: str) -> Zone:
    moments: list[int] = []
    values: list[float] = []
    scored = 0
    for year in (*TRAINED, SCORED):
        scored = len(values)
        with gzip.open(DATA / f"{name}_{year}_hourly.csv.gz", "rt", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                moment = datetime.fromisoformat(row[_TIME]).replace(tzinfo=UTC)
                moments.append(int(moment.timestamp()))
                values.append(_value(row, _COLUMNS[scope]))
    if (np.diff(moments) != 3600).any():
        raise ValueError(f"{name}: not every hour is there")
    return Zone(
        name=name,
        time_zone=TIME_ZONES[name],
        start=moments[0],
        values=np.array(values),
        scored=scored,
    )


def _value(row: dict[str, str], ending: str) -> float:
    """Return the intensity of a row, NaN where none is given."""
    text = next(value for key, value in row.items() if key.endswith(ending))
    return float(text) if text else float("nan")
