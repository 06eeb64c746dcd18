"""What is kept is changed or withheld before it leaves, and numbers can be used up."""

from dataclasses import replace
from pathlib import Path

from custom_components.carbon_meter.community.contract.message import Footprint
from custom_components.carbon_meter.community.outbox.outbox import Outbox

from .homes import NOW, ack_of, footprint, hours


def test_what_must_not_leave_is_withheld_and_not_counted_as_lost(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox")
    outbox.put_all([footprint(hour) for hour in range(4)])
    outbox.sent(outbox.pending(1, NOW), NOW)

    def change(each: Footprint) -> Footprint | None:
        return None if hours([each])[0] in {0, 2} else each

    assert outbox.revise(change) == 2
    assert hours(outbox.pending(9, NOW + 7200)) == [1, 3]
    assert outbox.status().dropped == 0
    assert outbox.revise(change) == 0
    # Put again it is sent after all: more may be agreed to later.
    outbox.put(footprint(0))
    assert hours(outbox.pending(9, NOW)) == [0, 1, 3]
    outbox.close()


def test_a_changed_revision_takes_the_place_of_the_one_that_went_out(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox")
    outbox.put(footprint(0, wh=1000))
    sent = outbox.pending(9, NOW)
    outbox.sent(sent, NOW)
    changed = outbox.revise(lambda each: replace(each, items=each.items[:1], revision=1))
    assert changed == 1
    (again,) = outbox.pending(9, NOW)
    assert (again.revision, len(again.items)) == (1, 1)
    # The ack of what went out before does not let go of it.
    assert outbox.acknowledged(ack_of(*sent)) == 0
    assert outbox.pending(9, NOW) == [again]
    outbox.close()


def test_a_number_that_may_have_arrived_is_used_up(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox")
    outbox.put_all([footprint(hour) for hour in range(2)])
    first = outbox.pending(9, NOW)
    outbox.failed(first[:1])
    second = outbox.pending(9, NOW)
    assert [each.seq for each in first] == [1, 2]
    assert [each.seq for each in second] == [3, 2]
    assert outbox.status().waiting == 2
    # It has arrived under the first number only: that is known to be lost, and comes again.
    outbox.sent(second, NOW)
    assert outbox.acknowledged(ack_of(*second)) == 2
    outbox.close()
