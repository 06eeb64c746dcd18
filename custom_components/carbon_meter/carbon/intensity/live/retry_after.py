"""How long a server asks to be left alone."""

from datetime import UTC
from email.utils import parsedate_to_datetime


def http_date(text: str | None) -> float | None:
    """Return the moment that an HTTP date names, in seconds since 1970 UTC; None for no date."""
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
        # The obsolete forms of RFC 9110, 5.6.7 name no zone: they are GMT too.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except ValueError, TypeError, OverflowError:
        return None


def retry_after(text: str | None, now: float) -> float | None:
    """Return the seconds in a `Retry-After` header (RFC 9110, 10.2.3), None without a usable one.

    It is a number of seconds or an HTTP date. `now` is the time by the server's own clock, so
    that a date means the same when the clocks differ.
    """
    if text is None:
        return None
    stripped = text.strip()
    if stripped.isascii() and stripped.isdigit() and len(stripped) < 10:
        return float(stripped)
    moment = http_date(stripped)
    return max(moment - now, 0.0) if moment is not None else None
