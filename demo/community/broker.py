"""The community's broker as a child process: mosquitto with mutual TLS, on the loopback only."""

from collections.abc import Iterable
import getpass
import json
from pathlib import Path
import time
from typing import Final

from custom_components.carbon_meter.community.authority import keys
from custom_components.carbon_meter.community.authority.authority import Authority
from custom_components.carbon_meter.community.authority.credentials import Credentials
from demo.config_dir import LOOPBACK
from demo.home_assistant import free_port, is_free
from demo.processes import Child, ChildError, Children, wait_until
from hardware.broker import making, rights
from hardware.broker.layout import Layout, write_private
from hardware.broker.plugin import find_mosquitto, find_plugin
from hardware.broker.setup import Setup

_WITHIN: Final = 20.0
"""Seconds for mosquitto to open its ports."""

_NO_BROKER: Final = "there is no mosquitto with its dynamic-security plugin: install mosquitto"


class Broker:
    """Mosquitto with the files that the project's own tool makes; they outlive the process."""

    def __init__(
        self, children: Children, folder: Path, *, community: str, name: str = "Demo village"
    ) -> None:
        """Make the files, or take those of an earlier run.

        Raises ChildError where there is no mosquitto, or a port of the earlier run is taken.
        """
        mosquitto, plugin = find_mosquitto(), find_plugin()
        if mosquitto is None or plugin is None:
            raise ChildError(_NO_BROKER)
        self._program = mosquitto
        self._children = children
        self._child: Child | None = None
        self.layout = Layout(folder.absolute())
        self.is_new = not self.layout.setup.exists()
        if self.is_new:
            port = free_port()
            making.init(
                self.layout.folder,
                Setup(
                    community=community,
                    name=name,
                    hosts=(LOOPBACK, "localhost"),
                    port=port,
                    enrol_port=_other_port(port),
                    listen=LOOPBACK,
                    at=str(self.layout.broker),
                    plugin=str(plugin),
                    user=getpass.getuser(),
                ),
                now=time.time(),
            )
        self.setup = Setup.load(self.layout.setup)

    @property
    def child(self) -> Child:
        """The process."""
        if self._child is None:
            raise ChildError("mosquitto was not started")
        return self._child

    @property
    def hub_file(self) -> str:
        """What the operator gives to the hub."""
        return self.layout.hub_file.read_text(encoding="utf-8")

    async def start(self) -> None:
        """Start it and wait until it listens; raises ChildError when it does not."""
        for port in (self.setup.port, self.setup.enrol_port):
            if not is_free(port):
                raise ChildError(f"port {port} of the broker is in use: --fresh takes another one")
        self._child = self._children.start(
            "mosquitto",
            [self._program, "-c", self.layout.configuration],
            log=self.layout.folder / "mosquitto.log",
        )
        await wait_until(
            "starting the broker", self._ready, child=self._child, within=_WITHIN, every=0.02
        )

    async def _ready(self) -> bool:
        return not is_free(self.setup.port) and not is_free(self.setup.enrol_port)

    # What tests and benchmarks do by hand instead of by invitation.

    def enrol(self, folder: Path, homes: Iterable[str]) -> None:
        """Give homes their rights, and credentials in folders of their names; it must not run."""
        names = list(homes)
        rights.enrol(self.layout.rights, self.setup.community, *names)
        authority = Authority.load(self.layout.authority)
        for home in names:
            self._sign(authority, home, folder / home)

    def let_speak_for_all(self, name: str, folder: Path) -> None:
        """Let somebody publish for every home: it makes the load of a benchmark."""
        self._sign(Authority.load(self.layout.authority), name, folder)
        path = self.layout.rights
        state = json.loads(path.read_text(encoding="utf-8"))
        topic = f"cm/v1/{self.setup.community}/#"
        allowed = {"acltype": "publishClientSend", "topic": topic, "priority": 0, "allow": True}
        state["roles"].append({"rolename": name, "acls": [allowed]})
        state["clients"].append({"username": name, "roles": [{"rolename": name}]})
        write_private(path, json.dumps(state))

    def _sign(self, authority: Authority, name: str, folder: Path) -> None:
        key = keys.new_key()
        certificate = authority.sign_client(keys.csr_for(key, name), name, now=time.time())
        Credentials(folder).store(key, certificate, authority.bundle)


def _other_port(port: int) -> int:
    while (other := free_port()) == port:
        pass
    return other
