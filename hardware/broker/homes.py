"""Homes that are enrolled and removed by hand, without the hub's invitation over MQTT."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
import socket
from typing import Final, Protocol, cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes

from custom_components.carbon_meter.community.authority import keys
from custom_components.carbon_meter.community.authority.keys import fingerprint, key_asked_for
from custom_components.carbon_meter.community.contract.certificates import LARGEST_REQUEST
from custom_components.carbon_meter.community.contract.refusal import RefusedError
from custom_components.carbon_meter.community.hub import rights

from . import rights as offline_rights
from .errors import BrokerError
from .layout import Layout, write_public
from .making import load, renew_list
from .operator import running_broker
from .setup import Setup

DAYS: Final = 90
"""How long a home's certificate holds."""

_LONGEST: Final = 400
"""Days: what is lost or stolen does not hold for ever."""

_PATIENCE: Final = 2.0
"""Seconds for a broker that runs to let somebody in."""


class Rights(Protocol):
    """What is changed, on the broker that runs or in the file of one that does not."""

    def enrolled(self, home: str) -> None:
        """Give a home its rights."""

    def revoked(self, home: str) -> None:
        """Take a home's rights, and leave the mark that it was put out."""

    def knows(self, home: str) -> bool:
        """Tell whether the broker has anybody of this name, or an invitation for it."""

    def has_rights(self, home: str) -> bool:
        """Tell whether somebody of this name was enrolled, by whomever."""


class OfflineRights:
    """The rights in the plugin's file, of a broker that does not run."""

    def __init__(self, path: Path, community: str) -> None:
        """Take the file."""
        self._path = path
        self._community = community

    def enrolled(self, home: str) -> None:
        """Give a home its rights."""
        offline_rights.enrol(self._path, self._community, home)

    def revoked(self, home: str) -> None:
        """Take a home's rights, and leave the mark that it was put out."""
        offline_rights.revoke(self._path, home)

    def knows(self, home: str) -> bool:
        """Tell whether the file has anybody of this name, or an invitation for it."""
        names = {home, rights.invited_user(home)}
        held = offline_rights.users(self._path) | offline_rights.revoked(self._path)
        return not names.isdisjoint(held)

    def has_rights(self, home: str) -> bool:
        """Tell whether somebody of this name was enrolled, by whomever."""
        return home in offline_rights.users(self._path)


@contextmanager
def changing_rights(layout: Layout, setup: Setup, *, offline: bool) -> Generator[Rights]:
    """Give the rights of the broker that runs, or those in the file of one that does not.

    Raises BrokerError, with the way out, where the broker does not answer, and where one runs
    that would write over its file.
    """
    if offline:
        if _is_running(setup):
            raise BrokerError(
                f"the broker at {setup.hosts[0]}:{setup.port} runs and would write over the "
                "change: leave out --offline, or stop it first"
            )
        yield OfflineRights(layout.rights, setup.community)
        return
    with running_broker(layout, setup) as control:
        yield control


