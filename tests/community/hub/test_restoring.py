"""A hub whose files come from a backup of before a withdrawal, at a real broker that remembers."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date
import json
from pathlib import Path
import shutil
import time

import pytest

from custom_components.carbon_meter.community.authority import keys
from custom_components.carbon_meter.community.authority.hub_file import read_hub_file
from custom_components.carbon_meter.community.contract.certificates import (
    Issued,
    SigningRequest,
    Wanted,
)
from custom_components.carbon_meter.community.contract.consent import Withdrawal
from custom_components.carbon_meter.community.hub import dynsec, rights
from custom_components.carbon_meter.community.hub.arrived import Arrived
from custom_components.carbon_meter.community.hub.dynsec import DynsecControl
from custom_components.carbon_meter.community.hub.errors import StoreError
from custom_components.carbon_meter.community.hub.opening import Hub, open_hub
from custom_components.carbon_meter.community.hub.registry import State
from custom_components.carbon_meter.community.hub.restoring import Restoring
from custom_components.carbon_meter.community.ledger.calendar import Grain
from tests.community.broker import Broker, needs_broker
from tests.community.hub.homes import (
    NOW,
    consent,
    homes_of,
    own_broker,
    said,
    settled,
    told,
    withdrawal,
)
from tests.community.ledger.village import COMMUNITY, HOUR, imported
from tests.hardware.broker.hubs import UTC, desk_of, running_hub, until
from tests.hardware.broker.peer import Peer

BEGIN = int(time.time()) // HOUR * HOUR - 3 * HOUR


@pytest.fixture
def broker(tmp_path: Path, socket_enabled: None) -> Iterator[Broker]:
    """Return a community's broker that runs; it is ended with the test."""
    result = Broker(tmp_path / "broker", COMMUNITY)
    with result:
        yield result
    result.kill()


def joined(hub: Hub, wh: int) -> str:
    """Have a home join, agree, and tell one hour; return its id."""
    home = desk_of(hub).invite(time.time(), since=date(2020, 1, 1)).home
    request = SigningRequest(
        community=COMMUNITY,
        home=home,
        at=int(time.time() * 1000),
        wanted=Wanted.ENROL,
        csr=keys.csr_for(keys.new_key(), "x"),
    )
    assert isinstance(desk_of(hub).signing(request, time.time()), Issued)
    take(hub, consent(home), told(imported(home, BEGIN, wh)))
    return home


def opened(broker: Broker, folder: Path) -> Hub:
    """Return the hub of the hub file, not connected."""
    file = read_hub_file(broker.layout.hub_file.read_text(encoding="utf-8"), time.time())
    return open_hub(folder, file, zone=UTC)


def take(hub: Hub, *messages: Arrived) -> None:
    hub.processor.process(messages, time.time())


def energy(hub: Hub) -> int:
    """Return what the sums say of the hour that all tell, after all is worked out."""
    cells = hub.ledger.cells(Grain.HOUR, BEGIN, BEGIN + HOUR)
    return sum(cell.sums.wh for cell in cells if cell.key.scope == "community")


def groups(broker: Broker) -> dict[str, set[str]]:
    """Return who is in which group, as the plugin has written it down."""
    return {
        group["groupname"]: {client["username"] for client in group.get("clients", ())}
        for group in broker.written_rights().get("groups", ())
    }


def is_marked(broker: Broker, *homes: str) -> bool:
    marks = groups(broker).get(rights.WITHDRAWN, set())
    return marks == {rights.withdrawn_user(home) for home in homes}


@needs_broker
def test_who_withdrew_after_the_backup_is_deleted_again(broker: Broker, tmp_path: Path) -> None:
    with running_hub(broker, tmp_path / "hub") as hub:
        stays, goes = joined(hub, 2), joined(hub, 5)
    shutil.copytree(tmp_path / "hub", tmp_path / "backup")
    with running_hub(broker, tmp_path / "hub") as hub:
        assert energy(hub) == 7
        take(hub, withdrawal(goes))
        assert energy(hub) == 2
        until(lambda: is_marked(broker, goes))
    with running_hub(broker, tmp_path / "backup") as hub:
        until(lambda: goes not in hub.ledger.homes)
        until(lambda: isinstance(hub.books.agreement(goes), Withdrawal))
        assert energy(hub) == 2
        assert not hub.ledger.recompute()
        take(hub, consent(goes, 9), told(imported(goes, BEGIN, 5)))
        assert energy(hub) == 2
        # The same household under a new name is another home.
        again = joined(hub, 9)
    with running_hub(broker, tmp_path / "backup") as hub:
        until(lambda: is_marked(broker, goes))
        assert energy(hub) == 11
        assert {home.id: home.state for home in desk_of(hub).homes()} == {
            stays: State.ENROLLED,
            goes: State.WITHDRAWN,
            again: State.ENROLLED,
        }


@needs_broker
def test_who_withdraws_is_not_thrown_out_by_the_mark(broker: Broker, tmp_path: Path) -> None:
    """It hears that all is deleted, also when its rights are taken later the mark stays."""
    with running_hub(broker, tmp_path / "hub") as hub:
        goes = joined(hub, 5)
        until(lambda: f'"{goes}"' in broker.layout.rights.read_text())
        with Peer(broker, broker.credentials(goes)) as home:
            deleted = f"cm/v1/{COMMUNITY}/{goes}/down/deleted"
            assert home.subscribe(f"cm/v1/{COMMUNITY}/{goes}/down/+") == ["Granted QoS 1"]
            left = withdrawal(goes)
            for _ in range(2):
                assert home.publish(left.topic, left.payload) == "Success"
                assert home.heard_until(deleted) == []
            assert home.disconnected.empty()
            until(lambda: is_marked(broker, goes))
            desk_of(hub).withdraw(goes, time.time())
            home.wait_until_thrown_out()
        until(lambda: f'"{goes}"' not in broker.layout.rights.read_text())
        assert is_marked(broker, goes)
        for password in (None, "", goes):
            guest = Peer(broker, None, user=rights.withdrawn_user(goes), password=password)
            assert guest.is_refused()


