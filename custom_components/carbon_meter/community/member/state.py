"""What is kept of a membership: one file that only its owner can read, whole or not changed."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
import json
from pathlib import Path
import shutil
from typing import Any, Final

from ..authority.broker import Broker
from ..authority.errors import AuthorityError
from ..authority.files import make_folder, read, remove as overwrite, write
from ..contract.fields import LARGEST_NUMBER
from ..contract.message import Flow, Level
from .agreed import DAY, Agreed
from .errors import MemberError
from .identities import Identity

FILE: Final = "member.json"
VERSION: Final = 1

_HOUR: Final = 3600
_KEPT: Final = 400 * DAY
"""Seconds for which it matters what was agreed to: nothing earlier is told any more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Since:
    """What was agreed to, for periods that start then or later."""

    start: int
    agreed: Agreed


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """A membership."""

    community: str
    name: str
    broker: Broker | None
    authorities: str
    """PEM of the certificates by which the broker is known; empty without a broker."""

    identities: tuple[Identity, ...]
    agreements: tuple[Since, ...]
    """In the order of time; the last one is what holds for everything that leaves from now on."""

    latest_at: int
    """Milliseconds: no agreement is said to be from before, wherever the clock is set."""

    withdrawn_at: int | None = None
    """Milliseconds: when the household left; None while it is a member."""

    deleted: int | None = None
    """Ids that the hub says it has deleted."""

    lost: int = 0
    """Periods that were given up with past ids, under which nobody could tell them any more."""

    @property
    def told_as(self) -> tuple[str, ...]:
        """Return the ids that may have told something, and of which the hub has not deleted all."""
        left = self.withdrawn_at
        return tuple(
            identity.home
            for identity in self.identities
            if not identity.is_deleted and (left is None or identity.begins * 1000 <= left)
        )

    @property
    def agreed(self) -> Agreed:
        """Return what may leave now."""
        return self.agreements[-1].agreed

    def agreed_for(self, start: int) -> Agreed:
        """Return what may be told of a period.

        What is agreed to now, and no more than at any time since the period began: who agrees to
        show more has not agreed to show more of the past.
        """
        begun = [place for place, each in enumerate(self.agreements) if each.start <= start]
        agreed = self.agreed
        for since in self.agreements[max(begun, default=0) :]:
            agreed = agreed.narrowed(since.agreed)
        return agreed

    def agreeing(self, agreed: Agreed, now: float) -> State:
        """Return the state in which that is agreed to from now on.

        What shows less holds at once and for everything; what shows more for the periods from
        the next midnight of UTC on.
        """
        at = self.next_at(now)
        begins = int(now) if agreed.within(self.agreed) else _next(now, DAY)
        last = self.agreements[-1].start
        kept = [since for since in self.agreements if since.start > now - _KEPT]
        kept = kept or [self.agreements[-1]]
        return replace(
            self,
            agreements=(*kept, Since(start=max(begins, last), agreed=agreed)),
            latest_at=at,
            identities=tuple(_consenting(each, at, now) for each in self.identities),
        )

    def consenting(self, home: str, now: float, step: int) -> State:
        """Return the state in which an id consents anew: now, and `step` ms later than before."""
        identity = self.identity(home)
        if identity is None or self.withdrawn_at is not None:
            return self
        at = min(max(self.next_at(now), identity.consented_at + step), LARGEST_NUMBER)
        changed = replace(identity, consented_at=at, is_known=False)
        return replace(self.with_identity(changed), latest_at=at)

    def withdrawing(self, now: float, step: int = 1) -> State:
        """Return the state in which the household leaves: now, and `step` ms later than before."""
        at = self.next_at(now)
        if self.withdrawn_at is not None:
            at = max(at, self.withdrawn_at + step)
        at = min(at, LARGEST_NUMBER)
        return replace(self, withdrawn_at=at, latest_at=at)

    def next_at(self, now: float) -> int:
        """Return the moment of a new agreement in milliseconds, after all before."""
        return max(int(now * 1000), self.latest_at + 1)

    def with_identity(self, changed: Identity) -> State:
        """Return the state with one id changed."""
        return replace(
            self,
            identities=tuple(
                changed if identity.home == changed.home else identity
                for identity in self.identities
            ),
        )

    def identity(self, home: str) -> Identity | None:
        """Return the id of that name."""
        return next((each for each in self.identities if each.home == home), None)


def _consenting(identity: Identity, at: int, now: float) -> Identity:
    """Return an id that has to tell a new consent.

    Past ids do not: their consent holds, and two ids that change it at one moment would be known
    as one home. The one that follows tells its first when it begins.
    """
    if identity.begins > now and identity.is_rotated:
        return identity
    if identity.ends is not None and identity.ends <= now:
        return identity
    return replace(identity, consented_at=max(at, identity.consented_at + 1), is_known=False)


def load(folder: Path) -> State:
    """Return the membership kept in a folder; raises MemberError."""
    path = folder / FILE
    try:
        return _state(json.loads(read(path)))
    except AuthorityError as err:
        raise MemberError(str(err)) from err
    except (AttributeError, KeyError, TypeError, ValueError) as err:
        raise MemberError(f"{path} is damaged ({err})") from err


def save(folder: Path, state: State) -> None:
    """Keep a membership; raises MemberError, and then what was kept before stays."""
    body = asdict(state) | {"version": VERSION}
    try:
        make_folder(folder)
        write(folder / FILE, json.dumps(body, indent=1))
    except AuthorityError as err:
        raise MemberError(str(err)) from err


def remove(folder: Path) -> None:
    """Overwrite and remove what is kept of a membership; raises MemberError."""
    try:
        overwrite(folder / FILE)
        if folder.exists():
            shutil.rmtree(folder)
    except (AuthorityError, OSError) as err:
        raise MemberError(str(err)) from err


def next_hour(now: float) -> int:
    """Return when the next hour begins: now where it begins just now."""
    return _next(now, _HOUR)


def _next(now: float, duration: int) -> int:
    """Return when the next period begins; one that began a moment ago is not the next."""
    return -int(-now // duration) * duration


def _state(body: dict[str, Any]) -> State:
    """Return the state in decoded JSON; raises what Python does for what is none."""
    if body.pop("version") != VERSION:
        raise ValueError("of another version of Carbon Meter")
    identities = tuple(_identity(each) for each in body.pop("identities"))
    agreements = tuple(
        Since(start=int(each["start"]), agreed=_agreed(each["agreed"]))
        for each in body.pop("agreements")
    )
    if not identities or not agreements:
        raise ValueError("nobody, or nothing agreed to")
    broker = body.pop("broker")
    return State(
        identities=identities,
        agreements=agreements,
        broker=None if broker is None else Broker(**broker),
        **body,
    )


def _identity(body: dict[str, Any]) -> Identity:
    known = {field.name for field in fields(Identity)}
    return Identity(**{name: value for name, value in body.items() if name in known})


def _agreed(body: dict[str, Any]) -> Agreed:
    return Agreed(
        text=str(body["text"]),
        level=Level(body["level"]),
        duration=int(body["duration"]),
        flows=tuple(Flow(flow) for flow in _texts(body["flows"])),
    )


def _texts(value: Sequence[str]) -> list[str]:
    return [str(each) for each in value]
