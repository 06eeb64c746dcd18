"""A hub whose clock is wrong, and leap seconds: nothing is counted wrongly, and all of it heals."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from custom_components.carbon_meter.community.contract.refusal import Code
from custom_components.carbon_meter.community.hub.arrived import Arrived
from custom_components.carbon_meter.community.hub.backfill import Backfill
from custom_components.carbon_meter.community.hub.opening import Hub
from custom_components.carbon_meter.community.hub.processor import Processor
from custom_components.carbon_meter.community.ledger.calendar import Grain
from custom_components.carbon_meter.community.outbox.outbox import Outbox
from tests.community.hub.homes import NOW, Heard, heard, told, whs
from tests.community.hub.test_processor import changed, take
from tests.community.ledger.village import HOUR, imported

DAY = 86400
LATEST = int(NOW) // HOUR * HOUR
LEAP = int(datetime(2017, 1, 1, tzinfo=UTC).timestamp())
"""Seconds since 1970 do not count leap seconds: 23:59:60 of 2016-12-31 was this one too."""


@dataclass
class Exchange:
    """A home with an outbox, and the hub that it talks to."""

    processor: Processor
    outbox: Outbox

    def turn(self, hub_now: float, home_now: float) -> Heard:
        """Let the home send what is due, and hear what the hub says to it."""
        pending = self.outbox.pending(1000, home_now)
        answers = heard(self.processor.process([told(each) for each in pending], hub_now))
        self.outbox.sent(pending, home_now)
        owed = heard(self.processor.answers(hub_now))
        for nack in answers.nacks:
            self.outbox.refused(nack)
        for ack in owed.acks:
            self.outbox.acknowledged(ack)
        for request in owed.requests:
            self.outbox.asked(request)
        self.processor.idle(hub_now)
        return answers


@pytest.mark.parametrize(
    ("offset", "refusals"),
    [
        pytest.param(-DAY, {Code.FUTURE}, id="a day behind"),
        pytest.param(100 - NOW, {Code.FUTURE}, id="1970"),
        pytest.param(365 * DAY, set(), id="a year ahead"),
        pytest.param(800 * DAY, {Code.OLD}, id="more than two years ahead"),
    ],
)
def test_a_hub_whose_clock_was_wrong_has_everything_in_the_end(
    hub: Hub, tmp_path: Path, offset: float, refusals: set[Code]
) -> None:
    day = hub.ledger.calendar.date_of(int(NOW) - 3 * DAY)
    hub.ledger.leave("a", date(2026, 1, 1))
    hub.ledger.assign("a", day)
    begin = hub.ledger.calendar.begin(day)
    hours = range(begin, LATEST - 4 * HOUR, HOUR)
    outbox = Outbox(tmp_path / "outbox.db")
    outbox.put_all(imported("a", start, 1 + start // HOUR % 7) for start in hours)
    backfill = Backfill(hub.ledger, hub.books, spread=0.0)
    exchange = Exchange(Processor(hub.ledger, hub.books, hub.desk, backfill=backfill), outbox)
    first = exchange.turn(NOW + offset, NOW)
    assert {nack.code for nack in first.nacks} == refusals
    for turn in range(60):
        # Of a home that is refused everything the hub hears again with its next hour.
        now = NOW + 60 + turn * HOUR
        backfill.heard("a", HOUR, now)
        exchange.turn(now, now)
        status = outbox.status()
        if not (status.waiting or status.out or status.refused):
            break
    assert hub.ledger.missing("a", begin, hours[-1] + HOUR) == []
    assert {start: wh for start, wh in whs(hub.ledger).items() if start >= begin} == {
        start: 1 + start // HOUR % 7 for start in hours
    }
    assert status.dropped == 0
    assert hub.ledger.recompute() == 0
    outbox.close()


@pytest.mark.parametrize("offset", [-DAY, 365 * DAY, 100 - NOW], ids=["day", "year", "1970"])
def test_a_clock_that_jumps_to_and_fro_counts_nothing_twice(hub: Hub, offset: float) -> None:
    """The hub hears the same again each time, as when nothing was acknowledged."""
    said = [told(imported("a", LATEST - n * HOUR, 10 + n, seq=n + 1)) for n in range(1, 60)]
    for turn in range(4):
        hub.processor.process(said, NOW + offset * (turn % 2))
        hub.processor.answers(NOW + offset * (turn % 2))
        hub.processor.idle(NOW + offset * (turn % 2))
    assert whs(hub.ledger) == {LATEST - n * HOUR: 10 + n for n in range(1, 60)}
    assert hub.processor.counts.flooded == 0
    assert hub.ledger.recompute() == 0


# The leap second


@pytest.mark.clause("CM-1", "CM-11", "CM-16")
def test_a_leap_second_as_a_text_or_a_number_of_its_own_is_refused(hub: Hub) -> None:
    good = told(imported("a", LEAP - HOUR, 1))
    text = "2016-12-31T23:59:60Z"
    messages = [
        changed(good, start=text),
        changed(good, at=text),
        changed(good, start=LEAP - HOUR + 0.5),
        # By a clock that has counted the 27 leap seconds until then.
        Arrived(
            good.topic.replace(str(LEAP - HOUR), str(LEAP - HOUR + 27)),
            changed(good, start=LEAP - HOUR + 27).payload,
        ),
        Arrived(good.topic.replace(str(LEAP - HOUR), text), good.payload),
    ]
    answer = take(hub, *messages, now=LEAP + HOUR)
    assert [nack.code for nack in answer.nacks] == [
        Code.TYPE,
        Code.TYPE,
        Code.TYPE,
        Code.ALIGNMENT,
        Code.TOPIC,
    ]
    assert not answer.acks


def test_the_hour_and_the_day_of_a_leap_second_are_like_others(hub: Hub) -> None:
    """In Berlin it fell into the first hour of 2017: that day has 24 hours, and no gap."""
    day = date(2017, 1, 1)
    for home in "ab":
        hub.ledger.assign(home, date(2016, 12, 1))
    begin = hub.ledger.calendar.begin(day)
    assert begin == LEAP - HOUR
    assert hub.ledger.calendar.end(Grain.DAY, begin) - begin == DAY
    # The second comes twice by a clock that is set back for it, or lasts longer by one that is not.
    moments = [LEAP - 0.5, LEAP + 0.7, LEAP + 0.1, LEAP + 0.9]
    for n, now in enumerate(moments):
        answer = take(
            hub,
            told(imported("a", LEAP - HOUR, 7, seq=n + 1, is_final=n > 0, revision=min(n, 1))),
            now=now,
        )
        assert not answer.nacks
        assert answer.acks
    rest = [told(imported("a", LEAP + n * HOUR, 1, seq=10 + n)) for n in range(23)]
    assert not take(hub, *rest, now=LEAP + 25 * HOUR).nacks
    [cell] = hub.ledger.cells(Grain.DAY, begin, begin + 1)
    assert (cell.sums.wh, cell.sums.periods, cell.sums.seconds) == (7 + 23, 24, DAY)
    assert hub.ledger.missing("a", begin, begin + DAY) == []
