"""The simulated homes: each joins by an invitation and speaks for itself over its own connection.

They are what a site with the integration is: the same membership, its outbox and certificate in a
folder of their own. Only the house is made up.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
import time
from typing import Final
from zoneinfo import ZoneInfo

from custom_components.carbon_meter.community.authority.invitation import read_invitation
from custom_components.carbon_meter.community.contract.message import Flow, Footprint, Quality
from custom_components.carbon_meter.community.member import state as kept
from custom_components.carbon_meter.community.member.agreed import Agreed
from custom_components.carbon_meter.community.member.enrol import join
from custom_components.carbon_meter.community.member.figures import (
    Clock,
    FlowFigures,
    HourFigures,
    Intensity,
    Maker,
    Period,
    footprint_of,
)
from custom_components.carbon_meter.community.member.link import MemberLink
from custom_components.carbon_meter.community.member.schedule import Pace
from demo.community.house import House
from demo.community.telling import METHOD, SOFTWARE, Told, intensity_of, told
from demo.config_dir import Place

HOUR: Final = 3600
DAY: Final = 86400
SEED: Final = 6
CONSENT: Final = "demo@1"
_UNTIL: Final = "told_until"

_AHEAD: Final = 3 * HOUR
"""Seconds by which one home's clock is wrong."""

_MAKER: Final = Maker(software=SOFTWARE, method=METHOD)

_PACE: Final = Pace(rate=500.0, spread=0, first=0.0, backoff=1.0, longest=5.0, stable=10.0)
"""People look on: a real home would spread itself over the hour."""


class Part(StrEnum):
    """What a home plays."""

    STEADY = "steady"
    AWAY = "away"
    """Has had no connection for hours, and comes back."""

    LATE = "late"
    """Tells the last hours late."""

    CLOCK = "wrong clock"
    HOSTILE = "hostile"


_SILENT: Final = {Part.AWAY: 12 * HOUR, Part.LATE: 6 * HOUR}
"""Seconds before the start of which these have told nothing yet, but for what is of yesterday."""


def part_of(number: int, homes: int) -> Part:
    """Return what a home plays; of thirty 26 are steady, and one more means harm.

    Nine of ten have told everything: then the latest hours are published at once.
    """
    if number == homes:
        return Part.HOSTILE
    if number == homes - 1:
        return Part.CLOCK
    if number % 20 == 3:
        return Part.AWAY
    return Part.LATE if number % 30 == 6 else Part.STEADY


@dataclass(frozen=True, kw_only=True, slots=True)
class Amount:
    """Wh and mgCO2eq."""

    wh: int = 0
    mg: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(wh=self.wh + other.wh, mg=self.mg + other.mg)


