"""The published test vectors."""

import base64
from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).parents[3] / "docs/community/vectors"


@dataclass(frozen=True)
class Vector:
    """One message with what a receiver has to make of it."""

    file: str
    name: str
    clause: str
    topic: str
    to: str
    """Who receives it: `hub` or `home`."""

    now: float
    payload: bytes
    outcome: str
    code: str | None
    digest: str | None
    schema: str | None
    """What the JSON Schema alone says; None where it cannot be asked."""

    @property
    def id(self) -> str:
        return f"{self.file}: {self.name}".encode("unicode_escape").decode()

    @property
    def kind(self) -> str:
        """Return the name of the schema."""
        if self.file.startswith("footprint"):
            return "footprint"
        channel = self.topic.split("/")[5]
        return "request" if channel == "req" else channel


def _vector(file: str, row: dict[str, Any]) -> Vector:
    if (encoded := row.pop("payload_base64", None)) is not None:
        row["payload"] = base64.b64decode(encoded, validate=True)
    else:
        row["payload"] = row["payload"].encode()
    return Vector(file, **({"code": None, "digest": None, "schema": None} | row))


def all_vectors() -> list[Vector]:
    """Return every published vector."""
    return [
        _vector(path.stem, row)
        for path in sorted(VECTORS.glob("*.json"))
        for row in json.loads(path.read_text())
    ]
