"""Keys, requests and certificates in PEM: made, compared, and checked before they count."""

from contextlib import suppress
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import NameOID

from ..contract.certificates import LARGEST_REQUEST
from ..contract.refusal import Code, RefusedError
from .errors import AuthorityError

type PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey

_CURVES: Final = (ec.SECP256R1, ec.SECP384R1)

_RSA_BITS: Final = range(2048, 4096 + 1)
"""Below it is weak; above it verifying takes long and the certificate does not fit the message."""

_RSA_EXPONENT: Final = 65537

_DAMAGE: Final = (ValueError, TypeError, UnsupportedAlgorithm)
"""What the library says to bytes that are no key, no request and no certificate."""


def new_key() -> str:
    """Return a new key on the curve P-256, in PEM without a password."""
    return pem_of(ec.generate_private_key(ec.SECP256R1()))


def pem_of(key: ec.EllipticCurvePrivateKey) -> str:
    """Return a key in PEM without a password."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def key_in(pem: str) -> ec.EllipticCurvePrivateKey:
    """Return the key in PEM; raises AuthorityError for what is none that `new_key` makes."""
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except _DAMAGE as err:
        raise AuthorityError(f"no key in PEM ({err})") from err
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise AuthorityError("the key is not on an elliptic curve")
    return key


def certificate_in(pem: str) -> x509.Certificate:
    """Return the first certificate in PEM; raises AuthorityError."""
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except _DAMAGE as err:
        raise AuthorityError(f"no certificate in PEM ({err})") from err


def certificates_in(pem: str) -> list[x509.Certificate]:
    """Return all certificates in PEM; raises AuthorityError."""
    try:
        return x509.load_pem_x509_certificates(pem.encode())
    except _DAMAGE as err:
        raise AuthorityError(f"no certificates in PEM ({err})") from err


def pem_of_certificate(certificate: x509.Certificate) -> str:
    """Return a certificate in PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def csr_for(key_pem: str, subject: str) -> str:
    """Return the request for a certificate of a key; raises AuthorityError for a bad key."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    request = x509.CertificateSigningRequestBuilder().subject_name(name)
    signed = request.sign(key_in(key_pem), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def key_asked_for(csr_pem: str) -> PublicKey:
    """Return the public key of a request whose sender holds the other half of it.

    Nothing else of the request is looked at. Raises RefusedError with the code `certificate`.
    """
    if len(csr_pem) > LARGEST_REQUEST:
        raise _refused(f"a request of {len(csr_pem)} characters")
    try:
        request = x509.load_pem_x509_csr(csr_pem.encode())
        key = _strong(request.public_key())
        is_signed = request.is_signature_valid
    except _DAMAGE as err:
        raise _refused("no PKCS #10 request that can be read") from err
    if not is_signed:
        raise _refused("the signature of the request is not that of its key")
    return key


def matches(key_pem: str, certificate_pem: str) -> bool:
    """Return whether a certificate is of this key; raises AuthorityError for what is neither."""
    public = key_in(key_pem).public_key()
    return fingerprint(public) == fingerprint(certificate_in(certificate_pem).public_key())


def is_signed(certificate_pem: str, authorities_pem: str) -> bool:
    """Return whether one of the authorities has signed a certificate; raises AuthorityError."""
    certificate = certificate_in(certificate_pem)
    for authority in certificates_in(authorities_pem):
        with suppress(ValueError, TypeError, InvalidSignature):
            certificate.verify_directly_issued_by(authority)
            return True
    return False


def fingerprint(key: CertificatePublicKeyTypes) -> str:
    """Return the SHA-256 of a public key as hexadecimal digits."""
    content = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    digest = hashes.Hash(hashes.SHA256())
    digest.update(content)
    return digest.finalize().hex()


def begins(certificate_pem: str) -> int:
    """Return from when a certificate holds, in seconds since 1970 UTC; raises AuthorityError."""
    return int(certificate_in(certificate_pem).not_valid_before_utc.timestamp())


def ends(certificate_pem: str) -> int:
    """Return until when a certificate holds, in seconds since 1970 UTC; raises AuthorityError."""
    return int(certificate_in(certificate_pem).not_valid_after_utc.timestamp())


def subject_of(certificate_pem: str) -> str:
    """Return whom a certificate names; raises AuthorityError if that is not one name."""
    return common_name(certificate_in(certificate_pem))


def common_name(certificate: x509.Certificate) -> str:
    """Return whom a certificate names; raises AuthorityError if that is not one name."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if len(names) != 1 or not isinstance(names[0].value, str):
        raise AuthorityError("the certificate does not name one home")
    return names[0].value


def _strong(key: CertificatePublicKeyTypes) -> PublicKey:
    """Return a key that nobody breaks; raises RefusedError for any other."""
    match key:
        case ec.EllipticCurvePublicKey() if isinstance(key.curve, _CURVES):
            return key
        case ed25519.Ed25519PublicKey():
            return key
        case rsa.RSAPublicKey() if key.key_size in _RSA_BITS:
            if key.public_numbers().e != _RSA_EXPONENT:
                raise _refused(f"an RSA key with another exponent than {_RSA_EXPONENT}")
            return key
        case rsa.RSAPublicKey():
            raise _refused(f"an RSA key of {key.key_size} bits, not 2048 to 4096")
    raise _refused("neither P-256, P-384, Ed25519 nor RSA")


def _refused(detail: str) -> RefusedError:
    return RefusedError(Code.CERTIFICATE, "CM-39", detail)
