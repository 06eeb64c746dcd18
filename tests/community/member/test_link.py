"""A member at work: a real broker, a real hub, and what can happen to both."""

import asyncio
from dataclasses import replace
import json
from pathlib import Path
import time

import pytest

from custom_components.carbon_meter.community.authority.credentials import Credentials
from custom_components.carbon_meter.community.contract.answers import Nack, Request, write_answer
from custom_components.carbon_meter.community.contract.message import Flow, Level
from custom_components.carbon_meter.community.contract.reading import read
from custom_components.carbon_meter.community.contract.refusal import Code
from custom_components.carbon_meter.community.member import state as kept
from custom_components.carbon_meter.community.member.agreed import DAY
from custom_components.carbon_meter.community.member.link import MemberLink
from custom_components.carbon_meter.community.member.mqtt import MqttTransport
from custom_components.carbon_meter.community.member.schedule import Pace
from custom_components.carbon_meter.community.member.status import MemberState
from custom_components.carbon_meter.community.member.transport import TransportError, Trouble
from tests.community.broker import Broker, free_port, needs_broker
from tests.community.outbox.homes import footprint as ready, item as ready_item

from .house import HOUR, MAKER, QUICK, House, agreed, until
from .hub import Hub
from .membership import joined, linked

pytestmark = needs_broker


def is_done(link) -> bool:
    """Return whether the hub has acknowledged everything."""
    return not link.status.out and not link.status.waiting


async def test_a_home_joins_and_tells(hub: Hub, tmp_path: Path) -> None:
    house = House()
    async with hub:
        first = await joined(hub, tmp_path / "home", house)
        async with linked(tmp_path / "home", house) as link:
            assert await link.tell(house.live(first, 1000.0, 2000.5, None)) == 3
            await until(lambda: is_done(link), "acks")
            home = link.status.home
            assert link.status.state is MemberState.CONNECTED
            kinds = [each.kind for each in link.outgoing]
            assert kinds == ["consent", "footprint", "footprint", "footprint"]
            told = link.outgoing[1:]
            assert all(each.acknowledged_at is not None for each in told)
            assert link.status.last_told == told[-1]
    assert hub.wh(home) == {(first, HOUR): 1000, (first + HOUR, HOUR): 2000}
    assert set(hub.wh(home, Flow.PV).values()) == {250}
    # What is shown is what has left, to the letter.
    heard = [(each.topic, each.payload.decode()) for each in hub.heard if "/fp/" in each.topic]
    assert heard == [(each.topic, each.payload) for each in told]


async def test_a_consent_is_told_until_the_hub_has_shown_that_it_has_it(
    hub: Hub, tmp_path: Path
) -> None:
    house = House()
    async with hub:
        first = await joined(hub, tmp_path, house)
        async with linked(tmp_path, house):
            await until(lambda: len(hub.topics("consent")) == 1, "consent")
        async with linked(tmp_path, house):
            await until(lambda: len(hub.topics("consent")) == 2, "consent")
        async with linked(tmp_path, house) as link:
            await link.tell(house.live(first, 1.0))
            await until(lambda: is_done(link), "acks")
            await until(lambda: kept.load(tmp_path).identities[0].is_known, "known")
        assert len(hub.topics("consent")) == 3
        async with linked(tmp_path, house) as link:
            await link.tell(house.live(first + HOUR, 1.0))
            await until(lambda: is_done(link), "acks")
            home = link.status.home
    assert len(hub.topics("consent")) == 3
    assert len(hub.wh(home)) == 2
    topics = [each.topic for each in hub.heard]
    assert topics.index(hub.topics("consent")[0]) < topics.index(hub.topics("/fp/")[0])


