"""A street of homes with solar energy, and what its hub publishes."""

from collections.abc import Container
from datetime import date
from pathlib import Path

from custom_components.carbon_meter.community.contract.message import Flow, Level
from custom_components.carbon_meter.community.hub.publishing import Publisher
from custom_components.carbon_meter.community.hub.releases import Releases
from custom_components.carbon_meter.community.ledger.ledger import Ledger
from custom_components.carbon_meter.community.privacy.rules import STANDARD
from tests.community.ledger.village import BERLIN, COMMUNITY, HOUR, footprint, item

DAY = date(2026, 6, 20)
HOMES = 20


class Street:
    """Twenty homes with solar energy, ten of them behind a feeder of their own."""

    def __init__(self, folder: Path) -> None:
        self.ledger = Ledger(folder / "ledger.db", community=COMMUNITY, zone=BERLIN)
        self.releases = Releases(folder / "releases.db", community=COMMUNITY)
        self.publisher = Publisher(self.ledger, self.releases, STANDARD)
        self.begin = self.ledger.calendar.begin(DAY)
        self.end = self.begin + 86400
        for home in range(HOMES):
            self.ledger.assign(
                f"home-{home}", DAY, feeder="=north" if home < 10 else None, groups=["all"]
            )

    def tell(
        self,
        homes: int = HOMES,
        *,
        batteries: int = 0,
        revision: int = 0,
        wh: int = 1000,
        free_at: Container[int] = range(24),
    ):
        """Tell a day; the grid has nothing carbon-free, which is known in some of its hours."""
        said = []
        for hour in range(24):
            noon = 10 <= hour < 14
            for home in range(homes):
                free = 0 if hour in free_at else None
                items = [
                    item(Flow.GRID_IMPORT, 0 if noon and home % 2 else wh, carbon_free=free),
                    item(Flow.GRID_EXPORT, 600 if noon and home % 2 else 0),
                    item(Flow.PV, 1000 if noon else 0, mg=0),
                ]
                if home < batteries:
                    items.append(item(Flow.BATTERY_IN, 100))
                said.append(
                    footprint(
                        f"home-{home}",
                        self.begin + hour * HOUR,
                        *items,
                        revision=revision,
                        level=Level.CLEAR if home < HOMES - 1 else Level.PSEUDONYM,
                    )
                )
        self.ledger.take(said, self.end)

    def close(self) -> None:
        self.ledger.close()
        self.releases.close()
