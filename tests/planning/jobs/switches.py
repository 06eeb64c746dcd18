"""A pump behind a switch with a meter, and a car at its charger, as they really are."""

from collections.abc import Sequence
import random
from typing import Any

from custom_components.carbon_meter.planning.jobs.job import Target
from tests.planning.jobs.world import Course


class Pump:
    """On or off; now and then somebody switches it by hand."""

    def __init__(
        self,
        power: float,
        chance: random.Random,
        *,
        sees: str = "is_on power",
        by_hand: Sequence[tuple[float, bool]] = (),
    ) -> None:
        """Take what is seen of it, and when it is switched by hand."""
        self.power, self.chance, self.sees = power, chance, sees.split()
        self.is_on = False
        self.course = Course()
        self._by_hand = sorted(by_hand, reverse=True)
        self.switched: list[tuple[float, bool]] = []

    def step(self, now: float, seconds: float) -> None:
        """Let some seconds pass."""
        self.course.add(now, seconds, self.power if self.is_on else 0.0)
        while self._by_hand and self._by_hand[-1][0] <= now:
            self.is_on = self._by_hand.pop()[1]

    def seen(self, now: float) -> dict[str, Any]:
        """Return what is seen."""
        del now
        noise = self.chance.gauss(1.0, 0.02)
        found = {"is_on": self.is_on, "power": self.power * noise if self.is_on else 0.4}
        return {key: found[key] for key in self.sees}

    def differs(self, target: Target) -> bool:
        """Return whether it should be switched."""
        return target.run is not None and target.run != self.is_on

    def obey(self, target: Target, now: float) -> None:
        """Switch."""
        self.is_on = bool(target.run)
        self.switched.append((now, self.is_on))


class Car:
    """Stays at its charger from time to time; its level is told late and in whole per cents."""

    def __init__(
        self,
        stays: Sequence[tuple[float, float, float]],
        chance: random.Random,
        *,
        capacity: float = 60_000.0,
        efficiency: float = 0.9,
        most: float = 11_040.0,
        lag: float = 600.0,
        sees: str = "is_wanted power level",
        error: float = 1.0,
    ) -> None:
        """Take its stays: from when to when, and the level in per cent with which it comes."""
        self.stays, self.chance, self.capacity = list(stays), chance, capacity
        self.efficiency, self.most, self.lag, self.sees = efficiency, most, lag, sees.split()
        self.error = error
        self.level = 50.0
        self.told = 0.0
        self.course = Course()
        self.stay: tuple[float, float, float] | None = None
        self.left: list[tuple[float, float, float]] = []
        """When it came, when it left, and with which level."""

        self.switched: list[tuple[float, float]] = []
        self._readings: list[tuple[float, float]] = []

    @property
    def is_here(self) -> bool:
        """Return whether it is plugged in."""
        return self.stay is not None

    def step(self, now: float, seconds: float) -> None:
        """Let some seconds pass."""
        power = self.power
        self.course.add(now, seconds, power)
        self.level += power * seconds / 3600.0 * self.efficiency / self.capacity * 100.0
        if self.stay is not None and now >= self.stay[1]:
            self.left.append((self.stay[0], now, self.level))
            self.stay, self.told = None, 0.0
        elif self.stay is None and self.stays and now >= self.stays[0][0]:
            self.stay = self.stays.pop(0)
            self.level, self.told = self.stay[2], 0.0
        self._readings.append((now, self.level))
        while len(self._readings) > 1 and self._readings[1][0] <= now - self.lag:
            self._readings.pop(0)

    @property
    def power(self) -> float:
        """Return the W that it takes: no more than there is room for."""
        return self.told if self.is_here and self.level < 100.0 else 0.0

    def seen(self, now: float) -> dict[str, Any]:
        """Return what is seen: the level as it was some minutes ago."""
        del now
        found: dict[str, Any] = {
            "is_wanted": self.is_here,
            "power": self.power * self.error * self.chance.gauss(1.0, 0.01),
            "level": float(int(self._readings[0][1])) if self.is_here else None,
            "is_on": self.power > 0.0,
        }
        return {key: found[key] for key in self.sees}

    def differs(self, target: Target) -> bool:
        """Return whether it should be given another power."""
        if not self.is_here or target.run is None:
            return False
        return abs((target.power or 0.0) - self.told) > 1.0

    def obey(self, target: Target, now: float) -> None:
        """Take another power."""
        if self.is_here:
            self.told = min(target.power or 0.0, self.most)
            self.switched.append((now, self.told))


class Dishwasher:
    """Is filled, waits for its start, runs its programme once, and is emptied."""

    def __init__(
        self,
        filled: Sequence[tuple[float, Sequence[float]]],
        chance: random.Random,
        *,
        sees: str = "is_wanted power",
        door: Sequence[float] = (),
        stops_ready: bool = False,
    ) -> None:
        """Take when it is filled, with the W of each minute of the programme that is chosen.

        `door` is when somebody opens it while it waits; where it `stops_ready`, a start turns off
        what says that it is ready.
        """
        self.filled = sorted(filled, key=lambda each: each[0], reverse=True)
        self.chance, self.sees = chance, sees.split()
        self.stops_ready = stops_ready
        self.programme: Sequence[float] = ()
        self.is_ready = False
        self.since: float | None = None
        self.started: float | None = None
        self.course = Course()
        self.ran: list[tuple[float, float, float]] = []
        """When it was filled, when it started, when it ended."""

        self.interrupted: list[float] = []
        self.again: list[float] = []
        """When it was told to start though nobody has filled it."""

        self._door = sorted(door, reverse=True)
        self._before: bool | None = None

    def power_at(self, now: float) -> float:
        """Return the W of a moment."""
        if self.started is None:
            return 0.8
        place = int((now - self.started) / 60.0)
        return self.programme[place] if place < len(self.programme) else 0.8

    @property
    def is_running(self) -> bool:
        """Return whether its programme goes on."""
        return self.started is not None

    def step(self, now: float, seconds: float) -> None:
        """Let some seconds pass."""
        self.course.add(now, seconds, self.power_at(now - seconds / 2.0))
        if self.started is not None and now - self.started >= 60.0 * len(self.programme):
            self.ran.append((self.since or 0.0, self.started, now))
            self.started, self.since, self.is_ready = None, None, False
        if self.filled and self.filled[-1][0] <= now and self.started is None:
            moment, programme = self.filled.pop()
            if self.since is None:
                self.programme, self.is_ready, self.since = programme, True, moment
        if self._door and self._door[-1] <= now and self.started is None:
            self._door.pop()
            self.is_ready = not self.is_ready if self.since is not None else False

    def seen(self, now: float) -> dict[str, Any]:
        """Return what is seen."""
        power = self.power_at(now)
        found = {
            "is_wanted": self.is_ready,
            "power": max(0.0, power * self.chance.gauss(1.0, 0.02)),
            "is_on": self.is_running,
        }
        return {key: found[key] for key in self.sees}

    def differs(self, target: Target) -> bool:
        """Return whether it is told to start, or not any more."""
        return target.run is not None and target.run != self._before

    def obey(self, target: Target, now: float) -> None:
        """Start when that is told anew; what is told to stop in its run is interrupted."""
        if target.run and self.started is None and self.since is not None and not self.is_ready:
            return  # Its door is open.
        self._before = target.run
        if target.run and self.started is None:
            if self.is_ready:
                self.started = now
                self.is_ready = not self.stops_ready
            else:
                self.again.append(now)
        elif not target.run and self.started is not None:
            self.interrupted.append(now)
