"""The files of a community: where each lies, who may read it, how it is written."""

from dataclasses import dataclass
import os
from pathlib import Path
from string import Template
import tempfile
from typing import Final

from .errors import BrokerError
from .setup import Setup

_TEMPLATES: Final = Path(__file__).parent

_PRIVATE: Final = 0o600
_PUBLIC: Final = 0o644
_PROGRAM: Final = 0o755


@dataclass(frozen=True, slots=True)
class Layout:
    """The folder of a community.

    `broker/` is what goes to the broker's machine, and all that goes there. The rest stays with
    the operator: who has `authority/` can be anybody in the community.
    """

    folder: Path

    @property
    def setup(self) -> Path:
        """Return the operator's choices."""
        return self.folder / "community.json"

    @property
    def authority(self) -> Path:
        """Return the folder of the community's CA."""
        return self.folder / "authority"

    @property
    def broker(self) -> Path:
        """Return the folder of the broker's files."""
        return self.folder / "broker"

    @property
    def hub(self) -> Path:
        """Return the folder with the hub's key and certificate."""
        return self.folder / "hub"

    @property
    def operator(self) -> Path:
        """Return the folder with the key and certificate of this tool."""
        return self.folder / "operator"

    @property
    def listed(self) -> Path:
        """Return a revoked certificate with its key: who is let in with it shows an old list."""
        return self.operator / "listed.pem"

    @property
    def hub_file(self) -> Path:
        """Return what the hub's set-up in Home Assistant asks for."""
        return self.folder / "hub.json"

    @property
    def homes(self) -> Path:
        """Return the folder of certificates that were signed by hand."""
        return self.folder / "homes"

    @property
    def configuration(self) -> Path:
        """Return mosquitto's configuration."""
        return self.broker / "mosquitto.conf"

    @property
    def rights(self) -> Path:
        """Return the state of the dynamic-security plugin, which it changes itself."""
        return self.broker / "dynamic-security.json"

    @property
    def first_rights(self) -> Path:
        """Return the rights as they were at first, for when the plugin's file is damaged."""
        return self.broker / "first-rights.json"

    @property
    def start(self) -> Path:
        """Return what starts the broker."""
        return self.broker / "start.sh"

    @property
    def authorities(self) -> Path:
        """Return the CA certificates that the broker believes."""
        return self.broker / "authorities.pem"

    @property
    def server_key(self) -> Path:
        """Return the broker's key."""
        return self.broker / "server.key"

    @property
    def server(self) -> Path:
        """Return the broker's certificate."""
        return self.broker / "server.pem"

    @property
    def revoked(self) -> Path:
        """Return the list of certificates that no longer hold."""
        return self.broker / "crl.pem"


def configuration(setup: Setup) -> str:
    """Return mosquitto.conf for a set-up."""
    template = Template((_TEMPLATES / "mosquitto.conf").read_text(encoding="utf-8"))
    return template.substitute(
        community=setup.community,
        plugin=setup.plugin,
        at=setup.at,
        user=setup.user,
        log=setup.log,
        port=setup.port,
        enrol_port=setup.enrol_port,
        address=f" {setup.listen}" if setup.listen else "",
        connections=setup.connections,
        enrol_connections=setup.enrol_connections,
        queued_messages=setup.queued_messages,
        queued_bytes=setup.queued_bytes,
    )


def rights_template() -> str:
    """Return dynamic-security.json before anybody has a right."""
    return (_TEMPLATES / "dynamic-security.json").read_text(encoding="utf-8")


def start_script() -> str:
    """Return what starts the broker."""
    return (_TEMPLATES / "start.sh").read_text(encoding="utf-8")


def write_program(path: Path, content: str) -> None:
    """Write a file that everybody may run."""
    write(path, content, _PROGRAM)


def write_private(path: Path, content: str | bytes) -> None:
    """Write a file that its owner alone may read."""
    write(path, content, _PRIVATE)


def write_public(path: Path, content: str | bytes) -> None:
    """Write a file that everybody may read."""
    write(path, content, _PUBLIC)


def write(path: Path, content: str | bytes, mode: int) -> None:
    """Write a file so that there is the old one or the new one at any moment, never a part."""
    data = content.encode() if isinstance(content, str) else content
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(mode)
            if path.exists():
                _give(name, path)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as err:
        raise BrokerError(f"{path} cannot be written: {err.strerror}") from err


def _give(name: str, old: Path) -> None:
    """Keep the owner of a file: the operator may have given it to the user mosquitto."""
    owner = old.stat()
    if (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()) and os.geteuid() == 0:
        os.chown(name, owner.st_uid, owner.st_gid)
