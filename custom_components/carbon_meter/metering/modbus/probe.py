"""A unit that is asked each question once while somebody finds out what it is."""

from typing import Final

from ..errors import (
    MeterError,
    MeterGarbledError,
    MeterRejectedError,
    MeterSilentError,
)
from .meter import RegisterUnit, read_words
from .registers import Function

_SILENCES_BEFORE_GIVING_UP: Final = 2
"""A device that has said nothing to two different questions is not asked a third."""

_FEWEST_WORDS: Final = 4
"""A meter has more different words than that in its registers, whatever flows."""

_IDENTIFICATION_OBJECTS: Final = {0: "vendor", 1: "product", 2: "revision", 4: "name", 5: "model"}


class Probe:
    """Asks a unit, remembers what it said, and tells it.

    It is a `RegisterUnit` itself, so that a meter can be read through it: then the words
    are fresh, so that they are of one moment, and only refusals are remembered.
    """

    def __init__(self, unit: RegisterUnit) -> None:
        """Begin without having asked anything."""
        self.unit = unit
        self.seen: list[str] = []
        self._answers: dict[tuple[Function, int, int], list[int]] = {}
        self._refusals: dict[tuple[Function, int, int], MeterError] = {}
        self._identification: dict[str, str] | None = None
        self._silences = 0
        self._answered = False
        self._last_error: MeterError | None = None

    @property
    def gives_up(self) -> bool:
        """Return whether nobody seems to be there."""
        return not self._answered and self._silences >= _SILENCES_BEFORE_GIVING_UP

    @property
    def refuses(self) -> bool:
        """Return whether there are registers that the device does not have."""
        return bool(self._refusals)

    @property
    def is_varied(self) -> bool:
        """Return whether the device says more than the same few words everywhere."""
        said = {word for words in self._answers.values() for word in words}
        return len(said) >= _FEWEST_WORDS

    async def read(self, function: Function, address: int, count: int) -> list[int] | None:
        """Return the words, None where the device refuses or says nothing to this question."""
        key = (function, address, count)
        if key not in self._answers:
            try:
                return await self._ask(*key)
            except MeterRejectedError, MeterSilentError, MeterGarbledError:
                if self.gives_up:
                    raise
                return None
        return self._answers[key]

    async def read_holding_registers(self, address: int, count: int) -> list[int]:
        """Read with function code 3."""
        return await self._ask(Function.HOLDING, address, count)

    async def read_input_registers(self, address: int, count: int) -> list[int]:
        """Read with function code 4."""
        return await self._ask(Function.INPUT, address, count)

    async def identification(self) -> dict[str, str]:
        """Return what the device says of itself by function 43/14; empty where it does not."""
        if self._identification is None:
            self._identification = await self._read_identification()
            self.seen += [f"{name} {text}" for name, text in self._identification.items()]
        return self._identification

    async def _read_identification(self) -> dict[str, str]:
        read = getattr(self.unit, "read_device_identification", None)
        if read is None:
            return {}
        try:
            objects: dict[int, bytes] = await read()
        except Exception as err:  # noqa: BLE001  # most devices do not know the function: any failure is one
            self.seen.append(f"no Modbus identification ({type(err).__name__})")
            return {}
        texts = {
            name: objects.get(key, b"").decode("utf-8", errors="replace").strip("\0 ")
            for key, name in _IDENTIFICATION_OBJECTS.items()
        }
        return {name: text for name, text in texts.items() if text}

    def raise_if_nothing_was_said(self) -> None:
        """Raise why, when not one question got an answer; tell if all were refused."""
        if self._last_error is None:
            return
        if not self._answered:
            raise self._last_error
        if not self.seen:
            self.seen.append(str(self._last_error))

    async def _ask(self, function: Function, address: int, count: int) -> list[int]:
        """Read registers and take note of what comes of it."""
        key = (function, address, count)
        if (refusal := self._refusals.get(key)) is not None:
            raise refusal
        try:
            words = await read_words(self.unit, function, address, count)
        except MeterRejectedError as err:
            self._last_error = err
            # A gateway says no more than that the device is silent, perhaps to this only.
            if err.is_about_unit:
                self._silences += 1
            else:
                self._answered = True
            if err.is_about_registers or err.is_about_unit:
                self._refusals[key] = err
            raise
        except (MeterSilentError, MeterGarbledError) as err:
            self._last_error = err
            self._silences += 1
            self._refusals[key] = err
            raise
        self._answered = True
        if any(words) and key not in self._answers:
            shown = " ".join(f"{word:04X}" for word in words[:8])
            self.seen.append(f"{function} 0x{address:04X}: {shown}{' …' if count > 8 else ''}")
        self._answers[key] = words
        return words
