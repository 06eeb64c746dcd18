"""Modbus: a profile's registers become a reading.

The unit is handed in (Home Assistant's shared connection in production): this
module opens no socket of its own.
"""

from collections.abc import Callable, Iterable, Mapping
import time
from typing import Final, Protocol

from modbus_connection.exceptions import (
    ModbusConnectionError,
    ModbusError,
    ModbusExceptionError,
    ModbusTimeoutError,
)

from ..errors import (
    MeterError,
    MeterGarbledError,
    MeterRefusedError,
    MeterRejectedError,
    MeterSilentError,
    MeterUnreachableError,
)
from ..readings import Fault, Reading
from .blocks import Block, Span, plan_blocks
from .choices import Chooser, Shown
from .layout import Layout, Said, Wanted
from .profile import ModbusProfile
from .registers import Function, Register

_REGISTERS: Final = 65536
_NO_CONNECTION: Final = "could not "
"""What the library says of a connection that never stood: could not connect to, could not open."""

_NO_SUCH_ADDRESS: Final = 2
"""The exception code by which a meter says that it does not have a register."""


class RegisterUnit(Protocol):
    """What is needed of a Modbus unit; `modbus_connection.ModbusUnit` has it."""

    async def read_holding_registers(self, address: int, count: int) -> list[int]:
        """Read with function code 3."""

    async def read_input_registers(self, address: int, count: int) -> list[int]:
        """Read with function code 4."""


async def read_words(unit: RegisterUnit, function: Function, address: int, count: int) -> list[int]:
    """Read registers; raises a `MeterError` that says what went wrong and where."""
    read = (
        unit.read_holding_registers if function is Function.HOLDING else unit.read_input_registers
    )
    if address + count > _REGISTERS:
        # A chain of models can point there; it is answered as the meter would.
        place = _place(function, address, count)
        raise MeterRejectedError(f"{place}: there are none behind 0xFFFF", code=2)
    try:
        words = await read(address, count)
    except ModbusError as err:
        raise _translated(err, _place(function, address, count)) from err
    if len(words) != count:
        place = _place(function, address, count)
        raise MeterGarbledError(f"{place}: {len(words)} registers came instead of {count}")
    return words


def _place(function: Function, address: int, count: int) -> str:
    return f"{function} registers 0x{address:04X} to 0x{address + count - 1:04X}"


def _translated(err: ModbusError, place: str) -> MeterError:
    """Return our error for one of the Modbus library's."""
    match err:
        case ModbusExceptionError():
            return MeterRejectedError(f"{place}: {err}", code=err.exception_code)
        case ModbusTimeoutError() | ModbusConnectionError() if _NO_CONNECTION in str(err):
            return _not_connected(err)
        case ModbusTimeoutError():
            return MeterSilentError(f"{place}: no answer in time")
        case ModbusConnectionError():
            return MeterSilentError(f"{place}: the connection was closed instead of an answer")
        case _:
            return MeterGarbledError(f"{place}: {err}")


def _not_connected(err: ModbusError) -> MeterUnreachableError:
    """Return whether nobody is there, or somebody who refuses."""
    cause: BaseException | None = err
    while cause is not None:
        if isinstance(cause, ConnectionRefusedError):
            return MeterRefusedError(str(err))
        cause = cause.__cause__ or cause.__context__
    return MeterUnreachableError(str(err))


