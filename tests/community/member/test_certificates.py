"""Certificates are renewed, and pseudonyms change: real keys, real TLS."""

from collections.abc import Callable
from pathlib import Path
import time

import pytest

from custom_components.carbon_meter.community.authority import keys
from custom_components.carbon_meter.community.authority.credentials import Credentials
from custom_components.carbon_meter.community.contract.certificates import (
    Issued,
    SigningRequest,
    Wanted,
    read_signing,
)
from custom_components.carbon_meter.community.contract.consent import read_agreement
from custom_components.carbon_meter.community.contract.message import Level
from custom_components.carbon_meter.community.hub import certifying
from custom_components.carbon_meter.community.member import state as kept
from custom_components.carbon_meter.community.member.agreed import DAY
from custom_components.carbon_meter.community.member.identities import asks_at
from custom_components.carbon_meter.community.member.mqtt import MqttTransport
from custom_components.carbon_meter.community.member.status import MemberState
from tests.community.broker import Broker, needs_broker

from .house import HOUR, House, until
from .hub import Hub
from .membership import joined, linked

pytestmark = needs_broker


@pytest.mark.clause("CM-43")
async def test_a_certificate_is_renewed_with_a_new_key(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certifying, "WARY", 0)
    house = House()
    async with hub:
        first = await joined(hub, tmp_path, house)
        home = kept.load(tmp_path).identities[0].home
        before = Credentials(tmp_path / home).identity
        house.ahead = 61 * DAY
        async with linked(tmp_path, house) as link:
            await until(lambda: Credentials(tmp_path / home).identity != before, "renewed")
            await until(lambda: len(hub.topics("consent")) == 2, "a new connection")
            await link.tell(house.live(first, 5.0))
            await until(lambda: hub.wh(home), "told with the new key")
            assert link.status.certificate_ends == Credentials(tmp_path / home).ends
            # The clock is still far ahead: one certificate a day is enough.
            assert len(hub.topics("csr")) == 2
    after = Credentials(tmp_path / home)
    assert after.subject == home
    assert after.key not in before
    assert not list((tmp_path / home).glob("*.json"))


async def test_the_same_is_asked_until_the_answer_has_come(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certifying, "WARY", 0)
    house = House()
    async with hub:
        await joined(hub, tmp_path, house)
        house.ahead = 61 * DAY
        hub.is_deaf = True
        for count in (2, 3):
            async with linked(tmp_path, house):
                await until(lambda count=count: len(hub.topics("csr")) == count, "asked")
        asked = [
            read_signing(each.topic, each.payload) for each in hub.heard if "csr" in each.topic
        ]
        assert asked[1].csr == asked[2].csr != asked[0].csr
        hub.is_deaf = False
        before = Credentials(tmp_path / asked[1].home).identity
        async with linked(tmp_path, house):
            await until(lambda: Credentials(tmp_path / asked[1].home).identity != before, "renewed")


async def test_a_hub_that_declines_is_left_in_peace(hub: Hub, tmp_path: Path) -> None:
    house = House()
    async with hub:
        first = await joined(hub, tmp_path, house)
        house.ahead = 61 * DAY
        async with linked(tmp_path, house) as link:
            # So soon after it was let in, the desk declines.
            await until(lambda: len(hub.topics("csr")) == 2, "asked")
            await link.tell(house.live(first, 5.0))
            home = link.status.home
            await until(lambda: hub.wh(home) and not link.status.out, "told all the same")
            assert link.status.state is MemberState.CONNECTED
            await until(lambda: not list((tmp_path / home).glob("renew.json")), "dropped")
            assert len(hub.topics("csr")) == 2


async def test_a_certificate_that_has_ended_says_what_to_do(hub: Hub, tmp_path: Path) -> None:
    house = House()
    async with hub:
        first = await joined(hub, tmp_path, house)
        house.ahead = 90 * DAY
        heard = len(hub.heard)
        async with linked(tmp_path, house) as link:
            await until(lambda: link.status.state is MemberState.EXPIRED, "expired")
            await link.tell(house.live(first, 5.0))
            assert link.status.waiting == 1
        assert len(hub.heard) == heard


@pytest.fixture
def house() -> House:
    """Return a house whose clock is the hub's, too."""
    return House()


