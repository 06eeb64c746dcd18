"""A meter with MQTT topics: its messages become readings.

The broker's client is not here: messages are handed in, and `topics` says which are wanted.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
import math
import time
from types import MappingProxyType
from typing import Any, Final

from ..readings import Reading
from .documents import NotJsonError, decode_payload
from .extraction import Extractor, combined, complete_settings
from .path import BoundPath
from .placeholders import Settings, filled
from .profile import JsonProfile

_AHEAD: Final = 60.0
"""Seconds that a device's clock may be ahead of ours."""


@dataclass(slots=True)
class _Page:
    """What was heard of one page; parts of it are as old as the message that brought them."""

    parts: dict[str, tuple[float, Any]] = field(default_factory=dict)
    whole: tuple[float, Any] | None = None

    def put(self, document: Any, moment: float, *, partial: bool) -> None:
        """Take a message in."""
        if partial and isinstance(document, dict):
            if self.whole is not None and isinstance(self.whole[1], dict):
                since, old = self.whole
                self.parts = {key: (since, value) for key, value in old.items()} | self.parts
            self.whole = None
            self.parts |= {key: (moment, value) for key, value in document.items()}
        else:
            self.whole, self.parts = (moment, document), {}

    def fresh(self, since: float) -> Any:
        """Return what is not older than a moment, None for nothing."""
        if self.whole is not None:
            return self.whole[1] if self.whole[0] >= since else None
        return {key: value for key, (heard, value) in self.parts.items() if heard >= since} or None


class MqttJsonMeter:
    """One meter that publishes, read by its profile."""

    def __init__(
        self,
        profile: JsonProfile,
        settings: Settings = MappingProxyType({}),
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Prepare the topics; raises ValueError for settings that do not fit.

        `clock` gives seconds since 1970 UTC.
        """
        complete = complete_settings(profile, settings)
        if any({"+", "#"} & set(str(value)) for value in complete.values()):
            raise ValueError("a setting may not hold a wildcard")
        self.profile = profile
        self._clock = clock
        self._extractor = Extractor(profile, settings)
        self._time = profile.time.bound(complete) if profile.time else None
        self._topics: dict[str, list[tuple[str, BoundPath | None, bool]]] = {}
        for topic in profile.topics:
            select = topic.select.bound(complete) if topic.select else None
            place = filled(topic.topic, complete)
            self._topics.setdefault(place, []).append((topic.name, select, topic.partial))
        self._pages = {topic.name: _Page() for topic in profile.topics}

    @property
    def topics(self) -> tuple[str, ...]:
        """Return the topics to subscribe to, without wildcards."""
        return tuple(self._topics)

    def hear(self, topic: str, payload: bytes | str, *, retained: bool = False) -> Reading | None:
        """Take a message in; return the reading that is known with it.

        The reading holds what this message says and what others said no longer ago than the
        profile's `max_age`. Its time is that of the message's arrival. A retained message
        (`retained`: the broker had kept it) counts only when it carries a time of its own that
        is no older, and then with that time. None when nothing is known with it.
        """
        wanted = self._topics.get(topic)
        if wanted is None:
            return None
        try:
            document = decode_payload(payload)
        except NotJsonError:
            return None
        now = self._clock()
        moment = self._own_time(document, now) if retained else now
        if moment is None or moment < now - self.profile.max_age:
            return None
        taken = False
        for name, select, partial in wanted:
            part = document if select is None else select.find(document)
            if part is not None:
                self._pages[name].put(part, moment, partial=partial)
                taken = True
        return self._reading(now, moment) if taken else None

    def _reading(self, now: float, moment: float) -> Reading | None:
        """Return what is known and not too old."""
        pages = {name: page.fresh(now - self.profile.max_age) for name, page in self._pages.items()}
        whole = combined(
            self.profile, {name: page for name, page in pages.items() if page is not None}
        )
        if not self._extractor.is_valid(whole):
            return None
        reading = self._extractor.reading(whole, moment)
        return reading if reading.values or reading.faults else None

    def _own_time(self, document: Any, now: float) -> float | None:
        """Return the time that a message carries, None where it has none or an impossible one."""
        moment = None if self._time is None else seconds_of(self._time.find(document))
        return None if moment is None or moment > now + _AHEAD else min(moment, now)


def seconds_of(raw: object) -> float | None:
    """Return a time as seconds since 1970 UTC; a text needs an offset or a Z."""
    match raw:
        case bool():
            return None
        case int() | float():
            return float(raw) if 0 < raw < 1e11 and math.isfinite(raw) else None
        case str():
            try:
                moment = datetime.fromisoformat(raw)
            except ValueError:
                return None
            return None if moment.tzinfo is None else moment.timestamp()
        case _:
            return None
