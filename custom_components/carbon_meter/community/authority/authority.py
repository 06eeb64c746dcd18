"""The authority of a community: signs the certificates of its homes, its hub and its broker."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from ..contract.refusal import RefusedError
from ..contract.topics import RESERVED_HOMES, checked_id
from . import files
from .certificates import DAY, authority_of, client_of, day_of, revocations_of, server_of
from .errors import AuthorityError
from .hub_file import HubFile
from .issued import Issued
from .keys import (
    PublicKey,
    certificate_in,
    certificates_in,
    fingerprint,
    key_asked_for,
    key_in,
    new_key,
    pem_of,
    pem_of_certificate,
)

HUB: Final = "hub"
"""Whom the certificate of a hub names; no home is called like this."""

OPERATOR: Final = "operator"
"""Whom the certificate of the operator's tool names; no home either."""

_PRESENT: Final = "authority.key"
"""Key and certificate in one file, so that they never are of two authorities."""

_BEFORE: Final = "before.key"
"""Certificates of authorities that still hold, and the key of the first if it is here."""

_BUNDLE: Final = "authority.pem"
_REVOKED: Final = "crl.pem"
_ISSUED: Final = "issued.db"

_PRIVATE: Final = "-----BEGIN PRIVATE KEY-----"

_DAYS_OF_YEAR: Final = 365.25


