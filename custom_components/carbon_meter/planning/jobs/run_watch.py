"""Whether an appliance runs: from its power, from its switch, or from what it was told."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from ..block import Profile
from ..plan import Piece
from .held import flag
from .job import Seen
from .taken import GAP, Course, measured_power
from .times import moment_or_none

_RISEN: Final = 60.0
"""Seconds above the standby power that are a run: less is a lamp or a pump."""

_DOWN: Final = 1800.0
"""Seconds at standby power that end a run.

Washing machines pause between phases, dishwashers dry for half an hour with the power of a lamp
and pump out after that.
"""

_EMPTIED: Final = 600.0
"""Seconds at standby power after which what is said to be ready has been filled again."""

_CLOSE: Final = 120.0
"""Seconds between two readings of which nothing was missed."""

_LONGER: Final = 1.5
"""Profiles after which a run that nobody saw end is taken to have ended."""

_LONGEST: Final = 2.0
"""Profiles after which a run is finished, even if the power is still up."""

UNCONFIRMED: Final = 300.0
"""Seconds after which a start that nobody sees is doubted."""


class Turn(StrEnum):
    """What a run does."""

    BEGINS = "begins"
    ENDS = "ends"


class RunWatch:
    """Watches for one run at a time, from when it begins until it has ended."""

    def __init__(self) -> None:
        """Start without a run."""
        self.started: float | None = None
        """When the run that goes on has begun, seconds since 1970 UTC."""

        self._up_since: float | None = None
        self._last_up: float | None = None
        self._down_since: float | None = None
        self._last_seen: float | None = None
        self._was_on: bool | None = None
        self._measured: float | None = None
        self._is_down = False
        self._course = Course()

    @property
    def is_rising(self) -> bool:
        """Return whether its power is up, but not for long enough to be a run."""
        return self.started is None and self._up_since is not None

    @property
    def is_on_unmeasured(self) -> bool:
        """Return whether it is switched on, and nobody knows whether it runs."""
        return bool(self._was_on) and self._measured is None

    def see(self, seen: Seen, profile: Profile, standby: float, told: float | None) -> Turn | None:
        """Take what is seen of it; return whether a run begins or ends.

        `profile` is that of a run, `standby` the W up to which it does not run, and `told` since
        when it is told to run.
        """
        now, power = seen.moment, measured_power(seen)
        if self.started is None:
            turn = self._before(seen, power, standby, told)
        else:
            turn = self._during(seen, power, profile, standby)
        if power is not None:
            self._measured = now
        if power is not None or seen.is_on is not None:
            self._last_seen = now
        if seen.is_on is not None:
            self._was_on = seen.is_on
        return turn

    def set_back(self, now: float) -> None:
        """Keep moments of the past in the past where the clock has gone back."""
        for name in ("started", "_up_since", "_last_up", "_down_since", "_measured", "_last_seen"):
            moment = getattr(self, name)
            setattr(self, name, None if moment is None else min(moment, now))

    def is_nearly_over(self, now: float) -> bool:
        """Return whether a run shows no power any more, and may be finished for that."""
        return self._is_down and self._last_up is not None and now - self._last_up >= _EMPTIED

    def end(self, now: float, profile: Profile) -> tuple[Piece, ...]:
        """End the run; return what it took: by its profile where nobody has measured it."""
        pieces = self._course.take()
        if self._last_up is None and self.started is not None:
            end = min(now, self.started + profile.duration)
            pieces = tuple(
                Piece(piece.start, min(piece.end, end), piece.power)
                for piece in profile.at(self.started)
                if piece.start < end
            )
        self.forget()
        return pieces

    def forget(self) -> None:
        """Let go of a run that goes on, or seems to begin."""
        self.started = self._up_since = self._last_up = self._down_since = None
        self._course, self._is_down = Course(), False

    def _before(
        self, seen: Seen, power: float | None, standby: float, told: float | None
    ) -> Turn | None:
        """Look whether a run begins."""
        now = seen.moment
        if power is not None:
            return self._rise(now, power, is_up=power > standby)
        if seen.is_on is None:
            # What was never seen has begun when it was told to; what was seen before is waited for.
            last = self._last_seen
            if told is None or (last is not None and not _is_old(max(told, last), now)):
                return None
            return self._begin(told)
        # A socket that is on says nothing of a run that was not told, and a meter says more.
        if (
            told is None
            or not seen.is_on
            or (self._measured is not None and not _is_old(told, now))
        ):
            return None
        return self._begin(told if self._was_on else now)

    def _rise(self, now: float, power: float, *, is_up: bool) -> Turn | None:
        """Take a measured power: a minute above standby is a run."""
        if not is_up:
            self._up_since = self._last_up = None
            return None
        if self._up_since is None or self._last_up is None or now - self._last_up > GAP:
            self._up_since, self._course = now, Course()
        self._last_up = now
        self._course.see(now, power)
        if now - self._up_since < _RISEN:
            return None
        self.started, self._up_since = self._up_since, None
        return Turn.BEGINS

    def _begin(self, started: float) -> Turn:
        self.started, self._up_since, self._last_up = started, None, None
        self._course = Course()
        return Turn.BEGINS

    def _during(
        self, seen: Seen, power: float | None, profile: Profile, standby: float
    ) -> Turn | None:
        """Look whether a run ends."""
        now, started = seen.moment, self.started or seen.moment
        self._course.see(now, power)
        if power is not None:
            self._take(now, is_up=power > standby)
        ran = now - started
        if self._last_up is None:
            is_off = power is None and seen.is_on is False and self._was_on is True
            # A meter that tells nothing now may tell of a run that lasts longer.
            longer = 1.0 if self._measured is None else _LONGER
            return Turn.ENDS if is_off or ran >= longer * profile.duration else None
        is_long = ran >= max(_LONGEST * profile.duration, profile.duration + _DOWN)
        is_silent = now - self._last_up >= _DOWN
        # Of a gap nobody knows whether it was silent: the pause of a run may have begun just now.
        since = self._down_since
        is_seen = power is not None and since is not None and now - since >= _DOWN
        is_over = is_silent and ran >= _LONGER * profile.duration
        return Turn.ENDS if is_long or is_seen or is_over else None

    def _take(self, now: float, *, is_up: bool) -> None:
        """Take whether the power of a run is up, or since when it is seen to be down."""
        is_gap = self._measured is None or now - self._measured > GAP
        self._is_down = not is_up
        if is_up:
            self._last_up, self._down_since = now, None
        elif is_gap:
            self._down_since = now
        elif self._down_since is None:
            last = self._last_up
            self._down_since = now if last is None or now - last > _CLOSE else last

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {
            "started": self.started,
            "up_since": self._up_since,
            "last_up": self._last_up,
            "down_since": self._down_since,
            "last_seen": self._last_seen,
            "was_on": self._was_on,
            "measured": self._measured,
            "is_down": self._is_down,
            "course": self._course.as_dict(),
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take what `as_dict` gave; raises ValueError, KeyError or TypeError for anything else."""
        new = RunWatch()
        new.started = moment_or_none(data["started"])
        new._up_since = moment_or_none(data["up_since"])
        new._last_up = moment_or_none(data["last_up"])
        new._down_since = moment_or_none(data["down_since"])
        new._last_seen = moment_or_none(data["last_seen"])
        new._was_on = None if data["was_on"] is None else flag(data["was_on"])
        new._measured = moment_or_none(data["measured"])
        new._is_down = flag(data["is_down"])
        new._course.restore(data["course"])
        self.__dict__.update(new.__dict__)


def _is_old(moment: float, now: float) -> bool:
    return now - moment >= UNCONFIRMED
