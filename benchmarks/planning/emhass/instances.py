"""Instances that both planners solve: one load each, on real days of ten grids."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from benchmarks.forecast.zones import load_zones
from custom_components.carbon_meter.carbon.flow.amounts import FloatArray

_HOUR: Final = 3600
_DAYS: Final = 2
_START_TIMES: Final = (0, 18)
"""Hours after the beginning of the day."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Instance:
    """One load of one kind; `weights` in gCO2eq per Wh for each of the steps.

    `values` are those of the kind: powers in W, energy in Wh, counts of steps.
    """

    kind: str
    title: str
    minutes: int
    weights: FloatArray
    values: Mapping[str, Any]

    @property
    def hours(self) -> float:
        """Return how long a step is."""
        return self.minutes / 60.0

    def as_dict(self) -> dict[str, Any]:
        """Return what the peer reads: EMHASS counts in thousands of Wh."""
        return {
            "kind": self.kind,
            "minutes": self.minutes,
            "weights": self.weights.tolist(),
            **{
                name: value.tolist() if isinstance(value, np.ndarray) else value
                for name, value in self.values.items()
            },
        }

    def value(self, powers: FloatArray) -> float:
        """Return the gCO2eq of powers in W, without the base load."""
        return float(self.weights @ powers) * self.hours


type Maker = Callable[[np.random.Generator, int, float], Mapping[str, Any]]
"""Makes the values of an instance of so many steps, so many hours each."""


def _hours(rng: np.random.Generator, count: int, hours: float) -> Mapping[str, Any]:
    del hours
    return {"power": 3000.0, "count": int(rng.integers(2, count // 2))}


def _block(rng: np.random.Generator, count: int, hours: float) -> Mapping[str, Any]:
    del hours
    return {"power": 2000.0, "count": int(rng.integers(2, count // 6))}


def _runs(rng: np.random.Generator, count: int, hours: float) -> Mapping[str, Any]:
    del hours
    shortest = int(rng.integers(2, 5))
    return {
        "power": 1000.0,
        "count": int(rng.integers(2 * shortest, count // 2)),
        "shortest": shortest,
    }


def _energy(rng: np.random.Generator, count: int, hours: float) -> Mapping[str, Any]:
    most = 11_000.0 * count * hours
    return {"power": 11_000.0, "energy": float(rng.uniform(0.05, 0.6) * most)}


def _room(rng: np.random.Generator, count: int, hours: float) -> Mapping[str, Any]:
    moments = np.arange(count) * hours
    return {
        "power": 3000.0,
        "heating_rate": float(rng.uniform(1.5, 3.0)),
        "cooling_constant": float(rng.uniform(0.03, 0.07)),
        "start": 20.5,
        "low": 19.0,
        "high": 22.0,
        "surroundings": 5.0 + 4.0 * np.sin(moments * np.pi / 12.0),
    }


def _battery(rng: np.random.Generator, count: int, hours: float) -> Mapping[str, Any]:
    del count, hours
    return {
        "power": 3000.0,
        "capacity": float(rng.uniform(5000.0, 15_000.0)),
        "content": 2500.0,
        "efficiency": 0.95,
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """A kind of load: how many instances there are, of how many steps."""

    name: str
    title: str
    instances: int
    make: Maker
    steps: int = 48
    minutes: int = 30


KINDS: Final = (
    Kind(name="hours", title="interruptible, 48 steps", instances=40, make=_hours),
    Kind(name="block", title="block, 48 steps", instances=40, make=_block),
    Kind(name="runs", title="shortest runs, 48 steps", instances=15, make=_runs),
    Kind(name="energy", title="EV energy, 48 steps", instances=40, make=_energy),
    *(
        Kind(name=name, title=f"{title}, 192 steps", instances=20, make=make, steps=192, minutes=15)
        for name, title, make in (
            ("hours", "interruptible", _hours),
            ("block", "block", _block),
            ("energy", "EV energy", _energy),
        )
    ),
    Kind(
        name="runs",
        title="shortest runs, 192 steps",
        instances=5,
        make=_runs,
        steps=192,
        minutes=15,
    ),
    Kind(name="room", title="room, any power, 48 steps", instances=20, make=_room),
    Kind(
        name="switched_room", title="room, on or off, 20 steps", instances=4, make=_room, steps=20
    ),
    Kind(name="battery", title="battery, 48 steps", instances=10, make=_battery),
)


def make_instances(share: float = 1.0) -> list[Instance]:
    """Return the instances, or a share of each kind; the same ones every time.

    Raises FileNotFoundError where the data do not lie beside the checkout.
    """
    zones = load_zones("life cycle")
    rng = np.random.default_rng(2023)
    found = []
    for kind in KINDS:
        for number in range(max(1, round(kind.instances * share))):
            zone = zones[number % len(zones)]
            first = zone.scored + 24 * int(rng.integers(0, 360)) + int(rng.choice(_START_TIMES))
            hourly = zone.values[first : first + _DAYS * 24]
            between = np.arange(kind.steps) * kind.minutes / 60.0
            # A slope within the hour: no two parts of an hour are the same.
            carbon = np.interp(between, np.arange(len(hourly)), hourly)
            found.append(
                Instance(
                    kind=kind.name,
                    title=kind.title,
                    minutes=kind.minutes,
                    weights=carbon / 1000.0,
                    values=kind.make(rng, kind.steps, kind.minutes / 60.0),
                )
            )
    return found