class ByHand:
    """What the operator signs and revokes; raises BrokerError and AuthorityError."""

    def __init__(self, layout: Layout, *, now: float) -> None:
        """Take the community's files and the time in seconds since 1970 UTC."""
        self._layout = layout
        self._now = now

    def enrol(self, control: Rights, home: str, request: Path, *, days: int = DAYS) -> Path:
        """Sign a home's request and give it its rights; returns the certificate's file.

        The same key again gets the same certificate while that holds (CM-41). Raises BrokerError
        also for an id that was revoked: a mark keeps it out for good; for a second key of the same
        home, be the first one known here or to the hub; and for the key of another one.
        """
        if checked_home(home) in offline_rights.revoked(self._layout.first_rights):
            raise BrokerError(f"{home} was revoked: invite the home under another id")
        path = self._file(home)
        key = self._key_of(path)
        if key not in {None, self._key_in(request)}:
            raise BrokerError(f"{home} has a certificate of another key: use renew")
        if key is None and control.has_rights(home):
            raise BrokerError(
                f"{home} is enrolled already, by the hub: a home has one key. If it has lost that, "
                "have the hub invite it again"
            )
        if key is None or not self._holds(path):
            # Before the rights: who tries again after a fault is not taken for a second one.
            self._kept(home, self._signed(home, request, days))
        control.enrolled(home)
        return path

    def renew(self, home: str, request: Path, *, days: int = DAYS) -> Path:
        """Sign a further request of a home that has its rights; returns the certificate's file."""
        if not self._file(checked_home(home)).exists():
            raise BrokerError(
                f"{home} was not enrolled by hand: what the hub has enrolled asks the hub for its "
                "next certificate; use enrol for a home that has none"
            )
        return self._kept(home, self._signed(home, request, days))

    def revoke(
        self, control: Rights, home: str, *, serials: Sequence[int] = (), unknown: bool = False
    ) -> int:
        """Take a home's rights and put its certificates on the list; returns how many these are.

        Those that the hub has signed are not known here: `serials` names them. The mark that a
        hub reads is also left where a broker begins that has lost its rights. Raises BrokerError
        for a home of which there is no trace, unless it may be `unknown`.
        """
        is_known = self._file(checked_home(home)).exists() or bool(serials)
        if not (unknown or is_known or control.knows(home)):
            raise BrokerError(
                f"the broker knows nobody called {home}; nothing was changed. Look at the id "
                "again; if the broker has lost its rights, add --unknown"
            )
        control.revoked(home)
        offline_rights.revoke(self._layout.first_rights, home)
        authority = load(self._layout)
        count = authority.revoke(home, now=self._now)
        count += sum(authority.revoke(serial, now=self._now) for serial in serials)
        renew_list(self._layout, authority, now=self._now)
        self._file(home).unlink(missing_ok=True)
        return count

    def take_over(self, others: Path) -> int:
        """Put what the hub's lists name on the broker's; returns how many certificates they name.

        A hub in the midst of a change has two lists in its file, one for each CA.
        """
        authority = load(self._layout)
        signers = [
            cast("CertificateIssuerPublicKeyTypes", item.public_key())
            for item in x509.load_pem_x509_certificates(authority.bundle.encode())
        ]
        lists = revocation_lists(others)
        for item in lists:
            if not any(item.is_signature_valid(signer) for signer in signers):
                raise BrokerError(f"{others} is not of this community's CA")
        serials = [entry.serial_number for item in lists for entry in item]
        for serial in serials:
            authority.revoke(serial, now=self._now)
        renew_list(self._layout, authority, now=self._now)
        return len(serials)

    def _signed(self, home: str, request: Path, days: int) -> str:
        """Return a certificate for a request; raises BrokerError for one that cannot be signed."""
        text, key = self._read(request), self._key_in(request)
        for path in sorted(self._layout.homes.glob("*.pem")):
            if path != self._file(home) and self._key_of(path) == key:
                raise BrokerError(
                    f"{request} is of the key of {path.stem}: every home makes a key of its own"
                )
        if not 1 <= days <= _LONGEST:
            raise BrokerError(f"a certificate holds 1 to {_LONGEST} days")
        try:
            return load(self._layout).sign_client(text, home, now=self._now, days=days)
        except (RefusedError, ValueError) as err:
            raise BrokerError(f"{request} is no request that can be signed: {err}") from err

    def _holds(self, path: Path) -> bool:
        """Return whether a certificate has not ended, and is of a CA that holds."""
        certificate = path.read_text(encoding="ascii")
        authorities = load(self._layout).bundle
        return keys.ends(certificate) > self._now and keys.is_signed(certificate, authorities)

    def _read(self, request: Path) -> str:
        """Return the text of a request; raises BrokerError for one that cannot be read."""
        try:
            with request.open("rb") as file:
                return file.read(LARGEST_REQUEST + 1).decode("ascii")
        except (OSError, ValueError) as err:
            raise BrokerError(f"{request} cannot be read: {err}") from err

    def _key_in(self, request: Path) -> str:
        """Return the fingerprint of the key of a request; raises BrokerError for a bad one."""
        try:
            return fingerprint(key_asked_for(self._read(request)))
        except RefusedError as err:
            raise BrokerError(f"{request} is no request that can be signed: {err}") from err

    def _key_of(self, path: Path) -> str | None:
        """Return the fingerprint of the key of a home's certificate, None without one."""
        try:
            return fingerprint(x509.load_pem_x509_certificate(path.read_bytes()).public_key())
        except FileNotFoundError:
            return None
        except ValueError as err:
            raise BrokerError(f"{path} holds no certificate: {err}") from err

    def _file(self, home: str) -> Path:
        return self._layout.homes / f"{home}.pem"

    def _kept(self, home: str, certificate: str) -> Path:
        """Write a certificate where the operator finds it; nothing in it is secret."""
        path = self._file(home)
        write_public(path, certificate)
        return path


def _is_running(setup: Setup) -> bool:
    """Tell whether somebody answers where the broker is."""
    try:
        socket.create_connection((setup.hosts[0], setup.port), _PATIENCE).close()
    except OSError, ValueError:
        return False
    return True


def revocation_lists(path: Path) -> list[x509.CertificateRevocationList]:
    """Return the lists in a file; raises BrokerError for one without."""
    end = "-----END X509 CRL-----"
    try:
        parts = path.read_text(encoding="ascii").split(end)[:-1]
        lists = [x509.load_pem_x509_crl(f"{part}{end}\n".encode()) for part in parts]
    except (OSError, ValueError) as err:
        raise BrokerError(f"{path} holds no revocation list: {err}") from err
    if not lists:
        raise BrokerError(f"{path} holds no revocation list")
    return lists


def checked_home(home: str) -> str:
    """Return an id that a home may have; raises BrokerError for another."""
    try:
        return rights.checked_home(home)
    except RefusedError as err:
        raise BrokerError(f"{err.detail}: use 1 to 64 of a-z, 0-9, _ and -") from err
