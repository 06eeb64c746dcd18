"""Looks whether the broker that runs has read its files since they were changed.

Nobody is told what a broker holds in memory, so it is tried: the list of revoked certificates
always has one more on it, which was made for this alone. Who comes with that one and is let in has
found a broker that has not read the list. Its name has no rights, and nothing is said.
"""

from collections.abc import Iterator
import secrets
import socket
import ssl
from typing import Final

from cryptography import x509

from custom_components.carbon_meter.community.authority import keys
from custom_components.carbon_meter.community.authority.authority import Authority

from .layout import Layout, write_private
from .setup import Setup

_PATIENCE: Final = 5.0
"""Seconds for a broker to answer."""

_REVOKED: Final = "CERTIFICATE_REVOKED"
"""How OpenSSL calls the alert that a broker sends to who is on its list."""


def put_on_list(layout: Layout, authority: Authority, *, now: float, days: int) -> None:
    """Make the certificate that is tried, and revoke it; the list is written after that."""
    key, name = keys.new_key(), f"revoked-{secrets.token_hex(4)}"
    certificate = authority.sign_client(keys.csr_for(key, name), name, now=now, days=days)
    authority.revoke(keys.certificate_in(certificate).serial_number, now=now)
    write_private(layout.listed, key + certificate)


def is_on_list(layout: Layout, lists: list[x509.CertificateRevocationList]) -> bool:
    """Return whether a list has what is tried; one of an earlier version has not."""
    try:
        serial = x509.load_pem_x509_certificate(layout.listed.read_bytes()).serial_number
    except OSError, ValueError:
        return False
    return any(item.get_revoked_certificate_by_serial_number(serial) is not None for item in lists)


def unread(layout: Layout, setup: Setup) -> Iterator[str]:
    """Yield which files the broker has not read as they are now.

    Raises OSError where it does not answer.
    """
    tried = _tried(layout, setup)
    if tried != _REVOKED:
        yield f"crl.pem or authorities.pem ({tried})"
    with _connection(setup, setup.enrol_port) as line:
        shown = _context().wrap_socket(line)
        is_same = shown.getpeercert(binary_form=True) == _own(layout)
        shown.close()
    if not is_same:
        yield "server.pem"


def _tried(layout: Layout, setup: Setup) -> str:
    """Return what the broker says to who is on the list."""
    context = _context()
    # In TLS 1.3 a client hears after its handshake only that it was refused.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(layout.listed)
    with _connection(setup, setup.port) as line:
        try:
            context.wrap_socket(line).close()
        except ssl.SSLError as err:
            reason = str(err.reason)
            return _REVOKED if reason.endswith(_REVOKED) else f"it says {reason.lower()}"
    return "it lets in who is on the list"


def _own(layout: Layout) -> bytes:
    """Return the broker's certificate as it is in the file."""
    return ssl.PEM_cert_to_DER_cert(layout.server.read_text(encoding="ascii"))


def _connection(setup: Setup, port: int) -> socket.socket:
    return socket.create_connection((setup.hosts[0], port), _PATIENCE)


def _context() -> ssl.SSLContext:
    """Return how to look at a broker: nothing is told to it, so it need not be the right one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
