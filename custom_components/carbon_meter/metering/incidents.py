"""What of a meter could not be believed: one record for everything, with the reason.

An incident is told when it begins and, unless it is over in that moment, once more when it
ends. Nothing that it is about is repaired.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

from .quantities import QUANTITIES

WHOLE_METER: Final = ""
"""The quantity of what concerns a meter and not one thing that it says."""


class Reason(StrEnum):
    """Why something was not believed."""

    ROLLOVER = "rollover"
    """A counter passed its largest value; no energy is lost."""

    RESET = "reset"
    """A counter went back to zero; what it counts since is booked."""

    REPLACED = "replaced"
    """A counter stands where it cannot have counted to: a new start."""

    JUMP = "jump"
    """A counter went up by more than can have flowed; the rise is set apart."""

    SPIKE = "spike"
    """One impossible value among possible ones."""

    FROZEN = "frozen"
    """The meter answers with the same values to the last bit."""

    CLOCK = "clock_jump"
    """The clock was set: how much time passed is not what it says."""

    PHASE_SUM = "phase_sum"
    """The powers of the phases do not add up to the total."""

    POWER = "impossible_power"
    """More power than voltages and currents carry, or than the meter can measure."""

    POWER_FACTOR = "power_factor"
    """The power factor is not power by apparent power."""

    VOLTAGE = "voltage_out_of_band"
    """A voltage that no network is run at, where there was one before."""

    FREQUENCY = "frequency_out_of_band"
    """A frequency that no network is run at."""

    ENERGY_AGAINST_POWER = "energy_against_power"
    """The counters moved by another energy than the power makes."""


_OF_COUNTERS: Final = frozenset(
    {Reason.ROLLOVER, Reason.RESET, Reason.REPLACED, Reason.JUMP, Reason.SPIKE}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Incident:
    """Something that was not believed, kept for people to see."""

    time: float
    """When it began, seconds since 1970 UTC."""

    reason: Reason
    quantity: str
    """The key of the quantity, `WHOLE_METER` where it is none alone."""

    amount: float
    """What a counter showed and nobody believed, how long it took, or the largest disagreement or
    value, in `unit`."""

    unit: str
    ended: float | None
    """When it was over, the same as `time` for what takes none, None while it lasts."""

    @property
    def lasts(self) -> bool:
        """Return whether it is not over yet."""
        return self.ended is None

    @property
    def set_apart(self) -> float:
        """Return what a counter showed without being believed, in `unit`; 0 for all else."""
        quantity = QUANTITIES.get(self.quantity)
        of_counter = quantity is not None and quantity.counter and self.reason in _OF_COUNTERS
        return abs(self.amount) if of_counter else 0.0

    def is_about(self, other: Incident) -> bool:
        """Return whether both are the same kind of trouble with the same quantity."""
        return (self.reason, self.quantity) == (other.reason, other.quantity)

    def as_list(self) -> list[Any]:
        """Return it in a form for a JSON file."""
        return [self.time, self.reason.value, self.quantity, self.amount, self.unit, self.ended]

    @classmethod
    def from_list(cls, data: Sequence[Any]) -> Self:
        """Return what `as_list` gave.

        Version 0.1 kept events of counters only: time, quantity, event, Wh.
        """
        if len(data) == 4:
            time, quantity, event, amount = data
            return cls(
                time=time,
                reason=Reason(event),
                quantity=quantity,
                amount=amount,
                unit="Wh",
                ended=time,
            )
        time, reason, quantity, amount, unit, ended = data
        return cls(
            time=time,
            reason=Reason(reason),
            quantity=quantity,
            amount=amount,
            unit=unit,
            ended=ended,
        )
