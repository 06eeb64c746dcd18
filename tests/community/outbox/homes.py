"""A home that tells hours, as the tests of the outbox need it."""

from dataclasses import replace
from random import Random
import string
from typing import Any

from custom_components.carbon_meter.community.contract.answers import Ack
from custom_components.carbon_meter.community.contract.message import (
    Flow,
    Footprint,
    Item,
    Kind,
    Level,
    Quality,
)

HOUR = 3600
BEGIN = 1_799_996_400
NOW = BEGIN + 30 * 86400
COMMUNITY = "street"
HOME = "home_17"
_MARKS = string.digits + string.ascii_letters + string.punctuation


def item(flow: Flow, wh: int) -> Item:
    return Item(
        flow=flow,
        wh=wh,
        mg=wh * 350,
        source="energy-charts",
        zone="DE",
        kind=Kind.AVERAGE,
        version="2026-11",
        resolution=900,
        coverage=10_000,
        quality=Quality.MEASURED,
        carbon_free=wh // 2,
    )


def footprint(hour: int, revision: int = 0, wh: int = 1000, **changes: Any) -> Footprint:
    """Return what a home tells of the hour of that number."""
    made = Footprint(
        community=COMMUNITY,
        home=HOME,
        boot="unsent",
        seq=1,
        start=BEGIN + hour * HOUR,
        duration=HOUR,
        revision=revision,
        at=NOW * 1000,
        items=(item(Flow.GRID_IMPORT, wh), item(Flow.PV, 2 * wh)),
        method="location@2",
        software="carbon_meter 0.1.0",
        synced=True,
        offset_ms=3,
        level=Level.PSEUDONYM,
        is_final=False,
    )
    return replace(made, **changes)


def longest(hour: int, chance: Random) -> Footprint:
    """Return the most that a home can tell of an hour: all flows, every text and number full.

    The texts are drawn by chance, so that nothing makes them shorter.
    """

    def text() -> str:
        return "".join(chance.choices(_MARKS, k=64))

    items = tuple(
        replace(
            item(flow, 2**40 - 1),
            mg=chance.randrange(1 - 2**40, -(2**39)),
            source=text(),
            zone=text(),
            kind=Kind.MARGINAL,
            version=text(),
            resolution=366 * 86400,
            quality=Quality.SUBSTITUTED,
            carbon_free=chance.randrange(2**39, 2**40 - 1),
        )
        for flow in Flow
    )
    return footprint(
        hour,
        revision=2**31 - 1,
        community="c" * 64,
        home="h" * 64,
        items=items,
        method=f"{'m' * 32}@{'1' * 31}",
        software=text(),
        offset_ms=-86_400_000,
    )


def ack_of(*sent: Footprint, **changes: Any) -> Ack:
    """Return the ack of a hub that has exactly these messages of one run."""
    numbers = sorted({message.seq for message in sent})
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    upto = ranges.pop(0)[1] if ranges[0][0] == 1 else 0
    last = max(sent, key=lambda message: message.seq)
    made = Ack(
        community=last.community,
        home=last.home,
        boot=last.boot,
        upto=upto,
        also=tuple((first, end) for first, end in ranges),
        digest=last.digest,
    )
    return replace(made, **changes)


def hours(messages: list[Footprint]) -> list[int]:
    """Return the numbers of the hours in messages."""
    return [(message.start - BEGIN) // HOUR for message in messages]
