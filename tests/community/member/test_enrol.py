"""A home joins, or hears why it cannot: real broker, real desk."""

import asyncio
from dataclasses import replace
from pathlib import Path
import stat
import time

import pytest

from custom_components.carbon_meter.community.authority.credentials import Credentials
from custom_components.carbon_meter.community.member import state as kept
from custom_components.carbon_meter.community.member.enrol import enrol, join
from custom_components.carbon_meter.community.member.errors import EnrolmentError, EnrolmentReason
from tests.community.broker import Broker, free_port, needs_broker

from .house import House, agreed, until
from .hub import Hub
from .membership import DAY, backdate, linked

pytestmark = needs_broker


async def reason_of(invitation, folder: Path, **changes) -> EnrolmentReason:
    with pytest.raises(EnrolmentError) as caught:
        await enrol(invitation, folder, **{"patience": 2.0, **changes})
    return caught.value.reason


@pytest.mark.clause("CM-39")
async def test_the_key_is_made_at_home_and_stays_there(hub: Hub, tmp_path: Path) -> None:
    async with hub:
        invitation = await hub.invite()
        credentials = await enrol(invitation, tmp_path / "home")
    assert credentials.subject == invitation.home
    folder = tmp_path / "home" / invitation.home
    assert [path.name for path in folder.glob("*.json")] == []
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())
    assert not any(b"PRIVATE KEY" in arrived.payload for arrived in hub.heard)


async def test_an_answer_that_is_lost_is_given_again(hub: Hub, tmp_path: Path) -> None:
    async with hub:
        invitation = await hub.invite()
        hub.is_deaf = True
        assert await reason_of(invitation, tmp_path) is EnrolmentReason.NO_ANSWER
        hub.is_deaf = False
        # The hub hears the first request, and its answer finds nobody.
        first = hub.heard[-1]
        await hub.say(hub.processor.process([first], time.time()))
        credentials = await enrol(invitation, tmp_path)
        assert hub.heard[-1].payload != first.payload
    assert credentials.subject == invitation.home


async def test_killed_after_the_answer_it_goes_on(hub: Hub, tmp_path: Path) -> None:
    async with hub:
        invitation = await hub.invite()
        await enrol(invitation, tmp_path)
    # No hub, no broker is needed for what is there already.
    nowhere = replace(invitation, broker=replace(invitation.broker, enrol_port=free_port()))
    assert (await enrol(nowhere, tmp_path)).subject == invitation.home


async def test_an_invitation_is_good_for_one_home(hub: Hub, tmp_path: Path) -> None:
    async with hub:
        invitation = await hub.invite()
        await enrol(invitation, tmp_path / "one")
        assert await reason_of(invitation, tmp_path / "other") is EnrolmentReason.DECLINED
        hub.desk.heard(invitation.home, time.time())
        await hub.flush()
        assert await reason_of(invitation, tmp_path / "other") is EnrolmentReason.TOKEN_REFUSED


async def test_why_a_home_cannot_join(broker: Broker, hub: Hub, tmp_path: Path) -> None:
    async with hub:
        invitation = await hub.invite()
    place = invitation.broker
    assert place is not None
    wrong = replace(invitation, token="x" * 32)
    assert await reason_of(wrong, tmp_path) is EnrolmentReason.TOKEN_REFUSED
    assert await reason_of(invitation, tmp_path) is EnrolmentReason.NO_ANSWER
    closed = replace(invitation, broker=replace(place, enrol_port=free_port()))
    assert await reason_of(closed, tmp_path) is EnrolmentReason.UNREACHABLE
    late = float(invitation.expires)
    assert await reason_of(invitation, tmp_path, now=lambda: late) is EnrolmentReason.EXPIRED


async def test_somebody_elses_broker_is_not_trusted(
    broker: Broker, hub: Hub, tmp_path: Path
) -> None:
    async with hub:
        invitation = await hub.invite()
    other = Broker(tmp_path / "other")
    strange = replace(invitation, authorities=other.authority.bundle)
    assert await reason_of(strange, tmp_path) is EnrolmentReason.NOT_TRUSTED
    broken = replace(invitation, authorities="no certificate")
    with pytest.raises(EnrolmentError):
        await enrol(broken, tmp_path, patience=2.0)


@pytest.mark.parametrize("days", [-3, 120])
async def test_a_wrong_clock_is_named(hub: Hub, tmp_path: Path, days: int) -> None:
    async with hub:
        invitation = await hub.invite()
        invitation = replace(invitation, expires=invitation.expires + 200 * 86400)
        reason = await reason_of(invitation, tmp_path, now=lambda: time.time() + days * 86400)
    assert reason is EnrolmentReason.CLOCK


async def test_a_broker_that_accepts_and_never_answers(hub: Hub, tmp_path: Path) -> None:
    async with hub:
        invitation = await hub.invite()
    held: list[asyncio.StreamWriter] = []

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    mute = replace(invitation, broker=replace(invitation.broker, enrol_port=port))
    assert await reason_of(mute, tmp_path) in {
        EnrolmentReason.NO_ANSWER,
        EnrolmentReason.UNREACHABLE,
    }
    for writer in held:
        writer.close()
    server.close()


