"""A real mosquitto with mutual TLS on the loopback, set up from the files of hardware/broker."""

import contextlib
import getpass
import json
import os
from pathlib import Path
import random
import signal
import socket
import ssl
import subprocess
import time
from types import TracebackType
from typing import Any, Self

import pytest

from custom_components.carbon_meter.community.authority import keys
from custom_components.carbon_meter.community.authority.authority import Authority
from custom_components.carbon_meter.community.authority.certificates import DAY, client_of, day_of
from custom_components.carbon_meter.community.authority.credentials import Credentials
from hardware.broker import layout, making, rights
from hardware.broker.layout import Layout
from hardware.broker.plugin import find_mosquitto, find_plugin
from hardware.broker.setup import Setup

ADDRESS = "127.0.0.1"
PATIENCE = 60.0

needs_broker = pytest.mark.skipif(
    (find_mosquitto() is None or find_plugin() is None) and os.environ.get("CI") != "true",
    reason="mosquitto with its dynamic-security plugin is not installed",
)


class Broker:
    """A broker of one community; its state outlives `stop` and `kill`."""

    def __init__(self, folder: Path, community: str = "c1", **choices: Any) -> None:
        """Write all files into an empty folder; `choices` are fields of Setup."""
        mosquitto, plugin = find_mosquitto(), find_plugin()
        assert mosquitto is not None, "mosquitto is not installed"
        assert plugin is not None, "mosquitto's dynamic-security plugin is not installed"
        self._program = mosquitto
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0
        self.community = community
        self.address = ADDRESS
        self.layout = Layout(folder / "community")
        self.setup = Setup(
            **{
                "community": community,
                "name": "Test community",
                "hosts": (ADDRESS, "localhost"),
                "port": free_port(),
                "enrol_port": free_port(),
                "listen": ADDRESS,
                "at": str(self.layout.broker),
                "plugin": str(plugin),
                "user": getpass.getuser(),
                "log": f"file {self.layout.broker / 'mosquitto.log'}",
                **choices,
            }
        )
        making.init(self.layout.folder, self.setup, now=time.time())
        self.hub_credentials = self._laid_out(Credentials(self.layout.hub))

    @property
    def port(self) -> int:
        """The port for everybody with a certificate."""
        return self.setup.port

    @property
    def enrol_port(self) -> int:
        """The port for invitations."""
        return self.setup.enrol_port

    @property
    def log(self) -> str:
        """What the broker has written down."""
        path = self.layout.broker / "mosquitto.log"
        return path.read_text() if path.exists() else ""

    def written_rights(self) -> dict[str, Any]:
        """Return who may do what, as the plugin has written it down; it writes in two steps."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                written: dict[str, Any] = json.loads(self.layout.rights.read_text())
            except ValueError:
                assert time.monotonic() < end
                time.sleep(0.01)
            else:
                return written

    @property
    def authority(self) -> Authority:
        """The community's CA, as its folder is now."""
        return Authority.load(self.layout.authority)

    def credentials(
        self,
        subject: str,
        *,
        by: Authority | None = None,
        begins: float | None = None,
        days: int = 90,
    ) -> Path:
        """Return the folder of a new key with a certificate, from `begins` (today) on.

        Any name is signed, also one that the CA itself would refuse.
        """
        authority = by or self.authority
        key = keys.new_key()
        start = day_of(time.time() if begins is None else begins)
        certificate = client_of(
            keys.key_in(authority.key),
            keys.certificate_in(authority.certificate),
            keys.key_in(key).public_key(),
            subject,
            (start, start + days * DAY),
        )
        self._made += 1
        result = Credentials(self.layout.folder.parent / "credentials" / str(self._made))
        result.store(key, keys.pem_of_certificate(certificate), self.authority.bundle)
        return self._laid_out(result)

    def _laid_out(self, credentials: Credentials) -> Path:
        """Put key and certificate into files of their own too, as other clients want them."""
        layout.write_private(credentials.folder / "key.pem", credentials.key)
        layout.write_public(credentials.folder / "certificate.pem", credentials.certificate)
        return credentials.folder

    def enrolled(self, *homes: str) -> list[Path]:
        """Give homes rights and certificates while the broker does not run."""
        assert self._process is None, "the plugin would overwrite it: use DynsecControl"
        rights.enrol(self.layout.rights, self.community, *homes)
        return [self.credentials(home) for home in homes]

    def start(self) -> None:
        """Start with what the last run has left."""
        self._process = subprocess.Popen(
            [self.layout.start],
            env=os.environ | {"MOSQUITTO": str(self._program)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for port in (self.port, self.enrol_port):
            _wait_for(port, self._process)

    def stop(self) -> None:
        """End in order: what is queued is saved."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End at once, as by a power cut."""
        self._end(signal.SIGKILL)

    def reload(self) -> None:
        """Let the broker read its certificates and the revocation list again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    @property
    def pid(self) -> int:
        """The process, to measure it."""
        assert self._process is not None
        return self._process.pid

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(PATIENCE)
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def context(credentials: Path) -> ssl.SSLContext:
    """Return the client side of mutual TLS with a folder of credentials, as strict as Python is."""
    return Credentials(credentials).context()


def free_port() -> int:
    """Return a port of the loopback that nobody listens at.

    Not one of those that the system gives to outgoing connections: another process could have it
    by the time when the broker starts again.
    """
    while True:
        port = random.randrange(15_000, 32_000)  # noqa: S311  # no secret
        with socket.socket() as free, contextlib.suppress(OSError):
            free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            free.bind((ADDRESS, port))
            return port


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection((ADDRESS, port), timeout=1).close()
        except OSError:
            assert process.poll() is None, (
                "the broker has ended: see mosquitto.log beside its files"
            )
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return
