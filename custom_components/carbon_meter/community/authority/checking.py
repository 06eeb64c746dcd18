"""What a home looks at before it takes a certificate for its own: CM-42."""

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from ..contract.certificates import Issued, Wanted
from ..contract.refusal import Code, RefusedError
from .certificates import NAME
from .errors import AuthorityError
from .keys import PublicKey, certificate_in, common_name, fingerprint, is_signed


def check_issued(issued: Issued, key: PublicKey, wanted: Wanted, now: float) -> None:
    """Raise RefusedError, with the clause CM-42, for a certificate that a home cannot use.

    `key` is that of the request, `now` the home's clock in seconds since 1970 UTC. A certificate
    may begin later: that of another id does.
    """
    try:
        certificate = certificate_in(issued.certificate)
        if fingerprint(certificate.public_key()) != fingerprint(key):
            raise _refused("of another key")
        if common_name(certificate) != issued.subject or len(certificate.subject) != 1:
            raise _refused(f"does not name {issued.subject}")
        _check_use(certificate, issued.subject)
        if not is_signed(issued.certificate, issued.authorities):
            raise _refused("of another authority")
    except (AuthorityError, ValueError) as err:
        raise _refused(f"cannot be read: {err}") from err
    if certificate.not_valid_after_utc.timestamp() <= now:
        raise _refused("has ended")
    if (issued.subject == issued.home) is (wanted is Wanted.ROTATE):
        raise _refused(f"for {issued.subject}, asked for by {issued.home} to {wanted}")


def _check_use(certificate: x509.Certificate, subject: str) -> None:
    """Raise RefusedError if it is not good for a client of that name, and for nothing else."""
    extensions = certificate.extensions
    try:
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uses = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound as err:
        raise _refused("without alternative name or use") from err
    if list(names) != [x509.UniformResourceIdentifier(f"{NAME}{subject}")]:
        raise _refused("of another alternative name")
    if list(uses) != [ExtendedKeyUsageOID.CLIENT_AUTH]:
        raise _refused("for another use")


def _refused(detail: str) -> RefusedError:
    return RefusedError(Code.CERTIFICATE, "CM-42", f"a certificate {detail}")
