"""Modbus: a profile's registers become a reading.

The unit is handed in (Home Assistant's shared connection in production): this
module opens no socket of its own.
"""

from collections.abc import Callable, Iterable
import time
from typing import Final, Protocol

from modbus_connection.exceptions import (
    ModbusConnectionError,
    ModbusError,
    ModbusExceptionError,
    ModbusTimeoutError,
)

from ..blocks import Block, Span, plan_blocks
from ..errors import (
    MeterError,
    MeterGarbledError,
    MeterRefusedError,
    MeterRejectedError,
    MeterSilentError,
    MeterUnreachableError,
)
from ..profile import Profile
from ..readings import Fault, Reading
from ..registers import (
    SUNSPEC_NO_SCALE,
    Function,
    ImplausibleError,
    NotAvailableError,
    Register,
)

_REGISTERS: Final = 65536
_NO_CONNECTION: Final = "could not "
"""What the library says of a connection that never stood: could not connect to, could not open."""

_SCALE_LIMIT: Final = 10
"""SunSpec scale factors run from -10 to 10."""


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
    place = f"{function} registers 0x{address:04X} to 0x{address + count - 1:04X}"
    if address + count > _REGISTERS:
        # A chain of models can point there; it is answered as the meter would.
        raise MeterRejectedError(f"{place}: there are none behind 0xFFFF", code=2)
    try:
        words = await read(address, count)
    except ModbusError as err:
        raise _translated(err, place) from err
    if len(words) != count:
        raise MeterGarbledError(f"{place}: {len(words)} registers came instead of {count}")
    return words


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
    the registers that this meter really has are left; the plan is kept.
    """

    def __init__(
        self,
        unit: RegisterUnit,
        profile: Profile,
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
        chosen = tuple(profile.registers.values() if registers is None else registers)
        self._registers = chosen
        self._blocks = plan_blocks(_spans(chosen, base), profile.max_registers)
        self._proven: set[Block] = set()
        self._absent: set[Span] = set()

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Return the requests of one full reading, as they stand now."""
        return self._blocks

    @property
    def absent(self) -> tuple[str, ...]:
        """Return the quantities whose registers this meter refuses."""
        return tuple(
            register.quantity
            for register in self._registers
            if not self._absent.isdisjoint(_spans([register], self._base))
        )

    async def read(self) -> Reading:
        """Read everything once.

        Raises MeterError when the meter cannot be read. A register with a
        not-available code is left out, one with an impossible value becomes a fault.
        """
        words: dict[tuple[Function, int], int] = {}
        plan: list[Block] = []
        absent: set[Span] = set()
        for block in self._blocks:
            plan.extend(await self._read_block(block, words, absent))
        if not plan:
            raise MeterRejectedError(
                f"none of the registers of {self.profile.title} exist in this device", code=2
            )
        self._blocks = tuple(plan)
        self._proven.update(plan)
        self._absent |= absent
        return self._decode(words, self._clock())

    async def _read_block(
        self, block: Block, words: dict[tuple[Function, int], int], absent: set[Span]
    ) -> list[Block]:
        """Read a block into `words`, what the meter lacks into `absent`; return the requests."""
        try:
            content = await read_words(self._unit, block.function, block.address, block.words)
        except MeterRejectedError as err:
            # What has worked before is refused for another reason than its registers.
            if not err.is_about_registers or block in self._proven:
                raise
            if len(block.spans) == 1:
                absent.add(block.spans[0])
                return []
            first, second = block.split()
            return [
                *await self._read_block(first, words, absent),
                *await self._read_block(second, words, absent),
            ]
        for offset, word in enumerate(content):
            words[block.function, block.address + offset] = word
        return [block]

    def _decode(self, words: dict[tuple[Function, int], int], moment: float) -> Reading:
        """Return the reading that lies in the words."""
        values: dict[str, float] = {}
        faults: list[Fault] = []
        for register in self._registers:
            start = self._base + register.address
            try:
                content = [
                    words[register.function, address]
                    for address in range(start, start + register.words)
                ]
                exponent = self._exponent(register, words)
                values[register.quantity] = register.decode(content, exponent)
            except KeyError, NotAvailableError:
                continue
            except ImplausibleError as err:
                faults.append(
                    Fault(
                        quantity=register.quantity,
                        register=register.place(self._base),
                        reason=f"implausible value {err}",
                    )
                )
        return Reading(time=moment, values=values, faults=tuple(faults))

    def _exponent(self, register: Register, words: dict[tuple[Function, int], int]) -> int:
        """Return the SunSpec scale factor of a register, 0 where it has none."""
        if register.scale_register is None:
            return 0
        raw = words[register.function, self._base + register.scale_register]
        if raw == SUNSPEC_NO_SCALE:
            raise NotAvailableError("scale factor not implemented")
        exponent = raw - 0x10000 if raw & 0x8000 else raw
        if abs(exponent) > _SCALE_LIMIT:
            raise ImplausibleError(f"with the scale factor {exponent}")
        return exponent


def _spans(registers: Iterable[Register], base: int) -> list[Span]:
    """Return what has to be read for the registers and their scale factors."""
    spans: list[Span] = []
    for register in registers:
        spans.append(
            Span(
                function=register.function,
                address=base + register.address,
                words=register.words,
                alone=register.alone,
            )
        )
        if register.scale_register is not None:
            spans.append(
                Span(function=register.function, address=base + register.scale_register, words=1)
            )
    return spans
