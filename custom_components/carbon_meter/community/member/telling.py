"""Hours become footprints in the outbox: as agreed, under the id of their time, in revisions."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
import logging
from typing import Final

from ..contract.message import DURATIONS, Footprint, Level
from .agreed import DAY, Agreed
from .box import Box
from .errors import MemberError
from .figures import HOUR, Clock, HourFigures, Maker, Period, footprint_of
from .holdings import Holdings
from .identities import Identity, telling

_LOGGER = logging.getLogger(__name__)

type HoursOf = Callable[[int, int], Awaitable[Sequence[HourFigures]]]
"""Returns what the site has of the hours that start in [begin, end), in seconds since 1970 UTC.

Raises MemberError if it cannot tell now: it is asked again.
"""

_PATIENCE: Final = 7 * DAY
"""Seconds for which the site is asked again about a period of which it gives nothing."""

_AT_ONCE: Final = 31
"""Days whose hours are asked for together."""


class Telling:
    """What is told goes through here, and nothing else puts anything into an outbox.

    Everything raises OutboxError or MemberError when the disk fails; done again, it goes on.
    """

    def __init__(
        self, holdings: Holdings, hours: HoursOf, maker: Maker, clock: Callable[[], Clock]
    ) -> None:
        """Take where it goes, and where figures come from."""
        self._holdings = holdings
        self._hours = hours
        self._maker = maker
        self._clock = clock
        self._one = asyncio.Lock()

    async def tell(self, hours: Iterable[HourFigures]) -> int:
        """Put finished or restated hours into the outbox; return how many footprints are new.

        Hours of a longer period that is agreed to make it due: it is told when it is over.
        Hours from before the membership are left out.
        """
        ready, longer = await self._holdings.call(self._sorted, list(hours), self._clock())
        async with self._one:
            count = 0
            for home, footprints in ready.items():
                count += await self._put(home, footprints)
            await self._add_due(longer)
        return count + await self.tell_due()

    def _sorted(
        self, hours: Iterable[HourFigures], clock: Clock
    ) -> tuple[dict[str, list[Footprint]], set[tuple[int, int]]]:
        """Return footprints by id, and the longer periods that hours are a part of."""
        now = self._holdings.now()
        ready: defaultdict[str, list[Footprint]] = defaultdict(list)
        longer: set[tuple[int, int]] = set()
        for hour in hours:
            agreed = self._holdings.state.agreed_for(hour.start)
            if agreed.duration > hour.duration:
                longer.add(_around(hour.start, agreed.duration))
                continue
            period = self._period(hour.start, hour.duration)
            if period is None:
                continue
            footprint = footprint_of((hour,), period, agreed, self._maker, clock, now)
            if footprint is not None:
                ready[period.home].append(footprint)
        return ready, longer

    async def put(self, footprints: Iterable[Footprint]) -> int:
        """Put footprints that somebody else made; community, home and level become the home's.

        Their revisions are counted here. What shows more than was agreed to is cut or left out.
        """
        ready: defaultdict[str, list[Footprint]] = defaultdict(list)
        for footprint in footprints:
            period = self._period(footprint.start, footprint.duration)
            if period is None:
                continue
            agreed = self._holdings.state.agreed_for(footprint.start)
            named = replace(footprint, community=period.community, home=period.home, revision=0)
            cut = cut_to(named, agreed)
            if cut is not None:
                ready[period.home].append(cut)
        async with self._one:
            return sum([await self._put(home, told) for home, told in ready.items()])

    async def tell_due(self) -> int:
        """Put the longer periods that are over into the outbox; return how many are new."""
        count = 0
        async with self._one:
            for identity, box in await self._holdings.boxes():
                now = self._holdings.now()
                due = await self._holdings.call(box.due)
                over = [period for period in due if sum(period) <= now]
                for at in range(0, len(over), _AT_ONCE):
                    part = over[at : at + _AT_ONCE]
                    footprints = await self._made(identity.home, part)
                    count += await self._put(identity.home, footprints)
                    done = {(made.start, made.duration) for made in footprints}
                    for period in part:
                        # The site had hours of it: it may only be unable to give them now.
                        if period in done or sum(period) < now - _PATIENCE:
                            await self._holdings.call(box.drop_due, period)
        return count

    async def rebuild(self, starts: Iterable[int], duration: int) -> int:
        """Put periods again that a hub asks for and the outbox has let go; return how many.

        Only such as the home tells: of the duration that was agreed to, and of its own time.
        """
        now = self._holdings.now()
        wanted: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for start in starts:
            period = self._period(start, duration)
            agreed = self._holdings.state.agreed_for(start)
            is_told = duration in {agreed.duration, max(agreed.duration, HOUR)}
            if period is not None and is_told and period.end <= now:
                wanted[period.home].append((start, duration))
        count = 0
        for home, periods in wanted.items():
            for at in range(0, len(periods), _AT_ONCE * 24):
                async with self._one:
                    made = await self._made(home, periods[at : at + _AT_ONCE * 24])
                    await self._put(home, made, again=True)
                    count += len(made)
        return count

    async def fit(self) -> int:
        """Cut everything that has not left to what is agreed to now; return what was changed.

        What is told in too short periods is withheld, and told in longer ones when they are over.
        """
        count = 0
        async with self._one:
            for identity, box in await self._holdings.boxes():
                count += await self._fit(identity, box)
        return count

    async def _fit(self, identity: Identity, box: Box) -> int:
        """Cut what is in one box."""
        state, now = self._holdings.state, self._holdings.now()
        short: set[tuple[int, int]] = set()

        def look(footprint: Footprint) -> Footprint:
            agreed = state.agreed_for(footprint.start)
            if footprint.duration < agreed.duration:
                short.add(_around(footprint.start, agreed.duration))
            return footprint

        def change(footprint: Footprint) -> Footprint | None:
            teller = telling(state.identities, footprint.start, footprint.duration)
            if teller is None or not footprint.home == identity.home == teller.home:
                return None
            cut = cut_to(footprint, state.agreed_for(footprint.start))
            if cut is None or cut == footprint:
                return footprint if cut is not None else None
            return replace(cut, revision=footprint.revision + 1, at=int(now * 1000))

        await self._holdings.call(box.revise, look)
        # First what is to come, then what goes: between the two nothing is lost.
        await self._add_due(short)
        count: int = await self._holdings.call(box.revise, change)
        return count

    async def _add_due(self, periods: Iterable[tuple[int, int]]) -> None:
        """Have longer periods told that begin within the membership."""
        by_home: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for start, duration in sorted(periods):
            period = self._period(start, duration)
            if period is not None:
                by_home[period.home].append((start, duration))
        for home, due in by_home.items():
            box = await self._holdings.box(home)
            await self._holdings.call(box.add_due, due)

    async def _made(self, home: str, periods: Sequence[tuple[int, int]]) -> list[Footprint]:
        """Return the footprints of periods out of the hours that the site has."""
        if not periods:
            return []
        made: list[Footprint] = []
        for run in _runs(periods):
            try:
                hours = await self._hours(run[0][0], sum(run[-1]))
            except MemberError as err:
                _LOGGER.warning("No hours from %s on: %s", run[0][0], err)
                continue
            made += await self._holdings.call(self._build, home, run, hours, self._clock())
        return made

    def _build(
        self,
        home: str,
        periods: Iterable[tuple[int, int]],
        hours: Iterable[HourFigures],
        clock: Clock,
    ) -> list[Footprint]:
        """Return the footprints of periods of which anything is known."""
        state, now = self._holdings.state, self._holdings.now()
        by_day: defaultdict[int, list[HourFigures]] = defaultdict(list)
        for hour in hours:
            by_day[hour.start // DAY].append(hour)
        made = []
        for start, duration in periods:
            period = Period(community=state.community, home=home, start=start, duration=duration)
            agreed = state.agreed_for(start)
            footprint = footprint_of(by_day[start // DAY], period, agreed, self._maker, clock, now)
            if footprint is not None:
                made.append(footprint)
        return made

    async def _put(self, home: str, footprints: Sequence[Footprint], *, again: bool = False) -> int:
        """Put footprints of one id into its box; return how many are new."""
        if not footprints or not self._holdings.is_member:
            return 0
        identity = self._holdings.identity(home)
        if identity is None or identity.is_gone:
            return 0
        box = await self._holdings.box(home)

        def put_all() -> int:
            return box.tell(footprints, again=again)

        count: int = await self._holdings.call(put_all)
        return count

    def _period(self, start: int, duration: int) -> Period | None:
        """Return which id tells a period; None for what is before the home was a member."""
        state = self._holdings.state
        identity = telling(state.identities, start, duration)
        if identity is None or identity.is_gone or state.withdrawn_at is not None:
            return None
        if duration not in DURATIONS or start % duration:
            _LOGGER.debug("Nothing is told of %s s from %s", duration, start)
            return None
        return Period(community=state.community, home=identity.home, start=start, duration=duration)


def cut_to(footprint: Footprint, agreed: Agreed) -> Footprint | None:
    """Return a footprint with what was agreed to and nothing more; None if nothing is left."""
    if footprint.duration < agreed.duration:
        return None
    items = tuple(item for item in footprint.items if item.flow in agreed.flows)
    if not items:
        return None
    is_clear = agreed.level is Level.CLEAR
    return replace(
        footprint,
        items=items,
        level=agreed.level,
        offset_ms=footprint.offset_ms if is_clear else None,
    )


def _around(start: int, duration: int) -> tuple[int, int]:
    """Return the period of that duration in which another one starts."""
    return (start - start % duration, duration)


def _runs(periods: Sequence[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Return periods, in order of time, as runs that fit into one question for hours."""
    runs: list[list[tuple[int, int]]] = []
    for period in sorted(periods):
        if runs and period[0] - runs[-1][0][0] < _AT_ONCE * DAY:
            runs[-1].append(period)
        else:
            runs.append([period])
    return runs
