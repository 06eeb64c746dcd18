"""What a withdrawal leaves in the register and in the books."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from custom_components.carbon_meter.community.contract.consent import Withdrawal
from custom_components.carbon_meter.community.hub.opening import Hub
from custom_components.carbon_meter.community.hub.registry import State
from tests.community.hub.homes import NOW, consent, own_broker, said, withdrawal

PRESENT = int(NOW * 1000)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    opened = own_broker(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def home(hub: Hub) -> str:
    """A home that has consented."""
    invited = hub.desk.invite(NOW, since=date(2026, 1, 1), feeder="north", groups=("solar",)).home
    hub.processor.process([consent(invited)], NOW)
    [member] = hub.desk.homes()
    assert (member.state, member.feeder) == (State.ENROLLED, "north")
    return invited


def test_the_operator_sees_at_once_who_has_withdrawn_and_not_where_it_was(
    hub: Hub, home: str
) -> None:
    hub.processor.process([withdrawal(home, PRESENT)], NOW)
    [member] = hub.desk.homes()
    assert (member.id, member.state) == (home, State.WITHDRAWN)
    assert (member.feeder, member.groups) == (None, ())
    assert not hub.desk.consented(home, NOW)


def test_a_withdrawal_of_the_future_is_kept_as_one_of_now(hub: Hub, home: str) -> None:
    hub.processor.process([withdrawal(home, PRESENT + 86_400_000)], NOW)
    held = hub.books.agreement(home)
    assert isinstance(held, Withdrawal)
    assert held.at == PRESENT


@pytest.mark.clause("CM-37")
def test_who_was_removed_is_deleted_all_the_same(hub: Hub, home: str) -> None:
    """What it told stays in the sums until it asks for that itself."""
    hub.processor.process([said(home, 0, 5)], NOW)
    hub.desk.expel(home, NOW)
    assert hub.ledger.has_told(home)
    hub.processor.process([withdrawal(home, PRESENT)], NOW)
    assert not hub.ledger.has_told(home)
    assert isinstance(hub.books.agreement(home), Withdrawal)
