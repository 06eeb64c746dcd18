"""A household leaves: it stops at once, and asks until everything is deleted."""

import asyncio
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
import time

import pytest

from custom_components.carbon_meter.community.contract.consent import (
    Consent,
    Withdrawal,
    read_agreement,
)
from custom_components.carbon_meter.community.contract.message import Flow
from custom_components.carbon_meter.community.member import state as kept
from custom_components.carbon_meter.community.member.enrol import join
from custom_components.carbon_meter.community.member.link import MemberLink
from custom_components.carbon_meter.community.member.status import MemberState
from tests.community.broker import Broker, needs_broker

from .house import MAKER, QUICK, House, agreed, until
from .hub import Hub
from .membership import DAY, joined, linked

pytestmark = needs_broker


async def told(hub: Hub, folder: Path, house: House) -> str:
    """Have a member that has told a day; return its id."""
    first = await joined(hub, folder, house)
    async with linked(folder, house) as link:
        await link.tell(house.live(first, *[5.0] * 24))
        home = link.status.home
        await until(lambda: len(hub.wh(home)) == 24 and not link.status.out, "told")
    return home


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def test_it_stops_deletes_and_ends(hub: Hub, tmp_path: Path) -> None:
    house, folder = House(), tmp_path / "home"
    async with hub:
        home = await told(hub, folder, house)
        link = await MemberLink.open(folder, house.hours, MAKER, clock=house.clock, pace=QUICK)
        running = asyncio.create_task(link.run())
        await link.withdraw()
        await running
        assert link.status.state is MemberState.WITHDRAWN
        assert link.status.homes_deleted == 1
        await link.close()
    assert hub.wh(home) == {}
    assert home not in hub.ledger.homes
    assert leftovers(folder) == [kept.FILE]
    assert "PRIVATE" not in (folder / kept.FILE).read_text()
    # Opened again it has nothing to do.
    async with linked(folder, house) as link:
        assert link.status.state is MemberState.WITHDRAWN
        assert await link.tell(house.live(0, 1.0)) == 0


