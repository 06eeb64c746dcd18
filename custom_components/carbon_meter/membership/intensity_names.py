"""What a community is told of where an intensity comes from: nothing that names the home.

The ids of sources hold entities and topics of the home. Outside it counts who says the figure,
of which zone, and in which version.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..carbon.archive.rows import UNKNOWN_GRADE
from ..carbon.flow.amounts import FloatArray
from ..carbon.grade import BEST_FIRST, Grade
from ..carbon.intervals import HOUR, INTERVAL
from ..community.contract.message import Kind
from ..community.member.figures import Intensity

YEAR: Final = 365 * 86400
"""Seconds for which a yearly factor stands."""

UNKNOWN: Final = "unknown"
"""In place of a text that nobody has told."""

_OF_THE_HOME: Final = frozenset({"broken", "entity", "topic"})
"""Kinds of sources whose ids go on with a name out of the home."""

_OF_A_TABLE: Final = 2
"""Parts that the id of a yearly factor has after its first at least: table and zone."""

_STEPS: Final = (3, 6, 12)
"""Intervals of a quarter, of half an hour and of an hour."""


def origin_of(
    value: FloatArray,
    grade: NDArray[np.uint8],
    source: Sequence[str],
    energy: FloatArray,
    zone: str,
) -> Intensity:
    """Return where the intensity of an hour comes from: what told it for most of the energy.

    All are of its twelve intervals; without energy it is what told most of the hour. `zone` stands
    where the source names none.
    """
    known = grade != UNKNOWN_GRADE
    if not known.any():
        return intensity(UNKNOWN, zone, UNKNOWN, HOUR)
    weights = np.where(known, energy + (not energy[known].any()), 0.0)
    names, places = np.unique(np.asarray(source, dtype=str), return_inverse=True)
    most = int(np.bincount(places, weights=weights).argmax())
    told = known & (places == most)
    worst = BEST_FIRST[int(grade[told].max())]
    return _named(str(names[most]), worst, _resolution(value, worst), zone)


def intensity(source: str, zone: str, version: str, resolution: int) -> Intensity:
    """Return an average intensity as messages name it."""
    return Intensity(
        source=source, zone=zone, kind=Kind.AVERAGE, version=version, resolution=resolution
    )


def _named(told: str, grade: Grade, resolution: int, zone: str) -> Intensity:
    """Return the name of a source out of its id: `kind:zone`, with its table where it has one."""
    kind, *rest = told.split(":")
    table = ""
    if kind == "library" and len(rest) >= _OF_A_TABLE:
        kind, zone, table = rest[0], rest[1], ":".join(rest[2:])
    elif kind not in _OF_THE_HOME and rest:
        zone, table = rest[0], ":".join(rest[1:])
    return intensity(kind, zone, f"{table}/{grade}" if table else grade.value, resolution)


def _resolution(value: FloatArray, grade: Grade) -> int:
    """Return for how many seconds one value stands, as the values of an hour show it."""
    if grade is Grade.YEARLY:
        return YEAR
    turns = np.flatnonzero(~np.isclose(value[1:], value[:-1], rtol=1e-9, atol=0.0)) + 1
    fitting = [step for step in _STEPS if not (turns % step).any()]
    return max(fitting, default=1) * INTERVAL
