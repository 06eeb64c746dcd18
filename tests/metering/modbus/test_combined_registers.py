"""Values of more than one register: sums, differences, ratios, formats and other function codes."""

from fractions import Fraction
from typing import Any

from modbus_connection.exceptions import ModbusExceptionError, ModbusTimeoutError
import pytest

from custom_components.carbon_meter.metering.errors import MeterRejectedError, MeterSilentError
from custom_components.carbon_meter.metering.modbus.meter import ModbusMeter
from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from custom_components.carbon_meter.metering.modbus.registers import (
    Coding,
    Function,
    ImplausibleError,
    NotAvailableError,
    Ratio,
    Register,
    ScaleCoding,
    WordOrder,
)
from custom_components.carbon_meter.metering.modbus.texts import IdentityRegister


def register(quantity: str, address: int, kind: str = "u16", **changes: Any) -> Register:
    fields: dict[str, Any] = {"function": Function.HOLDING, "word_order": WordOrder.BIG}
    return Register(quantity=quantity, address=address, type=kind, **(fields | changes))


def profile(*registers: Register, **changes: Any) -> ModbusProfile:
    fields: dict[str, Any] = {
        "id": "test",
        "vendor": "Test",
        "name": "meter",
        "models": ("T1",),
        "phases": 1,
        "protocol": "modbus",
        "quantities": (),
        "registers": {item.quantity: item for item in registers},
        "max_registers": 125,
    }
    return ModbusProfile(**(fields | changes))


def ratio(name: str, address: int, factor: str = "1") -> Ratio:
    return Ratio(name=name, address=address, function=Function.HOLDING, factor=Fraction(factor))


TARIFFS = profile(register("energy_import", 0, plus=(2,)), register("power", 4))
NET = profile(register("power", 0, minus=(2,), not_available=frozenset({0xFFFF})))
PRIMARY = profile(
    register("power", 0, "s16", ratios=(ratio("pt", 8, "0.1"), ratio("ct", 9))),
    register("voltage", 1),
)


async def values(serve: Any, of: ModbusProfile, holding: dict[int, list[int]]) -> dict[str, float]:
    served = await serve(holding=holding)
    return dict((await ModbusMeter(served.unit, of).read()).values)


async def test_two_tariffs_make_one_counter(serve) -> None:
    assert await values(serve, TARIFFS, {0: [700, 0, 300], 4: [5]}) == {
        "energy_import": 1000.0,
        "power": 5.0,
    }


async def test_a_tariff_that_the_meter_does_not_have_is_nothing(serve) -> None:
    assert (await values(serve, TARIFFS, {0: [700], 4: [5]}))["energy_import"] == 700.0


async def test_a_counter_is_never_what_a_single_tariff_says() -> None:
    """A register that is there but fails now is not taken for one that does not exist."""

    class Failing:
        async def read_holding_registers(self, address: int, count: int) -> list[int]:
            if address <= 2 < address + count:
                raise ModbusExceptionError.from_code(4)
            return [7] * count

        async def read_input_registers(self, address: int, count: int) -> list[int]:
            raise NotImplementedError

    with pytest.raises(MeterRejectedError, match="0x0002 was refused") as caught:
        await ModbusMeter(Failing(), TARIFFS).read()
    assert caught.value.code == 4


@pytest.mark.parametrize(
    ("words", "power"), [([500, 0, 0], 500.0), ([0, 0, 40], -40.0), ([7, 9, 7], 0.0)]
)
async def test_a_power_is_the_difference_of_two_registers(serve, words, power) -> None:
    assert await values(serve, NET, {0: words}) == {"power": power}


@pytest.mark.parametrize("words", [[0xFFFF, 0, 0], [5, 0, 0xFFFF]])
async def test_half_of_a_difference_is_no_value(serve, words) -> None:
    assert await values(serve, NET, {0: words}) == {}


async def test_a_difference_whose_second_half_does_not_exist_is_absent(serve) -> None:
    served = await serve(holding={0: [5]})
    meter = ModbusMeter(served.unit, NET)

    assert (await meter.read()).values == {}
    assert meter.absent == ("power",)


async def test_values_are_multiplied_by_the_ratios(serve) -> None:
    read = await values(serve, PRIMARY, {0: [0xFFFE, 230], 8: [20, 40]})

    assert read == {"power": -160.0, "voltage": 230.0}