class SimulatedHome:
    """One home: its house, its membership, and its own books of what it has told."""

    def __init__(self, folder: Path, number: int, homes: int) -> None:
        """Take the folder in which the membership is kept."""
        self.number = number
        self.part = part_of(number, homes)
        self.house = House.of(number, SEED)
        self.folder = folder / f"{number:04d}"
        self.books: dict[tuple[int, int], Mapping[Flow, Amount]] = {}
        """What it has told, by start and duration of each period."""

        self.is_silent = self.part in _SILENT
        """Whether it has not told the last hours at the start."""

        self._link: MemberLink | None = None
        self._running: asyncio.Task[None] | None = None

    @property
    def has_joined(self) -> bool:
        """Return whether there is a membership from an earlier run."""
        return (self.folder / "member.json").exists()

    @property
    def link(self) -> MemberLink:
        """Return the membership; the home has been opened."""
        if self._link is None:
            raise RuntimeError(f"home {self.number} is not open")
        return self._link

    async def join(self, invitation: str, since: int) -> None:
        """Become a member by an invitation, with a past: of all hours from `since` on."""
        found = read_invitation(invitation, time.time())
        await join(found, self.folder, Agreed.of(found, CONSENT))
        state = await asyncio.to_thread(kept.load, self.folder)
        earlier = replace(
            state,
            identities=tuple(replace(identity, begins=since) for identity in state.identities),
            agreements=tuple(replace(each, start=since) for each in state.agreements),
        )
        await asyncio.to_thread(kept.save, self.folder, earlier)

    async def open(self) -> None:
        """Open the membership; nothing is sent yet."""
        ahead = _AHEAD if self.part is Part.CLOCK else 0
        self._link = await MemberLink.open(
            self.folder,
            self.hours,
            _MAKER,
            clock=self._clock,
            now=lambda: time.time() + ahead,
            pace=_PACE,
        )

    def go_online(self) -> None:
        """Connect, and stay so."""
        if self._running is None:
            self._running = asyncio.create_task(self.link.run(), name=f"home {self.number}")

    async def go_offline(self) -> None:
        """Lose the connection."""
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running
            self._running = None

    async def close(self) -> None:
        """Go offline and close the files."""
        await self.go_offline()
        if self._link is not None:
            await self._link.close()
            self._link = None

    @property
    def wants_to_speak(self) -> bool:
        """Return whether it has a connection, or tries to get one."""
        return self._running is not None

    @property
    def is_online(self) -> bool:
        """Return whether the broker has it."""
        return self.wants_to_speak and self.link.status.connected_since is not None

    @property
    def id(self) -> str:
        """Return what it is called in the community."""
        return self.link.status.home

    @property
    def credentials(self) -> Path:
        """Return the folder with its key and certificate."""
        return self.folder / self.id

    @property
    def told_until(self) -> int | None:
        """Return up to when it has told everything, None before its first word."""
        path = self.folder / _UNTIL
        return int(path.read_text(encoding="ascii")) if path.exists() else None

    def until(self, end: int) -> int:
        """Return up to when it has told everything at the start, the hour `end`.

        Yesterday is whole: the community's last day is then one of all homes.
        """
        if not self.is_silent:
            return end
        local = datetime.fromtimestamp(end, ZoneInfo(Place().time_zone))
        midnight = int(local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp())
        return max(end - _SILENT[self.part], midnight)

    async def tell(self, begin: int, end: int) -> None:
        """Tell the hours in [begin, end), and enter them into the home's own books."""
        self._book(begin, end, HOUR)
        await self.link.tell(await self.hours(begin, end))
        self._note(end)

    async def tell_past(self, since: int, hourly: int, end: int) -> None:
        """Tell whole days from `since` on, and hours from `hourly` on.

        What was told in an earlier run is entered into the books alone.
        """
        self._book(since, hourly, DAY)
        self._book(hourly, end, HOUR)
        begin = self.told_until
        if begin is None:
            await self.link.put([self._day(start) for start in range(since, hourly, DAY)])
            begin = hourly
        await self.link.tell(await self.hours(min(begin, end), end))
        self._note(max(begin, end))

    def _book(self, begin: int, end: int, duration: int) -> None:
        for start in range(begin, end, duration):
            self.books[start, duration] = {
                each.flow: Amount(wh=each.wh, mg=each.mg)
                for each in told(self.house, start, duration)
            }

    def _note(self, until: int) -> None:
        (self.folder / _UNTIL).write_text(str(until), encoding="ascii")

    def _clock(self) -> Clock:
        return Clock(synced=self.part is not Part.CLOCK)

    def _day(self, start: int) -> Footprint:
        """Return the footprint of a day of UTC; community and home are set by the membership."""
        period = Period(community="-", home="-", start=start, duration=DAY)
        footprint = footprint_of(
            self._hours(start, start + DAY),
            period,
            self.link.status.agreed,
            _MAKER,
            self._clock(),
            time.time(),
        )
        assert footprint is not None  # noqa: S101  # every house draws something
        return footprint

    async def hours(self, begin: int, end: int) -> Sequence[HourFigures]:
        """Return what the house has of the hours in [begin, end): the member asks for it."""
        return self._hours(begin, end)

    def _hours(self, begin: int, end: int) -> list[HourFigures]:
        return [
            HourFigures(
                start=start,
                flows={each.flow: _figures(each) for each in told(self.house, start, HOUR)},
                is_final=False,
            )
            for start in range(begin, end, HOUR)
        ]

    @property
    def waiting(self) -> int:
        """Return how many messages the hub neither has nor has refused."""
        status = self.link.status
        return status.waiting + status.out


def sums(
    homes: Iterable[SimulatedHome], begin: int, end: int, *, longest: int = DAY
) -> Mapping[Flow, Amount]:
    """Return what homes have told of [begin, end), by their own books.

    A period belongs to the time in which its middle lies, as the contract has it for days.
    """
    result: dict[Flow, Amount] = defaultdict(Amount)
    for home in homes:
        for (start, duration), amounts in home.books.items():
            if duration <= longest and begin <= start + duration // 2 < end:
                for flow, amount in amounts.items():
                    result[flow] += amount
    return result


def _figures(each: Told) -> FlowFigures:
    """Return a flow as a site knows it."""
    source = intensity_of(each.flow)
    return FlowFigures(
        wh=float(each.wh),
        grams=each.mg / 1000,
        covered=float(HOUR),
        quality=Quality.MEASURED,
        intensity=Intensity(
            source=source.source,
            zone=source.zone,
            kind=source.kind,
            version=source.version,
            resolution=source.resolution,
        ),
        carbon_free=None if each.carbon_free is None else float(each.carbon_free),
    )
