"""Processing: acknowledged is what is kept, and one bad message hinders no other."""

from collections.abc import Iterator
from datetime import date
import json
from pathlib import Path
import sqlite3

import pytest

from custom_components.carbon_meter.community.contract.consent import proof_of, read_deleted
from custom_components.carbon_meter.community.contract.message import Flow, Level
from custom_components.carbon_meter.community.contract.refusal import Code
from custom_components.carbon_meter.community.contract.topics import ROOT
from custom_components.carbon_meter.community.hub import batch as batch_of, books as books_of
from custom_components.carbon_meter.community.hub.arrived import Arrived
from custom_components.carbon_meter.community.hub.control import ControlError
from custom_components.carbon_meter.community.hub.desk import DeskError
from custom_components.carbon_meter.community.hub.errors import StoreError
from custom_components.carbon_meter.community.hub.limits import Limits
from custom_components.carbon_meter.community.hub.opening import Hub
from tests.community.hub.homes import (
    MIDNIGHT,
    NOW,
    agreed,
    consent,
    heard,
    homes_of,
    own_broker,
    said,
    settled,
    told,
    whs,
    withdrawal,
)
from tests.community.ledger.village import COMMUNITY, HOUR, footprint, imported, item

SECRET = "5" * 64


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    opened = own_broker(tmp_path)
    settled(opened, "a", "b", "c")
    yield opened
    opened.close()


def take(hub: Hub, *arrived: Arrived, now: float = NOW):
    """Return everything that the hub says to these messages."""
    return heard(hub.processor.process(arrived, now) + hub.processor.answers(now))


def changed(message: Arrived, **fields) -> Arrived:
    body = json.loads(message.payload) | fields
    return Arrived(message.topic, json.dumps(body).encode())


# Acks


def test_an_ack_holds_what_has_come(hub: Hub) -> None:
    first = take(hub, said("a", 0, 1, seq=1), said("a", 1, 2, seq=2), said("a", 3, 4, seq=4))
    [ack] = first.acks
    assert (ack.home, ack.upto, ack.also) == ("a", 2, ((4, 4),))
    assert ack.digest == imported("a", MIDNIGHT + 3 * HOUR, 4).digest
    [ack] = take(hub, said("a", 2, 3, seq=3)).acks
    assert (ack.upto, ack.also) == (4, ())
    assert ack.digest == imported("a", MIDNIGHT + 3 * HOUR, 4).digest


def test_the_same_come_again_is_acknowledged_again(hub: Hub) -> None:
    message = said("a", 0, 1)
    assert take(hub, message).acks == take(hub, message).acks
    assert hub.processor.counts.duplicates == 1
    assert homes_of(hub.ledger, 0) == {"a": 1}


def test_of_a_batch_each_run_gets_one_ack(hub: Hub) -> None:
    batch = [said(home, hour, 1, seq=hour + 1) for hour in range(9) for home in "ab"]
    acks = take(hub, *batch, said("a", 9, 1, boot="other")).acks
    assert [(ack.home, ack.boot, ack.upto) for ack in acks] == [
        ("a", "b", 9),
        ("b", "b", 9),
        ("a", "other", 1),
    ]
    assert take(hub).acks == []


def test_acks_survive_a_restart(hub: Hub, tmp_path: Path) -> None:
    hub.processor.process([said("a", 0, 1, seq=1), said("a", 2, 1, seq=3)], NOW)
    hub.close()
    again = own_broker(tmp_path)
    [ack] = heard(again.processor.answers(NOW)).acks  # it was never told
    assert (ack.upto, ack.also) == (1, ((3, 3),))
    [ack] = take(again, said("a", 1, 1, seq=2)).acks
    assert (ack.upto, ack.also) == (3, ())
    again.close()
    third = own_broker(tmp_path)
    third.processor.idle(NOW)
    third.close()


