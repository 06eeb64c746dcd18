"""What a home shows at the broker: its key and certificate, and by whom it knows the broker."""

from pathlib import Path
import ssl
from typing import Final

from . import files, keys
from .errors import AuthorityError

_IDENTITY: Final = "identity.pem"
"""Key and certificate in one file, so that they never are of two renewals."""

_AUTHORITIES: Final = "authorities.pem"


class Credentials:
    """Key, certificate and authorities of one home in a folder that only it can read.

    Every method waits for the disk and raises AuthorityError when it cannot be read or written.
    """

    def __init__(self, folder: Path) -> None:
        """Take the folder; there may be nothing in it yet."""
        self.folder = folder

    @property
    def exists(self) -> bool:
        """Return whether there is a certificate."""
        return (self.folder / _IDENTITY).exists()

    @property
    def identity(self) -> str:
        """Return key and certificate in PEM."""
        return files.read(self.folder / _IDENTITY)

    @property
    def key(self) -> str:
        """Return the key in PEM."""
        return keys.pem_of(keys.key_in(self.identity))

    @property
    def certificate(self) -> str:
        """Return the certificate in PEM."""
        return keys.pem_of_certificate(keys.certificate_in(self.identity))

    @property
    def authorities(self) -> str:
        """Return the certificates of those who may sign the broker, in PEM."""
        return files.read(self.folder / _AUTHORITIES)

    @property
    def subject(self) -> str:
        """Return whom the certificate names."""
        return keys.subject_of(self.identity)

    @property
    def begins(self) -> int:
        """Return from when the certificate holds, in seconds since 1970 UTC."""
        return keys.begins(self.identity)

    @property
    def ends(self) -> int:
        """Return until when the certificate holds, in seconds since 1970 UTC."""
        return keys.ends(self.identity)

    def store(self, key_pem: str, certificate_pem: str, authorities_pem: str) -> None:
        """Keep a key with its certificate; what was there holds until all of it is written.

        Raises AuthorityError if the certificate is not of the key.
        """
        if not keys.matches(key_pem, certificate_pem):
            raise AuthorityError("the certificate is not of this key")
        keys.certificates_in(authorities_pem)
        files.make_folder(self.folder)
        files.write(self.folder / _AUTHORITIES, authorities_pem)
        files.write(self.folder / _IDENTITY, key_pem + certificate_pem)

    def context(self) -> ssl.SSLContext:
        """Return how to connect to the broker: both sides show their certificates."""
        context = server_only_context(self.authorities)
        try:
            context.load_cert_chain(self.folder / _IDENTITY)
        except (ssl.SSLError, OSError) as err:
            raise AuthorityError(f"{self.folder / _IDENTITY} cannot be used ({err})") from err
        return context

    def remove(self) -> None:
        """Overwrite and remove everything."""
        files.remove(self.folder / _IDENTITY)
        files.remove(self.folder / _AUTHORITIES)


def server_only_context(authorities_pem: str) -> ssl.SSLContext:
    """Return how to connect to a broker that shows its certificate, by these authorities alone.

    Host names are checked, and chains strictly. Raises AuthorityError for what is no PEM.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cadata=authorities_pem)
    except (ssl.SSLError, ValueError) as err:
        raise AuthorityError(f"no certificates in PEM ({err})") from err
    return context