@pytest.mark.parametrize("raw", [0, 0xFFFF, 60_001])
async def test_an_absurd_ratio_is_a_fault_of_its_quantities(serve, raw) -> None:
    served = await serve(holding={0: [50, 230], 8: [10, raw]})

    reading = await ModbusMeter(served.unit, PRIMARY).read()

    assert reading.values == {"voltage": 230.0}
    (fault,) = reading.faults
    assert f"with the ratio ct = {raw}" in str(fault)


async def test_a_ratio_that_does_not_exist_takes_its_quantities_along(serve) -> None:
    assert await values(serve, PRIMARY, {0: [50, 230]}) == {"voltage": 230.0}


def test_the_energies_of_a_shark_have_their_format_beside_them() -> None:
    item = register(
        "energy_import",
        1099,
        "s32",
        scale_register=0x7535,
        scale_coding=ScaleCoding.SHARK,
        coding=Coding.MAGNITUDE,
    )

    assert item.decode([0xFFE9, 0xA638], item.exponent(0x3362)) == 14_647_760_000.0
    assert [item.exponent(raw) for raw in (0x00, 0x30, 0x36, 0x0F06)] == [0, 3, -3, -6]
    for raw in (0x10, 0x20, 0x47, 0x7F):
        with pytest.raises(ImplausibleError, match=f"the format 0x{raw:04X}"):
            item.exponent(raw)


def test_a_sunspec_scale_is_still_a_signed_number() -> None:
    item = register("voltage", 0, scale_register=1)

    assert (item.exponent(0xFFFE), item.exponent(3)) == (-2, 3)
    with pytest.raises(NotAvailableError):
        item.exponent(0x8000)
    with pytest.raises(ImplausibleError):
        item.exponent(11)


def test_numbers_that_only_misreading_gives_are_none() -> None:
    item = register("voltage", 0, "f32")

    for words in ([0, 0x59D8], [0x8000, 0x0001], [0x0010, 0]):
        with pytest.raises(ImplausibleError):
            item.decode(words)
    assert item.decode([0, 0]) == 0.0


MODELS = profile(
    register("power", 0),
    register("energy_export", 2, models=("ET340",)),
    identity={
        "model": IdentityRegister(
            address=11,
            function=Function.HOLDING,
            type="u16",
            length=1,
            names={341: "EM340", 345: "ET340"},
        )
    },
)


@pytest.mark.parametrize(("code", "exported"), [(345, {"energy_export": 9.0}), (341, {}), (77, {})])
async def test_a_register_of_some_models_is_read_on_those_only(serve, code, exported) -> None:
    served = await serve(holding={0: [5, 0, 9], 11: [code]})
    meter = ModbusMeter(served.unit, MODELS)

    assert (await meter.read()).values == {"power": 5.0} | exported
    assert meter.absent == (() if exported else ("energy_export",))


async def test_a_meter_that_does_not_tell_its_model_has_no_such_register(serve) -> None:
    assert await values(serve, MODELS, {0: [5, 0, 9]}) == {"power": 5.0}


EITHER = profile(
    register("power", 4, ratios=(ratio("ct", 9),)),
    register("voltage", 0),
    other_function=Function.INPUT,
)


@pytest.mark.parametrize("space", ["holding", "input_"])
async def test_a_map_is_found_with_either_function_code(serve, space) -> None:
    served = await serve(**{space: {0: [230, 0, 0, 0, 5], 9: [20]}})
    meter = ModbusMeter(served.unit, EITHER)

    for _ in range(2):
        assert (await meter.read()).values == {"power": 100.0, "voltage": 230.0}
    served.requests.clear()
    await meter.read()
    assert {each[0] for each in served.requests} == {space.removesuffix("_")}


async def test_nothing_with_either_function_code_is_no_meter(serve) -> None:
    served = await serve(holding={100: [1]})

    with pytest.raises(MeterRejectedError, match="none of the registers"):
        await ModbusMeter(served.unit, EITHER).read()


async def test_silence_on_both_function_codes_is_silence() -> None:
    class Unit:
        async def read_holding_registers(self, address: int, count: int) -> list[int]:
            raise ModbusTimeoutError("slow")

        read_input_registers = read_holding_registers

    with pytest.raises(MeterSilentError):
        await ModbusMeter(Unit(), EITHER).read()
