"""A family of Modbus meters as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from ..profile import Profile
from .registers import Function, Register
from .texts import IdentityRegister, clean_text


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """A register content that proves the family.

    Either `codes` holds the numbers that the register may have, or one of `texts` is
    found in it, letter case aside.
    """

    address: int
    function: Function
    length: int
    """Words to ask for: some devices answer this block in one piece only."""

    start: int = 0
    """Where in the block the content begins."""

    codes: frozenset[int] = frozenset()
    texts: tuple[str, ...] = ()
    swapped: bool = False
    """Whether the second character of each register comes first."""

    beside: Signature | None = None
    """What must be there too."""

    order: int = 50
    """When it is asked for: the smaller, the earlier."""

    def matches(self, words: Sequence[int]) -> bool:
        """Return whether the words of the block prove the family.

        Nothing but zeros or ones is no content: devices answer so where they have nothing.
        """
        content = words[self.start :]
        if not any(content) or all(word == 0xFFFF for word in content):
            return False
        if self.texts:
            said = clean_text(content, swapped=self.swapped).lower()
            return any(text.lower() in said for text in self.texts)
        raw = 0
        for word in content:
            raw = raw << 16 | word
        return raw in self.codes


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceSignature:
    """Texts in the Modbus device identification (function 43/14) that prove the family."""

    vendor: str
    product: str

    def matches(self, vendor: str, product: str) -> bool:
        """Return whether both texts are found in what the device says, letter case aside."""
        return self.vendor.lower() in vendor.lower() and self.product.lower() in product.lower()


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """One of several ways in which the meters of a family give the same quantities."""

    name: str
    registers: Mapping[str, Register]
    """By quantity."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """Ways of which a meter has one: the readings say which."""

    name: str
    options: tuple[Option, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ModbusProfile(Profile):
    """Which registers hold which quantity.

    The map is fixed, every meter of the family has the same addresses; or it is that of
    SunSpec models, whose addresses count from where the chain of models has them.
    """

    registers: Mapping[str, Register]
    """By quantity; of a choice the first option that has it."""

    max_registers: int
    """Most words that one request may ask for."""

    function: Function = Function.HOLDING
    other_function: Function | None = None
    """Where the same map is found as well; used when the meter refuses the first."""

    choices: tuple[Choice, ...] = ()
    checks: tuple[Register, ...] = ()
    """Registers that repeat a quantity: by them a map proves to be the right one."""

    signatures: tuple[Signature, ...] = ()
    device_signature: DeviceSignature | None = None
    sunspec_models: frozenset[int] = frozenset()
    """The models that the map is for; empty for a fixed map."""

    identity: Mapping[str, IdentityRegister] = MappingProxyType({})
    """Where the meter says its `manufacturer`, `model` and `serial`."""

    message_spacing: float = 0.0
    """Seconds of silence that the meter needs around a request."""

    transport: tuple[str, ...] = ()
    """How the meters are connected."""

    serial_line: str = ""
    """Speed and framing as delivered, where a gateway has to know them."""

    role: str = ""
    """Where such a meter always sits, if it does."""

    @property
    def fixed_registers(self) -> tuple[Register, ...]:
        """Return the registers that every meter of the family has in the same way."""
        chosen = {
            key for choice in self.choices for option in choice.options for key in option.registers
        }
        return tuple(register for key, register in self.registers.items() if key not in chosen)

    @property
    def is_provable(self) -> bool:
        """Return whether a meter can say that it is of this family."""
        return bool(self.signatures or self.device_signature or self.sunspec_models)

    @property
    def is_chained(self) -> bool:
        """Return whether the addresses count from a SunSpec model."""
        return bool(self.sunspec_models)
