"""What a bucket has given away, packed for the disk: who was in which class, never an energy.

Numbers of homes, times and revisions follow each other regularly, so that the differences shrink
to some hundred bytes for ten thousand homes. The sums of the classes are what was published.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
import json
import struct
from typing import Any, Final
import zlib

import numpy as np

from ..ledger.contributions import Whole
from ..privacy.given import NOBODY, Given
from ..privacy.sums import ClassSums

_LENGTH: Final = struct.Struct("<I")
_REST: Final = 42
"""Bits of a key below the home."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bucket:
    """What a bucket has given away, and what of it waits."""

    given: Given = field(default_factory=Given)
    waiting: Whole = field(default_factory=NOBODY.copy)
    """Parts that were not shown: a longer time may have enough of them."""

    taken: Whole = field(default_factory=NOBODY.copy)
    """Parts that were shown in a month alone."""

    tried: Whole = field(default_factory=NOBODY.copy)
    """Parts that were not shown though they might have been: corrected, they stay so."""

    barred: Whole = field(default_factory=NOBODY.copy)
    """Those of them that were ever told otherwise, or not at all: they stay hidden for good."""


def packed(bucket: Bucket) -> bytes:
    """Return a bucket for the disk."""
    given = bucket.given
    head = {
        "classes": {number: sums.row() for number, sums in given.classes.items()},
        "holds": [[*scope, list(held)] for scope, held in given.holds.items()],
    }
    columns = [
        *_split(given.key),
        given.label.astype("<u4"),
        *_split(bucket.waiting),
        *_split(bucket.taken),
        *_split(bucket.tried),
        *_split(bucket.barred),
    ]
    pieces = [json.dumps(head, separators=(",", ":")).encode()]
    pieces += [column.tobytes() for column in columns]
    return zlib.compress(b"".join(_LENGTH.pack(len(piece)) + piece for piece in pieces), 6)


def unpacked(data: bytes) -> Bucket:
    """Return what was packed."""
    rest = memoryview(zlib.decompress(data))
    pieces = []
    while rest:
        (length,) = _LENGTH.unpack_from(rest)
        pieces.append(rest[_LENGTH.size : _LENGTH.size + length])
        rest = rest[_LENGTH.size + length :]
    head: dict[str, Any] = json.loads(bytes(pieces[0]))
    columns = pieces[1:]
    # A file of before had numbers of classes of half the size.
    number = "<u4" if len(columns[3]) == len(columns[0]) else "<u2"
    return Bucket(
        given=Given(
            key=_joined(columns[:3]),
            label=np.frombuffer(columns[3], dtype=number).astype(np.int64),
            classes={int(number): ClassSums.of_row(row) for number, row in head["classes"].items()},
            holds={(scope, name): tuple(held) for scope, name, held in head["holds"]},
        ),
        waiting=_joined(columns[4:7]),
        taken=_joined(columns[7:10]),
        tried=_joined(columns[10:13]) if len(columns) > 10 else NOBODY,
        barred=_joined(columns[13:16]) if len(columns) > 13 else NOBODY,
    )


def _split(key: Whole) -> list[np.ndarray[Any, Any]]:
    """Return keys as columns: by how much the home rises, and the rest in two halves."""
    home, rest = key >> _REST, key & ((1 << _REST) - 1)
    rise = np.diff(home, prepend=0)
    return [rise.astype("<u4"), (rest >> 31).astype("<u4"), (rest & 0x7FFFFFFF).astype("<u4")]


def _joined(columns: Sequence[memoryview]) -> Whole:
    """Return what `_split` took apart."""
    rise, period, revision = (
        np.frombuffer(column, dtype="<u4").astype(np.int64) for column in columns
    )
    return (np.cumsum(rise) << _REST) | (period << 31) | revision
