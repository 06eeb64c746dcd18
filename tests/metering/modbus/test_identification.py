"""Which meter answers: by what it says, by what is plausible, or not at all."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
import struct

from modbus_connection import ModbusTcpParams
from modbus_connection.exceptions import ModbusExceptionError, ModbusTimeoutError
from modbus_connection.tmodbus import ModbusConnection, TmodbusUnit
from pymodbus.constants import ExcCodes
import pytest

from custom_components.carbon_meter.metering.errors import (
    MeterError,
    MeterGarbledError,
    MeterRefusedError,
    MeterRejectedError,
    MeterSilentError,
)
from custom_components.carbon_meter.metering.modbus.identification import Candidate, identify
from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from custom_components.carbon_meter.metering.profile_library import load_profiles
from custom_components.carbon_meter.metering.readings import Reading

PACKAGED = load_profiles().of(ModbusProfile)

THREE_PHASES = {f"voltage_l{phase}": 230.0 + phase for phase in (1, 2, 3)}
THREE_PHASES |= {f"current_l{phase}": 2.0 for phase in (1, 2, 3)}
THREE_PHASES |= {f"power_l{phase}": 450.0 for phase in (1, 2, 3)}
THREE_PHASES |= {"power": 1350.0, "frequency": 50.0, "energy_import": 123000.0}
ONE_PHASE = {"voltage": 230.0, "current": 2.0, "power": 450.0, "frequency": 50.0}


def registers(
    profile: ModbusProfile, values: dict[str, float], *, fill: bool
) -> dict[int, list[int]]:
    """Return what a meter of a family holds; it refuses its holes or fills them with zeros."""
    items = profile.registers.values()
    held = {item.address: item.encode(values.get(item.quantity, 0.0)) for item in items}
    if fill:
        memory = dict.fromkeys(range(0x200), 0)
        for start, words in held.items():
            memory |= {start + offset: word for offset, word in enumerate(words)}
        return {address: [word] for address, word in memory.items()}
    return held


def ids(candidates: tuple[Candidate, ...]) -> list[str]:
    return [candidate.profile.id for candidate in candidates]


@pytest.mark.parametrize("fill", [False, True])
async def test_an_sdm630_without_a_code_is_told_by_its_three_phases(serve, fill) -> None:
    sdm630 = PACKAGED["eastron_sdm630"]
    served = await serve(input_=registers(sdm630, THREE_PHASES, fill=fill))

    found = await identify(served.unit, PACKAGED.values(), clock=lambda: 77.0)

    assert ids(found.candidates)[0] == "eastron_sdm630"
    # The single-phase maps fit its first phase too, and would miss the other two.
    assert all(candidate.profile.phases == 3 for candidate in found.candidates)
    best = found.candidates[0]
    assert not best.certain
    assert best.reading.values["power"] == 1350.0
    assert best.reading.time == 77.0
    assert best.name == "Eastron SDM630"


@pytest.mark.parametrize("fill", [False, True])
async def test_an_sdm120_without_a_code_is_told_by_its_single_phase(serve, fill) -> None:
    sdm120 = PACKAGED["eastron_sdm120"]
    served = await serve(input_=registers(sdm120, ONE_PHASE, fill=fill))

    found = await identify(served.unit, PACKAGED.values())

    # Its sister has the same map: no value can tell them apart.
    assert ids(found.candidates) == ["eastron_sdm120", "eastron_sdm230"]
    assert not any(candidate.certain for candidate in found.candidates)
    assert found.candidates[0].reading.values["power"] == 450.0


async def test_an_sdm72_with_one_wired_phase_is_not_taken_for_a_single_phase_meter(serve) -> None:
    sdm72 = PACKAGED["eastron_sdm72_v2"]
    values = {"voltage_l1": 234.7, "current_l1": 2.0, "power_l1": 460.0, "power": 460.0}
    served = await serve(input_=registers(sdm72, values | {"frequency": 50.0}, fill=False))

    found = await identify(served.unit, PACKAGED.values())

    assert found.candidates[0].profile.phases == 3
    assert found.candidates[0].reading.values["power"] == 460.0


@pytest.mark.parametrize(
    ("profile_id", "code", "values"),
    [
        ("eastron_sdm120", 0x0020, ONE_PHASE),
        ("eastron_sdm630", 0x0070, THREE_PHASES),
        ("eastron_sdm630", 0x0079, THREE_PHASES),
        ("eastron_sdm72_v2", 0x0089, THREE_PHASES),
    ],
)
async def test_a_meter_code_proves_the_family(serve, profile_id, code, values) -> None:
    served = await serve(
        input_=registers(PACKAGED[profile_id], values, fill=True),
        holding={0xFC00: [0x0131, 0x2D00, code]},
    )

    found = await identify(served.unit, PACKAGED.values())

    assert ids(found.candidates) == [profile_id]
    assert found.candidates[0].certain
    assert found.candidates[0].serial == str(0x01312D00)
    assert served.requests.count(("holding", 0xFC02, 1)) == 1  # asked once, for all families


async def test_an_unknown_code_does_not_make_a_three_phase_meter_a_single_phase_one(serve) -> None:
    served = await serve(
        input_=registers(PACKAGED["eastron_sdm630"], THREE_PHASES, fill=True),
        holding={0xFC02: [0x0123]},
    )

    found = await identify(served.unit, PACKAGED.values())

    assert ids(found.candidates)[0] == "eastron_sdm630"
    assert not found.candidates[0].certain
    assert "holding 0xFC02: 0123" in found.seen


async def test_an_unknown_code_puts_a_family_with_another_code_behind_one_without(serve) -> None:
    served = await serve(
        input_=registers(PACKAGED["eastron_sdm230"], ONE_PHASE, fill=True),
        holding={0xFC02: [0x002B]},
    )

    found = await identify(served.unit, PACKAGED.values())

    assert ids(found.candidates) == ["eastron_sdm230", "eastron_sdm120"]


async def test_zeros_are_no_meter(serve) -> None:
    memory = {0: [0] * 65536}
    served = await serve(holding=memory, input_=memory)

    found = await identify(served.unit, PACKAGED.values())

    assert found.candidates == ()


@pytest.mark.parametrize("word", [0xFFFF, 0x8000, 0x0001, 0x4364])
async def test_the_same_word_everywhere_is_no_meter(serve, word) -> None:
    memory = {0: [word] * 65536}
    served = await serve(holding=memory, input_=memory)

    found = await identify(served.unit, PACKAGED.values())

    assert found.candidates == ()
    assert any(f"{word:04X} {word:04X}" in seen for seen in found.seen)


@pytest.mark.parametrize("code", [ExcCodes.ILLEGAL_ADDRESS, ExcCodes.DEVICE_FAILURE])
async def test_a_device_that_refuses_everything_is_told_to_do_so(serve, code) -> None:
    served = await serve(always=code)

    found = await identify(served.unit, PACKAGED.values())

    assert found.candidates == ()
    assert any(f"0x0{code.value}" in seen for seen in found.seen)


@pytest.mark.parametrize("code", [ExcCodes.GATEWAY_PATH_UNAVIABLE, ExcCodes.GATEWAY_NO_RESPONSE])
async def test_a_gateway_that_knows_no_such_unit(serve, code) -> None:
    served = await serve(always=code)

    with pytest.raises(MeterRejectedError) as caught:
        await identify(served.unit, PACKAGED.values())

    assert caught.value.is_about_unit
    assert len(served.requests) == 2


class Device:
    """A unit that treats each register space in its own way."""

    def __init__(self, input_: dict[int, list[int]], holding_error: Callable[[], Exception]):
        self.memory = {
            start + offset: word
            for start, words in input_.items()
            for offset, word in enumerate(words)
        }
        self.holding_error = holding_error
        self.questions = 0

    async def read_holding_registers(self, address: int, count: int) -> list[int]:
        self.questions += 1
        raise self.holding_error()

    async def read_input_registers(self, address: int, count: int) -> list[int]:
        try:
            return [self.memory[place] for place in range(address, address + count)]
        except KeyError:
            raise ModbusExceptionError.from_code(2) from None


async def test_a_gateway_that_times_out_for_some_questions_is_no_missing_unit() -> None:
    """One answer shows that the unit is there; then exception 11 means: not to this."""
    errors = [ModbusExceptionError.from_code(2)]
    device = Device(
        registers(PACKAGED["eastron_sdm630"], THREE_PHASES, fill=True),
        lambda: errors.pop() if errors else ModbusExceptionError.from_code(11),
    )

    found = await identify(device, PACKAGED.values())

    assert ids(found.candidates)[0] == "eastron_sdm630"


async def test_a_meter_that_is_silent_now_and_then_is_found_all_the_same() -> None:
    errors = [ModbusExceptionError.from_code(2)]
    device = Device(
        registers(PACKAGED["eastron_sdm120"], ONE_PHASE, fill=True),
        lambda: errors.pop() if errors else ModbusTimeoutError("slow"),
    )

    found = await identify(device, PACKAGED.values())

    assert ids(found.candidates)[0] == "eastron_sdm120"


async def test_silence_on_the_input_registers_does_not_hide_the_holding_ones() -> None:
    """Families are tried in turn; that one gets no answer says nothing of the next."""

    class Schneider(Device):
        async def read_holding_registers(self, address: int, count: int) -> list[int]:
            return await Device.read_input_registers(self, address, count)

        async def read_input_registers(self, address: int, count: int) -> list[int]:
            raise ModbusTimeoutError("slow")

    iem = registers(PACKAGED["schneider_iem3000"], THREE_PHASES | {"voltage": 231.0}, fill=False)

    found = await identify(Schneider(iem, KeyError), PACKAGED.values())

    assert ids(found.candidates) == ["schneider_iem3000"]


async def test_a_meter_that_is_silent_about_foreign_registers_is_found() -> None:
    """It answers what it has, and says nothing at all to the rest."""

    class Terse(Device):
        async def read_holding_registers(self, address: int, count: int) -> list[int]:
            if (address, count) == (0xFC02, 1):
                return [0x0070]
            raise ModbusTimeoutError("slow")

    device = Terse(registers(PACKAGED["eastron_sdm630"], THREE_PHASES, fill=True), KeyError)

    found = await identify(device, PACKAGED.values())

    assert ids(found.candidates) == ["eastron_sdm630"]
    assert found.candidates[0].certain


async def test_a_proved_family_whose_values_make_no_sense_is_not_certain(serve) -> None:
    """The word order of an SDM630 can be changed on the meter."""
    held = registers(PACKAGED["eastron_sdm630"], THREE_PHASES, fill=False)
    served = await serve(
        input_={address: words[::-1] for address, words in held.items()},
        holding={0xFC02: [0x0070]},
    )

    found = await identify(served.unit, PACKAGED.values())

    assert ids(found.candidates) == ["eastron_sdm630"]
    assert not found.candidates[0].certain


async def test_an_unknown_device_is_described_for_people() -> None:
    class Unknown(Device):
        async def read_device_identification(self) -> dict[int, bytes]:
            return {0: b"Siemens AG\0", 1: b"PAC3200 ", 2: b"", 9: b"?"}

    device = Unknown({0: [0x1234, 0xABCD]}, lambda: ModbusExceptionError.from_code(1))

    found = await identify(device, PACKAGED.values())

    assert found.candidates == ()
    assert "vendor Siemens AG" in found.seen
    assert "product PAC3200" in found.seen
    assert "input 0x0000: 1234 ABCD" in found.seen


async def test_a_device_that_fails_at_its_identification_is_still_described() -> None:
    class Unknown(Device):
        async def read_device_identification(self) -> dict[int, bytes]:
            raise ValueError("unknown object")

    device = Unknown({0: [0x1234, 0xABCD]}, lambda: ModbusExceptionError.from_code(1))

    found = await identify(device, PACKAGED.values())

    assert "no Modbus identification (ValueError)" in found.seen


async def test_a_maker_s_name_on_another_map_is_no_meter(serve) -> None:
    """A Schneider device without any of the family's registers is unknown, not an error."""
    name = b"Schneider Electric".ljust(40, b"\0")
    words = list(struct.unpack(">20H", name))
    served = await serve(holding={69: words})

    found = await identify(served.unit, PACKAGED.values())

    assert found.candidates == ()
    assert any("none of the registers of Schneider Electric" in seen for seen in found.seen)


