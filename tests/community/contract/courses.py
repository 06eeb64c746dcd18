"""The published courses: messages one after the other, and what comes of each."""

from collections.abc import Iterator
import json
from typing import Any

from tests.community.contract.vectors import VECTORS

type Course = dict[str, Any]


def all_courses(receiver: str) -> list[Course]:
    """Return every published course of a hub or of a home, with its file."""
    return [
        course | {"file": path.stem}
        for path in sorted((VECTORS / "courses").glob(f"{receiver}-*.json"))
        for course in json.loads(path.read_text())
    ]


def all_chains() -> list[dict[str, Any]]:
    """Return every published certificate that a home has to look at."""
    rows: list[dict[str, Any]] = json.loads((VECTORS / "chains/chains.json").read_text())
    return rows


def clauses_of_courses() -> set[str]:
    """Return which clauses are shown by courses and chains."""
    shown = [*all_courses("hub"), *all_courses("home"), *all_chains()]
    return {each["clause"] for each in shown}


def name_of(course: Course) -> str:
    """Return how a course is called among the tests."""
    return f"{course['file']}: {course['name']}"


def messages(step: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Yield topic and payload of each message of a step."""
    if "times" not in step:
        yield step["topic"], step["payload"].encode()
        return
    first, last, by = step["times"]
    for number in range(first, last + 1, by):
        yield tuple_of(step, str(number))


def tuple_of(step: dict[str, Any], digits: str) -> tuple[str, bytes]:
    """Return topic and payload with a number in its places."""
    topic, payload = (step[part].replace("{n}", digits) for part in ("topic", "payload"))
    return topic, payload.encode()
