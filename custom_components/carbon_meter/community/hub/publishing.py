"""Publishing: what is decided when, and what anybody may then read.

Decisions follow a schedule, never a question: whoever asks, however often and in whatever order,
reads what was decided before and is on the disk. An hour is decided when it is no longer open and
most homes have told, again with its day, and then once a day if anything has changed; a day like
that too; a month and a year when their days are.
"""

from collections import defaultdict
from collections.abc import Callable, Container, Iterator, Mapping
from threading import Lock
from typing import Final

from ..contract.message import Flow, Kind
from ..ledger.calendar import HOUR, Grain
from ..ledger.cells import WATERMARK, CellKey, Scope, Standing, State
from ..ledger.ledger import Ledger
from ..privacy.publish import PublicCell, Reason
from ..privacy.rules import Rules
from .deciding import Decider
from .releases import Counter, Mark, Release, Releases, Series
from .settling import AGAIN, OLDEST, states

AGAIN_LONGER: Final = 3600
"""The same for months and years: they give away little that their days do not."""

MOST: Final = 0.9
"""Part of the homes that have told when a time can be decided for the first time."""

QUIET: Final = 300
"""Seconds without anything new after which it can be decided with fewer."""

PATIENCE: Final = 4 * 3600
"""Seconds after which it is decided however many come late."""

FORGET: Final = 900 * 86400
"""Seconds after which it is forgotten who was in which cell: when its year is past change."""

_GRAINS: Final = tuple(Grain)

type _Where = tuple[int, Flow, Kind]
type _Step = Callable[[], list[CellKey]]


