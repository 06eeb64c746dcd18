"""A footprint as few bytes: the payload of its message, shrunk."""

import zlib

from ..contract.decoding import decoded
from ..contract.message import Footprint
from ..contract.reading import footprint_of
from ..contract.refusal import RefusedError
from ..contract.topics import Channel, Topic


def packed(payload: bytes) -> bytes:
    """Return what is kept of a payload."""
    return zlib.compress(payload, 9)


def unpacked(body: bytes, community: str, home: str, start: int) -> Footprint | None:
    """Return the footprint that was packed, None if the bytes are damaged."""
    place = Topic(community=community, home=home, channel=Channel.FOOTPRINT, start=start)
    try:
        return footprint_of(decoded(zlib.decompress(body)), place)
    except zlib.error, RefusedError:
        return None
