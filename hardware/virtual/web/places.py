"""Where an expression of a profile points to, so that a value can be put there."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any


class NoPlaceError(ValueError):
    """An expression computes its value, or a page has no such place."""


@dataclass(frozen=True, slots=True)
class Where:
    """The element of a list that has a certain value under a key."""

    key: str
    value: Any


type Step = str | int | Where


def steps_of(node: dict[str, Any]) -> tuple[Step, ...]:
    """Return the way to a value from the syntax tree of a JMESPath expression.

    Of alternatives the first is taken. Raises NoPlaceError for what is computed.
    """
    children = node["children"]
    match node["type"]:
        case "field" | "index":
            return (node["value"],)
        case "identity":
            return ()
        case "subexpression" | "index_expression":
            return tuple(step for child in children for step in steps_of(child))
        case "or_expression":
            return steps_of(children[0])
        case "filter_projection":
            key, literal = children[2]["children"]
            return (*steps_of(children[0]), Where(key["value"], literal["value"]))
        case "pipe":
            first, second = steps_of(children[0]), steps_of(children[1])
            chosen = bool(first) and isinstance(first[-1], Where) and second[:1] == (0,)
            return (*first, *(second[1:] if chosen else second))
        case kind:
            raise NoPlaceError(f"a {kind} has no place")


def put(document: Any, steps: tuple[Step, ...], value: Any, *, create: bool) -> None:
    """Put a value at a place; `create` makes what is missing on the way.

    What stands there as a number beside its unit keeps the unit. Raises NoPlaceError.
    """
    holder = document
    for step, following in pairwise(steps):
        holder = _entered(holder, step, _container(following), create=create)
    last = steps[-1]
    present = _entered(holder, last, None, create=create)
    if isinstance(present, dict) and "value" in present:
        present["value"] = value
    elif isinstance(last, Where):
        raise NoPlaceError("an element has a place, its value has none")
    else:
        holder[last] = value


def found(document: Any, steps: tuple[Step, ...]) -> Any:
    """Return what stands at a place, None where there is none."""
    for step in steps:
        try:
            document = _entered(document, step, None, create=False)
        except NoPlaceError:
            return None
    return document


def _container(step: Step) -> Any:
    """Return what a step leads into."""
    return {} if isinstance(step, str) else []


def _entered(holder: Any, step: Step, fresh: Any, *, create: bool) -> Any:
    """Return what lies behind a step."""
    match step, holder:
        case str(), dict() if step in holder:
            return holder[step]
        case str(), dict() if create:
            return holder.setdefault(step, fresh)
        case int(), list() if step < len(holder):
            return holder[step]
        case int(), list() if create:
            holder.extend([None] * (step + 1 - len(holder)))
            holder[step] = fresh
            return fresh
        case Where(key=key, value=value), list():
            for element in holder:
                if isinstance(element, dict) and element.get(key) == value:
                    return element
            if create:
                holder.append({key: value})
                return holder[-1]
    raise NoPlaceError(f"{holder!r:.40} has no {step!r}")
