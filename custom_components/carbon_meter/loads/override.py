"""The user takes over from the plan of a load, for some hours."""

from typing import Any, Final

from .units import number_of

OVERRIDE_HOURS: Final = 4.0
"""h that an override lasts where nothing is told."""

_LONGEST: Final = 24.0
"""h."""


def end_of_override(
    now: float, hours: float | None, told: Any, deadline: float | None
) -> float | None:
    """Return until when an override lasts that begins now, None where it ends one.

    Without `hours` it lasts as long as the settings have `told`. It ends at the deadline at the
    latest: what must be done by then is done after all.
    """
    if hours is None:
        settings = number_of(told)
        hours = OVERRIDE_HOURS if settings is None else settings
    until = now + min(hours, _LONGEST) * 3600.0
    if deadline is not None and deadline > now:
        until = min(until, deadline)
    return until if until > now else None
