"""A tank, a room with a thermostat, and a battery, as they really are."""

from collections.abc import Callable
import random
from typing import Any

from custom_components.carbon_meter.planning.jobs.job import Target
from tests.planning.jobs.world import Course


class Tank:
    """Water with a heater; draws come when they come, its thermometer has a tenth of a degree."""

    def __init__(
        self,
        chance: random.Random,
        draws: Callable[[float, float], float],
        *,
        litres: float = 200.0,
        loss: float = 1.8,
        power: float = 2000.0,
        level: float = 52.0,
        sees: str = "level power is_on",
        steps: bool = True,
        most: float = 75.0,
    ) -> None:
        """Take the draws: from a moment and seconds the Wh that are taken."""
        self.chance, self.draws, self.power, self.level = chance, draws, power, level
        self.capacity, self.loss, self.sees = 1.163 * litres, loss, sees.split()
        self.told = 0.0
        self.steps, self.most = steps, most
        self.course = Course()
        self.levels: list[tuple[float, float]] = []
        self.switched: list[tuple[float, float]] = []

    @property
    def is_on(self) -> bool:
        """Return whether it heats."""
        return self.told > 0.0 and self.level < self.most

    def step(self, now: float, seconds: float) -> None:
        """Let some seconds pass."""
        power = self.told if self.is_on else 0.0
        self.course.add(now, seconds, power)
        heat = (power - self.loss * (self.level - 20.0)) * seconds / 3600.0
        self.level += (heat - self.draws(now, seconds)) / self.capacity
        self.levels.append((now, self.level))

    def seen(self, now: float) -> dict[str, Any]:
        """Return what is seen."""
        del now
        found: dict[str, Any] = {
            "level": round(self.level + self.chance.gauss(0.0, 0.1), 1),
            "power": (self.told if self.is_on else 0.0) * self.chance.gauss(1.0, 0.02) + 1.0,
            "is_on": self.is_on,
        }
        return {key: found[key] for key in self.sees}

    def differs(self, target: Target) -> bool:
        """Return whether it should be given another power."""
        if target.run is None:
            return False
        wanted = (target.power or self.power) if target.run else 0.0
        return abs(wanted - self.told) > 1.0

    def obey(self, target: Target, now: float) -> None:
        """Take another power."""
        before = self.told
        self.told = (target.power or self.power) if target.run else 0.0
        if (before > 0.0) != (self.told > 0.0):
            self.switched.append((now, self.told))


class Room:
    """A house whose thermostat keeps what it is set to, to a few tenths of a degree."""

    def __init__(
        self,
        chance: random.Random,
        outside: Callable[[float], float],
        *,
        capacity: float,
        loss: float,
        power: float,
        performance: Callable[[float, float], float],
        setpoint: float = 21.0,
        level: float = 21.0,
        cools: bool = False,
        gains: Callable[[float], float] = lambda _now: 0.0,
        sees: str = "level power setpoint",
    ) -> None:
        """Take the weather, the house and its heat pump."""
        self.chance, self.outside, self.capacity, self.loss = chance, outside, capacity, loss
        self.power, self.performance, self.setpoint, self.level = (
            power,
            performance,
            setpoint,
            level,
        )
        self.cools, self.gains, self.sees = cools, gains, sees.split()
        self.is_on = False
        self.course = Course()
        self.levels: list[tuple[float, float]] = []
        self.switched: list[tuple[float, float]] = []

    def step(self, now: float, seconds: float) -> None:
        """Let some seconds pass."""
        sign = -1.0 if self.cools else 1.0
        off = sign * (self.setpoint - self.level)
        self.is_on = off > 0.2 or (self.is_on and off > -0.2)
        power = self.power if self.is_on else 0.0
        self.course.add(now, seconds, power)
        heat = sign * power * self.performance(self.outside(now), self.level)
        lost = self.loss * (self.level - self.outside(now))
        self.level += (heat + self.gains(now) - lost) * seconds / 3600.0 / self.capacity
        self.levels.append((now, self.level))

    def seen(self, now: float) -> dict[str, Any]:
        """Return what is seen."""
        del now
        found: dict[str, Any] = {
            "level": round(self.level + self.chance.gauss(0.0, 0.05), 1),
            "power": (self.power if self.is_on else 3.0) * self.chance.gauss(1.0, 0.02),
            "setpoint": self.setpoint,
        }
        return {key: found[key] for key in self.sees}

    def differs(self, target: Target) -> bool:
        """Return whether it should be set to something else."""
        return target.setpoint is not None and abs(target.setpoint - self.setpoint) > 0.01

    def obey(self, target: Target, now: float) -> None:
        """Be set to something else."""
        assert target.setpoint is not None
        self.setpoint = target.setpoint
        self.switched.append((now, self.setpoint))


class Battery:
    """Cells beside a house; its level is told ten minutes late in whole per cents."""

    def __init__(
        self,
        chance: random.Random,
        net: Callable[[float], float],
        *,
        capacity: float = 10_000.0,
        one_way: float = 0.95,
        level: float = 50.0,
        lag: float = 600.0,
        follows: bool = True,
        own: float = 10.0,
    ) -> None:
        """Take what the house takes, below zero what its roof gives.

        One that `follows` gives no more than the house takes at a moment; below its `own` limit
        none gives anything by itself.
        """
        self.follows, self.own = follows, own
        self.chance, self.net, self.capacity, self.one_way = chance, net, capacity, one_way
        self.level, self.lag = level, lag
        self.told: float | None = None
        self.power = 0.0
        self.course, self.grid = Course(), Course()
        self.levels: list[tuple[float, float]] = []
        self.switched: list[tuple[float, float]] = []

    def step(self, now: float, seconds: float) -> None:
        """Let some seconds pass: told nothing it uses up what the roof gives."""
        net = self.net(now)
        power = -net if self.told is None else self.told
        if self.told is None and power < 0.0 and self.level <= self.own:
            power = 0.0
        if self.follows and self.told is not None and self.told < 0.0:
            power = min(0.0, -net)
        power = min(max(power, -3000.0), 3000.0)
        if (power > 0.0 and self.level >= 100.0) or (power < 0.0 and self.level <= 0.0):
            power = 0.0
        self.power = power
        self.course.add(now, seconds, power)
        self.grid.add(now, seconds, net + power)
        change = power * self.one_way if power > 0.0 else power / self.one_way
        self.level += change * seconds / 3600.0 / self.capacity * 100.0
        self.levels.append((now, self.level))

    def seen(self, now: float) -> dict[str, Any]:
        """Return what is seen."""
        late = next(
            (level for moment, level in reversed(self.levels) if moment <= now - self.lag),
            self.levels[0][1],
        )
        return {
            "level": float(min(100, max(0, int(late)))),
            "power": self.power + self.chance.gauss(0.0, 10.0),
        }

    def differs(self, target: Target) -> bool:
        """Return whether it should do something else."""
        return (target.power if target.run is not None else None) != self.told

    def obey(self, target: Target, now: float) -> None:
        """Do something else; told nothing it goes back to itself."""
        self.told = target.power if target.run is not None else None
        self.switched.append((now, self.told or 0.0))
