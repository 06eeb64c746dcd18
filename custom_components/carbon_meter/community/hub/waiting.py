"""What a day could not show and a month may: by home and place, over all days of the month."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from ..ledger.calendar import Grain
from ..ledger.contributions import Whole
from ..ledger.ledger import Ledger
from ..privacy.parts import MIXED, Parts, homes_of, periods_of
from .packing import Bucket
from .releases import Counter, Releases, Series

_PLACE: Final = 42
"""Bits of the key of what a home has in a longer time: its place."""


def waiting_days(releases: Releases, series: Series, begin: int, end: int) -> dict[int, Bucket]:
    """Return the days in [begin, end) of which something waits."""
    since = max(begin, releases.count(Counter.FENCE))
    return {
        day: bucket
        for day, flow, kind in releases.marks(Grain.DAY, since)
        if (flow, kind) == series and day < end
        if (bucket := releases.bucket(series, Grain.DAY, day)) is not None and len(bucket.waiting)
    }


def units_of(
    ledger: Ledger, releases: Releases, series: Series, waiting: Mapping[int, Bucket]
) -> tuple[Parts, dict[int, Whole]]:
    """Return what waits, by home and place, and of each waiting part to which that belongs."""
    names = releases.names()
    units: dict[int, list[int]] = {}
    origin: dict[int, Whole] = {}
    for day, bucket in waiting.items():
        numbers = homes_of(bucket.waiting).tolist()
        periods = zip(*(each.tolist() for each in periods_of(bucket.waiting, day)), strict=True)
        asked = [
            (names.get(number, ""), *period)
            for number, period in zip(numbers, periods, strict=True)
        ]
        belongs = np.full(len(asked), -1, dtype=np.int64)
        for row, (number, part, found) in enumerate(
            zip(numbers, asked, ledger.look_up(asked, *series), strict=True)
        ):
            if found is None:
                continue
            place, wh, coverage, is_estimated, is_clear = found
            belongs[row] = key = number << _PLACE | place
            unit = units.setdefault(key, [0, 0, 0, 0, 0, 1])
            for column, amount in enumerate((wh, part[2], coverage * part[2], 1, is_estimated)):
                unit[column] += amount
            unit[5] &= is_clear
        origin[day] = belongs
    key = np.array(sorted(units), dtype=np.int64)
    columns = np.array([units[each] for each in key.tolist()], dtype=np.int64).reshape(-1, 6).T
    nothing = np.zeros(len(key), dtype=np.int64)
    return Parts(
        key=key,
        home=key >> _PLACE,
        place=key & ((1 << _PLACE) - 1),
        wh=columns[0],
        mg=nothing,
        carbon_free=nothing,
        covered=columns[2],
        seconds=columns[1],
        periods=columns[3],
        is_estimated=columns[4] > 0,
        stratum=np.full(len(key), MIXED, dtype=np.int64),
        knows_free=nothing > 0,
        is_clear=columns[5] > 0,
    ), origin
