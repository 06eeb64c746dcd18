"""The chain of SunSpec models, whatever the device makes of the standard."""

from collections.abc import Callable

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.metering.errors import MeterRejectedError, MeterSilentError
from custom_components.carbon_meter.metering.modbus.sunspec import (
    BASES,
    SunSpecCommon,
    SunSpecModel,
    read_common,
    walk_models,
)

SUNS = [0x5375, 0x6E53]


class Device:
    """Holding registers; what is not there is refused."""

    def __init__(self, ranges: dict[int, list[int]], code: int = 2) -> None:
        self.memory = {
            start + offset: word
            for start, words in ranges.items()
            for offset, word in enumerate(words)
        }
        self.code = code
        self.asked: list[tuple[int, int]] = []

    async def read(self, address: int, count: int) -> list[int]:
        self.asked.append((address, count))
        try:
            return [self.memory[place] for place in range(address, address + count)]
        except KeyError:
            raise MeterRejectedError(f"0x{address:04X}", code=self.code) from None


def model(number: int, length: int) -> list[int]:
    return [number, length, *[7] * length]


def shown(models: list[SunSpecModel]) -> list[tuple[int, int, int]]:
    return [(item.model, item.address, item.length) for item in models]


@pytest.mark.parametrize("base", BASES)
async def test_every_base_is_tried(base) -> None:
    device = Device({base: [*SUNS, *model(1, 66), *model(203, 105), 0xFFFF, 0]})

    models = await walk_models(device.read)

    assert shown(models) == [(1, base + 2, 66), (203, base + 70, 105)]


async def test_the_bases_of_the_standard_come_first() -> None:
    device = Device({})

    assert await walk_models(device.read) == []
    assert device.asked == [(40000, 2), (50000, 2), (0, 2), (4096, 2)]


@given(
    st.lists(st.tuples(st.integers(1, 0xFFFE), st.integers(1, 300)), max_size=20),
    st.sampled_from([[], [0xFFFF, 0], [0xFFFF, 66], [0, 5], [12, 0], [12, 0xFFFF]]),
)
async def test_any_chain_is_followed_to_its_end(entries, end) -> None:
    words = [word for number, length in entries for word in model(number, length)]
    device = Device({40000: [*SUNS, *words, *end]})

    models = await walk_models(device.read)

    assert [(item.model, item.length) for item in models] == entries
    address = 40002
    for item in models:
        assert item.address == address
        address += 2 + item.length


async def test_an_endless_chain_is_cut() -> None:
    device = Device({0: [*SUNS, *[1] * 65000]})

    assert len(await walk_models(device.read)) == 100


@pytest.mark.parametrize("code", [1, 2, 3, 4])
async def test_a_refused_register_ends_the_chain(code) -> None:
    device = Device({40000: [*SUNS, *model(103, 50)]}, code)

    assert shown(await walk_models(device.read)) == [(103, 40002, 50)]


@pytest.mark.parametrize("code", [6, 10, 11])
@pytest.mark.parametrize("ranges", [{}, {40000: [*SUNS, *model(103, 50)]}])
async def test_a_busy_device_is_not_at_its_end(code, ranges) -> None:
    with pytest.raises(MeterRejectedError):
        await walk_models(Device(ranges, code).read)


async def test_a_device_that_falls_silent_is_not_at_its_end() -> None:
    device = Device({40000: [*SUNS, *model(103, 50)]})

    async def read(address: int, count: int) -> list[int]:
        if address > 40002:
            raise MeterSilentError("slow")
        return await device.read(address, count)

    with pytest.raises(MeterSilentError):
        await walk_models(read)


def text(said: str, words: int) -> list[int]:
    raw = said.encode().ljust(2 * words, b"\0")
    return [int.from_bytes(raw[index : index + 2], "big") for index in range(0, len(raw), 2)]


def common(maker: str, serial: str) -> list[int]:
    said = ((maker, 16), ("Md", 16), ("Opt", 8), ("1.0", 8), (serial, 16))
    return [1, 65, *(word for what, words in said for word in text(what, words)), 1]


async def identity(device: Device, which: Callable[[SunSpecModel], bool]) -> SunSpecCommon:
    models = await walk_models(device.read)
    return await read_common(device.read, models, next(filter(which, models)))


async def test_each_meter_has_the_identity_before_it() -> None:
    chain = [*SUNS, *common("Inverter", "I1"), *model(103, 50)]
    chain += [*common("Meter", "M1"), *model(203, 105), *model(204, 105)]
    device = Device({40000: chain})

    for number, expected in ((103, "I1"), (203, "M1"), (204, "M1")):
        found = await identity(device, lambda item, wanted=number: item.model == wanted)
        assert found.serial == expected
    assert found == SunSpecCommon(manufacturer="Meter", model="Md", serial="M1")


@pytest.mark.parametrize(
    "chain",
    [
        [*SUNS, *model(203, 105)],  # no identity at all
        [*SUNS, *model(1, 10), *model(203, 105)],  # too short to hold one
        [*SUNS, *model(203, 105), *common("Later", "L1")],  # of what follows
    ],
)
async def test_a_meter_without_an_identity_has_none(chain) -> None:
    found = await identity(Device({40000: chain}), lambda item: item.model == 203)

    assert found == SunSpecCommon(manufacturer="", model="", serial="")


async def test_a_refused_identity_is_none_but_a_busy_device_is_asked_again() -> None:
    models = [
        SunSpecModel(model=1, address=40002, length=65),
        SunSpecModel(model=203, address=40069, length=105),
    ]

    refused = await read_common(Device({}).read, models, models[1])
    assert refused == SunSpecCommon(manufacturer="", model="", serial="")
    with pytest.raises(MeterRejectedError):
        await read_common(Device({}, code=6).read, models, models[1])


async def test_a_device_of_short_blocks_tells_its_texts_in_halves() -> None:
    text = [0x4142] * 16
    whole = Device({40000: [*SUNS, 1, 66, *text, *text, *[0] * 16, *text, 0, 0, 203, 105]})

    async def read(address: int, count: int) -> list[int]:
        if count > 10:
            raise MeterRejectedError("too long", code=3)
        return await whole.read(address, count)

    models = [
        SunSpecModel(model=1, address=40002, length=66),
        SunSpecModel(model=203, address=40070, length=105),
    ]
    common = await read_common(read, models, models[1])
    assert common == SunSpecCommon(manufacturer="AB" * 16, model="AB" * 16, serial="AB" * 16)
