"""A meter in process: truth, display and every fault, request by request."""

from dataclasses import replace

import pytest

from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from custom_components.carbon_meter.metering.modbus.registers import Function
from hardware.virtual import (
    BrokenFrame,
    Close,
    Fault,
    Freeze,
    Garbage,
    Household,
    Jump,
    Late,
    MeterSpec,
    NotAvailable,
    Refuse,
    Reset,
    RollOver,
    Silent,
    Spike,
    SunSpecLayout,
    Supply,
    SwapWords,
    VirtualClock,
    VirtualMeter,
    Wiring,
    WrongUnit,
)
from hardware.virtual.device import Answer

POWER, IMPORT, VOLTAGE = 0x000C, 0x0048, 0x0000


@pytest.fixture
def meter(clock: VirtualClock, profiles: dict[str, ModbusProfile]) -> VirtualMeter:
    """A single-phase meter for 3.6 kW, which are 1 Wh per second."""
    household = Household.constant(3600.0, clock.now(), supply=Supply(unrest=0, impedance=0))
    spec = MeterSpec(profile="eastron_sdm120", initial_import=5000.0)
    return VirtualMeter(spec, profiles["eastron_sdm120"], household, clock)


def ask(meter: VirtualMeter, address: int, count: int = 2) -> Answer:
    return meter.answer(Function.INPUT, address, count)


def number(meter: VirtualMeter, quantity: str) -> float:
    register = meter.profile.registers[quantity]
    return register.decode(ask(meter, register.address).words)


def test_truth_and_display(meter: VirtualMeter, clock: VirtualClock) -> None:
    assert meter.true_values()["power"] == pytest.approx(3600)
    assert number(meter, "power") == pytest.approx(3600)
    assert number(meter, "voltage") == 230
    assert meter.true_counters()["energy_import"] == 5000
    clock.step(1800)
    assert meter.true_counters()["energy_import"] == pytest.approx(6800)
    assert number(meter, "energy_import") == pytest.approx(6800)
    assert meter.true_counters(clock.now() - 900)["energy_import"] == pytest.approx(5900)
    assert set(meter.shown_values()) == set(meter.profile.registers)
    assert meter.requests == 3


def test_a_request_is_refused_as_the_family_does(meter: VirtualMeter) -> None:
    assert ask(meter, 0x1000).code == 2
    assert ask(meter, 0, 81).code == 3
    assert meter.answer(Function.HOLDING, VOLTAGE, 2).code == 2


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Silent(), Answer(silent=True)),
        (Close(), Answer(close=True)),
        (Refuse(code=6), Answer(code=6)),
        (WrongUnit(unit=9), Answer(words=(0x4366, 0), unit=9)),
        (BrokenFrame(), Answer(words=(0x4366, 0), broken=True)),
        (Late(seconds=1.5), Answer(words=(0x4366, 0), delay=1.5)),
        (SwapWords(), Answer(words=(0, 0x4366))),
        (NotAvailable(), Answer(words=(0x7FC0, 0))),
        (Spike(quantity="voltage", value=1.0), Answer(words=(0x3F80, 0))),
    ],
)
def test_a_fault_shows_until_it_is_cleared(
    meter: VirtualMeter, fault: Fault, expected: Answer
) -> None:
    good = Answer(words=(0x4366, 0))
    assert ask(meter, VOLTAGE) == good
    meter.apply(fault)
    assert meter.faults == (fault,)
    assert ask(meter, VOLTAGE) == expected
    if not isinstance(fault, Spike):
        assert ask(meter, VOLTAGE) == expected
    meter.clear(fault.name)
    assert ask(meter, VOLTAGE) == good
    assert meter.faults == ()


@pytest.mark.parametrize("fault", [Silent(times=2), Close(times=2), Refuse(times=2)])
def test_a_fault_can_be_for_some_requests_only(meter: VirtualMeter, fault: Fault) -> None:
    meter.apply(fault)
    answers = [ask(meter, VOLTAGE) for _ in range(4)]
    assert [answer.words for answer in answers] == [(), (), (0x4366, 0), (0x4366, 0)]


def test_faults_add_up(meter: VirtualMeter) -> None:
    meter.apply(Late(seconds=2))
    meter.apply(Refuse(code=4))
    meter.apply(WrongUnit(unit=3))
    assert ask(meter, VOLTAGE) == Answer(code=4, delay=2, unit=3)
    meter.clear()
    assert meter.faults == ()


def test_a_spike_waits_for_its_register(meter: VirtualMeter) -> None:
    meter.apply(Spike(quantity="power", value=9e6))
    assert number(meter, "voltage") == 230
    assert number(meter, "power") == 9e6
    assert number(meter, "power") == pytest.approx(3600)


def test_garbage_is_for_the_named_quantities(meter: VirtualMeter) -> None:
    meter.apply(Garbage(quantities=("power",), times=1))
    assert ask(meter, VOLTAGE).words == (0x4366, 0)
    assert ask(meter, POWER).words != (0x4561, 0)
    assert number(meter, "power") == pytest.approx(3600)


