"""A home's credentials: private, never of two renewals, gone when they are removed."""

import ssl
import stat

import pytest

from custom_components.carbon_meter.community.authority import credentials as module, files, keys
from custom_components.carbon_meter.community.authority.credentials import (
    server_only_context,
)
from custom_components.carbon_meter.community.authority.errors import AuthorityError
from tests.community.authority.handshake import home


def test_credentials_are_for_their_owner_alone(tmp_path, authority, now) -> None:
    credentials = home(tmp_path / "home", authority, "home_17", now)
    assert stat.S_IMODE(credentials.folder.stat().st_mode) == 0o700
    for path in credentials.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert credentials.exists
    assert credentials.subject == "home_17"
    assert credentials.begins <= now < credentials.ends
    assert keys.matches(credentials.key, credentials.certificate)
    assert credentials.authorities == authority.bundle


def test_a_certificate_of_another_key_is_not_kept(tmp_path, authority, now) -> None:
    credentials = home(tmp_path / "home", authority, "home_17", now)
    before = credentials.identity
    with pytest.raises(AuthorityError, match="not of this key"):
        credentials.store(keys.new_key(), credentials.certificate, authority.bundle)
    with pytest.raises(AuthorityError):
        credentials.store(credentials.key, credentials.certificate, "no authorities")
    assert credentials.identity == before


def test_a_crash_while_renewing_leaves_what_was_there(
    tmp_path, authority, now, monkeypatch
) -> None:
    credentials = home(tmp_path / "home", authority, "home_17", now)
    before = credentials.identity

    def crash(path, text, **_) -> None:
        if path.name == "identity.pem":
            raise AuthorityError("no power")
        write(path, text)

    write = files.write
    monkeypatch.setattr(module.files, "write", crash)
    later = authority.rotate(now=now)
    with pytest.raises(AuthorityError, match="no power"):
        home(tmp_path / "home", later, "home_17", now)
    assert credentials.identity == before
    assert keys.is_signed(credentials.certificate, credentials.authorities)
    assert credentials.context().verify_mode is ssl.CERT_REQUIRED


def test_the_context_leaves_nothing_open(tmp_path, authority, now) -> None:
    context = home(tmp_path / "home", authority, "home_17", now).context()
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.verify_flags & ssl.VERIFY_X509_STRICT
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert len(context.get_ca_certs()) == 1


def test_removed_credentials_are_gone(tmp_path, authority, now) -> None:
    credentials = home(tmp_path / "home", authority, "home_17", now)
    credentials.remove()
    assert not credentials.exists
    assert [*credentials.folder.iterdir()] == []
    credentials.remove()
    with pytest.raises(AuthorityError, match="cannot be read"):
        credentials.context()


@pytest.mark.parametrize("damage", ["", "garbage", "-----BEGIN CERTIFICATE-----\nAA\n"])
def test_damaged_credentials_say_so(tmp_path, authority, now, damage) -> None:
    credentials = home(tmp_path / "home", authority, "home_17", now)
    (credentials.folder / "identity.pem").write_text(damage)
    for ask in (credentials.context, lambda: credentials.ends, lambda: credentials.key):
        with pytest.raises(AuthorityError):
            ask()


@pytest.mark.parametrize("pem", ["", "garbage"])
def test_no_authority_is_no_context(pem) -> None:
    with pytest.raises(AuthorityError):
        server_only_context(pem)
