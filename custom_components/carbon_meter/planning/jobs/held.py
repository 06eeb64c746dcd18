"""What a device is told, held for a while so that no plan makes it chatter."""

from collections.abc import Callable, Mapping
import math
from typing import Any


class Held[Value]:
    """A value that changes at the most once in so many seconds."""

    def __init__(self, seconds: float) -> None:
        """Start without a value."""
        self._seconds = seconds
        self.value: Value | None = None
        self.since: float | None = None
        """When it became what it is, seconds since 1970 UTC."""

    def take(self, wanted: Value, now: float, *, at_once: bool = False) -> Value:
        """Return the value that is wanted, or the one before while that is too young.

        Where the clock has gone back the one that is wanted counts.
        """
        if self.value is None or self.since is None or at_once:
            is_free = True
        else:
            is_free = not 0.0 <= now - self.since < self._seconds
        if is_free and wanted != self.value:
            self.value, self.since = wanted, now
        assert self.value is not None  # noqa: S101  # it is free as long as there is none
        return self.value

    def forget(self) -> None:
        """Let go of the value: the next one counts at once."""
        self.value, self.since = None, None

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {"value": self.value, "since": self.since}

    def restore(self, data: Mapping[str, Any], read: Callable[[Any], Value]) -> None:
        """Take what `as_dict` gave; raises ValueError, KeyError or TypeError for anything else."""
        value, since = data["value"], data["since"]
        if value is None:
            self.forget()
        else:
            self.value, self.since = read(value), number(since)


def number(value: Any) -> float:
    """Return a finite number; raises ValueError or TypeError for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{value!r} is not a number")
    if not math.isfinite(value):
        raise ValueError(f"{value} is not finite")
    return float(value)


def number_or_none(value: Any) -> float | None:
    """Return a finite number or None; raises ValueError or TypeError for anything else."""
    return None if value is None else number(value)


def flag(value: Any) -> bool:
    """Return a truth value; raises TypeError for anything else."""
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is not a truth value")
    return value
