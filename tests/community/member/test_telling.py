"""Hours get into the outbox: in revisions, as agreed, once, and whatever happens meanwhile."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from custom_components.carbon_meter.community.contract.answers import Request
from custom_components.carbon_meter.community.contract.message import (
    Flow,
    Footprint,
    Level,
)
from custom_components.carbon_meter.community.member import state as kept
from custom_components.carbon_meter.community.member.agreed import DAY
from custom_components.carbon_meter.community.member.errors import MemberError
from custom_components.carbon_meter.community.member.figures import Clock
from custom_components.carbon_meter.community.member.identities import Identity, followed
from custom_components.carbon_meter.community.member.link import MemberLink
from custom_components.carbon_meter.community.member.state import Since, State
from tests.community.outbox.homes import ack_of, footprint as ready

from .house import HOUR, MAKER, House, agreed, hour

HOME = "hfirst"
SECRET = "5" * 64


def membership(folder: Path, house: House, **changes: Any) -> int:
    """Keep a membership that began three days ago; return its first midnight."""
    begins = int(house.now()) // DAY * DAY - 3 * DAY
    held = State(
        community="street",
        name="The street",
        broker=None,
        authorities="",
        identities=(Identity(home=HOME, secret=SECRET, begins=begins),),
        agreements=(Since(start=begins, agreed=agreed(**changes)),),
        latest_at=begins * 1000,
    )
    kept.save(folder, held)
    return begins


@asynccontextmanager
async def opened(
    folder: Path, house: House, clock: Clock | None = None
) -> AsyncGenerator[MemberLink]:
    """Have a membership that does not speak with anybody."""
    link = await MemberLink.open(
        folder,
        house.hours,
        MAKER,
        clock=house.clock if clock is None else lambda: clock,
        now=house.now,
    )
    yield link
    await link.close()


async def waiting(link: MemberLink, home: str = HOME) -> list[Footprint]:
    """Return what would go out."""
    box = await link._holdings.box(home)
    return list(box.outbox.pending(10_000, link._holdings.now()))


async def acknowledge(link: MemberLink, now: float) -> list[Footprint]:
    """Have everything that waits sent and acknowledged."""
    box = await link._holdings.box(HOME)
    sent = await waiting(link)
    box.outbox.sent(sent, now)
    box.outbox.acknowledged(ack_of(*sent))
    return sent


def wh(told: list[Footprint]) -> list[tuple[int, int, int, int]]:
    """Return start, duration, revision and Wh of the first flow."""
    return [(each.start, each.duration, each.revision, each.items[0].wh) for each in told]


async def test_restated_hours_are_new_revisions_and_equal_ones_are_not(tmp_path: Path) -> None:
    house = House()
    begin = membership(tmp_path, house)
    async with opened(tmp_path, house) as link:
        assert await link.tell(house.live(begin, 1.0, 2.0)) == 2
        assert await link.tell(house.live(begin, 1.0, 2.0)) == 0
        assert await link.tell(house.live(begin, 1.0, 3.0)) == 1
        told = await acknowledge(link, house.now())
        assert wh(told) == [(begin, HOUR, 0, 1), (begin + HOUR, HOUR, 1, 3)]
        assert await link.tell(house.live(begin, 1.0, 3.0)) == 0
        assert await waiting(link) == []
        assert await link.tell(house.live(begin, 9.0, 3.0)) == 1
        assert wh(await waiting(link)) == [(begin, HOUR, 1, 9)]


async def test_what_is_the_same_but_for_clock_and_software_is_not_told_again(
    tmp_path: Path,
) -> None:
    house = House()
    begin = membership(tmp_path, house)
    async with opened(tmp_path, house) as link:
        await link.tell(house.live(begin, 1.0))
        await acknowledge(link, house.now())
    later = Clock(synced=True, offset_ms=-900)
    async with opened(tmp_path, house, later) as link:
        link._telling._maker = replace(MAKER, software="carbon_meter 9.9.9")
        assert await link.tell(house.live(begin, 1.0)) == 0
    async with opened(tmp_path, house, Clock(synced=False)) as link:
        assert await link.tell(house.live(begin, 1.0)) == 1


async def test_nothing_is_told_of_the_time_before(tmp_path: Path) -> None:
    house = House()
    begin = membership(tmp_path, house)
    async with opened(tmp_path, house) as link:
        assert await link.tell(house.live(begin - 2 * HOUR, 1.0, 2.0, 3.0)) == 1
        assert wh(await waiting(link)) == [(begin, HOUR, 0, 3)]


async def test_days_are_told_when_they_are_over(tmp_path: Path) -> None:
    house = House()
    begin = membership(tmp_path, house, duration=DAY)
    now = house.now()
    house.ahead = begin + 5 * HOUR - now
    async with opened(tmp_path, house) as link:
        assert await link.tell(house.live(begin, *[10.0] * 5)) == 0
    house.live(begin + 5 * HOUR, *[10.0] * 19)
    house.ahead = begin + DAY - 1 - now
    async with opened(tmp_path, house) as link:
        assert await link._telling.tell_due() == 0
        house.ahead = begin + DAY - now
        assert await link._telling.tell_due() == 1
        assert wh(await waiting(link)) == [(begin, DAY, 0, 240)]
        assert await link.tell(house.live(begin, 11.0)) == 1
        assert wh(await waiting(link)) == [(begin, DAY, 1, 241)]
        assert await link.tell(house.live(begin, 11.0)) == 0


async def test_a_day_waits_for_an_archive_that_cannot_be_read(tmp_path: Path) -> None:
    house = House()
    begin = membership(tmp_path, house, duration=DAY)
    house.live(begin, 1.0)

    async def broken(_begin: int, _end: int) -> list[Any]:
        raise MemberError("locked")

    async def empty(_begin: int, _end: int) -> list[Any]:
        return []

    async with opened(tmp_path, house) as link:
        link._telling._hours = broken
        assert await link.tell([hour(begin, 1.0)]) == 0
        link._telling._hours = empty
        assert await link._telling.tell_due() == 0
    async with opened(tmp_path, house) as link:
        assert await link._telling.tell_due() == 1


async def test_less_is_agreed_to_and_nothing_more_leaves(tmp_path: Path) -> None:
    house = House()
    begin = membership(tmp_path, house)
    async with opened(tmp_path, house) as link:
        await link.tell(house.live(begin, 1.0, 2.0))
        await link.change(agreed(flows=(Flow.PV,), level=Level.PSEUDONYM))
        told = await waiting(link)
        assert [(each.revision, each.level, len(each.items)) for each in told] == [
            (1, Level.PSEUDONYM, 1)
        ] * 2
        assert {item.flow for each in told for item in each.items} == {Flow.PV}
        assert {each.offset_ms for each in told} == {None}
        assert await link.tell(house.live(begin, 1.0, 2.0)) == 0
        await link.change(agreed(flows=(Flow.GAS,)))
        assert await waiting(link) == []
        assert link.status.dropped == 0


async def test_hours_that_may_not_leave_become_days(tmp_path: Path) -> None:
    house = House()
    begin = membership(tmp_path, house)
    async with opened(tmp_path, house) as link:
        await link.tell(house.live(begin, *[10.0] * 30))
        await link.change(agreed(duration=DAY))
        assert await waiting(link) == []
    async with opened(tmp_path, house) as link:
        await link._telling.tell_due()
        assert wh(await waiting(link)) == [(begin, DAY, 0, 240), (begin + DAY, DAY, 0, 60)]


async def test_what_was_agreed_to_before_a_crash_reaches_the_outbox(tmp_path: Path) -> None:
    house = House()
    begin = membership(tmp_path, house)
    async with opened(tmp_path, house) as link:
        await link.tell(house.live(begin, 1.0))
    held = kept.load(tmp_path)
    kept.save(tmp_path, held.agreeing(agreed(flows=(Flow.PV,)), house.now()))
    async with opened(tmp_path, house) as link:
        assert [len(each.items) for each in await waiting(link)] == [1]


async def test_more_is_agreed_to_and_the_past_stays_as_it_was(tmp_path: Path) -> None:
    house = House()
    begin = membership(tmp_path, house, flows=(Flow.PV,))
    async with opened(tmp_path, house) as link:
        await link.change(agreed())
        await link.tell(house.live(begin, 1.0))
        assert [len(each.items) for each in await waiting(link)] == [1]
        house.ahead = 2 * DAY
        await link.tell(house.live(int(house.now()) // DAY * DAY, 1.0))
        assert [len(each.items) for each in await waiting(link)] == [1, 2]


async def test_a_hub_that_asks_gets_what_was_let_go(tmp_path: Path) -> None:
    house = House()
    begin = membership(tmp_path, house)
    async with opened(tmp_path, house) as link:
        await link.tell(house.live(begin, 1.0, 2.0, 3.0))
        first = await acknowledge(link, house.now())
        box = await link._holdings.box(HOME)
        request = Request(
            community="street", home=HOME, duration=HOUR, missing=((begin - HOUR, 3),)
        )
        absent = box.outbox.asked(request)
        assert await link._telling.rebuild(absent, HOUR) == 2
        again = await waiting(link)
        assert [each.digest for each in again] == [each.digest for each in first[:2]]
        assert await link._telling.rebuild([begin], DAY) == 0


async def test_a_lost_outbox_begins_with_revisions_that_the_hub_cannot_have(
    tmp_path: Path,
) -> None:
    house = House()
    begin = membership(tmp_path, house)
    async with opened(tmp_path, house) as link:
        await link.tell(house.live(begin, 1.0))
        await link.tell(house.live(begin, 2.0, 7.0))
    for path in (tmp_path / HOME).glob("outbox.sqlite*"):
        path.unlink()
    (tmp_path / HOME / "outbox.sqlite").write_bytes(b"this is no database" * 100)
    async with opened(tmp_path, house) as link:
        assert await link.tell(house.live(begin, 3.0, 7.0)) == 2
        assert min(each.revision for each in await waiting(link)) > 10**7
    async with opened(tmp_path, house) as link:
        assert await link.tell(house.live(begin + 2 * HOUR, 3.0)) == 1
        assert (await waiting(link))[2].revision > 10**7


@pytest.mark.parametrize("content", [b"", b"this is no database" * 100])
async def test_a_damaged_memory_of_what_was_told_costs_nothing(
    tmp_path: Path, content: bytes
) -> None:
    house = House()
    begin = membership(tmp_path, house)
    async with opened(tmp_path, house) as link:
        await link.tell(house.live(begin, 1.0))
    (tmp_path / HOME / "told.sqlite").write_bytes(content)
    async with opened(tmp_path, house) as link:
        await link.tell(house.live(begin, 1.0, 2.0))
        assert len(await waiting(link)) == 2


async def test_footprints_of_others_become_the_homes_own(tmp_path: Path) -> None:
    house = House()
    begin = membership(tmp_path, house, flows=(Flow.GRID_IMPORT,))
    made = ready(0, revision=4, start=begin)
    async with opened(tmp_path, house) as link:
        assert await link.put([made, ready(0, start=begin - HOUR)]) == 1
        assert await link.put([replace(made, revision=9)]) == 0
        told = await waiting(link)
        assert [(each.community, each.home, each.level) for each in told] == [
            ("street", HOME, Level.CLEAR)
        ]
        assert [item.flow for item in told[0].items] == [Flow.GRID_IMPORT]
        assert await link.put([replace(made, is_final=True)]) == 1
        assert [each.revision for each in await waiting(link)] == [1]


async def test_each_id_tells_its_own_time(tmp_path: Path) -> None:
    house = House()
    begin = membership(tmp_path, house)
    held = kept.load(tmp_path)
    second = Identity(home="hsecond", secret="6" * 64, begins=begin + DAY)
    kept.save(tmp_path, replace(held, identities=followed(held.identities, second)))
    async with opened(tmp_path, house) as link:
        await link.tell(house.live(begin + 22 * HOUR, 1.0, 2.0, 3.0, 4.0))
        assert [each.items[0].wh for each in await waiting(link)] == [1, 2]
        assert [each.items[0].wh for each in await waiting(link, "hsecond")] == [3, 4]
        assert not {each.boot for each in await waiting(link)} & {
            each.boot for each in await waiting(link, "hsecond")
        }


async def test_a_household_that_has_left_tells_nothing(tmp_path: Path) -> None:
    house = House()
    begin = membership(tmp_path, house)
    async with opened(tmp_path, house) as link:
        await link.tell(house.live(begin, 1.0))
        await link.withdraw()
        assert await waiting(link) == []
        assert await link.tell(house.live(begin, 1.0, 2.0)) == 0
        assert await link.put([ready(0, start=begin)]) == 0
        assert await link.upcoming() == ()
    async with opened(tmp_path, house) as link:
        assert await link.tell(house.live(begin, 1.0, 2.0)) == 0
        assert link.status.state == "withdrawing"


async def test_what_would_leave_is_shown_word_for_word(tmp_path: Path) -> None:
    house = House()
    begin = membership(tmp_path, house)
    async with opened(tmp_path, house) as link:
        await link.tell(house.live(begin, 1.0, 2.0))
        shown = await link.upcoming(1)
        assert [each.start for each in shown] == [begin]
        assert f'"src":"{HOME}"' in shown[0].payload
        assert shown[0].topic == f"cm/v1/street/{HOME}/up/fp/{begin}"
