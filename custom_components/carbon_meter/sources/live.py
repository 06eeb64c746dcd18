"""A live provider as a rung: asked by itself, and what the user is told of it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, ClassVar, Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from ..carbon.intensity.live.errors import ProviderError
from ..carbon.intensity.live.live_source import LiveSource, Past
from ..carbon.intensity.live.provider import Provider
from ..carbon.intensity.source import IntensityInterval, SourceInfo
from ..const import CONF_PROVIDER, CONF_ZONE, LOGGER
from ..drivers.clock import now
from .issue import SourceIssue
from .refreshed import RefreshedRung, said_by
from .trouble import Trouble

_SOONEST: Final = 10.0
"""Seconds before a provider is asked again."""


class LiveRung(RefreshedRung):
    """A provider's source. While it cannot be asked, what it told before stands."""

    limit: ClassVar[float] = 900.0

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, access: Mapping[str, Any], source: LiveSource
    ) -> None:
        """Take the source as it was opened; `access` is what it was opened with."""
        super().__init__(hass, entry, source.info.id)
        self._hass = hass
        self._entry = entry
        self._access = access
        self._source = source
        self._trouble = Trouble()
        self._wants_key = False
        self._notice = SourceIssue(hass, entry.entry_id, source.info.id, "notice")
        self._clock = SourceIssue(hass, entry.entry_id, source.info.id, "clock")
        self.answers = False
        """Whether it gave what was asked for when it was asked last."""

        self.forecasts = source.provider.horizon > 0

    @property
    @override
    def info(self) -> SourceInfo:
        return self._source.info

    @property
    def provider(self) -> Provider:
        """Return what is known of the provider."""
        return self._source.provider

    @override
    def intervals(self, start: float, end: float) -> Sequence[IntensityInterval]:
        return self._source.intervals(start, end)

    @override
    async def history(self, start: float, end: float) -> AsyncIterator[Past]:
        async for past in self._source.history(start, end):
            yield past

    @override
    async def _async_fetch(self) -> float | None:
        await self._source.refresh()
        wait = self._source.refresh_after
        return None if wait is None else max(wait, _SOONEST)

    @override
    def _succeeded(self) -> None:
        self.answers = True
        self._wants_key = False
        self._trouble.over()
        self._issue.clear()
        self._tell_particulars()

    @override
    def _failed(self, err: Exception) -> float:
        """Log the first failure of a row; tell the user where and when that helps."""
        self.answers = False
        moment = now()
        wait = self._trouble.failed(err, moment)
        if isinstance(err, ProviderError):
            if self._failures <= 1:
                LOGGER.warning("%s: %s", self._name, err)
        else:
            self._log(err)
        if self._trouble.reason == "auth":
            self._want_key()
        elif self._trouble.is_told(moment):
            self._issue.tell(
                f"intensity_live_{self._trouble.reason}",
                {"source": self._name, "error": without_advice(err)},
            )
        self._tell_particulars()
        return max(wait, _SOONEST)

    @callback
    def _want_key(self) -> None:
        """Ask the user for another key, once in a row of refusals."""
        if not self._wants_key:
            self._wants_key = True
            ask_for_key(self._hass, self._entry, self._access)

    @callback
    def _tell_particulars(self) -> None:
        """Tell what the provider says of its own service, and that the clocks differ."""
        name = self._name
        if self._source.notice:
            self._notice.tell(
                "intensity_live_notice", {"source": name, "notice": self._source.notice}
            )
        else:
            self._notice.clear()
        if (skew := self._source.clock_skew) is not None:
            minutes = f"{abs(skew) / 60:.0f}"
            self._clock.tell("intensity_live_clock", {"source": name, "minutes": minutes})
        else:
            self._clock.clear()

    @override
    @callback
    def _stop(self) -> None:
        super()._stop()
        self._notice.clear()
        self._clock.clear()

    @override
    def as_dict(self) -> dict[str, Any]:
        return {"failing_since": self._trouble.since, **self._source.as_dict()}

    @override
    def restore(self, data: Mapping[str, Any]) -> None:
        since = data.get("failing_since")
        since = None if since is None else float(since)
        self._source.restore(data)
        self._trouble.since = since


@callback
def ask_for_key(hass: HomeAssistant, entry: ConfigEntry, access: Mapping[str, Any]) -> None:
    """Start the flow that asks for another key or password, unless one is open."""
    named = {name: access.get(name, "") for name in (CONF_PROVIDER, CONF_ZONE)}
    entry.async_start_reauth(hass, data=named)


def without_advice(err: Exception) -> str:
    """Return what happened; what to do is said in the user's language."""
    text = said_by(err)
    return text.removesuffix(f". {err.advice}") if isinstance(err, ProviderError) else text
