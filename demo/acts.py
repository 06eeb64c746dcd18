"""What the check lets happen in the virtual home: a noon, a brighter noon, an evening."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from demo.virtual_home import VirtualHome


@dataclass(frozen=True, kw_only=True)
class Act:
    """Some powers that flow for a while."""

    name: str
    watts: Mapping[str, float]
    """By node; what comes out of roof or battery is negative. The grid carries the rest."""

    async def begin(self, home: VirtualHome) -> None:
        """Let these powers flow from now on."""
        for node, watts in self.watts.items():
            await home.control("load", node=node, watts=watts)


REST: Final = Act(
    name="a rest", watts={"house": 0, "heat_pump": 0, "ev": 0, "solar": 0, "battery": 0}
)
"""Nothing flows, and time goes on: meters whose time stands still are taken for frozen."""

DAY: Final = (
    Act(
        name="a sunny noon",
        watts={"house": 600, "heat_pump": 2600, "ev": 0, "solar": -4000, "battery": 2500},
    ),
    Act(
        name="a bright noon",
        watts={"house": 400, "heat_pump": 0, "ev": 1400, "solar": -8000, "battery": 3000},
    ),
)
NIGHT: Final = (
    Act(
        name="an evening",
        watts={"house": 900, "heat_pump": 2600, "ev": 3700, "solar": 0, "battery": -2000},
    ),
)
