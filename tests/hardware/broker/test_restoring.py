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
from custom_components.carbon_meter.community.hub.registry import State
from hardware.broker import rights
from hardware.broker.__main__ import main
from hardware.broker.errors import BrokerError
from tests.community.broker import Broker, needs_broker

from .hubs import desk_of, running_hub, until
from .peer import Peer

pytestmark = needs_broker

HOUR = 3600
DAY = 24 * HOUR


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


def states(desk: Desk) -> dict[str, State]:
    return {home.id: home.state for home in desk.homes()}


def lose_rights(broker: Broker) -> None:
    """Have the broker lose its file of rights in a crash, and come back."""
    broker.kill()
    broker.layout.rights.write_bytes(b"")
    broker.start()


def test_who_was_put_out_by_hand_does_not_come_back_with_it(broker: Broker, tmp_path: Path) -> None:
    """The hub hears of it while it is connected."""
    folder = str(broker.layout.folder)
    with broker, running_hub(broker, tmp_path / "hub") as hub:
        stays, goes = enrolled(desk_of(hub), 2)
        until(lambda: {stays, goes} < known(broker))
        assert main(["revoke", folder, goes]) == 0
        until(lambda: states(desk_of(hub))[goes] is State.EXPELLED)
        lose_rights(broker)
        until(lambda: stays in known(broker))
        until(lambda: b'"fresh"' not in broker.layout.rights.read_bytes())
        assert goes not in known(broker)
        with Peer(broker, broker.credentials(goes)) as home:
            assert home.subscribe(f"cm/v1/c1/{goes}/down/+") == ["Not authorized"]


@pytest.mark.parametrize("is_lost", [False, True])
def test_who_was_put_out_while_no_hub_ran_is_expelled_when_it_comes(
    broker: Broker, tmp_path: Path, is_lost: bool
) -> None:
    """The mark outlives the rights: it is also where the broker begins anew."""
    folder = str(broker.layout.folder)
    with broker:
        with running_hub(broker, tmp_path / "hub") as hub:
            stays, goes = enrolled(desk_of(hub), 2)
            until(lambda: {stays, goes} < known(broker))
        assert main(["revoke", folder, goes]) == 0
        if is_lost:
            lose_rights(broker)
            assert known(broker) == {"hub", "operator"}
        with running_hub(broker, tmp_path / "hub") as hub:
            until(lambda: states(desk_of(hub))[goes] is State.EXPELLED)
            until(lambda: stays in known(broker))
            assert states(desk_of(hub))[stays] is State.ENROLLED
        # The hub's files are lost, too, and come from a backup of before: the mark is there.
        assert goes not in known(broker)
        assert goes in rights.revoked(broker.layout.rights)
        with Peer(broker, broker.credentials(goes)) as home:
            assert home.publish(f"cm/v1/c1/{goes}/up/consent") == "Not authorized"


def test_who_was_put_out_does_not_come_back_under_the_next_id(
    broker: Broker, tmp_path: Path
) -> None:
    """Nobody knows which id that is: all wait until their homes have asked once more."""

    def rotate(desk: Desk, home: str, key: str) -> str:
        request = SigningRequest(
            community="c1",
            home=home,
            at=0,
            wanted=Wanted.ROTATE,
            csr=keys.csr_for(key, "x"),
        )
        answer = desk.signing(request, time.time() + HOUR)
        assert isinstance(answer, Issued), answer
        return answer.subject

    with broker, running_hub(broker, tmp_path / "hub") as hub:
        desk = desk_of(hub)
        stays, goes = enrolled(desk, 2)
        for home in (stays, goes):
            desk.heard(home, time.time())
        key, other = keys.new_key(), keys.new_key()
        follows, comes_not = rotate(desk, stays, key), rotate(desk, goes, other)
        until(lambda: {stays, goes} < known(broker))
        assert main(["revoke", str(broker.layout.folder), goes]) == 0
        until(lambda: states(desk)[goes] is State.EXPELLED)
        later = time.time() + 62 * DAY
        desk.turn(later)
        assert not {follows, comes_not} & set(states(desk))
        assert rotate(desk, stays, key) == follows
        desk.turn(later)
        until(lambda: follows in known(broker))
        lose_rights(broker)
        until(lambda: {stays, follows} <= known(broker))
        assert not {goes, comes_not} & known(broker)


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
