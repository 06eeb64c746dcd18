"""How a home joins: from an invitation to a certificate, and to a membership that is kept."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
import hashlib
from pathlib import Path
import time
from typing import Final

from ..authority.broker import Broker
from ..authority.credentials import Credentials, server_only_context
from ..authority.errors import AuthorityError
from ..authority.files import read, write
from ..authority.invitation import Invitation
from ..contract.certificates import Declined, Issued, SigningRequest, Wanted, read_certificate
from ..contract.refusal import RefusedError
from ..contract.topics import Channel, Topic, build
from . import asking, state as kept
from .agreed import Agreed
from .box import remove_folder
from .errors import EnrolmentError, EnrolmentReason, MemberError
from .identities import Identity, followed, new_secret
from .mqtt import MqttTransport, Run
from .state import Since, State
from .transport import FAILED, NOBODY_LISTENS, NOT_AUTHORIZED, Received, TransportError, Trouble

PATIENCE: Final = 30.0
"""Seconds for the hub to answer."""

_MARK: Final = "invited_by"

_SLACK: Final = 300
"""Seconds by which clocks may differ."""

_REASONS: Final = {
    Trouble.NOT_AUTHORIZED: EnrolmentReason.TOKEN_REFUSED,
    Trouble.NOT_TRUSTED: EnrolmentReason.NOT_TRUSTED,
    Trouble.NOT_YET: EnrolmentReason.CLOCK,
}


async def join(  # noqa: PLR0913  # an invitation, an agreement, and how to wait
    invitation: Invitation,
    folder: Path,
    agreed: Agreed,
    *,
    now: Callable[[], float] = time.time,
    run: Run = asyncio.to_thread,
    patience: float = PATIENCE,
    since: int | None = None,
) -> None:
    """Become a member: enrol, and keep in the folder what `MemberLink.open` needs.

    What is told begins with the next full hour, or at `since`, in seconds since 1970 UTC, where
    the household has agreed to tell the past, too. Done again with another invitation of the same
    community it goes on: under the same id with all it has yet to tell, which is for a home whose
    certificate has ended; or under another one, and then nobody takes any more what the one before
    has yet to tell, once its certificate has ended. Raises EnrolmentError.
    """
    before = await run(_before, folder)
    if before is not None and before.community != invitation.community:
        raise EnrolmentError(EnrolmentReason.OTHER_COMMUNITY, before.community)
    span: tuple[int | None, int | None] = (None, None)
    if invitation.broker is not None:
        again = before is not None and before.identity(invitation.home) is not None
        credentials = await enrol(
            invitation, folder, now=now, run=run, patience=patience, again=again
        )
        span = await run(_span, credentials)
    elif invitation.expires <= now():
        raise EnrolmentError(EnrolmentReason.EXPIRED, f"since {invitation.expires}")
    joined = _joined(before, invitation, agreed, span, now(), since)
    try:
        await run(kept.save, folder, joined)
    except MemberError as err:
        raise EnrolmentError(EnrolmentReason.STORE, str(err)) from err


async def enrol(  # noqa: PLR0913  # an invitation, and how to wait
    invitation: Invitation,
    folder: Path,
    *,
    now: Callable[[], float] = time.time,
    run: Run = asyncio.to_thread,
    patience: float = PATIENCE,
    again: bool = False,
) -> Credentials:
    """Have a key that is made here signed by the community; return the credentials.

    `again` for an id that is a member's already.

    Interrupted at any point it can be called again; with another invitation for an id it has a
    new key signed, whatever the one before is good for. Raises EnrolmentError.
    """
    broker = invitation.broker
    if broker is None:
        raise ValueError("nobody to enrol with")
    own = folder / invitation.home
    credentials = Credentials(own)
    if await run(_holds, credentials, invitation, again, now()):
        return credentials
    if invitation.expires <= now():
        raise EnrolmentError(EnrolmentReason.EXPIRED, f"since {invitation.expires}")
    try:
        signing = await run(
            asking.request, own, invitation.community, invitation.home, Wanted.ENROL, now()
        )
        async with asyncio.timeout(patience):
            issued = await _asked(invitation, broker, signing, run)
        await run(_check, own, issued, now())
        await run(asking.keep, own, Wanted.ENROL, issued, credentials)
        await run(_mark, own, invitation)
        await run(asking.drop, own, Wanted.ENROL)
    except MemberError as err:
        raise EnrolmentError(EnrolmentReason.STORE, str(err)) from err
    except TimeoutError as err:
        raise EnrolmentError(EnrolmentReason.NO_ANSWER, "the hub does not answer") from err
    except TransportError as err:
        reason = _REASONS.get(err.trouble, EnrolmentReason.UNREACHABLE)
        raise EnrolmentError(reason, str(err)) from err
    return credentials


async def _asked(
    invitation: Invitation, broker: Broker, signing: SigningRequest, run: Run
) -> Issued:
    """Return the hub's answer; raises EnrolmentError or TransportError."""
    transport = MqttTransport(
        broker.host,
        broker.enrol_port,
        lambda: server_only_context(invitation.authorities),
        identifier=invitation.user,
        username=invitation.user,
        password=invitation.token,
        session=0,
        run=run,
    )
    answers = Topic(community=signing.community, home=signing.home, channel=Channel.CERTIFICATE)
    async with transport:
        await transport.subscribe(build(answers))
        reason = await transport.publish(*asking.message(signing))
        if reason == NOBODY_LISTENS:
            raise EnrolmentError(EnrolmentReason.NO_ANSWER, "the hub is not connected")
        if reason >= FAILED:
            raise TransportError(
                Trouble.NOT_AUTHORIZED if reason == NOT_AUTHORIZED else Trouble.LOST,
                f"the broker says {reason:#x}",
            )
        async for received in transport.messages():
            return _answer(received)
    raise TransportError(Trouble.LOST, "the broker hung up")


