"""Asking for plans: soon, not too often, and each time for all loads that were asked for."""

from collections.abc import Callable, Iterable
import math

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from ..drivers.clock import now as clock


class Requests:
    """What plans were asked for and not begun."""

    def __init__(self, hass: HomeAssistant, begin: Callable[[tuple[str, ...]], None]) -> None:
        """Take what begins to plan the loads of some ids."""
        self._hass = hass
        self._begin = begin
        self._asked: set[str] = set()
        self._spacings: set[float] = set()
        self._begun: dict[float, float] = {}
        """When plans were begun last, by the seconds that have to lie between such plans."""

        self._due: tuple[float, CALLBACK_TYPE] | None = None

    @callback
    def ask(self, load_ids: Iterable[str], *, delay: float = 0.0, spacing: float = 0.0) -> None:
        """Have loads planned in so many seconds, and so many after those asked for likewise."""
        self._asked.update(load_ids)
        if not self._asked:
            return
        now = clock()
        when = max(now + delay, self._begun.get(spacing, -math.inf) + spacing)
        self._spacings.add(spacing)
        if self._due is not None and self._due[0] <= when:
            return
        self.stop()
        if when <= now:
            self._begin_now()
        else:
            self._due = (when, async_call_later(self._hass, when - now, self._begin_now))

    @callback
    def _begin_now(self, _now: object = None) -> None:
        self._due = None
        asked = tuple(self._asked)
        self._asked.clear()
        self._begun |= dict.fromkeys(self._spacings, clock())
        self._spacings.clear()
        self._begin(asked)

    @callback
    def stop(self) -> None:
        """Begin nothing by itself."""
        if self._due is not None:
            self._due[1]()
            self._due = None
