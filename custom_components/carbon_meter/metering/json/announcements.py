"""Which meters a broker's messages announce."""

from collections.abc import Callable, Iterable, Iterator
import time
from typing import Any, Final

from ..candidate import Candidate
from ..readings import Reading
from .documents import NotJsonError, decode_payload
from .identification import text_of
from .listener import MqttJsonMeter
from .profile import Announcement, JsonProfile

_MOST_ITEMS: Final = 1000


def discovery_topics(profiles: Iterable[JsonProfile]) -> tuple[str, ...]:
    """Return the topics, with wildcards, on which meters of the families announce themselves."""
    return tuple(sorted({each.topic for profile in profiles for each in profile.announcements}))


def identify_mqtt(
    topic: str,
    payload: bytes | str,
    profiles: Iterable[JsonProfile],
    *,
    clock: Callable[[], float] = time.time,
) -> tuple[Candidate, ...]:
    """Return the meters that a message announces; mostly none, sometimes many.

    What the message already says of quantities is in the candidates' readings; most
    announcements say none. The same meter may be announced by several messages.
    """
    listening = [
        (profile, announcement)
        for profile in profiles
        for announcement in profile.announcements
        if topic_matches(announcement.topic, topic)
    ]
    if not listening:
        return ()
    try:
        document = decode_payload(payload)
    except NotJsonError:
        return ()
    root = {"topic": topic.split("/"), "payload": document}
    found: list[Candidate] = []
    for profile, announcement in listening:
        for item in _items(announcement, root):
            candidate = _candidate(
                profile, announcement, {**root, "item": item}, (topic, payload), clock
            )
            if candidate is not None:
                found.append(candidate)
    return tuple(found)


def topic_matches(pattern: str, topic: str) -> bool:
    """Return whether a topic falls under a subscription."""
    wanted, levels = pattern.split("/"), topic.split("/")
    for place, part in enumerate(wanted):
        if part == "#":
            return True
        if place >= len(levels) or part not in ("+", levels[place]):
            return False
    return len(wanted) == len(levels)


def _items(announcement: Announcement, root: dict[str, Any]) -> Iterator[Any]:
    """Yield what each meter of a message is known by."""
    if announcement.each is None:
        yield None
        return
    items = announcement.each.bound({}).find(root)
    if isinstance(items, list):
        yield from items[:_MOST_ITEMS]


def _candidate(
    profile: JsonProfile,
    announcement: Announcement,
    root: dict[str, Any],
    message: tuple[str, bytes | str],
    clock: Callable[[], float],
) -> Candidate | None:
    """Return the meter that a message is about, None where it is about something else."""
    if not announcement.match.bound({}).holds(root):
        return None
    settings: dict[str, str | int] = {}
    for name, path in announcement.settings.items():
        raw = path.bound({}).find(root)
        if isinstance(raw, bool) or not isinstance(raw, str | int) or raw == "":
            return None
        settings[name] = raw
    try:
        heard = MqttJsonMeter(profile, settings, clock=clock).hear(*message)
    except ValueError:
        return None
    said = {key: text_of(path.bound({}).find(root)) for key, path in announcement.identity.items()}
    return Candidate(
        profile=profile,
        settings=settings,
        certain=announcement.certain,
        reading=heard or Reading(time=clock(), values={}),
        manufacturer=said.get("manufacturer", ""),
        model=said.get("model", ""),
        serial=said.get("serial", ""),
    )
