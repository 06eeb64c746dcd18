"""Loads whose switchings are known to the second, for the tests of the step detector."""

from collections.abc import Iterator
from dataclasses import dataclass, field
import random

START = 1_790_000_000.0


@dataclass
class Edge:
    """A change of the load that really was."""

    at: float
    """Seconds since the start of the trace."""

    size: float
    """W."""

    takes: float = 0.0
    """Seconds."""


@dataclass
class Trace:
    """A power in W, a sample a second, and the edges in it."""

    seconds: int
    seed: int = 1
    power: list[float] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.power = [0.0] * self.seconds
        self.chance = random.Random(self.seed)  # noqa: S311

    def run(self, begin: int, lasts: int, watts: float, *, ramp: int = 0) -> None:
        """Let a device run; it reaches its power, and leaves it, in `ramp` seconds."""
        for second in range(begin, min(begin + lasts + ramp, self.seconds)):
            up = min(1.0, (second - begin + 1) / (ramp + 1))
            down = min(1.0, max(0.0, (begin + lasts + ramp - second) / (ramp + 1)))
            self.power[second] += watts * min(up, down)
        self.edges += [Edge(begin, watts, ramp), Edge(begin + lasts, -watts, ramp)]

    def fridge(self, begin: int, *, on: int = 900, off: int = 1800) -> None:
        """Cycle a compressor that pulls four times its power for a second and warms up."""
        while begin + on + 10 < self.seconds:
            self.run(begin, on, 90.0)
            self.power[begin] += 300.0
            for second in range(begin, begin + on):
                self.power[second] += 10.0 * (1 - (second - begin) / on)
            begin += on + off

    def washing_machine(self, begin: int) -> None:
        """Heat, turn the drum to and fro, spin."""
        self.run(begin + 60, 600, 2050.0)
        for turn in range(20):
            self.run(begin + 700 + 25 * turn, 14, 160.0)
        self.run(begin + 1300, 300, 420.0, ramp=25)

    def ev(self, begin: int) -> None:
        """Charge a car: six, ten and sixteen amperes on three phases, and back."""
        for step, watts in enumerate((4140.0, 2760.0, 4140.0)):
            self.run(begin + 300 * step, 2400 - 500 * step, watts, ramp=3)

    def noise(self, watts: float) -> None:
        """Add what every sample has of its own."""
        self.power = [value + self.chance.gauss(0, watts) for value in self.power]

    def clouds(self, watts: float, *, memory: float = 0.95) -> None:
        """Add a noise that wanders with the clouds, as from a roof of solar panels."""
        share = (1 - memory**2) ** 0.5
        wander = 0.0
        for second in range(self.seconds):
            wander = memory * wander + share * self.chance.gauss(0, watts)
            self.power[second] += wander

    def samples(self, spacing: int = 1) -> Iterator[tuple[float, float]]:
        """Yield time and power, whole watts as meters say them."""
        for second in range(0, self.seconds, spacing):
            yield START + second, float(round(self.power[second]))
