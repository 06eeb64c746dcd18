"""Certificates in real handshakes, as strictly as Python and OpenSSL look at them."""

from pathlib import Path
import ssl

import pytest

from custom_components.carbon_meter.community.authority import keys
from custom_components.carbon_meter.community.authority.authority import Authority
from custom_components.carbon_meter.community.authority.certificates import DAY
from custom_components.carbon_meter.community.authority.credentials import (
    Credentials,
    server_only_context,
)
from tests.community.authority import made
from tests.community.authority.handshake import home, meet, server_context

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.mark.clause("CM-40")
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_home_and_broker_know_each_other(tmp_path, authority, served, now, host) -> None:
    server = server_context(tmp_path / "broker", authority, served)
    met = meet(home(tmp_path / "home", authority, "home_17", now).context(), server, host)
    assert met.is_welcome
    assert met.subject == "home_17"


def test_the_default_context_of_python_takes_the_chain(tmp_path, authority, served, now) -> None:
    """Another vendor need not use our contexts."""
    credentials = home(tmp_path / "home", authority, "home_17", now)
    client = ssl.create_default_context(cadata=credentials.authorities)
    assert client.verify_flags & ssl.VERIFY_X509_STRICT
    client.load_cert_chain(credentials.folder / "identity.pem")
    assert meet(client, server_context(tmp_path / "broker", authority, served)).is_welcome


def test_an_older_protocol_works_too(tmp_path, authority, served, now) -> None:
    client = home(tmp_path / "home", authority, "home_17", now).context()
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    assert meet(client, server_context(tmp_path / "broker", authority, served)).is_welcome


@pytest.mark.clause("CM-39")
@pytest.mark.parametrize("kind", [*made.STRONG])
def test_every_strong_key_gets_in(tmp_path, authority, served, now, kind) -> None:
    key = made.STRONG[kind]()
    certificate = authority.sign_client(made.csr(key), "home_17", now=now)
    identity = tmp_path / "identity.pem"
    identity.write_text(made.pem(key) + certificate)
    client = server_only_context(authority.bundle)
    client.load_cert_chain(identity)
    met = meet(client, server_context(tmp_path / "broker", authority, served))
    assert met.is_welcome
    assert met.subject == "home_17"


def test_nobody_gets_in_without_a_certificate(tmp_path, authority, served) -> None:
    server = server_context(tmp_path / "broker", authority, served)
    met = meet(server_only_context(authority.bundle), server)
    assert met.server is not None
    assert "did not return a certificate" in met.server


def test_an_authority_of_the_same_name_is_another_one(tmp_path, authority, served, now) -> None:
    foreign = Authority.create(tmp_path / "foreign", authority.name, now=now)
    stranger = home(tmp_path / "stranger", foreign, "home_17", now)
    server = server_context(tmp_path / "broker", authority, served)
    assert "certificate verify failed" in str(meet(stranger.context(), server).client)

    trusting = server_only_context(authority.bundle)
    trusting.load_cert_chain(stranger.folder / "identity.pem")
    met = meet(trusting, server)
    assert not met.is_welcome
    assert "certificate verify failed" in str(met.server)


@pytest.mark.clause("CM-40")
def test_no_home_can_be_the_broker(tmp_path, authority, served, now) -> None:
    rogue = home(tmp_path / "rogue", authority, "localhost", now)
    server = server_context(tmp_path / "fake", authority, (rogue.key, rogue.certificate))
    met = meet(home(tmp_path / "home", authority, "home_17", now).context(), server)
    assert not met.is_welcome
    assert met.subject is None
    assert "certificate verify failed" in str(met.client)


@pytest.mark.clause("CM-40")
def test_the_broker_can_be_no_home(tmp_path, authority, served) -> None:
    client = server_only_context(authority.bundle)
    (tmp_path / "broker.pem").write_text("".join(served))
    client.load_cert_chain(tmp_path / "broker.pem")
    met = meet(client, server_context(tmp_path / "broker", authority, served))
    assert "certificate verify failed" in str(met.server)


def test_no_home_can_sign_another(tmp_path, authority, served, now) -> None:
    """A certificate below that of a home is no certificate."""
    rogue = home(tmp_path / "rogue", authority, "rogue", now)
    forged_key, forged = made.signed_by(rogue.key, rogue.certificate, "victim", now)
    (tmp_path / "forged.pem").write_text(forged_key + forged + rogue.certificate)
    client = server_only_context(authority.bundle)
    client.load_cert_chain(tmp_path / "forged.pem")
    met = meet(client, server_context(tmp_path / "broker", authority, served))
    assert not met.is_welcome
    assert "certificate verify failed" in str(met.server)