class Publisher:
    """Decides what is published of a ledger, and gives it out.

    Every method blocks and belongs in an executor; all raise LedgerError when a file cannot be
    read or written. `finest` is the shortest time of which anything is shown: in a small
    community days show more where no hours are shown (docs/community/figures.md).
    """

    def __init__(
        self, ledger: Ledger, releases: Releases, rules: Rules, *, finest: Grain = Grain.HOUR
    ) -> None:
        """Keep ledger, releases and rules; other rules hold for what is decided from now on."""
        self._ledger = ledger
        self._releases = releases
        self._decider = Decider(ledger, releases, rules, finest)
        self._finest = finest
        self._deciding = Lock()
        self._waiting: dict[tuple[Grain, _Where], int] = {}
        """Since when a time could be decided but for the homes that are still telling."""

    def publish(self, now: float, *, go_on: Callable[[], bool] = lambda: True) -> list[CellKey]:
        """Decide all that is due; return the cells of which something else is shown now.

        Call it every hour, and after a start. It is on the disk when this returns. `go_on` is
        asked between two times: where it says no, the rest is left to the next call.
        """
        with self._deciding:
            at = int(now)
            self._fence_what_is_not_known(at)
            self._forget_withdrawn()
            self._forget_old(at)
            self._count()
            changed: list[CellKey] = []
            try:
                for due in (self._hours_and_days, self._months, self._years):
                    for step in due(at):
                        if not go_on():
                            return changed
                        changed += [key for key in step() if self._shows(key.grain)]
            finally:
                if changed:
                    # A copy of either file that was made meanwhile is an old one, too: a ledger
                    # that is one behind can be what a crash has left.
                    self._count()
                    self._count()
            return changed

    def cells(
        self,
        grain: Grain,
        begin: int,
        end: int,
        *,
        scope: Scope = Scope.COMMUNITY,
        name: str | None = None,
    ) -> list[PublicCell]:
        """Return the published cells of a scope that begin in [begin, end), suppressed ones too."""
        if not self._shows(grain):
            return []
        found = self._releases.cells(grain, begin, end, scope, self.name(scope, name))
        calendar = self._ledger.calendar
        return [
            _public(each, calendar.end(grain, each.key.begin), state)
            for each, state in zip(found, states(self._releases, calendar, found), strict=True)
        ]

    def _shows(self, grain: Grain) -> bool:
        """Return whether anything is shown of hours, days, months or years.

        Months are made of days, so those are decided as well. Hours that were shown before only
        days were wanted stay.
        """
        if self._finest in (Grain.HOUR, Grain.DAY):
            return True
        return _GRAINS.index(grain) >= _GRAINS.index(self._finest)

    def begin(self, grain: Grain, moment: int) -> int:
        """Return when the hour, day, month or year begins in which a moment lies."""
        if grain is Grain.HOUR:
            return moment - moment % HOUR
        calendar = self._ledger.calendar
        day = calendar.day(moment, 0)
        match grain:
            case Grain.MONTH:
                return calendar.month(day)
            case Grain.YEAR:
                return calendar.year(day)
            case _:
                return day

    def scopes(self) -> list[tuple[Scope, str]]:
        """Return whose cells there are: the community, feeders, groups."""
        return self._releases.scopes()

    def forget(self, home: str) -> None:
        """Delete the name of a home that has withdrawn."""
        self._releases.forget([home])

    def _forget_withdrawn(self) -> None:
        """Delete the names of homes that have withdrawn and were not forgotten: after a crash."""
        others = set(self._releases.names().values()) - set(self._ledger.homes)
        # Who has left and may come back has still what was told: it has to be known again.
        self._releases.forget([home for home in others if not self._ledger.has_told(home)])

    def _forget_old(self, now: int) -> None:
        """Delete who was in what of times that are past change.

        A clock that is wrong by years is followed by a day with each call only.
        """
        last = self._releases.count(Counter.CLOCK)
        clock = min(now, last + AGAIN) if last else now
        self._releases.keep(Counter.CLOCK, clock)
        self._releases.forget_before(self._ledger.calendar.day(clock - FORGET, 0))

    def _fence_what_is_not_known(self, now: int) -> None:
        """Where one file is older than the other, decide nothing more up to today's end.

        What was shown is not known, or of whom. One more in this file is what a crash leaves.
        """
        known, shown = self._releases.count(Counter.PUBLISHED), self._ledger.published
        if known - shown not in (0, 1):
            calendar = self._ledger.calendar
            self._releases.fence(calendar.end(Grain.DAY, calendar.day(now, 0)))
            self._releases.keep(Counter.PUBLISHED, max(known, shown))

    def _count(self) -> None:
        """Keep in both files that something more is shown, before it is."""
        times = self._releases.count(Counter.PUBLISHED) + 1
        self._releases.keep(Counter.PUBLISHED, times)
        self._ledger.published = times

    def name(self, scope: Scope, name: str | None = None) -> str:
        """Return the name of a scope; the community has its own."""
        if scope is Scope.COMMUNITY:
            return self._ledger.community
        if name is None:
            raise ValueError(f"which {scope}?")
        return name

    def _hours_and_days(self, now: int) -> Iterator[_Step]:
        """Yield what is due: new hours first, then days with their hours, the newest first."""
        calendar, since = self._ledger.calendar, now - OLDEST
        # An hour that belongs to the first day can begin before it.
        hours = self._ledger.standing(Grain.HOUR, since - HOUR)
        days = self._ledger.standing(Grain.DAY, since)
        if fence := self._releases.count(Counter.FENCE):
            days = {where: each for where, each in days.items() if where[0] >= fence}
            hours = {
                where: each
                for where, each in hours.items()
                if calendar.day(where[0], HOUR) >= fence
            }
        known_hours = self._releases.marks(Grain.HOUR, since - HOUR)
        known_days = self._releases.marks(Grain.DAY, since)
        seen: dict[_Where, dict[int | None, int]] = defaultdict(dict)
        for where, standing in days.items():
            seen[where][None] = standing.changes
        for (hour, flow, kind), standing in hours.items():
            day = calendar.day(hour, HOUR), flow, kind
            if day in seen:
                seen[day][hour] = standing.changes
        due = set()
        settled = set(self._settled(Grain.DAY, days, known_days, now))
        for where, counts in seen.items():
            counts[None] = sum(counts.values())
            mark = known_days.get(where)
            if where in settled if mark is None else _is_due(mark, counts[None], now, AGAIN):
                due.add(where)
        if self._finest is Grain.HOUR:
            for where in sorted(self._settled(Grain.HOUR, hours, known_hours, now), reverse=True):
                hour, flow, kind = where
                if (calendar.day(hour, HOUR), flow, kind) not in due:
                    yield self._hour_step((flow, kind), hour, hours[where].changes, now)
        for where in sorted(due, reverse=True):
            first, flow, kind = where
            yield self._day_step((flow, kind), first, seen[where], now)

    def _settled(
        self,
        grain: Grain,
        found: Mapping[_Where, Standing],
        known: Container[_Where],
        now: int,
    ) -> list[_Where]:
        """Return the times never decided of which most homes have told, or all that will soon.

        What is decided too early leaves out those who tell a little later for a long time.
        """
        calendar = self._ledger.calendar
        most: dict[int, int] = defaultdict(int)
        for (begin, _, _), standing in found.items():
            most[begin] = max(most[begin], standing.homes)
        waited: dict[tuple[Grain, _Where], int] = {}
        result = []
        for where, standing in found.items():
            begin = where[0]
            end = calendar.end(grain, begin)
            if where in known or end + WATERMARK > now:
                continue
            since = waited[grain, where] = self._waiting.get((grain, where), now)
            day = calendar.day(begin, HOUR) if grain is Grain.HOUR else begin
            if (
                not 0 <= now - standing.changed_at < QUIET
                or now - since >= PATIENCE
                or most[begin] >= MOST * self._decider.expected(day)
            ):
                result.append(where)
        others = {key: at for key, at in self._waiting.items() if key[0] is not grain}
        self._waiting = others | waited
        return result

    def _months(self, now: int) -> Iterator[_Step]:
        return self._longer(Grain.MONTH, Grain.DAY, now)

    def _years(self, now: int) -> Iterator[_Step]:
        return self._longer(Grain.YEAR, Grain.MONTH, now)

    def _longer(self, grain: Grain, shorter: Grain, now: int) -> Iterator[_Step]:
        """Yield the months or years that are due: what they are made of has changed."""
        calendar, since = self._ledger.calendar, now - 2 * OLDEST
        standing: dict[_Where, int] = defaultdict(int)
        for (begin, flow, kind), mark in self._releases.marks(shorter, since).items():
            first = calendar.month(begin) if grain is Grain.MONTH else calendar.year(begin)
            standing[first, flow, kind] += mark.version + 1
        known = self._releases.marks(grain, since)
        for (begin, flow, kind), seen in sorted(standing.items()):
            last = known.get((begin, flow, kind))
            is_due = last is None or _is_due(last, seen, now, AGAIN_LONGER)
            if is_due and since <= begin and calendar.end(grain, begin) + WATERMARK <= now:
                yield self._longer_step((flow, kind), grain, begin, seen, now)

    def _hour_step(self, series: Series, hour: int, seen: int, now: int) -> _Step:
        return lambda: self._decider.hour(series, hour, seen, now)

    def _day_step(self, series: Series, day: int, seen: dict[int | None, int], now: int) -> _Step:
        return lambda: self._decider.day(series, day, seen, now)

    def _longer_step(self, series: Series, grain: Grain, begin: int, seen: int, now: int) -> _Step:
        return lambda: self._decider.longer(series, grain, begin, seen, now)


