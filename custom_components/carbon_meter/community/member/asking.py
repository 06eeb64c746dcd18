"""Certificates from the home's side: what is asked for is kept before it is sent.

A home that dies after it has asked asks the very same again, and gets the very same answer.
"""

from dataclasses import dataclass
import json
from pathlib import Path

from ..authority import keys
from ..authority.checking import check_issued
from ..authority.credentials import Credentials
from ..authority.errors import AuthorityError
from ..authority.files import make_folder, read, remove, write
from ..contract.certificates import Issued, SigningRequest, Wanted, write_signing
from ..contract.refusal import RefusedError
from .errors import MemberError


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A key that waits for its certificate."""

    key: str
    csr: str


def request(folder: Path, community: str, home: str, wanted: Wanted, now: float) -> SigningRequest:
    """Return what to ask for; the same until the answer is taken or dropped.

    Raises MemberError if it cannot be kept.
    """
    return SigningRequest(
        community=community,
        home=home,
        at=int(now * 1000),
        wanted=wanted,
        csr=_asked(folder, home, wanted).csr,
    )


def again(of: Credentials, community: str, home: str, now: float) -> SigningRequest:
    """Return the request for another id once more, by the key that came of it.

    Raises MemberError if the key cannot be read.
    """
    try:
        csr = keys.csr_for(of.key, home)
    except AuthorityError as err:
        raise MemberError(str(err)) from err
    return SigningRequest(
        community=community, home=home, at=int(now * 1000), wanted=Wanted.ROTATE, csr=csr
    )


def message(signing: SigningRequest) -> tuple[str, bytes]:
    """Return topic and payload of a request."""
    return write_signing(signing)


def is_ours(folder: Path, wanted: Wanted, issued: Issued, now: float) -> bool:
    """Return whether a certificate answers what was asked for, and can be used."""
    asked = _kept(folder, wanted)
    if asked is None:
        return False
    try:
        check_issued(issued, keys.key_in(asked.key).public_key(), wanted, now)
    except RefusedError:
        return False
    return True


def keep(folder: Path, wanted: Wanted, issued: Issued, into: Credentials) -> None:
    """Keep an answer with its key as credentials; `drop` what was asked for afterwards.

    Raises MemberError, and then it can be done again.
    """
    asked = _kept(folder, wanted)
    if asked is None:
        raise MemberError(f"{_path(folder, wanted)} is damaged")
    try:
        into.store(asked.key, issued.certificate, issued.authorities)
    except AuthorityError as err:
        raise MemberError(str(err)) from err


def drop(folder: Path, wanted: Wanted) -> None:
    """Forget what was asked for, the key overwritten; raises MemberError."""
    try:
        remove(_path(folder, wanted))
    except AuthorityError as err:
        raise MemberError(str(err)) from err


def _asked(folder: Path, home: str, wanted: Wanted) -> Asked:
    """Return what was asked for, or a new key with its request, on the disk."""
    if (kept := _kept(folder, wanted)) is not None:
        return kept
    key = keys.new_key()
    asked = Asked(key=key, csr=keys.csr_for(key, home))
    try:
        make_folder(folder)
        write(_path(folder, wanted), json.dumps({"key": asked.key, "csr": asked.csr}))
    except AuthorityError as err:
        raise MemberError(str(err)) from err
    return asked


def _kept(folder: Path, wanted: Wanted) -> Asked | None:
    """Return what was asked for, None if nothing was or the file is damaged."""
    try:
        body = json.loads(read(_path(folder, wanted)))
        asked = Asked(key=body["key"], csr=body["csr"])
        keys.key_in(asked.key)
    except AuthorityError, KeyError, TypeError, ValueError, AttributeError:
        return None
    return asked


def _path(folder: Path, wanted: Wanted) -> Path:
    return folder / f"{wanted.value}.json"
