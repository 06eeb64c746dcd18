"""How a meter can misbehave, as data.

Each fault has a name, under which the control server knows it. A fault holds
until it is cleared or, where `times` is given, for so many requests.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
import math
from types import MappingProxyType
from typing import Any, ClassVar, Final


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """Base of all faults."""

    name: ClassVar[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class LastingFault(Fault):
    """Base of the faults that hold for a while."""

    times: int | None = None
    """How many requests it holds for; None: until it is cleared."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Silent(LastingFault):
    """The meter does not answer."""

    name: ClassVar[str] = "silent"


@dataclass(frozen=True, kw_only=True, slots=True)
class Late(LastingFault):
    """The meter answers late, with what was true when it was asked."""

    name: ClassVar[str] = "late"
    seconds: float
    """Real seconds, whatever the speed of the virtual time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Refuse(LastingFault):
    """The meter answers with an exception code."""

    name: ClassVar[str] = "refuse"
    code: int = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Close(LastingFault):
    """The connection is closed instead of an answer."""

    name: ClassVar[str] = "close"


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokenFrame(LastingFault):
    """What comes back is not Modbus."""

    name: ClassVar[str] = "broken_frame"


@dataclass(frozen=True, kw_only=True, slots=True)
class WrongUnit(LastingFault):
    """Another unit than the one that was asked seems to answer."""

    name: ClassVar[str] = "wrong_unit"
    unit: int = 99


@dataclass(frozen=True, kw_only=True, slots=True)
class Freeze(LastingFault):
    """The registers stand still; what flows is counted all the same."""

    name: ClassVar[str] = "freeze"


@dataclass(frozen=True, kw_only=True, slots=True)
class NotAvailable(LastingFault):
    """Registers hold the code that means: not known."""

    name: ClassVar[str] = "not_available"
    quantities: tuple[str, ...] = ()
    """All that have such a code if none is named."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Garbage(LastingFault):
    """Registers hold words without a meaning, others at each request."""

    name: ClassVar[str] = "garbage"
    quantities: tuple[str, ...] = ()
    """All if none is named."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spike(LastingFault):
    """A quantity has a value that is far off."""

    name: ClassVar[str] = "spike"
    quantity: str
    value: float
    """In the quantity's own unit."""

    times: int | None = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class SwapWords(LastingFault):
    """The words of long numbers come in the other order."""

    name: ClassVar[str] = "swap_words"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reset(Fault):
    """Counters begin again, once."""

    name: ClassVar[str] = "reset"
    to: float = 0.0
    """Wh or varh."""

    quantities: tuple[str, ...] = ()
    """All counters if none is named."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Jump(Fault):
    """Counters jump, once."""

    name: ClassVar[str] = "jump"
    by: float
    """Wh or varh."""

    quantities: tuple[str, ...] = ("energy_import",)


@dataclass(frozen=True, kw_only=True, slots=True)
class RollOver(Fault):
    """Counters begin again at zero from now on whenever they reach a figure."""

    name: ClassVar[str] = "roll_over"
    at: float | None = None
    """Wh or varh; by default the next full kWh."""

    quantities: tuple[str, ...] = ("energy_import",)


_ALL: Final[tuple[type[Fault], ...]] = (
    Silent,
    Late,
    Refuse,
    Close,
    BrokenFrame,
    WrongUnit,
    Freeze,
    NotAvailable,
    Garbage,
    Spike,
    SwapWords,
    Reset,
    Jump,
    RollOver,
)
FAULTS: Final[Mapping[str, type[Fault]]] = MappingProxyType({kind.name: kind for kind in _ALL})
"""Every fault by its name."""


def fault_from(name: object, parameters: Mapping[str, Any]) -> Fault:
    """Return the fault of a name with the parameters of a request.

    Raises ValueError that says what is wrong and what is known.
    """
    kind = FAULTS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ValueError(f"{name!r} is not a fault; known are {', '.join(FAULTS)}")
    known = {field.name for field in fields(kind)}
    given: dict[str, Any] = {}
    for key, value in parameters.items():
        if key not in known:
            raise ValueError(f"{name} has no {key!r}; it has {', '.join(sorted(known)) or 'none'}")
        given[key] = _CHECKS[key](key, value)
    try:
        return kind(**given)
    except TypeError as err:
        raise ValueError(f"{name}: {err}") from err


def _number(key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{key} must be a number")  # noqa: TRY004  # of a request, not of a call
    if not math.isfinite(value):
        raise ValueError(f"{key} must be finite")
    return float(value)


def _positive(key: str, value: object) -> float:
    number = _number(key, value)
    if number <= 0:
        raise ValueError(f"{key} must be more than 0")
    return number


def _byte(key: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 255:
        raise ValueError(f"{key} must be a whole number from 0 to 255")
    return value


def _count(key: str, value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{key} must be a whole number from 1, or null")
    return value


def _text(key: str, value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{key} must be a text")  # noqa: TRY004  # of a request, not of a call
    return value


def _texts(key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{key} must be a list of texts")  # noqa: TRY004  # as above
    return tuple(_text(key, item) for item in value)


_CHECKS: Final = MappingProxyType(
    {
        "times": _count,
        "seconds": _positive,
        "code": _byte,
        "unit": _byte,
        "quantities": _texts,
        "quantity": _text,
        "value": _number,
        "to": _number,
        "by": _number,
        "at": _positive,
    }
)
"""How each parameter of a fault is checked."""