async def test_nobody_listens(broker: Broker, hub: Hub, tmp_path: Path) -> None:
    """The broker says so, everything is kept, and a hub that comes gets all of it."""
    house = House()
    async with hub:
        first = await joined(hub, tmp_path, house)
        # The broker forgets the hub's subscription.
        await hub._transport._client.unsubscribe("cm/v1/c1/+/up/#")
        async with linked(tmp_path, house) as link:
            await link.tell(house.live(first, 1.0, 2.0))
            await until(lambda: link.status.state is MemberState.NOBODY_LISTENS, "nobody")
            assert [each.kind for each in link.outgoing if each.kind == "footprint"] == []
            assert link.status.waiting == 2
            await hub._transport.subscribe("cm/v1/c1/+/up/#")
            await until(lambda: is_done(link), "acks")
            assert link.status.state is MemberState.CONNECTED
            home = link.status.home
    assert list(hub.wh(home).values()) == [1, 2]


async def test_a_probe_is_all_that_goes_out_while_nobody_listens(hub: Hub, tmp_path: Path) -> None:
    house = House()
    async with hub:
        first = await joined(hub, tmp_path, house)
        async with linked(tmp_path, house, replace(QUICK, spread=HOUR)) as link:
            await until(lambda: hub.topics("consent"), "consent")
            await hub._transport._client.unsubscribe("cm/v1/c1/+/up/#")
            await link.tell(house.live(first, 1.0, 2.0, 3.0))
            house.ahead += 2 * HOUR
            link._lines[link.status.home].conversation.wake()
            await until(lambda: link.status.state is MemberState.NOBODY_LISTENS, "nobody")
            assert [each.reason for each in link.outgoing if each.kind == "footprint"] == [0x10]
            assert link.status.waiting + link.status.out == 3


@pytest.mark.clause("CM-33")
async def test_weeks_without_a_hub_lose_nothing(broker: Broker, hub: Hub, tmp_path: Path) -> None:
    house = House()
    async with hub:
        first = await joined(hub, tmp_path, house, days=30)
    async with linked(tmp_path, house) as link:
        for day in range(29):
            await link.tell(house.live(first + day * DAY, *[float(day + 1)] * 24))
        await until(lambda: link.status.out == 29 * 24, "all out")
        home = link.status.home
    # What the broker has kept for the hub is lost with it: the home alone has it.
    broker.stop()
    (broker.layout.broker / "data" / "mosquitto.db").unlink()
    broker.start()
    async with hub, linked(tmp_path, house) as link:
        assert hub.topics("/fp/") == []
        house.ahead = 2 * HOUR
        await until(lambda: is_done(link), "acks", 60)
    assert sum(hub.wh(home).values()) == sum(24 * (day + 1) for day in range(29))
    assert hub.ledger.missing(home, first, first + 29 * DAY) == []


@pytest.mark.parametrize("persistence", ["true", "false"])
async def test_a_broker_that_dies_costs_nothing(
    broker: Broker, hub: Hub, tmp_path: Path, persistence: str
) -> None:
    """Also one that keeps nothing on its disk: neither what waits nor who has subscribed."""
    configuration = broker.layout.broker / "mosquitto.conf"
    written = configuration.read_text(encoding="utf-8")
    assert written.count("persistence true\n") == 1
    broker.stop()
    configuration.write_text(
        written.replace("persistence true\n", f"persistence {persistence}\n"), encoding="utf-8"
    )
    broker.start()
    house = House()
    async with hub:
        first = await joined(hub, tmp_path, house, days=20)
        hub.is_deaf = True
        async with linked(tmp_path, house, replace(QUICK, rate=200.0)) as link:
            await link.tell(house.live(first, *[7.0] * 240))
            home = link.status.home
            await until(lambda: len(hub.topics("/fp/")) > 40, "some")
            broker.kill()
            await until(lambda: link.status.state is MemberState.WAITING, "waiting")
    assert hub.wh(home) == {}
    broker.start()
    hub.is_deaf = False
    async with hub, linked(tmp_path, house) as link:
        # What went out an hour ago, and was not acknowledged, goes out again.
        house.ahead = 2 * HOUR
        await until(lambda: is_done(link), "acks", 60)
    assert hub.wh(home) == {(first + hour * HOUR, HOUR): 7 for hour in range(240)}


