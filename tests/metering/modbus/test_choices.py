"""Which of several ways a meter gives its quantities: told by the readings, or not at all."""

from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.metering.modbus.choices import Chooser, Shown
from custom_components.carbon_meter.metering.modbus.meter import ModbusMeter
from custom_components.carbon_meter.metering.modbus.profile import Choice, ModbusProfile, Option
from custom_components.carbon_meter.metering.profile_library import load_profiles

PROFILES = load_profiles().of(ModbusProfile)

FIRST, SECOND = (Option(name=name, registers={}) for name in ("first", "second"))


def chooser() -> Chooser:
    return Chooser(Choice(name="way", options=(FIRST, SECOND)))


def shown(option: Option, faulty: bool = False, **values: float) -> Shown:
    return Shown(option=option, values=values, faulty=faulty)


@pytest.mark.parametrize(
    ("one", "two", "right"),
    [
        ({"frequency": 50.01}, {"frequency": 5.001}, FIRST),
        ({"frequency": 500.1}, {"frequency": 50.01}, SECOND),
        ({"frequency": 60.0}, {"frequency": 600.0}, FIRST),
        ({"voltage_l1": 23.1}, {"voltage_l1": 231.0}, SECOND),
        ({"voltage_l1": 0.0, "voltage_l2": 231.0}, {"voltage_l2": 2310.0}, FIRST),
        ({"energy_import": 0.0}, {"energy_import": 5.0}, SECOND),
        ({"energy_import": 7.0, "energy_export": 0.0}, {"energy_import": 0.0}, FIRST),
    ],
)
def test_only_one_of_them_can_be(one, two, right) -> None:
    choice = chooser()

    values = choice.choose([shown(FIRST, **one), shown(SECOND, **two)])

    assert choice.chosen is right
    assert values == (one if right is FIRST else two)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"frequency": 0.0}, {"frequency": 0.0}),
        ({"frequency": 500.0}, {"frequency": 5.0}),
        ({"energy_import": 0.0}, {"energy_import": 0.0}),
        ({"voltage_l1": 0.0}, {"voltage_l1": 0.0}),
        ({}, {}),
    ],
)
def test_none_of_them_is_shown_by_anything(one, two) -> None:
    choice = chooser()

    assert choice.choose([shown(FIRST, **one), shown(SECOND, **two)]) == {}
    assert choice.chosen is None
    assert choice.disputed == frozenset()


def test_what_the_meter_has_registers_for_need_not_prove_itself() -> None:
    choice = chooser()

    assert choice.choose([shown(SECOND, energy_import=0.0)]) == {"energy_import": 0.0}
    assert choice.chosen is SECOND


def test_a_single_way_that_is_impossible_is_none() -> None:
    choice = chooser()

    assert choice.choose([shown(SECOND, frequency=500.0)]) == {}
    assert choice.choose([shown(SECOND, faulty=True, frequency=50.0)]) == {}
    assert choice.chosen is None


def test_counters_that_differ_are_told_apart_when_one_counts() -> None:
    choice = chooser()
    stuck = shown(FIRST, energy_import=5000.0)

    assert choice.choose([stuck, shown(SECOND, energy_import=700.0)]) == {}
    assert choice.disputed == {"energy_import"}
    assert choice.chosen is None
    assert choice.choose([stuck, shown(SECOND, energy_import=701.0)]) == {"energy_import": 701.0}
    assert choice.chosen is SECOND


def test_a_counter_that_falls_is_none() -> None:
    choice = chooser()
    choice.choose([shown(FIRST, energy_import=5000.0), shown(SECOND, energy_import=700.0)])

    values = choice.choose([shown(FIRST, energy_import=4000.0), shown(SECOND, energy_import=700.0)])

    assert values == {"energy_import": 700.0}
    assert choice.chosen is SECOND


def test_counters_that_both_count_stay_unknown() -> None:
    choice = chooser()
    for step in range(3):
        one, two = shown(FIRST, energy_import=50.0 + step), shown(SECOND, energy_import=7.0 + step)
        assert choice.choose([one, two]) == {}
    assert choice.chosen is None


def test_what_both_agree_on_is_true_whichever_it_is() -> None:
    choice = chooser()
    one = shown(FIRST, voltage_l1=230.0, power=2.0)
    two = shown(SECOND, voltage_l1=230.0, power=2000.0)

    assert choice.choose([one, two]) == {"voltage_l1": 230.0}
    assert choice.disputed == {"power"}


def test_watts_and_kilowatts_are_told_by_voltage_current_and_power_factor() -> None:
    choice = chooser()
    same = {"voltage_l1": 230.0, "current_l1": 5.0, "power_factor_l1": 0.98}
    one = shown(FIRST, **same, power_l1=1.127)
    two = shown(SECOND, **same, power_l1=1127.0)

    assert choice.choose([one, two])["power_l1"] == 1127.0
    assert choice.chosen is SECOND


@given(st.floats(0, 1e5), st.sampled_from([0.001, 0.01, 0.1, 10, 100, 1000]))
def test_a_frequency_is_never_taken_at_the_wrong_scale(hertz, factor) -> None:
    """Of two scales at most one can be that of a network."""
    choice = chooser()

    values = choice.choose([shown(FIRST, frequency=hertz), shown(SECOND, frequency=hertz * factor)])

    assert all(45 <= value <= 65 for value in values.values())
    if choice.chosen is not None:
        other = hertz * factor if choice.chosen is FIRST else hertz
        assert not 45 <= other <= 65


