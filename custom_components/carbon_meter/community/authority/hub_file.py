"""The hub file: what a hub needs to go to its broker and to sign its homes.

The tool that sets a broker up writes it; whoever has it is the community's authority.
"""

from dataclasses import dataclass
import json
from typing import Any, Final

from ..contract.decoding import decoded
from ..contract.fields import ID, Fields
from ..contract.message import canonical
from ..contract.refusal import RefusedError
from .broker import Broker, community_name
from .errors import AuthorityError
from .keys import certificate_in, certificates_in, matches, subject_of
from .reasons import Reason, UnusableError, fields_of

TYPE: Final = "carbon-meter hub"


class HubFileError(UnusableError):
    """A hub file cannot be used; `reason` says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HubFile:
    """Everything about a community's broker and authority."""

    community: str
    name: str
    """What people call the community."""

    broker: Broker
    authorities: str
    """Certificates in PEM, the one that signs first."""

    authority_key: str
    """PEM."""

    certificate: str
    """The hub's, in PEM."""

    key: str
    """The hub's, in PEM."""

    def as_json(self) -> str:
        """Return the file."""
        return json.dumps(_object(self), ensure_ascii=False, indent=1) + "\n"


def read_hub_file(text: str, now: float) -> HubFile:
    """Return what a hub file says, checked throughout.

    `now` is in seconds since 1970 UTC. Raises HubFileError.
    """
    fields = _fields(text)
    try:
        hub_file = HubFile(
            community=fields.text("community", ID),
            name=community_name(fields),
            broker=Broker.read(fields.inside("broker")),
            authorities=fields.string("authorities"),
            authority_key=fields.string("authority_key"),
            certificate=fields.string("certificate"),
            key=fields.string("key"),
        )
        _check(hub_file, now)
    except (RefusedError, AuthorityError) as err:
        raise HubFileError(Reason.DAMAGED, str(err)) from err
    return hub_file


def _fields(text: str) -> Fields:
    """Return the fields of a hub file of this version; raises HubFileError."""
    try:
        value = decoded(text.strip().encode(errors="surrogatepass"))
    except RefusedError as err:
        cut = f'"type": "{TYPE}"' in text
        raise HubFileError(Reason.DAMAGED if cut else Reason.ANOTHER, err.detail) from err
    return fields_of(value, TYPE, HubFileError)


def _check(hub_file: HubFile, now: float) -> None:
    """Raise AuthorityError or HubFileError where keys and certificates do not fit each other."""
    authority = certificates_in(hub_file.authorities)[0]
    if not matches(hub_file.authority_key, hub_file.authorities):
        raise AuthorityError("the authority's key is not that of its certificate")
    if not matches(hub_file.key, hub_file.certificate):
        raise AuthorityError("the hub's key is not that of its certificate")
    certificate = certificate_in(hub_file.certificate)
    if subject_of(hub_file.certificate) != "hub":
        raise AuthorityError("the certificate is not that of a hub")
    if certificate.issuer != authority.subject:
        raise AuthorityError("the hub's certificate is of another authority")
    if min(certificate.not_valid_after_utc, authority.not_valid_after_utc).timestamp() <= now:
        raise HubFileError(Reason.EXPIRED, "a certificate in it has ended")


def _object(hub_file: HubFile) -> dict[str, Any]:
    """Return the file as an object; raises HubFileError if it could not be read again."""
    value = {
        "v": 1,
        "type": TYPE,
        "community": hub_file.community,
        "name": hub_file.name,
        "broker": hub_file.broker.as_object(),
        "authorities": hub_file.authorities,
        "authority_key": hub_file.authority_key,
        "certificate": hub_file.certificate,
        "key": hub_file.key,
    }
    try:
        decoded(canonical(value))
    except RefusedError as err:
        raise HubFileError(Reason.DAMAGED, err.detail) from err
    return value
