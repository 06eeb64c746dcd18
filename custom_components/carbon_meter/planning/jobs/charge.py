"""An electric car, from when it is plugged in until it leaves.

What must be and what would be nice are both due at the next departure, the next trip of the
calendar or else the time of day. Later trips are times in which nothing can be charged and no
needs of their own: what a trip takes nobody knows, and what would be nice by a later one would be
put off again with each new forecast.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, tzinfo
import math
from typing import Any, Final

from ...carbon.flow.amounts import ImpossibleAmountError, amount
from ..charging import Charger, Connection, Kind, Need
from ..loads import ChargeLoad
from ..plan import Piece
from .departures import Departures
from .held import flag, number, number_or_none
from .job import Around, Planned, Seen, Target
from .taken import Course, Finished, power_of
from .tasks import MovableTask
from .times import TimesOfDay, is_moment, moment_or_none, quiet_within

_ENOUGH: Final = 50.0
"""Wh that are not worth a plan."""

_SUNK: Final = 2.0
"""Per cent below its target to which a full car has to sink before it is charged again."""

_OFF: Final = 2.0
"""Per cent by which a level that is read is another than expected, so that a plan is needed."""

_OUT: Final = 120.0
"""Seconds after which what was unplugged has left."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChargeSettings:
    """What a car needs by when.

    With a `capacity` in Wh and a level that is known, `target`, `must` and `at_once` in per cent
    count: what would be nice, what must be, and below what it is charged at once. Without, it is
    `energy` and `must_energy`, in Wh from the charger each time that it is plugged in; where that
    is not told, or 0, the car counts as empty until its level is known. Raises
    ImpossibleAmountError for numbers that cannot be.
    """

    charger: Charger
    ready_by: time
    zone: tzinfo
    capacity: float | None = None
    target: float = 80.0
    must: float = 0.0
    at_once: float = 0.0
    energy: float | None = None
    must_energy: float = 0.0
    efficiency: float = 0.9
    """The part of the energy that gets into the car, above 0 to 1."""

    quiet: TimesOfDay | None = None
    name: str = ""
    """What it is called in plans."""

    def __post_init__(self) -> None:
        """Refuse what no car has."""
        for name in ("target", "must", "at_once"):
            if amount(name, getattr(self, name)) > 100.0:
                raise ImpossibleAmountError(name, "there are 100 per cent")
        for name in ("capacity", "energy", "must_energy"):
            amount(name, getattr(self, name) or 0.0)
        if not 0.0 < amount("efficiency", self.efficiency) <= 1.0:
            raise ImpossibleAmountError("efficiency", "some of the energy gets into the car")


@dataclass(frozen=True, kw_only=True, slots=True)
class Wants:
    """What a car still needs from the charger, in Wh."""

    nice: float
    """With what must be."""

    must: float
    """With what is needed at once."""

    at_once: float = 0.0


