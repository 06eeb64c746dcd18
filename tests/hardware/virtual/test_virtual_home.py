"""Virtual homes read by the integration itself, over real Modbus TCP."""

from collections.abc import AsyncIterator
from dataclasses import replace
import math

from modbus_connection.exceptions import ModbusConnectionError
import pytest

from custom_components.carbon_meter.metering.candidate import Identification
from custom_components.carbon_meter.metering.errors import (
    MeterError,
    MeterGarbledError,
    MeterRefusedError,
    MeterRejectedError,
    MeterSilentError,
)
from custom_components.carbon_meter.metering.modbus.blocks import plan_blocks
from custom_components.carbon_meter.metering.modbus.identification import identify
from custom_components.carbon_meter.metering.modbus.meter import ModbusMeter
from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from custom_components.carbon_meter.metering.modbus.registers import Register
from custom_components.carbon_meter.metering.profile_library import load_profiles
from custom_components.carbon_meter.metering.quantities import QUANTITIES
from hardware.virtual import (
    PRESETS,
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
    Steps,
    SunSpecLayout,
    SwapWords,
    VirtualClock,
    VirtualHome,
    VirtualMeter,
    WrongUnit,
    preset,
)
from hardware.virtual.electrical import MIXES
from tests.hardware.virtual.reading import NOON, Connect

PROFILES = load_profiles().of(ModbusProfile)


MODELS = {"shelly_modbus_tcp": "SPEM-003CEBEU", "cg_em300": "ET340"}
"""What a meter calls itself, where it matters and is not the name that it is sold by."""

LOADS = {
    "both ways": [1234.0, -777.0, 321.0],
    "export": [-3000.0, -2950.0, -3080.0],
    "night": [31.0, 12.0, 0.0],
    "much": [9_000.0, 10_500.0, 9_700.0],
}
"""W per phase."""


def every_meter() -> list[MeterSpec]:
    """Return a meter of each profile, of each SunSpec model where it has several."""
    return [
        MeterSpec(
            profile=profile.id,
            model=MODELS.get(profile.id, ""),
            sunspec=SunSpecLayout(model=model),
            initial_import=8_765_432.0,
            initial_export=1_234_567.0,
        )
        for profile in PROFILES.values()
        for model in sorted(profile.sunspec_models) or [None]
    ]


def title(spec: MeterSpec) -> str:
    is_chain = PROFILES[spec.profile].is_chained
    return f"{spec.profile}-{spec.sunspec.model}" if is_chain else spec.profile


ALL = pytest.mark.parametrize("spec", every_meter(), ids=title)


def a_home(spec: MeterSpec, clock: VirtualClock) -> VirtualHome:
    """Return a home in the sun, with power flowing both ways through its phases."""
    household = Household.simulated(clock.now() - 86400)
    household.force("grid", [1234.0, -777.0, 321.0], clock.now())
    return VirtualHome([spec], household, clock=clock, profiles=PROFILES)


async def found(connect: Connect, home: VirtualHome) -> tuple[Identification, ModbusMeter]:
    """Identify the meter, and return what reads it as its own profile."""
    unit = await connect(home.port)
    identification = await identify(unit, PROFILES.values())
    meter = home["grid"]
    bases = [
        each.settings["base"] for each in identification.candidates if each.profile is meter.profile
    ]
    return identification, ModbusMeter(unit, meter.profile, base=bases[0], clock=home.clock.now)


SIBLINGS = {"eastron_sdm230": "eastron_sdm120"}
"""Families whose map another family has too, and which have no register that tells them apart."""


@ALL
async def test_every_profile_is_identified_among_all_others(
    spec: MeterSpec, clock: VirtualClock, connect: Connect
) -> None:
    async with a_home(spec, clock) as home:
        meter, unit = home["grid"], await connect(home.port)
        profile = meter.profile
        for watts in LOADS.values():
            home.force("grid", watts)
            candidates = (await identify(unit, PROFILES.values())).candidates
            best, *others = candidates
            assert best.profile is profile
            assert best.certain is profile.is_provable
            assert [each.profile.id for each in others] == [
                *filter(None, [SIBLINGS.get(profile.id)])
            ]
            scores = [each.score for each in candidates]
            assert scores == sorted(scores, reverse=True)
            assert (best.score == 1) is best.certain
            for key in ("manufacturer", "model", "serial"):
                said = getattr(best, key)
                if said or key in profile.identity or profile.sunspec_models:
                    assert said == getattr(meter.identity, key)


def smallest_step(register: Register) -> float:
    """Return by how much the numbers in a register differ in the unit of the quantity."""
    steps = {"V": 0.1, "A": 0.01, "Hz": 0.01, "1": 0.0001}
    if register.scale_register is not None:
        return steps.get(QUANTITIES[register.quantity].unit, 1.0)
    return float(register.factor) * (1 + len(register.plus))


