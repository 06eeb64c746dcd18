"""What leaves the home, as forms show it: in plain words, and word for word below."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
import json
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util

from ..community.contract.message import Flow, Kind, Quality
from ..community.member.outgoing import Outgoing, Sort, Upcoming
from ..const import DOMAIN

_SHOWN: Final = 5
"""Messages that are shown in a form; the live view has more."""

_DAY: Final = 86400
_WH: Final = 1000
_MG: Final = 1_000_000
_PERCENT: Final = 100
_WHOLE: Final = 10_000


class Messages:
    """Shows messages in the language of Home Assistant."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        """Take the names of choices, by their keys."""
        self._texts = texts

    @classmethod
    async def async_in_language(cls, hass: HomeAssistant) -> Messages:
        """Return it with the texts loaded."""
        return cls(await async_get_translations(hass, hass.config.language, "selector", {DOMAIN}))

    def footprint(self, topic: str, payload: str) -> str:
        """Return what a footprint tells, and the footprint itself."""
        return "\n".join((*self._told(json.loads(payload)), "", self._exactly(topic, payload)))

    def example(self, found: tuple[str, str] | None) -> str:
        """Return a footprint that shows what would leave; topic and payload, None for none."""
        if found is None:
            return self._text("membership_message", "nothing_known")
        return self.footprint(*found)

    def upcoming(self, messages: Sequence[Upcoming], *, has_left: bool = False) -> str:
        """Return the footprints that would leave next."""
        if has_left:
            return self._text("membership_message", "nothing_more")
        if not messages:
            return self._text("membership_message", "nothing_waits")
        return "\n\n".join(self.footprint(one.topic, one.payload) for one in messages)

    def left(self, messages: Sequence[Outgoing]) -> str:
        """Return the last messages that left, the newest first, and whether they have arrived."""
        if not messages:
            return self._text("membership_message", "nothing_left")
        return "\n\n".join(self._one_left(one) for one in reversed(messages[-_SHOWN:]))

    def _one_left(self, one: Outgoing) -> str:
        """Return when a message left and arrived, and what it was."""
        when = f"{moment(one.at)} {self._arrival(one)}"
        if one.kind is Sort.FOOTPRINT:
            return f"{when}\n\n{self.footprint(one.topic, one.payload)}"
        kind = self._text("membership_message", one.kind.value)
        return f"{when}\n\n**{kind}**\n\n{self._exactly(one.topic, one.payload)}"

    def _arrival(self, one: Outgoing) -> str:
        """Return what is known of the arrival of a message."""
        if one.refused is not None:
            return f"✗ {one.refused}"
        if one.acknowledged_at is not None:
            return f"→ ✓ {moment(one.acknowledged_at)}"
        return "→ …" if one.kind is Sort.FOOTPRINT or one.reason is None else ""

    def _told(self, body: Mapping[str, Any]) -> Iterator[str]:
        """Yield the lines that say what a footprint tells."""
        yield f"**{period(body['start'], body['dur'])}**\n"
        for item in body["items"]:
            yield f"- {self._text('membership_flow', item['flow'])}: {self._figures(item)}"

    def _figures(self, item: Mapping[str, Any]) -> str:
        """Return energy and carbon of a flow, and how well they are known."""
        quality = self._text("membership_quality", item["q"])
        if item["q"] == Quality.MISSING:
            return quality
        kind = item["ci"]["kind"]
        words = [quality]
        if item["cov"] < _WHOLE:
            of_the_time = self._text("membership_message", "of_the_time")
            words.append(f"{_PERCENT * item['cov'] / _WHOLE:g} % {of_the_time}")
        if kind != Kind.AVERAGE:
            words.append(self._text("membership_kind", kind))
        energy = "" if item["flow"] == Flow.WATER else f"{item['wh'] / _WH:.3f} kWh, "
        return f"{energy}{item['mg'] / _MG:.3f} kg CO₂e ({', '.join(words)})"

    def _exactly(self, topic: str, payload: str) -> str:
        """Return a message word for word, folded away; the block ends at the empty line."""
        title = self._text("membership_message", "exactly")
        body = json.dumps(json.loads(payload), indent=1)
        parts = (f"<details><summary>{title}</summary>", f"`{topic}`", f"```json\n{body}\n```")
        return "\n\n".join((*parts, "</details>"))

    def _text(self, key: str, value: str) -> str:
        return self._texts.get(f"component.{DOMAIN}.selector.{key}.options.{value}", value)


def period(start: int, duration: int) -> str:
    """Return a period in local time."""
    begin, end = (
        dt_util.as_local(datetime.fromtimestamp(seconds, UTC))
        for seconds in (start, start + duration)
    )
    if duration >= _DAY:
        return f"{begin:%Y-%m-%d %H:%M} - {end:%Y-%m-%d %H:%M}"
    return f"{begin:%Y-%m-%d %H:%M} - {end:%H:%M}"


def moment(seconds: float | None) -> str:
    """Return a moment in local time, a dash for none and for one beyond all calendars."""
    if seconds is None:
        return "—"
    try:
        local = dt_util.as_local(datetime.fromtimestamp(seconds, UTC))
    except ValueError, OverflowError, OSError:
        return "—"
    return local.strftime("%Y-%m-%d %H:%M:%S")
