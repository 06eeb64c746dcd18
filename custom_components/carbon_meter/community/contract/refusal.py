"""Why a message is refused: a code for programs, a clause to look up, words for people."""

from enum import StrEnum


class Code(StrEnum):
    """What kind of fault a message has; it goes back to the sender."""

    TOPIC = "topic"
    SIZE = "size"
    ENCODING = "encoding"
    SYNTAX = "syntax"
    DUPLICATE_KEY = "duplicate_key"
    NESTING = "nesting"
    VERSION = "version"
    ABSENT = "absent"
    TYPE = "type"
    RANGE = "range"
    TEXT = "text"
    CHOICE = "choice"
    SOURCE = "source"
    ALIGNMENT = "alignment"
    FUTURE = "future"
    OLD = "old"
    FINAL = "final"
    ITEMS = "items"
    QUALITY = "quality"
    CARBON_FREE = "carbon_free"
    LEVEL = "level"
    CONFLICT = "conflict"
    REVISIONS = "revisions"
    """The period has as many as it may have."""

    INTENSITIES = "intensities"
    """The home has named as many as it may name."""

    CONSENT = "consent"
    """The home has not agreed, or no longer agrees, to what the message shows."""

    CERTIFICATE = "certificate"
    """No certificate is made of this request."""


class RefusedError(Exception):
    """A message is not taken; `code`, `clause` and `detail` say why."""

    def __init__(self, code: Code, clause: str, detail: str) -> None:
        """Keep what a nack carries: see `answers.Nack`."""
        super().__init__(f"{clause} ({code}): {detail}")
        self.code = code
        self.clause = clause
        self.detail = detail
