"""What a Modbus port asks of the devices behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from custom_components.carbon_meter.metering.modbus.registers import Function


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What comes back from one request, and what is wrong with it."""

    words: tuple[int, ...] = ()
    code: int | None = None
    """An exception code instead of words."""

    delay: float = 0.0
    """Real seconds until the answer is sent."""

    unit: int | None = None
    """Who seems to answer, if not the one who was asked."""

    silent: bool = False
    close: bool = False
    identification: Mapping[int, bytes] | None = None
    """The texts of the Modbus device identification instead of words."""

    broken: bool = False
    """Whether the answer is not Modbus."""


class Device(Protocol):
    """Something with registers behind a unit id."""

    @property
    def unit(self) -> int:
        """Return the unit id."""

    @property
    def identification(self) -> Mapping[int, bytes]:
        """Return the texts of the Modbus device identification (43/14) by object number.

        Nothing for a device that does not know the function.
        """

    def answer(self, function: Function, address: int, count: int) -> Answer:
        """Return what a read request brings; at once, whatever the delay it then gets."""