@pytest.mark.clause("CM-37")
async def test_it_is_told_over_restarts_until_the_hub_says_so(
    broker: Broker, hub: Hub, tmp_path: Path
) -> None:
    house, folder = House(), tmp_path / "home"
    async with hub:
        home = await told(hub, folder, house)
        broker.stop()
    link = await MemberLink.open(folder, house.hours, MAKER, clock=house.clock, pace=QUICK)
    await link.tell(house.live(int(house.now()) // DAY * DAY - DAY, 1.0, 2.0))
    await link.withdraw()
    await link.close()
    broker.start()
    async with hub:
        hub.is_deaf = True
        for count in (1, 2):
            async with linked(folder, house) as link:
                assert link.status.state is MemberState.WITHDRAWING
                assert link.status.waiting == 0
                await until(lambda count=count: len(hub.topics("withdraw")) >= count, "told")
        fresh = [each for each in hub.heard if "/fp/" in each.topic]
        hub.is_deaf = False
        async with linked(folder, house) as link:
            await until(lambda: link.status.state is MemberState.WITHDRAWN, "deleted")
    assert hub.wh(home) == {}
    assert len(fresh) == 24
    said = [read_agreement(each.topic, each.payload) for each in hub.heard if "withd" in each.topic]
    assert len({each.at for each in said}) == 1
    assert isinstance(said[0], Withdrawal)


@pytest.mark.clause("CM-46")
async def test_it_is_told_again_after_a_minute_and_then_ever_later(
    hub: Hub, tmp_path: Path
) -> None:
    house, folder = House(), tmp_path / "home"
    async with hub:
        home = await told(hub, folder, house)
        hub.is_deaf = True
        async with linked(folder, house) as link:
            await link.withdraw()
            for count, ahead in ((1, 0), (2, 61), (3, 121), (4, 241)):
                house.ahead += ahead
                if ahead:
                    link._lines[home].conversation.wake()
                await until(lambda count=count: len(hub.topics("withdraw")) == count, f"{count}")
            said = [each.at for each in link.outgoing if each.kind == "withdrawal"]
            house.ahead -= 30 * DAY  # a clock that was set back does not hold it up
            link._lines[home].conversation.wake()
            await until(lambda: len(hub.topics("withdraw")) == 5, "set back")
    gaps = [later - before for before, later in pairwise(said)]
    assert all(gap >= least for gap, least in zip(gaps, (60, 120, 240), strict=True))


@pytest.mark.clause("CM-36")
async def test_it_outranks_a_consent_whatever_the_clock_says(hub: Hub, tmp_path: Path) -> None:
    house, folder = House(), tmp_path / "home"
    async with hub:
        home = await told(hub, folder, house)
        house.ahead = -30 * DAY
        async with linked(folder, house) as link:
            await link.withdraw()
            await until(lambda: link.status.state is MemberState.WITHDRAWN, "deleted")
    assert hub.wh(home) == {}


@pytest.mark.clause("CM-36")
async def test_it_outranks_the_consent_of_an_id_that_began_later(hub: Hub, tmp_path: Path) -> None:
    """That consent is of when the id began; then the clock was set back."""
    house, folder = House(), tmp_path / "home"
    async with hub:
        home = await told(hub, folder, house)
        held = hub.books.agreement(home)
        assert isinstance(held, Consent)
        began = int(time.time() * 1000)
        hub.books.agree(replace(held, at=began))
        hub.books.commit()
        state = kept.load(folder)
        identity = replace(state.identities[0], consented_at=began)
        kept.save(folder, state.with_identity(identity))
        assert state.latest_at < began
        house.ahead = -30 * DAY
        async with linked(folder, house) as link:
            await link.withdraw()
            await until(lambda: link.status.state is MemberState.WITHDRAWN, "deleted")
    assert hub.wh(home) == {}


@pytest.mark.clause("CM-47")
async def test_a_withdrawal_that_a_later_consent_holds_against_is_told_again_with_a_later_one(
    hub: Hub, tmp_path: Path
) -> None:
    """The home was put back from a backup, and so was its clock."""
    house, folder = House(), tmp_path / "home"
    async with hub:
        home = await told(hub, folder, house)
        held = hub.books.agreement(home)
        assert isinstance(held, Consent)
        hub.books.agree(replace(held, at=int(time.time() * 1000) + 600_000))
        hub.books.commit()
        async with linked(folder, house) as link:
            await link.withdraw()
            # At once with the next moment; that is not enough.
            await until(lambda: len(hub.topics("withdraw")) == 2, "again")
            later = int(time.time() * 1000) + 3_600_000
            await until(lambda: (link._holdings.state.withdrawn_at or 0) >= later, "refused")
            assert link.status.refusals == {"consent": 2}
            assert link.status.state is MemberState.WITHDRAWING
            assert "CM-47" in (link.status.error or "")
            assert link.outgoing[-1].refused == "consent"
            assert hub.wh(home)
            for ahead in (61, 121):
                house.ahead += ahead
                link._lines[home].conversation.wake()
            await until(lambda: link.status.state is MemberState.WITHDRAWN, "deleted")
            assert link.status.error is None
    assert hub.wh(home) == {}
    said = [read_agreement(each.topic, each.payload) for each in hub.heard if "withd" in each.topic]
    assert len(said) == 3
    assert said[0].at < said[1].at < said[1].at + 3_600_000 <= said[2].at


@pytest.mark.clause("CM-47")
async def test_a_consent_that_a_later_one_holds_against_is_told_again_with_a_later_one(
    hub: Hub, tmp_path: Path
) -> None:
    house, folder = House(), tmp_path / "home"
    async with hub:
        home = await told(hub, folder, house)
        held = hub.books.agreement(home)
        assert isinstance(held, Consent)
        wide = replace(held, at=int(time.time() * 1000) + 1000, flows=tuple(Flow))
        hub.books.agree(wide)
        hub.books.commit()
        house.ahead = 2.0
        state = kept.load(folder)
        kept.save(folder, state.with_identity(replace(state.identities[0], is_known=False)))
        async with linked(folder, house):
            await until(lambda: hub.books.agreement(home) != wide, "it holds")
    assert replace(hub.books.agreement(home), at=0) == replace(held, at=0)
    assert len(hub.topics("consent")) == 3


async def test_a_home_that_is_not_let_in_any_more_ends_with_its_certificate(
    hub: Hub, tmp_path: Path
) -> None:
    house, folder = House(), tmp_path / "home"
    async with hub:
        home = await told(hub, folder, house)
        hub.desk.expel(home, time.time())
        await hub.flush()
        async with linked(folder, house) as link:
            await link.withdraw()
            await until(lambda: link.status.error, "refused")
            assert link.status.state is MemberState.WITHDRAWING
        house.ahead = 91 * DAY
        async with linked(folder, house) as link:
            await until(lambda: link.status.state is MemberState.UNCONFIRMED, "over")
            assert link.status.homes_deleted is None
            assert link.status.homes == (home,)
    assert leftovers(folder) == [kept.FILE]


async def test_a_household_can_join_again(hub: Hub, tmp_path: Path) -> None:
    house, folder = House(), tmp_path / "home"
    async with hub:
        home = await told(hub, folder, house)
        async with linked(folder, house) as link:
            await link.withdraw()
            await until(lambda: link.status.state is MemberState.WITHDRAWN, "deleted")
        await join(await hub.invite(), folder, agreed())
        async with linked(folder, house) as link:
            await until(lambda: link.status.state is MemberState.CONNECTED, "connected")
            assert link.status.home != home


async def test_everything_can_be_removed(hub: Hub, tmp_path: Path) -> None:
    house, folder = House(), tmp_path / "home"
    async with hub:
        await told(hub, folder, house)
    link = await MemberLink.open(folder, house.hours, MAKER, clock=house.clock, pace=QUICK)
    await link.remove()
    assert not folder.exists()
