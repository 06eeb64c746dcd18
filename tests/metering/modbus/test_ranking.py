"""What is no meter, and what is one without a proof."""

from collections.abc import Callable
import random
from typing import Any

from modbus_connection.exceptions import ModbusExceptionError
import pytest

from custom_components.carbon_meter.metering.modbus.identification import identify
from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from custom_components.carbon_meter.metering.profile_library import load_profiles

PROFILES = load_profiles().of(ModbusProfile)


class Memory:
    """A device that has any register, or those of some ranges only."""

    def __init__(self, word: Callable[[int], int], *ranges: range) -> None:
        self.word = word
        self.ranges = ranges or (range(65536),)
        self.requests = 0

    async def read_holding_registers(self, address: int, count: int) -> list[int]:
        self.requests += 1
        if not any(address in each and address + count - 1 in each for each in self.ranges):
            raise ModbusExceptionError.from_code(2)
        return [self.word(place) & 0xFFFF for place in range(address, address + count)]

    read_input_registers = read_holding_registers


CONSTANT = [0, 0xFFFF, 0x8000, 0x7FFF, 1, 50, 230, 2300, 23000, 0x4366]


@pytest.mark.parametrize("word", CONSTANT)
async def test_the_same_everywhere_is_nothing(word) -> None:
    assert (await identify(Memory(lambda _: word), PROFILES.values())).candidates == ()


@pytest.mark.parametrize("word", CONSTANT)
@pytest.mark.parametrize("odd", [0, 1])
async def test_the_same_long_number_everywhere_is_nothing(word, odd) -> None:
    device = Memory(lambda place: word if place % 2 == odd else 0)

    assert (await identify(device, PROFILES.values())).candidates == ()


async def test_an_echo_of_the_address_is_nothing() -> None:
    assert (await identify(Memory(lambda place: place), PROFILES.values())).candidates == ()


def counting(place: int) -> int:
    return 17 * place + 3


def temperatures(place: int) -> int:
    """A heat pump: tenths of a degree, states, hours of operation, a power in W."""
    return (215, 348, 0, 1, 12_345, 1800, 65_486, 55, 2)[place % 9]


def process(place: int) -> int:
    """A controller: flags, set points, counters."""
    return (0, 1, 100, 0, 2301, 50, 0, 7)[place % 8] if place % 3 else 0


@pytest.mark.parametrize("word", [counting, temperatures, process])
@pytest.mark.parametrize("ranges", [(), (range(200),), (range(100), range(1000, 1100))])
async def test_a_device_that_measures_something_else_is_no_meter(word, ranges) -> None:
    found = await identify(Memory(word, *ranges), PROFILES.values())

    assert found.candidates == ()
    assert found.seen


@pytest.mark.parametrize("largest", [300, 3000, 65535])
async def test_chance_proves_nothing_and_seldom_looks_like_a_meter(largest) -> None:
    offered = 0
    for seed in range(25):
        chance = random.Random(seed)  # noqa: S311
        words = [chance.randint(0, largest) for _ in range(65536)]
        found = await identify(Memory(words.__getitem__), PROFILES.values())
        assert not any(candidate.certain for candidate in found.candidates)
        offered += bool(found.candidates)
    assert offered <= 1


async def test_a_device_without_a_meter_in_it_is_left_alone_soon() -> None:
    """One request for most families, and none twice."""
    device = Memory(counting, range(20, 40))

    assert (await identify(device, PROFILES.values())).candidates == ()
    assert device.requests < 100


async def test_a_code_of_another_maker_s_meter_is_no_certainty(serve) -> None:
    """An SDM230 delivered with an inverter answers 168 where Carlo Gavazzi has its codes."""
    sdm230 = PROFILES["eastron_sdm230"]
    values = {"voltage": 230.0, "current": 2.0, "power": 450.0, "frequency": 50.0}
    held: dict[int, Any] = {
        item.address: item.encode(values.get(item.quantity, 0.0))
        for item in sdm230.registers.values()
    }
    served = await serve(input_=held, holding={0x000B: [0x00A8]})

    found = await identify(served.unit, PROFILES.values())

    assert {each.profile.id for each in found.candidates} == {"eastron_sdm120", "eastron_sdm230"}
    assert not any(each.certain for each in found.candidates)