def of_its_model(meter: VirtualMeter) -> set[str]:
    """Return the quantities that the model of the meter has."""
    return {
        key
        for key, register in meter.profile.registers.items()
        if not register.models or meter.identity.model in register.models
    }


@ALL
async def test_every_profile_is_read_back_exactly(
    spec: MeterSpec, clock: VirtualClock, connect: Connect
) -> None:
    async with a_home(spec, clock) as home:
        _, reader = await found(connect, home)
        meter = home["grid"]
        for watts in LOADS.values():
            home.force("grid", watts)
            clock.step(754.3)
            reading = await reader.read()
            true, shown = meter.true_values(), meter.shown_values()
            assert reading.faults == ()
            assert reading.time == clock.now()
            assert dict(reading.values) == shown
            # The rounding is that of the register: half a step, or a 24-bit mantissa.
            for key, value in shown.items():
                register = meter.profile.registers[key]
                if register.type in ("u16", "u32") and QUANTITIES[key].signed:
                    continue  # a meter that shows no direction stays at zero
                step = smallest_step(register) / 2
                if register.type in ("f32", "f64"):
                    step = abs(true[key]) * 2.0**-22
                assert value == pytest.approx(true[key], abs=step * 1.0001, rel=0), key
            # What the wiring lacks is absent, everything else is there.
            assert set(shown) == set(true).intersection(of_its_model(meter))


@ALL
async def test_blocks_are_as_few_as_the_limit_allows_and_all_are_answered(
    spec: MeterSpec, clock: VirtualClock, connect: Connect
) -> None:
    async with a_home(spec, clock) as home:
        _, reader = await found(connect, home)
        planned = reader.blocks
        await reader.read()
        meter = home["grid"]
        if not meter.profile.choices and not any(
            register.models for register in meter.profile.registers.values()
        ):
            assert reader.blocks == planned
            assert reader.absent == ()
        before = meter.requests
        await reader.read()
        assert meter.requests - before == len(reader.blocks)
    spans = [span for block in planned for span in block.spans]
    assert len(planned) == len(plan_blocks(spans, meter.profile.max_registers))


@ALL
async def test_every_not_available_code_comes_back_as_absent(
    spec: MeterSpec, clock: VirtualClock, connect: Connect
) -> None:
    async with a_home(spec, clock) as home:
        _, reader = await found(connect, home)
        meter = home["grid"]
        everything = set((await reader.read()).values)
        for key in everything:
            register = meter.profile.registers[key]
            if not register.not_available and not register.type.startswith("f"):
                continue
            meter.apply(NotAvailable(quantities=(key,)))
            reading = await reader.read()
            meter.clear()
            assert set(reading.values) == everything - {key}
            assert reading.faults == ()


@pytest.fixture
async def constant(clock: VirtualClock, socket_enabled: None) -> AsyncIterator[VirtualHome]:
    """3.6 kW through an SDM630: 1 Wh per second."""
    specs = [MeterSpec(profile="eastron_sdm630", initial_import=500_000.0)]
    async with VirtualHome.constant(3600, specs, clock=clock) as home:
        yield home


async def reader_of(connect: Connect, home: VirtualHome, patience: float = 20.0) -> ModbusMeter:
    unit = await connect(home.port, patience=patience)
    return ModbusMeter(unit, home["grid"].profile, clock=home.clock.now)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Silent(), MeterSilentError),
        (Late(seconds=1.0), MeterSilentError),
        (Refuse(code=4), MeterRejectedError),
        (Close(), MeterError),
        (WrongUnit(), MeterError),
        (BrokenFrame(), MeterError),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
async def test_a_meter_that_does_not_answer_properly_is_an_error_and_then_over(
    fault: Fault, error: type[MeterError], constant: VirtualHome, connect: Connect
) -> None:
    before = await (await reader_of(connect, constant)).read()
    reader = await reader_of(
        connect, constant, patience=20.0 if error is MeterRejectedError else 0.3
    )
    constant["grid"].apply(fault)
    with pytest.raises(error):
        await reader.read()
    constant["grid"].clear()
    constant.clock.step(60)
    reader = await reader_of(connect, constant)
    after = await reader.read()
    gained = after.values["energy_import"] - before.values["energy_import"]
    assert gained == pytest.approx(60, abs=0.04)


async def test_a_meter_that_is_busy_once_is_asked_again(
    constant: VirtualHome, connect: Connect
) -> None:
    reader = await reader_of(connect, constant)
    constant["grid"].apply(Refuse(code=6, times=1))
    assert (await reader.read()).values["power"] == pytest.approx(3600)