def test_what_is_in_the_ledger_alone_is_acknowledged_when_it_comes_again(hub: Hub) -> None:
    """A crash between the two files: the ledger has it, the books have not."""
    hub.ledger.take([imported("a", MIDNIGHT, 7, seq=5)], int(NOW))
    [ack] = take(hub, said("a", 0, 7, seq=5)).acks
    assert (ack.upto, ack.also) == (0, ((5, 5),))
    assert homes_of(hub.ledger, 0) == {"a": 7}


def test_a_home_that_invents_runs_and_numbers_does_not_grow_the_books(
    hub: Hub, tmp_path: Path
) -> None:
    for number in range(30):
        batch = [
            said("a", 0, 1, boot=f"run{number}", seq=1 + seq * 1_000_000_007) for seq in range(300)
        ]
        hub.processor.process(batch, NOW + number)
    with sqlite3.connect(tmp_path / "books.db") as reader:
        rows = reader.execute("SELECT boot, LENGTH(also) FROM received").fetchall()
    reader.close()
    assert {boot for boot, _ in rows} == {f"run{number}" for number in range(22, 30)}
    assert max(length for _, length in rows) < 128 * 40
    told = take(hub).acks
    assert len({ack.boot for ack in told}) == 30
    assert hub.books.owing == 0


@pytest.mark.clause("CM-28", "CM-29")
def test_what_does_not_fit_into_one_ack_is_named_by_several(hub: Hub) -> None:
    """Every second number of a burst is missing."""
    burst = [said("a", -seq, 1, seq=seq) for seq in range(2, 1202, 2)]
    acks = take(hub, *burst).acks
    assert [len(ack.also) for ack in acks] == [128, 128, 128, 88, 128]
    assert {ack.upto for ack in acks} == {0}
    named = [first for ack in acks for first, last in ack.also if first == last]
    assert named == list(range(2, 1202, 2))
    for ack in acks:
        assert ack.digest == imported("a", MIDNIGHT - ack.highest * HOUR, 1).digest
    # What fills the gaps is named as far as anything is kept; what was told is not told again.
    acks = take(hub, *(said("a", -seq, 1, seq=seq) for seq in range(1, 601, 2))).acks
    assert all(any(ack.covers(seq) for ack in acks) for seq in range(1, 601, 2))
    assert take(hub).acks == []


@pytest.mark.clause("CM-28")
def test_twenty_runs_of_one_home_are_acknowledged(hub: Hub, tmp_path: Path) -> None:
    runs = [f"run{number}" for number in range(20)]
    acks = take(hub, *(said("b", 0, 1, boot=run) for run in runs)).acks
    assert [(ack.boot, ack.upto) for ack in acks] == [(run, 1) for run in runs]
    [ack] = take(hub, *(said("b", 0, 1, boot="now", seq=seq + 1) for seq in range(12))).acks
    assert (ack.boot, ack.upto) == ("now", 12)
    # A run of which nothing is kept any more begins anew.
    [ack] = take(hub, said("b", 1, 1, boot="run0", seq=2)).acks
    assert (ack.upto, ack.also) == (0, ((2, 2),))
    with sqlite3.connect(tmp_path / "books.db") as reader:
        assert reader.execute("SELECT COUNT(*) FROM received").fetchone() == (8,)
    reader.close()


def test_what_is_not_on_the_disk_is_not_acknowledged(hub: Hub, monkeypatch) -> None:
    """Not even of runs and numbers of which nothing is kept."""
    batch = [said("b", 0, 1, boot=f"run{number}") for number in range(20)]
    batch += [said("a", -seq, 1, seq=seq) for seq in range(2, 602, 2)]

    def fails(_connection: object) -> None:
        raise sqlite3.OperationalError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(hub.books, "_put_agreements", fails)
        with pytest.raises(StoreError):
            hub.processor.process(batch, NOW)
    assert heard(hub.processor.answers(NOW)).acks == []
    assert len(take(hub, *batch).acks) == 20 + 3


