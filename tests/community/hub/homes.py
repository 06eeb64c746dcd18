"""What homes say to a hub, as messages."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from custom_components.carbon_meter.community.contract.answers import (
    Ack,
    Answer,
    Nack,
    Request,
    read_answer,
)
from custom_components.carbon_meter.community.contract.consent import (
    Consent,
    Withdrawal,
    write_agreement,
)
from custom_components.carbon_meter.community.contract.message import Flow, Footprint, Kind, Level
from custom_components.carbon_meter.community.contract.writing import write
from custom_components.carbon_meter.community.hub.arrived import Arrived, Reply
from custom_components.carbon_meter.community.hub.opening import Hub, open_hub
from custom_components.carbon_meter.community.ledger.calendar import Grain
from custom_components.carbon_meter.community.ledger.cells import CellKey, Scope
from custom_components.carbon_meter.community.ledger.ledger import Ledger
from tests.community.ledger.village import BERLIN, COMMUNITY, HOUR, imported

MIDNIGHT = int(datetime(2026, 6, 20, tzinfo=UTC).timestamp())
NOW = float(MIDNIGHT + 30 * HOUR)
ALL = tuple(Flow)


def own_broker(folder: Path, **choices) -> Hub:
    """Return a hub of a small pilot: its homes come by a broker that is not ours."""
    return open_hub(folder, None, zone=BERLIN, community=COMMUNITY, **choices)


def settled(hub: Hub, *homes: str, now: float = NOW) -> None:
    """Have homes be members that have agreed, whoever has invited them."""
    for home in homes:
        hub.ledger.assign(home, date(2026, 1, 1), feeder="north")
        hub.books.agree(agreed(home))
    hub.books.commit()


def agreed(home: str, at: int = 1, **changes) -> Consent:
    values = {"text": "plain@1", "level": Level.PSEUDONYM, "duration": 900, "flows": ALL}
    return Consent(community=COMMUNITY, home=home, at=at, **(values | changes))


def consent(home: str, at: int = 1, **changes) -> Arrived:
    return Arrived(*write_agreement(agreed(home, at, **changes)))


def withdrawal(home: str, at: int = 2, *also: tuple[str, str]) -> Arrived:
    return Arrived(
        *write_agreement(Withdrawal(community=COMMUNITY, home=home, at=at, also=tuple(also)))
    )


def told(footprint: Footprint) -> Arrived:
    return Arrived(*write(footprint))


def said(home: str, hour: int, wh: int, **changes) -> Arrived:
    """Return that a home has taken so many Wh in an hour of the day."""
    return told(imported(home, MIDNIGHT + hour * HOUR, wh, **changes))


@dataclass
class Heard:
    """Answers of a hub, sorted."""

    acks: list[Ack]
    nacks: list[Nack]
    requests: list[Request]
    others: list[Reply]


def heard(replies: list[Reply]) -> Heard:
    result = Heard([], [], [], [])
    for reply in replies:
        if reply.topic.rsplit("/", 1)[1] not in {"ack", "nack", "req"}:
            result.others.append(reply)
            continue
        answer: Answer = read_answer(reply.topic, reply.payload)
        match answer:
            case Ack():
                result.acks.append(answer)
            case Nack():
                result.nacks.append(answer)
            case Request():
                result.requests.append(answer)
    return result


def whs(ledger: Ledger, grain: Grain = Grain.HOUR, span: int = 40 * HOUR) -> dict[int, int]:
    """Return the community's Wh by the beginning of each cell."""
    cells = ledger.cells(grain, MIDNIGHT - 400 * 24 * HOUR, MIDNIGHT + span)
    return {cell.key.begin: cell.sums.wh for cell in cells}


def homes_of(ledger: Ledger, hour: int) -> dict[str, int]:
    """Return what each home has in an hour of the day."""
    key = CellKey(
        grain=Grain.HOUR,
        begin=MIDNIGHT + hour * HOUR,
        scope=Scope.COMMUNITY,
        name=COMMUNITY,
        flow=Flow.GRID_IMPORT,
        kind=Kind.AVERAGE,
    )
    return {home: sums.wh for home, sums in ledger.homes_of(key).items()}