async def test_a_late_answer_in_time_is_as_good_as_any(
    constant: VirtualHome, connect: Connect
) -> None:
    reader = await reader_of(connect, constant)
    constant["grid"].apply(Late(seconds=0.2))
    reading = await reader.read()
    assert reading.values["power"] == pytest.approx(3600)


async def test_a_closed_port_is_a_refused_connection(
    constant: VirtualHome, connect: Connect
) -> None:
    reader = await reader_of(connect, constant)
    await reader.read()
    await constant.modbus.close()
    with pytest.raises(MeterError):
        await reader.read()
    with pytest.raises(ModbusConnectionError):
        await connect(constant.port)
    await constant.modbus.open()
    assert (await (await reader_of(connect, constant)).read()).values["power"]


async def test_an_unknown_unit_is_rejected_by_the_gateway(
    constant: VirtualHome, connect: Connect
) -> None:
    unit = await connect(constant.port, unit=2)
    with pytest.raises(MeterRejectedError) as caught:
        await ModbusMeter(unit, constant["grid"].profile).read()
    assert caught.value.is_about_unit


async def test_frozen_registers_lose_no_energy(constant: VirtualHome, connect: Connect) -> None:
    reader = await reader_of(connect, constant)
    first = await reader.read()
    constant["grid"].apply(Freeze())
    constant.clock.step(1200)
    assert (await reader.read()).values == first.values
    constant["grid"].clear()
    gained = (await reader.read()).values["energy_import"] - first.values["energy_import"]
    assert gained == pytest.approx(1200, abs=0.04)


async def test_counters_reset_jump_and_roll_over(constant: VirtualHome, connect: Connect) -> None:
    reader = await reader_of(connect, constant)
    meter = constant["grid"]

    async def shown() -> float:
        return (await reader.read()).values["energy_import"]

    meter.apply(Reset(quantities=("energy_import",)))
    assert await shown() == 0
    constant.clock.step(30)
    assert await shown() == pytest.approx(30, abs=1e-3)
    meter.apply(Jump(by=5000))
    assert await shown() == pytest.approx(5030, abs=1e-3)
    meter.apply(RollOver(at=5100))
    constant.clock.step(75)
    assert await shown() == pytest.approx(5, abs=1e-3)
    assert meter.true_counters()["energy_import"] == pytest.approx(500_105)


async def test_a_spike_is_seen_once(constant: VirtualHome, connect: Connect) -> None:
    reader = await reader_of(connect, constant)
    constant["grid"].apply(Spike(quantity="power", value=5e6))
    assert [(await reader.read()).values["power"] for _ in range(2)] == [
        5e6,
        pytest.approx(3600),
    ]


@pytest.mark.parametrize("fault", [SwapWords(), Garbage()])
async def test_nonsense_is_read_as_nonsense(
    fault: Fault, constant: VirtualHome, connect: Connect
) -> None:
    reader = await reader_of(connect, constant)
    good = await reader.read()
    constant["grid"].apply(fault)
    bad = await reader.read()
    assert dict(bad.values) != dict(good.values)
    constant["grid"].clear()
    assert (await reader.read()).values == good.values


async def test_several_meters_answer_behind_one_port(clock: VirtualClock, connect: Connect) -> None:
    async with VirtualHome(preset("home", initial=1e6), clock=clock) as home:
        assert list(home.meters) == ["grid", "heat_pump", "solar", "battery", "ev"]
        clock.step(1)
        powers = {}
        for meter in home.meters.values():
            unit = await connect(home.port, meter.unit)
            identification = await identify(unit, PROFILES.values())
            best = identification.candidates[0]
            assert best.profile.id == meter.profile.id
            powers[meter.name] = best.reading.values["power"]
            assert best.reading.values["energy_import"] == pytest.approx(1e6, abs=1)
        assert powers["solar"] < -1000
        assert powers["heat_pump"] > 0


async def test_counters_are_exact_at_any_speed(connect: Connect) -> None:
    """Between two readings at 3600 times the speed of life, no watt-second is lost."""
    clock = VirtualClock(NOON, speed=3600)
    steps = Steps.lasting(NOON, [(37.7, 9000.0), (411.0, -2500.0)] * 200)
    home = VirtualHome(
        [MeterSpec(profile="sunspec_meter_float", sunspec=SunSpecLayout(model=211))],
        Household.of(steps, NOON, phases=(0.0, 0.0, 1.0)),
        clock=clock,
        profiles=PROFILES,
    )
    async with home:
        _, reader = await found(connect, home)
        readings = [await reader.read() for _ in range(40)]
        clock.freeze()
        last = await reader.read()
    for reading in [*readings, last]:
        elapsed = reading.time - NOON
        rounds, rest = divmod(elapsed, 448.7)
        full = min(rounds, 200)
        come = full * 9000 * 37.7 + (9000 * min(rest, 37.7) if rounds < 200 else 0)
        gone = full * 2500 * 411 + (2500 * max(0, rest - 37.7) if rounds < 200 else 0)
        # The registers were filled while the request was on its way: at this speed that is
        # seconds of virtual time. The last one is read while the clock stands still.
        slack = 1e-3 if reading is last else 9000 * 60 / 3600
        assert reading.values["energy_import"] == pytest.approx(come / 3600, rel=1e-6, abs=slack)
        assert reading.values["energy_export"] == pytest.approx(gone / 3600, rel=1e-6, abs=slack)
    assert last.time - readings[0].time > 30


