"""How a home gets its certificate: it asks with its public key, the hub answers."""

from dataclasses import dataclass
from enum import StrEnum
import re
from typing import Any, Final

from .decoding import decoded
from .fields import ID, LARGEST_NUMBER, Fields, printable
from .message import VERSION, canonical
from .refusal import Code, RefusedError
from .topics import RESERVED_HOMES, Channel, Topic, build, parse_as

LARGEST_REQUEST: Final = 4096
"""Characters of a request for a certificate: RSA with 4096 bits takes less than half."""

LARGEST_CERTIFICATE: Final = 4096
"""Characters."""

LARGEST_AUTHORITIES: Final = 6144
"""Characters of all certificates of authorities together: the message has room for one more."""

MOST_AUTHORITIES: Final = 4
"""The present one, the next one, and those before that still hold."""

_LINES: Final = r"([A-Za-z0-9+/=]{1,76}\r?\n)+"

_REQUEST: Final = re.compile(
    rf"-----BEGIN CERTIFICATE REQUEST-----\r?\n{_LINES}-----END CERTIFICATE REQUEST-----[\r\n]*"
)
_CERTIFICATE: Final = re.compile(
    rf"-----BEGIN CERTIFICATE-----\r?\n{_LINES}-----END CERTIFICATE-----[\r\n]*"
)
_AUTHORITIES: Final = re.compile(rf"(?:{_CERTIFICATE.pattern}){{1,{MOST_AUTHORITIES}}}")


class Wanted(StrEnum):
    """What a home asks a certificate for."""

    ENROL = "enrol"
    """It has an invitation."""

    RENEW = "renew"
    """Its certificate will end; it stays who it is."""

    ROTATE = "rotate"
    """It wants another id for the time after this month."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SigningRequest:
    """A home asks for a certificate of its key."""

    community: str
    home: str
    at: int
    """Milliseconds since 1970 UTC."""

    wanted: Wanted
    csr: str
    """A PKCS #10 request in PEM; nothing of it counts but the key and that it is the sender's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Issued:
    """The certificate of a home."""

    community: str
    home: str
    """Who has asked."""

    subject: str
    """Whom the certificate names: the home, or its next id."""

    certificate: str
    """PEM."""

    authorities: str
    """PEM of all certificates by which the broker may be known from now on."""

    begins: int
    """Seconds since 1970 UTC; the certificate holds from here ..."""

    ends: int
    """... to here, in seconds since 1970 UTC."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Declined:
    """The hub does not sign; asking the same again gives the same answer."""

    community: str
    home: str
    code: Code
    detail: str
    """For people: printable ASCII, shortened."""


type CertificateAnswer = Issued | Declined


def read_signing(topic: str, payload: bytes) -> SigningRequest:
    """Return a request for a certificate; raises RefusedError for what is none.

    Whether the key and the signature in it are sound is looked at by who signs.
    """
    place = parse_as(topic, Channel.SIGNING)
    fields = Fields(decoded(payload))
    fields.check_version()
    fields.check_source(place.home)
    return SigningRequest(
        community=place.community,
        home=place.home,
        at=fields.whole("at", 0, LARGEST_NUMBER),
        wanted=fields.choice("wanted", Wanted),
        csr=_pem(fields, "csr", _REQUEST, LARGEST_REQUEST),
    )


def write_signing(request: SigningRequest) -> tuple[str, bytes]:
    """Return topic and payload; raises RefusedError for what a hub would refuse."""
    topic = build(Topic(community=request.community, home=request.home, channel=Channel.SIGNING))
    payload = canonical(
        {
            "v": VERSION,
            "src": request.home,
            "at": request.at,
            "wanted": request.wanted.value,
            "csr": request.csr,
        }
    )
    read_signing(topic, payload)
    return topic, payload


def read_certificate(topic: str, payload: bytes) -> CertificateAnswer:
    """Return the hub's answer; raises RefusedError for what is none.

    Whether the certificate is right is for the home to check: CM-42.
    """
    place = parse_as(topic, Channel.CERTIFICATE)
    fields = Fields(decoded(payload))
    fields.check_version()
    if fields.has("code"):
        return Declined(
            community=place.community,
            home=place.home,
            code=fields.choice("code", Code),
            detail=fields.detail("detail"),
        )
    subject = fields.text("subject", ID)
    if subject in RESERVED_HOMES:
        raise RefusedError(Code.TEXT, "CM-2", f"{subject} is reserved")
    issued = Issued(
        community=place.community,
        home=place.home,
        subject=subject,
        certificate=_pem(fields, "certificate", _CERTIFICATE, LARGEST_CERTIFICATE),
        authorities=_pem(fields, "authorities", _AUTHORITIES, LARGEST_AUTHORITIES),
        begins=fields.whole("begins", 0, LARGEST_NUMBER),
        ends=fields.whole("ends", 0, LARGEST_NUMBER),
    )
    if issued.begins >= issued.ends:
        raise RefusedError(Code.RANGE, "CM-12", f"from {issued.begins} to {issued.ends}")
    return issued


def write_certificate(answer: CertificateAnswer) -> tuple[str, bytes]:
    """Return topic and payload; raises RefusedError for what a home would refuse."""
    body: dict[str, Any]
    match answer:
        case Issued():
            body = {
                "subject": answer.subject,
                "certificate": answer.certificate,
                "authorities": answer.authorities,
                "begins": answer.begins,
                "ends": answer.ends,
            }
        case Declined():
            body = {"code": answer.code.value, "detail": printable(answer.detail)}
    topic = build(Topic(community=answer.community, home=answer.home, channel=Channel.CERTIFICATE))
    payload = canonical({"v": VERSION} | body)
    read_certificate(topic, payload)
    return topic, payload


def _pem(fields: Fields, name: str, form: re.Pattern[str], most: int) -> str:
    """Return a text in PEM; raises RefusedError."""
    value = fields.string(name)
    if len(value) > most:
        raise RefusedError(
            Code.RANGE, "CM-12", f"{name} has {len(value)} characters, not up to {most}"
        )
    if form.fullmatch(value) is None:
        raise RefusedError(Code.TEXT, "CM-13", f"{name} is no PEM")
    return value
