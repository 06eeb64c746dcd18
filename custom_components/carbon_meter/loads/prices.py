"""The price of electricity at a site: one for all time, or what an entity says."""

from collections.abc import Callable, Mapping
from itertools import pairwise
import math
from typing import Any, Final

from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util

from ..const import LOGGER
from ..drivers.clock import now as clock
from ..planning.price_list import PriceUnitError, factor_of, prices_of, put_over
from ..planning.realised import PriceInterval
from .options import PlanningOptions

_KEPT: Final = 8 * 86400.0
"""Seconds: savings are worked out within a week."""

_STEP: Final = 900.0
"""Seconds: a state without a list is known to hold until the quarter of an hour ends."""


class SitePrices:
    """What a kilowatt-hour costs, before and ahead, in the currency of the home."""

    def __init__(self, hass: HomeAssistant, options: PlanningOptions) -> None:
        """Take where the price comes from."""
        self._hass = hass
        self._entity = options.price_entity
        self._fixed = options.price
        self._known: list[PriceInterval] = []
        self._said: tuple[float, float] | None = None
        """The state as a price, and until when it is in what is known."""

        self._attributes: Mapping[str, Any] = {}
        self._complaint = ""

    @property
    def is_told(self) -> bool:
        """Return whether there is any price."""
        return self._entity is not None or self._fixed is not None

    def intervals(self, start: float, end: float) -> list[PriceInterval]:
        """Return the prices that are known of [start, end), in order and without overlaps.

        An entity that tells nothing of what comes is taken to stay as it is.
        """
        if self._entity is None:
            if self._fixed is None or not end > start:
                return []
            return [PriceInterval(start=start, end=end, value=self._fixed)]
        self._hold(clock())
        found = [
            PriceInterval(start=max(each.start, start), end=min(each.end, end), value=each.value)
            for each in self._known
            if each.end > start and each.start < end
        ]
        if self._said is not None and end > max(start, self._said[1]):
            price, held = self._said
            found.append(PriceInterval(start=max(start, held), end=end, value=price))
        return found

    @callback
    def async_start(self, changed: Callable[[], None]) -> CALLBACK_TYPE:
        """Follow the entity, and tell each price that is new; returns how to stop."""
        if self._entity is None:
            return lambda: None

        @callback
        def heard(event: Event[EventStateChangedData]) -> None:
            if self._take(event.data["new_state"]):
                changed()

        self._take(self._hass.states.get(self._entity))
        return async_track_state_change_event(self._hass, self._entity, heard)

    def _take(self, state: State | None) -> bool:
        """Take what the entity says; return whether anything of it is new."""
        now = clock()
        self._hold(now)
        self._said = None
        before = self._known
        if state is None:
            return False
        unit = str(state.attributes.get(ATTR_UNIT_OF_MEASUREMENT, ""))
        try:
            listed = prices_of(state.attributes, unit, dt_util.get_default_time_zone())
            price = _number(state.state) * factor_of(unit)
        except PriceUnitError as err:
            self._complain(f"{state.entity_id}: {err}")
            return False
        self._complaint = ""
        self._known = put_over(before, listed)
        if math.isfinite(price) and not listed:
            # What was held of the state before ends now.
            self._known = [
                PriceInterval(start=each.start, end=min(each.end, now), value=each.value)
                for each in before
                if each.start < now
            ]
            self._said = (price, now)
            self._hold(now)
        oldest = now - _KEPT
        self._known = [each for each in self._known if each.end > oldest]
        return self._known != before

    def _hold(self, now: float) -> None:
        """Let the last state hold until the end of the step that is running."""
        if self._said is None:
            return
        price, held = self._said
        until = (now // _STEP + 1.0) * _STEP
        if until > held:
            fresh = [PriceInterval(start=held, end=until, value=price)]
            self._known = _together(put_over(self._known, fresh))
            self._said = (price, until)

    def _complain(self, text: str) -> None:
        """Log what cannot be used, once."""
        if text != self._complaint:
            self._complaint = text
            LOGGER.warning("No price: %s", text)

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {
            "entity": self._entity,
            "known": [[each.start, each.end, each.value] for each in self._known],
        }

    def restore(self, data: Any) -> None:
        """Take what `as_dict` gave; what is of another entity, or cannot be read, is left out."""
        if not isinstance(data, Mapping) or data.get("entity") != self._entity:
            return
        try:
            rows = [tuple(map(float, row)) for row in data["known"]]
            known = [PriceInterval(start=start, end=end, value=value) for start, end, value in rows]
        except (KeyError, TypeError, ValueError) as err:
            LOGGER.warning("The prices before are lost: %r", err)
            return
        self._known = known


def _together(known: list[PriceInterval]) -> list[PriceInterval]:
    """Return prices of which those that touch and are the same are one."""
    found = known[:1]
    for before, each in pairwise(known):
        if each.start == before.end and each.value == before.value:
            last = found.pop()
            found.append(PriceInterval(start=last.start, end=each.end, value=each.value))
        else:
            found.append(each)
    return found


def _number(text: str) -> float:
    """Return a state as a number, NaN where it is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan
