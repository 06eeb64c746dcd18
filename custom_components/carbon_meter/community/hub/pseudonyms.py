"""Ids that tell nothing, and the months for which a home takes another one."""

from datetime import date, timedelta
import secrets
from typing import Final

from ..authority.certificates import DAY
from ..ledger.calendar import Calendar, Grain

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"


def new_id() -> str:
    """Return an id that nobody else has, and that tells nothing."""
    return "h" + "".join(secrets.choice(_LETTERS) for _ in range(12))


def change_after(calendar: Calendar, now: float) -> date:
    """Return the first day of the next month for which nobody has changed yet.

    The change is made during the day before.
    """
    today = calendar.begin(calendar.date_of(int(now)))
    day = calendar.date_of(calendar.end(Grain.MONTH, calendar.month(today)))
    if calendar.begin(day) - DAY <= now:
        day = (day + timedelta(days=32)).replace(day=1)
    return day
