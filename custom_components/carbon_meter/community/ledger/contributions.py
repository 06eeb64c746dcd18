"""Who has told what: the parts of which cells are made, for deciding what may be published."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
import sqlite3
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.message import Flow, Kind, Level
from . import statements

type Whole = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Contributions:
    """One row for each period of each home: arrays of one length."""

    flow: Flow
    kind: Kind
    home: Whole
    """A number for the home, the same in every answer."""

    part: Whole
    """A number for home, period and revision: another revision is another part."""

    hour: Whole
    """When the hour begins in which it lies, -1 for a period of a day."""

    day: Whole
    """When its local day begins."""

    place: Whole
    wh: Whole
    estimated: NDArray[np.bool_]
    """Estimated or substituted."""

    factor: Whole
    """A number for the carbon intensity that weighed it."""

    clear: NDArray[np.bool_]
    """Told by a home that shows itself."""

    scopes: Mapping[int, tuple[tuple[str, str], ...]]
    """By place its scopes, each with its name."""


def gather(
    connection: sqlite3.Connection,
    community: str,
    scopes: Mapping[int, tuple[tuple[str, str], ...]],
    days: tuple[int, int],
    series: tuple[Flow, Kind],
) -> Contributions:
    """Return the parts of a flow in the local days that begin in [first, last) of `days`."""
    begin, end = days
    flow, kind = series
    rows: list[tuple[Any, ...]] = connection.execute(
        statements.CONTRIBUTIONS,
        (community, begin - 86400, end + 86400, begin, end, flow, kind),
    ).fetchall()
    homes, starts, durations, revisions, hours, local, places, wh, qualities, factors, levels = (
        zip(*rows, strict=True) if rows else ((),) * 11
    )
    numbers = {home: _number(home) for home in set(homes)}
    return Contributions(
        flow=flow,
        kind=kind,
        home=np.array([numbers[home] for home in homes], dtype=np.int64),
        part=np.array(
            [
                _number(f"{home} {start} {duration} {revision}")
                for home, start, duration, revision in zip(
                    homes, starts, durations, revisions, strict=True
                )
            ],
            dtype=np.int64,
        ),
        hour=np.array(hours, dtype=np.int64),
        day=np.array(local, dtype=np.int64),
        place=np.array(places, dtype=np.int64),
        wh=np.array(wh, dtype=np.int64),
        estimated=np.array(qualities, dtype=np.int64) > 0,
        factor=np.array(factors, dtype=np.int64),
        clear=np.array([level == Level.CLEAR for level in levels], dtype=np.bool_),
        scopes=dict(scopes),
    )


def _number(text: str) -> int:
    """Return 64 bits for a text; two of ten million texts meet in one of 400,000 cases."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), signed=True)