def words_of(profile: ModbusProfile, options: dict[str, str], values: dict[str, float]) -> Any:
    """Return what a meter holds that has these options."""
    registers = [
        *profile.fixed_registers,
        *(
            register
            for choice in profile.choices
            for option in choice.options
            if option.name == options[choice.name]
            for register in option.registers.values()
        ),
    ]
    return {
        item.address: item.encode(values[item.quantity])
        for item in registers
        if item.quantity in values
    }


DTSU = PROFILES["chint_dtsu666"]
THREE = {f"voltage_l{phase}": 230.0 + phase for phase in (1, 2, 3)}
THREE |= {f"current_l{phase}": 4.0 for phase in (1, 2, 3)}
THREE |= {f"power_l{phase}": 900.0 for phase in (1, 2, 3)}
THREE |= {f"power_factor_l{phase}": 0.975 for phase in (1, 2, 3)}
THREE |= {"power": 2700.0, "frequency": 50.0, "energy_import": 123_000.0, "energy_export": 4_000.0}


@pytest.mark.parametrize("place", ["at 0x101E", "at 0x401E"])
@pytest.mark.parametrize("scale", ["tenths and thousandths", "plain", "plain with kilowatts"])
async def test_a_dtsu666_is_read_whatever_its_firmware_does(serve, place, scale) -> None:
    options = {"scale of the measured values": scale, "place of the energies": place}
    holding = words_of(DTSU, options, THREE) | {6: [1, 10]}
    served = await serve(holding=holding)
    meter = ModbusMeter(served.unit, DTSU)

    reading = await meter.read()

    assert reading.values == pytest.approx(THREE, rel=1e-6)
    assert reading.faults == ()
    served.requests.clear()
    assert (await meter.read()).values == reading.values
    # What it turned out not to have is not asked any more.
    addresses = {address for _, address, _ in served.requests}
    assert not any(0x1000 <= at < 0x2000 for at in addresses) or place == "at 0x101E"
    assert not any(at >= 0x4000 for at in addresses) or place == "at 0x401E"


async def test_transformers_multiply_what_a_dtsu666_shows(serve) -> None:
    options = {
        "scale of the measured values": "tenths and thousandths",
        "place of the energies": "at 0x101E",
    }
    served = await serve(holding=words_of(DTSU, options, THREE) | {6: [40, 10]})

    values = (await ModbusMeter(served.unit, DTSU).read()).values

    assert values["voltage_l1"] == pytest.approx(231.0)
    assert values["current_l1"] == pytest.approx(160.0)
    assert values["power"] == pytest.approx(108_000.0)
    assert values["energy_import"] == pytest.approx(4_920_000.0)


@pytest.mark.parametrize(
    ("profile_id", "raw", "hertz"),
    [
        ("lovato_dmg610", 5001, 50.01),
        ("lovato_dmg610", 50010, 50.01),
        ("lovato_dmg610", 0, None),
        ("lovato_dmg610", 500, None),
        ("socomec_countis_e", 49990, 49.99),
        ("socomec_diris_a10", 6000, 60.0),
    ],
)
async def test_a_frequency_tells_its_own_scale(serve, profile_id, raw, hertz) -> None:
    profile = PROFILES[profile_id]
    register = profile.registers["frequency"]
    space = "input_" if register.function == "input" else "holding"
    served = await serve(**{space: {register.address: [0, raw]}})

    values = (await ModbusMeter(served.unit, profile).read()).values

    assert values.get("frequency") == hertz


@pytest.mark.parametrize(("place", "other"), [(2498, 2584), (2584, 2498)])
async def test_the_frequency_of_a_finder_is_where_there_is_one(serve, place, other) -> None:
    served = await serve(input_={place: [0x4248, 0], other: [0x3F80, 0]})

    assert (await ModbusMeter(served.unit, PROFILES["finder_7m"]).read()).values["frequency"] == 50


@pytest.mark.parametrize("words", [[0x43FA, 0], [0x4248, 0]])
async def test_the_frequency_of_an_sdm72_may_be_ten_times_too_large(serve, words) -> None:
    served = await serve(input_={0x46: words})

    values = (await ModbusMeter(served.unit, PROFILES["eastron_sdm72_v2"]).read()).values

    assert values["frequency"] == 50.0


async def test_the_energies_of_an_acuvim_are_absent_where_their_type_is_not_clear(serve) -> None:
    acuvim = PROFILES["accuenergy_acuvim2"]
    voltages = {0x4002: [0x4366, 0]}
    integers = await serve(holding=voltages | {0x4048: [0x0001, 0xE240], 0x404A: [0, 7]})
    floats = await serve(holding=voltages | {0x4048: [0x4640, 0xE4CD], 0x404A: [0, 0]})

    counted = (await ModbusMeter(integers.unit, acuvim).read()).values
    unclear = await ModbusMeter(floats.unit, acuvim).read()

    assert counted["energy_import"] == 12_345_600.0
    assert counted["energy_export"] == 700.0
    assert "energy_import" not in unclear.values
    assert "not clear yet whether" in str(unclear.faults[0])
