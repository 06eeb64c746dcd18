"""The tool for the operator: what it makes, what it refuses, and what it says then."""

from collections.abc import Callable
import json
from pathlib import Path
import ssl
import threading
import time

from cryptography import x509
import pytest

from custom_components.carbon_meter.community.authority import keys
from custom_components.carbon_meter.community.authority.authority import Authority
from custom_components.carbon_meter.community.authority.credentials import Credentials
from custom_components.carbon_meter.community.authority.hub_file import read_hub_file
from hardware.broker import making, rights
from hardware.broker.__main__ import main
from hardware.broker.checking import check
from hardware.broker.errors import BrokerError
from hardware.broker.layout import Layout, write_public
from hardware.broker.setup import Setup
from tests.community.broker import Broker, free_port, needs_broker

from .peer import Peer

DAY = 86_400


@pytest.fixture
def community(tmp_path: Path) -> Layout:
    """Return a community that was made by the tool."""
    folder = tmp_path / "lanes"
    words = ["--community", "lanes", "--name", "Sunny Lanes", "--host", "localhost"]
    assert (
        main(["init", str(folder), *words, "--host", "127.0.0.1", "--port", str(free_port())]) == 0
    )
    return Layout(folder)


def request(folder: Path, key: str | None = None) -> str:
    """Return the file of a home's request."""
    path = folder / "request.pem"
    path.write_text(keys.csr_for(key or keys.new_key(), "anything"), encoding="ascii")
    return str(path)


def wrong(layout: Layout, now: float | None = None) -> list[str]:
    """Return what a check finds to be done."""
    findings = check(layout, Setup.load(layout.setup), now=time.time() if now is None else now)
    return [finding.text for finding in findings if finding.is_wrong]


def test_what_init_makes_is_fine_and_closed(
    community: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(community.folder)]) == 0
    assert "WRONG" not in capsys.readouterr().out
    secrets = [
        path
        for path in community.folder.rglob("*")
        if path.is_file() and b"PRIVATE KEY" in path.read_bytes()
    ]
    assert len(secrets) == 6
    for path in secrets:
        assert path.stat().st_mode & 0o077 == 0, path
    # What goes to the broker's machine can sign nobody.
    assert {path for path in secrets if path.is_relative_to(community.broker)} == {
        community.server_key
    }
    file = read_hub_file(community.hub_file.read_text(encoding="utf-8"), time.time())
    assert (file.community, file.broker.host) == ("lanes", "localhost")


def test_init_overwrites_nothing(community: Layout, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in community.folder.rglob("*") if path.is_file()}
    words = ["--community", "other", "--name", "Other", "--host", "localhost"]
    assert main(["init", str(community.folder), *words]) == 2
    assert "not empty" in capsys.readouterr().err
    assert before == {
        path: path.read_bytes() for path in community.folder.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--community", "Lanes", "--host", "localhost"], "no id of a community"),
        (["--community", "a/b", "--host", "localhost"], "no id of a community"),
        (["--community", "lanes"], "--host"),
        (["--community", "lanes", "--host", "a b"], "neither a name"),
        (["--community", "lanes", "--host", "x\nallow_anonymous true"], "neither a name"),
        (["--community", "lanes", "--host", "localhost", "--port", "8884"], "two ports"),
        (["--community", "lanes", "--host", "localhost", "--port", "70000"], "no port"),
        (["--community", "lanes", "--host", "localhost", "--listen", "*"], "neither a name"),
        (["--community", "lanes", "--host", "localhost", "--user", "a\nb"], "mosquitto.conf"),
        (["--community", "lanes", "--host", "localhost", "--log", ""], "mosquitto.conf"),
        (["--community", "lanes", "--host", "localhost", "--connections", "0"], "no limit"),
        (["--community", "lanes", "--host", "localhost", "--years", "0"], "years"),
    ],
)
def test_init_refuses_what_mosquitto_would_misread(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], reason: str
) -> None:
    assert main(["init", str(tmp_path / "new"), "--name", "Lanes", *words]) == 2
    assert reason in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["", " Lanes", "a\nb", "x" * 65])
def test_init_refuses_a_name_that_nobody_can_read(tmp_path: Path, name: str) -> None:
    words = ["--community", "lanes", "--name", name, "--host", "localhost"]
    assert main(["init", str(tmp_path / "new"), *words]) == 2


@pytest.mark.parametrize("command", ["server", "hub", "check", "crl", "rotate"])
def test_where_there_is_no_community_every_command_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert main([command, str(tmp_path)]) == 2
    assert "init" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "[]", "{", '{"community":1}', '{"hosts":"x"}', "\0"])
