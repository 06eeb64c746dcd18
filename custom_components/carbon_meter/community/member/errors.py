"""Why a home is no member, or cannot be one."""

from enum import StrEnum


class MemberError(Exception):
    """What is kept of a membership cannot be read or written; the message says what and why."""


class EnrolmentReason(StrEnum):
    """Why a home could not join, as a key for words that lead to what to do."""

    UNREACHABLE = "unreachable"
    """The broker does not answer: wrong address, closed port, no network."""

    NOT_TRUSTED = "not_trusted"
    """Somebody else than the community's broker answers."""

    TOKEN_REFUSED = "token_refused"  # noqa: S105
    """The invitation was used before, or taken back."""

    NO_ANSWER = "no_answer"
    """The broker has the request, the hub does not answer: it is down. Try again later."""

    DECLINED = "declined"
    """The hub does not want to."""

    EXPIRED = "expired"
    """The invitation has run out."""

    CLOCK = "clock"
    """The home's clock and that of the community are too far apart."""

    CERTIFICATE_WRONG = "certificate_wrong"
    """The hub's answer is not for this home or its key."""

    STORE = "store"
    """The disk does not keep what has to be kept."""

    OTHER_COMMUNITY = "other_community"
    """There is a membership of another community in this place."""


class EnrolmentError(Exception):
    """A home could not join; `reason` says why, the text what was heard."""

    def __init__(self, reason: EnrolmentReason, text: str) -> None:
        """Keep the reason."""
        super().__init__(text)
        self.reason = reason
