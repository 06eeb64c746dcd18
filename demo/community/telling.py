"""What a simulated home knows of a period: energy and carbon in whole numbers, for the books."""

from dataclasses import dataclass
from typing import Final

from custom_components.carbon_meter.community.contract.message import Flow, Kind
from demo.community.house import QUARTER, House
from demo.config_dir import Place
from demo.grid_signal import intensity_at

METHOD: Final = "location@1"
SOFTWARE: Final = "carbon_meter demo"
SOLAR: Final = 41
"""gCO2eq/kWh of solar cells over their life: the median of IPCC AR5 WG3, annex III, rooftop."""

_CLEANEST: Final = 140
"""gCO2eq/kWh at which the demo's grid has the most carbon-free energy, 85 %."""

_DIRTIEST: Final = 480
_ZONE: Final = Place().time_zone
_OF_THE_GRID: Final = frozenset({Flow.GRID_IMPORT, Flow.GRID_EXPORT})


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """A flow of one period: Wh, mgCO2eq, and Wh carbon-free."""

    flow: Flow
    wh: int
    mg: int
    carbon_free: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Whose carbon intensity it is."""

    source: str
    zone: str
    version: str
    resolution: int
    """Seconds."""

    kind: Kind = Kind.AVERAGE


_GRID: Final = Source(source="demo-grid", zone="DE", version="1", resolution=3600)
_ROOF: Final = Source(source="ipcc-ar5", zone="world", version="2014", resolution=31_536_000)


def intensity_of(flow: Flow) -> Source:
    """Return which carbon intensity weighs a flow."""
    return _GRID if flow in _OF_THE_GRID else _ROOF


def told(house: House, start: int, duration: int) -> tuple[Told, ...]:
    """Return the flows of a period of whole quarters of an hour."""
    quarters = [
        (house.energy(quarter, QUARTER), round(intensity_at(quarter, _ZONE)))
        for quarter in range(start, start + duration, QUARTER)
    ]
    result = []
    for flow in house.flows:
        wh = sum(energy[flow] for energy, _ in quarters)
        # 1 gCO2eq/kWh is 1 mgCO2eq/Wh.
        of_grid = sum(energy[flow] * intensity for energy, intensity in quarters)
        free = sum(energy[flow] * _carbon_free(part) for energy, part in quarters) // 1000
        result.append(
            Told(
                flow=flow,
                wh=wh,
                mg=of_grid if flow in _OF_THE_GRID else wh * SOLAR,
                carbon_free={Flow.GRID_IMPORT: free, Flow.PV: wh}.get(flow),
            )
        )
    return tuple(result)


def _carbon_free(intensity: int) -> int:
    """Return the carbon-free part of the grid, in parts of 1000."""
    span = (intensity - _CLEANEST) / (_DIRTIEST - _CLEANEST)
    return round(850 - 650 * min(1.0, max(0.0, span)))
