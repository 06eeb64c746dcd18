"""Parts, of which all that is published is made: one revision of one period of one home each."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ..contract.message import DURATIONS
from ..ledger.contributions import Contributions, Whole

type Some = NDArray[np.bool_]
"""A yes or no for each part."""

MIXED: Final = -1
"""The stratum of a part that is itself a sum over several of them."""

_QUARTER: Final = 900
_BEFORE: Final = 64
"""Quarters of an hour before its day in which a part can begin: half a day, and some more."""

_SLOT, _LENGTH, _REVISION = 9, 2, 31
"""Bits of a key below the home: when it begins, how long it is, which revision."""

_HOME: Final = _SLOT + _LENGTH + _REVISION
_QUARTERS: Final = np.array([length // _QUARTER for length in DURATIONS], dtype=np.int64)
_LONG: Final = len(DURATIONS) - 1
"""The length of a whole day."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """Arrays of one length, in ascending order of `key`."""

    key: Whole
    """Which part, as `keys` gives it."""

    home: Whole
    """A number for the home."""

    place: Whole
    wh: Whole
    mg: Whole
    carbon_free: Whole
    covered: Whole
    """Seconds measured, times 10000."""

    seconds: Whole
    periods: Whole
    is_estimated: Some
    stratum: Whole
    """A number for period, carbon intensity and whether the carbon-free part is known.

    Who knows energy and carbon of a sum, and the intensity of each stratum, can tell apart two
    strata of it; within a stratum there is nothing more to tell.
    """

    knows_free: Some
    """Whether the carbon-free part is known."""

    is_clear: Some
    """Told by a home that has consented to be seen."""

    def __len__(self) -> int:
        return len(self.key)

    def only(self, chosen: Some | NDArray[np.intp]) -> Self:
        """Return these parts alone."""
        return type(self)(**{each.name: getattr(self, each.name)[chosen] for each in fields(self)})


def parts_of(contributions: Contributions, numbers: Whole, day: int) -> Parts:
    """Return the parts of a local day.

    `numbers` are those of the homes, in the order of `contributions.names`.
    """
    here = np.flatnonzero(contributions.day == day)
    home = numbers[contributions.home[here]]
    start, duration = contributions.start[here], contributions.duration[here]
    key = keys(home, start, duration, contributions.revision[here], day)
    order = np.argsort(key)
    here, home, key = here[order], home[order], key[order]
    wh = contributions.wh[here]
    knows_free = contributions.known[here] >= wh
    # Period and length are in the key; two factors never share a number below 2^31.
    period = (key >> _REVISION) & ((1 << _SLOT + _LENGTH) - 1)
    weighed = (period << 32) | (contributions.factor[here] << 1)
    stratum = weighed | _known_like_others(weighed, wh, knows_free)
    return Parts(
        key=key,
        home=home,
        place=contributions.place[here],
        wh=wh,
        mg=contributions.mg[here],
        carbon_free=contributions.carbon_free[here],
        covered=contributions.coverage[here] * duration[order],
        seconds=duration[order],
        periods=np.ones(len(here), dtype=np.int64),
        is_estimated=contributions.is_estimated[here],
        stratum=stratum,
        knows_free=knows_free,
        is_clear=contributions.is_clear[here],
    )


def _known_like_others(weighed: Whole, wh: Whole, knows_free: Some) -> Some:
    """Return whether the carbon-free part is known; of no energy it is if others know theirs.

    Who has used nothing is with those who are weighed alike, whatever they know.
    """
    uses = wh > 0
    know = np.isin(weighed, weighed[uses & knows_free])
    return np.where(uses, knows_free, know | ~np.isin(weighed, weighed[uses]))


def keys(home: Whole, start: Whole, duration: Whole, revision: Whole, day: int) -> Whole:
    """Return a number for each part, by home first; `day` is when their local day begins."""
    slot = (start - day) // _QUARTER + _BEFORE
    length = np.searchsorted(np.array(DURATIONS), duration)
    return (
        (home << _HOME) | (slot << _LENGTH + _REVISION) | (length << _REVISION) | revision
    ).astype(np.int64)


def homes_of(key: Whole) -> Whole:
    """Return whose parts these are."""
    return key >> _HOME


def periods_of(key: Whole, day: int) -> tuple[Whole, Whole, Whole]:
    """Return start, duration and revision of parts of a day."""
    start = (_slots(key) - _BEFORE) * _QUARTER + day
    return start, np.array(DURATIONS)[_lengths(key)], key & ((1 << _REVISION) - 1)


def overlapping(key: Whole, others: Whole) -> Some:
    """Return which parts share time with another part of the same home and day."""
    result = np.zeros(len(key), dtype=np.bool_)
    if not len(key) or not len(others):
        return result
    is_long = _lengths(key) == _LONG
    result[is_long] = np.isin(homes_of(key[is_long]), homes_of(others))
    short = np.flatnonzero(~is_long)
    others_long = _lengths(others) == _LONG
    taken, _ = _quarters(others[~others_long])
    quarters, owner = _quarters(key[short])
    result[short[owner[np.isin(quarters, taken)]]] = True
    result[short] |= np.isin(homes_of(key[short]), homes_of(others[others_long]))
    return result


def corrected(key: Whole, wh: Whole, parts: Parts) -> Whole:
    """Return which parts, each of some Wh, are told otherwise by now or not at all."""
    period, now = key >> _REVISION, parts.key >> _REVISION
    here = np.minimum(np.searchsorted(now, period), max(0, len(now) - 1))
    if not len(now):
        return key
    result: Whole = key[(now[here] != period) | (parts.wh[here] != wh)]
    return result


def united(several: Sequence[Whole]) -> Whole:
    """Return the keys of all, each once and in order."""
    return np.unique(np.concatenate([np.empty(0, dtype=np.int64), *several]))


def _slots(key: Whole) -> Whole:
    return (key >> _LENGTH + _REVISION) & ((1 << _SLOT) - 1)


def _lengths(key: Whole) -> Whole:
    return (key >> _REVISION) & ((1 << _LENGTH) - 1)


def _quarters(key: Whole) -> tuple[Whole, Whole]:
    """Return home and quarter of an hour of all time of parts, and which part it is of."""
    many = _QUARTERS[_lengths(key)]
    owner = np.repeat(np.arange(len(key)), many)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(many) - many, many)
    return (homes_of(key)[owner] << _SLOT) | (_slots(key)[owner] + within), owner
