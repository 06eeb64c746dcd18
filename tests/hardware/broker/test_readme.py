"""The page that an operator follows: every line of it that can be run is run."""

import argparse
from datetime import datetime, timedelta
import os
from pathlib import Path
import re
import shlex
import shutil
import subprocess
import time

import pytest

from custom_components.carbon_meter.community.authority import keys
from custom_components.carbon_meter.community.authority.credentials import Credentials
from custom_components.carbon_meter.community.contract.consent import Consent, write_agreement
from custom_components.carbon_meter.community.contract.message import Flow, Level
from custom_components.carbon_meter.community.hub.opening import Hub
from custom_components.carbon_meter.community.ledger.calendar import Grain
from hardware.broker.__main__ import _parser, main
from tests.community.broker import Broker, needs_broker

from .hubs import PATIENCE, UTC, desk_of, running_hub, until
from .peer import Peer

README = Path("hardware/broker/README.md").read_text(encoding="utf-8")

needs_clients = pytest.mark.skipif(
    (shutil.which("mosquitto_rr") is None or shutil.which("openssl") is None)
    and os.environ.get("CI") != "true",
    reason="mosquitto-clients or openssl is not installed",
)


def test_every_command_line_of_the_tool_is_one() -> None:
    lines = re.findall(r"^(?:sudo )?scripts/broker (.*)$", README, re.MULTILINE)
    lines += re.findall(r"`scripts/broker ([^`]*)`", README)
    assert len(lines) > 10
    for line in lines:
        words = [word for word in shlex.split(line) if not word.startswith("...")]
        if "--help" in words:
            continue
        options = _parser().parse_args(words)
        assert callable(options.run), line


def test_every_command_of_the_tool_is_on_the_page() -> None:
    (commands,) = (
        action.choices
        for action in _parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    for command in commands:
        assert f"scripts/broker {command}" in README, command


def invited(hub: Hub, folder: Path) -> Path:
    """Return a home's folder with its invitation."""
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    invitation = desk_of(hub).invite(time.time(), since=yesterday)
    home = folder / invitation.home
    home.mkdir()
    (home / "invitation.json").write_text(invitation.as_json(), encoding="utf-8")
    return home


def typed(folder: Path, script: str) -> str:
    """Return what a home reads that types this in its folder."""
    done = subprocess.run(
        ["/bin/sh", "-eu", "-c", script],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_broker
@needs_clients
def test_two_homes_join_by_openssl_and_mosquitto_alone(broker: Broker, tmp_path: Path) -> None:
    """What stands between the marks, as it stands there."""
    script = README.split("<!-- home: begin -->")[1].split("<!-- home: end -->")[0]
    script = script.replace("```sh", "").replace("```", "")
    hour = int(time.time()) // 3600 * 3600 - 3600
    with broker, running_hub(broker, tmp_path / "hub") as hub:
        folders = [invited(hub, tmp_path) for _ in range(2)]
        # Begun twice: the same key gets the same certificate, and another one gets none.
        first, _, _ = script.partition("# The door for homes.")
        typed(folders[0], first)
        held = (folders[0] / "certificate.pem").read_bytes()
        (folders[0] / "key.pem").rename(folders[0] / "kept.pem")
        assert "has been used" in typed(folders[0], first)
        (folders[0] / "kept.pem").replace(folders[0] / "key.pem")
        for folder in folders:
            told = typed(folder, script)
            assert f"/{folder.name}/down/ack" in told
            assert '"upto":1' in told
            assert (folder / "key.pem").stat().st_mode & 0o077 == 0
        assert (folders[0] / "certificate.pem").read_bytes() == held
        assert {member.id for member in desk_of(hub).homes()} == {folder.name for folder in folders}
        told = hub.ledger.cells(Grain.HOUR, hour, hour + 7200)
        assert sum(cell.sums.wh for cell in told) == 2 * 1250


@needs_broker
def test_a_home_that_was_signed_by_hand_joins_too(broker: Broker, tmp_path: Path) -> None:
    """With the id of an invitation, where the door for invitations is shut."""
    with broker, running_hub(broker, tmp_path / "hub") as hub:
        home = invited(hub, tmp_path)
        key = keys.new_key()
        request = home / "request.pem"
        request.write_text(keys.csr_for(key, "anything"), encoding="ascii")
        folder = str(broker.layout.folder)
        assert main(["enrol", folder, "--home", home.name, "--csr", str(request)]) == 0
        certificate = (broker.layout.homes / f"{home.name}.pem").read_text()
        credentials = Credentials(tmp_path / "credentials")
        credentials.store(key, certificate, broker.layout.authorities.read_text())
        now = int(time.time() * 1000)
        consent = Consent(
            community="c1",
            home=home.name,
            at=now,
            text="by-hand@1",
            level=Level.CLEAR,
            duration=3600,
            flows=(Flow.GRID_IMPORT,),
        )
        with Peer(broker, credentials.folder) as peer:
            assert peer.publish(*write_agreement(consent)) == "Success"
            until(lambda: hub.ledger.homes == (home.name,))
