"""The authority's files: private, whole, and there again after a crash."""

from datetime import UTC, datetime
from pathlib import Path
import sqlite3
import stat
import threading

from cryptography import x509
import pytest

from custom_components.carbon_meter.community.authority import authority as module, files, keys
from custom_components.carbon_meter.community.authority.authority import Authority
from custom_components.carbon_meter.community.authority.certificates import DAY
from custom_components.carbon_meter.community.authority.errors import AuthorityError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def signed(authority: Authority, name: str, now: float) -> x509.Certificate:
    csr = keys.csr_for(keys.new_key(), "x")
    return keys.certificate_in(authority.sign_client(csr, name, now=now))


def test_secrets_are_for_their_owner_alone(authority, served, now) -> None:
    authority.rotate(now=now).crl_pem(now=now)
    assert mode(authority.folder) == 0o700
    modes = {path.name: mode(path) for path in authority.folder.iterdir()}
    assert modes == {
        "authority.key": 0o600,
        "authority.pem": 0o644,
        "before.key": 0o600,
        "crl.pem": 0o600,
        "issued.db": 0o600,
    }
    assert "PRIVATE" not in (authority.folder / "authority.pem").read_text()


def test_an_authority_is_the_same_when_it_is_opened_again(authority) -> None:
    again = Authority.load(authority.folder)
    assert again.bundle == authority.bundle
    assert again.key == authority.key
    assert again.name == "Sunny Street"


def test_no_authority_is_overwritten(authority, now) -> None:
    with pytest.raises(AuthorityError, match="already"):
        Authority.create(authority.folder, "Another", now=now)


@pytest.mark.parametrize("name", ["", "x" * 65, "a\nb"])
def test_names_of_authorities_are_printable(tmp_path, now, name) -> None:
    with pytest.raises(ValueError, match="1 to 64"):
        Authority.create(tmp_path / "a", name, now=now)


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b"-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_a_damaged_authority_says_so(authority, damage) -> None:
    (authority.folder / "authority.key").write_bytes(damage)
    with pytest.raises(AuthorityError):
        Authority.load(authority.folder)


def test_key_and_certificate_of_two_authorities_are_refused(authority, tmp_path, now) -> None:
    other = Authority.create(tmp_path / "other", "Other", now=now)
    (authority.folder / "authority.key").write_text(other.key + authority.certificate)
    with pytest.raises(AuthorityError, match="not that of the certificate"):
        Authority.load(authority.folder)


def test_certificates_do_not_tell_the_hour(authority, now) -> None:
    certificate = signed(authority, "home_17", now)
    for moment in (certificate.not_valid_before_utc, certificate.not_valid_after_utc):
        assert moment.timestamp() % DAY == 0
    assert certificate.not_valid_before_utc <= datetime.fromtimestamp(now, UTC)
    period = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert period.days == 90


def test_nothing_holds_longer_than_its_authority(tmp_path, now) -> None:
    short = Authority.create(tmp_path / "short", "Short", now=now, years=30 / 365.25)
    certificate = signed(short, "home_17", now)
    assert certificate.not_valid_after_utc.timestamp() == short.ends
    with pytest.raises(AuthorityError, match="rotate it"):
        signed(short, "home_17", now + 31 * DAY)
    later = short.rotate(now=now + 31 * DAY)
    assert signed(later, "home_17", now + 31 * DAY)


def test_a_broker_needs_a_place(authority, now) -> None:
    for hosts in (([], []), ([], ["not an address"])):
        with pytest.raises(ValueError, match=r"broker|address"):
            authority.sign_server(*hosts, now=now)


def test_one_rotation_at_a_time(authority, now) -> None:
    later = authority.rotate(now=now)
    assert later.is_rotating
    assert later.bundle == later.certificate + authority.certificate
    with pytest.raises(AuthorityError, match="finish"):
        later.rotate(now=now)
    last = later.finish()
    assert not last.is_rotating
    assert last.bundle == later.certificate
    assert not (authority.folder / "before.key").exists()
    assert (authority.folder / "authority.pem").read_text() == last.bundle


