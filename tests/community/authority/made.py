"""Keys and requests, good and bad, of which the integration itself makes only the good ones."""

from collections.abc import Callable
import time
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.x509.oid import NameOID

from custom_components.carbon_meter.community.authority import keys
from custom_components.carbon_meter.community.authority.certificates import DAY, client_of

type Maker = Callable[[], Any]

STRONG: dict[str, Maker] = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "RSA 2048": lambda: rsa.generate_private_key(65537, 2048),
    "RSA 3072": lambda: rsa.generate_private_key(65537, 3072),
}

WEAK: dict[str, Maker] = {
    "RSA 1024": lambda: rsa.generate_private_key(65537, 1024),  # noqa: S505  # that it is refused is tested
    "RSA 2047": lambda: rsa.generate_private_key(65537, 2047),  # noqa: S505  # likewise
    "RSA 4104": lambda: rsa.generate_private_key(65537, 4104),
    "RSA e=3": lambda: rsa.generate_private_key(3, 2048),
    "P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "P-224": lambda: ec.generate_private_key(ec.SECP224R1()),
    "secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "DSA": lambda: dsa.generate_private_key(2048),
    "Ed448": ed448.Ed448PrivateKey.generate,
}


def csr(key: Any, subject: str = "whoever", **extensions: Any) -> str:
    """Return a request in PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    for extension in extensions.values():
        builder = builder.add_extension(extension, critical=True)
    curve = ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey
    signed = builder.sign(key, None if isinstance(key, curve) else hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def pem(key: Any) -> str:
    """Return a key in PEM."""
    text: bytes = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return text.decode()


def signed_by(
    key_pem: str, certificate_pem: str, subject: str, now: float | None = None
) -> tuple[str, str]:
    """Return key and certificate by somebody who may not sign."""
    key = keys.new_key()
    begins = int(now or time.time()) - DAY
    forged = client_of(
        keys.key_in(key_pem),
        keys.certificate_in(certificate_pem),
        keys.key_in(key).public_key(),
        subject,
        (begins, begins + 30 * DAY),
    )
    return key, keys.pem_of_certificate(forged)
