"""Reading a DL/T 645 meter by its profile, over real TCP."""

from dataclasses import replace

import pytest

from custom_components.carbon_meter.metering.dlt645.meter import Dlt645Meter
from custom_components.carbon_meter.metering.errors import (
    MeterGarbledError,
    MeterRejectedError,
    MeterSilentError,
    WrongMeterError,
)
from custom_components.carbon_meter.metering.readings import Fault
from hardware.virtual.dlt645 import Dlt645Spec, LineFault

ADDRESS = "202000001234"


@pytest.fixture
def three(dlt645) -> Dlt645Spec:
    return Dlt645Spec(address=ADDRESS, profile=dlt645["dlt645_three_phase"])


@pytest.fixture
def single(dlt645) -> Dlt645Spec:
    return Dlt645Spec(address=ADDRESS, profile=dlt645["dlt645_single_phase"])


@pytest.mark.parametrize("family", ["three", "single"])
async def test_what_the_meter_shows_is_read_exactly(wire, connect, family, request) -> None:
    spec = request.getfixturevalue(family)
    gateway = await wire(spec)
    meter = Dlt645Meter(connect(gateway), spec.profile, ADDRESS, lambda: 1234.5)

    reading = await meter.read()

    shown = gateway.meters[ADDRESS].shown_values()
    assert reading.values == shown
    assert set(shown) == set(spec.profile.quantities)
    assert shown["power"] < 0 < shown["energy_export"]
    assert reading.faults == ()
    assert reading.time == 1234.5
    assert meter.absent == ()


async def test_the_fewest_questions_are_asked(wire, connect, three) -> None:
    gateway = await wire(three)
    meter = Dlt645Meter(connect(gateway), three.profile, ADDRESS)

    await meter.read()
    await meter.read()

    assert len(gateway.questions) == 2 * meter.questions
    assert meter.questions == 11 + 6


async def test_a_meter_without_blocks_is_asked_for_each_datum(wire, connect, three) -> None:
    gateway = await wire(replace(three, blocks=False))
    meter = Dlt645Meter(connect(gateway), three.profile, ADDRESS)

    first = await meter.read()
    asked = len(gateway.questions)
    second = await meter.read()

    assert first.values == second.values == gateway.meters[ADDRESS].shown_values()
    assert asked == 33 + 6
    assert len(gateway.questions) - asked == meter.questions == 33
    assert meter.absent == ()


async def test_what_the_meter_lacks_is_left_out_from_then_on(wire, connect, three) -> None:
    missing = frozenset({"current_n", "voltage_l2", "energy_import_l1"})
    gateway = await wire(replace(three, missing=missing))
    meter = Dlt645Meter(connect(gateway), three.profile, ADDRESS)

    first = await meter.read()
    asked = len(gateway.questions)
    second = await meter.read()

    assert set(first.values) == set(three.profile.quantities) - missing
    assert first.values == second.values
    assert set(meter.absent) == missing
    assert len(gateway.questions) - asked == meter.questions


async def test_what_the_meter_does_not_know_now_may_come_later(wire, connect, three) -> None:
    unknown = frozenset({"frequency", "current_l3", "power", "energy_total"})
    gateway = await wire(replace(three, unavailable=unknown))
    meter = Dlt645Meter(connect(gateway), three.profile, ADDRESS)

    reading = await meter.read()

    assert reading.values == gateway.meters[ADDRESS].shown_values()
    assert set(reading.values) == set(three.profile.quantities) - unknown
    assert reading.faults == ()
    assert meter.absent == ()


async def test_a_meter_that_is_silent_about_blocks(wire, connect, three) -> None:
    blocks = frozenset(block.identifier for block in three.profile.blocks)
    gateway = await wire(replace(three, silent_about=blocks))
    meter = Dlt645Meter(connect(gateway), three.profile, ADDRESS)

    reading = await meter.read()

    assert reading.values == gateway.meters[ADDRESS].shown_values()
    assert meter.questions == 33


async def test_one_silence_is_no_proof_that_a_datum_is_missing(wire, connect, single) -> None:
    frequency = single.profile.data["frequency"].identifier
    gateway = await wire(replace(single, silent_about=frozenset({frequency})))
    meter = Dlt645Meter(connect(gateway), single.profile, ADDRESS)

    assert "frequency" not in (await meter.read()).values
    assert meter.absent == ()

    assert "frequency" not in (await meter.read()).values
    assert meter.absent == ("frequency",)
    asked = len(gateway.questions)
    await meter.read()
    assert len(gateway.questions) - asked == meter.questions == 10


