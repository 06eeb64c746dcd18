"""What an operator decides about a broker, kept beside its files."""

from dataclasses import asdict, dataclass, fields
import ipaddress
import json
from pathlib import Path
import re
from typing import Final, Self

from custom_components.carbon_meter.community.contract.fields import ID

from .errors import BrokerError
from .plugin import PLUGIN

PORT: Final = 8883
"""For everybody who is enrolled: the usual port of MQTT over TLS."""

ENROL_PORT: Final = 8884
"""For enrolment alone."""

_HOST: Final = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\Z"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Setup:
    """The choices behind mosquitto.conf and the certificates.

    Raises BrokerError for what mosquitto would misread.
    """

    community: str
    name: str
    hosts: tuple[str, ...]
    """How clients reach the broker: names and addresses, all in its certificate, the first told."""

    port: int = PORT
    enrol_port: int = ENROL_PORT
    listen: str = ""
    """The only address to listen at; empty for all."""

    at: str
    """The folder of the broker's files on the machine that it runs on."""

    plugin: str = f"/usr/lib/x86_64-linux-gnu/{PLUGIN}"
    user: str = "mosquitto"
    """Whom the broker runs as where it is started by root."""

    log: str = "stderr"
    connections: int = 12_000
    enrol_connections: int = 100
    queued_messages: int = 250_000
    """For each client that is away: for the hub a day of 10,000 homes."""

    queued_bytes: int = 200_000_000

    def __post_init__(self) -> None:
        """Check everything that goes into a file."""
        if ID.fullmatch(self.community) is None:
            raise BrokerError(f"{self.community!a:.80} is no id of a community: use a-z, 0-9, _, -")
        is_trim = self.name == self.name.strip()
        if not 1 <= len(self.name) <= 64 or not is_trim or not self.name.isprintable():
            raise BrokerError("the name of the community has 1 to 64 printable characters")
        self._check_places()
        for text in (self.at, self.plugin, self.user, self.log):
            if not text or text != text.strip() or not text.isprintable():
                raise BrokerError(f"{text!a:.80} cannot stand in mosquitto.conf")
        for limit in (self.connections, self.enrol_connections, self.queued_messages):
            if limit < 1:
                raise BrokerError(f"{limit} is no limit")

    def _check_places(self) -> None:
        """Check hosts and ports."""
        if not self.hosts:
            raise BrokerError("say with --host how homes reach the broker")
        for host in (*self.hosts, *([self.listen] if self.listen else [])):
            if not is_address(host) and _HOST.match(host) is None:
                raise BrokerError(f"{host!a:.80} is neither a name of a host nor an address")
        if self.port == self.enrol_port:
            raise BrokerError("the two listeners need two ports")
        for port in (self.port, self.enrol_port):
            if not 1 <= port <= 65535:
                raise BrokerError(f"{port} is no port")

    @property
    def names(self) -> tuple[str, ...]:
        """Return the hosts that are names."""
        return tuple(host for host in self.hosts if not is_address(host))

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the hosts that are IP addresses."""
        return tuple(host for host in self.hosts if is_address(host))

    def as_json(self) -> str:
        """Return what `from_json` reads."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return what a file holds; raises BrokerError for one that is not there or damaged."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            known = {field.name for field in fields(cls)}
            values = {name: value for name, value in values.items() if name in known}
            return cls(**values | {"hosts": tuple(values["hosts"])})
        except FileNotFoundError:
            raise BrokerError(f"{path.parent} holds no community: make one with init") from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as err:
            raise BrokerError(f"{path} cannot be read: {err}") from err


def is_address(host: str) -> bool:
    """Tell whether a host is an IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