async def test_joining_keeps_a_membership(hub: Hub, tmp_path: Path) -> None:
    house = House()
    async with hub:
        invitation = await hub.invite()
        await join(invitation, tmp_path / "home", agreed())
        await join(invitation, tmp_path / "home", agreed())
    held = kept.load(tmp_path / "home")
    assert [each.home for each in held.identities] == [invitation.home]
    assert held.identities[0].begins % 3600 == 0
    assert 0 <= held.identities[0].begins - house.now() <= 3600
    assert (held.community, held.broker) == (invitation.community, invitation.broker)
    other = replace(invitation, community="elsewhere")
    with pytest.raises(EnrolmentError) as caught:
        await join(other, tmp_path / "home", agreed())
    assert caught.value.reason is EnrolmentReason.OTHER_COMMUNITY


async def test_a_home_whose_certificate_has_ended_comes_back(hub: Hub, tmp_path: Path) -> None:
    house, folder = House(), tmp_path / "home"
    async with hub:
        invitation = await hub.invite()
        await join(invitation, folder, agreed())
        house.ahead = 91 * 86400.0
        async with linked(folder, house) as link:
            await until(lambda: link.status.state == "expired", "expired")
            assert link.status.error
        house.ahead = 0.0
        before = Credentials(folder / invitation.home).certificate
        # The hub has a home renew only after a while: here its certificate is simply lost.
        Credentials(folder / invitation.home).remove()
        await join(await hub.invite(invitation.home), folder, agreed())
        assert Credentials(folder / invitation.home).certificate != before
        held = kept.load(folder)
        assert [each.home for each in held.identities] == [invitation.home]
        another = await hub.invite()
        await join(another, folder, agreed())
        held = kept.load(folder)
        assert [each.home for each in held.identities] == [invitation.home, another.home]
        async with linked(folder, house) as link:
            await until(lambda: link.status.state == "connected", "connected again")


async def _with_weeks_untold(hub: Hub, house: House, folder: Path) -> tuple[str, int]:
    """Join 91 days ago, and have told nothing for 29; return the id and when they begin."""
    house.ahead = hub.ahead = -91 * DAY
    await join(await hub.invite(), folder, agreed(), now=house.now)
    house.ahead = hub.ahead = 0.0
    first = backdate(folder, house, 29)
    async with linked(folder, house) as link:
        await until(lambda: link.status.state == "expired", "expired")
        for day in range(29):
            await link.tell(house.live(first + day * DAY, *[float(day + 1)] * 24))
        assert (link.status.waiting, link.status.dropped) == (29 * 24, 0)
        return link.status.home, first


@pytest.mark.clause("CM-33")
async def test_invited_again_a_home_tells_all_that_has_waited(hub: Hub, tmp_path: Path) -> None:
    house, folder = House(), tmp_path / "home"
    async with hub:
        home, first = await _with_weeks_untold(hub, house, folder)
        await join(await hub.invite(home), folder, agreed())
        assert [each.home for each in kept.load(folder).identities] == [home]
        async with linked(folder, house) as link:
            await until(lambda: not link.status.waiting + link.status.out, "all told", 60)
            assert link.status.dropped == 0
        assert sum(hub.wh(home).values()) == sum(24 * (day + 1) for day in range(29))
        assert hub.ledger.missing(home, first, first + 29 * DAY) == []
        # It has the same place, and there is still one home.
        assert [each.id for each in hub.desk.homes()] == [home]


async def test_what_another_name_cannot_tell_is_counted(hub: Hub, tmp_path: Path) -> None:
    house, folder = House(), tmp_path / "home"
    async with hub:
        home, _ = await _with_weeks_untold(hub, house, folder)
        await join(await hub.invite(), folder, agreed())
        for _ in range(2):
            # Also after a restart: it stays known.
            async with linked(folder, house) as link:
                await until(lambda: link.status.dropped == 29 * 24, "counted")
                await until(lambda: link.status.state == "connected", "connected")
                assert link.status.home != home
        assert not (folder / home).exists()
        assert hub.wh(home) == {}


async def test_a_new_invitation_has_a_new_key_signed_though_the_old_one_holds(
    hub: Hub, tmp_path: Path
) -> None:
    folder = tmp_path / "home"
    async with hub:
        invitation = await hub.invite()
        await join(invitation, folder, agreed())
        before = Credentials(folder / invitation.home).key
        # The same once more asks nobody.
        await join(invitation, folder, agreed())
        assert Credentials(folder / invitation.home).key == before
        again = await hub.invite(invitation.home)
        await join(again, folder, agreed())
        assert Credentials(folder / invitation.home).key != before
        async with linked(folder, House()) as link:
            await until(lambda: link.status.state == "connected", "connected")


async def test_without_a_broker_of_its_own_nobody_enrols(hub: Hub, tmp_path: Path) -> None:
    async with hub:
        invitation = replace(await hub.invite(), broker=None, authorities="")
    await join(invitation, tmp_path / "home", agreed())
    assert kept.load(tmp_path / "home").broker is None
