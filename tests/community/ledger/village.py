"""Footprints of a made-up village, and what they add up to by plain counting."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from custom_components.carbon_meter.community.contract.message import (
    Flow,
    Footprint,
    Item,
    Kind,
    Level,
    Quality,
)

COMMUNITY = "village"
BERLIN = ZoneInfo("Europe/Berlin")
MIDSUMMER = int(datetime(2026, 6, 20, tzinfo=UTC).timestamp())
HOUR = 3600


def item(flow: Flow, wh: int, **changes) -> Item:
    values = {
        "mg": wh * 400,
        "source": "grid",
        "zone": "DE",
        "kind": Kind.AVERAGE,
        "version": "2026",
        "resolution": HOUR,
        "coverage": 10000,
        "quality": Quality.MEASURED,
        "carbon_free": None,
    }
    return Item(flow=flow, wh=wh, **(values | changes))


def footprint(home: str, start: int, *items: Item, **changes) -> Footprint:
    values = {
        "community": COMMUNITY,
        "boot": "b",
        "seq": 1,
        "duration": HOUR,
        "revision": 0,
        "at": start * 1000,
        "method": "location@1",
        "software": "1.0",
        "synced": True,
        "offset_ms": 0,
        "level": Level.PSEUDONYM,
        "is_final": False,
    }
    return Footprint(home=home, start=start, items=items, **(values | changes))


def imported(home: str, start: int, wh: int, **changes) -> Footprint:
    return footprint(home, start, item(Flow.GRID_IMPORT, wh), **changes)


@dataclass
class Model:
    """The village as a list of what was said, counted anew for every answer."""

    zone: ZoneInfo
    held: dict[tuple[str, int, int], Footprint] = field(default_factory=dict)
    moves: dict[str, list[tuple[date, tuple[str | None, frozenset[str]] | None]]] = field(
        default_factory=dict
    )

    def take(self, said: Footprint) -> None:
        if said.home not in self.moves:
            return
        key = (said.home, said.start, said.duration)
        if key not in self.held or said.revision > self.held[key].revision:
            self.held[key] = said

    def move(self, home: str, day: date, where: tuple[str | None, frozenset[str]] | None) -> None:
        kept = [move for move in self.moves.get(home, []) if move[0] < day]
        if where is not None or any(place is not None for _, place in kept):
            self.moves[home] = [*kept, (day, where)]
        else:
            self.moves.pop(home, None)

    def withdraw(self, home: str) -> None:
        self.moves.pop(home, None)
        self.held = {key: said for key, said in self.held.items() if key[0] != home}

    def cells(self) -> Mapping[tuple[str, int, str, str, str, str], tuple[int, ...]]:
        """Return homes, Wh, mg, measured, estimated, least, most by what the cell is."""
        by_home: dict[tuple[str, int, str, str, str, str], dict[str, list[tuple[int, ...]]]] = (
            defaultdict(lambda: defaultdict(list))
        )
        for said in self._counted():
            local = datetime.fromtimestamp(said.start + said.duration // 2, self.zone).date()
            for scope, name in self._scopes(said.home, local):
                for grain, begin in self._times(said, local):
                    for each in said.items:
                        if each.quality is Quality.MISSING:
                            continue
                        key = (grain, begin, scope, name, each.flow.value, each.kind.value)
                        is_measured = each.quality is Quality.MEASURED
                        by_home[key][said.home].append(
                            (each.wh, each.mg, each.wh * is_measured, each.wh * (not is_measured))
                        )
        result = {}
        for key, homes in by_home.items():
            sums = [tuple(map(sum, zip(*rows, strict=True))) for rows in homes.values()]
            whs = [row[0] for row in sums]
            whole = tuple(map(sum, zip(*sums, strict=True)))
            result[key] = (len(homes), *whole, min(whs), max(whs))
        return result

    def _counted(self) -> Iterable[Footprint]:
        """Yield what no longer period of the same home holds."""
        for said in self.held.values():
            if not any(
                other.home == said.home
                and other.duration > said.duration
                and other.start <= said.start < other.end
                for other in self.held.values()
            ):
                yield said

    def _scopes(self, home: str, day: date) -> list[tuple[str, str]]:
        here = None
        for since, where in self.moves.get(home, []):
            if since <= day:
                here = where
        if here is None:
            return []
        feeder, groups = here
        scopes = [("community", COMMUNITY), *(("group", group) for group in groups)]
        return scopes + ([] if feeder is None else [("feeder", feeder)])

    def _times(self, said: Footprint, day: date) -> list[tuple[str, int]]:
        times = [
            (grain, int(datetime(first.year, first.month, first.day, tzinfo=self.zone).timestamp()))
            for grain, first in (
                ("day", day),
                ("month", day.replace(day=1)),
                ("year", day.replace(day=1, month=1)),
            )
        ]
        if said.duration <= HOUR:
            times.append(("hour", said.start // HOUR * HOUR))
        return times
