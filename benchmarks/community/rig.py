"""A broker with mutual TLS on the loopback, set up by the project's own tool, and who may use it.

Everything lies in one folder: processes that are killed and started again find the same there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
import json
from pathlib import Path
import ssl
import time
from typing import Final, Self

from custom_components.carbon_meter.community.authority.credentials import Credentials
from demo.community.broker import Broker
from demo.config_dir import LOOPBACK
from demo.processes import Children
from hardware.broker.layout import Layout

HUB: Final = "hub"

_RIG: Final = "rig.json"
_COMMUNITY: Final = "community"


@dataclass(frozen=True, kw_only=True)
class Rig:
    """Where everything is."""

    folder: Path
    community: str
    host: str
    port: int
    started: float
    """Seconds since 1970 UTC."""

    pace: float = 1.0
    """Virtual seconds in a real one: after an hour without an answer homes send again, hubs ask."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the rig of a folder."""
        values = json.loads((folder / _RIG).read_text(encoding="utf-8"))
        return cls(folder=folder, **values)

    def save(self) -> None:
        """Write it for other processes."""
        values = {
            "community": self.community,
            "host": self.host,
            "port": self.port,
            "started": self.started,
            "pace": self.pace,
        }
        (self.folder / _RIG).write_text(json.dumps(values), encoding="utf-8")

    def virtual_now(self) -> float:
        """Return a time that goes `pace` times as fast, also across restarts."""
        now = time.time()
        return now + (now - self.started) * self.pace

    @property
    def outboxes(self) -> Path:
        """Return where the homes keep what they have to say."""
        return self.folder / "outboxes"

    @property
    def hub(self) -> Path:
        """Return where the hub keeps its files."""
        return self.folder / "hub"

    @property
    def ledger(self) -> Path:
        """Return the file of the hub's ledger."""
        return self.hub / "ledger.db"

    @property
    def hub_file(self) -> str:
        """Return what the operator gives to the hub."""
        return Layout(self.folder / _COMMUNITY).hub_file.read_text(encoding="utf-8")

    def credentials(self, name: str) -> Path:
        """Return the folder with the key and the certificate of somebody."""
        if name == HUB:
            return Layout(self.folder / _COMMUNITY).hub
        return self.folder / "credentials" / name

    def context(self, name: str) -> ssl.SSLContext:
        """Return what somebody connects with: nothing but this broker is believed."""
        return Credentials(self.credentials(name)).context()


def make(  # noqa: PLR0913  # what makes a rig
    children: Children,
    folder: Path,
    *,
    community: str,
    homes: Iterable[str],
    loader: bool = False,
    pace: float = 1.0,
) -> tuple[Rig, Broker]:
    """Make a broker that knows some homes; it is not started.

    With `loader` there is somebody who may speak for every home: it makes the load of a benchmark
    that is not about connections.
    """
    folder.mkdir(parents=True, exist_ok=True)
    broker = Broker(children, folder / _COMMUNITY, community=community)
    rig = Rig(
        folder=folder,
        community=community,
        host=LOOPBACK,
        port=broker.setup.port,
        started=time.time(),
        pace=pace,
    )
    rig.outboxes.mkdir()
    rig.hub.mkdir()
    broker.enrol(rig.folder / "credentials", homes)
    if loader:
        broker.let_speak_for_all("loader", rig.credentials("loader"))
    rig.save()
    return rig, broker
