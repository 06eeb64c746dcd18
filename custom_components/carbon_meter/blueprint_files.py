"""Blueprints as files: those of the package, and those that stand in the configuration folder.

A file is never overwritten that its user has changed: of each the digest is kept as it was when it
was written. It blocks, so it belongs into an executor.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.selector import validate_selector
from homeassistant.util.file import write_utf8_file_atomic
from homeassistant.util.yaml import parse_yaml
import probatio

PACKAGED: Final = Path(__file__).parent / "blueprints" / "automation" / "carbon_meter"
"""What comes with the integration."""

FOLDER: Final = Path("blueprints", "automation", "carbon_meter")
"""Where automations look for them, in the configuration folder."""


class Result(StrEnum):
    """What has become of a blueprint."""

    INSTALLED = "installed"
    """It was not there."""

    UNCHANGED = "unchanged"
    """It is there as it comes with the integration."""

    UPDATED = "updated"
    """An older one was there, or the user let their own be overwritten."""

    KEPT = "kept"
    """The user has changed it: it stays."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    """One blueprint, and what has become of it."""

    file: str
    name: str
    result: Result
    digest: str | None
    """Of the file that was written; None of one that is not ours."""

    def as_dict(self) -> dict[str, Any]:
        """Return it for an action's response."""
        return {"file": self.file, "name": self.name, "result": self.result.value}


def install(
    packaged: Path, target: Path, written: Mapping[str, str], *, overwrite: bool = False
) -> list[Installed]:
    """Put the packaged blueprints into a folder; return what has become of each, by file.

    `written` has the digests of the files as they were written before. Raises OSError where a
    folder cannot be read or written.
    """
    target.mkdir(parents=True, exist_ok=True)
    return [
        _install(path, target / path.name, written.get(path.name), overwrite=overwrite)
        for path in sorted(packaged.glob("*.yaml"))
    ]


def _install(source: Path, target: Path, digest: str | None, *, overwrite: bool) -> Installed:
    """Put one blueprint in its place unless its user has changed it."""
    text = source.read_text(encoding="utf-8")
    result = _result(text, target, digest, overwrite=overwrite)
    if result in {Result.INSTALLED, Result.UPDATED}:
        write_utf8_file_atomic(str(target), text)
    return Installed(
        file=source.name,
        name=_name(text),
        result=result,
        digest=digest if result is Result.KEPT else digest_of(target.read_bytes()),
    )


def _result(text: str, target: Path, digest: str | None, *, overwrite: bool) -> Result:
    """Return what is to become of a blueprint."""
    try:
        found = target.read_bytes()
    except FileNotFoundError:
        return Result.INSTALLED
    if found == text.encode() or _is_same(text, found):
        return Result.UNCHANGED
    return Result.UPDATED if overwrite or digest_of(found) == digest else Result.KEPT


def digest_of(content: bytes) -> str:
    """Return what a file is known by."""
    return sha256(content).hexdigest()


def _is_same(text: str, found: bytes) -> bool:
    """Return whether a file says the same: one that was imported by its link is written anew."""
    try:
        return bool(_spelled_out(parse_yaml(text)) == _spelled_out(parse_yaml(found.decode())))
    except HomeAssistantError, UnicodeDecodeError, probatio.Invalid:
        return False


def _spelled_out(node: Any) -> Any:
    """Return a blueprint with all that its selectors leave out, as the importer writes them."""
    if isinstance(node, dict):
        return {
            key: validate_selector(value) if key == "selector" else _spelled_out(value)
            for key, value in node.items()
        }
    return [_spelled_out(value) for value in node] if isinstance(node, list) else node


def _name(text: str) -> str:
    """Return how a blueprint calls itself."""
    parsed = parse_yaml(text)
    return str(parsed["blueprint"]["name"]) if isinstance(parsed, dict) else ""