class Authority:
    """One community's authority, with its files in one folder.

    While it is rotated there are two: the present one signs homes and the hub, the one before
    still signs the broker, since some homes know no other yet. Every method raises AuthorityError
    when files cannot be read or written; all of them wait for the disk. `now` is in seconds
    since 1970 UTC.
    """

    def __init__(self, folder: Path) -> None:
        """Read what is in the folder; see `create`, `load` and `from_hub_file`."""
        self.folder = folder
        present = files.read(folder / _PRESENT)
        self._key = key_in(present)
        self._certificate = certificate_in(present)
        if not _belong(self._key, self._certificate):
            raise AuthorityError(f"{folder / _PRESENT}: the key is not that of the certificate")
        self._before: list[x509.Certificate] = []
        self._key_before: ec.EllipticCurvePrivateKey | None = None
        if (folder / _BEFORE).exists():
            self._read_before(files.read(folder / _BEFORE))
        if not (folder / _BUNDLE).exists() or files.read(folder / _BUNDLE) != self.bundle:
            files.write(folder / _BUNDLE, self.bundle, mode=0o644)
        self._issued = Issued(folder / _ISSUED)

    @classmethod
    def create(cls, folder: Path, name: str, *, now: float, years: float = 10) -> Self:
        """Make a new authority in a folder that has none.

        Raises ValueError for a name that is empty or longer than 64 characters.
        """
        if (folder / _PRESENT).exists():
            raise AuthorityError(f"{folder} has an authority already")
        key, certificate = _made(name, now, years)
        files.make_folder(folder)
        files.write(folder / _PRESENT, key + certificate)
        return cls(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the authority in a folder."""
        return cls(folder)

    @classmethod
    def from_hub_file(cls, hub_file: HubFile, folder: Path) -> Self:
        """Return the authority of a hub file, kept in a folder; what it has issued stays."""
        present, *before = certificates_in(hub_file.authorities)
        files.make_folder(folder)
        if before:
            files.write(folder / _BEFORE, _joined(before))
        else:
            files.remove(folder / _BEFORE)
        files.write(folder / _PRESENT, hub_file.authority_key + pem_of_certificate(present))
        return cls(folder)

    @property
    def name(self) -> str:
        """Return what the authority is called."""
        return _name_of(self._certificate)

    @property
    def certificate(self) -> str:
        """Return the certificate of the present authority in PEM."""
        return pem_of_certificate(self._certificate)

    @property
    def key(self) -> str:
        """Return the key of the present authority in PEM."""
        return pem_of(self._key)

    @property
    def bundle(self) -> str:
        """Return the certificates of all authorities that hold, the present one first."""
        return _joined([self._certificate, *self._before])

    @property
    def begins(self) -> int:
        """Return from when the present authority holds, in seconds since 1970 UTC."""
        return int(self._certificate.not_valid_before_utc.timestamp())

    @property
    def ends(self) -> int:
        """Return until when the present authority holds, in seconds since 1970 UTC."""
        return int(self._certificate.not_valid_after_utc.timestamp())

    @property
    def is_rotating(self) -> bool:
        """Return whether an authority before this one still holds."""
        return bool(self._before)

    def sign_server(
        self, names: Sequence[str], ips: Sequence[str], *, now: float, days: int = 365
    ) -> tuple[str, str]:
        """Return a new key and a certificate for a broker, both in PEM.

        Raises ValueError if there is neither a host name nor an IP address, or one is none.
        """
        signer, certificate = self._key, self._certificate
        if self._key_before is not None:
            signer, certificate = self._key_before, self._before[0]
        key = new_key()
        signed = server_of(
            signer,
            certificate,
            key_in(key).public_key(),
            (names, ips),
            _period(certificate, day_of(now), days, now),
        )
        self._note(signed, certificate, "broker")
        return key, pem_of_certificate(signed)

    def sign_hub(self, csr_pem: str, *, now: float, days: int = 365) -> str:
        """Return the certificate of the hub in PEM; raises RefusedError for a bad request."""
        return self._signed(key_asked_for(csr_pem), HUB, day_of(now), days, now)

    def sign_operator(self, csr_pem: str, *, now: float, days: int = 365) -> str:
        """Return the certificate of the operator's tool; raises RefusedError for a bad request."""
        return self._signed(key_asked_for(csr_pem), OPERATOR, day_of(now), days, now)

    def sign_client(
        self, csr_pem: str, subject: str, *, now: float, days: int = 90, begins: int | None = None
    ) -> str:
        """Return the certificate of a home in PEM, which holds from `begins`, else from today.

        Of the request only the key counts. Raises RefusedError, with the code `certificate`, for
        a request that is none, is not signed by its key, or has a weak key; ValueError for a
        subject that no home may have.
        """
        key = key_asked_for(csr_pem)
        try:
            checked_id(subject)
        except RefusedError as err:
            raise ValueError(err.detail) from err
        if subject in RESERVED_HOMES:
            raise ValueError(f"no home is called {subject}")
        return self._signed(key, subject, day_of(now) if begins is None else begins, days, now)

    def revoke(self, who: str | int, *, now: float) -> int:
        """Revoke a serial number, or all certificates of a subject; return how many held."""
        return self._issued.revoke(who, day_of(now), _identifier(self._certificate))

    def crl_pem(self, *, now: float, days: int = 30) -> str:
        """Return the list of revoked certificates in PEM, and write it to `crl.pem`.

        There is one list for each authority whose key is here; a broker needs them all. It has
        to be renewed within `days`: after that nobody gets in.
        """
        present = [(self._key, self._certificate)]
        if self._key_before is not None:
            present.append((self._key_before, self._before[0]))
        period = (day_of(now), int(now) + days * DAY)
        text = "".join(
            revocations_of(
                key, certificate, self._issued.revoked(_identifier(certificate), int(now)), period
            )
            .public_bytes(Encoding.PEM)
            .decode()
            for key, certificate in present
        )
        files.write(self.folder / _REVOKED, text)
        return text

    def rotate(self, *, now: float, years: float = 10) -> Self:
        """Put a new authority in the place of this one, which still holds; return the new one.

        Give `bundle` to the broker and, with their next certificates, to the homes; when all
        have it, `finish`. Raises AuthorityError while an earlier rotation is not finished.
        """
        if self._before:
            raise AuthorityError(f"{self.folder}: finish the rotation that is under way first")
        key, certificate = _made(self.name, now, years)
        # A crash between the two leaves this one twice, which is as before.
        files.write(self.folder / _BEFORE, self.certificate + self.key)
        files.write(self.folder / _PRESENT, key + certificate)
        return type(self)(self.folder)

    def finish(self) -> Self:
        """Drop the authority before this one: what it has signed holds no more."""
        files.remove(self.folder / _BEFORE)
        return type(self)(self.folder)

    def _read_before(self, text: str) -> None:
        """Take the authorities of a rotation that has gone through."""
        self._before = [one for one in certificates_in(text) if one != self._certificate]
        if self._before and _PRIVATE in text:
            self._key_before = key_in(text)
            if not _belong(self._key_before, self._before[0]):
                raise AuthorityError(
                    f"{self.folder / _BEFORE}: the key is not that of the certificate"
                )

    def _signed(self, key: PublicKey, subject: str, begins: int, days: int, now: float) -> str:
        """Return the certificate of a client in PEM."""
        period = _period(self._certificate, begins, days, now)
        signed = client_of(self._key, self._certificate, key, subject, period)
        self._note(signed, self._certificate, subject)
        return pem_of_certificate(signed)

    def _note(self, signed: x509.Certificate, by: x509.Certificate, subject: str) -> None:
        self._issued.add(
            signed.serial_number,
            _identifier(by),
            subject,
            int(signed.not_valid_after_utc.timestamp()),
        )


def _made(name: str, now: float, years: float) -> tuple[str, str]:
    """Return key and certificate of a new authority in PEM."""
    if not 1 <= len(name) <= 64 or not name.isprintable():
        raise ValueError("an authority has a name of 1 to 64 characters")
    key = new_key()
    begins = day_of(now)
    ends = day_of(begins + years * _DAYS_OF_YEAR * DAY)
    return key, pem_of_certificate(authority_of(key_in(key), name, begins, ends))


def _period(authority: x509.Certificate, begins: int, days: int, now: float) -> tuple[int, int]:
    """Return from when to when a certificate holds: no longer than who signs it."""
    last = int(authority.not_valid_after_utc.timestamp())
    if last <= now or last <= begins:
        raise AuthorityError("the authority has ended: rotate it")
    return begins, min(begins + days * DAY, last)


def _belong(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> bool:
    return fingerprint(key.public_key()) == fingerprint(certificate.public_key())


def _joined(certificates: Sequence[x509.Certificate]) -> str:
    return "".join(pem_of_certificate(certificate) for certificate in certificates)


def _identifier(certificate: x509.Certificate) -> str:
    """Return the identifier of an authority's key as hexadecimal digits."""
    extension = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    return extension.value.digest.hex()


def _name_of(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    with suppress(IndexError):
        if isinstance(names[0].value, str):
            return names[0].value
    raise AuthorityError("the authority has no name")
