"""Why a provider's intensities could not be had, and what to do about it."""

from typing import ClassVar, Final

LONGEST_WAIT: Final = 86400.0
"""Seconds; whatever a server asks for, it is asked again after a day."""


class ProviderError(Exception):
    """A provider did not give what was asked for; the message ends with what to do.

    `reason` names the kind of trouble and `advice` what helps, so that a repair issue can be told
    in the user's language; `retry_after` is in seconds, None where asking again does not help.
    """

    reason: ClassVar[str]
    advice: ClassVar[str]
    retry_after: float | None = None

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        """Keep what happened and in how many seconds it is worth asking again."""
        super().__init__(f"{message}. {self.advice}")
        if retry_after is not None:
            self.retry_after = min(max(retry_after, 0.0), LONGEST_WAIT)


class ProviderAuthError(ProviderError):
    """The key or the password is missing or no longer accepted."""

    reason = "auth"
    advice = "Enter a valid key or password"


class ProviderPlanError(ProviderError):
    """The key is accepted, but not for this: the zone or the data need another plan."""

    reason = "plan"
    advice = "Choose a zone that your plan includes, or another plan"


class ProviderZoneError(ProviderError):
    """The provider does not know this zone, region or postcode."""

    reason = "zone"
    advice = "Choose another zone"


class ProviderLimitedError(ProviderError):
    """Too much was asked, or it is too early to ask again."""

    reason = "limited"
    advice = "It is asked again later by itself; share the key with fewer programs if this stays"


class ProviderTemporaryError(ProviderError):
    """The provider is silent, in trouble, or was cut off."""

    reason = "temporary"
    advice = "It is asked again by itself; check the internet connection if this stays"


class ProviderChangedError(ProviderError):
    """The answer has another shape than the one that is documented."""

    reason = "changed"
    advice = "Update this integration, and report it if that does not help"
