"""Moments as providers write them."""

from datetime import UTC, datetime, tzinfo
from typing import Any, Final

_EARLIEST: Final = 946_684_800.0
"""2000-01-01: what is before is a counter that was not set."""

_LATEST: Final = 4_102_444_800.0
"""2100-01-01."""


def instant(value: Any, zone: tzinfo | None = None) -> float | None:
    """Return a moment in seconds since 1970 UTC, None for what names none.

    `value` is a datetime or a text in ISO 8601. Where it has no offset it is local time of `zone`;
    without a zone it names no moment. A time that a change of clocks skips is none; of one that
    comes twice the first is meant.
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    if value.tzinfo is not None:
        return _plausible(value)
    return local_instant(value, zone) if zone is not None else None


def unix_instant(value: Any) -> float | None:
    """Return a moment that is given as seconds or milliseconds since 1970 UTC, None for others."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    moment = value / 1000 if value > 1e11 else float(value)
    return moment if _EARLIEST <= moment <= _LATEST else None


def local_instant(value: datetime, zone: tzinfo, after: float | None = None) -> float | None:
    """Return the moment at which the clocks of a zone show a time; None where they skip it.

    Of a time that they show twice the first is meant, unless that is not after `after`: in a list
    that is in order the moment before it.
    """
    for fold in (0, 1):
        moment = _plausible(value.replace(tzinfo=zone, fold=fold))
        if moment is None:
            return None
        shown = datetime.fromtimestamp(moment, zone).replace(tzinfo=None, fold=0)
        if shown != value.replace(fold=0):
            return None
        if after is None or moment > after:
            return moment
    return moment


def listed_instant(value: Any, zone: tzinfo, after: float | None) -> float | None:
    """Return a moment of a list however it is written, None for what names none.

    A time without an offset is one of `zone`; see `local_instant` for `after`.
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if isinstance(value, datetime) and value.tzinfo is None:
        return local_instant(value, zone, after)
    found = instant(value)
    return unix_instant(value) if found is None else found


def _plausible(value: datetime) -> float | None:
    try:
        moment = value.timestamp()
    except OverflowError, OSError, ValueError:
        return None
    return moment if _EARLIEST <= moment <= _LATEST else None


def utc(moment: float, form: str) -> str:
    """Return a moment in UTC in a form of `strftime`."""
    return datetime.fromtimestamp(moment, UTC).strftime(form)
