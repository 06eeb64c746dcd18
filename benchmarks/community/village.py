"""The village that the benchmarks speak for: homes, feeders and groups, and what they say."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cache
import json
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from custom_components.carbon_meter.community.contract.consent import Consent, write_agreement
from custom_components.carbon_meter.community.contract.message import (
    Flow,
    Footprint,
    Item,
    Kind,
    Level,
    Quality,
)
from custom_components.carbon_meter.community.contract.writing import write
from custom_components.carbon_meter.community.ledger.ledger import Ledger

COMMUNITY: Final = "bench"
ZONE: Final = ZoneInfo("Europe/Berlin")
HOUR: Final = 3600
FEEDERS: Final = 10
GROUPS: Final = 20
FLOWS: Final = (Flow.GRID_IMPORT, Flow.GRID_EXPORT, Flow.PV)


@cache
def name(number: int) -> str:
    """Return the id of a home; in the order of numbers."""
    return f"h{number:06d}"


def feeder(number: int) -> str:
    """Return where a home is connected."""
    return f"feeder-{number % FEEDERS}"


def group(number: int) -> str:
    """Return whom it belongs to."""
    return f"group-{number // FEEDERS % GROUPS}"


def ledger_of(path: Path, homes: int, since: date) -> Ledger:
    """Return a new ledger with so many members."""
    ledger = Ledger(path, community=COMMUNITY, zone=ZONE)
    for number in range(homes):
        ledger.assign(name(number), since, feeder=feeder(number), groups=(group(number),))
    return ledger


def footprint(
    number: int, start: int, *, seq: int, duration: int = HOUR, revision: int = 0
) -> Footprint:
    """Return what a home says of a period: three flows, all measured."""
    return Footprint(
        community=COMMUNITY,
        home=name(number),
        boot="bench",
        seq=seq,
        start=start,
        duration=duration,
        revision=revision,
        at=start * 1000,
        items=tuple(
            _item(flow, (number * 7919 + start // 60 + place * 311 + revision * 7) % 1500)
            for place, flow in enumerate(FLOWS)
        ),
        method="location@1",
        software="carbon_meter bench",
        synced=True,
        offset_ms=0,
        level=Level.PSEUDONYM,
        is_final=False,
    )


def _item(flow: Flow, wh: int) -> Item:
    return Item(
        flow=flow,
        wh=wh,
        mg=wh * 312,
        source="bench-grid",
        zone="DE",
        kind=Kind.AVERAGE,
        version="1",
        resolution=HOUR,
        coverage=10_000,
        quality=Quality.MEASURED,
        carbon_free=wh // 2,
    )


def messages(homes: int, periods: int, begin: int, *, duration: int = HOUR) -> Iterator[Message]:
    """Yield topic and payload: all homes of the first period, then those of the next."""
    for period in range(periods):
        for number in range(homes):
            start = begin + period * duration
            yield write(footprint(number, start, seq=period + 1, duration=duration))


def consents(homes: int) -> Iterator[Message]:
    """Yield the consent of every home."""
    for number in range(homes):
        yield write_agreement(
            Consent(
                community=COMMUNITY,
                home=name(number),
                at=1,
                text="bench@1",
                level=Level.PSEUDONYM,
                duration=900,
                flows=FLOWS,
            )
        )


def last_midnight(now: float) -> date:
    """Return the local day before that of `now`: it is over, and all of it may be told."""
    return (datetime.fromtimestamp(now, ZONE) - timedelta(days=1)).date()


def save(path: Path, found: Iterator[Message]) -> int:
    """Write messages to a file, one a line; return how many."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for topic, payload in found:
            file.write(json.dumps([topic, payload.decode()]))
            file.write("\n")
            count += 1
    return count


def load(path: Path) -> list[Message]:
    """Return the messages of a file."""
    rows: list[Any] = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [(topic, payload.encode()) for topic, payload in rows]


type Message = tuple[str, bytes]
"""Topic and payload."""
