"""Meters whose energy is known exactly, for the tests of metering errors."""

from bisect import bisect_right
from itertools import accumulate
import math
import random

from custom_components.carbon_meter.metering.metering_error import EnergyAudit
from custom_components.carbon_meter.metering.readings import Reading

T = 1_789_920_000  # starts an hour and a day


class Load:
    """A power that changes at moments of its own; negative is export."""

    def __init__(self, changes: list[tuple[float, float]]) -> None:
        """Take the times since T, the first 0, and the W from then on."""
        self._times = [time for time, _ in changes]
        self._watts = [watts for _, watts in changes]
        self._imported = self._summed([max(0.0, watts) for watts in self._watts])
        self._exported = self._summed([max(0.0, -watts) for watts in self._watts])

    def _summed(self, watts: list[float]) -> list[float]:
        spans = [
            after - before for before, after in zip(self._times, self._times[1:], strict=False)
        ]
        parts = (power * span / 3600 for power, span in zip(watts, spans, strict=False))
        return list(accumulate(parts, initial=0.0))

    @classmethod
    def household(cls, seed: int, seconds: float) -> Load:
        """A base load, a fridge and things that are switched on for a while."""
        chance = random.Random(seed)  # noqa: S311
        edges = [(0.0, 150.0)]
        now = 0.0
        while now < seconds:
            now += chance.uniform(600, 1200)
            edges += [(now, 90.0), (now + chance.uniform(500, 900), -90.0)]
            now += 900
        now = 0.0
        while now < seconds:
            now += chance.expovariate(1 / 1500)
            watts, lasts = chance.choice([(2000.0, 180.0), (1200.0, 400.0), (60.0, 3000.0)])
            lasts *= chance.uniform(0.5, 2)
            edges += [(now, watts), (now + lasts, -watts)]
        edges.sort()
        return cls(
            list(zip((time for time, _ in edges), accumulate(w for _, w in edges), strict=True))
        )

    def power(self, time: float) -> float:
        return self._watts[bisect_right(self._times, time) - 1]

    def energy(self, time: float) -> tuple[float, float]:
        """Return the Wh imported and exported since T."""
        index = bisect_right(self._times, time) - 1
        more = self._watts[index] * (time - self._times[index]) / 3600
        return self._imported[index] + max(0.0, more), self._exported[index] + max(0.0, -more)


class FlowMeter:
    """A meter on a load, with steps in its counters and whatever is wrong with it."""

    def __init__(
        self,
        load: Load,
        *,
        spacing: float = 10.0,
        step: float = 0.01,
        scale: float = 1.0,
        export: bool = True,
    ) -> None:
        self.load, self.spacing, self.step, self.scale = load, spacing, step, scale
        self.export = export
        self.audit = EnergyAudit(longest=2.5 * spacing, max_power=50_000.0)

    def reading(self, time: float) -> Reading:
        imported, exported = self.load.energy(time)
        values = {
            "power": self.load.power(time),
            "energy_import": self._shown(1_234_567.89 + imported),
        }
        if self.export:
            values["energy_export"] = self._shown(70_000.0 + exported)
        return Reading(time=T + time, values=values)

    def _shown(self, energy: float) -> float:
        return math.floor(energy * self.scale / self.step) * self.step

    def poll(self, start: float, end: float) -> None:
        """Let it be read from `start` up to and including `end`."""
        for index in range(round((end - start) / self.spacing) + 1):
            self.audit.observe(self.reading(start + index * self.spacing))
