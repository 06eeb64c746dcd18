"""A home that tells more than it may is told so, and costs the others nothing."""

from pathlib import Path

import pytest

from custom_components.carbon_meter.community.contract.bounds import (
    MOST_INTENSITIES,
    MOST_REVISIONS,
    MOST_SET_APART,
)
from custom_components.carbon_meter.community.contract.message import Flow
from custom_components.carbon_meter.community.contract.refusal import Code
from custom_components.carbon_meter.community.hub.opening import Hub
from custom_components.carbon_meter.community.outbox.outbox import Outbox
from tests.community.hub.homes import (
    MIDNIGHT,
    NOW,
    Heard,
    heard,
    homes_of,
    said,
    told,
)
from tests.community.ledger.village import HOUR, footprint, imported, item


def tell(hub: Hub, outbox: Outbox, now: float) -> Heard:
    """Send what waits, and hear what the hub says to it."""
    pending = outbox.pending(1000, now)
    answers = heard(
        hub.processor.process([told(each) for each in pending], now) + hub.processor.answers(now)
    )
    outbox.sent(pending, now)
    for nack in answers.nacks:
        outbox.refused(nack)
    for ack in answers.acks:
        outbox.acknowledged(ack)
    return answers


@pytest.mark.clause("CM-49")
def test_an_hour_corrected_without_end_is_left_at_that(hub: Hub, tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    for revision in range(MOST_REVISIONS):
        outbox.put(imported("a", MIDNIGHT, 1 + revision, revision=revision))
        assert not tell(hub, outbox, NOW + revision).nacks
    outbox.put(imported("a", MIDNIGHT, 7, revision=MOST_REVISIONS))
    outbox.put(imported("a", MIDNIGHT + HOUR, 8))
    answers = tell(hub, outbox, NOW + 200)
    [nack] = answers.nacks
    assert (nack.code, nack.clause, nack.start, nack.revision) == (
        Code.REVISIONS,
        "CM-49",
        MIDNIGHT,
        MOST_REVISIONS,
    )
    assert homes_of(hub.ledger, 0) == {"a": MOST_REVISIONS}
    assert homes_of(hub.ledger, 1) == {"a": 8}
    # It is not sent again, however long it takes, and nothing else waits for it.
    assert outbox.status().refused == 1
    assert outbox.pending(1000, NOW + 30 * 86400) == []
    outbox.put(imported("a", MIDNIGHT + 2 * HOUR, 9))
    assert not tell(hub, outbox, NOW + 300).nacks
    assert (outbox.status().refused, outbox.status().waiting, outbox.status().out) == (1, 0, 0)
    outbox.close()


@pytest.mark.clause("CM-50")
def test_ever_new_intensities_are_refused_and_known_ones_taken(hub: Hub) -> None:
    flows = sorted(Flow)

    def hour(number: int, *names: int):
        items = [item(flow, 1, version=str(name)) for flow, name in zip(flows, names, strict=False)]
        return told(footprint("a", MIDNIGHT - number * HOUR, *items, seq=number + 1))

    many = MOST_INTENSITIES // len(flows) + 1
    messages = [hour(n, *range(n * len(flows), (n + 1) * len(flows))) for n in range(many)]
    [nack] = heard(hub.processor.process(messages, NOW)).nacks
    assert (nack.code, nack.clause, nack.home) == (Code.INTENSITIES, "CM-50", "a")
    others = [hour(many, 0), said("b", 0, 5)]
    assert not heard(hub.processor.process(others, NOW)).nacks
    assert homes_of(hub.ledger, 0) == {"a": 1, "b": 5}
    assert hub.processor.counts.refused[Code.INTENSITIES] == 1


@pytest.mark.clause("CM-51")
def test_what_contradicts_is_refused_also_when_no_more_of_it_is_kept(hub: Hub) -> None:
    first = [said("a", -n, 1, seq=n + 1) for n in range(MOST_SET_APART + 3)]
    hub.processor.process(first, NOW)
    other = [said("a", -n, 2, seq=1000 + n) for n in range(MOST_SET_APART + 3)]
    nacks = heard(hub.processor.process(other, NOW)).nacks
    assert {(nack.code, nack.clause) for nack in nacks} == {(Code.CONFLICT, "CM-26")}
    assert len(nacks) == hub.processor.counts.quarantined == MOST_SET_APART + 3
    assert len(hub.ledger.quarantined()) == MOST_SET_APART
