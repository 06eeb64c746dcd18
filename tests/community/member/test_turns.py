"""A home's turn in the hour, as its community sees it: nothing before, all of it after."""

from pathlib import Path

from custom_components.carbon_meter.community.contract.message import Flow
from custom_components.carbon_meter.community.member.schedule import HOUR, Pace, next_slot
from tests.community.broker import needs_broker

from .house import House, agreed, until
from .hub import Hub
from .membership import joined, linked

pytestmark = needs_broker

PACE = Pace(first=0.0)
"""The usual one, but for the wait before the first connection."""


async def test_nothing_is_told_before_a_home_has_its_turn(hub: Hub, tmp_path: Path) -> None:
    house = House()
    async with hub:
        first = await joined(hub, tmp_path, house)
        async with linked(tmp_path, house, PACE) as link:
            home = link.status.home
            slot = next_slot(home, house.now() + HOUR, PACE)
            # Nobody speaks in the last minute of an hour and in the first five.
            house.ahead = hub.ahead = slot - 200 - house.now()
            await link.tell(house.live(first, 5.0, 6.0, 7.0))
            await until(lambda: len(hub.topics("consent")) == 1, "consent")
            # Another consent is told at once, each in a round of its own.
            for count, flows in ((2, (Flow.PV,)), (3, (Flow.GRID_IMPORT, Flow.PV))):
                await link.change(agreed(flows=flows))
                await until(lambda count=count: len(hub.topics("consent")) == count, "consent")
            assert hub.topics("/fp/") == []
            assert link.status.next_slot == slot
            assert (link.status.waiting, link.status.out) == (3, 0)
            house.ahead = hub.ahead = house.ahead + 200
            link._lines[home].conversation.wake()
            await until(lambda: len(hub.topics("/fp/")) == 3, "its turn")
            await until(lambda: not link.status.waiting and not link.status.out, "acks")
            # The next turn is in the next hour: what comes now waits for it.
            await until(lambda: link.status.next_slot == next_slot(home, slot, PACE), "next")
            told = len(hub.topics("/fp/"))
            await link.tell(house.live(first + 3 * HOUR, 8.0))
            await link.change(agreed(flows=(Flow.PV,)))
            await until(lambda: len(hub.topics("consent")) == 4, "consent")
            await link.change(agreed(flows=(Flow.GRID_IMPORT, Flow.PV)))
            await until(lambda: len(hub.topics("consent")) == 5, "consent")
            assert len(hub.topics("/fp/")) == told
