"""Fields of a decoded object by name and type; what does not fit is refused with its clause."""

from collections.abc import Mapping
from enum import StrEnum
import re
from typing import Any, Final

from .message import VERSION
from .refusal import Code, RefusedError

LARGEST_AMOUNT: Final = 2**40 - 1
"""Of Wh and mgCO2eq: a million homes together stay within 64 bits."""

LARGEST_NUMBER: Final = 2**53 - 1
"""What every JSON reader takes as a whole number (RFC 7493)."""

LARGEST_REVISION: Final = 2**31 - 1

ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
"""Of homes, communities and boots: safe as a part of a topic and of a file name."""

TEXT: Final = re.compile(r"[!-~]([ -~]{0,62}[!-~])?")
"""Printable ASCII without spaces at the ends."""

METHOD: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}@[0-9A-Za-z][0-9A-Za-z.+_-]{0,30}")
"""`id@version`."""

DIGEST: Final = re.compile(r"[0-9a-f]{64}")

CLAUSE: Final = re.compile(r"CM-[1-9][0-9]{0,2}")

_LONGEST_DETAIL: Final = 200


class Fields:
    """One object of a message; every method raises RefusedError for what does not fit."""

    def __init__(self, value: Any, place: str = "") -> None:
        """Take the object that stands at `place`."""
        self._place = place
        if not isinstance(value, dict):
            raise RefusedError(Code.TYPE, "CM-11", f"{place} is no object")
        self._value: Mapping[str, Any] = value

    def raw(self, name: str) -> Any:
        """Return what stands there; a field that is not there is refused."""
        if name not in self._value:
            raise RefusedError(Code.ABSENT, "CM-10", f"{self._named(name)} is absent")
        return self._value[name]

    def whole(self, name: str, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`."""
        return whole(self.raw(name), self._named(name), low, high)

    def whole_or_none(self, name: str, low: int, high: int) -> int | None:
        """Return the same where null says that it is not known."""
        return None if self.raw(name) is None else self.whole(name, low, high)

    def flag(self, name: str) -> bool:
        """Return true or false."""
        value = self.raw(name)
        if not isinstance(value, bool):
            raise RefusedError(Code.TYPE, "CM-11", f"{self._named(name)} is neither true nor false")
        return value

    def text(self, name: str, pattern: re.Pattern[str] = TEXT) -> str:
        """Return a text of that form."""
        value = self.string(name)
        if pattern.fullmatch(value) is None:
            raise RefusedError(Code.TEXT, "CM-13", f"{self._named(name)} is {value!a:.80}")
        return value

    def string(self, name: str) -> str:
        """Return a text of any form."""
        value = self.raw(name)
        if not isinstance(value, str):
            raise RefusedError(Code.TYPE, "CM-11", f"{self._named(name)} is no text")
        return value

    def detail(self, name: str) -> str:
        """Return what a refusal says to people."""
        value = self.raw(name)
        if not isinstance(value, str) or value != printable(value):
            raise RefusedError(Code.TEXT, "CM-30", f"{name} is no short printable text")
        return value

    def choice[Choice: StrEnum](self, name: str, among: type[Choice]) -> Choice:
        """Return one of the words that the contract knows."""
        value = self.string(name)
        try:
            return among(value)
        except ValueError as err:
            raise RefusedError(
                Code.CHOICE, "CM-14", f"{self._named(name)} is {value!a:.80}"
            ) from err

    def inside(self, name: str) -> Fields:
        """Return the object in a field."""
        return Fields(self.raw(name), self._named(name))

    def rows(self, name: str) -> list[Any]:
        """Return a list."""
        value = self.raw(name)
        if not isinstance(value, list):
            raise RefusedError(Code.TYPE, "CM-11", f"{self._named(name)} is no list")
        return value

    def has(self, name: str) -> bool:
        """Return whether an optional field says something; null says nothing."""
        return self._value.get(name) is not None

    def check_version(self) -> None:
        """Refuse messages of another major version."""
        version = self.whole("v", 0, LARGEST_NUMBER)
        if version != VERSION:
            raise RefusedError(Code.VERSION, "CM-8", f"version {version}, known is {VERSION}")

    def check_source(self, home: str) -> None:
        """Refuse a message in which another home speaks than on the topic."""
        source = self.text("src", ID)
        if source != home:
            raise RefusedError(Code.SOURCE, "CM-15", f"{source} speaks on the topic of {home}")

    def _named(self, name: str) -> str:
        return f"{self._place}.{name}" if self._place else name


def printable(text: str) -> str:
    """Return a text as short printable ASCII."""
    kept = (character if " " <= character <= "~" else "?" for character in text)
    return "".join(kept)[:_LONGEST_DETAIL]


def whole(value: Any, place: str, low: int, high: int) -> int:
    """Return a whole number from `low` to `high`; neither 1.0 nor true is one.

    Raises RefusedError.
    """
    if type(value) is not int:
        raise RefusedError(Code.TYPE, "CM-11", f"{place} is no whole number")
    if not low <= value <= high:
        raise RefusedError(Code.RANGE, "CM-12", f"{place} is {value}, not {low} to {high}")
    return value
