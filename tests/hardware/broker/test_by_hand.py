"""What an operator can get wrong with homes enrolled by hand, and what comes of it."""

from pathlib import Path
import sqlite3
import time

from cryptography import x509
import pytest

from custom_components.carbon_meter.community.authority import keys
from custom_components.carbon_meter.community.authority.authority import Authority
from custom_components.carbon_meter.community.authority.errors import AuthorityError
from hardware.broker import making, rights
from hardware.broker.__main__ import main
from hardware.broker.checking import check
from hardware.broker.homes import ByHand, OfflineRights
from hardware.broker.layout import Layout
from hardware.broker.setup import Setup
from tests.community.broker import Broker, needs_broker

from .peer import Hub


@pytest.fixture
def lanes(broker: Broker) -> Layout:
    """Return the community of a broker that does not run."""
    return broker.layout


def request(folder: Path, key: str) -> str:
    """Return the file of a request."""
    path = folder / f"{keys.fingerprint(keys.key_in(key).public_key())[:8]}.pem"
    path.write_text(keys.csr_for(key, "anything"), encoding="ascii")
    return str(path)


def wrong(layout: Layout) -> list[str]:
    """Return what a check finds to be done."""
    findings = check(layout, Setup.load(layout.setup), now=time.time())
    return [finding.text for finding in findings if finding.is_wrong]


def held(layout: Layout) -> dict[Path, tuple[bytes, int]]:
    """Return all files but the database of what was signed."""
    return {
        path: (path.read_bytes(), path.stat().st_mode)
        for path in layout.folder.rglob("*")
        if path.is_file() and ".db" not in path.name
    }


@pytest.mark.parametrize("serial", ["00", "-1", "f" * 40, "1" + "0" * 40, "x", ""])
def test_a_serial_number_that_is_none_changes_nothing(lanes: Layout, serial: str) -> None:
    before = held(lanes)
    with pytest.raises(SystemExit) as ended:
        main(["revoke", str(lanes.folder), "other", "--offline", f"--serial={serial}"])
    assert ended.value.code == 2
    assert held(lanes) == before
    for number in (0, -1, 2**159):
        with pytest.raises(AuthorityError, match="serial number"):
            making.load(lanes).revoke(number, now=time.time())
    assert main(["crl", str(lanes.folder)]) == 0


def test_the_largest_serial_number_is_one(lanes: Layout) -> None:
    words = ["revoke", str(lanes.folder), "other", "--offline", f"--serial=7{'f' * 39}"]
    assert main(words) == 0
    listed = x509.load_pem_x509_crl(lanes.revoked.read_bytes())
    assert listed.get_revoked_certificate_by_serial_number(2**159 - 1) is not None


def test_one_that_was_stored_before_keeps_nobody_from_the_others(lanes: Layout) -> None:
    """As an earlier version left it: every further command ended in a traceback."""
    authority = making.load(lanes)
    authority.revoke(7, now=time.time())
    database = sqlite3.connect(lanes.authority / "issued.db")
    with database:
        for serial in (f"{0:040x}", f"{-1:040x}", "f" * 40):
            database.execute(
                "INSERT INTO issued SELECT ?, authority, subject, ends, revoked FROM issued"
                " WHERE serial = ?",
                (serial, f"{7:040x}"),
            )
    database.close()
    for words in (["crl"], ["server"], ["rotate"]):
        assert main([words[0], str(lanes.folder)]) == 0
    assert main(["rotate", str(lanes.folder), "--finish"]) == 0


@pytest.mark.parametrize("is_last", [False, True])
def test_a_change_of_the_ca_is_made_as_a_whole_or_not_at_all(
    lanes: Layout, is_last: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["rotate", str(lanes.folder)]
    if is_last:
        assert main(words) == 0
        words.append("--finish")
    before = held(lanes)

    def full(*_anything: object, **_more: object) -> str:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Authority, "crl_pem", full)
        assert main(words) == 2
    assert held(lanes) == before
    assert wrong(lanes) == []
    assert main(words) == 0


def test_check_finds_a_home_that_the_change_of_the_ca_has_left_out(
    lanes: Layout, tmp_path: Path
) -> None:
    folder, csr = str(lanes.folder), request(tmp_path, keys.new_key())
    assert main(["enrol", folder, "--home", "cabin", "--csr", csr, "--offline"]) == 0
    assert main(["rotate", folder]) == 0
    assert wrong(lanes) == []
    assert main(["rotate", folder, "--finish"]) == 0
    assert [text for text in wrong(lanes) if "cabin" in text and "run renew" in text]
    assert main(["renew", folder, "--home", "cabin", "--csr", csr]) == 0
    assert wrong(lanes) == []


