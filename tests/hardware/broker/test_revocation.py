"""Certificates that no longer hold: one by one, all of a CA, and the list that must not end."""

import time

from custom_components.carbon_meter.community.authority import keys
from custom_components.carbon_meter.community.authority.authority import Authority
from custom_components.carbon_meter.community.authority.credentials import Credentials
from hardware.broker import making
from hardware.broker.__main__ import main
from hardware.broker.checking import check
from hardware.broker.layout import write_public
from tests.community.broker import Broker, needs_broker

from .hubs import until
from .peer import Hub, Peer

pytestmark = needs_broker

DAY = 86_400


def issued(broker: Broker, home: str, *, days: int = 90) -> Credentials:
    """Return credentials that the community's CA itself has made."""
    authority = broker.authority
    key = keys.new_key()
    certificate = authority.sign_client(keys.csr_for(key, home), home, now=time.time(), days=days)
    folder = (
        broker.layout.folder.parent
        / "issued"
        / f"{home}-{keys.fingerprint(keys.key_in(key).public_key())[:8]}"
    )
    result = Credentials(folder)
    result.store(key, certificate, authority.bundle)
    return result


def test_a_revoked_certificate_is_refused_after_a_reload(broker: Broker) -> None:
    broker.enrolled("h1", "h2")
    revoked, other = issued(broker, "h1"), issued(broker, "h2")
    with broker:
        assert not Peer(broker, revoked.folder).is_refused()
        with Peer(broker, other.folder) as bystander:
            authority = broker.authority
            assert authority.revoke("h1", now=time.time()) == 1
            making.renew_list(broker.layout, authority, now=time.time())
            # Nobody reads it yet.
            assert not Peer(broker, revoked.folder).is_refused()
            broker.reload()
            until(lambda: Peer(broker, revoked.folder).is_refused())
            assert not Peer(broker, broker.hub_credentials).is_refused()
            # Who is connected stays connected: rights are what ends that at once.
            assert bystander.disconnected.empty()
        broker.stop()
        broker.start()
        assert Peer(broker, revoked.folder).is_refused()
        assert not Peer(broker, other.folder).is_refused()


def test_a_home_that_comes_back_after_a_revocation_gets_in_with_a_new_certificate(
    broker: Broker,
) -> None:
    broker.enrolled("h1")
    lost = issued(broker, "h1")
    authority = broker.authority
    authority.revoke("h1", now=time.time())
    making.renew_list(broker.layout, authority, now=time.time())
    found = issued(broker, "h1")
    with broker:
        assert Peer(broker, lost.folder).is_refused()
        assert not Peer(broker, found.folder).is_refused()


def test_when_the_list_has_ended_nobody_gets_in(broker: Broker) -> None:
    """Why it holds for more than a year, and `check` tells a month before."""
    broker.enrolled("h1")
    home = issued(broker, "h1")
    write_public(broker.layout.revoked, broker.authority.crl_pem(now=time.time() - 3 * DAY, days=2))
    with broker:
        assert Peer(broker, home.folder).is_refused()
        assert Peer(broker, broker.hub_credentials).is_refused()
        making.renew_list(broker.layout, broker.authority, now=time.time())
        broker.stop()
        broker.start()
        assert not Peer(broker, home.folder).is_refused()


def test_another_ca_while_old_homes_keep_coming_and_then_without_them(broker: Broker) -> None:
    """The whole change, as README.md tells it to the operator."""
    files, setup = broker.layout, broker.setup
    broker.enrolled("old", "renewed", "late")
    old, renewed, late = (issued(broker, name) for name in ("old", "renewed", "late"))
    with broker:
        making.rotate(files, setup, now=time.time())
        broker.stop()
        broker.start()
        # Overlap: everybody of the old CA gets in, and believes the broker.
        for credentials in (old, renewed, late):
            with Peer(broker, credentials.folder) as home:
                assert home.subscribe(f"cm/v1/c1/{credentials.subject}/down/+") == ["Granted QoS 1"]
        # The hub has its new file; a home renews and gets both CAs.
        with Hub(broker) as hub:
            hub.listen()
        renewed = issued(broker, "renewed")
        assert len(keys.certificates_in(renewed.authorities)) == 2
        assert not Peer(broker, renewed.folder).is_refused()
        late_now = issued(broker, "late")

        making.finish(files, setup, now=time.time())
        broker.stop()
        broker.start()
        # The new chain holds, for who has renewed.
        for credentials in (renewed, late_now):
            assert not Peer(broker, credentials.folder).is_refused()
        with Hub(broker) as hub:
            hub.listen()
        # The old one holds no more: neither does the broker believe the home nor it the broker.
        assert Peer(broker, old.folder).is_refused()
        fooled = Credentials(files.folder.parent / "fooled")
        fooled.store(old.key, old.certificate, broker.authority.bundle)
        assert Peer(broker, fooled.folder).is_refused()


