"""What truly happened in a month: who said what and when, corrected it, or fell silent.

Everything follows from the seed, so that the process that plays a home and the one that checks
the hub's sums know the same without telling each other.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from functools import cached_property
import json
from pathlib import Path
from random import Random
from typing import Final, Self
from zoneinfo import ZoneInfo

from custom_components.carbon_meter.community.contract.message import (
    Flow,
    Footprint,
    Item,
    Kind,
    Level,
    Quality,
)

COMMUNITY: Final = "loss"
ZONE: Final = ZoneInfo("Europe/Berlin")
DAY: Final = 86400
FLOWS: Final = (Flow.GRID_IMPORT, Flow.GRID_EXPORT, Flow.PV)

_NEVER: Final = 0.02
"""Of the periods no meter ever knew anything."""

_LATE: Final = 0.05
"""Are told days later than their neighbours."""

_REVISED: Final = 0.08
_LONGEST_DELAY: Final = 4
"""Days."""

_STRANDED: Final = 0.04
"""Of the homes fall silent for good within the month, whatever they still had to tell."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Saying:
    """One revision of a period, and the day on which it is said."""

    on: int
    start: int
    revision: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The size of a run and its seed."""

    seed: int
    homes: int
    days: int
    begin: int
    """When the first day begins, in seconds since 1970 UTC."""

    daily: int = 10
    """Of a hundred homes so many tell whole days only."""

    def save(self, path: Path) -> None:
        """Write it for other processes."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return what `save` has written."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    @property
    def end(self) -> int:
        """Return when the last day is over."""
        return self.begin + self.days * DAY

    @cached_property
    def first_day(self) -> date:
        """Return the local day from which the homes are members."""
        return datetime.fromtimestamp(self.begin, UTC).date()

    def name(self, number: int) -> str:
        """Return the id of a home."""
        return f"h{number:05d}"

    def feeder(self, number: int) -> str:
        """Return where a home is connected."""
        return f"feeder-{number % 5}"

    def group(self, number: int) -> str:
        """Return whom a home belongs to."""
        return f"group-{number // 5 % 7}"

    def duration(self, number: int) -> int:
        """Return how long the periods of a home are."""
        return DAY if self._chance("daily", number).random() < self.daily / 100 else 3600

    def silent_from(self, number: int) -> int | None:
        """Return the day from which a home is never heard again, None for most of them."""
        chance = self._chance("stranded", number)
        if chance.random() >= _STRANDED:
            return None
        return chance.randrange(1, self.days + 1)

    def away(self, number: int) -> frozenset[int]:
        """Return the days on which a home has no connection."""
        chance = self._chance("away", number)
        days: set[int] = set()
        for _ in range(chance.choice((0, 0, 1, 1, 2))):
            first = chance.randrange(self.days)
            days.update(range(first, first + chance.randrange(1, max(2, self.days // 3))))
        return frozenset(days)

    def sayings(self, number: int) -> tuple[tuple[Saying, ...], ...]:
        """Return by day what a home says, in the order in which it says it."""
        days: list[list[Saying]] = [[] for _ in range(self.days)]
        chance = self._chance("sayings", number)
        duration = self.duration(number)
        for start in range(self.begin, self.end, duration):
            fate = chance.random()
            if fate < _NEVER:
                continue
            on = (start - self.begin) // DAY
            late = fate < _NEVER + _LATE
            for revision in range(self.last_revision(number, start) + 1):
                delay = chance.randrange(1, _LONGEST_DELAY) if late or revision else 0
                on = min(on + delay, self.days - 1)
                days[on].append(Saying(on=on, start=start, revision=revision))
        for day in days:
            # Nobody promises an order; a revision may even overtake the one before.
            chance.shuffle(day)
        return tuple(map(tuple, days))

    def last_revision(self, number: int, start: int) -> int:
        """Return how often a period is corrected."""
        fate = self._chance("revised", number, start).random()
        return 2 if fate < _REVISED / 4 else 1 if fate < _REVISED else 0

    def items(self, number: int, start: int, revision: int) -> tuple[Item, ...]:
        """Return what a home knows of a period in one revision; flows come and go with it."""
        chance = self._chance("items", number, start, revision)
        flows = FLOWS[: chance.randrange(1, len(FLOWS) + 1)]
        return tuple(_item(flow, chance) for flow in flows)

    def footprint(self, number: int, start: int, revision: int) -> Footprint:
        """Return it as a home's outbox takes it."""
        return Footprint(
            community=COMMUNITY,
            home=self.name(number),
            boot="unset",
            seq=1,
            start=start,
            duration=self.duration(number),
            revision=revision,
            at=start * 1000 + revision,
            items=self.items(number, start, revision),
            method="location@1",
            software="carbon_meter loss",
            synced=True,
            offset_ms=None,
            level=Level.PSEUDONYM,
            is_final=False,
        )

    def starts(self, number: int) -> Iterator[int]:
        """Yield the periods that a home ever says anything of."""
        seen = {saying.start for day in self.sayings(number) for saying in day}
        yield from sorted(seen)

    def _chance(self, *about: object) -> Random:
        """Return the dice for one question: always the same."""
        return Random(f"{self.seed} {about}")  # noqa: S311


def _item(flow: Flow, chance: Random) -> Item:
    quality = chance.choices(list(Quality), weights=(90, 4, 4, 2))[0]
    known = quality is not Quality.MISSING
    wh = chance.randrange(5000) if known else 0
    return Item(
        flow=flow,
        wh=wh,
        mg=wh * chance.randrange(-20, 700) if known else 0,
        source="grid",
        zone="DE",
        kind=Kind.AVERAGE,
        version="1",
        resolution=3600,
        coverage=chance.randrange(1, 10_001) if known else 0,
        quality=quality,
        carbon_free=chance.randrange(wh + 1) if known and chance.random() < 0.7 else None,
    )
