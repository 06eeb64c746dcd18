"""Longer periods: told when they are over, and not waited for without end."""

from pathlib import Path

from custom_components.carbon_meter.community.contract.message import Flow
from custom_components.carbon_meter.community.member.agreed import DAY

from .house import HOUR, House, hour
from .test_telling import HOME, membership, opened, waiting


async def test_a_day_of_which_the_site_has_nothing_is_given_up_after_a_week(
    tmp_path: Path,
) -> None:
    house = House()
    begin = membership(tmp_path, house, duration=DAY)
    async with opened(tmp_path, house) as link:
        assert await link.tell([hour(begin, 1.0)]) == 0
        box = await link._holdings.box(HOME)
        house.ahead = begin + 8 * DAY - 60 - house.now()
        assert await link._telling.tell_due() == 0
        assert list(box.due()) == [(begin, DAY)]
        house.ahead += 120
        assert await link._telling.tell_due() == 0
        assert list(box.due()) == []


async def test_a_hub_that_asks_for_a_running_period_gets_it_when_it_is_over(
    tmp_path: Path,
) -> None:
    house = House()
    begin = membership(tmp_path, house)
    async with opened(tmp_path, house) as link:
        running = begin + 3 * DAY + 4 * HOUR
        house.live(running, 1.0, 2.0)
        house.ahead = running + HOUR + 60 - house.now()
        assert await link._telling.rebuild([running, running + HOUR], HOUR) == 1
        assert [each.start for each in await waiting(link)] == [running]
        house.ahead += HOUR
        assert await link._telling.rebuild([running + HOUR], HOUR) == 1
        told = await waiting(link)
        assert [each.start for each in told] == [running, running + HOUR]
        assert {item.flow for item in told[1].items} == {Flow.GRID_IMPORT, Flow.PV}