def test_agreements_are_held_in_memory_for_so_many_homes(
    hub: Hub, tmp_path: Path, monkeypatch
) -> None:
    """Pseudonyms of years do not fill it; all stay known."""
    monkeypatch.setattr(books_of, "MOST_IN_MEMORY", 5)
    homes = [f"h{number}" for number in range(40)]
    for home in homes:
        hub.books.agree(agreed(home, flows=(Flow.PV,)))
        hub.books.commit()
    assert len(hub.books._agreements) == 5
    for home in (*homes, *homes[::-1]):
        assert hub.books.agreement(home) == agreed(home, flows=(Flow.PV,))
        assert hub.books.agreement(f"{home}x") is None
        assert len(hub.books._agreements) <= 5
    assert set(hub.books.agreements()) == {*homes, *"abc"}


def test_who_has_withdrawn_is_told_nothing_of_before(hub: Hub) -> None:
    hub.processor.process([said("b", 0, 1, boot=f"run{number}") for number in range(20)], NOW)
    hub.processor.process([withdrawal("b")], NOW)
    assert heard(hub.processor.answers(NOW)).acks == []


@pytest.mark.clause("CM-28")
def test_what_counts_nowhere_is_acknowledged(hub: Hub) -> None:
    home = hub.desk.invite(NOW, since=date(2026, 6, 21)).home
    for _ in range(2):
        assert [ack.upto for ack in take(hub, consent(home), said(home, 0, 3)).acks] == [1]
    assert homes_of(hub.ledger, 0) == {}


