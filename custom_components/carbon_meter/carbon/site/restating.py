"""What the audit trail tells of hours that are weighed again: the sums before and after."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..archive.archive import Archive
from ..archive.rows import AuditEntry
from ..flow.amounts import FloatArray
from ..intervals import HOUR
from . import figures as names
from .intake import runs

SITE_OWNER: Final = "site"

_CARBON: Final = (
    names.CARBON,
    names.CARBON_ANNUAL,
    names.CONSUMPTION_CARBON,
    names.EXPORT_CARBON,
    names.AVOIDED_EXPORT,
    names.AVOIDED_EXPORT_MARGINAL,
    names.TRANSMISSION,
    names.UPSTREAM,
)
"""What the audit trail tells of the site; of a meter CARBON alone."""

_NOTHING: Final = 1e-6
"""Grams that are no change."""

_ROUNDING: Final = 1e-9
"""Relative difference that is none."""

type Told = Mapping[str, FloatArray]
"""By owner: [F, H] the figures of some hours."""


@dataclass(frozen=True, kw_only=True)
class Restated:
    """Why hours are weighed again: for the audit trail."""

    reason: str
    detail: str = ""


def told(archive: Archive, hours: Sequence[int], meters: Iterable[str]) -> Told:
    """Return the carbon of some hours as it is kept now."""
    spans = runs(hours, None)
    found: dict[str, FloatArray] = {}
    for owner in (SITE_OWNER, *meters) if spans else ():
        parts = [
            archive.hourly(owner, _figures(owner), start, end).dense(start, end)
            for start, end in spans
        ]
        found[owner] = np.concatenate(parts, axis=1)
    return found


def note(
    archive: Archive, why: Restated, hours: Sequence[int], before: Told, *, now: float
) -> AuditEntry | None:
    """Add what has changed to the audit trail; nothing where no hour has.

    `before` has the owners' figures as they were; those of now are read. The sums told are
    those of the site, and of the first meter that has changed where the site has not.
    """
    after = told(archive, hours, [owner for owner in before if owner != SITE_OWNER])
    changed = [owner for owner, now_told in after.items() if _differ(before[owner], now_told)]
    if not changed:
        return None
    chosen = SITE_OWNER if SITE_OWNER in changed else changed[0]
    one, other = before[chosen].sum(axis=1).tolist(), after[chosen].sum(axis=1).tolist()
    shown = [row for row in zip(_figures(chosen), one, other, strict=True) if row[1] or row[2]]
    entry = AuditEntry(
        when=now,
        reason=why.reason,
        detail=why.detail,
        start=min(hours),
        end=max(hours) + HOUR,
        owners=tuple(changed),
        before={name: value for name, value, _ in shown},
        after={name: value for name, _, value in shown},
    )
    archive.add_audit(entry)
    return entry


def _figures(owner: str) -> Sequence[str]:
    """Return which figures the audit trail tells of an owner."""
    return _CARBON if owner == SITE_OWNER else (names.CARBON,)


def _differ(one: FloatArray, other: FloatArray) -> bool:
    """Return whether any hour is another one, beyond rounding."""
    return bool((np.abs(one - other) > _NOTHING + _ROUNDING * np.abs(one)).any())
