"""What a loaded site consists of."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from homeassistant.config_entries import ConfigEntry

if TYPE_CHECKING:
    from .coordinator import MeterCoordinator
    from .intensity import SiteIntensity
    from .meter_tree import MeterTree
    from .record import Record
    from .store import SiteStore


@dataclass(kw_only=True)
class Site:
    """The runtime data of one config entry."""

    intensity: SiteIntensity
    meters: dict[str, MeterCoordinator]
    """By the id of their subentry."""

    tree: MeterTree
    store: SiteStore
    record: Record
    left_out: bool = False
    """Whether a meter of the site could not be set up."""


type CarbonMeterConfigEntry = ConfigEntry[Site]
