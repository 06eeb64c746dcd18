"""The outbox: what is put stays until the hub has it, and nothing old overtakes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
import sqlite3

import pytest

from custom_components.carbon_meter.community.contract.answers import Nack, Request
from custom_components.carbon_meter.community.contract.reading import read
from custom_components.carbon_meter.community.contract.refusal import Code, RefusedError
from custom_components.carbon_meter.community.contract.revisions import Standing
from custom_components.carbon_meter.community.contract.writing import write
from custom_components.carbon_meter.community.hub.numbers import Numbers
from custom_components.carbon_meter.community.outbox.outbox import Outbox
from tests.community.outbox.homes import (
    BEGIN,
    COMMUNITY,
    HOME,
    HOUR,
    NOW,
    ack_of,
    footprint,
    hours,
    longest,
)

CONTRACT = Path(__file__).parents[3] / "docs" / "community" / "contract.md"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


@pytest.fixture
def outbox(path: Path) -> Iterator[Outbox]:
    outbox = Outbox(path)
    yield outbox
    outbox.close()


def nack(hour: int, revision: int = 0) -> Nack:
    return Nack(
        community=COMMUNITY,
        home=HOME,
        code=Code.FUTURE,
        clause="CM-17",
        detail="",
        start=BEGIN + hour * HOUR,
        duration=HOUR,
        revision=revision,
    )


def request(hour: int, count: int = 1) -> Request:
    return Request(
        community=COMMUNITY, home=HOME, duration=HOUR, missing=((BEGIN + hour * HOUR, count),)
    )


def send(outbox: Outbox, now: float = NOW) -> list:
    """Return what goes out now."""
    messages = outbox.pending(1000, now)
    outbox.sent(messages, now)
    return messages


def test_what_is_put_comes_out_the_earliest_first(outbox: Outbox) -> None:
    outbox.put_all([footprint(2), footprint(0), footprint(1)])
    messages = outbox.pending(2, NOW)
    assert hours(messages) == [0, 1]
    assert [message.digest for message in messages] == [footprint(0).digest, footprint(1).digest]
    assert read(*write(messages[0]), NOW) == messages[0]
    outbox.sent(messages, NOW)
    assert hours(outbox.pending(2, NOW)) == [2]


@pytest.mark.clause("CM-27")
def test_numbers_rise_and_none_has_two_meanings(outbox: Outbox, path: Path) -> None:
    outbox.put_all([footprint(0), footprint(1)])
    first = outbox.pending(10, NOW)
    assert [message.seq for message in first] == [1, 2]
    assert outbox.pending(10, NOW) == first
    outbox.put(footprint(0, revision=1, wh=7))
    again = outbox.pending(10, NOW)
    assert [(message.revision, message.seq) for message in again] == [(1, 3), (0, 2)]
    outbox.sent(again, NOW)
    assert [message.seq for message in outbox.pending(10, NOW + HOUR)] == [4, 5]
    other = Outbox(path)
    third = other.pending(10, NOW + HOUR)
    assert [message.seq for message in third] == [1, 2]
    assert third[0].boot != first[0].boot
    other.close()


def test_homes_do_not_share_the_name_of_a_run(outbox: Outbox) -> None:
    outbox.put_all([footprint(0), footprint(0, home="other"), footprint(1, community="town")])
    messages = send(outbox)
    assert len({message.boot for message in messages}) == 3
    assert {message.seq for message in messages} == {1}
    assert outbox.acknowledged(ack_of(messages[0], home="other")) == 0
    assert outbox.acknowledged(ack_of(messages[0])) == 1


@pytest.mark.clause("CM-25")
def test_a_newer_revision_takes_the_place_of_an_older_one(outbox: Outbox) -> None:
    assert outbox.put(footprint(0)) is Standing.NEWER
    assert outbox.put(footprint(0, revision=2, wh=5)) is Standing.NEWER
    assert outbox.put(footprint(0, revision=1, wh=4)) is Standing.OLDER
    assert outbox.put(footprint(0, revision=2, wh=5)) is Standing.SAME
    assert [message.revision for message in outbox.pending(10, NOW)] == [2]
    assert outbox.revision(footprint(0)) == 2
    assert outbox.revision(footprint(1)) is None


@pytest.mark.clause("CM-26")
def test_another_content_needs_another_revision(outbox: Outbox) -> None:
    outbox.put(footprint(0))
    with pytest.raises(RefusedError) as caught:
        outbox.put_all([footprint(1), footprint(0, wh=1)])
    assert (caught.value.code, caught.value.clause) == (Code.CONFLICT, "CM-26")
    assert outbox.pending(10, NOW)[0].digest == footprint(0).digest
    assert outbox.status().waiting == 1


def test_what_a_hub_would_refuse_is_not_put(outbox: Outbox) -> None:
    with pytest.raises(RefusedError) as caught:
        outbox.put(footprint(0, wh=-1))
    assert caught.value.clause == "CM-12"
    assert outbox.status().waiting == 0


@pytest.mark.clause("CM-29")
def test_only_what_is_acknowledged_is_let_go(outbox: Outbox) -> None:
    outbox.put_all(footprint(hour) for hour in range(6))
    messages = send(outbox)
    assert outbox.acknowledged(ack_of(messages[0], messages[1], messages[4])) == 3
    assert outbox.status().out == 3
    assert hours(outbox.pending(10, NOW + HOUR)) == [2, 3, 5]
    assert outbox.acknowledged(ack_of(messages[0], messages[1], messages[4])) == 0


@pytest.mark.clause("CM-29")
def test_an_ack_of_something_else_is_ignored(outbox: Outbox) -> None:
    outbox.put_all([footprint(0), footprint(1)])
    messages = send(outbox)
    good = ack_of(*messages)
    for changes in (
        {"digest": "0" * 64},
        {"digest": messages[0].digest},
        {"boot": "another"},
        {"home": "another"},
        {"community": "another"},
        {"upto": 3},
        {"also": ((2**53 - 1, 2**53 - 1),)},
    ):
        assert outbox.acknowledged(replace(good, **changes)) == 0
    assert outbox.status().out == 2
    assert outbox.acknowledged(good) == 2


def test_acks_that_overlap_add_up(outbox: Outbox) -> None:
    outbox.put_all(footprint(hour) for hour in range(4))
    messages = send(outbox)
    assert outbox.acknowledged(ack_of(messages[0], messages[3])) == 2
    assert outbox.acknowledged(ack_of(*messages)) == 2
    assert outbox.status().out == 0


def test_several_acks_let_go_of_what_one_has_no_room_for(outbox: Outbox) -> None:
    """Every second message of a burst has come; two of the acks come twice."""
    outbox.put_all(footprint(hour) for hour in range(700))
    messages = outbox.pending(700, NOW)
    outbox.sent(messages, NOW)
    numbers = Numbers()
    for message in messages[1::2]:
        numbers.add(message.seq, message.digest)
    acks = [
        replace(ack_of(messages[0]), upto=told.upto, also=told.also, digest=told.digest)
        for told in numbers.tell()
    ]
    assert len(acks) == 3
    assert [outbox.acknowledged(ack) for ack in (*acks, *acks[:2])] == [128, 94, 128, 0, 0]
    assert hours(outbox.pending(700, NOW + HOUR)) == list(range(0, 700, 2))


def test_an_ack_can_come_before_sent_is_told(outbox: Outbox) -> None:
    outbox.put(footprint(0))
    messages = outbox.pending(10, NOW)
    assert outbox.acknowledged(ack_of(*messages)) == 1
    outbox.sent(messages, NOW)
    assert outbox.pending(10, NOW + 30 * 86400) == []


@pytest.mark.clause("CM-29", "CM-32")
def test_an_ack_of_an_older_revision_lets_nothing_newer_go(outbox: Outbox) -> None:
    outbox.put(footprint(0))
    messages = send(outbox)
    outbox.put(footprint(0, revision=1, wh=9))
    assert outbox.acknowledged(ack_of(*messages)) == 0
    assert [message.revision for message in send(outbox)] == [1]


@pytest.mark.clause("CM-32")
def test_a_lower_revision_never_follows_a_higher_one(outbox: Outbox) -> None:
    outbox.put(footprint(0, revision=3))
    messages = send(outbox)
    assert outbox.acknowledged(ack_of(*messages)) == 1
    assert outbox.put(footprint(0, revision=2, wh=1)) is Standing.OLDER
    assert outbox.asked(request(0)) == (BEGIN,)
    assert outbox.put(footprint(0, revision=2, wh=1)) is Standing.OLDER
    assert outbox.pending(10, NOW + 86400) == []


def test_patience_doubles_up_to_a_day(outbox: Outbox) -> None:
    outbox.put(footprint(0))
    now, waits = NOW, []
    for _ in range(8):
        assert len(send(outbox, now)) == 1
        wait = next(hour for hour in range(1, 30) if outbox.pending(10, now + hour * HOUR))
        assert outbox.pending(10, now + wait * HOUR - 1) == []
        waits.append(wait)
        now += wait * HOUR
    assert waits == [1, 2, 4, 8, 16, 24, 24, 24]


def test_a_clock_set_back_does_not_silence_the_home(outbox: Outbox) -> None:
    outbox.put(footprint(0))
    send(outbox, NOW + 10 * 365 * 86400)
    assert hours(outbox.pending(10, NOW)) == [0]


@pytest.mark.clause("CM-30")
def test_what_is_refused_is_not_sent_again_by_itself(outbox: Outbox) -> None:
    outbox.put_all([footprint(0), footprint(1)])
    send(outbox)
    assert outbox.refused(nack(0))
    assert not outbox.refused(nack(0, revision=1))
    assert not outbox.refused(nack(9))
    assert not outbox.refused(replace(nack(1), revision=None))
    assert outbox.status().refused == 1
    assert hours(send(outbox, NOW + 86400)) == [1]
    assert outbox.put(footprint(0)) is Standing.SAME
    assert outbox.pending(10, NOW + 86400) == []
    outbox.put(footprint(0, revision=1, wh=2))
    assert [message.revision for message in send(outbox, NOW + 86400)] == [1]


@pytest.mark.clause("CM-30", "CM-31")
def test_a_request_ends_a_refusal(outbox: Outbox) -> None:
    outbox.put(footprint(0))
    send(outbox)
    outbox.refused(nack(0))
    assert outbox.asked(request(0)) == ()
    assert hours(outbox.pending(10, NOW)) == [0]


@pytest.mark.clause("CM-31")
def test_what_the_hub_asks_for_goes_out_again(outbox: Outbox) -> None:
    outbox.put_all(footprint(hour) for hour in range(3))
    messages = send(outbox)
    outbox.acknowledged(ack_of(messages[0]))
    assert outbox.asked(request(0, 5)) == tuple(BEGIN + hour * HOUR for hour in (0, 3, 4))
    assert hours(send(outbox)) == [1, 2]
    assert outbox.put(footprint(0)) is Standing.SAME
    assert hours(send(outbox)) == [0]


def test_a_request_for_a_home_that_told_nothing_finds_nothing(outbox: Outbox) -> None:
    assert outbox.asked(replace(request(0, 2), home="other")) == (BEGIN, BEGIN + HOUR)


@pytest.mark.clause("CM-33")
def test_beyond_the_bound_the_earliest_is_given_up_and_counted(path: Path) -> None:
    outbox = Outbox(path, most=5)
    outbox.put_all(footprint(hour) for hour in range(8))
    assert hours(outbox.pending(10, NOW)) == [3, 4, 5, 6, 7]
    assert outbox.status().dropped == 3
    assert outbox.put(footprint(1)) is Standing.SAME
    assert outbox.status().dropped == 4
    assert hours(outbox.pending(10, NOW)) == [3, 4, 5, 6, 7]
    outbox.close()


@pytest.mark.clause("CM-33")
def test_400_days_of_the_longest_texts_are_kept_as_the_contract_says(path: Path) -> None:
    """By itself an outbox holds 9600 footprints, not one more, on less of the disk than is said."""
    said = " ".join(CONTRACT.read_text(encoding="utf-8").split())
    assert "9600 footprints with their contents, 400 days of hours. Beyond that" in said
    assert "even the longest texts keep it below 80 MB" in said
    chance, sizes = Random(17), []  # noqa: S311
    outbox = Outbox(path)
    for first in range(0, 9600, 400):
        outbox.put_all(longest(hour, chance) for hour in range(first, first + 400))
        sizes.append(outbox.status().size)
    assert (outbox.status().waiting, outbox.status().dropped) == (9600, 0)
    outbox.put(longest(9600, chance))
    assert (outbox.status().waiting, outbox.status().dropped) == (9600, 1)
    assert hours(outbox.pending(1, NOW)) == [1]
    while messages := outbox.pending(400, NOW):
        outbox.sent(messages, NOW)
        sizes.append(outbox.status().size)
    assert outbox.status().out == 9600
    outbox.close()
    # They are long: 400 days of usual hours are a tenth of it.
    assert 40_000_000 < max(sizes) < 80_000_000


def test_what_was_refused_gives_way_first(path: Path) -> None:
    outbox = Outbox(path, most=2)
    outbox.put_all([footprint(0), footprint(1)])
    outbox.refused(nack(1))
    outbox.put(footprint(2))
    assert hours(outbox.pending(10, NOW)) == [0, 2]
    outbox.close()


@pytest.mark.clause("CM-32", "CM-33")
def test_where_revisions_are_forgotten_nothing_is_taken(path: Path) -> None:
    outbox = Outbox(path, most=2)
    outbox.put_all(footprint(hour, revision=1) for hour in range(6))
    dropped = outbox.status().dropped
    assert dropped == 4
    assert outbox.revision(footprint(1)) is None
    assert outbox.put(footprint(1, wh=3)) is Standing.OLDER
    assert outbox.status().dropped == dropped + 1
    assert outbox.put(footprint(1, home="other")) is Standing.NEWER
    outbox.close()


def test_an_outbox_for_nothing_cannot_be(path: Path) -> None:
    with pytest.raises(ValueError, match="0 footprints"):
        Outbox(path, most=0)


@pytest.mark.clause("CM-33")
def test_weeks_without_a_hub_lose_nothing(path: Path) -> None:
    outbox = Outbox(path)
    outbox.put_all(footprint(hour, wh=1000 + hour % 977) for hour in range(400 * 24))
    outbox.close()
    outbox = Outbox(path)
    status = outbox.status()
    assert (status.waiting, status.dropped) == (9600, 0)
    assert status.size < 9600 * 1024
    received = []
    while messages := outbox.pending(500, NOW):
        outbox.sent(messages, NOW)
        received += messages
        assert outbox.acknowledged(ack_of(*received)) == len(messages)
    assert hours(received) == [*range(9600)]
    assert outbox.status().size < status.size / 2
    outbox.close()


def test_a_damaged_row_is_counted_and_holds_up_nothing(outbox: Outbox, path: Path) -> None:
    outbox.put_all([footprint(0), footprint(1)])
    with sqlite3.connect(path, autocommit=True) as database:
        database.execute("UPDATE content SET body = zeroblob(9) WHERE start = ?", (BEGIN,))
    database.close()
    assert hours(outbox.pending(10, NOW)) == [1]
    assert outbox.status().dropped == 1
    assert outbox.asked(request(0)) == (BEGIN,)
    outbox.put(footprint(0))
    assert hours(outbox.pending(10, NOW)) == [0, 1]