class ChargeJob:
    """The sessions of a car; see `Job`. `settings` may be exchanged at any time.

    A car whose connection nobody tells is always there, and has a session each day until its time
    of departure.
    """

    def __init__(self, settings: ChargeSettings) -> None:
        """Start with nothing known."""
        self.settings = settings
        self._connected: bool | None = None
        self._unplugged: float | None = None
        self._departure: float | None = None
        self._departures = Departures()
        self._level: float | None = None
        self._read: float | None = None
        self._since_level = 0.0
        self._delivered = 0.0
        self._is_full = False
        self._last: float | None = None
        self._told = 0.0
        self._is_observed = False
        self._course = Course()
        self._finished = Finished()

    @property
    def is_connected(self) -> bool:
        """Return whether it can be charged; where nobody tells, it can."""
        return self._connected is not False

    @property
    def departure(self) -> float | None:
        """Return when it leaves, None where it is away or nothing was seen yet."""
        return self._departure if self.is_connected else None

    @property
    def delivered(self) -> float:
        """Return the Wh that the charger has given since it was plugged in."""
        return self._delivered

    @property
    def level(self) -> float | None:
        """Return its content in per cent: what was read, and what was charged since it changed."""
        settings = self.settings
        if self._level is None or not settings.capacity:
            return self._level
        added = self._since_level * settings.efficiency / settings.capacity * 100.0
        return min(100.0, self._level + added)

    def leave_at(self, departure: float | None) -> None:
        """Let it leave at a moment this time, whatever its trips say; None takes that back.

        Raises ValueError for what is no moment.
        """
        self._departures.once = moment_or_none(departure)
        if self._last is not None and self.is_connected and not self._is_late:
            self._departure = self._next(self._last)

    def wants(self) -> Wants:
        """Return what it still needs."""
        settings = self.settings
        level = self.level
        if self._is_full or (level is not None and level >= self._full_level):
            return Wants(nice=0.0, must=0.0)
        if settings.capacity and (level is not None or not settings.energy):
            return self._by_level(settings.capacity, level)
        if level is not None and level >= settings.must:
            must = 0.0
        else:
            must = max(0.0, settings.must_energy - self._delivered)
        return Wants(nice=max(must, (settings.energy or 0.0) - self._delivered), must=must)

    def _by_level(self, capacity: float, level: float | None) -> Wants:
        """Return what it needs by its level; one that is not known is none."""
        settings = self.settings
        percent = capacity / settings.efficiency / 100.0
        least = settings.must
        at_once, charged = 0.0, self._delivered / percent
        if level is not None:
            least, charged = max(least, settings.at_once), level
            at_once = max(0.0, settings.at_once - level) * percent
        return Wants(
            nice=max(0.0, self._full_level - charged) * percent,
            must=max(0.0, least - charged) * percent,
            at_once=at_once,
        )

    @property
    def _full_level(self) -> float:
        """Return the per cent at which nothing more is wanted."""
        return max(self.settings.target, self.settings.must, self.settings.at_once)

    # What is seen

    def see(self, seen: Seen) -> bool:
        """Take what is seen of it; return whether a new plan is needed.

        It is when the car comes or goes, when its level is not what was expected, when its trips
        change, when it should have left, and when it has what it needs.
        """
        now = seen.moment
        if not is_moment(now):
            return False
        before = self._outline()
        self._departures.take(seen.stretches)
        self._take_power(seen)
        self._plug(now, seen.is_wanted)
        is_off = self._read_level(seen.level)
        self._last = now
        self._leave(now)
        return is_off or before != self._outline()

    def _outline(self) -> tuple[Any, ...]:
        """Return what a plan stands and falls with."""
        wants = self.wants()
        return (
            self._connected,
            self._departure,
            self._is_late,
            self._departures.trips,
            wants.nice > _ENOUGH,
            wants.must > _ENOUGH,
            wants.at_once > 0.0,
        )

    @property
    def _is_late(self) -> bool:
        """Return whether it is still there after its departure."""
        return self._departure is not None and (self._last or 0.0) >= self._departure

    def _take_power(self, seen: Seen) -> None:
        """Count what it is given; where nothing was ever seen of that, what it was told."""
        power = power_of(seen, self._told or self.settings.charger.most)
        if power is not None:
            self._is_observed = True
        elif not self._is_observed:
            power = self._told if self.is_connected else 0.0
        added = self._course.see(seen.moment, None if power is None else max(0.0, power))
        self._delivered += added
        self._since_level += added

    def _plug(self, now: float, is_connected: bool | None) -> None:
        """Take whether it is plugged in: that begins a session, and ends one.

        What is out for a moment only goes on: contacts bounce, and chargers start anew.
        """
        if self._unplugged is not None and not 0.0 <= now - self._unplugged < _OUT:
            self._finished.put(self._course.take())
            self._unplugged = self._departures.once = None
        if is_connected is None or is_connected is self._connected:
            return
        if not is_connected:
            self._unplugged = now
        elif self._unplugged is None:
            self._begin()
        else:
            self._unplugged = None
        self._connected = is_connected

    def _begin(self) -> None:
        """Begin a session, of which nothing is known yet."""
        self._course.take()
        self._delivered = self._since_level = 0.0
        self._level = self._read = self._departure = None
        self._is_full = False

    def _read_level(self, level: float | None) -> bool:
        """Take a level in per cent; return whether another one was expected."""
        is_off = False
        if level is not None and 0.0 <= level <= 100.0 and level != self._read:
            expected = self.level
            self._level = self._read = level
            self._since_level = 0.0
            is_off = expected is None or abs(level - expected) >= _OFF
        known = self.level
        if known is not None:
            sunk = self._full_level - _SUNK
            self._is_full = known >= (sunk if self._is_full else self._full_level)
        return is_off

    def _leave(self, now: float) -> None:
        """Find the next departure; one that is past holds until the car has what it must have."""
        if not self.is_connected:
            self._departure = None if self._unplugged is None else self._departure
            return
        if self._departure is not None and now >= self._departure:
            if self.wants().must > _ENOUGH:
                return
            if self._connected is None:
                self._finished.put(self._course.take())
                self._begin()
        self._departure = self._next(now)

    def _next(self, now: float) -> float:
        """Return when it leaves next."""
        return self._departures.next(now, self.settings.ready_by, self.settings.zone)

    # What it has to do

    def task(self, now: float, around: Around) -> MovableTask | None:
        """Return what it still needs by its departure, None where that is nothing.

        After its departure what must be is due as soon as it can be, and the rest at the next.
        """
        wants, settings = self.wants(), self.settings
        if not self.is_connected or wants.nice <= _ENOUGH:
            return None
        departure = self._departure or self._next(now)
        seconds = wants.must / settings.charger.most * 3600.0
        due = last = departure
        if departure <= now:
            due, last = now + seconds + 1.0, max(self._next(now), now + seconds + 1.0)
        needs = (
            Need(energy=wants.must, deadline=due),
            Need(energy=wants.nice - wants.must, deadline=last, kind=Kind.NICE),
        )
        connection = Connection(
            start=now,
            charger=settings.charger,
            now=wants.at_once,
            away=self._departures.away(now, is_here=bool(self._connected)),
            quiet=quiet_within(now, last, settings.quiet, settings.zone),
        )
        return MovableTask(
            load=ChargeLoad(
                name=settings.name,
                connection=connection,
                needs=tuple(need for need in needs if need.energy > 0.0),
            ),
            start=now,
            deadline=departure if wants.must > _ENOUGH else None,
            run_time=seconds,
        )

    def target(self, planned: Planned | None, now: float) -> Target:
        """Return the power that it should be given now."""
        wants = self.wants()
        if not self.is_connected or wants.nice <= _ENOUGH:
            power = 0.0
        elif planned is not None:
            power = planned.plan.power_at(now)
        elif wants.at_once > 0.0:
            power = self.settings.charger.most
        else:
            self._told = 0.0
            return Target()
        self._told = power
        return Target(run=power > 0.0, power=power)

    def done(self) -> tuple[Piece, ...] | None:
        """Return what it was given in a session that is over, once; None for none."""
        return self._finished.take()

    # What survives a restart

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {
            "connected": self._connected,
            "unplugged": self._unplugged,
            "departure": self._departure,
            "departures": self._departures.as_dict(),
            "level": self._level,
            "read": self._read,
            "since_level": self._since_level,
            "delivered": self._delivered,
            "is_full": self._is_full,
            "last": self._last,
            "told": self._told,
            "is_observed": self._is_observed,
            "course": self._course.as_dict(),
            "finished": self._finished.as_list(),
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take what `as_dict` gave; raises ValueError, KeyError or TypeError for anything else."""
        new = ChargeJob(self.settings)
        new._connected = None if data["connected"] is None else flag(data["connected"])
        new._unplugged = moment_or_none(data["unplugged"])
        new._departure = moment_or_none(data["departure"])
        new._departures.restore(data["departures"])
        new._level = number_or_none(data["level"])
        new._read = number_or_none(data["read"])
        new._since_level = number(data["since_level"])
        new._delivered = number(data["delivered"])
        new._is_full = flag(data["is_full"])
        new._last = moment_or_none(data["last"])
        new._told = number(data["told"])
        new._is_observed = flag(data["is_observed"])
        new._course.restore(data["course"])
        new._finished.restore(data["finished"])
        self.__dict__.update(new.__dict__)


def amperes(power: float, phases: int, volts: float) -> int:
    """Return the whole amperes of each phase that give a power in W, or the most below it."""
    return math.floor(power / (phases * volts) + 1e-6)
