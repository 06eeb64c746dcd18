"""What a meter said at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from .quantities import QUANTITIES, mirrored


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """A register whose content is not a value: kept apart, with the reason."""

    quantity: str
    register: str
    """The register's function and address, as `input 0x0034`."""

    reason: str

    def __str__(self) -> str:
        """Return one line for a log or a diagnostics file."""
        return f"{self.quantity} ({self.register}): {self.reason}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """The quantities of one meter at one moment.

    `time` is in seconds since 1970 UTC, the moment at which the answer was
    complete. `values` holds quantities by key in the units of `QUANTITIES`;
    what the meter does not know is absent, what it said wrongly is in `faults`.
    """

    time: float
    values: Mapping[str, float]
    faults: tuple[Fault, ...] = ()
    held: frozenset[str] = frozenset()
    """Quantities that only repeat what was told earlier: they say nothing of the time since."""

    def with_power_reversed(self) -> Self:
        """Return the reading of a meter that shows export as positive power, as we want it."""
        values = {
            key: -value if QUANTITIES[key].signed else value for key, value in self.values.items()
        }
        return replace(self, values=values)

    def reversed(self) -> Self:
        """Return the reading of the same meter mounted the other way round."""
        values: dict[str, float] = {}
        for key, value in self.values.items():
            quantity = QUANTITIES[key]
            if quantity.counter:
                values[mirrored(key)] = value
            else:
                values[key] = -value if quantity.signed else value
        return replace(self, values=values, held=frozenset(map(mirrored, self.held)))
