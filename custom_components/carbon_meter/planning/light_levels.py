"""How bright a lamp should be: what it was before, what it was set to, and who changed it since."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

FULL: Final = 255
"""The brightest level of a lamp."""

_SAME: Final = 4
"""Levels by which a lamp may tell another one than it was given: many know a hundred steps."""

_PATIENCE: Final = 15.0
"""Seconds after a transition in which a lamp still may tell a level on the way."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Dimmed:
    """What is known of a lamp that was dimmed, or is on its way back."""

    before: int
    """Its level before, 1 to 255: what it is given back."""

    given: int
    """The level that it was given last."""

    start: int
    """The level that it had at that moment."""

    at: float
    """When, in seconds since 1970 UTC."""

    transition: float
    """Seconds in which it goes there."""

    is_released: bool = False
    """Whether somebody has set it to another level since: it is left alone."""

    is_returning: bool = False
    """Whether it was given its level back, and is not there yet."""

    def is_settled(self, now: float) -> bool:
        """Return whether it should have arrived."""
        return now >= self.at + self.transition + _PATIENCE

    def is_kept(self, level: int, now: float) -> bool:
        """Return whether a lamp has the level that it was given, or is on its way there."""
        if abs(level - self.given) <= _SAME:
            return True
        low, high = sorted((self.start, self.given))
        return not self.is_settled(now) and low - _SAME <= level <= high + _SAME

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {
            "before": self.before,
            "given": self.given,
            "start": self.start,
            "at": self.at,
            "transition": self.transition,
            "is_released": self.is_released,
            "is_returning": self.is_returning,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return what `as_dict` gave; raises KeyError, TypeError or ValueError for other data."""
        before, given, start = (int(data[key]) for key in ("before", "given", "start"))
        if not all(1 <= level <= FULL for level in (before, given, start)):
            raise ValueError("a level is not between 1 and 255")
        return cls(
            before=before,
            given=given,
            start=start,
            at=float(data["at"]),
            transition=float(data["transition"]),
            is_released=bool(data["is_released"]),
            is_returning=bool(data["is_returning"]),
        )


def dimmed(
    known: Dimmed | None, level: int | None, share: float, *, transition: float, now: float
) -> Dimmed | None:
    """Return what is known of a lamp that is to be dimmed to a share of its own level.

    `known` is what was known of it, `level` what it tells (None: it is off), `share` a part of 1.
    Something new that is not released has to be given to it; None is nothing to remember.
    """
    if level is None or (known is not None and known.is_released):
        return known
    before = level
    if known is not None and known.is_returning:
        if not known.is_settled(now) and known.is_kept(level, now):
            # On its way back: what it tells is not its own level.
            before = known.before
    elif known is not None:
        if not known.is_kept(level, now):
            return replace(known, is_released=True)
        if abs(_part(known.before, share) - known.given) <= _SAME:
            return known
        before = known.before
    return _given(before, share, level, transition, now)


def _part(before: int, share: float) -> int:
    return max(1, round(before * share))


def _given(before: int, share: float, level: int, transition: float, now: float) -> Dimmed | None:
    """Return a lamp that is given a share of its level; None where that is no difference."""
    given = _part(before, share)
    if abs(given - level) <= _SAME and abs(given - before) <= _SAME:
        return None
    return Dimmed(before=before, given=given, start=level, at=now, transition=transition)


def restored(
    known: Dimmed | None, level: int | None, *, transition: float, now: float
) -> Dimmed | None:
    """Return what is known of a lamp that is to have its own level again.

    One that is off gets it when it is on. Something new has to be given to it; None is nothing
    to remember.
    """
    if known is None or known.is_released:
        return None
    if known.is_returning:
        return None if known.is_settled(now) else known
    if level is None:
        return known
    if not known.is_kept(level, now):
        return None
    return Dimmed(
        before=known.before,
        given=known.before,
        start=level,
        at=now,
        transition=transition,
        is_returning=True,
    )