def _answer(received: Received) -> Issued:
    """Return the certificate in the hub's answer; raises EnrolmentError."""
    try:
        answer = read_certificate(received.topic, received.payload)
    except RefusedError as err:
        raise EnrolmentError(EnrolmentReason.CERTIFICATE_WRONG, str(err)) from err
    if isinstance(answer, Declined):
        raise EnrolmentError(EnrolmentReason.DECLINED, answer.detail)
    return answer


def _check(own: Path, issued: Issued, now: float) -> None:
    """Raise EnrolmentError for a certificate that is not for this home, or not for now."""
    if not issued.begins - _SLACK <= now < issued.ends:
        raise EnrolmentError(
            EnrolmentReason.CLOCK, f"it holds from {issued.begins} to {issued.ends}"
        )
    if not asking.is_ours(own, Wanted.ENROL, issued, now):
        raise EnrolmentError(EnrolmentReason.CERTIFICATE_WRONG, "it is of another home or key")


def _holds(credentials: Credentials, invitation: Invitation, again: bool, now: float) -> bool:
    """Return whether there is a certificate that holds, and it came by this invitation."""
    mark = credentials.folder / _MARK
    try:
        is_other = read(mark) != _marked(invitation) if mark.exists() else again
        ends = credentials.ends if credentials.exists else 0
    except AuthorityError:
        return False
    return not is_other and now < ends


def _mark(own: Path, invitation: Invitation) -> None:
    """Keep by which invitation a certificate came; raises MemberError."""
    try:
        write(own / _MARK, _marked(invitation))
    except AuthorityError as err:
        raise MemberError(str(err)) from err


def _marked(invitation: Invitation) -> str:
    """Return what tells invitations apart, and nothing by which anybody could come in."""
    return hashlib.sha256(invitation.token.encode()).hexdigest()


def _span(credentials: Credentials) -> tuple[int, int]:
    """Return from when to when a certificate holds."""
    return credentials.begins, credentials.ends


def _before(folder: Path) -> State | None:
    """Return the membership that is there already, None if it is over or there is none.

    What an earlier membership has left is removed.
    """
    try:
        state = kept.load(folder) if (folder / kept.FILE).exists() else None
        if state is not None and state.withdrawn_at is not None:
            for identity in state.identities:
                remove_folder(folder / identity.home)
            return None
    except MemberError as err:
        raise EnrolmentError(EnrolmentReason.STORE, str(err)) from err
    return state


def _joined(  # noqa: PLR0913, PLR0917  # a membership before, and what makes one now
    before: State | None,
    invitation: Invitation,
    agreed: Agreed,
    span: tuple[int | None, int | None],
    now: float,
    since: int | None,
) -> State:
    """Return the membership that an accepted invitation makes."""
    begins = kept.next_hour(now if since is None else since)
    known = before.identity(invitation.home) if before is not None else None
    if known is not None:
        identity = replace(known, holds_from=span[0], holds_until=span[1], is_gone=False)
    else:
        identity = Identity(
            home=invitation.home,
            secret=new_secret(),
            begins=begins,
            holds_from=span[0],
            holds_until=span[1],
            consented_at=int(now * 1000),
        )
    if before is None:
        return State(
            community=invitation.community,
            name=invitation.name,
            broker=invitation.broker,
            authorities=invitation.authorities,
            identities=(identity,),
            agreements=(Since(start=min(int(now), begins), agreed=agreed),),
            latest_at=int(now * 1000),
        )
    moved = replace(
        before,
        name=invitation.name,
        broker=invitation.broker,
        authorities=invitation.authorities,
        identities=before.with_identity(identity).identities
        if known is not None
        else followed(before.identities, identity),
    )
    return moved.agreeing(agreed, now)
