"""Modbus: a profile's registers become a reading.

The unit is handed in (Home Assistant's shared connection in production): this
module opens no socket of its own.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
import time
from typing import Final, Protocol, Self

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
from .profile import ModbusProfile
from .registers import (
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
        chosen = tuple(profile.registers.values() if registers is None else registers)
        self._registers = chosen
        self._blocks = plan_blocks(_spans(chosen, base), profile.max_registers)
        self._absent: set[Span] = set()
        self._layout: _Layout | None = None

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
        if self._layout is None:
            contents = await self._explore()
            self._layout = _Layout.of(self._registers, self._blocks, self._base)
        else:
            # What has worked before is refused for another reason than its registers.
            contents = [
                await read_words(self._unit, function, address, count)
                for function, address, count in self._layout.requests
            ]
        return self._decode(self._layout, contents, self._clock())

    async def _explore(self) -> list[list[int]]:
        """Read everything for the first time; what the meter refuses is left out of the plan."""
        proven: list[tuple[Block, list[int]]] = []
        absent: set[Span] = set()
        for block in self._blocks:
            proven.extend(await self._read_block(block, absent))
        if not proven:
            raise MeterRejectedError(
                f"none of the registers of {self.profile.title} exist in this device", code=2
            )
        self._blocks = tuple(block for block, _ in proven)
        self._absent |= absent
        return [content for _, content in proven]

    async def _read_block(self, block: Block, absent: set[Span]) -> list[tuple[Block, list[int]]]:
        """Return the requests that a block takes with what they bring; `absent` gets the rest."""
        try:
            content = await read_words(self._unit, block.function, block.address, block.words)
        except MeterRejectedError as err:
            if not err.is_about_registers:
                raise
            if len(block.spans) == 1:
                absent.add(block.spans[0])
                return []
            first, second = block.split()
            return [
                *await self._read_block(first, absent),
                *await self._read_block(second, absent),
            ]
        return [(block, content)]

    def _decode(self, layout: _Layout, contents: Sequence[list[int]], moment: float) -> Reading:
        """Return the reading that lies in the words of each request."""
        values: dict[str, float] = {}
        faults: list[Fault] = []
        for field in layout.fields:
            register = field.register
            content = contents[field.request][field.start : field.end]
            try:
                exponent = 0 if field.scale is None else _exponent(contents, field.scale)
                values[register.quantity] = register.decode(content, exponent)
            except NotAvailableError:
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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Field:
    """Where a register lies in the answers of a full reading."""

    register: Register
    request: int
    start: int
    end: int
    scale: tuple[int, int] | None
    """Request and offset of the SunSpec scale factor."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Layout:
    """The proven requests of one full reading, and where each register lies in their answers."""

    requests: tuple[tuple[Function, int, int], ...]
    fields: tuple[_Field, ...]

    @classmethod
    def of(cls, registers: Iterable[Register], blocks: Sequence[Block], base: int) -> Self:
        """Lay out the registers that the blocks bring together with their scale factors."""
        # By span: what is read alone lies in its own request, also where another passes over it.
        places = {
            span: (number, span.address - block.address)
            for number, block in enumerate(blocks)
            for span in block.spans
        }
        fields: list[_Field] = []
        for register in registers:
            own, *others = (places.get(span) for span in _spans([register], base))
            scale = others[0] if others else None
            if own is None or (others and scale is None):
                continue
            request, start = own
            fields.append(
                _Field(
                    register=register,
                    request=request,
                    start=start,
                    end=start + register.words,
                    scale=scale,
                )
            )
        return cls(
            requests=tuple((block.function, block.address, block.words) for block in blocks),
            fields=tuple(fields),
        )


def _exponent(contents: Sequence[list[int]], place: tuple[int, int]) -> int:
    """Return the SunSpec scale factor at a place."""
    raw = contents[place[0]][place[1]]
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
