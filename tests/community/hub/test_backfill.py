"""What is missing is asked for, politely; what a home then tells fills the gaps."""

from datetime import date
from itertools import pairwise
from pathlib import Path

from custom_components.carbon_meter.community.contract.answers import MOST_RANGES, Request
from custom_components.carbon_meter.community.contract.message import Level
from custom_components.carbon_meter.community.hub.backfill import (
    LOOK,
    MOST_PERIODS,
    PATIENCE,
    PAUSE,
    Backfill,
)
from custom_components.carbon_meter.community.hub.opening import Hub
from custom_components.carbon_meter.community.hub.processor import Processor
from custom_components.carbon_meter.community.outbox.outbox import Outbox
from tests.community.hub.homes import (
    MIDNIGHT,
    NOW,
    agreed,
    heard,
    said,
    told,
    withdrawal,
)
from tests.community.ledger.village import HOUR, imported

LAST = int(NOW) - PATIENCE - HOUR
"""When the last period starts that is asked for."""


def asking(hub: Hub, **choices) -> Backfill:
    return Backfill(hub.ledger, hub.books, **({"spread": 0.0} | choices))


def asked(backfill: Backfill, now: float = NOW, most: int = 100) -> list[Request]:
    return list(backfill.requests(now, most))


def test_after_weeks_offline_the_hub_asks_and_the_home_answers(hub: Hub, tmp_path: Path) -> None:
    """A home has told everything, but the hub was put back to an old backup."""
    hub.ledger.leave("a", date(2026, 1, 1))
    hub.ledger.assign("a", date(2026, 5, 30))
    begin = hub.ledger.calendar.begin(date(2026, 5, 30))
    hours = range(begin, LAST + HOUR, HOUR)
    outbox = Outbox(tmp_path / "outbox.db")
    outbox.put_all(imported("a", start, 1 + start // HOUR % 7) for start in hours)
    backfill = asking(hub)
    processor = Processor(hub.ledger, hub.books, hub.desk, backfill=backfill)
    for now in (NOW, NOW + PAUSE, NOW + 2 * PAUSE, NOW + 4 * PAUSE):
        pending = outbox.pending(10_000, now)
        if now == NOW:
            outbox.sent(pending, now)  # and lost: the hub hears only the last one
            pending = pending[-1:]
        processor.process([told(said) for said in pending], NOW)
        outbox.sent(pending, now)
        answers = heard(processor.answers(now))
        for ack in answers.acks:
            outbox.acknowledged(ack)
        for request in answers.requests:
            assert min(outbox.asked(request), default=LAST + 1) > LAST
    assert hub.ledger.missing("a", begin, LAST + HOUR) == []
    assert outbox.status().waiting == outbox.status().out == 0
    assert processor.counts.requested >= len(hours) - 1
    outbox.close()


def test_who_is_not_heard_of_and_who_has_not_agreed_is_not_asked(hub: Hub) -> None:
    backfill = asking(hub)
    assert asked(backfill) == []
    hub.ledger.assign("c", date(2026, 6, 1))
    backfill.heard("c", HOUR, NOW)
    assert asked(backfill) == []
    hub.processor.process([withdrawal("a", 9)], NOW)
    backfill.heard("a", HOUR, NOW)
    assert asked(backfill) == []


def test_what_may_still_come_by_itself_is_not_asked_for(hub: Hub) -> None:
    hub.ledger.assign("c", date(2026, 6, 20))
    hub.books.agree(agreed("c"))
    begin = hub.ledger.calendar.begin(date(2026, 6, 20))
    backfill = asking(hub)
    backfill.heard("c", HOUR, NOW)
    [request] = asked(backfill)
    assert request.missing == ((begin, (LAST - begin) // HOUR + 1),)


def test_the_same_in_vain_is_asked_ever_more_seldom(hub: Hub) -> None:
    backfill = asking(hub)
    moments = []
    now = NOW
    while now < NOW + 4 * LOOK:
        backfill.heard("a", HOUR, now)
        if asked(backfill, now):
            moments.append(now)
        # Always the same gap: the clock of the ledger's question stands still.
        hub.ledger.take([imported("a", int(now) - PATIENCE - HOUR, 1)], int(now))
        now += HOUR
    pauses = [later - earlier for earlier, later in pairwise(moments)]
    assert pauses[0] >= PAUSE
    assert pauses == sorted(pauses)
    assert pauses[-1] == LOOK


def test_a_new_gap_is_asked_for_soon_again(hub: Hub) -> None:
    hub.ledger.assign("a", date(2026, 6, 20))
    backfill = asking(hub)
    hub.books.ask("a", 0, 7, 3)
    backfill.heard("a", HOUR, NOW)
    assert asked(backfill)
    assert hub.books.asked("a")[:2] == (int(NOW) + PAUSE, 0)


def test_without_gaps_a_home_is_looked_at_once_a_day(hub: Hub, monkeypatch) -> None:
    looks = []
    monkeypatch.setattr(hub.ledger, "missing", lambda home, *_, **__: looks.append(home) or [])
    backfill = asking(hub)
    for hour in range(49):
        backfill.heard("a", HOUR, NOW + hour * HOUR)
        assert asked(backfill, NOW + hour * HOUR) == []
    assert looks == ["a"] * 3


def test_politeness_survives_a_restart(hub: Hub) -> None:
    backfill = asking(hub)
    backfill.heard("a", HOUR, NOW)
    assert asked(backfill)
    again = asking(hub)
    again.heard("a", HOUR, NOW + 60)
    assert asked(again, NOW + 60) == []
    assert asked(again, NOW + PAUSE)


def test_many_homes_are_spread_over_an_hour(hub: Hub) -> None:
    chances = iter([number / 500 for number in range(500)])
    homes = [f"h{number}" for number in range(500)]
    for home in homes:
        hub.ledger.assign(home, date(2026, 6, 20))
        hub.books.agree(agreed(home))
    backfill = asking(hub, spread=float(PAUSE), chance=lambda: next(chances))
    for home in homes:
        backfill.heard(home, HOUR, NOW)
    by_minute = [len(asked(backfill, NOW + minute * 60)) for minute in range(61)]
    assert sum(by_minute) == 500
    assert max(by_minute) <= 9


def test_one_slice_looks_at_few_homes(hub: Hub) -> None:
    backfill = asking(hub)
    for home in "ab":
        backfill.heard(home, HOUR, NOW)
    assert [len(asked(backfill, most=1)) for _ in range(3)] == [1, 1, 0]


def test_requests_are_bounded_and_start_with_the_latest(hub: Hub) -> None:
    every_second = [said("a", -2 * n, 1, seq=n) for n in range(1, 401)]
    hub.processor.process(every_second, NOW)
    backfill = asking(hub)
    backfill.heard("a", HOUR, NOW)
    [request] = asked(backfill)
    assert len(request.missing) == MOST_RANGES
    assert request.missing[-1][0] <= LAST < request.missing[-1][0] + request.missing[-1][1] * HOUR
    backfill.heard("b", 900, NOW)
    [request] = asked(backfill)
    assert sum(count for _, count in request.missing) == MOST_PERIODS
    assert request.duration == 900
    start, count = request.missing[-1]
    assert start + count * 900 == int(NOW) - PATIENCE


def test_a_home_that_agreed_to_days_is_asked_for_days(hub: Hub) -> None:
    hub.books.agree(agreed("b", duration=86400, level=Level.CLEAR))
    backfill = asking(hub)
    backfill.heard("b", 86400, NOW)
    [request] = asked(backfill)
    assert request.duration == 86400
    assert request.missing[-1][0] % 86400 == 0
    assert request.missing[-1][0] < MIDNIGHT + 86400
