"""Whether the configured meter still answers."""

from modbus_connection.exceptions import ModbusExceptionError, ModbusTimeoutError
import pytest

from custom_components.carbon_meter.metering.errors import MeterRejectedError, MeterSilentError
from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from custom_components.carbon_meter.metering.modbus.verification import WrongMeterError, verify
from custom_components.carbon_meter.metering.profile_library import load_profiles

PACKAGED = load_profiles().of(ModbusProfile)


class Unit:
    """Holding registers only."""

    def __init__(self, ranges: dict[int, list[int]], error: Exception | None = None) -> None:
        self.memory = {
            start + offset: word
            for start, words in ranges.items()
            for offset, word in enumerate(words)
        }
        self.error = error or ModbusExceptionError.from_code(2)

    async def read_holding_registers(self, address: int, count: int) -> list[int]:
        try:
            return [self.memory[place] for place in range(address, address + count)]
        except KeyError:
            raise self.error from None

    async def read_input_registers(self, address: int, count: int) -> list[int]:
        raise AssertionError("identities are holding registers")


SDM630 = PACKAGED["eastron_sdm630"]
SERIAL = {0xFC00: [0x0131, 0x2D00]}


async def test_the_right_serial_number_is_the_right_meter() -> None:
    assert await verify(Unit(SERIAL), SDM630, base=0, serial="20000000") == 0


async def test_another_serial_number_is_another_meter() -> None:
    with pytest.raises(WrongMeterError, match="20000000 answers instead of 4711") as caught:
        await verify(Unit(SERIAL), SDM630, base=0, serial="4711")
    assert (caught.value.expected, caught.value.found) == ("4711", "20000000")


@pytest.mark.parametrize("unit", [Unit({}), Unit({0xFC00: [0, 0]}), Unit({0xFC00: [0xFFFF] * 2})])
async def test_a_meter_that_does_not_tell_its_number_is_taken_for_the_right_one(unit) -> None:
    assert await verify(unit, SDM630, base=0, serial="4711") == 0


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ModbusExceptionError.from_code(6), MeterRejectedError),
        (ModbusExceptionError.from_code(11), MeterRejectedError),
        (ModbusTimeoutError("slow"), MeterSilentError),
    ],
)
async def test_a_meter_that_cannot_be_asked_is_not_taken_for_the_right_one(error, expected) -> None:
    with pytest.raises(expected):
        await verify(Unit({}, error), SDM630, base=0, serial="4711")


async def test_without_a_known_number_nothing_is_asked() -> None:
    assert await verify(Unit({}, AssertionError()), SDM630, base=0, serial="") == 0


def common(serial: str) -> list[int]:
    body = [0] * 65
    raw = serial.encode().ljust(32, b"\0")
    body[48:64] = [int.from_bytes(raw[index : index + 2], "big") for index in range(0, 32, 2)]
    return [1, 65, *body]


METER = [203, 105, *[0] * 105]
INVERTER = [103, 50, *[0] * 50]
SUNSPEC = PACKAGED["sunspec_meter_integer"]


def chain(*models: list[int]) -> Unit:
    return Unit({40000: [0x5375, 0x6E53, *(word for model in models for word in model)]})


async def test_a_model_is_found_again_when_the_chain_before_it_has_changed() -> None:
    unit = chain(common("I1"), INVERTER, common("M1"), METER)

    assert await verify(unit, SUNSPEC, base=40069, serial="M1") == 40000 + 2 + 67 + 52 + 67


async def test_of_two_meters_with_one_identity_each_stays_itself() -> None:
    unit = chain(common("M1"), METER, METER)

    for base in (40069, 40069 + 107):
        assert await verify(unit, SUNSPEC, base=base, serial="M1") == base


async def test_a_chain_with_other_meters_only_is_the_wrong_device() -> None:
    with pytest.raises(WrongMeterError, match="M2, M3 answers instead of M1"):
        await verify(
            chain(common("M2"), METER, METER, common("M3"), METER),
            SUNSPEC,
            base=40069,
            serial="M1",
        )


@pytest.mark.parametrize("unit", [Unit({}), chain(common(""), METER), chain(common("M2"))])
async def test_a_chain_that_says_nothing_of_the_meter_changes_nothing(unit) -> None:
    assert await verify(unit, SUNSPEC, base=40069, serial="M1") == 40069
