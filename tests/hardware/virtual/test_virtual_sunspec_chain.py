"""The SunSpec chain, walked by the integration's own steps."""

from dataclasses import replace

import pytest

from custom_components.carbon_meter.metering.errors import MeterRejectedError
from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from custom_components.carbon_meter.metering.modbus.registers import Function
from custom_components.carbon_meter.metering.modbus.sunspec import read_common, walk_models
from hardware.virtual import SunSpecLayout, Wiring
from hardware.virtual.capture import CapturedDevice
from hardware.virtual.identity import Identity
from hardware.virtual.sunspec_chain import lay_chain, meter_model, sunspec_wiring

IDENTITY = Identity(manufacturer="Maker", model="Meter X", serial="S-1")


def device(layout: SunSpecLayout) -> CapturedDevice:
    chain = lay_chain(layout, layout.model or 203, IDENTITY, 7)
    blocks = {text.address: text.words for text in chain.texts}
    blocks[chain.meter + 2] = (0,) * (chain.length - 2)
    return CapturedDevice(7, holding=blocks)


async def walked(layout: SunSpecLayout) -> list[tuple[int, int, int]]:
    answering = device(layout)

    async def read(address: int, count: int) -> list[int]:
        answer = answering.answer(Function.HOLDING, address, count)
        if answer.code is not None:
            raise MeterRejectedError("refused", code=answer.code)
        return list(answer.words)

    models = await walk_models(read)
    common = await read_common(read, models, models[-1])
    assert (common.manufacturer, common.model, common.serial) == ("Maker", "Meter X", "S-1")
    return [(model.model, model.address, model.length) for model in models]


async def test_a_meter_alone() -> None:
    assert await walked(SunSpecLayout()) == [(1, 40002, 66), (203, 40070, 105)]


@pytest.mark.parametrize("base", [40000, 50000, 0, 4096])
async def test_every_base_is_possible(base: int) -> None:
    layout = SunSpecLayout(base=base, model=213, common_length=65)
    assert await walked(layout) == [(1, base + 2, 65), (213, base + 69, 124)]


async def test_a_meter_behind_an_inverter_has_its_own_identity() -> None:
    layout = SunSpecLayout(before={103: 50, 160: 128}, length=81, model=204)
    assert await walked(layout) == [
        (1, 40002, 66),
        (103, 40070, 50),
        (160, 40122, 128),
        (1, 40252, 66),
        (204, 40320, 81),
    ]


def test_the_chain_has_no_holes() -> None:
    layout = SunSpecLayout(before={103: 50})
    chain = lay_chain(layout, 203, IDENTITY, 1)
    at = layout.base
    for text in chain.texts:
        if text.words == (0xFFFF, 0):
            at += chain.length - 2
        assert text.address == at
        at = text.end
    assert chain.texts[-1].words == (0xFFFF, 0)


@pytest.mark.parametrize(
    ("model", "wiring"),
    [
        (201, Wiring.SINGLE),
        (202, Wiring.SPLIT),
        (203, Wiring.WYE),
        (204, Wiring.DELTA),
        (211, Wiring.SINGLE),
        (214, Wiring.DELTA),
    ],
)
def test_the_model_says_the_wiring(model: int, wiring: Wiring) -> None:
    assert sunspec_wiring(model) is wiring


def test_the_usual_model_is_for_three_phases(profiles: dict[str, ModbusProfile]) -> None:
    integer, floating = profiles["sunspec_meter_integer"], profiles["sunspec_meter_float"]
    assert meter_model(SunSpecLayout(), integer) == 203
    assert meter_model(SunSpecLayout(), floating) == 213
    assert meter_model(SunSpecLayout(model=202), integer) == 202
    without = replace(integer, sunspec_models=frozenset({204, 201}))
    assert meter_model(SunSpecLayout(), without) == 201
    with pytest.raises(ValueError, match="not for the SunSpec model 203"):
        meter_model(SunSpecLayout(model=203), floating)
