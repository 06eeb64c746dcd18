"""The invitation of one home: a file, or a text for a QR code and for the clipboard."""

import base64
import binascii
from dataclasses import dataclass
import hashlib
import json
import re
from typing import Any, Final

from ..contract.consent import read_flows
from ..contract.decoding import MOST_BYTES, decoded
from ..contract.fields import ID, LARGEST_NUMBER, Fields
from ..contract.message import Flow, Level, canonical
from ..contract.reading import duration_in, level_in
from ..contract.refusal import RefusedError
from ..contract.topics import RESERVED_HOMES
from .broker import Broker, community_name
from .errors import AuthorityError
from .keys import certificates_in
from .reasons import Reason, UnusableError, fields_of

TYPE: Final = "carbon-meter invitation"

SCHEME: Final = "carbon-meter:"
"""How the text of an invitation begins."""

LARGEST_TEXT: Final = 2953
"""Characters that the largest QR code holds."""

_TOKEN: Final = re.compile(r"[0-9A-Za-z_-]{22,64}")
"""At least 128 bits, and nothing that means something to a shell."""

_CHECK: Final = 8
"""Hexadecimal digits of a checksum: a slip in typing goes through once in four thousand million."""


class InvitationError(UnusableError):
    """An invitation cannot be used; `reason` says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Invitation:
    """What a home needs to know to join a community, and what it is asked for."""

    community: str
    name: str
    """What people call the community."""

    home: str
    """What the home will be called: it names nobody."""

    token: str
    """Good for one enrolment. Whoever has it can join in the place of the home."""

    broker: Broker | None
    """None if the community is on the broker that Home Assistant has already."""

    authorities: str
    """By whose certificates the broker is known, in PEM; empty without a broker."""

    level: Level
    duration: int
    """Seconds: how long the periods are that the community asks for."""

    flows: tuple[Flow, ...]
    expires: int
    """Seconds since 1970 UTC."""

    @property
    def user(self) -> str:
        """Return the name that goes with the token at the broker's door for enrolment."""
        return f"invited.{self.home}"

    def as_json(self) -> str:
        """Return the invitation as the content of a file."""
        return json.dumps(_object(self), ensure_ascii=False, indent=1) + "\n"

    def as_text(self) -> str:
        """Return the invitation as one line, for a QR code.

        Raises InvitationError for one that does not fit a QR code.
        """
        content = canonical(_object(self))
        encoded = base64.urlsafe_b64encode(content).decode().rstrip("=")
        text = f"{SCHEME}{encoded}.{_checksum(content)}"
        if len(text) > LARGEST_TEXT:
            raise InvitationError(Reason.DAMAGED, f"{len(text)} characters fit no QR code")
        return text


def read_invitation(text: str, now: float) -> Invitation:
    """Return the invitation in a text or in the content of a file.

    `now` is in seconds since 1970 UTC. Raises InvitationError, and nothing else, for any text.
    """
    fields = _fields(text)
    try:
        invitation = _invitation(fields)
    except (RefusedError, AuthorityError) as err:
        raise InvitationError(Reason.DAMAGED, str(err)) from err
    if invitation.expires <= now:
        raise InvitationError(Reason.EXPIRED, f"since {invitation.expires}")
    return invitation


def _fields(text: str) -> Fields:
    """Return the fields of an invitation of this version; raises InvitationError."""
    is_text = text.lstrip().startswith(SCHEME)
    try:
        content = _content(text) if is_text else text.strip().encode(errors="surrogatepass")
        value = decoded(content)
    except (RefusedError, binascii.Error) as err:
        is_ours = is_text or f'"type": "{TYPE}"' in text
        raise InvitationError(Reason.DAMAGED if is_ours else Reason.ANOTHER, str(err)) from err
    return fields_of(value, TYPE, InvitationError)


def _content(text: str) -> bytes:
    """Return what is within a text; raises InvitationError if a part of it is lost."""
    if len(text) > 2 * MOST_BYTES:
        raise InvitationError(Reason.DAMAGED, f"{len(text)} characters")
    encoded, _, check = "".join(text.split()).removeprefix(SCHEME).partition(".")
    if not encoded.isascii():
        raise InvitationError(Reason.DAMAGED, "characters that no invitation has")
    content = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    if check != _checksum(content):
        raise InvitationError(Reason.DAMAGED, "the checksum does not fit")
    return content


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_CHECK]


def _invitation(fields: Fields) -> Invitation:
    """Return what an invitation says; raises RefusedError or AuthorityError."""
    broker = Broker.read(fields.inside("broker")) if fields.raw("broker") is not None else None
    authorities = fields.string("authorities")
    if broker is not None:
        certificates_in(authorities)
    home = fields.text("home", ID)
    if home in RESERVED_HOMES:
        raise AuthorityError(f"no home is called {home}")
    return Invitation(
        community=fields.text("community", ID),
        name=community_name(fields),
        home=home,
        token=fields.text("token", _TOKEN),
        broker=broker,
        authorities=authorities,
        level=level_in(fields),
        duration=duration_in(fields),
        flows=read_flows(fields.rows("flows")),
        expires=fields.whole("expires", 0, LARGEST_NUMBER),
    )


def _object(invitation: Invitation) -> dict[str, Any]:
    """Return an invitation as it stands in a file."""
    broker = invitation.broker
    return {
        "v": 1,
        "type": TYPE,
        "community": invitation.community,
        "name": invitation.name,
        "home": invitation.home,
        "token": invitation.token,
        "broker": None if broker is None else broker.as_object(),
        "authorities": invitation.authorities,
        "level": invitation.level.value,
        "dur": invitation.duration,
        "flows": [flow.value for flow in invitation.flows],
        "expires": invitation.expires,
    }