@pytest.mark.clause("CM-27")
async def test_nothing_is_said_twice_under_one_number(
    broker: Broker, hub: Hub, tmp_path: Path
) -> None:
    house = House()
    async with hub:
        first = await joined(hub, tmp_path, house)
    async with linked(tmp_path, house, replace(QUICK, rate=100.0)) as link:
        await link.tell(house.live(first, *[7.0] * 70))
        for more in (10, 20, 30):
            async with hub:
                await until(lambda more=more: len(hub.topics("/fp/")) > more, "some")
                broker.kill()
                broker.start()
        async with hub:
            await until(lambda: not link.status.waiting, "all out")
    told = [json.loads(each.payload) for each in hub.heard if "/fp/" in each.topic]
    numbers = [(each["boot"], each["seq"]) for each in told]
    assert len(numbers) > 30
    assert len(set(numbers)) == len(numbers)


async def test_a_number_is_used_up_where_nobody_knows_whether_it_arrived(
    hub: Hub, tmp_path: Path
) -> None:
    house = House()
    async with hub:
        first = await joined(hub, tmp_path, house)

        class Cut(MqttTransport):
            """Loses the connection when a footprint was published."""

            async def publish(self, topic: str, payload: bytes) -> int:
                hub.is_deaf = "/fp/" in topic and len(hub.topics("/fp/")) < 2
                reason = await super().publish(topic, payload)
                if hub.is_deaf:
                    await until(lambda: any(topic == each.topic for each in hub.heard), "heard")
                    raise TransportError(Trouble.LOST, "cut")
                return reason

        def connect(home: str) -> Cut:
            held = Credentials(tmp_path / home)
            place = kept.load(tmp_path).broker
            return Cut(place.host, place.port, held.context, identifier=home)

        async with linked(tmp_path, house, transport=connect) as link:
            await link.tell(house.live(first, 7.0))
            await until(lambda: is_done(link), "acks")
            home = link.status.home
    told = [json.loads(each.payload)["seq"] for each in hub.heard if "/fp/" in each.topic]
    assert told == [1, 2, 3]
    assert hub.wh(home) == {(first, HOUR): 7}


async def test_a_backlog_leaves_in_order_and_not_faster_than_agreed(
    hub: Hub, tmp_path: Path
) -> None:
    house = House()
    async with hub:
        first = await joined(hub, tmp_path, house)
        async with linked(tmp_path, house, replace(QUICK, rate=20.0)) as link:
            await link.tell(reversed(house.live(first, *[7.0] * 40)))
            await until(lambda: is_done(link), "acks")
            told = [each for each in link.outgoing if each.kind == "footprint"]
    assert [each.start for each in told] == [first + hour * HOUR for hour in range(40)]
    assert told[-1].at - told[0].at >= 39 / 20


async def test_what_was_not_agreed_to_does_not_leave_wherever_it_comes_from(
    hub: Hub, tmp_path: Path
) -> None:
    house = House()
    async with hub:
        first = await joined(hub, tmp_path, house, flows=(Flow.PV,))
        async with linked(tmp_path, house) as link:
            home = link.status.home
            box = await link._holdings.box(home)
            for flows in ((Flow.PV, Flow.GAS), (Flow.GAS,)):
                items = tuple(ready_item(flow, 5) for flow in flows)
                start = first + len(flows) * HOUR
                box.outbox.put(
                    ready(0, community="c1", home=home, start=start, items=items, level=Level.CLEAR)
                )
            strange = ready(0, community="c1", home="somebody", start=first, level=Level.CLEAR)
            box.outbox.put(strange)
            await link.tell(house.live(first + 5 * HOUR, 1.0))
            await until(lambda: len(hub.wh(home, Flow.PV)) == 2, "what may leave")
            await asyncio.sleep(1.5)
    assert hub.topics(str(first + HOUR)) == []
    assert hub.topics("somebody") == []
    assert not any(b"gas" in each.payload for each in hub.heard if "/fp/" in each.topic)


