"""A meter family as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from .registers import Function, IdentityRegister, Register


class Protocol(StrEnum):
    """How the registers of a family are laid out."""

    MODBUS = "modbus"
    """A fixed map: every meter of the family has the same addresses."""

    SUNSPEC = "sunspec"
    """A chain of models: the addresses count from where the model was found."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """A register content that proves the family.

    Either `codes` holds the numbers that the register may have, or `text` is
    found in it, letter case aside.
    """

    address: int
    function: Function
    length: int
    codes: frozenset[int] = frozenset()
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """Everything that is known about one family of meters."""

    id: str
    vendor: str
    name: str
    """What the family is called where the device does not say its model."""

    models: tuple[str, ...]
    phases: int
    protocol: Protocol
    registers: Mapping[str, Register]
    """By quantity."""

    max_registers: int
    """Most words that one request may ask for."""

    signatures: tuple[Signature, ...] = ()
    sunspec_models: frozenset[int] = frozenset()
    identity: Mapping[str, IdentityRegister] = MappingProxyType({})
    """Where the meter says its `manufacturer`, `model` and `serial`."""

    message_spacing: float = 0.0
    """Seconds of silence that the meter needs around a request."""

    max_power: float = 1e6
    """W that no installation of this family carries: beyond it a counter has jumped."""

    rollover: Mapping[str, float] = MappingProxyType({})
    """Wh at which a counter starts again from zero, by quantity."""

    export_positive: frozenset[str] = frozenset()
    """Makers, in small letters, whose meters of this family show export as positive power."""

    confirmed: bool = True
    """Whether more than one independent source gives this map."""

    @property
    def title(self) -> str:
        """Return the vendor and the family for people."""
        return f"{self.vendor} {self.name}"
