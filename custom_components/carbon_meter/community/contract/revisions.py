"""Revisions of one period: which one holds."""

from enum import StrEnum


class Standing(StrEnum):
    """How a revision stands to the one that is held."""

    NEWER = "newer"
    SAME = "same"
    """Come again: it is acknowledged once more, and changes nothing."""

    OLDER = "older"
    CONFLICT = "conflict"
    """Another content under the same number: one of the two is wrong, and nobody knows which."""


def standing(revision: int, digest: str, held_revision: int, held_digest: str) -> Standing:
    """Return how a revision stands to the held one of the same key; see `Footprint.digest`."""
    if revision != held_revision:
        return Standing.NEWER if revision > held_revision else Standing.OLDER
    return Standing.SAME if digest == held_digest else Standing.CONFLICT