@needs_broker
def test_who_was_struck_out_stays_put_out_too(broker: Broker, tmp_path: Path) -> None:
    with running_hub(broker, tmp_path / "hub") as hub:
        goes = joined(hub, 5)
    shutil.copytree(tmp_path / "hub", tmp_path / "backup")
    with running_hub(broker, tmp_path / "hub") as hub:
        desk_of(hub).expel(goes, time.time())
        hub.processor.strike_out(goes, time.time())
        until(lambda: is_marked(broker, goes))
    with running_hub(broker, tmp_path / "backup") as hub:
        until(lambda: goes not in hub.ledger.homes)
        assert [home.state for home in desk_of(hub).homes()] == [State.EXPELLED]
    assert groups(broker)[rights.REVOKED] == {goes}


@needs_broker
def test_a_broker_that_has_lost_its_marks_is_told_them(broker: Broker, tmp_path: Path) -> None:
    """It also hears of those that have left while nobody marked them, or it was away."""
    with running_hub(broker, tmp_path / "hub") as hub:
        stays, *gone = joined(hub, 2), joined(hub, 3), joined(hub, 4)
        take(hub, withdrawal(gone[0]))
        until(lambda: is_marked(broker, gone[0]))
    broker.kill()
    broker.layout.rights.write_bytes(b"")
    with closing(opened(broker, tmp_path / "hub")) as hub:
        take(hub, withdrawal(gone[1]))
    broker.start()
    with running_hub(broker, tmp_path / "hub") as hub:
        until(lambda: is_marked(broker, *gone))
        assert energy(hub) == 2
        assert stays in hub.ledger.homes


def pilot(folder: Path) -> closing[Hub]:
    """Return a hub on Home Assistant's broker, closed after a block."""
    return closing(own_broker(folder))


def test_on_the_owners_broker_the_operator_strikes_it_out_again(tmp_path: Path) -> None:
    """There nothing remembers: a backup brings a home back until that is done."""
    with pilot(tmp_path / "hub") as hub:
        settled(hub, "a", "b")
        hub.processor.process([said("a", 0, 3), said("b", 0, 4)], NOW)
    shutil.copytree(tmp_path / "hub", tmp_path / "backup")
    with pilot(tmp_path / "hub") as hub:
        hub.processor.process([withdrawal("a")], NOW)
        assert homes_of(hub.ledger, 0) == {"b": 4}
    with pilot(tmp_path / "backup") as hub:
        assert homes_of(hub.ledger, 0) == {"a": 3, "b": 4}
        hub.processor.strike_out("a", NOW)
        hub.processor.process([consent("a", 9), said("a", 1, 3)], NOW)
        assert homes_of(hub.ledger, 0) == {"b": 4}
        assert not homes_of(hub.ledger, 1)


class Books:
    """Files that take nothing while the disk is full."""

    def __init__(self, *withdrawn: str) -> None:
        self.is_full = False
        self.held = set(withdrawn)

    def withdrawn(self) -> set[str]:
        return set(self.held)

    def strike_out(self, home: str, now: float) -> None:
        if self.is_full:
            raise StoreError("the disk is full")
        self.held.add(home)

    def resync(self) -> None:
        """Nobody is to be told."""

    def revoked(self, homes: object, now: float) -> None:
        """Nobody was put out."""


def answer(*names: object) -> bytes:
    """Return what the plugin answers to who has withdrawn."""
    group = {"groupname": "withdrawn", "clients": [{"username": name} for name in names]}
    return json.dumps({"responses": [{"command": "getGroup", "data": {"group": group}}]}).encode()


def test_while_the_disk_is_full_it_is_asked_again() -> None:
    clock, sent = [1000.0], []
    books = Books()
    control = DynsecControl(COMMUNITY, lambda _topic, payload: sent.append(payload))
    restoring = Restoring(control, books, books, books, lambda: clock[0])
    restoring.connected(1.0)
    assert len(sent) == 1
    books.is_full = True
    restoring.answered(answer("withdrawn.h1"))
    restoring.connected(1.0)
    assert len(sent) == 1
    clock[0] += 61
    restoring.connected(1.0)
    assert len(sent) == 2
    books.is_full = False
    restoring.answered(answer("withdrawn.h1"))
    assert books.held == {"h1"}
    clock[0] += 61
    restoring.connected(1.0)
    assert len(sent) == 2


def test_names_that_no_hub_has_marked_delete_nobody() -> None:
    strange = ("h1", "withdrawn.", "withdrawn.hub", "withdrawn.a/b", "invited.h1", "", None, 7)
    assert dynsec.withdrawn_in(answer(*strange)) == set()
    assert dynsec.withdrawn_in(answer("withdrawn.h1", *strange)) == {"h1"}
    assert dynsec.withdrawn_in(b"") is None
    assert dynsec.withdrawn_in(b'{"responses":[{"error":"Group not found"}]}') is None


def test_no_answer_marks_nobody_and_one_without_marks_all() -> None:
    sent: list[bytes] = []
    books = Books("h1", "h2")
    control = DynsecControl(COMMUNITY, lambda _topic, payload: sent.append(payload))
    restoring = Restoring(control, books, books, books)
    restoring.answered(b'{"responses":[{"command":"getRole","data":{}}]}')
    assert not sent
    restoring.answered(answer("withdrawn.h2"))
    (marked,) = sent
    assert b'"withdrawn.h1"' in marked
