"""However messages come, go missing and come again, the ledger ends as after a clean run."""

from contextlib import suppress
from datetime import date
from hashlib import sha256
from pathlib import Path
import tempfile

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from custom_components.carbon_meter.community.contract.message import Flow, Footprint
from custom_components.carbon_meter.community.hub.errors import StoreError
from custom_components.carbon_meter.community.hub.opening import Hub
from custom_components.carbon_meter.community.ledger.ledger import Ledger
from custom_components.carbon_meter.community.ledger.schema import SUMS
from custom_components.carbon_meter.community.outbox.outbox import Outbox
from tests.community.hub.homes import (
    MIDNIGHT,
    NOW,
    agreed,
    heard,
    own_broker,
    told,
    withdrawal,
)
from tests.community.ledger.village import BERLIN, COMMUNITY, HOUR, footprint, item

HOMES = ("a", "b", "c")
ANY_HOME = st.sampled_from(HOMES)
CRASHES = ("before the ledger", "between ledger and books", "after the books")


class PowerCutError(OSError):
    """The process is no more."""


def made(home: str, hour: int, revision: int, duration: int) -> Footprint:
    """Return a footprint whose content follows from its key and revision."""
    seed = hash((ord(home), hour, revision, duration)) % 100_003
    flows = [Flow.GRID_IMPORT, Flow.PV][: 1 + seed % 2]
    start = MIDNIGHT + hour * HOUR
    return footprint(
        home,
        start - start % duration,
        *(item(flow, seed // 3 % 900 + place) for place, flow in enumerate(flows)),
        revision=revision,
        duration=duration,
    )


class Community(RuleBasedStateMachine):
    """Homes with real outboxes, a broker that does its worst, a hub that dies again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)
        self.hub = self.opened()
        for home in HOMES:
            self.hub.ledger.assign(home, date(2026, 1, 1), feeder="north")
            self.hub.books.agree(agreed(home))
        self.hub.books.commit()
        self.outboxes = {home: Outbox(self.path / f"{home}.db") for home in HOMES}
        self.broker: list[Footprint] = []
        self.truth: dict[tuple[str, int, int], list[Footprint]] = {}
        self.withdrawn: set[str] = set()
        self.clock = NOW

    def opened(self) -> Hub:
        return own_broker(self.path / "hub")

    @initialize(lost=st.integers(0, 5))
    def begin_with_a_gap(self, lost: int) -> None:
        """Have something to lose, and lose it, in every run."""
        for home in HOMES[:2]:
            self.tell(home, list(range(6)), HOUR)
            del self.broker[-1 - lost]
        self.deliver(7, True)

    # What homes do

    @rule(
        home=ANY_HOME,
        hours=st.lists(st.integers(0, 5), min_size=2, max_size=6, unique=True),
        duration=st.sampled_from([900, HOUR, HOUR, HOUR, 86400]),
    )
    def tell(self, home: str, hours: list[int], duration: int) -> None:
        """Put the next revisions of some periods into the outbox, and hand on what is pending."""
        if home in self.withdrawn:
            return
        for start in {made(home, hour, 0, duration).start for hour in hours}:
            known = self.truth.setdefault((home, start, duration), [])
            said = made(home, (start - MIDNIGHT) // HOUR, len(known), duration)
            known.append(said)
            self.outboxes[home].put(said)
        self.send(home)

    def send(self, home: str) -> None:
        """Hand what is pending to the broker."""
        pending = self.outboxes[home].pending(20, self.clock)
        self.broker += pending
        self.outboxes[home].sent(pending, self.clock)

    @rule(home=ANY_HOME)
    def restart_a_home(self, home: str) -> None:
        """A day later: what no ack has covered goes out again, under another run."""
        self.outboxes[home].close()
        self.outboxes[home] = Outbox(self.path / f"{home}.db")
        self.clock += 86400
        self.send(home)

    @precondition(lambda self: len(self.withdrawn) < 2)
    @rule(home=ANY_HOME)
    def withdraw(self, home: str) -> None:
        self.withdrawn.add(home)
        self.process([withdrawal(home, 9)])

    # What the broker does

    @precondition(lambda self: self.broker)
    @rule(what=st.sampled_from(["lose", "double", "shuffle"]), data=st.data())
    def do_its_worst(self, what: str, data) -> None:
        if what == "lose":
            # One at least, mostly several, with others between them.
            del self.broker[data.draw(st.integers(0, len(self.broker) - 1)) :: 2]
        elif what == "double":
            self.broker.append(data.draw(st.sampled_from(self.broker)))
        else:
            self.broker = data.draw(st.permutations(self.broker))

    @rule(count=st.sampled_from([2, 50]), is_answered=st.booleans())
    def deliver(self, count: int, is_answered: bool) -> None:
        self.process([told(said) for said in self.broker[:count]])
        del self.broker[:count]
        if is_answered:
            self.hear(self.hub.processor.answers(NOW))

    # What happens to the hub

    @rule(count=st.integers(1, 10), point=st.sampled_from(CRASHES), is_crash=st.booleans())
    def fail(self, count: int, point: str, is_crash: bool) -> None:
        """Die in the middle, or have the disk fail: the broker gives all of it again."""
        take, commit = self.hub.ledger.take, self.hub.books.commit
        self.dying(point)
        with suppress(StoreError):
            self.hub.processor.process([told(said) for said in self.broker[:count]], NOW)
        self.hub.ledger.take, self.hub.books.commit = take, commit
        if is_crash:
            self.hub.books.revert()  # nothing is written down on the way out
            self.restart()

    @rule()
    def restart(self) -> None:
        self.hub.close()
        self.hub = self.opened()

    @rule(most=st.integers(1, 3), are_lost=st.booleans())
    def answer(self, most: int, are_lost: bool) -> None:
        self.hear(self.hub.processor.answers(NOW, most), are_lost=are_lost)

    def dying(self, point: str) -> None:
        """Have the hub's next batch end at a point."""
        take, commit = self.hub.ledger.take, self.hub.books.commit

        def dying_take(footprints, at):
            if point == CRASHES[0]:
                raise PowerCutError
            outcomes = take(footprints, at)
            if point == CRASHES[1]:
                raise PowerCutError
            return outcomes

        def dying_commit(refused=None):
            commit(refused)
            if refused is not None:
                raise PowerCutError

        self.hub.ledger.take = dying_take
        if point == CRASHES[2]:
            self.hub.books.commit = dying_commit

    def process(self, batch) -> None:
        self.hear(self.hub.processor.process(batch, NOW))

    def hear(self, replies, *, are_lost: bool = False) -> None:
        answers = heard(replies)
        for ack in [] if are_lost else answers.acks:
            self.outboxes[ack.home].acknowledged(ack)
        for nack in answers.nacks:
            assert nack.home in self.withdrawn, nack

    # In the end

    def teardown(self) -> None:
        """Let all be well: everything that was ever told arrives, and nothing twice."""
        for _ in range(10):
            self.clock += 2 * 86400
            for home in HOMES:
                self.send(home)
            self.deliver(len(self.broker), True)
            self.hear(self.hub.processor.answers(NOW))
        for home in set(HOMES) - self.withdrawn:
            status = self.outboxes[home].status()
            assert (status.waiting, status.out, status.refused) == (0, 0, 0)
            self.outboxes[home].close()
        assert self.hub.ledger.recompute() == 0
        assert self.digest(self.hub.ledger) == self.clean_run()
        self.hub.close()
        self.folder.cleanup()

    def clean_run(self) -> str:
        """Return the digest of a ledger that has heard only what holds in the end."""
        clean = Ledger(self.path / "clean.db", community=COMMUNITY, zone=BERLIN)
        for home in sorted(set(HOMES) - self.withdrawn):
            clean.assign(home, date(2026, 1, 1), feeder="north")
        for (home, _, _), revisions in sorted(self.truth.items()):
            if home not in self.withdrawn:
                clean.take([revisions[-1]], int(NOW))
        assert clean.recompute() == 0
        result = self.digest(clean)
        clean.close()
        return result

    def digest(self, ledger: Ledger) -> str:
        """Return the SHA-256 of all cells that hold anything."""
        columns = ", ".join(
            ("grain", "begin_at", "scope", "name", "flow", "kind", "homes", *SUMS, "lowest")
        )
        with ledger._database.reading() as connection:
            rows = connection.execute(
                f"SELECT {columns}, highest FROM cells WHERE homes > 0 ORDER BY {columns}"  # noqa: S608
            ).fetchall()
        return sha256(repr(rows).encode()).hexdigest()


TestCommunity = Community.TestCase
TestCommunity.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
