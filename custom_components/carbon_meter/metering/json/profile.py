"""A family of meters with JSON pages or MQTT topics as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from ..profile import Profile
from .path import Path
from .values import Coding


class AuthKind(StrEnum):
    """How a device wants to be told who asks."""

    NONE = "none"
    BASIC = "basic"
    DIGEST = "digest"
    """RFC 7616, with whatever algorithm the device names: Shelly's is SHA-256."""

    BEARER = "bearer"
    API_KEY = "api_key"
    """A token in a header of the device's own."""

    QUERY = "query"
    """User and password as parameters of the address."""

    SESSION = "session"
    """A form that is posted: such a device can be read while it has no password."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Auth:
    """How a family wants to be told who asks."""

    kind: AuthKind = AuthKind.NONE
    user: str = ""
    """The user's name, where all devices of the family have the same."""

    header: str = ""
    """The header of an API key."""


NO_AUTH: Final = Auth()
"""A device that answers everybody."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One way to come to a quantity; a profile may have several, the first that applies counts."""

    quantity: str
    plus: tuple[Path, ...]
    minus: tuple[Path, ...] = ()
    coding: Coding
    when: Path | None = None
    """What must be true of the document for this way to apply."""

    sources: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        """Return every expression of the field."""
        return (*self.plus, *self.minus, *((self.when,) if self.when else ()))


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One page that a reading needs; it is only ever read (GET)."""

    name: str
    """Requests of the same name are alternatives: the first page that exists counts."""

    path: str
    """Path and query, as they go over the wire."""

    headers: Mapping[str, str] = MappingProxyType({})
    optional: bool = False
    """Whether a device without this page is read all the same."""

    unless: str = ""
    """The name of a page that makes this one needless."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Instances:
    """Which meters are in one device, found in `{probe: ..., answer: ...}`."""

    setting: str
    """What tells them apart."""

    among: Path
    """Yields their number, or a list of their names."""

    prefix: str = ""
    """What is cut off names; those without it are none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """How a device is recognised by one page."""

    path: str
    match: Path
    """True of `{probe: the page}` for the family."""

    headers: Mapping[str, str] = MappingProxyType({})
    certain: bool = True
    """Whether the page's own words prove the family."""

    instances: Instances | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Topic:
    """One topic that a meter publishes to."""

    name: str
    """Topics of the same name bring parts of one page."""

    topic: str
    select: Path | None = None
    """Which part of a message it is; a message without it says nothing of the meter."""

    partial: bool = False
    """Whether keys that a message leaves out keep their values."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Announcement:
    """A topic by whose messages a family is recognised.

    The expressions see `{topic: [levels], payload: ..., item: ...}`.
    """

    topic: str
    """With MQTT's wildcards."""

    match: Path
    each: Path | None = None
    """Yields one item for every meter that the message is about."""

    settings: Mapping[str, Path] = MappingProxyType({})
    identity: Mapping[str, Path] = MappingProxyType({})
    certain: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class JsonProfile(Profile):
    """Where in which pages or topics each quantity lies.

    With one page, or one topic, the expressions see its document; with several, a mapping
    from their names to their documents.
    """

    fields: tuple[Field, ...]
    settings: Mapping[str, str | int | None] = MappingProxyType({})
    """By name, with what holds unless something is given; None must be given."""

    identity: Mapping[str, Path] = MappingProxyType({})
    """Where a device says its `manufacturer`, `model` and `serial`, in `{probe:, answer:}`."""

    valid: Path | None = None
    """What must be true of the document for its values to count."""

    refused: Path | None = None
    """What is true of a document that says that a password is missing."""

    requests: tuple[Request, ...] = ()
    scheme: str = "http"
    self_signed: bool = False
    """Whether the device's certificate is its own work."""

    session_cookie: bool = False
    """Whether what the first page sets as a cookie opens the others."""

    auth: Auth = NO_AUTH
    probe: Probe | None = None
    topics: tuple[Topic, ...] = ()
    max_age: float = 60.0
    """Seconds for which what was heard may stand beside newer messages."""

    time: Path | None = None
    """Where a message says its time: seconds since 1970 or ISO 8601 with an offset."""

    announcements: tuple[Announcement, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the pages or topics, each once."""
        names = (*(each.name for each in self.requests), *(each.name for each in self.topics))
        return tuple(dict.fromkeys(names))
