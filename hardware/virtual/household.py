"""A household: appliances, and the places in its wiring where a meter can sit.

The places (nodes) are `grid`, the connection that everything flows through, and
one for each group of appliances: `house`, `heat_pump`, `ev`, `solar` and `battery`.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Self

import numpy as np

from .battery import HomeBattery
from .chance import Array
from .electrical import Supply
from .integral import FlowSource, Listener, Phases
from .loads import BaseLoad, Cooking, ElectricCar, Fridge, HeatPump, SolarRoof, Washing
from .replay import CityLearnHome
from .series import NEVER, Constant, Source
from .weather import Weather

GRID: Final = "grid"
_EVENLY: Final[Phases] = (1 / 3, 1 / 3, 1 / 3)


@dataclass(frozen=True, kw_only=True, slots=True)
class Appliance:
    """A source of power, connected to phases."""

    node: str
    source: Source
    phases: Phases = _EVENLY
    """The share of each phase; they add up to 1."""

    reactive: float = 0.0
    """var per W."""

    produces: bool = False
    """Whether the source's power flows towards the grid."""

    def edges(self, start: float, end: float) -> Array:
        """Return the moments at which the power may change."""
        return self.source.edges(start, end)

    def flows(self, times: Array) -> Array:
        """Return W and var per phase for each time."""
        sign = -1.0 if self.produces else 1.0
        shares = sign * np.array(self.phases)
        row = np.concatenate((shares, shares * self.reactive))
        return self.source.power(times)[:, np.newaxis] * row


class Node:
    """A place where a meter can sit: the sum of what is behind it, or what it is forced to."""

    def __init__(self, name: str, parts: Sequence[FlowSource]) -> None:
        """Take what is behind the node."""
        self.name = name
        self._parts = tuple(parts)
        self._since: list[float] = []
        self._forced: list[Array | None] = []

    def force(self, watts: Sequence[float] | None, at: float) -> None:
        """From a moment on, let a fixed power per phase flow; None gives the node free."""
        if self._since and at < self._since[-1]:
            raise ValueError(f"{self.name} was changed at a later moment than {at}")
        self._since.append(at)
        self._forced.append(None if watts is None else np.array([*watts, 0.0, 0.0, 0.0]))

    def edges(self, start: float, end: float) -> Array:
        """Return the moments at which the flow may change."""
        forced = [at for at in self._since if start <= at < end]
        return np.concatenate((NEVER, forced, *(part.edges(start, end) for part in self._parts)))

    def flows(self, times: Array) -> Array:
        """Return W and var per phase for each time."""
        rows = np.zeros((times.size, 6))
        for part in self._parts:
            rows += part.flows(times)
        if self._since:
            which = np.searchsorted(self._since, times, side="right")
            for number, forced in enumerate(self._forced, start=1):
                if forced is not None:
                    rows[which == number] = forced
        return rows

    def forced(self, at: float) -> bool:
        """Return whether the node is forced at a moment."""
        last = bisect_right(self._since, at) - 1
        return last >= 0 and self._forced[last] is not None


class Household:
    """Everything that happens behind one grid connection, from `start` on.

    All of it is a function of time: the same moment gives the same power and the
    same energy, whenever and however often it is asked for. Only `force` changes
    what comes after its moment.
    """

    def __init__(
        self, appliances: Iterable[Appliance], start: float, *, supply: Supply | None = None
    ) -> None:
        """Take the appliances, the first moment in seconds since 1970 UTC, and the grid."""
        self.start = start
        self.supply = supply or Supply()
        groups: dict[str, list[FlowSource]] = {}
        for appliance in appliances:
            groups.setdefault(appliance.node, []).append(appliance)
        parts = {name: Node(name, group) for name, group in groups.items()}
        self.nodes: Mapping[str, Node] = MappingProxyType(
            {GRID: Node(GRID, tuple(parts.values())), **parts}
        )
        self._listeners: list[Listener] = []

    @classmethod
    def constant(cls, watts: float, start: float, *, supply: Supply | None = None) -> Self:
        """Return a household whose `house` (and so its `grid`) draws the same power for ever."""
        return cls.of(Constant(watts=watts), start, supply=supply)

    @classmethod
    def of(
        cls,
        source: Source,
        start: float,
        *,
        phases: Phases = _EVENLY,
        supply: Supply | None = None,
    ) -> Self:
        """Return a household whose `house` (and so its `grid`) draws what a source says."""
        return cls([Appliance(node="house", source=source, phases=phases)], start, supply=supply)

    @classmethod
    def simulated(
        cls,
        start: float,
        weather: Weather | None = None,
        *,
        replay: CityLearnHome | None = None,
        supply: Supply | None = None,
    ) -> Self:
        """Return a house with a heat pump, an electric car, a solar roof and a battery.

        With a `replay`, house and roof follow the recorded home, the others are
        simulated beside it. The battery serves all but the car.
        """
        weather = weather or Weather()
        pump = HeatPump(weather=weather)
        if replay is not None:
            recorded = replay.placed(weather)
            roof: Source = recorded.solar
            house: list[tuple[Source, Phases, float]] = [(recorded.load, _EVENLY, 0.15)]
        else:
            roof = SolarRoof(weather=weather)
            house = [
                (BaseLoad(weather=weather), (0.45, 0.2, 0.35), 0.2),
                (Fridge(weather=weather), (1.0, 0.0, 0.0), 0.6),
                (Cooking(weather=weather), (0.0, 0.5, 0.5), 0.0),
                (Washing(weather=weather), (0.0, 0.0, 1.0), 0.1),
            ]
        served = (*(source for source, _, _ in house), pump)
        battery = HomeBattery(weather=weather, roof=roof, loads=served)
        return cls(
            [
                *(
                    Appliance(node="house", source=source, phases=phases, reactive=reactive)
                    for source, phases, reactive in house
                ),
                Appliance(node="heat_pump", source=pump, phases=(0.0, 1.0, 0.0), reactive=0.25),
                Appliance(node="ev", source=ElectricCar(weather=weather), reactive=0.03),
                Appliance(node="solar", source=roof, reactive=0.02, produces=True),
                Appliance(node="battery", source=battery),
            ],
            start,
            supply=supply,
        )

    def force(self, node: str, watts: float | Sequence[float] | None, at: float) -> None:
        """From a moment on, let a fixed power flow through a node; None gives it free.

        A single figure is spread evenly over the three phases. What flows through a
        part of the house flows through `grid` as well, unless `grid` is forced itself.
        Raises ValueError for a node that this household does not have.
        """
        place = self.nodes.get(node)
        if place is None:
            raise ValueError(f"there is no node {node!r}; there are {', '.join(self.nodes)}")
        if isinstance(watts, int | float):
            watts = [watts / 3] * 3
        place.force(watts, at)
        for listener in self._listeners:
            listener(at)

    def on_change(self, listener: Listener) -> None:
        """Have something called with the moment from which on the future is another one."""
        self._listeners.append(listener)