async def test_a_home_comes_back_by_itself(broker: Broker, hub: Hub, tmp_path: Path) -> None:
    house = House()
    async with hub:
        first = await joined(hub, tmp_path, house)
    async with linked(tmp_path, house) as link:
        await until(lambda: link.status.state is MemberState.CONNECTED, "connected")
        broker.stop()
        await until(lambda: link.status.state is MemberState.WAITING, "waiting")
        assert link.status.error
        assert link.status.connected_since is None
        await link.tell(house.live(first, 5.0))
        broker.start()
        async with hub:
            await until(lambda: is_done(link), "acks")
            home = link.status.home
    assert hub.wh(home) == {(first, HOUR): 5}


async def test_a_restated_hour_takes_the_place_of_the_first(hub: Hub, tmp_path: Path) -> None:
    house = House()
    async with hub:
        first = await joined(hub, tmp_path, house)
        async with linked(tmp_path, house) as link:
            await link.tell(house.live(first, 5.0, 6.0))
            await until(lambda: is_done(link), "acks")
            await link.tell(house.live(first, 4.0, 6.0))
            await until(lambda: len(hub.topics("/fp/")) == 3 and is_done(link), "revision")
            home = link.status.home
    assert hub.wh(home) == {(first, HOUR): 4, (first + HOUR, HOUR): 6}
    assert hub.revisions(home) == {(first, HOUR): 1, (first + HOUR, HOUR): 0}


async def test_a_request_is_answered(hub: Hub, tmp_path: Path) -> None:
    house = House()
    async with hub:
        first = await joined(hub, tmp_path, house)
        async with linked(tmp_path, house) as link:
            await link.tell(house.live(first, *[5.0] * 24))
            await until(lambda: is_done(link), "acks")
            home = link.status.home
            before = len(hub.topics("/fp/"))
            request = Request(
                community="c1", home=home, duration=HOUR, missing=((first + 2 * HOUR, 4),)
            )
            topic, payload = write_answer(request)
            await hub._transport.publish(topic, payload)
            await until(lambda: len(hub.topics("/fp/")) == before + 4 and is_done(link), "again")
    assert hub.topics("/fp/")[-4:] == [
        f"cm/v1/c1/{home}/up/fp/{first + hour * HOUR}" for hour in range(2, 6)
    ]
    assert len(hub.wh(home)) == 24


async def test_less_is_agreed_to_on_the_way(hub: Hub, tmp_path: Path) -> None:
    house = House()
    async with hub:
        first = await joined(hub, tmp_path, house, days=10)
        async with linked(tmp_path, house, replace(QUICK, rate=50.0)) as link:
            await link.tell(house.live(first, *[5.0] * 200))
            await until(lambda: len(link.outgoing) > 5, "some")
            await link.change(agreed(flows=(Flow.PV,)))
            await until(lambda: is_done(link), "acks", 60)
            home = link.status.home
    consents = [place for place, each in enumerate(hub.heard) if "consent" in each.topic]
    assert len(consents) == 2
    after = [read(each.topic, each.payload, time.time()) for each in hub.heard[consents[1] + 1 :]]
    assert len(after) > 100
    assert {item.flow for each in after for item in each.items} == {Flow.PV}
    assert len(hub.wh(home, Flow.PV)) == 200


@pytest.mark.clause("CM-30")
async def test_nothing_is_told_to_a_hub_that_refuses_the_consent(hub: Hub, tmp_path: Path) -> None:
    house = House()
    async with hub:
        first = await joined(hub, tmp_path, house)
        async with linked(tmp_path, house) as link:
            await until(lambda: len(hub.topics("consent")) == 1, "consent")
            for count in (1, 2, 3):
                refusal = Nack(
                    community="c1",
                    home=link.status.home,
                    code=Code.CONSENT,
                    clause="CM-36",
                    detail="is no member",
                )
                await hub._transport.publish(*write_answer(refusal))
                await until(
                    lambda count=count: link.status.refusals.get("consent") == count, "refused"
                )
                await link.tell(house.live(first + count * HOUR, 5.0))
            # Another consent, for the same: it may hold.
            await link.change(agreed())
            await until(lambda: is_done(link), "acks")
            assert len(hub.wh(link.status.home)) == 3
    topics = [each.topic.rsplit("/", 2) for each in hub.heard if "/csr" not in each.topic]
    assert [way if way == "fp" else what for _, way, what in topics] == (
        ["consent"] * 2 + ["fp"] * 3
    )


