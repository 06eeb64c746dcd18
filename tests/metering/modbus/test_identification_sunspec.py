"""Meters in a chain of SunSpec models, as devices really build them."""

import struct

import pytest

from custom_components.carbon_meter.metering.modbus.identification import identify
from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from custom_components.carbon_meter.metering.profile_library import load_profiles

PACKAGED = load_profiles().of(ModbusProfile)


def text(said: str, words: int) -> list[int]:
    return list(struct.unpack(f">{words}H", said.encode().ljust(2 * words, b"\0")))


def common(maker: str, model: str, serial: str, length: int = 66) -> list[int]:
    body = text(maker, 16) + text(model, 16) + [0] * 16 + text(serial, 16) + [1, 0]
    return [1, length, *body[:length]]


def integer_meter(volts: int, model: int = 203, length: int = 105) -> list[int]:
    body = [0] * max(length, 105)
    body[0], body[4] = 50, 0xFFFF  # A and its scale: 5.0 A
    body[5:9] = [volts, volts, volts, volts]
    body[13] = 0xFFFF  # V scale
    body[14], body[15] = 5000, 0xFFFE  # 50.00 Hz
    body[16], body[20] = 345, 1  # 3450 W
    body[52] = 0
    return [model, length, *body[:length]]


SUNS = [0x5375, 0x6E53]
END = [0xFFFF, 0]
INVERTER = [103, 50, *[0] * 50]


@pytest.mark.parametrize("base", [40000, 50000, 0, 4096])
@pytest.mark.parametrize("end", [END, [], [0, 0], [0x1234, 0xFFFF]])
async def test_a_chain_is_found_at_any_base_and_however_it_ends(serve, base, end) -> None:
    chain = [*SUNS, *common("Maker", "Model", "S1"), *integer_meter(2305), *end]
    served = await serve(holding={base: chain})

    found = await identify(served.unit, PACKAGED.values())

    (meter,) = found.candidates
    assert (meter.profile.id, meter.certain) == ("sunspec_meter_integer", True)
    assert (meter.manufacturer, meter.model, meter.serial) == ("Maker", "Model", "S1")
    assert meter.settings["base"] == base + 2 + 68
    assert meter.reading.values["voltage"] == 230.5
    assert meter.reading.values["power"] == 3450.0
    assert "SunSpec models 1, 203" in found.seen


@pytest.mark.parametrize("length", [64, 65, 66])
async def test_the_announced_length_leads_to_the_next_model(serve, length) -> None:
    chain = [*SUNS, *common("Maker", "Model", "S1", length), *integer_meter(2305), *END]
    served = await serve(holding={40000: chain})

    found = await identify(served.unit, PACKAGED.values())

    assert found.candidates[0].serial == "S1"
    assert found.candidates[0].settings["base"] == 40000 + 2 + 2 + length


@pytest.mark.parametrize("length", [81, 105, 140])
async def test_a_meter_model_of_another_length_than_the_standard_s(serve, length) -> None:
    chain = [*SUNS, *common("Maker", "Model", "S1"), *integer_meter(2305, length=length)]
    chain += [*common("Second", "Meter", "S2"), *integer_meter(2315)]
    served = await serve(holding={40000: chain})

    found = await identify(served.unit, PACKAGED.values())

    assert [meter.serial for meter in found.candidates] == ["S1", "S2"]
    assert [meter.reading.values["voltage"] for meter in found.candidates] == [230.5, 231.5]


async def test_an_inverter_with_two_meters(serve) -> None:
    chain = [*SUNS, *common("Sun", "Inverter", "I1"), *INVERTER]
    chain += [*common("Sun", "Meter A", "A1"), *integer_meter(2301)]
    chain += [*common("Sun", "Meter B", "B1"), *integer_meter(2302, model=201), *END]
    served = await serve(holding={40000: chain})

    found = await identify(served.unit, PACKAGED.values())

    assert [(meter.model, meter.serial) for meter in found.candidates] == [
        ("Meter A", "A1"),
        ("Meter B", "B1"),
    ]
    assert [meter.reading.values["voltage"] for meter in found.candidates] == [230.1, 230.2]


async def test_a_chain_without_a_meter_says_who_it_is(serve) -> None:
    served = await serve(holding={40000: [*SUNS, *common("Sun", "Inverter", "I1"), *INVERTER]})

    found = await identify(served.unit, PACKAGED.values())

    assert found.candidates == ()
    assert "SunSpec models 1, 103" in found.seen
    assert "Sun Inverter I1" in found.seen


async def test_a_meter_model_that_cannot_be_read_does_not_hide_the_other(serve) -> None:
    chain = [*SUNS, *common("Sun", "A", "A1"), 203, 105, *integer_meter(2301)[2:]]
    first = 40000 + 2 + 68
    served = await serve(
        holding={
            40000: chain[: 2 + 68 + 2],
            first + 107: [*common("Sun", "B", "B1"), *integer_meter(2302), *END],
        }
    )

    found = await identify(served.unit, PACKAGED.values())

    assert [meter.serial for meter in found.candidates] == ["B1"]
    assert any(f"model 203 at {first}: none of the registers" in seen for seen in found.seen)


async def test_an_identity_that_is_refused_is_unknown_and_no_error(serve) -> None:
    chain = [*SUNS, *common("Sun", "A", "A1"), *integer_meter(2301), *END]
    served = await serve(holding={40000: chain[:4], 40070: chain[70:]})

    found = await identify(served.unit, PACKAGED.values())

    assert found.candidates[0].name == "SunSpec meter, integer models 201 to 204"
    assert found.candidates[0].reading.values["voltage"] == 230.1


@pytest.mark.parametrize("length", [1500, 1, 0xFFFF, 0])
async def test_a_chain_that_leads_nowhere_comes_to_an_end(serve, length) -> None:
    """Every word of the device is the same: a model that announces its own number as length."""
    memory = [length] * 65536
    memory[40000:40002] = SUNS
    served = await serve(holding={0: memory})

    found = await identify(served.unit, PACKAGED.values())

    assert found.candidates == ()
    assert len(served.requests) < 200


async def test_a_float_meter_is_read_by_the_float_map(serve) -> None:
    body = [0] * 124
    for offset, value in ((8, 230.5), (26, 3450.0), (66, 1234.0)):
        body[offset : offset + 2] = struct.unpack(">HH", struct.pack(">f", value))
    chain = [*SUNS, *common("Maker", "Model", "S1"), 213, 124, *body, *END]
    served = await serve(holding={40000: chain})

    found = await identify(served.unit, PACKAGED.values())

    assert [meter.profile.id for meter in found.candidates] == ["sunspec_meter_float"]
    values = found.candidates[0].reading.values
    assert (values["voltage"], values["power"]) == (230.5, 3450.0)
    assert values["energy_import"] == 1234.0
