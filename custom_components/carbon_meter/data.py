"""What a loaded site consists of."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from homeassistant.config_entries import ConfigEntry

if TYPE_CHECKING:
    from .backfill import Backfill
    from .bookkeeper import Bookkeeper
    from .coordinator import MeterCoordinator
    from .intensity import SiteIntensity
    from .loads.planner import SitePlanner
    from .meter_tree import MeterTree
    from .record import Record
    from .simulation.run import Simulation
    from .store import SiteStore


@dataclass(kw_only=True)
class Site:
    """The runtime data of one config entry."""

    intensity: SiteIntensity
    meters: dict[str, MeterCoordinator]
    """By the id of their subentry."""

    tree: MeterTree
    store: SiteStore
    keeper: Bookkeeper
    record: Record
    backfill: Backfill
    planner: SitePlanner
    simulation: Simulation
    left_out: bool = False
    """Whether a meter of the site could not be set up."""

    settling: asyncio.Task[None] | None = None
    """What is brought up to date in the background after the site was set up."""


type CarbonMeterConfigEntry = ConfigEntry[Site]