@pytest.mark.clause("CM-30")
async def test_a_hub_that_has_lost_the_consent_gets_it_again(hub: Hub, tmp_path: Path) -> None:
    house = House()
    async with hub:
        first = await joined(hub, tmp_path, house)
        async with linked(tmp_path, house) as link:
            await link.tell(house.live(first, 5.0))
            await until(lambda: is_done(link), "acks")
            home = link.status.home
            for start in (first, first + HOUR):
                refusal = Nack(
                    community="c1",
                    home=home,
                    code=Code.CONSENT,
                    clause="CM-36",
                    detail="has not agreed",
                    start=start,
                    duration=HOUR,
                    revision=0,
                )
                await hub._transport.publish(*write_answer(refusal))
            await until(lambda: len(hub.topics("consent")) == 2, "consent")
            await until(lambda: link.status.refusals.get("consent") == 2, "both")
            assert link.status.state is MemberState.REFUSED
            assert link.status.last_refusal == ("consent", "has not agreed")
            await link.tell(house.live(first + HOUR, 6.0))
            await until(lambda: link.status.state is MemberState.CONNECTED, "good again")
    assert len(hub.topics("consent")) == 2


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (Code.VERSION, MemberState.UPDATE_NEEDED),
        (Code.FUTURE, MemberState.CLOCK),
        (Code.QUALITY, MemberState.REFUSED),
    ],
)
async def test_what_a_refusal_means(
    hub: Hub, tmp_path: Path, code: Code, state: MemberState
) -> None:
    house = House()
    async with hub:
        first = await joined(hub, tmp_path, house)
        hub.is_deaf = True
        async with linked(tmp_path, house) as link:
            await link.tell(house.live(first, 5.0))
            await until(lambda: link.status.out, "out")
            told = link.status.last_told
            refusal = Nack(
                community="c1",
                home=link.status.home,
                code=code,
                clause="CM-8",
                detail="no",
                boot=told.boot,
                seq=told.seq,
                start=first,
                duration=HOUR,
                revision=0,
            )
            await hub._transport.publish(*write_answer(refusal))
            await until(lambda: link.status.refused == 1, "refused")
            assert link.status.state is state
            assert link.status.last_told.refused == code.value
            house.ahead = 3 * HOUR
            assert await link.upcoming() == ()


async def test_a_home_put_back_from_a_backup_is_heard_again(hub: Hub, tmp_path: Path) -> None:
    """Its revisions begin anew, with other contents than the hub has."""
    house = House()
    async with hub:
        first = await joined(hub, tmp_path, house)
        async with linked(tmp_path, house) as link:
            await link.tell(house.live(first, 5.0))
            await until(lambda: is_done(link), "acks")
            home = link.status.home
        for path in (tmp_path / home).glob("*.sqlite*"):
            path.unlink()
        async with linked(tmp_path, house) as link:
            await link.tell(house.live(first, 9.0))
            await until(lambda: hub.wh(home) == {(first, HOUR): 9}, "the new figures")
            await until(lambda: is_done(link), "acks")
            assert link.status.refusals == {"conflict": 1}
            assert link.status.state is MemberState.CONNECTED


async def test_a_clock_that_was_set_back_holds_nothing_up(hub: Hub, tmp_path: Path) -> None:
    house = House()
    async with hub:
        first = await joined(hub, tmp_path, house)
        house.ahead = 5 * DAY
        ahead = int(house.now()) // HOUR * HOUR - 2 * HOUR
        link = await MemberLink.open(tmp_path, house.hours, MAKER, clock=house.clock, now=house.now)
        await link.tell(house.live(first, 5.0))
        await link.tell(house.live(ahead, 6.0))
        await link.close()
        house.ahead = 0.0
        async with linked(tmp_path, house) as link:
            await until(lambda: hub.wh(link.status.home), "what is past")
            await until(lambda: link.status.waiting == 1 and not link.status.out, "ack")
            home = link.status.home
            house.ahead = 5 * DAY
            await until(lambda: hub.topics(str(ahead)), "the clock is there again")
    assert hub.wh(home) == {(first, HOUR): 5}