def test_frozen_registers_stand_still_while_energy_flows(
    meter: VirtualMeter, clock: VirtualClock
) -> None:
    meter.apply(Freeze())
    clock.step(600)
    assert number(meter, "energy_import") == pytest.approx(5000)
    assert meter.true_counters()["energy_import"] == pytest.approx(5600)
    meter.clear()
    assert number(meter, "energy_import") == pytest.approx(5600)


def test_a_reset_a_jump_and_a_rollover(meter: VirtualMeter, clock: VirtualClock) -> None:
    meter.apply(Reset(to=100.0))
    clock.step(10)
    assert number(meter, "energy_import") == pytest.approx(110)
    meter.apply(Jump(by=250.0))
    assert number(meter, "energy_import") == pytest.approx(360)
    meter.apply(RollOver(at=400.0))
    clock.step(50)
    assert number(meter, "energy_import") == pytest.approx(10)
    assert meter.true_counters()["energy_import"] == pytest.approx(5060)
    assert meter.faults == ()
    assert meter.shown_values()["energy_import"] == pytest.approx(10)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Spike(quantity="power_l2", value=1), "grid has no register for 'power_l2'"),
        (NotAvailable(quantities=("nonsense",)), "no register for 'nonsense'"),
        (Reset(quantities=("power",)), "'power' is not a counter"),
    ],
)
def test_a_fault_in_what_the_meter_lacks_is_refused(
    meter: VirtualMeter, fault: Fault, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        meter.apply(fault)
    assert meter.faults == ()


def test_a_register_without_a_code_cannot_be_unavailable(
    clock: VirtualClock, profiles: dict[str, ModbusProfile]
) -> None:
    profile = profiles["sunspec_meter_integer"]
    household = Household.constant(1.0, clock.now())
    meter = VirtualMeter(MeterSpec(profile=profile.id), profile, household, clock)
    meter.apply(NotAvailable(quantities=("power",)))
    assert all(profile.registers[key].not_available for key in profile.registers)


def test_missing_quantities_are_never_known(
    clock: VirtualClock, profiles: dict[str, ModbusProfile]
) -> None:
    spec = MeterSpec(profile="schneider_iem3000", missing={"energy_export", "frequency"})
    household = Household.constant(1.0, clock.now())
    meter = VirtualMeter(spec, profiles[spec.profile], household, clock)
    assert "frequency" not in meter.shown_values()
    words = meter.answer(Function.HOLDING, meter.profile.registers["frequency"].address, 2).words
    assert words == (0x8000, 0x8000)


def test_a_reversed_meter_exports_what_is_drawn(
    clock: VirtualClock, profiles: dict[str, ModbusProfile]
) -> None:
    spec = MeterSpec(profile="eastron_sdm630", reversed=True, initial_export=7.0)
    meter = VirtualMeter(spec, profiles[spec.profile], Household.constant(720, clock.now()), clock)
    clock.step(50)
    shown = meter.shown_values()
    assert shown["power"] == pytest.approx(-720)
    assert shown["power_factor"] == -1
    assert shown["energy_export"] == pytest.approx(17)
    assert shown["energy_import"] == 0


@pytest.mark.parametrize("backwards", [False, True])
def test_some_makers_show_export_as_positive(
    backwards: bool, clock: VirtualClock, profiles: dict[str, ModbusProfile]
) -> None:
    profile = replace(profiles["sunspec_meter_float"], export_positive=frozenset({"maker"}))
    spec = MeterSpec(profile=profile.id, manufacturer="Maker", reversed=backwards)
    meter = VirtualMeter(spec, profile, Household.constant(720, clock.now()), clock)
    assert meter.shown_values()["power"] == pytest.approx(720 if backwards else -720)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (MeterSpec(profile="eastron_sdm630", node="attic"), "no node 'attic'"),
        (
            MeterSpec(profile="sunspec_meter_integer", sunspec=SunSpecLayout(model=213)),
            "not for the SunSpec model 213",
        ),
    ],
)
def test_a_meter_that_cannot_be_connected(
    spec: MeterSpec, message: str, clock: VirtualClock, profiles: dict[str, ModbusProfile]
) -> None:
    household = Household.constant(1, clock.now())
    with pytest.raises(ValueError, match=message):
        VirtualMeter(spec, profiles[spec.profile], household, clock)


def test_the_wiring_follows_the_model(
    clock: VirtualClock, profiles: dict[str, ModbusProfile]
) -> None:
    household = Household.constant(1, clock.now())

    def wiring(**spec: object) -> Wiring:
        chosen = MeterSpec(**spec)  # type: ignore[arg-type]
        return VirtualMeter(chosen, profiles[chosen.profile], household, clock).wiring

    assert wiring(profile="eastron_sdm120") is Wiring.SINGLE
    assert wiring(profile="eastron_sdm630") is Wiring.WYE
    layout = SunSpecLayout(model=202)
    assert wiring(profile="sunspec_meter_integer", sunspec=layout) is Wiring.SPLIT
    assert wiring(profile="schneider_iem3000", wiring=Wiring.DELTA) is Wiring.DELTA
