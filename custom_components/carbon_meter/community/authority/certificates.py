"""What stands in the certificates of a community: strict enough for any verifier.

Python 3.13 and later wants of an authority basic constraints, key usage and its own key's
identifier, and of everybody else the identifier of who signed (VERIFY_X509_STRICT, RFC 5280).
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .keys import PublicKey

DAY: Final = 86400
"""Seconds; every certificate begins and ends with a day of UTC or of a community's calendar."""

NAME: Final = "urn:carbon-meter:"
"""What stands before the name in the alternative name of a client's certificate."""

_HASH: Final = hashes.SHA256()


def day_of(now: float) -> int:
    """Return the beginning of the UTC day of a moment: certificates do not tell the hour."""
    return int(now) // DAY * DAY


def authority_of(
    key: ec.EllipticCurvePrivateKey, name: str, begins: int, ends: int
) -> x509.Certificate:
    """Return the certificate of an authority that signs homes, hub and broker, but no other.

    A part of its key's identifier makes its name another one than that of the authority before.
    """
    public = key.public_key()
    identifier = x509.SubjectKeyIdentifier.from_public_key(public)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, name),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, identifier.digest[:4].hex()),
        ]
    )
    return (
        _begun(subject, public, begins, ends)
        .issuer_name(subject)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(key, _HASH)
    )


def client_of(
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    public: PublicKey,
    subject: str,
    period: tuple[int, int],
) -> x509.Certificate:
    """Return a certificate by which somebody can go to the broker, but nobody can be one."""
    builder = _named(authority, public, subject, period).add_extension(
        x509.SubjectAlternativeName([x509.UniformResourceIdentifier(f"{NAME}{subject}")]),
        critical=False,
    )
    return _leaf(builder, key, authority, public, ExtendedKeyUsageOID.CLIENT_AUTH)


def server_of(
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    public: PublicKey,
    hosts: tuple[Sequence[str], Sequence[str]],
    period: tuple[int, int],
) -> x509.Certificate:
    """Return the certificate of a broker with these host names and IP addresses.

    Raises ValueError for an address that is none, or if there is neither.
    """
    names, addresses = hosts
    known: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    known += [x509.IPAddress(ip_address(address)) for address in addresses]
    if not known:
        raise ValueError("a broker without host name and address")
    first = next(iter((*names, *addresses)))
    builder = _named(authority, public, first[:64], period).add_extension(
        x509.SubjectAlternativeName(known), critical=False
    )
    return _leaf(builder, key, authority, public, ExtendedKeyUsageOID.SERVER_AUTH)


def revocations_of(
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    revoked: Iterable[tuple[int, int]],
    period: tuple[int, int],
) -> x509.CertificateRevocationList:
    """Return the list of revoked serial numbers, each with the day since when it is.

    `period` is when the list is made and by when the next one has to be there.
    """
    begins, ends = period
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.subject)
        .last_update(_moment(begins))
        .next_update(_moment(ends))
        .add_extension(_issuer(authority), critical=False)
        .add_extension(x509.CRLNumber(begins), critical=False)
    )
    for serial, since in revoked:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(serial)
            .revocation_date(_moment(since))
            .build()
        )
    return builder.sign(key, _HASH)


def _named(
    authority: x509.Certificate, public: PublicKey, subject: str, period: tuple[int, int]
) -> x509.CertificateBuilder:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    return _begun(name, public, *period).issuer_name(authority.subject)


def _begun(
    subject: x509.Name, public: PublicKey, begins: int, ends: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(public)
        # 159 random bits: neither when nor after whom it was issued can be read from it.
        .serial_number(x509.random_serial_number())
        .not_valid_before(_moment(begins))
        .not_valid_after(_moment(ends))
    )


def _leaf(
    builder: x509.CertificateBuilder,
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    public: PublicKey,
    purpose: x509.ObjectIdentifier,
) -> x509.Certificate:
    """Return the signed certificate of somebody who signs nobody."""
    return (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(_issuer(authority), critical=False)
        .sign(key, _HASH)
    )


def _issuer(authority: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier.value)


def _usage(*, signs: bool) -> x509.KeyUsage:
    """Return what a key is for: signing certificates and lists, or proving who one is."""
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