async def test_somebody_who_is_expelled_does_not_hammer(
    broker: Broker, hub: Hub, tmp_path: Path
) -> None:
    house = House()
    async with hub:
        await joined(hub, tmp_path, house)
        pace = Pace(rate=1000.0, spread=0, first=0.0, backoff=0.1)
        async with linked(tmp_path, house, pace) as link:
            await until(lambda: link.status.state is MemberState.CONNECTED, "connected")
            hub.desk.expel(link.status.home, time.time())
            await hub.flush()
            await until(lambda: link.status.state is MemberState.NOT_AUTHORIZED, "refused")
            assert link.status.error

            def refusals() -> int:
                log = broker.log
                return log.count(f"{link.status.home} not authorised") + log.count(
                    "Client <unknown>"
                )

            before = refusals()
            await asyncio.sleep(2)
            # What the broker writes of the one refusal may come late; of hammering, it is twenty.
            assert refusals() - before <= 2


async def test_another_broker_is_not_spoken_to(broker: Broker, hub: Hub, tmp_path: Path) -> None:
    house = House()
    async with hub:
        await joined(hub, tmp_path / "home", house)
    other = Broker(tmp_path / "other")
    with other:
        held = kept.load(tmp_path / "home")
        moved = replace(held, broker=replace(held.broker, port=other.port))
        kept.save(tmp_path / "home", moved)
        async with linked(tmp_path / "home", house) as link:
            await until(lambda: link.status.state is MemberState.NOT_TRUSTED, "not trusted")
            assert link.outgoing == ()


async def test_a_certificate_that_the_broker_does_not_take(
    broker: Broker, hub: Hub, tmp_path: Path
) -> None:
    """A revoked home is told so: it does not look like a broken network."""
    house = House()
    async with hub:
        await joined(hub, tmp_path, house)
        home = kept.load(tmp_path).identities[0].home
        hub.desk._authority.revoke(home, now=time.time())
        crl = hub.desk.crl_pem(time.time())
        (broker.layout.broker / "crl.pem").write_text(crl)
    broker.stop()
    broker.start()
    async with linked(tmp_path, house) as link:
        await until(lambda: link.status.state is MemberState.NOT_AUTHORIZED, "refused")
        assert "revoked" in link.status.error


async def test_no_port_no_answer(broker: Broker, hub: Hub, tmp_path: Path) -> None:
    house = House()
    async with hub:
        await joined(hub, tmp_path, house)
    held = kept.load(tmp_path)
    kept.save(tmp_path, replace(held, broker=replace(held.broker, port=free_port())))
    async with linked(tmp_path, house) as link:
        await until(lambda: link.status.state is MemberState.WAITING, "waiting")
        assert "refused" in link.status.error.lower()


async def test_days_under_a_pseudonym(hub: Hub, tmp_path: Path) -> None:
    house = House()
    async with hub:
        first = await joined(hub, tmp_path, house, duration=DAY, level=Level.PSEUDONYM)
        async with linked(tmp_path, house) as link:
            await link.tell(house.live(first, *[5.5] * 24))
            await until(lambda: hub.topics("/fp/") and is_done(link), "acks")
            body = json.loads(link.status.last_told.payload)
            home = link.status.home
    assert (body["dur"], body["level"], body["clk"]["offset_ms"]) == (DAY, "pseudonym", None)
    assert hub.wh(home) == {(first, DAY): 132}


async def test_listeners_hear_of_changes(hub: Hub, tmp_path: Path) -> None:
    house = House()
    async with hub:
        first = await joined(hub, tmp_path, house)
        async with linked(tmp_path, house) as link:
            seen: list[MemberState] = []
            stop = link.listen(lambda: seen.append(link.status.state))
            await link.tell(house.live(first, 5.0))
            await until(lambda: is_done(link) and link.outgoing, "acks")
            stop()
            count = len(seen)
            await link.tell(house.live(first, 6.0))
            assert len(seen) == count
            assert MemberState.CONNECTED in seen