class ModbusMeter:
    """One meter behind a Modbus unit, read by its profile.

    A request that the meter refuses because of its registers is split until
    the registers that this meter really has are left; the plan is kept. Where the
    family has several ways to give a quantity, all are read until it is clear which
    of them this meter has; until then the quantity is absent.
    """

    def __init__(
        self,
        unit: RegisterUnit,
        profile: ModbusProfile,
        *,
        base: int = 0,
        registers: Iterable[Register] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Plan the requests.

        `base` is where the profile's addresses count from: 0 for a fixed map, the
        model's header for SunSpec. `registers` limits what is read. `clock` gives
        seconds since 1970 UTC.
        """
        self.profile = profile
        self._unit = unit
        self._base = base
        self._clock = clock
        self._choosers: list[Chooser] = []
        if registers is None:
            self._choosers = [Chooser(choice) for choice in profile.choices]
            registers = profile.fixed_registers
        self._wanted = [Wanted(register=register) for register in registers]
        for chooser in self._choosers:
            self._wanted += [
                Wanted(register=register, option=option)
                for option in chooser.choice.options
                for register in option.registers.values()
            ]
        self._blocks = self._planned()
        self._absent: set[Span] = set()
        self._unknown: tuple[str, ...] = ()
        self._layout: Layout | None = None

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Return the requests of one full reading, as they stand now."""
        return self._blocks

    @property
    def absent(self) -> tuple[str, ...]:
        """Return the quantities whose registers this meter refuses or its model does not have."""
        refused = [
            item.register.quantity
            for item in self._wanted
            if not self._absent.isdisjoint(item.needed(self._base))
        ]
        there = {item.register.quantity for item in self._wanted} - set(refused)
        return tuple(key for key in dict.fromkeys((*refused, *self._unknown)) if key not in there)

    async def read(self) -> Reading:
        """Read everything once.

        Raises MeterError when the meter cannot be read. A register with a
        not-available code is left out, one with an impossible value becomes a fault.
        """
        if self._layout is None:
            contents = await self._explore()
            self._layout = Layout.of(self._wanted, self._blocks, self._base)
        else:
            # What has worked before is refused for another reason than its registers.
            contents = [
                await read_words(self._unit, function, address, count)
                for function, address, count in self._layout.requests
            ]
        moment = self._clock()
        if any(chooser.chosen is None for chooser in self._choosers):
            return self._reading(self._layout.decode(contents), moment)
        values, faults = self._layout.read(contents)
        return Reading(time=moment, values=values, faults=tuple(faults))

    def _planned(self) -> tuple[Block, ...]:
        spans = [span for item in self._wanted for span in item.spans(self._base)]
        return plan_blocks(spans, self.profile.max_registers)

    async def _explore(self) -> list[list[int]]:
        """Read everything for the first time; what the meter refuses is left out of the plan."""
        await self._leave_out_other_models()
        await self._find_function()
        proven: list[tuple[Block, list[int]]] = []
        absent: dict[Span, int | None] = {}
        for block in self._blocks:
            proven.extend(await self._read_block(block, absent))
        if not proven:
            raise MeterRejectedError(
                f"none of the registers of {self.profile.title} exist in this device", code=2
            )
        self._blocks = tuple(block for block, _ in proven)
        self._absent |= self._really_absent(absent)
        return [content for _, content in proven]

    def _really_absent(self, absent: Mapping[Span, int | None]) -> set[Span]:
        """Return what the meter refuses; raise where a sum would silently lose a part."""
        for item in self._wanted:
            own, *rest = item.spans(self._base)
            for span in rest[: len(item.register.plus)]:
                if own not in absent and absent.get(span, _NO_SUCH_ADDRESS) != _NO_SUCH_ADDRESS:
                    raise MeterRejectedError(
                        f"{span.function} 0x{span.address:04X} was refused", code=absent[span]
                    )
        return set(absent)

    async def _leave_out_other_models(self) -> None:
        """Leave out the registers that only other models of the family have."""
        if not any(item.register.models for item in self._wanted):
            return
        model = ""
        if (identity := self.profile.identity.get("model")) is not None:
            try:
                words = await read_words(
                    self._unit, identity.function, identity.address, identity.length
                )
                model = identity.decode(words).lower()
            except MeterRejectedError as err:
                if not err.is_about_registers:
                    raise
        kept = [
            item
            for item in self._wanted
            if not item.register.models
            or any(name.lower() in model for name in item.register.models)
        ]
        self._unknown = tuple(item.register.quantity for item in self._wanted if item not in kept)
        self._wanted = kept
        self._blocks = self._planned()

    async def _find_function(self) -> None:
        """Take the other function code where the meter has its map only there."""
        first, other = self._blocks[0].spans[0], self.profile.other_function
        if other is None or first.function is other:
            return
        try:
            await read_words(self._unit, first.function, first.address, first.words)
        except (MeterRejectedError, MeterSilentError) as err:
            try:
                await read_words(self._unit, other, first.address, first.words)
            except MeterRejectedError, MeterSilentError:
                if isinstance(err, MeterRejectedError) and err.is_about_registers:
                    return
                raise err from None
            self._wanted = [item.through(other) for item in self._wanted]
            self._blocks = self._planned()

    async def _read_block(
        self, block: Block, absent: dict[Span, int | None]
    ) -> list[tuple[Block, list[int]]]:
        """Return the requests that a block takes with what they bring; `absent` gets the rest."""
        try:
            content = await read_words(self._unit, block.function, block.address, block.words)
        except MeterRejectedError as err:
            if not err.is_about_registers:
                raise
            if len(block.spans) == 1:
                absent[block.spans[0]] = err.code
                return []
            first, second = block.split()
            return [
                *await self._read_block(first, absent),
                *await self._read_block(second, absent),
            ]
        return [(block, content)]

    def _reading(self, said: list[Said], moment: float) -> Reading:
        """Return what the registers say together, of each choice what is true of this meter."""
        options = [chooser.chosen for chooser in self._choosers]
        certain = [each for each in said if each.wanted.option in (None, *options)]
        values = {
            each.wanted.register.quantity: each.value for each in certain if each.value is not None
        }
        faults = [each.fault for each in certain if each.fault is not None]
        for chooser in self._choosers:
            if chooser.chosen is None:
                values |= chooser.choose(_shown(chooser, said))
                faults += self._disputes(chooser)
        self._forget_other_options()
        return Reading(time=moment, values=values, faults=tuple(faults))

    def _disputes(self, chooser: Chooser) -> Iterable[Fault]:
        """Return a fault for each quantity of which it is not clear what it is."""
        names = " or ".join(option.name for option in chooser.choice.options)
        for key in sorted(chooser.disputed):
            place = self.profile.registers[key].place(self._base)
            reason = f"not clear yet whether {names}"
            yield Fault(quantity=key, register=place, reason=reason)

    def _forget_other_options(self) -> None:
        """Read no more what this meter has turned out not to have."""
        done = [chooser for chooser in self._choosers if chooser.chosen is not None]
        dropped = [
            option
            for chooser in done
            for option in chooser.choice.options
            if option is not chooser.chosen
        ]
        if not any(item.option is option for item in self._wanted for option in dropped):
            return
        self._wanted = [
            item for item in self._wanted if not any(item.option is option for option in dropped)
        ]
        needed = {span for item in self._wanted for span in item.spans(self._base)}
        kept = (
            Block(spans=tuple(span for span in block.spans if span in needed))
            for block in self._blocks
        )
        self._blocks = tuple(block for block in kept if block.spans)
        self._layout = Layout.of(self._wanted, self._blocks, self._base)


def _shown(chooser: Chooser, said: list[Said]) -> list[Shown]:
    """Return what each option would mean that the meter has registers for."""
    shown: list[Shown] = []
    for option in chooser.choice.options:
        own = [each for each in said if each.wanted.option is option]
        values = {
            each.wanted.register.quantity: each.value for each in own if each.value is not None
        }
        if own:
            faulty = any(each.fault for each in own)
            shown.append(Shown(option=option, values=values, faulty=faulty))
    return shown