async def test_all_registers_of_a_request_are_of_one_moment(connect: Connect) -> None:
    """Power and what belongs to it fit together however fast time runs."""
    clock = VirtualClock(NOON, speed=3600)
    home = VirtualHome([MeterSpec(profile="sunspec_meter_float")], clock=clock)
    async with home:
        unit = await connect(home.port)
        identification = await identify(unit, PROFILES.values())
        base = identification.candidates[0].settings["base"]
        reader = ModbusMeter(unit, home["grid"].profile, base=base)
        assert len(reader.blocks) == 1
        for _ in range(50):
            values = (await reader.read()).values
            for line in ("l1", "l2", "l3"):
                flowing = values[f"voltage_{line}"] * values[f"current_{line}"]
                flowing *= values[f"power_factor_{line}"]
                assert flowing == pytest.approx(values[f"power_{line}"], rel=1e-5)
            assert sum(values[f"power_l{n}"] for n in (1, 2, 3)) == pytest.approx(values["power"])


async def test_forcing_a_node_is_seen_at_the_meter(clock: VirtualClock, connect: Connect) -> None:
    async with VirtualHome(preset("home"), clock=clock) as home:
        home.force("grid", 2500)
        reader = await reader_of(connect, home)
        before = await reader.read()
        clock.step(3600)
        after = await reader.read()
        assert after.values["power"] == pytest.approx(2500)
        gained = after.values["energy_import"] - before.values["energy_import"]
        assert gained == pytest.approx(2500, abs=0.01)
        home.force("grid", None)
        assert (await reader.read()).values["power"] != pytest.approx(2500)


async def test_the_port_is_open_inside_the_home_only(clock: VirtualClock, connect: Connect) -> None:
    home = VirtualHome.constant(1, preset("grid"), clock=clock)
    async with home as same:
        assert same is home
        await connect(home.port)
    assert not home.modbus.listening
    with pytest.raises(ModbusConnectionError):
        await connect(home.port)


def test_a_home_names_what_it_cannot_have() -> None:
    with pytest.raises(ValueError, match="no profile 'nonsense'"):
        VirtualHome([MeterSpec(profile="nonsense")])
    twice = [MeterSpec(profile="eastron_sdm120", unit=unit) for unit in (1, 2)]
    with pytest.raises(ValueError, match="two meters have the name 'grid'"):
        VirtualHome(twice)
    with pytest.raises(ValueError, match="two devices have the unit id 1"):
        VirtualHome([twice[0], replace(twice[1], name="other", unit=1)])


def test_the_presets_can_have_another_grid_meter() -> None:
    assert set(PRESETS) == {"home", "grid"}
    specs = preset("home", profile="schneider_iem3000", initial=5.0)
    assert [spec.profile for spec in specs] == [
        "schneider_iem3000",
        "eastron_sdm120",
        "sunspec_meter_integer",
        "schneider_iem3000",
        "eastron_sdm72_v2",
    ]
    assert {spec.initial_import for spec in specs} == {5.0}


def test_every_wiring_passes_on_all_of_the_power() -> None:
    for mix in MIXES.values():
        assert [math.fsum(row[phase] for row in mix) for phase in range(3)] == [1, 1, 1]


async def test_garbled_answers_are_told_apart_from_silence(
    constant: VirtualHome, connect: Connect
) -> None:
    """An answer from another unit is no silence; what the Modbus library makes of it is its own."""
    reader = await reader_of(connect, constant, patience=1.0)
    constant["grid"].apply(WrongUnit(times=1))
    with pytest.raises((MeterGarbledError, MeterSilentError)):
        await reader.read()


async def test_refused_is_told_apart_from_unreachable(
    constant: VirtualHome, connect: Connect
) -> None:
    reader = await reader_of(connect, constant)
    await constant.modbus.close()
    with pytest.raises(MeterError):
        await reader.read()
    with pytest.raises(MeterRefusedError):
        await reader.read()
