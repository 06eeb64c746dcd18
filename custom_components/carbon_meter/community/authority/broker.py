"""Where a community's broker is."""

from dataclasses import dataclass
import re
from typing import Any, Final, Self

from ..contract.fields import Fields
from ..contract.refusal import Code, RefusedError

_HOST: Final = re.compile(r"[0-9A-Za-z]([0-9A-Za-z._:%-]{0,252}[0-9A-Za-z])?|::1?")
"""A host name or an IP address: nothing that means something to a shell or to an address bar."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Broker:
    """A broker with its two doors."""

    host: str
    port: int
    """For everybody who has a certificate of the community."""

    enrol_port: int
    """For those who have an invitation."""

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return what stands in a file; raises RefusedError."""
        return cls(
            host=fields.text("host", _HOST),
            port=fields.whole("port", 1, 65535),
            enrol_port=fields.whole("enrol_port", 1, 65535),
        )

    def as_object(self) -> dict[str, Any]:
        """Return what stands in a file."""
        return {"host": self.host, "port": self.port, "enrol_port": self.enrol_port}


def community_name(fields: Fields) -> str:
    """Return what people call a community; raises RefusedError."""
    name = fields.string("name")
    if not 1 <= len(name) <= 64 or not name.isprintable() or name != name.strip():
        raise RefusedError(Code.TEXT, "CM-13", f"name is {name!a:.80}")
    return name
