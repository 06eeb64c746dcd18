"""Messages over Home Assistant's broker: none is lost where the disk does not take them."""

from collections.abc import Sequence

from homeassistant.components.mqtt import ReceiveMessage
import pytest

from custom_components.carbon_meter.community.contract.message import Flow
from custom_components.carbon_meter.community.hub.arrived import Arrived, Reply
from custom_components.carbon_meter.community.hub.errors import StoreError
from custom_components.carbon_meter.community.hub.status import WorkerState
from custom_components.carbon_meter.hub_entry import own_broker
from tests.hub_entry.village import Village, last_hours
from tests.metering.json.broker import needs_mosquitto

pytestmark = needs_mosquitto


def used(number: int, _start: int) -> dict[Flow, int]:
    return {Flow.GRID_IMPORT: 1000 + number}


async def test_a_disk_that_takes_nothing_for_a_while_loses_nothing(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_broker, "_FIRST_RETRY", 0.05)
    hub = await village.open()
    homes = await village.invite(3)
    await village.until(lambda: hub.status.counts.consents == 3)
    link = hub.link._own
    assert link is not None
    link._retry = 0.05
    processor = hub.opened.core.processor
    take = processor.process
    batches: list[list[str]] = []

    def fail(batch: Sequence[Arrived], now: float) -> list[Reply]:
        batches.append([arrived.topic for arrived in batch])
        if len(batches) < 3:
            raise StoreError("no space left")
        return take(batch, now)

    monkeypatch.setattr(processor, "process", fail)
    await village.tell(homes, last_hours(1), used)
    await village.until(lambda: hub.status.counts.accepted == 3)
    # The same messages come again, in their order.
    assert batches[0] == batches[1][: len(batches[0])] == batches[2][: len(batches[0])]
    # What was counted in the thread is shown a turn of the loop later.
    await village.until(lambda: hub.status.state is WorkerState.CONNECTED)
    assert hub.status.error is None
    # The next time it waits no longer than the first.
    assert link._retry == own_broker._FIRST_RETRY


async def test_what_is_too_much_is_left_to_the_homes(village: Village) -> None:
    hub = await village.open()
    link = hub.link._own
    assert link is not None
    await link.async_stop()
    assert hub.status.state is WorkerState.STOPPED

    def came(payload: bytes | str) -> ReceiveMessage:
        return ReceiveMessage("cm/v1/linden/h1/up/fp/0", payload, 1, True, "#", 0.0)

    link._arrived(came("text"))
    assert hub.status.waiting == 0
    for _ in range(6000):
        link._arrived(came(b"{}"))
    assert hub.status.waiting == 5000
    assert {arrived.retained for arrived in link._waiting} == {True}
    link._waiting.clear()
