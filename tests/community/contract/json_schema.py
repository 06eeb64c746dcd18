"""The published schemas, and what an independent implementation of JSON Schema says by them."""

from functools import cache
import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for

SCHEMAS = Path(__file__).parents[3] / "docs/community/schema"


def schema_of(name: str) -> dict[str, Any]:
    """Return a published schema."""
    schema: dict[str, Any] = json.loads((SCHEMAS / f"{name}.json").read_text())
    return schema


@cache
def _validator(text: str) -> Draft202012Validator:
    schema = json.loads(text)
    assert validator_for(schema) is Draft202012Validator
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def is_valid(schema: dict[str, Any], value: Any) -> bool:
    """Return whether a JSON value is as a schema wants it."""
    return _validator(json.dumps(schema)).is_valid(value)