@pytest.mark.parametrize("code", [71, 100, 341, 1648])
async def test_a_code_at_a_place_where_any_device_may_have_it_needs_values(serve, code) -> None:
    served = await serve(holding={0: [20, 30, 40, 0, 1, 2, 3, 4, 5, 6, 7, code, 8, 9]})

    found = await identify(served.unit, PROFILES.values())

    assert not any(each.certain for each in found.candidates)


async def test_a_socomec_of_an_unknown_model_is_offered_and_not_certain(serve) -> None:
    profile = PROFILES["socomec_countis_e"]
    values = {f"voltage_l{phase}": 231.0 for phase in (1, 2, 3)}
    values |= {f"current_l{phase}": 4.0 for phase in (1, 2, 3)}
    values |= {f"power_l{phase}": 900.0 for phase in (1, 2, 3)}
    values |= {"power": 2700.0, "frequency": 50.0}
    held: dict[int, Any] = {
        item.address: item.encode(values.get(item.quantity, 0.0))
        for item in profile.registers.values()
    }
    name = [int.from_bytes(b"Diris A20 v2 "[at : at + 2].ljust(2)) for at in range(0, 16, 2)]
    served = await serve(holding=held | {0xC350: [0x53, 0x4F, 0x43, 0x4F], 0xC38A: name})

    found = await identify(served.unit, PROFILES.values())

    assert {each.profile.vendor for each in found.candidates} == {"Socomec"}
    assert not any(each.certain for each in found.candidates)
    assert 0 < found.candidates[0].score < 1


async def test_a_pro1_answers_without_phases(serve) -> None:
    inepro = PROFILES["inepro_pro380"]
    values = {"voltage": 230.0, "current": 4.0, "power": 900.0, "frequency": 50.0}
    held = {
        inepro.registers[key].address: inepro.registers[key].encode(values[key]) for key in values
    }
    served = await serve(holding=held | {0x6000: [0x42F6, 0]})

    found = await identify(served.unit, PROFILES.values())

    assert found.candidates[0].profile is inepro
    assert found.candidates[0].reading.values["power"] == pytest.approx(900.0)
    assert found.candidates[0].reading.values["energy_total"] == 123_000.0


async def test_a_device_identification_proves_a_family_without_its_register(serve) -> None:
    """Function 43/14, from a meter that has no identification block."""
    pac = PROFILES["siemens_pac"]
    values = {f"voltage_l{phase}": 231.0 for phase in (1, 2, 3)} | {"frequency": 50.0}
    memory = {
        item.address + offset: word
        for key, item in pac.registers.items()
        for offset, word in enumerate(item.encode(values.get(key, 0.0)))
    }

    class Pac(Memory):
        async def read_holding_registers(self, address: int, count: int) -> list[int]:
            try:
                return [memory[place] for place in range(address, address + count)]
            except KeyError:
                raise ModbusExceptionError.from_code(2) from None

        async def read_device_identification(self) -> dict[int, bytes]:
            return {0: b"SIEMENS AG", 1: b"SENTRON PAC3200"}

    found = await identify(Pac(counting), PROFILES.values())

    (best,) = found.candidates
    assert (best.profile.id, best.certain) == ("siemens_pac", True)


async def test_a_meter_that_serves_sunspec_too_is_read_by_sunspec(serve) -> None:
    """A KOSTAL Smart Energy Meter has the TQ map beside its chain."""
    tq = PROFILES["tq_bcontrol_em300"]
    values = {f"voltage_l{phase}": 231.0 for phase in (1, 2, 3)} | {"frequency": 50.0}
    held: dict[int, Any] = {
        item.address: item.encode(values.get(key, 0.0)) for key, item in tq.registers.items()
    }
    body = [0] * 105
    body[5:9], body[13], body[14], body[15] = [2310] * 4, 0xFFFF, 5000, 0xFFFE
    chain = [0x5375, 0x6E53, 1, 66, *[0x4141] * 66, 203, 105, *body, 0xFFFF, 0]
    served = await serve(holding=held | {40000: chain})

    found = await identify(served.unit, PROFILES.values())

    assert [each.profile.id for each in found.candidates] == ["sunspec_meter_integer"]
    assert found.candidates[0].score == 1.0
