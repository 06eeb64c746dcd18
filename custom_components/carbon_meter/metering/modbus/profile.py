"""A family of Modbus meters as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ..profile import Profile
from .registers import Function, IdentityRegister, Register


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
class ModbusProfile(Profile):
    """Which registers hold which quantity.

    The map is fixed, every meter of the family has the same addresses; or it is that of
    SunSpec models, whose addresses count from where the chain of models has them.
    """

    registers: Mapping[str, Register]
    """By quantity."""

    max_registers: int
    """Most words that one request may ask for."""

    signatures: tuple[Signature, ...] = ()
    sunspec_models: frozenset[int] = frozenset()
    """The models that the map is for; empty for a fixed map."""

    identity: Mapping[str, IdentityRegister] = MappingProxyType({})
    """Where the meter says its `manufacturer`, `model` and `serial`."""

    message_spacing: float = 0.0
    """Seconds of silence that the meter needs around a request."""

    @property
    def is_chained(self) -> bool:
        """Return whether the addresses count from a SunSpec model."""
        return bool(self.sunspec_models)
