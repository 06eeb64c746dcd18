"""A hub whose broker has lost all rights, or is another one, tells it everything again."""

from pathlib import Path
import time

import pytest

from custom_components.carbon_meter.community.authority import keys
from custom_components.carbon_meter.community.contract.certificates import (
    Issued,
    SigningRequest,
    Wanted,
)
from custom_components.carbon_meter.community.hub.desk import Desk
from hardware.broker import rights
from hardware.broker.errors import BrokerError
from tests.community.broker import Broker, needs_broker

from .hubs import desk_of, running_hub, until
from .peer import Peer

pytestmark = needs_broker


def known(broker: Broker) -> set[str]:
    """Return who has rights; nobody while the plugin is just writing its file."""
    try:
        return rights.users(broker.layout.rights)
    except BrokerError:
        return set()


def enrolled(desk: Desk, count: int) -> list[str]:
    """Have the desk enrol homes; return their ids."""
    homes = []
    for _ in range(count):
        invitation = desk.invite(time.time())
        request = SigningRequest(
            community="c1",
            home=invitation.home,
            at=int(time.time() * 1000),
            wanted=Wanted.ENROL,
            csr=keys.csr_for(keys.new_key(), "x"),
        )
        assert isinstance(desk.signing(request, time.time()), Issued)
        homes.append(invitation.home)
    return homes


@pytest.mark.parametrize("left", [b"", None])
def test_a_broker_that_has_lost_its_rights_is_told_them(
    broker: Broker, tmp_path: Path, left: bytes | None
) -> None:
    """A crash cut the file short; or the broker's files were brought to another machine."""
    with broker, running_hub(broker, tmp_path / "hub") as hub:
        homes = enrolled(desk_of(hub), 5)
        until(lambda: set(homes) < known(broker))
        broker.kill()
        if left is None:
            broker.layout.rights.unlink()
        else:
            broker.layout.rights.write_bytes(left)
        broker.start()
        until(lambda: set(homes) < known(broker))
        until(lambda: b'"fresh"' not in broker.layout.rights.read_bytes())
        with Peer(broker, broker.credentials(homes[0])) as home:
            assert home.subscribe(f"cm/v1/c1/{homes[0]}/down/+") == ["Granted QoS 1"]


def test_who_was_expelled_does_not_come_back_with_it(broker: Broker, tmp_path: Path) -> None:
    with broker, running_hub(broker, tmp_path / "hub") as hub:
        stays, goes = enrolled(desk_of(hub), 2)
        desk_of(hub).expel(goes, time.time())
        until(lambda: stays in known(broker))
        broker.kill()
        broker.layout.rights.write_bytes(b"")
        broker.start()
        until(lambda: stays in known(broker))
        assert goes not in known(broker)


def test_an_invitation_made_at_the_first_connection_stays_good(
    broker: Broker, tmp_path: Path
) -> None:
    """A new broker is not taken for one that has lost everything."""
    with broker, running_hub(broker, tmp_path / "hub") as hub:
        invitation = desk_of(hub).invite(time.time())
        until(lambda: invitation.user in known(broker))
        guest = Peer(broker, None, user=invitation.user, password=invitation.token)
        assert guest.connect() == "Success"
        guest.close()