def test_a_damaged_file_of_choices_is_told(
    community: Layout, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    community.setup.write_text(content, encoding="utf-8")
    assert main(["check", str(community.folder)]) == 2
    assert "community.json" in capsys.readouterr().err


def test_a_renewed_broker_has_another_key_and_the_new_names(
    community: Layout, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(*_place: object) -> None:
        raise OSError(113, "No route to host")

    monkeypatch.setattr("hardware.broker.loaded.socket.create_connection", nobody)
    before = community.server_key.read_text()
    words = ["--host", "new.example.org", "--host", "localhost", "--enrol-port", "9999"]
    assert main(["server", str(community.folder), *words]) == 0
    assert "scripts/broker hub" in capsys.readouterr().out
    assert community.server_key.read_text() != before
    assert "listener 9999" in community.configuration.read_text()
    certificate = x509.load_pem_x509_certificate(community.server.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["new.example.org", "localhost"]
    assert main(["hub", str(community.folder)]) == 0
    file = read_hub_file(community.hub_file.read_text(encoding="utf-8"), time.time())
    assert (file.broker.host, file.broker.enrol_port) == ("new.example.org", 9999)
    assert wrong(community) == []


def test_rights_that_the_broker_keeps_survive_every_command(community: Layout) -> None:
    rights.enrol(community.rights, "lanes", "h1")
    before = community.rights.read_bytes()
    folder = str(community.folder)
    for words in (["server"], ["hub"], ["crl"], ["rotate"]):
        assert main([words[0], folder, *words[1:]]) == 0
    assert main(["rotate", folder, "--finish"]) == 0
    assert community.rights.read_bytes() == before


def test_a_home_by_hand_while_the_broker_is_stopped(
    community: Layout, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, key = str(community.folder), keys.new_key()
    csr = request(tmp_path, key)
    assert main(["enrol", folder, "--home", "cabin", "--csr", csr, "--offline"]) == 0
    certificate = (community.homes / "cabin.pem").read_text()
    assert keys.subject_of(certificate) == "cabin"
    assert keys.matches(key, certificate)
    assert "cabin" in rights.users(community.rights)
    assert main(["renew", folder, "--home", "cabin", "--csr", csr, "--days", "30"]) == 0
    capsys.readouterr()
    assert main(["revoke", folder, "cabin", "--offline"]) == 0
    assert "does not come back" in capsys.readouterr().out
    assert "cabin" not in rights.users(community.rights)
    # A mark keeps it out, also of a broker that has lost all rights and begins anew.
    assert rights.revoked(community.rights) == rights.revoked(community.first_rights) == {"cabin"}
    assert main(["enrol", folder, "--home", "cabin", "--csr", csr, "--offline"]) == 2
    assert "another id" in capsys.readouterr().err
    listed = x509.load_pem_x509_crl(community.revoked.read_bytes())
    serial = x509.load_pem_x509_certificate(certificate.encode()).serial_number
    assert listed.get_revoked_certificate_by_serial_number(serial) is not None
    assert wrong(community) == []


@needs_broker
def test_a_home_by_hand_while_the_broker_runs(broker: Broker, tmp_path: Path) -> None:
    folder, key = str(broker.layout.folder), keys.new_key()
    with broker, Peer(broker, broker.hub_credentials) as hub:
        assert main(["enrol", folder, "--home", "cabin", "--csr", request(tmp_path, key)]) == 0
        credentials = Credentials(tmp_path / "cabin")
        certificate = (broker.layout.homes / "cabin.pem").read_text()
        credentials.store(key, certificate, broker.layout.authorities.read_text())
        with Peer(broker, credentials.folder) as home:
            assert home.subscribe("cm/v1/c1/cabin/down/+") == ["Granted QoS 1"]
            assert main(["revoke", folder, "cabin"]) == 0
            home.wait_until_thrown_out()
        # The tool comes under its own name: the hub was never pushed out.
        assert hub.disconnected.empty()


def test_a_broker_that_does_not_answer_is_told_and_nothing_changes(
    community: Layout, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--home", "cabin", "--csr", request(tmp_path)]
    assert main(["enrol", str(community.folder), *words]) == 2
    assert "--offline" in capsys.readouterr().err
    assert not (community.homes / "cabin.pem").exists()
    assert rights.users(community.rights) == {"hub", "operator"}


@pytest.mark.parametrize("home", ["hub", "public", "operator", "#", "+", "a/b", "", "A", "x" * 65])
def test_a_name_that_no_home_can_have_is_refused(
    community: Layout, tmp_path: Path, home: str
) -> None:
    csr = request(tmp_path)
    folder = str(community.folder)
    assert main(["enrol", folder, "--home", home, "--csr", csr, "--offline"]) == 2
    assert main(["renew", folder, "--home", home, "--csr", csr]) == 2
    assert main(["revoke", folder, "--offline", "--", home]) == 2
    assert rights.users(community.rights) == {"hub", "operator"}


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff\xfe", b"x" * 100_000])
def test_a_request_that_is_none_is_refused(
    community: Layout, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    path = tmp_path / "request.pem"
    path.write_bytes(content)
    words = ["--home", "cabin", "--csr", str(path), "--offline"]
    assert main(["enrol", str(community.folder), *words]) == 2
    assert "request.pem" in capsys.readouterr().err
    assert "cabin" not in rights.users(community.rights)


def test_renewing_needs_a_home_and_days_have_bounds(community: Layout, tmp_path: Path) -> None:
    words = ["--home", "cabin", "--csr", request(tmp_path)]
    assert main(["renew", str(community.folder), *words]) == 2
    for days in ("0", "-1", "401"):
        assert main(["enrol", str(community.folder), *words, "--offline", "--days", days]) == 2


def test_the_hubs_list_comes_onto_the_brokers(community: Layout, tmp_path: Path) -> None:
    """The hub signs with the same key, in a folder of its own: its homes are unknown here."""
    file = read_hub_file(community.hub_file.read_text(encoding="utf-8"), time.time())
    hub = Authority.from_hub_file(file, tmp_path / "hub")
    certificate = hub.sign_client(keys.csr_for(keys.new_key(), "h7"), "h7", now=time.time())
    hub.revoke("h7", now=time.time())
    listed = tmp_path / "hub-crl.pem"
    listed.write_text(hub.crl_pem(now=time.time()), encoding="ascii")
    assert main(["crl", str(community.folder), "--with", str(listed)]) == 0
    serial = x509.load_pem_x509_certificate(certificate.encode()).serial_number
    own = x509.load_pem_x509_crl(community.revoked.read_bytes())
    assert own.get_revoked_certificate_by_serial_number(serial) is not None
    assert wrong(community) == []


def test_a_list_of_another_ca_is_refused(
    community: Layout, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Authority.create(tmp_path / "other", "Sunny Lanes", now=time.time())
    listed = tmp_path / "crl.pem"
    listed.write_text(other.crl_pem(now=time.time()), encoding="ascii")
    assert main(["crl", str(community.folder), "--with", str(listed)]) == 2
    assert "this community's CA" in capsys.readouterr().err
    listed.write_bytes(b"nothing")
    assert main(["crl", str(community.folder), "--with", str(listed)]) == 2


def test_a_serial_number_as_openssl_prints_it(community: Layout, tmp_path: Path) -> None:
    csr = request(tmp_path)
    assert main(["enrol", str(community.folder), "--home", "cabin", "--csr", csr, "--offline"]) == 0
    certificate = x509.load_pem_x509_certificate((community.homes / "cabin.pem").read_bytes())
    words = ["--offline", "--serial", f"serial={certificate.serial_number:X}"]
    assert main(["revoke", str(community.folder), "other", *words]) == 0
    own = x509.load_pem_x509_crl(community.revoked.read_bytes())
    assert own.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None


def test_a_change_of_the_ca_is_begun_once_and_ended_once(
    community: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(community.folder)
    assert main(["rotate", folder, "--finish"]) == 2
    assert main(["rotate", folder]) == 0
    assert len(keys.certificates_in(community.authorities.read_text())) == 2
    assert wrong(community) == []
    capsys.readouterr()
    assert main(["rotate", folder]) == 2
    assert "--finish" in capsys.readouterr().err
    assert main(["rotate", folder, "--finish"]) == 0
    assert len(keys.certificates_in(community.authorities.read_text())) == 1
    assert wrong(community) == []


def let_others_read(layout: Layout) -> None:
    layout.server_key.chmod(0o644)


def lose_a_key(layout: Layout) -> None:
    layout.server_key.unlink()


def damage_a_certificate(layout: Layout) -> None:
    layout.server.write_text("nothing", encoding="ascii")


def change_the_configuration(layout: Layout) -> None:
    text = layout.configuration.read_text(encoding="utf-8")
    layout.configuration.write_text(
        text.replace("allow_anonymous false", "allow_anonymous true"), encoding="utf-8"
    )


def lose_the_configuration(layout: Layout) -> None:
    layout.configuration.unlink()


def let_a_home_command(layout: Layout) -> None:
    state = json.loads(layout.rights.read_text())
    state["clients"].append({"username": "h1", "roles": [{"rolename": "hub"}]})
    layout.rights.write_text(json.dumps(state))


def let_all_subscribe(layout: Layout) -> None:
    state = json.loads(layout.rights.read_text())
    state["defaultACLAccess"]["subscribe"] = True
    layout.rights.write_text(json.dumps(state))


def let_anybody_have_rights(layout: Layout) -> None:
    state = json.loads(layout.rights.read_text())
    state["anonymousGroup"] = "everybody"
    layout.rights.write_text(json.dumps(state))


def let_a_group_command(layout: Layout) -> None:
    state = json.loads(layout.rights.read_text())
    member = {"username": "h1"}
    group = {"groupname": "all", "roles": [{"rolename": "hub"}], "clients": [member]}
    state["groups"].append(group)
    layout.rights.write_text(json.dumps(state))


def forget_the_hub(layout: Layout) -> None:
    state = json.loads(layout.rights.read_text())
    state["clients"] = []
    layout.rights.write_text(json.dumps(state))


def cut_the_rights_short(layout: Layout) -> None:
    layout.rights.write_text("")


def lose_the_list(layout: Layout) -> None:
    write_public(layout.revoked, "")


def take_a_server_of_another_ca(layout: Layout) -> None:
    other = Authority.create(layout.folder.parent / "other", "Sunny Lanes", now=time.time())
    key, certificate = other.sign_server(["localhost"], ["127.0.0.1"], now=time.time())
    layout.server_key.write_text(key)
    layout.server.write_text(certificate)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (let_others_read, "chmod 600"),
        (lose_a_key, "is not there"),
        (damage_a_certificate, "no certificate"),
        (change_the_configuration, "changed by hand"),
        (lose_the_configuration, "cannot be read"),
        (let_a_home_command, "h1 has a right that is not due"),
        (let_a_group_command, "h1 has a right that is not due"),
        (let_all_subscribe, "what is not allowed is allowed (subscribe)"),
        (let_anybody_have_rights, "somebody without a name"),
        (forget_the_hub, "hub has no rights"),
        (cut_the_rights_short, "cannot be read"),
        (lose_the_list, "no revocation list"),
        (take_a_server_of_another_ca, "cannot meet"),
    ],
)
def test_check_finds(community: Layout, spoil: Callable[[Layout], None], says: str) -> None:
    spoil(community)
    found = wrong(community)
    assert any(says in text for text in found), found
    assert main(["check", str(community.folder)]) == 1


def test_check_waits_for_a_file_that_is_just_being_written(community: Layout) -> None:
    whole = community.rights.read_text()
    community.rights.write_text(whole[:100])
    timer = threading.Timer(0.3, community.rights.write_text, (whole,))
    timer.start()
    try:
        assert wrong(community) == []
    finally:
        timer.join()


@pytest.mark.parametrize(
    ("days", "says"),
    [
        (340, "the broker's certificate ends"),
        (340, "the hub's certificate ends"),
        (366, "the broker's certificate has ended"),
        (380, "the revocation list ends"),
        (401, "the revocation list has ended"),
        (3640, "the CA ends"),
        (3660, "the CA has ended"),
    ],
)
def test_check_tells_in_time_what_ends(community: Layout, days: int, says: str) -> None:
    assert any(says in text for text in wrong(community, time.time() + days * DAY))


def test_a_hub_file_that_was_deleted_is_as_it_should_be(community: Layout) -> None:
    community.hub_file.unlink()
    assert wrong(community) == []


def test_the_chain_passes_pythons_strict_verification(community: Layout) -> None:
    tls = Credentials(community.hub).context()
    assert tls.verify_flags & ssl.VERIFY_X509_STRICT
    assert tls.check_hostname


def test_files_are_replaced_in_one_go_or_not_at_all(
    community: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = community.server.read_text()

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hardware.broker.layout.os.fsync", full)
    with pytest.raises(BrokerError, match="No space left"):
        write_public(community.server, "new")
    assert community.server.read_text() == before
    assert not [path for path in community.broker.iterdir() if path.name.startswith(".")]


def test_a_thousand_homes_are_enrolled_offline_in_one_go(community: Layout) -> None:
    homes = [f"h{number}" for number in range(1000)]
    rights.enrol(community.rights, "lanes", *homes)
    rights.enrol(community.rights, "lanes", *homes)
    assert rights.users(community.rights) == {"hub", "operator", *homes}
    assert wrong(community) == []
    rights.remove(community.rights, "h7")
    assert "h7" not in rights.users(community.rights)


def test_a_broker_without_its_plugin_here_is_set_up_for_another_machine(tmp_path: Path) -> None:
    setup = Setup(
        community="lanes",
        name="Lanes",
        hosts=("localhost",),
        port=free_port(),
        at="/etc/carbon-meter-broker",
        plugin="/usr/lib/aarch64-linux-gnu/mosquitto_dynamic_security.so",
    )
    layout = making.init(tmp_path / "lanes", setup, now=time.time())
    text = layout.configuration.read_text()
    assert "plugin /usr/lib/aarch64-linux-gnu/mosquitto_dynamic_security.so\n" in text
    assert "certfile /etc/carbon-meter-broker/server.pem\n" in text
    assert wrong(layout) == []