# What is no Modbus device.


@pytest.fixture
async def port_of(socket_enabled: None) -> AsyncIterator[Callable[..., Awaitable[TmodbusUnit]]]:
    """Return what opens a port with a handler behind it, and a unit that asks there."""
    async with AsyncExitStack() as stack:

        async def start(handler: Callable[..., Awaitable[None]], *, patience: float) -> TmodbusUnit:
            async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await handler(reader, writer)
                writer.close()

            server = await asyncio.start_server(handle, "127.0.0.1", 0)
            stack.push_async_callback(server.wait_closed)
            stack.callback(server.close)
            params = ModbusTcpParams(host="127.0.0.1", port=server.sockets[0].getsockname()[1])
            connection = ModbusConnection(params, timeout=patience)
            stack.push_async_callback(connection.close)
            return connection.for_unit(1)

        yield start


async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n<html>no</html>")


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        writer.write(data)


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read(-1)


@pytest.mark.parametrize(
    ("handler", "expected"),
    [(web, MeterSilentError), (echo, MeterGarbledError), (silent, MeterSilentError)],
)
async def test_what_is_no_modbus_device_is_given_up_after_two_questions(
    port_of, handler, expected
) -> None:
    # Only where nothing comes is the end of patience waited for.
    unit = await port_of(handler, patience=0.5 if handler is silent else 30.0)

    with pytest.raises(MeterError, match="holding registers 0x") as caught:
        await asyncio.wait_for(identify(unit, PACKAGED.values()), 20)
    assert type(caught.value) is expected


async def test_nobody_at_the_port(socket_enabled, unused_tcp_port) -> None:
    params = ModbusTcpParams(host="127.0.0.1", port=unused_tcp_port)
    connection = ModbusConnection(params, timeout=20)

    with pytest.raises(MeterRefusedError):
        await identify(connection.for_unit(1), PACKAGED.values())
    await connection.close()


@pytest.mark.parametrize(
    ("manufacturer", "model", "name"),
    [
        ("", "", "Eastron SDM120"),
        ("Deson", "", "Deson SDM120"),
        ("", "SDM120CT", "Eastron SDM120CT"),
        ("Veris", "VERIS E51C2", "VERIS E51C2"),
    ],
)
def test_a_meter_is_called_what_it_calls_itself(manufacturer, model, name) -> None:
    candidate = Candidate(
        profile=PACKAGED["eastron_sdm120"],
        settings={"base": 0},
        certain=True,
        reading=Reading(time=0.0, values={}),
        manufacturer=manufacturer,
        model=model,
    )

    assert candidate.name == name
