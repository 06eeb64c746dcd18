"""What reaches the disk first: no crash leaves something of a home whose consent is not there."""

from datetime import date
from pathlib import Path

import pytest

from custom_components.carbon_meter.community.contract.consent import Consent
from custom_components.carbon_meter.community.hub.books import Books
from tests.community.hub.homes import NOW, agreed, consent, homes_of, own_broker, said


class PowerCut(BaseException):
    """Ends everything at once."""


@pytest.mark.clause("CM-36")
def test_a_consent_is_on_the_disk_before_what_it_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = own_broker(tmp_path)
    home = hub.desk.invite(NOW, since=date(2026, 1, 1)).home
    take = hub.ledger.take

    def cut(*arguments: object) -> None:
        take(*arguments)
        raise PowerCut

    monkeypatch.setattr(hub.ledger, "take", cut)
    with pytest.raises(PowerCut):
        hub.processor.process([consent(home), said(home, 0, 1)], NOW)
    assert homes_of(hub.ledger, 0) == {home: 1}
    # What another process finds is what a power cut would have left.
    found = Books(tmp_path / "books.db")
    held = found.agreement(home)
    found.close()
    hub.close()
    assert isinstance(held, Consent)
    assert held == agreed(home)
