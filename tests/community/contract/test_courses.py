"""The published courses: our hub answers, and our home keeps, what another vendor reads in them."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
import hashlib
import json
from pathlib import Path
import sqlite3
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest

from custom_components.carbon_meter.community.authority.checking import check_issued
from custom_components.carbon_meter.community.authority.keys import key_asked_for
from custom_components.carbon_meter.community.contract.answers import (
    Ack,
    Nack,
    Request,
    read_answer,
)
from custom_components.carbon_meter.community.contract.certificates import (
    Issued,
    Wanted,
    read_certificate,
)
from custom_components.carbon_meter.community.contract.clauses import CLAUSES
from custom_components.carbon_meter.community.contract.message import Footprint
from custom_components.carbon_meter.community.contract.reading import read
from custom_components.carbon_meter.community.contract.refusal import Code, RefusedError
from custom_components.carbon_meter.community.hub.arrived import Arrived, Reply
from custom_components.carbon_meter.community.hub.opening import Hub, open_hub
from custom_components.carbon_meter.community.outbox.outbox import Outbox
from tests.community.contract.courses import (
    Course,
    all_chains,
    all_courses,
    clauses_of_courses,
    messages,
    name_of,
)
from tests.community.contract.json_schema import is_valid, schema_of
from tests.community.contract.vectors import all_vectors

HUBS, HOMES, CHAINS = all_courses("hub"), all_courses("home"), all_chains()

UTC = ZoneInfo("UTC")

WITHOUT = {
    "CM-27": "how a sender makes its own numbers: any receiver takes any",
    "CM-33": "a disk, and weeks",
    "CM-40": "a broker and its certificates: hardware/broker has both",
    "CM-45": "what a hub keeps, not what it says",
    "CM-46": "ten thousand messages, and their pace",
    "CM-48": "a hub's months",
}
"""Clauses that no message shows, and why; each has tests of its own."""


def test_every_clause_that_messages_can_show_is_shown() -> None:
    shown = {vector.clause for vector in all_vectors()} | clauses_of_courses()
    assert shown.isdisjoint(WITHOUT)
    assert shown | set(WITHOUT) == set(CLAUSES)


def test_every_code_is_shown() -> None:
    told = {
        said["code"]
        for course in HUBS
        for step in course["steps"]
        for said in step.get("says", ())
        if "code" in said
    }
    assert told | {vector.code for vector in all_vectors()} >= set(Code)


def test_names_are_told_once() -> None:
    names = [name_of(course) for course in (*HUBS, *HOMES)] + [row["name"] for row in CHAINS]
    assert len(names) == len(set(names))


# A hub


@pytest.fixture
def hub_of(tmp_path: Path) -> Iterator[Callable[[Course], Hub]]:
    """Return how to open the hub of a course."""
    opened: list[Hub] = []

    def opening(course: Course) -> Hub:
        hub = open_hub(tmp_path, None, zone=UTC, community=course["community"])
        opened.append(hub)
        assert hub.desk is not None
        for member in course["members"]:
            with patch(f"{type(hub.desk).__module__}.new_id", lambda member=member: member):
                hub.desk.invite(course["steps"][0]["now"])
        return hub

    yield opening
    for hub in opened:
        hub.close()


def says(hub: Hub, topic: str, payload: bytes, now: float) -> list[dict[str, Any]]:
    """Return what a hub says to one message; what it asks for may come at any time."""
    replies: Iterable[Reply] = [
        *hub.processor.process([Arrived(topic, payload)], now),
        *hub.processor.answers(now),
    ]
    return [
        {"topic": reply.topic} | json.loads(reply.payload)
        for reply in replies
        if not reply.topic.endswith("/req")
    ]


def holds(hub: Hub, folder: Path) -> list[dict[str, Any]]:
    """Return which revision of each period is in the sums, by the file of the ledger."""
    hub.ledger.settle()
    with closing(sqlite3.connect(folder / "ledger.db")) as reader:
        rows = reader.execute(
            "SELECT DISTINCT home, start_at, duration, revision, digest FROM items"
            " JOIN revisions USING (community, home, start_at, duration, revision)"
            " ORDER BY home, start_at, duration"
        ).fetchall()
    return [dict(zip(("home", "start", "dur", "rev", "digest"), row, strict=True)) for row in rows]


@pytest.mark.parametrize("course", HUBS, ids=name_of)
def test_a_hub_answers_as_the_course_says(
    course: Course, hub_of: Callable[[Course], Hub], tmp_path: Path
) -> None:
    hub = hub_of(course)
    for step in course["steps"]:
        for topic, payload in messages(step):
            said = says(hub, topic, payload, step["now"])
            if (expected := step.get("says")) is not None:
                assert len(said) == len(expected), said
                for answer, fields in zip(said, expected, strict=True):
                    assert {name: answer.get(name) for name in fields} == fields
        if "holds" in step:
            assert holds(hub, tmp_path) == step["holds"]
        if "apart" in step:
            assert len(hub.ledger.quarantined()) == step["apart"]


# A home


class Home:
    """A home whose run and numbers are those of a course."""

    def __init__(self, folder: Path, community: str, home: str) -> None:
        self._path = folder / "outbox.db"
        self._spare = folder / "spare.db"
        self._who = (community, home)
        self._boot = ""
        self._outbox: Outbox | None = None

    @contextmanager
    def run(self, boot: str) -> Iterator[Outbox]:
        """Give the outbox in the run of that name: another one begins with a restart."""
        if boot != self._boot:
            self.close()
            with patch(f"{Outbox.__module__}._new_boot", lambda: boot):
                self._outbox = Outbox(self._path)
                # The name is made with the first footprint of the run.
                assert self._outbox._boots[self._who] == boot
            self._boot = boot
        assert self._outbox is not None
        yield self._outbox

    def sends(self, footprint: Footprint, now: float) -> None:
        """Send it under the number that the course says."""
        with self.run(footprint.boot) as outbox:
            outbox.put(footprint)
            [sent] = [each for each in outbox.pending(1000, now) if each.key == footprint.key]
            assert (sent.seq, sent.digest) == (footprint.seq, footprint.digest)
            outbox.sent([sent], now)

    def hears(self, topic: str, payload: bytes) -> None:
        """Take what the hub says; what no home reads is let be."""
        with suppress(RefusedError), self.run(self._boot) as outbox:
            match read_answer(topic, payload):
                case Ack() as ack:
                    outbox.acknowledged(ack)
                case Nack() as nack:
                    outbox.refused(nack)
                case Request() as request:
                    outbox.asked(request)

    def again(self, now: float) -> list[list[int]]:
        """Return what it would send within two days if it heard nothing more."""
        self._spare.unlink(missing_ok=True)
        with (
            closing(sqlite3.connect(self._path)) as here,
            closing(sqlite3.connect(self._spare)) as there,
        ):
            here.backup(there)
        spare = Outbox(self._spare)
        left = spare.pending(1000, now + 2 * 86400)
        spare.close()
        return sorted([each.start, each.duration, each.revision] for each in left)

    def close(self) -> None:
        if self._outbox is not None:
            self._outbox.close()


@pytest.mark.parametrize("course", HOMES, ids=name_of)
def test_a_home_keeps_what_the_course_says(course: Course, tmp_path: Path) -> None:
    home = Home(tmp_path, course["community"], course["home"])
    for step in course["steps"]:
        topic, payload = step["topic"], step["payload"].encode()
        if step["does"] == "sends":
            footprint = read(topic, payload, step["now"])
            assert hashlib.sha256(step["canonical"].encode()).hexdigest() == step["digest"]
            assert footprint.digest == step["digest"]
            home.sends(footprint, step["now"])
        else:
            assert step["does"] == "hears"
            home.hears(topic, payload)
            assert home.again(step["now"]) == step["again"], step["payload"]
    home.close()


# Certificates


@pytest.mark.parametrize("row", CHAINS, ids=lambda row: row["name"])
def test_a_home_takes_the_certificates_that_it_should(row: dict[str, Any]) -> None:
    assert is_valid(schema_of("cert"), json.loads(row["payload"]))
    issued = read_certificate(row["topic"], row["payload"].encode())
    assert isinstance(issued, Issued)
    key = key_asked_for(row["csr"])
    if row["outcome"] == "accepted":
        check_issued(issued, key, Wanted(row["wanted"]), row["now"])
        return
    with pytest.raises(RefusedError) as caught:
        check_issued(issued, key, Wanted(row["wanted"]), row["now"])
    assert (caught.value.code, caught.value.clause) == (row["code"], row["clause"])
