"""What leaves the home is shown before it leaves, whatever becomes of it: real broker, real hub."""

from dataclasses import replace
import os
from pathlib import Path
import signal

import pytest

from custom_components.carbon_meter.community.authority.credentials import Credentials
from custom_components.carbon_meter.community.contract.answers import Ack
from custom_components.carbon_meter.community.contract.refusal import Code
from custom_components.carbon_meter.community.contract.writing import write
from custom_components.carbon_meter.community.member import state as kept
from custom_components.carbon_meter.community.member.mqtt import MqttTransport
from custom_components.carbon_meter.community.member.outgoing import MOST, Log, Sort
from custom_components.carbon_meter.community.member.transport import (
    TAKEN,
    TransportError,
    Trouble,
)
from tests.community.broker import Broker, needs_broker
from tests.community.outbox.homes import BEGIN, HOUR, footprint

from .house import House, until
from .hub import Hub
from .membership import DAY, joined, linked


@needs_broker
async def test_what_a_broken_connection_has_carried_is_shown(hub: Hub, tmp_path: Path) -> None:
    """Each kind of message is lost once after it has left, and left again: both are shown."""
    house = House()
    lost: list[str] = []

    class Cut(MqttTransport):
        """Loses the connection with the broker's first answer to each kind of message."""

        async def publish(self, topic: str, payload: bytes) -> int:
            kind = next(part for part in ("consent", "csr", "/fp/") if part in topic)
            hub.is_deaf = kind not in lost
            reason = await super().publish(topic, payload)
            if hub.is_deaf:
                lost.append(kind)
                await until(lambda: hub.heard[-1].payload == payload, "heard")
                raise TransportError(Trouble.LOST, "cut")
            return reason

    def connect(home: str) -> Cut:
        held = Credentials(tmp_path / home)
        place = kept.load(tmp_path).broker
        return Cut(place.host, place.port, held.context, identifier=home)

    async with hub:
        first = await joined(hub, tmp_path, house)
        before = len(hub.heard)
        house.ahead = 61 * DAY  # the certificate is to be renewed
        async with linked(tmp_path, house, transport=connect) as link:
            await link.tell(house.live(first, 7.0))
            await until(
                lambda: not link.status.out and not link.status.waiting and len(lost) == 3, "acks"
            )
            shown = link.outgoing
        heard = [(each.topic, each.payload.decode()) for each in hub.heard[before:]]
    assert [(each.topic, each.payload) for each in shown] == heard
    assert sorted(lost) == ["/fp/", "consent", "csr"]
    for kind in (Sort.CONSENT, Sort.CERTIFICATE, Sort.FOOTPRINT):
        same = [each for each in shown if each.kind is kind]
        assert [each.reason for each in same] == [None] + [TAKEN] * (len(same) - 1)
        assert len(same) > 1
    # The same bytes left twice: that is two messages.
    told = [each.payload for each in shown if each.kind is Sort.CONSENT]
    assert len(set(told)) == 1
    assert shown[-1].acknowledged_at is not None


@needs_broker
async def test_a_message_is_shown_while_the_broker_is_silent(
    broker: Broker, hub: Hub, tmp_path: Path
) -> None:
    house = House()
    seen: list[list[int | None]] = []
    async with hub:
        first = await joined(hub, tmp_path, house)
        async with linked(tmp_path, house) as link:

            def told() -> list[int | None]:
                return [each.reason for each in link.outgoing if each.kind is Sort.FOOTPRINT]

            await until(lambda: [each.reason for each in link.outgoing] == [TAKEN], "consent")
            link.listen(lambda: seen.append(told()))
            os.kill(broker.pid, signal.SIGSTOP)
            try:
                await link.tell(house.live(first, 7.0))
                await until(lambda: [None] in seen, "shown")
                assert hub.topics("/fp/") == []
                assert link.status.last_told.acknowledged_at is None
            finally:
                os.kill(broker.pid, signal.SIGCONT)
            await until(lambda: not link.status.out and not link.status.waiting, "acks")
            assert told() == [TAKEN]
            assert link.status.last_told.acknowledged_at is not None
            assert link.status.last_told.payload == hub.heard[-1].payload.decode()


def test_the_last_messages_are_remembered_each_with_its_own_answer() -> None:
    log = Log()
    numbers = [log.add(Sort.CONSENT, (f"{place}", b"{}"), float(place)) for place in range(MOST)]
    log.answer(numbers[3], 0x10)
    log.add(Sort.CONSENT, ("last", b"{}"), 0.0)
    log.answer(numbers[0], 0x87)  # it is no longer remembered
    again = Log(log.kept)
    again.add(Sort.CONSENT, ("after a restart", b"{}"), 0.0)
    for each, begins in ((log, 1), (again, 2)):
        assert [one.topic for one in each.kept][:3] == [f"{begins + place}" for place in range(3)]
        assert [one.topic for one in each.kept if one.reason is not None] == ["3"]
        assert len(each.kept) == MOST
    assert again.kept[-2].topic == "last"


@pytest.mark.parametrize("is_answered", [True, False])
def test_the_hub_can_answer_before_the_broker(is_answered: bool) -> None:
    log = Log()
    told = replace(footprint(0), boot="b1", seq=1)
    number = log.add(Sort.FOOTPRINT, write(told), 1.0, told)
    ack = Ack(
        community=told.community, home=told.home, boot="b1", upto=1, also=(), digest=told.digest
    )
    log.acknowledge(ack, 2.0)
    log.refuse_last(Sort.FOOTPRINT, Code.FUTURE)
    if is_answered:
        log.answer(number, TAKEN)
    (one,) = log.kept
    assert (one.reason, one.acknowledged_at, one.refused) == (
        TAKEN if is_answered else None,
        2.0,
        "future",
    )
    assert (one.start, one.duration, log.last_told, log.acknowledged_at) == (BEGIN, HOUR, one, 2.0)
