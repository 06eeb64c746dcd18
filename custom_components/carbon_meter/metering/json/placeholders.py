"""Places in a profile's texts that a meter's settings fill: `{channel}`."""

from collections.abc import Callable, Mapping
import re
from typing import Final

type Settings = Mapping[str, str | int]
"""What tells one meter of a family from another behind the same address, by name."""

_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")

_HARMLESS: Final = re.compile(r"[^\x00-\x1f\"'`\\\[\]{}#]*")
"""What a setting may hold: nothing that ends a quoted key, an index or a page's address."""


def placeholders_in(text: str) -> frozenset[str]:
    """Return the names of the settings that a text needs."""
    return frozenset(_PLACEHOLDER.findall(text))


def filled(text: str, settings: Settings, quote: Callable[[str], str] = str) -> str:
    """Return a text with the settings in their places, each through `quote`.

    Raises ValueError for a setting that is missing or that could mean more than itself.
    """

    def setting(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in settings:
            raise ValueError(f"the setting {name!r} is missing")
        value = str(settings[name])
        if not _HARMLESS.fullmatch(value):
            raise ValueError(f"{value!r} cannot be the setting {name!r}")
        return quote(value)

    return _PLACEHOLDER.sub(setting, text)
