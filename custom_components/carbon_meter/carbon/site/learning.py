"""The efficiency of a battery of which nobody has told it, from its own counters."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from ..archive.archive import Archive
from ..intervals import HOUR
from ..supply.efficiency import estimate_efficiency
from . import figures as names
from .meters import SiteMeters

_LEARNED: Final = "learned_efficiencies"
"""Under which the archive keeps what each battery has shown, and from how many Wh."""

_CYCLES: Final = 10.0
"""Times its capacity that a battery must have given: what is in it now then matters little."""

_WIDEST: Final = 0.05
"""Most that may lie between the bounds of an efficiency."""

_LEAST: Final = 0.5
"""A battery that loses more each way is one whose meter misses something."""

_MORE: Final = 2.0
"""Times the energy from which it was learned, after which it is learned anew."""

_DAY: Final = 24 * HOUR


def learned(archive: Archive) -> dict[str, float]:
    """Return the efficiency of each direction by battery."""
    return {name: row[0] for name, row in _rows(archive).items()}


def learn(
    archive: Archive,
    meters: SiteMeters,
    capacities: Mapping[str, float | None],
    totals: Mapping[str, Mapping[str, float]],
    now: float,
) -> bool:
    """Learn from batteries that have been used enough; return whether anything is new.

    `capacities` are in Wh by battery, None where it is not known: then that of the fullest day
    stands in. `totals` are the sums of all time by owner and figure.
    """
    rows = _rows(archive)
    found: dict[str, list[float]] = {}
    for name, capacity in capacities.items():
        ways = (names.IMPORT, names.EXPORT)
        taken, given = ways[::-1] if meters.is_reversed(name) else ways
        charged = totals.get(name, {}).get(taken, 0.0)
        discharged = totals.get(name, {}).get(given, 0.0)
        if name in rows and discharged < _MORE * rows[name][1]:
            continue
        holds = capacity or _fullest_day(archive, name, given, now)
        if not holds or discharged < _CYCLES * holds:
            continue
        estimate = estimate_efficiency(charged=charged, discharged=discharged, capacity=holds)
        if (
            estimate is not None
            and estimate.high - estimate.low <= _WIDEST
            and estimate.one_way >= _LEAST
        ):
            found[name] = [estimate.one_way, discharged]
    if found:
        archive.put(_LEARNED, rows | found)
    return bool(found)


def _rows(archive: Archive) -> dict[str, list[float]]:
    """Return efficiency and discharged Wh by battery."""
    kept: Any = archive.get(_LEARNED)
    return dict(kept) if isinstance(kept, dict) else {}


def _fullest_day(archive: Archive, name: str, given: str, now: float) -> float:
    """Return the most Wh that a battery has given in a day."""
    first = archive.first_hour()
    if first is None:
        return 0.0
    start, end = first - first % _DAY, int(now // _DAY + 1) * _DAY
    series = archive.hourly(name, [given], start, max(start, end))
    if not len(series.hours):
        return 0.0
    return float(np.bincount((series.hours - start) // _DAY, weights=series.values[0]).max())
