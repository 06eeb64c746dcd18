"""Channels become quantities: the packaged profile, and the form of such files."""

from dataclasses import replace
from pathlib import Path

import pytest

from custom_components.carbon_meter.datafile import DataFileError
from custom_components.carbon_meter.metering.profile_library import load_profiles
from custom_components.carbon_meter.metering.profile_schema import load_profile
from custom_components.carbon_meter.metering.readings import Fault
from custom_components.carbon_meter.metering.speedwire.profile import SpeedwireProfile
from custom_components.carbon_meter.metering.speedwire.schema import SPEEDWIRE
from custom_components.carbon_meter.metering.speedwire.telegram import parse_telegram
from tests.metering.speedwire.captures import ENERGY_METER, HOME_MANAGER

PROFILE = load_profiles().of(SpeedwireProfile)["sma_energy_meter"]


def test_a_real_energy_meter_on_one_phase() -> None:
    reading = PROFILE.decode(parse_telegram(ENERGY_METER, 1234.5))

    unused = {
        f"{key}_{phase}": 0.0
        for key in (
            *("power", "reactive_power", "apparent_power", "current", "voltage", "power_factor"),
            *("energy_import", "energy_export"),
        )
        for phase in ("l2", "l3")
    }
    assert reading.time == 1234.5
    assert reading.faults == ()
    assert reading.values == unused | {
        "power": 634.7,
        "reactive_power": 71.1,
        "apparent_power": 638.7,
        "power_factor": 0.994,
        "energy_import": 15385645440 / 3600,
        "energy_export": 57338280 / 3600,
        "reactive_energy_import": 3139551720 / 3600,
        "reactive_energy_export": 83832.5,
        "power_l1": 634.7,
        "reactive_power_l1": 71.1,
        "apparent_power_l1": 638.7,
        "power_factor_l1": 0.994,
        "current_l1": 2.999,
        "voltage_l1": 225.757,
        "energy_import_l1": 15385645440 / 3600,
        "energy_export_l1": 57338280 / 3600,
    }


def test_a_real_home_manager_that_exports() -> None:
    values = PROFILE.decode(parse_telegram(HOME_MANAGER, 0.0)).values

    assert values["power"] == -699.7
    assert values["power_l1"] == -286.0
    assert values["power_l2"] == -294.6
    assert values["power_l3"] == -119.1
    assert values["reactive_power"] == -201.0
    assert values["reactive_power_l1"] == -38.4
    assert values["apparent_power"] == 728.0
    assert values["power_factor"] == 0.961
    assert values["frequency"] == 49.987
    assert values["voltage_l3"] == 231.47
    assert values["current_l2"] == 1.345
    assert values["energy_import"] == pytest.approx(445_086.8)
    assert set(values) == set(PROFILE.quantities)


@pytest.mark.parametrize(
    ("channel", "kind", "lost"),
    [
        (1, 4, "power"),
        (2, 4, "power"),
        (10, 4, "apparent_power"),
        (14, 4, "frequency"),
        (52, 4, "voltage_l2"),
        (2, 8, "energy_export"),
    ],
)
@pytest.mark.parametrize("absent", [False, True])
def test_what_the_meter_does_not_know_is_left_out(channel, kind, lost, absent) -> None:
    message = parse_telegram(HOME_MANAGER, 0.0)
    values = dict(message.values)
    values[channel, kind] = (1 << 8 * kind) - 1
    if absent:
        del values[channel, kind]

    reading = PROFILE.decode(replace(message, values=values))

    assert set(reading.values) == set(PROFILE.quantities) - {lost}
    assert reading.faults == ()


def test_more_than_any_meter_can_report_is_a_fault() -> None:
    message = parse_telegram(HOME_MANAGER, 0.0)
    values = {**message.values, (32, 4): 0xFFFFFFFE}

    reading = PROFILE.decode(replace(message, values=values))

    assert "voltage_l1" not in reading.values
    assert reading.faults == (
        Fault(
            quantity="voltage_l1",
            register="channel 32.4",
            reason="implausible value 4.29497e+06",
        ),
    )


FILE = """\
id: own
vendor: V
name: Own
models: [M]
phases: 1
protocol: speedwire
susy_ids: {500: M500}
channels:
  - {quantity: power, channel: 1, subtract: 2, scale: 0.1, unit: W}
  - {quantity: energy_import, channel: 1, unit: Ws}
"""


def built(tmp_path: Path, text: str) -> SpeedwireProfile:
    path = tmp_path / "own.yaml"
    path.write_text(text)
    profile = load_profile(path, [SPEEDWIRE])
    assert isinstance(profile, SpeedwireProfile)
    return profile


def test_a_new_model_is_a_file(tmp_path) -> None:
    profile = built(tmp_path, FILE)

    assert profile.susy_ids == {500: "M500"}
    assert profile.quantities == ("power", "energy_import")
    assert profile.decode(parse_telegram(HOME_MANAGER, 0.0)).values == {
        "power": -699.7,
        "energy_import": 1602312480 / 3600,
    }


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("unit: Ws", "unit: Vs", 10, "the unit 'Vh' does not fit energy_import"),
        ("scale: 0.1, unit: W", "unit: Ws", 9, "the unit 'Ws' does not fit power"),
        ("quantity: energy_import", "quantity: power", 10, "power has a channel already"),
        ("subtract: 2", "subtract: 2, add: 3", 9, "two or more values in the same group"),
        ("channel: 1, unit", "channel: 0, unit", 10, "must be a whole number from 1 to 32767"),
        ("{500: M500}", "{70000: M}", 7, ""),
        ("{500: M500}", "{}", 7, "length of value must be at least 1"),
    ],
)
def test_faults_of_a_file_are_named(tmp_path, old, new, line, message) -> None:
    assert old in FILE

    with pytest.raises(DataFileError) as caught:
        built(tmp_path, FILE.replace(old, new))

    (problem,) = caught.value.problems
    assert problem.line == line
    assert message in problem.message


def test_no_two_families_have_the_same_kind_of_device() -> None:
    claims = [
        susy_id
        for profile in load_profiles().of(SpeedwireProfile).values()
        for susy_id in profile.susy_ids
    ]

    assert len(claims) == len(set(claims))
    assert {270, 349, 372} <= set(claims)
