"""A footprint from the wire: believed in every field, or refused with the clause it breaks."""

from typing import Any, Final

from .decoding import decoded
from .fields import ID, LARGEST_AMOUNT, LARGEST_NUMBER, LARGEST_REVISION, METHOD, Fields
from .message import DURATIONS, RESERVED_LEVELS, Flow, Footprint, Item, Kind, Level, Quality
from .quick import read_quickly
from .refusal import Code, RefusedError
from .topics import Channel, Topic, parse_as

AHEAD: Final = 300
"""Seconds by which a period may start after the receiver's present: clocks differ."""

OLDEST: Final = 400 * 86400
"""Seconds after which a period is no longer taken."""

WHOLE_PERIOD: Final = 10_000
"""The coverage of a period measured throughout."""

_COARSEST: Final = 366 * 86400
"""Seconds: a factor of a year stands for all of it."""

_LARGEST_OFFSET: Final = 86_400_000
"""Milliseconds: a clock that is a day off counts as not synced at all."""


def read(topic: str, payload: bytes, now: float) -> Footprint:
    """Return the footprint in a message.

    `now` is the receiver's clock in seconds since 1970 UTC. Raises RefusedError, and nothing
    else, for any topic and any bytes.
    """
    footprint = read_quickly(topic, payload)
    if footprint is None:
        place = parse_as(topic, Channel.FOOTPRINT)
        footprint = footprint_of(decoded(payload), place)
    check_time(footprint, now)
    return footprint


def footprint_of(value: dict[str, Any], place: Topic) -> Footprint:
    """Return the footprint in a decoded object, whatever time it is; raises RefusedError."""
    fields = Fields(value)
    fields.check_version()
    fields.check_source(place.home)
    clock = fields.inside("clk")
    footprint = Footprint(
        community=place.community,
        home=place.home,
        boot=fields.text("boot", ID),
        seq=fields.whole("seq", 1, LARGEST_NUMBER),
        start=fields.whole("start", 0, LARGEST_NUMBER),
        duration=duration_in(fields),
        revision=fields.whole("rev", 0, LARGEST_REVISION),
        at=fields.whole("at", 0, LARGEST_NUMBER),
        items=_items(fields.rows("items")),
        method=fields.text("method", METHOD),
        software=fields.text("sw"),
        synced=clock.flag("synced"),
        offset_ms=clock.whole_or_none("offset_ms", -_LARGEST_OFFSET, _LARGEST_OFFSET),
        level=level_in(fields),
        is_final=fields.flag("final"),
    )
    if footprint.start != place.start:
        raise RefusedError(
            Code.SOURCE, "CM-15", f"start is {footprint.start}, {place.start} on the topic"
        )
    if footprint.start % footprint.duration:
        raise RefusedError(
            Code.ALIGNMENT, "CM-16", f"{footprint.start} is no multiple of {footprint.duration}"
        )
    if footprint.is_final and not footprint.synced:
        raise RefusedError(Code.FINAL, "CM-19", "final by a clock that is not synced")
    return footprint


def check_time(footprint: Footprint, now: float) -> None:
    """Raise RefusedError for a period that cannot be told yet, or no more."""
    if footprint.start > now + AHEAD:
        raise RefusedError(Code.FUTURE, "CM-17", f"{footprint.start} is after {now:.0f}")
    if footprint.start < now - OLDEST:
        raise RefusedError(Code.OLD, "CM-18", f"{footprint.start} is long before {now:.0f}")
    if footprint.is_final and footprint.end > now:
        raise RefusedError(Code.FINAL, "CM-19", f"final before its end at {footprint.end}")


def duration_in(fields: Fields) -> int:
    """Return the duration of periods in seconds; raises RefusedError."""
    duration = fields.whole("dur", 0, LARGEST_NUMBER)
    if duration not in DURATIONS:
        raise RefusedError(Code.ALIGNMENT, "CM-16", f"a period of {duration} seconds")
    return duration


def level_in(fields: Fields) -> Level:
    """Return how much a message shows; raises RefusedError."""
    if fields.raw("level") in RESERVED_LEVELS:
        raise RefusedError(Code.LEVEL, "CM-24", f"the level {fields.raw('level')} is reserved")
    return fields.choice("level", Level)


def _items(rows: list[Any]) -> tuple[Item, ...]:
    """Return the flows in the order of their names; each is there once."""
    if not 1 <= len(rows) <= len(Flow):
        raise RefusedError(Code.ITEMS, "CM-20", f"{len(rows)} items, not 1 to {len(Flow)}")
    items = [_item(Fields(row, f"items[{place}]")) for place, row in enumerate(rows)]
    if len({item.flow for item in items}) != len(items):
        raise RefusedError(Code.ITEMS, "CM-20", "a flow is there twice")
    return tuple(sorted(items, key=lambda item: item.flow))


def _item(fields: Fields) -> Item:
    """Return one flow that makes sense in itself."""
    intensity = fields.inside("ci")
    item = Item(
        flow=fields.choice("flow", Flow),
        wh=fields.whole("wh", 0, LARGEST_AMOUNT),
        mg=fields.whole("mg", -LARGEST_AMOUNT, LARGEST_AMOUNT),
        source=intensity.text("source"),
        zone=intensity.text("zone"),
        kind=intensity.choice("kind", Kind),
        version=intensity.text("version"),
        resolution=intensity.whole("resolution", 1, _COARSEST),
        coverage=fields.whole("cov", 0, WHOLE_PERIOD),
        quality=fields.choice("q", Quality),
        carbon_free=fields.whole("cf", 0, LARGEST_AMOUNT) if fields.has("cf") else None,
    )
    _check_quality(item)
    if item.carbon_free is not None and item.carbon_free > item.wh:
        raise RefusedError(
            Code.CARBON_FREE,
            "CM-23",
            f"{item.flow}: {item.carbon_free} Wh carbon-free of {item.wh} Wh",
        )
    return item


def _check_quality(item: Item) -> None:
    """Raise RefusedError where the quality says something else than the numbers."""
    if item.quality is Quality.MEASURED and not item.coverage:
        raise RefusedError(Code.QUALITY, "CM-21", f"{item.flow}: measured, but nowhere")
    said = item.wh or item.mg or item.coverage or item.carbon_free is not None
    if item.quality is Quality.MISSING and said:
        raise RefusedError(Code.QUALITY, "CM-22", f"{item.flow}: missing, but with figures")