def test_check_finds_a_home_whose_rights_were_lost(lanes: Layout, tmp_path: Path) -> None:
    csr = request(tmp_path, keys.new_key())
    words = ["enrol", str(lanes.folder), "--home", "cabin", "--csr", csr, "--offline"]
    assert main(words) == 0
    rights.remove(lanes.rights, "cabin")
    assert [text for text in wrong(lanes) if "cabin has no rights" in text]
    # The same key again is no second one.
    before = held(lanes)[lanes.homes / "cabin.pem"]
    assert main(words) == 0
    assert wrong(lanes) == []
    assert held(lanes)[lanes.homes / "cabin.pem"] == before


@pytest.mark.clause("CM-41")
def test_the_same_key_gets_the_same_certificate_until_that_has_ended(
    lanes: Layout, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    csr, now = Path(request(tmp_path, keys.new_key())), time.time()
    control = OfflineRights(lanes.rights, "c1")

    def signed(days: int) -> int:
        path = ByHand(lanes, now=now + days * 86400).enrol(control, "cabin", csr)
        return x509.load_pem_x509_certificate(path.read_bytes()).serial_number

    first = signed(0)
    assert signed(1) == signed(89) == first
    later = signed(91)
    assert later != first
    words = ["enrol", str(lanes.folder), "--home", "cabin", "--csr", str(csr), "--offline"]
    assert main([*words, "--days", "7"]) == 0
    end = x509.load_pem_x509_certificate((lanes.homes / "cabin.pem").read_bytes())
    # What is said is of the certificate, not of what was asked for.
    assert f"good until {end.not_valid_after_utc.date()}" in capsys.readouterr().out


@pytest.mark.clause("CM-41")
def test_who_was_enrolled_by_the_hub_gets_no_second_key_by_hand(
    lanes: Layout, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rights.enrol(lanes.rights, "c1", "cabin")
    before, csr = held(lanes), request(tmp_path, keys.new_key())
    words = ["enrol", str(lanes.folder), "--home", "cabin", "--csr", csr, "--offline"]
    assert main(words) == 2
    assert "invite it again" in capsys.readouterr().err
    assert held(lanes) == before


def test_one_key_is_one_home_and_one_home_one_key(
    lanes: Layout, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = (request(tmp_path, keys.new_key()) for _ in range(2))
    words = ["enrol", str(lanes.folder), "--offline", "--home"]
    assert main([*words, "cabin", "--csr", first]) == 0
    before = held(lanes)
    assert main([*words, "barn", "--csr", first]) == 2
    assert "the key of cabin" in capsys.readouterr().err
    assert main([*words, "cabin", "--csr", second]) == 2
    assert "use renew" in capsys.readouterr().err
    assert held(lanes) == before
    assert main([*words, "barn", "--csr", second]) == 0
    assert main(["renew", str(lanes.folder), "--home", "cabin", "--csr", second]) == 2
    assert "the key of barn" in capsys.readouterr().err


def test_nobody_is_revoked_who_is_not_there(
    lanes: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    before = held(lanes)
    assert main(["revoke", str(lanes.folder), "nobody", "--offline"]) == 2
    assert "nobody called nobody" in capsys.readouterr().err
    assert held(lanes) == before
    assert main(["revoke", str(lanes.folder), "nobody", "--offline", "--unknown"]) == 0
    # Come again, it is no fault.
    assert main(["revoke", str(lanes.folder), "nobody", "--offline"]) == 0
    assert rights.revoked(lanes.rights) == {"nobody"}


@needs_broker
def test_a_broker_that_runs_is_asked_who_is_there(
    broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, csr = str(broker.layout.folder), request(tmp_path, keys.new_key())
    with broker, Hub(broker) as hub:
        hub.control.invited("guest", "x" * 22)
        before = broker.layout.rights.read_bytes()
        assert main(["revoke", folder, "nobody"]) == 2
        assert "nobody called nobody" in capsys.readouterr().err
        # What would be written over.
        assert main(["enrol", folder, "--home", "cabin", "--csr", csr, "--offline"]) == 2
        assert "leave out --offline" in capsys.readouterr().err
        assert broker.layout.rights.read_bytes() == before
        assert main(["enrol", folder, "--home", "cabin", "--csr", csr]) == 0
        hub.control.enrolled("guest")
        other = request(tmp_path, keys.new_key())
        assert main(["enrol", folder, "--home", "guest", "--csr", other]) == 2
        assert "invite it again" in capsys.readouterr().err
        assert main(["revoke", folder, "cabin"]) == 0
        assert main(["revoke", folder, "guest"]) == 0
        assert rights.revoked(broker.layout.rights) == {"cabin", "guest"}
    assert not list(broker.layout.homes.iterdir())