def test_a_crash_while_rotating_leaves_the_authority_before(authority, now, monkeypatch) -> None:
    def crash(path: Path, text: str, **_: int) -> None:
        if path.name == "authority.key":
            raise AuthorityError("no power")
        write(path, text)

    write = files.write
    monkeypatch.setattr(module.files, "write", crash)
    with pytest.raises(AuthorityError, match="no power"):
        authority.rotate(now=now)
    monkeypatch.undo()
    again = Authority.load(authority.folder)
    assert again.bundle == authority.bundle
    assert not again.is_rotating
    assert again.rotate(now=now).is_rotating


def test_a_file_is_the_old_or_the_new_one(tmp_path) -> None:
    """Whoever reads while it is written sees one of the two, whole."""
    path = tmp_path / "file"
    texts = {"a" * 100_000, "b" * 100_000}
    files.write(path, "a" * 100_000)
    seen = set()
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.add(files.read(path))

    thread = threading.Thread(target=read)
    thread.start()
    for _ in range(50):
        for text in sorted(texts):
            files.write(path, text)
    stop.set()
    thread.join()
    assert seen <= texts
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_cannot_be_written_says_so(tmp_path, now) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(AuthorityError, match="cannot be made"):
        Authority.create(tmp_path / "file", "Sunny Street", now=now)
    with pytest.raises(AuthorityError, match="cannot be written"):
        files.write(tmp_path / "nowhere" / "file", "x")
    with pytest.raises(AuthorityError, match="cannot be read"):
        files.read(tmp_path / "nowhere")


def test_what_is_removed_was_overwritten(tmp_path) -> None:
    path = tmp_path / "key.pem"
    path.write_text("secret")
    with path.open("rb") as held:
        files.remove(path)
        assert held.read() == bytes(6)
    assert not path.exists()
    files.remove(path)


def serials(crl: str) -> set[int]:
    return {entry.serial_number for entry in x509.load_pem_x509_crl(crl.encode())}


def test_a_revoked_certificate_is_named_until_it_has_ended(authority, now) -> None:
    one, two, other = (signed(authority, name, now) for name in ("a", "a", "b"))
    assert serials(authority.crl_pem(now=now)) == set()
    assert authority.revoke(other.serial_number, now=now) == 1
    assert serials(authority.crl_pem(now=now)) == {other.serial_number}
    assert authority.revoke("a", now=now) == 2
    everybody = {one.serial_number, two.serial_number, other.serial_number}
    assert serials(authority.crl_pem(now=now + 89 * DAY)) == everybody
    assert serials(authority.crl_pem(now=now + 91 * DAY)) == set()
    assert (authority.folder / "crl.pem").exists()


def test_a_serial_number_from_elsewhere_is_revoked_too(authority, now) -> None:
    assert authority.revoke(4711, now=now) == 1
    assert authority.revoke(4711, now=now) == 0
    assert serials(authority.crl_pem(now=now)) == {4711}


def test_nobody_is_revoked_by_a_name_that_is_not_theirs(authority, now) -> None:
    signed(authority, "home_17", now)
    assert authority.revoke("home_17' OR '1'='1", now=now) == 0


def test_a_register_of_certificates_that_is_damaged_says_so(authority) -> None:
    (authority.folder / "issued.db").write_bytes(b"no database" * 100)
    with pytest.raises(AuthorityError, match="issued"):
        Authority.load(authority.folder)


def test_a_register_of_a_later_version_is_left_alone(authority) -> None:
    database = sqlite3.connect(authority.folder / "issued.db")
    database.execute("PRAGMA user_version = 9")
    database.close()
    with pytest.raises(AuthorityError, match="update"):
        Authority.load(authority.folder)