def _is_due(mark: Mark, seen: int, now: int, again: int) -> bool:
    """Return whether something has changed since it was decided, a while ago."""
    # A clock that was set back does not put it off.
    return mark.seen != seen and not 0 <= now - mark.decided_at < again


def _public(release: Release, end: int, state: State) -> PublicCell:
    """Return a cell as anybody may see it."""
    if release.reason is not None:
        return PublicCell(
            key=release.key,
            end=end,
            suppressed=Reason(release.reason),
            revision=release.revision,
        )
    content = release.content
    return PublicCell(
        key=release.key,
        end=end,
        homes=release.homes,
        expected=release.expected,
        wh=content.wh,
        mg=content.mg,
        carbon_free=content.carbon_free,
        estimated=content.estimated,
        is_approximate=not content.is_exact,
        coverage=content.covered // content.seconds // 100,
        seconds=content.seconds,
        told=_told(content.seconds, release.told),
        is_current=release.is_current,
        quantiles=release.quantiles,
        revision=release.revision,
        state=state,
    )


def _told(shown: int, told: int) -> int | None:
    """Return how many percent of what was told are shown, rounded down.

    Of homes that have withdrawn since more is shown than is told: that is no part of it.
    """
    if shown > told:
        return None
    return 100 * shown // told if told else 100
