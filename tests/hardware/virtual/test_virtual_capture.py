"""Devices that say what a real one once said."""

from custom_components.carbon_meter.metering.modbus.registers import Function
from hardware.virtual import CapturedDevice
from hardware.virtual.device import Answer


def test_what_was_captured_is_served_and_nothing_else() -> None:
    device = CapturedDevice(5, holding={10: [1, 2], 12: [3]}, input_registers={10: [9]})
    assert device.unit == 5
    assert device.answer(Function.HOLDING, 10, 3) == Answer(words=(1, 2, 3))
    assert device.answer(Function.INPUT, 10, 1) == Answer(words=(9,))
    for function, address, count in (
        (Function.HOLDING, 9, 2),
        (Function.HOLDING, 12, 2),
        (Function.INPUT, 11, 1),
        (Function.HOLDING, 10, 0),
    ):
        assert device.answer(function, address, count) == Answer(code=2)
