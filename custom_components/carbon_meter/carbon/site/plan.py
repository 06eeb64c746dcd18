"""What a site is made of: as it is told now, and as the archive keeps it for hours of the past."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
import json
import math
from typing import Final, Self

from ..flow.metered import MeteredNetwork
from ..supply.battery import Battery, Costing
from .meters import Role, SiteMeter, SiteMeters
from .network import network_as_dict, network_from_dict
from .schedule import Schedule
from .weighing import SiteFactors, SiteSupply

USUAL_ONE_WAY: Final = math.sqrt(0.9)
"""Efficiency of each direction of a battery of which nothing is known."""


@dataclass(frozen=True, kw_only=True)
class SitePlan:
    """What a site is made of.

    Raises NetworkError for a network that is not that of the meters, see `described_network`.
    """

    meters: SiteMeters
    factors: SiteFactors
    carriers: Mapping[str, Mapping[str, Schedule]] = field(default_factory=dict)
    """Of meters that count no electricity: by figure gCO2eq per Wh, or per L."""

    areas: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Sub-meters by area."""

    batteries: Callable[[], dict[str, Battery]] = dict
    """Gives empty ledgers by meter; a battery without one has the usual efficiency."""

    learning: Collection[str] = ()
    """Batteries whose efficiency nobody has told: their own counters tell it in time. One
    without a ledger is learning too."""

    network: MeteredNetwork | None = None
    """How the meters, by their ids, are connected, where they are no tree."""

    def __post_init__(self) -> None:
        """Refuse a network that is not that of the meters."""
        SiteSupply(self.meters, self.factors, self.network)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cells:
    """The parameters of a battery's ledger, see `Battery`."""

    charging: float
    discharging: float
    costing: str = Costing.WEIGHTED_AVERAGE.value
    capacity: float | None = None
    standby: float = 0.0

    @classmethod
    def of(cls, battery: Battery, one_way: float | None) -> Self:
        """Return the parameters of a ledger, with another efficiency where one was learned."""
        return cls(
            charging=battery.charging if one_way is None else one_way,
            discharging=battery.discharging if one_way is None else one_way,
            costing=battery.costing.value,
            capacity=battery.capacity,
            standby=battery.standby,
        )

    def ledger(self) -> Battery:
        """Return an empty ledger."""
        return Battery(
            charging=self.charging,
            discharging=self.discharging,
            costing=Costing(self.costing),
            capacity=self.capacity,
            standby=self.standby,
        )


@dataclass(frozen=True, kw_only=True)
class Arrangement:
    """The part of a plan by which hours are weighed, as the archive keeps it.

    Factors are no part of it: they have dates of their own. Two are the same where their `text`
    is.
    """

    members: tuple[SiteMeter, ...]
    """In the order of their ids."""

    areas: Mapping[str, tuple[str, ...]]
    cells: Mapping[str, Cells]
    """By battery."""

    network: MeteredNetwork | None = None

    @cached_property
    def meters(self) -> SiteMeters:
        """Return the meters and the tree that they are."""
        return SiteMeters(self.members)

    @cached_property
    def text(self) -> str:
        """Return what the archive keeps."""
        network = None if self.network is None else network_as_dict(self.network)
        return json.dumps(
            {
                "meters": [[one.id, one.role, one.parent, one.reversed] for one in self.members],
                "areas": {area: self.areas[area] for area in sorted(self.areas)},
                "batteries": {name: asdict(self.cells[name]) for name in sorted(self.cells)},
                "network": network,
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return what `text` told."""
        data = json.loads(text)
        network = data["network"]
        return cls(
            members=tuple(
                SiteMeter(id=name, role=Role(role), parent=parent, reversed=turned)
                for name, role, parent, turned in data["meters"]
            ),
            areas={area: tuple(members) for area, members in data["areas"].items()},
            cells={name: Cells(**cells) for name, cells in data["batteries"].items()},
            network=None if network is None else network_from_dict(network),
        )

    @classmethod
    def of(cls, plan: SitePlan, learned: Mapping[str, float]) -> Self:
        """Return a plan as it holds now, with the efficiencies that batteries have shown."""
        members = tuple(sorted(plan.meters.meters, key=lambda meter: meter.id))
        ledgers = plan.batteries()
        usual = Battery(charging=USUAL_ONE_WAY, discharging=USUAL_ONE_WAY)
        supply = SiteSupply(SiteMeters(members), plan.factors, plan.network)
        return cls(
            members=members,
            areas={area: tuple(sorted(ids)) for area, ids in plan.areas.items()},
            cells={
                name: Cells.of(
                    ledgers.get(name, usual),
                    learned.get(name) if is_learning(plan, ledgers, name) else None,
                )
                for name in supply.batteries
            },
            network=plan.network,
        )

    def with_those_of(self, earlier: Arrangement) -> Arrangement:
        """Return the arrangement of the hour in which it took the place of an earlier one.

        What was taken away has counted a part of that hour: it is weighed as it was.
        """
        present = {meter.id for meter in self.members}
        gone = [
            meter
            for meter in earlier.members
            if meter.id not in present
            and (self.network is None or earlier.meters.role(meter.id) is Role.SUBMETER)
        ]
        if not gone:
            return self
        names = {meter.id for meter in gone}
        areas = {area: set(members) for area, members in self.areas.items()}
        for area, members in earlier.areas.items():
            areas.setdefault(area, set()).update(names & set(members))
        kept = {name: cells for name, cells in earlier.cells.items() if name in names}
        return Arrangement(
            members=tuple(sorted((*self.members, *gone), key=lambda meter: meter.id)),
            areas={area: tuple(sorted(members)) for area, members in areas.items()},
            cells={**self.cells, **kept},
            network=self.network,
        )


def is_learning(plan: SitePlan, ledgers: Mapping[str, Battery], name: str) -> bool:
    """Return whether a battery's efficiency is what its counters show."""
    return name in plan.learning or name not in ledgers
