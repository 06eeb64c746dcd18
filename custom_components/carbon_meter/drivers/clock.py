"""The clock of all drivers: Home Assistant's."""

from homeassistant.util import dt as dt_util


def now() -> float:
    """Return seconds since 1970 UTC."""
    return dt_util.utcnow().timestamp()
