"""What a provider's trouble means: when the user is told, and when it is asked again."""

from dataclasses import dataclass
from typing import Final

from ..carbon.intensity.live.errors import ProviderError
from .recurring import back_off

_HOUR: Final = 3600.0

_HOPELESS: Final = {"auth": 6 * _HOUR, "plan": 6 * _HOUR, "zone": 6 * _HOUR}
"""Seconds to wait where only the user can help, or the provider that made a mistake."""

_PATIENCE: Final = {"limited": 24 * _HOUR, "temporary": 6 * _HOUR}
"""Seconds for which a provider may be away before the user is told."""

_CHANGES: Final = 3
"""Answers in a row in another shape than documented that are no accident any more."""


@dataclass(kw_only=True, slots=True)
class Trouble:
    """A row of failures of one provider."""

    since: float | None = None
    """When the row began, in seconds since 1970 UTC; None while all is well."""

    reason: str = ""
    """Of the last failure, as in `ProviderError.reason`."""

    failures: int = 0
    of_this_reason: int = 0

    def failed(self, err: Exception, moment: float) -> float:
        """Take note of a failure; return in how many seconds to ask again."""
        reason = err.reason if isinstance(err, ProviderError) else _reason_of(err)
        self.of_this_reason = self.of_this_reason + 1 if reason == self.reason else 1
        self.reason = reason
        self.failures += 1
        if self.since is None or self.since > moment:
            self.since = moment
        asked = err.retry_after if isinstance(err, ProviderError) else None
        if reason == "limited" and asked is not None:
            return asked
        return max(_HOPELESS.get(reason, back_off(self.failures)), asked or 0.0)

    def is_told(self, moment: float) -> bool:
        """Return whether this trouble is for a repair issue by now."""
        if self.since is None or self.reason == "auth":
            return False
        if self.reason == "changed":
            return self.of_this_reason >= _CHANGES
        return moment - self.since >= _PATIENCE.get(self.reason, 0.0)

    def over(self) -> None:
        """Take note that the provider answers."""
        self.since, self.reason, self.failures, self.of_this_reason = None, "", 0, 0


def _reason_of(err: Exception) -> str:
    """Return the reason of an error that the provider's code does not foresee."""
    return "temporary" if isinstance(err, TimeoutError) else "changed"