def test_numbers_of_runs_long_ago_are_forgotten(hub: Hub) -> None:
    take(hub, said("a", 0, 1, boot="old"))
    later = NOW + 401 * 86400
    take(hub, told(imported("a", int(later) // HOUR * HOUR, 1, boot="new")), now=later)
    hub.processor.idle(later)
    assert set(hub.books._runs("a")) == {"new"}


# Refusals


def test_one_bad_message_hinders_no_other(hub: Hub) -> None:
    """Section F of the facts, all in one batch."""
    start = MIDNIGHT + 5 * HOUR
    below = f"{ROOT}/{COMMUNITY}"
    good = said("a", 5, 5)
    bodies = {
        b"": Code.SYNTAX,
        b"\xff\xfe": Code.ENCODING,
        b"\x00" * 50: Code.SYNTAX,
        b"null": Code.SYNTAX,
        good.payload.replace(b'"wh":5', b'"wh":NaN'): Code.SYNTAX,
        good.payload.replace(b'"wh":5', b'"wh":1e400'): Code.TYPE,
        good.payload.replace(b'"wh":5', b'"wh":5.0'): Code.TYPE,
        good.payload.replace(b'"wh":5', b'"wh":true'): Code.TYPE,
        good.payload.replace(b'"wh":5', b'"wh":4611686018427387904'): Code.RANGE,
        good.payload.replace(b'"wh":5', b'"wh":' + b"9" * 4000): Code.RANGE,
        good.payload.replace(b'"wh":5', b'"wh":-5'): Code.RANGE,
        good.payload.replace(b'"wh":5', b'"wh":4,"wh":5'): Code.DUPLICATE_KEY,
        good.payload.replace(b'"1.0"', b'"\\ud800"'): Code.ENCODING,
        b'{"a":' + b"[" * 4000 + b"]" * 4000 + b"}": Code.NESTING,
        b'{"a":' + b"[" * 4000: Code.SYNTAX,
        b"[" * 100_000: Code.SIZE,
        good.payload.replace(b'"src":"a"', b'"src":"b"'): Code.SOURCE,
        good.payload.replace(b'"v":1', b'"v":2'): Code.VERSION,
    }
    poison = [Arrived(good.topic, body) for body in bodies]
    elsewhere = [
        Arrived(f"{below}/a/up/fp/{start + 1}", good.payload),
        Arrived(f"{below}/a/up/fp/x", good.payload),
        Arrived(f"{below}/a/up/fp/{'9' * 400}", good.payload),
        Arrived(f"{below}/a/up/mask", good.payload),
        Arrived(f"{below}/a/up/" + "x/" * 500, good.payload),
        Arrived(f"{below}/a/down/ack", good.payload),
    ]
    nobodys = [
        Arrived("", good.payload),
        Arrived(f"{below}/", good.payload),
        Arrived(f"{below}/#/up/consent", good.payload),
        Arrived(f"{below}/public/up/consent", good.payload),
        Arrived(f"{below}/hub/up/consent", good.payload),
        Arrived(f"{below}/\ud800/up/consent", good.payload),
        Arrived(f"{ROOT}/elsewhere/a/up/fp/{start}", good.payload),
    ]
    retained = [Arrived(good.topic, said("a", 5, 999).payload, retained=True)]
    batch: list[Arrived] = []
    for number, bad in enumerate([*poison, *elsewhere, *nobodys, *retained]):
        batch += [bad, said("b", number % 24, number % 24, seq=number + 1)]
    answer = take(hub, *batch, good)
    assert [nack.code for nack in answer.nacks[: len(bodies)]] == list(bodies.values())
    assert {nack.home for nack in answer.nacks} == {"a"}
    assert len(answer.nacks) == len(bodies) + len(elsewhere)
    assert {nack.code for nack in answer.nacks[len(bodies) :]} == {Code.TOPIC, Code.SOURCE}
    assert {ack.home: ack.upto for ack in answer.acks} == {"a": 1, "b": len(batch) // 2}
    assert whs(hub.ledger) == {
        MIDNIGHT + hour * HOUR: hour + (5 if hour == 5 else 0) for hour in range(24)
    }
    counts = hub.processor.counts
    assert (counts.strangers, counts.retained) == (len(nobodys), 1)
    assert sum(counts.refused.values()) == len(answer.nacks)
    assert dict(hub.books.refusals()) == {**counts.refused, "retained": 1}


def test_what_was_refused_and_heard_last_outlives_the_hub(tmp_path: Path) -> None:
    hub = own_broker(tmp_path)
    assert hub.processor.counts.last_at is None
    settled(hub, "a")
    stale = Arrived(said("a", 2, 7).topic, said("a", 2, 7).payload, retained=True)
    take(hub, said("a", 1, 5), changed(said("a", 1, 5), v=2), stale)
    take(hub, changed(said("a", 1, 5), v=2))
    before = hub.processor.counts
    assert (dict(before.refused), before.retained) == ({Code.VERSION: 2}, 1)
    hub.close()
    hub = own_broker(tmp_path)
    after = hub.processor.counts
    assert (dict(after.refused), after.retained, after.last_at) == ({Code.VERSION: 2}, 1, int(NOW))
    assert (after.messages, after.accepted) == (0, 0)
    take(hub, changed(said("a", 1, 5), v=2))
    assert dict(hub.processor.counts.refused) == {Code.VERSION: 3}
    hub.close()


def test_times_are_checked_by_the_hubs_clock(hub: Hub) -> None:
    far = int(NOW) // HOUR * HOUR
    answer = take(
        hub,
        told(imported("a", far + 2 * HOUR, 1)),
        told(imported("a", far - 401 * 24 * HOUR, 1)),
        told(imported("a", 0, 1)),  # a boot without a clock
        told(imported("a", far - 48 * HOUR, 3, seq=4, synced=False)),
    )
    assert [nack.code for nack in answer.nacks] == [Code.FUTURE, Code.OLD, Code.OLD]
    assert answer.acks[0].also == ((4, 4),)
    [cell] = hub.ledger.cells("hour", far - 48 * HOUR, far)
    assert cell.sums.unsynced == 1
    assert hub.processor.counts.late == 1


def test_another_content_under_a_revision_is_told_to_be_a_conflict(hub: Hub) -> None:
    answer = take(hub, said("a", 0, 1, seq=1), said("a", 0, 2, seq=2))
    [nack] = answer.nacks
    assert (nack.code, nack.seq, nack.start, nack.revision) == (Code.CONFLICT, 2, MIDNIGHT, 0)
    assert answer.acks[0].highest == 1
    assert len(hub.ledger.quarantined()) == 1


def test_strangers_are_told_that_they_are_no_members(hub: Hub) -> None:
    answer = take(hub, consent("x"), said("x", 0, 1), said("a", 0, 1))
    assert [(nack.home, nack.code) for nack in answer.nacks] == [("x", Code.CONSENT)] * 2
    assert hub.books.agreement("x") is None
    hub.books.agree(agreed("x"))  # agreed, but the ledger does not have it
    answer = take(hub, said("x", 0, 1))
    assert [(nack.home, nack.clause) for nack in answer.nacks] == [("x", "CM-36")]
    assert homes_of(hub.ledger, 0) == {"a": 1}


def test_sums_beyond_64_bits_refuse_who_makes_them(hub: Hub) -> None:
    """A revision is booked at once: with the cells near the edge only its home is refused."""
    take(hub, *(said(home, hour, 1, seq=hour + 1) for home in "abc" for hour in range(4)))
    hub.ledger.settle()
    with hub.ledger._database.writing() as vandal:
        vandal.execute("UPDATE cells SET wh = ? WHERE grain = 'year'", ((1 << 63) - 100,))
    answer = take(
        hub,
        *(said(home, 2, 2, revision=1, seq=11) for home in "abc"),
        said("b", 3, 2_000_000_000, revision=1, seq=12),
        said("c", 1, 3, revision=1, seq=12),
    )
    assert [(nack.home, nack.code, nack.clause) for nack in answer.nacks] == [
        ("b", Code.RANGE, "CM-34")
    ]
    assert {ack.home: ack.highest for ack in answer.acks} == {"a": 11, "b": 11, "c": 12}
    assert homes_of(hub.ledger, 3) == dict.fromkeys("abc", 1)


def test_what_nobody_expects_is_logged_and_hinders_no_other(
    hub: Hub, monkeypatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fragile(topic: str, payload: bytes, now: float):
        if b'"wh":13' in payload:
            raise RecursionError(f"deeper than {topic} thought")
        return read(topic, payload, now)

    read = batch_of.read
    monkeypatch.setattr(batch_of, "read", fragile)
    answer = take(hub, *(said("a", hour, hour, seq=hour + 1) for hour in range(24)))
    [ack] = answer.acks
    assert (ack.upto, ack.also) == (13, ((15, 24),))
    assert "('up/fp') could not be processed" in caplog.text
    assert hub.processor.counts.refused == {"RecursionError": 1}
    assert hub.processor.counts.accepted == 23
    # Whose message it was is not in the log, and the same fault does not fill it.
    caplog.clear()
    take(hub, said("house_of_nobody_in_particular", 0, 13))
    assert hub.processor.counts.refused == {"RecursionError": 2}
    assert caplog.text == ""


def test_the_log_names_no_home(hub: Hub, monkeypatch, caplog: pytest.LogCaptureFixture) -> None:
    home = "h2345abcdefgh"

    def fragile(topic: str, payload: bytes, now: float):
        raise KeyError(topic)

    def others(name: str) -> None:
        raise ValueError(name)

    monkeypatch.setattr(batch_of, "read", fragile)
    take(hub, said(home, 0, 1))
    settled(hub, home)
    hub.processor.on_withdrawn = others
    with pytest.raises(StoreError) as raised:
        hub.processor.process([withdrawal(home)], NOW)
    assert "could not be processed" in caplog.text
    assert home not in caplog.text
    assert home not in str(raised.value)


# Consents


def test_nothing_without_a_consent_and_nothing_beyond_it(hub: Hub) -> None:
    hub.ledger.assign("d", date(2026, 1, 1))
    answer = take(hub, said("d", 0, 1))
    assert [(nack.code, nack.start) for nack in answer.nacks] == [(Code.CONSENT, MIDNIGHT)]
    hub.books.agree(agreed("d", duration=HOUR, flows=(Flow.PV,)))
    answer = take(
        hub,
        said("d", 0, 1),
        told(footprint("d", MIDNIGHT, item(Flow.PV, 1), level=Level.CLEAR)),
        told(footprint("d", MIDNIGHT, item(Flow.PV, 1), duration=900)),
        told(footprint("d", MIDNIGHT, item(Flow.PV, 2))),
    )
    assert [nack.clause for nack in answer.nacks] == ["CM-35"] * 3
    assert len(answer.acks) == 1


@pytest.mark.clause("CM-36", "CM-37", "CM-47")
def test_of_consents_and_withdrawals_the_latest_holds(hub: Hub) -> None:
    invitation = hub.desk.invite(NOW, since=date(2026, 1, 1))
    home = invitation.home
    take(hub, consent(home, 5), said(home, 0, 1))
    [nack] = take(hub, consent(home, 4, flows=(Flow.PV,))).nacks
    assert (nack.code, nack.clause) == (Code.CONSENT, "CM-47")
    # Fields of a consent are not those of a footprint.
    assert (nack.boot, nack.seq, nack.start, nack.duration, nack.revision) == (None,) * 5
    assert hub.books.agreement(home) == agreed(home, 5)
    [nack] = take(hub, withdrawal(home, 4)).nacks  # overtaken by the consent
    assert (nack.clause, nack.detail) == ("CM-47", "the consent of 5 holds")
    assert homes_of(hub.ledger, 0) == {home: 1}
    assert take(hub, consent(home, 5)).nacks == []  # the same come again
    assert take(hub, withdrawal(home, 6)).others
    later = int(NOW * 1000)
    answer = take(hub, consent(home, 5), consent(home, later), said(home, 0, 1), said(home, 1, 1))
    assert [nack.clause for nack in answer.nacks] == ["CM-37", "CM-37", "CM-36", "CM-36"]
    assert {nack.code for nack in answer.nacks} == {Code.CONSENT}
    assert not homes_of(hub.ledger, 0)


@pytest.mark.clause("CM-36")
@pytest.mark.parametrize("after", [60, -3600])
def test_a_consent_of_the_future_does_not_hold_against_a_clock_put_right(
    hub: Hub, after: int
) -> None:
    home = hub.desk.invite(NOW, since=date(2026, 1, 1)).home
    take(hub, consent(home, 2**52), said(home, 0, 1))
    assert homes_of(hub.ledger, 0) == {home: 1}
    assert take(hub, withdrawal(home, int(NOW * 1000) + after * 1000), now=NOW + 120).others
    assert hub.books.agreement(home) is not None
    assert take(hub, said(home, 0, 1)).nacks


def test_a_consent_and_what_it_allows_may_come_together(hub: Hub) -> None:
    home = hub.desk.invite(NOW, since=date(2026, 1, 1)).home
    answer = take(hub, consent(home), said(home, 0, 3))
    assert [ack.home for ack in answer.acks] == [home]
    assert homes_of(hub.ledger, 0) == {home: 3}


# Withdrawal


def test_withdrawal_deletes_everywhere_and_says_so(hub: Hub, tmp_path: Path) -> None:
    gone = []
    hub.processor.on_withdrawn = gone.append
    home = hub.desk.invite(NOW, since=date(2026, 1, 1)).home
    hub.books.agree(agreed("b", proof=proof_of(SECRET)))
    take(hub, consent(home), said(home, 0, 3), said("b", 0, 4), said("c", 0, 5))
    [deleted] = take(
        hub,
        said(home, 1, 3),
        withdrawal(home, 9, ("b", SECRET), ("c", "6" * 64), ("x", SECRET)),
        said(home, 2, 3),
        said("c", 2, 5, seq=2),
    ).others
    assert read_deleted(deleted.topic, deleted.payload).homes == 2
    assert gone == [home, "b"]
    assert homes_of(hub.ledger, 0) == {"c": 5}
    assert homes_of(hub.ledger, 2) == {"c": 5}
    assert hub.ledger.recompute() == 0
    for name in ("ledger.db", "ledger.db-wal"):
        assert home.encode() not in (tmp_path / name).read_bytes()
    for name in ("books.db", "books.db-wal"):
        assert SECRET.encode() not in (tmp_path / name).read_bytes()
    [again] = take(hub, withdrawal(home, 9)).others
    assert read_deleted(again.topic, again.payload).homes == 0


def test_nothing_in_the_books_says_that_two_ids_were_one_home(hub: Hub) -> None:
    hub.books.agree(agreed("b", proof=proof_of(SECRET)))
    take(hub, withdrawal("a", 9, ("b", SECRET)))
    take(hub, withdrawal("c", 9))
    held = {home: agreement.at for home, agreement in hub.books.agreements().items()}
    assert held["a"] == held["c"] == 9
    assert held["b"] > held["a"]
    answer = take(hub, consent("b", int(NOW * 1000)), said("b", 0, 1))
    assert [nack.code for nack in answer.nacks][-1] is Code.CONSENT


def test_a_withdrawal_that_others_cannot_follow_comes_again(hub: Hub) -> None:
    take(hub, said("a", 0, 1))

    def full(home: str) -> None:
        raise OSError(f"no room to delete {home}")

    hub.processor.on_withdrawn = full
    with pytest.raises(StoreError, match="not all of a home is deleted"):
        hub.processor.process([withdrawal("a", 9)], NOW)
    hub.processor.on_withdrawn = None
    [deleted] = take(hub, withdrawal("a", 9)).others
    assert read_deleted(deleted.topic, deleted.payload).homes == 1


def test_who_has_withdrawn_is_let_in_until_the_proof_can_have_been_fetched(hub: Hub) -> None:
    class Door:
        gone: list[str]

        def __init__(self) -> None:
            self.gone = []

        def withdraw(self, home: str, now: float) -> None:
            self.gone.append(home)

        def turn(self, now: float) -> None:
            pass

    take(hub, withdrawal("a", 9))
    door = hub.processor._parts.desk = Door()
    hub.processor.idle(NOW + 6 * 86400)
    assert door.gone == []
    hub.processor.idle(NOW + 8 * 86400)
    hub.processor.idle(NOW + 9 * 86400)
    assert door.gone == ["a"]


# Floods


def test_a_flood_is_dropped_and_hinders_nobody(tmp_path: Path) -> None:
    hub = own_broker(tmp_path, limits=Limits(rate=1.0, burst=100))
    settled(hub, "a", "b")
    flood = [said("a", 0, 1, seq=seq) for seq in range(1, 1001)]
    answer = take(hub, *flood[:500], said("b", 0, 2), *flood[500:])
    assert {ack.home: ack.upto for ack in answer.acks} == {"a": 100, "b": 1}
    counts = hub.processor.counts
    assert (counts.flooded, counts.flooding) == (900, ("a",))
    [ack] = take(hub, *flood[100:200], now=NOW + 60).acks
    assert ack.upto == 160  # a second each, since then
    assert take(hub, said("b", 1, 1), now=NOW + 7200).acks
    assert hub.processor.counts.flooding == ()
    hub.close()


@pytest.mark.clause("CM-46")
def test_a_home_that_floods_can_withdraw(tmp_path: Path) -> None:
    hub = own_broker(tmp_path, limits=Limits(rate=0.0, burst=100))
    settled(hub, "a")
    flood = [said("a", 0, 1, seq=seq) for seq in range(1, 1001)]
    answer = take(hub, *flood, withdrawal("a", 9))
    [deleted] = answer.others
    assert read_deleted(deleted.topic, deleted.payload).homes == 1
    assert not homes_of(hub.ledger, 0)
    # Not without bounds either, and again after a minute.
    assert len(take(hub, *[withdrawal("a", 9)] * 1000).others) == 9
    assert len(take(hub, *[withdrawal("a", 9)] * 1000, now=NOW + 61).others) == 1
    hub.close()


@pytest.mark.clause("CM-46")
def test_a_home_that_floods_still_gets_certificates(tmp_path: Path) -> None:
    hub = own_broker(tmp_path, limits=Limits(rate=0.0, burst=100))
    settled(hub, "a")
    flood = [said("a", 0, 1, seq=seq) for seq in range(1, 1001)]
    asked = Arrived(f"{ROOT}/{COMMUNITY}/a/up/csr", b"x")
    answer = take(hub, *flood, *[asked] * 100)
    assert {reply.topic for reply in answer.others} == {f"{ROOT}/{COMMUNITY}/a/down/cert"}
    assert len(answer.others) == 10
    hub.close()


def test_a_flood_of_garbage_is_not_answered_message_by_message(tmp_path: Path) -> None:
    hub = own_broker(tmp_path, limits=Limits(rate=1.0, burst=100))
    settled(hub, "a", "b")
    topic = said("a", 0, 1).topic
    answer = take(hub, *(Arrived(topic, b"x") for _ in range(1000)), said("b", 0, 2))
    assert len(answer.nacks) == 100
    assert [ack.home for ack in answer.acks] == ["b"]
    hub.close()


def test_a_disk_that_fails_does_not_use_up_what_homes_may_say(tmp_path: Path) -> None:
    hub = own_broker(tmp_path, limits=Limits(rate=0.0, burst=30))
    settled(hub, "a")
    batch = [said("a", hour, 1, seq=hour + 1) for hour in range(20)]
    with pytest.MonkeyPatch.context() as broken:
        for _ in range(5):
            broken.setattr(hub.ledger, "take", _full)
            with pytest.raises(StoreError):
                hub.processor.process(batch, NOW)
    assert take(hub, *batch).acks[0].upto == 20
    assert hub.processor.counts.messages == 20
    hub.close()


def _full(*_anything):
    raise OSError("no space left on device")


@pytest.mark.parametrize(
    ("cause", "is_loud"), [(ControlError("not connected"), False), (OSError("disk full"), True)]
)
def test_work_put_off_for_want_of_a_connection_is_no_warning(
    hub: Hub, monkeypatch, caplog: pytest.LogCaptureFixture, cause: Exception, is_loud: bool
) -> None:
    def turn(_now: float) -> None:
        raise DeskError(str(cause)) from cause

    monkeypatch.setattr(hub.processor._parts.desk, "turn", turn)
    caplog.set_level("DEBUG")
    hub.processor.idle(NOW)
    [record] = [one for one in caplog.records if str(cause) in one.getMessage()]
    assert (record.levelname == "WARNING") is is_loud


def test_what_is_struck_out_is_as_withdrawn_but_has_nothing_to_fetch(hub: Hub) -> None:
    take(hub, said("a", 0, 7), said("b", 0, 5))
    deleted: list[str] = []
    hub.processor.on_withdrawn = deleted.append
    hub.processor.strike_out("a", NOW)
    # Once more, after a crash: it deletes what is left.
    hub.processor.strike_out("a", NOW)
    assert deleted == ["a", "a"]
    assert homes_of(hub.ledger, 0) == {"b": 5}
    assert hub.ledger.recompute() == 0
    assert hub.books.leavers(NOW + 1000 * 86400) == []
    assert take(hub, consent("a", at=int(NOW * 1000))).acks == []
    take(hub, said("a", 1, 9))
    assert not hub.ledger.has_told("a")


def test_nothing_is_struck_out_by_halves_without_an_error(hub: Hub) -> None:
    take(hub, said("a", 0, 7))

    def fail(_home: str) -> None:
        raise ValueError

    hub.processor.on_withdrawn = fail
    with pytest.raises(StoreError, match="not all of a home is deleted"):
        hub.processor.strike_out("a", NOW)
