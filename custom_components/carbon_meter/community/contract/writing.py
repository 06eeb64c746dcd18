"""A footprint for the wire, in the one form that every home writes."""

from .decoding import decoded
from .message import Footprint, as_object, canonical
from .reading import footprint_of
from .topics import Channel, Topic, build


def write(footprint: Footprint) -> tuple[str, bytes]:
    """Return topic and payload of a footprint.

    Raises RefusedError for one that any receiver would refuse, whatever time it is there.
    """
    place = Topic(
        community=footprint.community,
        home=footprint.home,
        channel=Channel.FOOTPRINT,
        start=footprint.start,
    )
    topic = build(place)
    payload = canonical(as_object(footprint))
    footprint_of(decoded(payload), place)
    return topic, payload