def test_the_change_of_the_ca_needs_no_restart(broker: Broker) -> None:
    """A reload reads the bundle, the list and the broker's own certificate."""
    files, setup = broker.layout, broker.setup
    broker.enrolled("h1", "h2", "h3")
    old, other = issued(broker, "h1"), issued(broker, "h3")
    with broker, Peer(broker, other.folder) as bystander:
        making.rotate(files, setup, now=time.time())
        broker.reload()
        new = issued(broker, "h2")
        until(lambda: not Peer(broker, new.folder).is_refused())
        assert not Peer(broker, Credentials(files.hub).folder).is_refused()
        making.finish(files, setup, now=time.time())
        broker.reload()
        until(lambda: Peer(broker, old.folder).is_refused())
        assert not Peer(broker, new.folder).is_refused()
        assert bystander.disconnected.empty()


def test_check_tells_a_broker_that_has_not_read_its_files(broker: Broker) -> None:
    files, setup = broker.layout, broker.setup

    def found(word: str) -> list[str]:
        findings = check(files, setup, now=time.time())
        return [each.text for each in findings if word in each.text]

    assert "does not answer" in found("reload it")[0]
    broker.enrolled("h1")
    home = issued(broker, "h1")
    with broker:
        assert len(found("has read the certificates")) == 1
        assert main(["check", str(files.folder)]) == 0
        # Nobody was let in by the way of finding out.
        assert "revoked-" not in files.rights.read_text()
        authority = broker.authority
        authority.revoke("h1", now=time.time())
        making.renew_list(files, authority, now=time.time())
        [text] = found("not read")
        assert main(["check", str(files.folder)]) == 1
        assert "crl.pem" in text
        assert "reload" in text
        broker.reload()
        until(lambda: found("not read") == [])
        assert Peer(broker, home.folder).is_refused()
        making.renew_server(files, setup, authority, now=time.time())
        assert [("server.pem" in text, "crl.pem" in text) for text in found("not read")] == [
            (False, True),
            (True, False),
        ]
        broker.reload()
        until(lambda: found("not read") == [])
        for change in (making.rotate, making.finish):
            change(files, setup, now=time.time())
            assert "authorities.pem" in found("not read")[0]
            broker.reload()
            until(lambda: found("not read") == [])


def test_check_names_the_ca_of_each_list(broker: Broker) -> None:
    files, setup = broker.layout, broker.setup

    def lists() -> list[str]:
        findings = check(files, setup, now=time.time())
        texts = [each.text for each in findings if each.text.startswith("the revocation list")]
        return [text.partition(" holds")[0] for text in texts]

    assert lists() == ["the revocation list"]
    making.rotate(files, setup, now=time.time())
    assert lists() == [
        "the revocation list of the new CA",
        "the revocation list of the CA before",
    ]
    making.finish(files, setup, now=time.time())
    assert lists() == ["the revocation list"]


def test_a_folder_of_an_earlier_version_is_told_what_it_lacks(broker: Broker) -> None:
    broker.layout.listed.unlink()
    findings = check(broker.layout, broker.setup, now=time.time())
    assert not [each.text for each in findings if each.is_wrong]
    assert ["run crl" in each.text for each in findings if each.is_open] == [True]
    making.renew_list(broker.layout, broker.authority, now=time.time())
    findings = check(broker.layout, broker.setup, now=time.time())
    assert ["does not answer" in each.text for each in findings if each.is_open] == [True]


def test_one_who_has_the_old_key_after_the_change_is_nobody(broker: Broker) -> None:
    """Why a CA is changed: its key may have been copied."""
    files, setup = broker.layout, broker.setup
    broker.enrolled("h1")
    thief = Authority.load(files.authority)
    making.rotate(files, setup, now=time.time())
    making.finish(files, setup, now=time.time())
    with broker:
        assert Peer(broker, broker.credentials("h1", by=thief)).is_refused()
        assert Peer(broker, broker.credentials("hub", by=thief)).is_refused()
        assert not Peer(broker, broker.hub_credentials).is_refused()
