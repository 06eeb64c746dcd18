"""Where a value lies in a JSON document: an expression of JMESPath.

JMESPath (jmespath.org) has all that real pages need: keys that contain dots in quotes, list
elements by number or by one of their keys, alternatives, conditions. Home Assistant itself
brings the library `jmespath` (MIT, pure Python, through boto3 of its cloud client); the
JSONPath libraries would be a requirement more and have no alternatives in order.
"""

from dataclasses import dataclass
from typing import Any

import jmespath  # type: ignore[import-untyped]
from jmespath.exceptions import JMESPathError  # type: ignore[import-untyped]

from .placeholders import Settings, filled, placeholders_in


@dataclass(frozen=True, slots=True)
class BoundPath:
    """An expression ready to be used."""

    text: str
    expression: Any
    """The compiled expression; its `parsed` is the syntax tree."""

    def find(self, document: object) -> Any:
        """Return what the expression yields, None where there is nothing or it does not fit."""
        try:
            return self.expression.search(document)
        except JMESPathError, TypeError, ValueError, RecursionError:
            # A function that is given what it is not for: the page has another form.
            return None

    def holds(self, document: object) -> bool:
        """Return whether the expression is true of a document, in JMESPath's sense."""
        found = self.find(document)
        # Of numbers none is false, not even 0.
        return found is not None and found is not False and found not in ("", [], {})


@dataclass(frozen=True, slots=True)
class Path:
    """An expression that may have placeholders."""

    text: str

    @classmethod
    def checked(cls, text: str) -> Path:
        """Return the path; raises ValueError with what is wrong in the expression."""
        path = cls(text)
        try:
            path.bound(dict.fromkeys(path.settings, 0))
        except JMESPathError as err:
            raise ValueError(f"not a JMESPath expression: {str(err).splitlines()[0]}") from err
        return path

    @property
    def settings(self) -> frozenset[str]:
        """Return the names of the settings that it needs."""
        return placeholders_in(self.text)

    def bound(self, settings: Settings) -> BoundPath:
        """Return the expression for one meter; raises ValueError for a setting that is missing."""
        text = filled(self.text, settings)
        return BoundPath(text, jmespath.compile(text))