async def test_what_has_worked_is_not_given_up(wire, connect, single) -> None:
    gateway = await wire(single)
    meter = Dlt645Meter(connect(gateway), single.profile, ADDRESS)
    await meter.read()
    questions = meter.questions
    for fault, error in (
        (LineFault.REFUSED, MeterRejectedError),
        (LineFault.SILENT, MeterSilentError),
        (LineFault.WRONG_CHECKSUM, MeterGarbledError),
        (LineFault.OTHER_METER, WrongMeterError),
    ):
        gateway.misbehave(fault, None)
        with pytest.raises(error):
            await meter.read()
        gateway.clear()
        assert (meter.questions, meter.absent) == (questions, ())

    gateway.misbehave(LineFault.REFUSED)
    with pytest.raises(MeterRejectedError, match="other error"):
        await meter.read()
    assert (await meter.read()).values == gateway.meters[ADDRESS].shown_values()


async def test_a_meter_that_says_nothing_or_refuses_everything(wire, connect, three) -> None:
    gateway = await wire(three)
    meter = Dlt645Meter(connect(gateway), three.profile, ADDRESS)
    gateway.misbehave(LineFault.SILENT, None)
    with pytest.raises(MeterSilentError):
        await meter.read()
    gateway.clear()
    gateway.misbehave(LineFault.REFUSED, None)
    with pytest.raises(MeterRejectedError, match="none of the data of DL/T 645-2007 three-phase"):
        await meter.read()
    gateway.clear()

    assert (await meter.read()).values == gateway.meters[ADDRESS].shown_values()


async def test_the_wrong_meter_is_never_read(wire, connect, three, dlt645) -> None:
    """One line, two meters, and a gateway that mixes their answers up."""
    gateway = await wire(three, replace(three, address="000000000161"))
    line = connect(gateway)
    gateway.misbehave(LineFault.OTHER_METER, None)

    with pytest.raises(WrongMeterError) as caught:
        await Dlt645Meter(line, three.profile, ADDRESS).read()

    assert (caught.value.expected, caught.value.found) == (ADDRESS, "999900009999")


@pytest.mark.parametrize("address", ["", "AAAAAAAAAAAA", "12345", "20200000123x"])
def test_what_is_no_address(dlt645, address) -> None:
    with pytest.raises(ValueError, match="not an address"):
        Dlt645Meter(None, dlt645["dlt645_single_phase"], address)


class Said:
    """A line on which a meter says what a test gives it."""

    def __init__(self, **contents: str) -> None:
        self.contents = {int(key[1:], 16): bytes.fromhex(text) for key, text in contents.items()}

    async def ask(self, address: str, identifier: int) -> bytes:
        try:
            return self.contents[identifier]
        except KeyError:
            raise MeterRejectedError("no such data", code=2) from None


async def test_what_is_said_wrongly_is_a_fault(dlt645) -> None:
    line = Said(d00010000="78563412", d02010100="aa22", d02030000="000000", d00020000="123456")

    reading = await Dlt645Meter(line, dlt645["dlt645_single_phase"], ADDRESS).read()

    assert reading.values == {"energy_import": 123_456_780.0, "power": 0.0}
    assert reading.faults == (
        Fault(
            quantity="energy_export",
            register="data 00020000",
            reason="an answer of another length",
        ),
        Fault(
            quantity="voltage",
            register="data 02010100",
            reason="0x22AA is not a decimal number",
        ),
    )


@pytest.mark.parametrize(
    ("block", "values"),
    [
        ("5622", {"voltage_l1": 225.6}),
        ("5622 ffff ffff", {"voltage_l1": 225.6}),
        ("5622 0000 0000", {"voltage_l1": 225.6, "voltage_l2": 0.0, "voltage_l3": 0.0}),
        ("5622 57", {"voltage_l1": 230.0}),
        ("", {"voltage_l1": 230.0}),
        ("5622 5722 5822 5922", {"voltage_l1": 230.0}),
    ],
)
async def test_a_block_that_does_not_fit_is_given_up(dlt645, block, values) -> None:
    """One that ends after the only phase fits."""
    line = Said(d00010000="00000000", d0201FF00=block, d02010100="0023")

    reading = await Dlt645Meter(line, dlt645["dlt645_three_phase"], ADDRESS).read()

    assert reading.values == values | {"energy_import": 0.0}
    assert reading.faults == ()
