"""Put, sent, lost, acknowledged, asked for and crashed in any order: nothing is lost."""

from collections import defaultdict
from pathlib import Path
import shutil
import tempfile

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
import pytest

from custom_components.carbon_meter.community.contract.answers import (
    Nack,
    Request,
    read_answer,
    write_answer,
)
from custom_components.carbon_meter.community.contract.message import Footprint
from custom_components.carbon_meter.community.contract.reading import read
from custom_components.carbon_meter.community.contract.refusal import Code
from custom_components.carbon_meter.community.contract.revisions import Standing
from custom_components.carbon_meter.community.contract.writing import write
from custom_components.carbon_meter.community.outbox.outbox import Outbox
from tests.community.outbox.homes import BEGIN, COMMUNITY, HOME, HOUR, NOW, ack_of, footprint

HOURS = 3
MOST = 50
hours = st.integers(0, HOURS - 1)


class OutboxMachine(RuleBasedStateMachine):
    """A home with an outbox, a network that loses and reorders, and a hub."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.files = 0
        self.now = NOW
        self.outbox = Outbox(self.folder / "0.db", most=MOST)
        self.newest: dict[int, Footprint] = {}
        """What was put of each hour, in the highest revision."""

        self.sent: dict[int, int] = {}
        """The highest revision of each hour that went out."""

        self.meanings: dict[tuple[str, int], tuple] = {}
        """What each number stood for."""

        self.wire: list[Footprint] = []
        self.hub: dict[int, int] = {}
        """Revision by start."""

        self.came: dict[str, dict[int, Footprint]] = defaultdict(dict)
        """By run and number."""

        self.refused: set[tuple[int, int]] = set()
        """Start and revision of what the hub does not want to see again."""

        self.kept: dict[int, int] = {}
        """What was acknowledged to the home of each hour."""

    def teardown(self) -> None:
        """Let everything arrive: the hub then has the newest of every hour."""
        for _ in range(3):
            self.now += 2 * 86400
            for message in self.send(100):
                self.arrive(message)
            for boot in list(self.came):
                self.acknowledge(boot)
        for hour, newest in self.newest.items():
            if (newest.start, newest.revision) not in self.refused:
                assert self.hub.get(newest.start) == newest.revision, hour
        self.now += 2 * 86400
        assert self.outbox.pending(100, self.now) == []
        assert self.outbox.status().dropped == 0
        self.outbox.close()
        shutil.rmtree(self.folder)

    @rule(hour=hours, wh=st.integers(0, 5000))
    def put_a_newer_revision(self, hour: int, wh: int) -> None:
        newest = self.newest.get(hour)
        revision = 0 if newest is None else newest.revision + 1
        self.newest[hour] = footprint(hour, revision=revision, wh=wh)
        assert self.outbox.put(self.newest[hour]) is Standing.NEWER

    @precondition(lambda self: self.newest)
    @rule(place=hours, age=st.integers(0, 2))
    def put_again(self, place: int, age: int) -> None:
        hour = sorted(self.newest)[place % len(self.newest)]
        newest = self.newest[hour]
        age = min(age, newest.revision)
        if age:
            again = footprint(hour, revision=newest.revision - age)
            assert self.outbox.put(again) is Standing.OLDER
        else:
            assert self.outbox.put(newest) is Standing.SAME

    @precondition(lambda self: self.newest)
    @rule(limit=st.integers(1, HOURS), later=st.sampled_from([0, 60, HOUR, 86400]))
    def publish(self, limit: int, later: int) -> None:
        self.now += later
        self.wire += self.send(limit)

    @precondition(lambda self: self.newest)
    @rule(limit=st.integers(1, HOURS))
    def fail_to_publish(self, limit: int) -> None:
        """The broker takes them, but the home does not come to know."""
        for message in self.outbox.pending(limit, self.now):
            self.note(message)
            self.wire.append(message)

    @precondition(lambda self: self.wire)
    @rule(place=st.integers(0, 100), lost=st.booleans(), twice=st.booleans())
    def deliver(self, place: int, lost: bool, twice: bool) -> None:
        message = self.wire[place % len(self.wire)]
        if not twice:
            self.wire.remove(message)
        if not lost:
            self.arrive(message)

    @precondition(lambda self: self.came)
    @rule(place=st.integers(0, 100))
    def acknowledge_a_run(self, place: int) -> None:
        self.acknowledge(sorted(self.came)[place % len(self.came)])

    @precondition(lambda self: self.came)
    @rule(place=st.integers(0, 100))
    def acknowledge_another_content(self, place: int) -> None:
        messages = self.came[sorted(self.came)[place % len(self.came)]]
        assert self.outbox.acknowledged(ack_of(*messages.values(), digest="0" * 64)) == 0

    @rule(hour=hours, count=st.integers(1, HOURS))
    def ask(self, hour: int, count: int) -> None:
        """The hub asks for what it does not have; the home makes again what it let go."""
        starts = [BEGIN + number * HOUR for number in range(hour, min(hour + count, HOURS))]
        request = Request(
            community=COMMUNITY,
            home=HOME,
            duration=HOUR,
            missing=tuple((start, 1) for start in starts),
        )
        absent = self.outbox.asked(read_answer(*write_answer(request)))
        for start in starts:
            newest = self.newest.get((start - BEGIN) // HOUR)
            if newest is not None:
                self.refused.discard((start, newest.revision))
            if start in absent:
                assert newest is None or self.kept[start] == newest.revision
                if newest is not None:
                    del self.kept[start]
                    assert self.outbox.put(newest) is Standing.SAME

    @precondition(lambda self: self.sent)
    @rule(hour=hours)
    def refuse(self, hour: int) -> None:
        newest = self.newest.get(hour)
        if newest is None or self.sent.get(newest.start) != newest.revision:
            return
        nack = Nack(
            community=COMMUNITY,
            home=HOME,
            code=Code.CONSENT,
            clause="CM-36",
            detail="",
            start=newest.start,
            duration=HOUR,
            revision=newest.revision,
        )
        if self.outbox.refused(nack):
            self.refused.add((newest.start, newest.revision))

    @rule()
    def crash(self) -> None:
        """The power fails: the next run finds the file and its log as they lie on the disk."""
        before = self.folder / f"{self.files}.db"
        self.files += 1
        after = self.folder / f"{self.files}.db"
        for suffix in ("", "-wal"):
            if (part := Path(f"{before}{suffix}")).exists():
                shutil.copy(part, f"{after}{suffix}")
        self.outbox.close()
        self.outbox = Outbox(after, most=MOST)
        assert self.outbox.damaged is None

    @invariant()
    def the_newest_revision_is_known(self) -> None:
        for hour, newest in self.newest.items():
            assert self.outbox.revision(footprint(hour)) == newest.revision

    @invariant()
    def nothing_is_let_go_without_an_ack(self) -> None:
        status = self.outbox.status()
        held = status.waiting + status.out + status.refused
        let_go = sum(
            self.kept.get(newest.start) == newest.revision for newest in self.newest.values()
        )
        assert held + let_go == len(self.newest)

    def send(self, limit: int) -> list[Footprint]:
        messages = self.outbox.pending(limit, self.now)
        self.outbox.sent(messages, self.now)
        for message in messages:
            self.note(message)
        return messages

    def note(self, message: Footprint) -> None:
        """Check what goes out: never an old revision, never a number with two meanings."""
        assert message.revision >= self.sent.get(message.start, 0)
        self.sent[message.start] = message.revision
        meaning = self.meanings.setdefault((message.boot, message.seq), message)
        assert meaning == message
        assert (message.start, message.revision) not in self.refused

    def arrive(self, message: Footprint) -> None:
        """The hub reads a message and commits it."""
        message = read(*write(message), self.now)
        self.hub[message.start] = max(message.revision, self.hub.get(message.start, 0))
        self.came[message.boot][message.seq] = message

    def acknowledge(self, boot: str) -> None:
        """The hub tells all that it has of a run; the home lets go no more than that."""
        messages = self.came[boot]
        ack = ack_of(*messages.values())
        before = self.outbox.status()
        count = self.outbox.acknowledged(read_answer(*write_answer(ack)))
        after = self.outbox.status()
        held = before.waiting + before.out + before.refused
        assert held - count == after.waiting + after.out + after.refused
        for hour, newest in self.newest.items():
            if self.is_let_go(hour):
                assert self.hub[newest.start] == newest.revision
                self.kept[newest.start] = newest.revision

    def is_let_go(self, hour: int) -> bool:
        with self.outbox._file.reading() as database:
            row = database.execute(
                "SELECT state >= 3 FROM footprint WHERE start = ?", (BEGIN + hour * HOUR,)
            ).fetchone()
        return bool(row[0])


OutboxMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


@pytest.mark.clause("CM-27", "CM-29", "CM-30", "CM-31", "CM-32", "CM-33")
class TestOutbox(OutboxMachine.TestCase):
    """Runs the machine."""
