"""A device that always says what a real one once said."""

from collections.abc import Mapping, Sequence

from custom_components.carbon_meter.metering.modbus.registers import Function

from .device import Answer
from .image import ILLEGAL_ADDRESS


class CapturedDevice:
    """Serves captured registers; what was not captured does not exist."""

    def __init__(
        self,
        unit: int,
        *,
        holding: Mapping[int, Sequence[int]] | None = None,
        input_registers: Mapping[int, Sequence[int]] | None = None,
        identification: Mapping[int, bytes] | None = None,
    ) -> None:
        """Take the words of each space, in blocks by the address of their first register."""
        self._unit = unit
        self.identification = identification or {}
        self._words = {
            (function, start + offset): word
            for function, blocks in (
                (Function.HOLDING, holding or {}),
                (Function.INPUT, input_registers or {}),
            )
            for start, words in blocks.items()
            for offset, word in enumerate(words)
        }

    @property
    def unit(self) -> int:
        """Return the unit id."""
        return self._unit

    def answer(self, function: Function, address: int, count: int) -> Answer:
        """Return the captured words."""
        places = [(function, at) for at in range(address, address + count)]
        if not places or any(place not in self._words for place in places):
            return Answer(code=ILLEGAL_ADDRESS)
        return Answer(words=tuple(self._words[place] for place in places))