@pytest.fixture
def hub_of_pseudonyms(
    broker: Broker, tmp_path: Path, house: House, monkeypatch: pytest.MonkeyPatch
):
    """Return a hub with pseudonyms, on the clock of the house."""
    monkeypatch.setattr(certifying, "WARY", 0)
    made = Hub(broker, tmp_path / "hub", level=Level.PSEUDONYM, now=house.now)
    yield made
    made.close()


def connecting(broker: Broker, folder: Path) -> Callable[[str], MqttTransport]:
    """Return how a home connects under each of its ids.

    By the real clock the next month has not begun: its certificate is made good for now.
    """

    def connect(home: str) -> MqttTransport:
        own = Credentials(folder / home)
        held = own if own.begins <= time.time() else Credentials(broker.credentials(home))
        return MqttTransport(broker.address, broker.port, held.context, identifier=home)

    return connect


@pytest.mark.clause("CM-44")
async def test_a_pseudonym_changes_with_the_month(
    broker: Broker, hub_of_pseudonyms: Hub, house: House, tmp_path: Path
) -> None:
    hub, folder = hub_of_pseudonyms, tmp_path / "home"

    async with hub:
        await joined(hub, folder, house, days=40, level=Level.PSEUDONYM)
        old = kept.load(folder).identities[0]
        async with linked(folder, house, transport=connecting(broker, folder)) as link:
            await link.tell(house.live(int(house.now()) // HOUR * HOUR - HOUR, 1.0))
            await until(lambda: kept.load(folder).identities[0].is_known, "known")
            house.ahead = max(0.0, asks_at(old, house.now()) + 1 - time.time())
            await until(lambda: len(kept.load(folder).identities) == 2, "the next id")
            past, new = kept.load(folder).identities
            assert past.home == old.home
            assert past.ends == new.begins
            assert Credentials(folder / new.home).begins == new.begins
            assert new.secret != old.secret
            assert link.status.home == old.home

            house.ahead = new.begins + 3 * HOUR - time.time()
            hub.desk.turn(house.now())
            await hub.flush()
            end = new.begins // HOUR * HOUR
            await link.tell(house.live(end - 2 * HOUR, 11.0, 12.0, 13.0, 14.0))
            await until(lambda: len(hub.wh(new.home)) == 2 and len(hub.wh(old.home)) == 3, "told")
            assert link.status.home == new.home
            await until(lambda: list(link._lines) == [new.home], "the past one hangs up")

            # Nothing that the two say has anything in common that only one home can know.
            consents = [
                read_agreement(each.topic, each.payload)
                for each in hub.heard
                if "consent" in each.topic
            ]
            by_home = {consent.home: consent for consent in consents}
            assert by_home[new.home].at == new.begins * 1000
            assert by_home[new.home].proof != by_home[old.home].proof
            said = {
                home: b"".join(each.payload for each in hub.heard if home in each.topic)
                for home in (old.home, new.home)
            }
            assert old.home.encode() not in said[new.home]
            assert new.home.encode() not in said[old.home]
            boots = {
                home: {each.boot for each in link.outgoing if each.boot and home in each.topic}
                for home in said
            }
            assert not boots[old.home] & boots[new.home]

            # A restated hour of the past is told under the id of its time.
            await link.tell(house.live(end - HOUR, 22.0))
            await until(lambda: hub.wh(old.home).get((end - HOUR, HOUR)) == 22, "restated")

            await link.withdraw()
            await until(lambda: link.status.state is MemberState.WITHDRAWN, "withdrawn")
            assert link.status.homes_deleted == 2
    assert hub.wh(old.home) == hub.wh(new.home) == {}
    assert not (folder / old.home).exists()
    assert not (folder / new.home).exists()


@pytest.mark.clause("CM-48")
async def test_a_home_whose_next_id_is_held_back_asks_for_it_again(
    broker: Broker, hub_of_pseudonyms: Hub, house: House, tmp_path: Path
) -> None:
    """Another home was expelled that had asked for its next id, too."""
    hub, folder = hub_of_pseudonyms, tmp_path / "home"

    def asks(wanted: Wanted) -> None:
        request = SigningRequest(
            community=broker.community,
            home=outcast,
            at=0,
            wanted=wanted,
            csr=keys.csr_for(keys.new_key(), outcast),
        )
        assert isinstance(hub.desk.signing(request, house.now()), Issued)

    async with hub:
        first = await joined(hub, folder, house, days=40, level=Level.PSEUDONYM)
        old = kept.load(folder).identities[0]
        outcast = (await hub.invite()).home
        asks(Wanted.ENROL)
        hub.desk.heard(outcast, house.now())
        async with linked(folder, house, transport=connecting(broker, folder)) as link:
            await link.tell(house.live(first, 1.0))
            await until(lambda: kept.load(folder).identities[0].is_known, "known")
            house.ahead = max(0.0, asks_at(old, house.now()) + 1 - time.time())
            await until(lambda: len(kept.load(folder).identities) == 2, "the next id")
            new = kept.load(folder).identities[1]
            asks(Wanted.ROTATE)
            hub.desk.expel(outcast, house.now())
            asked = len(hub.topics("csr"))
            house.ahead = new.begins + 3 * HOUR - time.time()
            hub.desk.turn(house.now())
            await hub.flush()
            assert new.home not in {home.id for home in hub.desk.homes()}
            await link.tell(house.live(new.begins, 2.0, 3.0))
            link._lines[old.home].conversation.wake()
            await until(lambda: len(hub.topics("csr")) > asked, "asked again")
            await until(lambda: not hub.desk._registry.is_doubted(new.home), "trusted")
            hub.desk.turn(house.now())
            await hub.flush()
            assert new.home in {home.id for home in hub.desk.homes()}
        async with linked(folder, house, transport=connecting(broker, folder)) as link:
            await until(lambda: len(hub.wh(new.home)) == 2, "told")
            await until(lambda: list(link._lines) == [new.home], "the past one hangs up")
        # Once the hub takes the id, it is not asked for any more.
        asked = len(hub.topics("csr"))
        async with linked(folder, house, transport=connecting(broker, folder)) as link:
            await link.tell(house.live(new.begins + 2 * HOUR, 4.0))
            await until(lambda: len(hub.wh(new.home)) == 3, "told more")
        assert len(hub.topics("csr")) == asked


async def test_the_next_id_leaves_too_when_it_begins(
    broker: Broker, hub_of_pseudonyms: Hub, house: House, tmp_path: Path
) -> None:
    hub, folder = hub_of_pseudonyms, tmp_path / "home"

    async with hub:
        first = await joined(hub, folder, house, days=40, level=Level.PSEUDONYM)
        old = kept.load(folder).identities[0]
        async with linked(folder, house, transport=connecting(broker, folder)) as link:
            await link.tell(house.live(first, 1.0))
            await until(lambda: kept.load(folder).identities[0].is_known, "known")
            house.ahead = max(0.0, asks_at(old, house.now()) + 1 - time.time())
            await until(lambda: len(kept.load(folder).identities) == 2, "the next id")
            await link.withdraw()
            await until(lambda: link.status.homes_deleted == 1, "deleted")
            assert link.status.state is MemberState.WITHDRAWING
        new = kept.load(folder).identities[1]
        house.ahead = new.begins + 60 - time.time()
        hub.desk.turn(house.now())
        await hub.flush()
        async with linked(folder, house, transport=connecting(broker, folder)) as link:
            await until(lambda: link.status.state is MemberState.WITHDRAWN, "both")
    assert [topic for topic in hub.topics("withdraw") if new.home in topic]
    assert not [topic for topic in hub.topics("consent") if new.home in topic]


async def test_past_ids_are_given_up_when_nobody_lets_them_in_any_more(
    broker: Broker, hub_of_pseudonyms: Hub, house: House, tmp_path: Path
) -> None:
    hub, folder = hub_of_pseudonyms, tmp_path / "home"
    async with hub:
        first = await joined(hub, folder, house, days=40, level=Level.PSEUDONYM)
        old = kept.load(folder).identities[0]
        async with linked(folder, house) as link:
            await link.tell(house.live(first, 1.0))
            await until(lambda: kept.load(folder).identities[0].is_known, "known")
            house.ahead = max(0.0, asks_at(old, house.now()) + 1 - time.time())
            await until(lambda: len(kept.load(folder).identities) == 2, "the next id")
    house.ahead = old.holds_until - time.time()
    async with linked(folder, house) as link:
        await until(lambda: not (folder / old.home).exists(), "removed")
        past = kept.load(folder).identities[0]
        assert past.is_gone
        assert past.secret == old.secret
        assert await link.tell([*house.live(first, 2.0)]) == 0
