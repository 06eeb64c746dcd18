"""A family of Speedwire meters as data, and how its channels become quantities."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from ..profile import Profile
from ..quantities import QUANTITIES
from ..readings import Fault, Reading
from .telegram import COUNTER, CURRENT, SpeedwireMessage

_NOT_AVAILABLE: Final = {CURRENT: 0xFFFFFFFF, COUNTER: 0xFFFFFFFFFFFFFFFF}
"""SMA's NaN of U32 and U64."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Channel:
    """Where one quantity is found in a telegram."""

    quantity: str
    channel: int
    type: int
    """`CURRENT` or `COUNTER`."""

    factor: Fraction
    """From the raw value to the unit of the quantity."""

    other: int | None = None
    """A second channel, where each direction has one of its own."""

    other_sign: int = -1
    """Whether the second channel is taken off (-1) or added (1)."""

    sources: tuple[str, ...] = ()

    def raw(self, values: Mapping[tuple[int, int], int]) -> int | None:
        """Return the raw value; None where the meter does not send or not know all of it."""
        first = self._known(values, self.channel)
        if first is None or self.other is None:
            return first
        second = self._known(values, self.other)
        return None if second is None else first + self.other_sign * second

    def _known(self, values: Mapping[tuple[int, int], int], channel: int) -> int | None:
        raw = values.get((channel, self.type))
        return None if raw == _NOT_AVAILABLE[self.type] else raw


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeedwireProfile(Profile):
    """Which channels hold which quantity."""

    channels: Mapping[str, Channel]
    """By quantity."""

    susy_ids: Mapping[int, str]
    """The models of the family by their SUSyID."""

    def decode(self, message: SpeedwireMessage) -> Reading:
        """Return the reading that a telegram holds, with the time at which it was heard.

        What the meter does not send or not know is left out; more than any meter can
        report is a fault.
        """
        values: dict[str, float] = {}
        faults: list[Fault] = []
        for key, channel in self.channels.items():
            raw = channel.raw(message.values)
            if raw is None:
                continue
            value = float(raw * channel.factor)
            if abs(value) > QUANTITIES[key].limit:
                faults.append(
                    Fault(
                        quantity=key,
                        register=f"channel {channel.channel}.{channel.type}",
                        reason=f"implausible value {value:g}",
                    )
                )
                continue
            values[key] = value
        return Reading(time=message.time, values=values, faults=tuple(faults))
