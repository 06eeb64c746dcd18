"""A source of carbon intensity that another integration offers."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.start import async_at_started

from ..carbon.intensity.checked import CheckedSource
from ..carbon.intensity.kept import KEPT_AHEAD, KEPT_BEHIND, KeptSource
from ..carbon.intensity.ladder import Ladder
from ..carbon.intensity.source import IntensityInterval, SourceInfo
from ..drivers.clock import now
from ..plugin import IntensityOffer
from .refreshed import RefreshedRung
from .rung import Changed

_SHORTEST_WAIT: Final = 10.0
"""Seconds between two refreshes, however often the source wants to be asked."""


class OfferedRung(RefreshedRung):
    """A plugin's source, made and refreshed in the background.

    While it cannot be had, what it said before is believed for the time that it was said of.
    """

    limit: ClassVar[float] = 60.0

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        offer: tuple[str, IntensityOffer | None],
        options: Mapping[str, Any],
    ) -> None:
        """Take the key of the offer and, where its integration is there, the offer.

        `options` is what the source is made with.
        """
        self._id, self._offer = offer
        super().__init__(hass, entry, self._id)
        self._hass = hass
        self._options = options
        self._info = SourceInfo(id=self._id, name=self._offer.name if self._offer else self._id)
        self._source: CheckedSource | None = None
        self._kept = KeptSource(self._info)
        self._is_unreadable = False

    @property
    @override
    def info(self) -> SourceInfo:
        return self._source.info if self._source is not None else self._info

    @property
    @override
    def _name(self) -> str:
        """Return the name by which the user chose it."""
        return self._info.name

    @override
    def intervals(self, start: float, end: float) -> Sequence[IntensityInterval]:
        """Return what the source knows of [start, end), and has said of the rest before."""
        if self._source is None:
            return self._kept.intervals(start, end)
        try:
            known = Ladder((self._source, self._kept)).intervals(start, end)
        except Exception as err:  # noqa: BLE001  # what it said before stands
            if not self._is_unreadable:
                self._is_unreadable = True
                self._tell(err)
            return self._kept.intervals(start, end)
        if self._is_unreadable:
            self._is_unreadable = False
            self._succeeded()
        return known

    @override
    @callback
    def async_start(self, changed: Changed) -> CALLBACK_TYPE:
        if self._offer is not None:
            return super().async_start(changed)
        unsubscribe = async_at_started(self._hass, self._check_presence)

        @callback
        def stop() -> None:
            unsubscribe()
            self._stop()

        return stop

    @callback
    def _check_presence(self, _hass: HomeAssistant) -> None:
        """Tell the user that nobody offers the source."""
        self._issue.tell("intensity_source_missing", {"source": self._id})

    @override
    async def _async_fetch(self) -> float | None:
        """Make the source, or refresh it."""
        if self._source is None:
            assert self._offer is not None  # noqa: S101  # not started without
            made = await self._offer.create(self._hass, self._options)
            self._source = CheckedSource(made, self._id)
            wait = self._source.refresh_after
        else:
            await self._source.refresh()
            wait = self._source.refresh_after
            wait = None if wait is None else max(wait, _SHORTEST_WAIT)
        self._keep()
        return wait

    @override
    def _succeeded(self) -> None:
        if not self._failures and not self._is_unreadable:
            super()._succeeded()

    def _keep(self) -> None:
        """Keep what is known around now."""
        moment = now()
        self._kept.take(self.intervals(moment - KEPT_BEHIND, moment + KEPT_AHEAD))

    @override
    def as_dict(self) -> dict[str, Any]:
        self._keep()
        return self._kept.as_dict()

    @override
    def restore(self, data: Mapping[str, Any]) -> None:
        self._kept.restore(data)