def test_another_host_is_not_the_broker(tmp_path, authority, now) -> None:
    served = authority.sign_server(["broker.example"], [], now=now)
    server = server_context(tmp_path / "broker", authority, served)
    met = meet(home(tmp_path / "home", authority, "home_17", now).context(), server)
    assert "Hostname mismatch" in str(met.client)


@pytest.mark.parametrize(("begins", "words"), [(-100, "expired"), (10, "not yet valid")])
def test_certificates_hold_in_their_time_only(
    tmp_path, authority, served, now, begins, words
) -> None:
    late = home(
        tmp_path / "home", authority, "home_17", now, begins=int(now) + begins * DAY, days=90
    )
    met = meet(late.context(), server_context(tmp_path / "broker", authority, served))
    assert not met.is_welcome
    assert words in str(met.server)


def test_a_broker_whose_certificate_has_ended_is_left(tmp_path, now) -> None:
    before = now - 400 * DAY
    authority = Authority.create(tmp_path / "old", "Sunny Street", now=before)
    served = authority.sign_server(["localhost"], [], now=before, days=365)
    server = server_context(tmp_path / "broker", authority, served)
    met = meet(home(tmp_path / "home", authority, "home_17", now).context(), server)
    assert "has expired" in str(met.client)


def test_who_is_revoked_stays_out(tmp_path, authority, served, now) -> None:
    revoked = home(tmp_path / "revoked", authority, "revoked", now)
    again = home(tmp_path / "again", authority, "revoked", now)
    other = home(tmp_path / "other", authority, "other", now)
    assert authority.revoke("revoked", now=now) == 2
    assert authority.revoke("revoked", now=now) == 0
    server = server_context(tmp_path / "broker", authority, served, authority.crl_pem(now=now))
    for out in (revoked, again):
        assert "certificate revoked" in str(meet(out.context(), server).server)
    assert meet(other.context(), server).is_welcome


def test_a_list_that_is_over_lets_nobody_in(tmp_path, authority, served, now) -> None:
    crl = authority.crl_pem(now=now - 31 * DAY, days=30)
    server = server_context(tmp_path / "broker", authority, served, crl)
    met = meet(home(tmp_path / "home", authority, "home_17", now).context(), server)
    assert "CRL has expired" in str(met.server)


def test_while_an_authority_is_changed_everybody_stays_in(tmp_path, authority, served, now) -> None:
    old = home(tmp_path / "old", authority, "old", now)
    later = authority.rotate(now=now)
    new = home(tmp_path / "new", later, "new", now)
    revoked = home(tmp_path / "revoked", authority, "revoked", now)
    later.revoke("revoked", now=now)
    # The broker knows both now, and shows one that homes of both know.
    renewed = later.sign_server(["localhost"], [], now=now)
    crl = later.crl_pem(now=now)
    assert crl.count("BEGIN X509 CRL") == 2
    server = server_context(tmp_path / "broker", later, renewed, crl)
    assert meet(old.context(), server).is_welcome
    assert meet(new.context(), server).is_welcome
    assert "certificate revoked" in str(meet(revoked.context(), server).server)

    last = later.finish()
    renewed = last.sign_server(["localhost"], [], now=now)
    server = server_context(tmp_path / "after", last, renewed, last.crl_pem(now=now))
    assert meet(new.context(), server).is_welcome
    assert "certificate verify failed" in str(meet(old.context(), server).client)
    both = server_only_context(old.authorities + last.bundle)
    both.load_cert_chain(old.folder / "identity.pem")
    assert "certificate verify failed" in str(meet(both, server).server)


def test_the_hub_is_known_by_its_name(tmp_path, authority, served, now) -> None:
    key = keys.new_key()
    credentials = Credentials(tmp_path / "hub")
    credentials.store(key, authority.sign_hub(keys.csr_for(key, "x"), now=now), authority.bundle)
    met = meet(credentials.context(), server_context(tmp_path / "broker", authority, served))
    assert met.is_welcome
    assert met.subject == "hub"


def test_a_renewed_certificate_takes_the_place_of_the_one_before(
    tmp_path: Path, authority, served, now
) -> None:
    server = server_context(tmp_path / "broker", authority, served)
    credentials = home(tmp_path / "home", authority, "home_17", now, days=1)
    ends = credentials.ends
    context = credentials.context()
    home(tmp_path / "home", authority, "home_17", now)
    assert credentials.ends == ends + 89 * DAY
    assert meet(context, server).is_welcome
    assert meet(credentials.context(), server).is_welcome
