"""How DL/T 645 meters write their numbers: those of a real meter, and what is none."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.datafile import DataFileError
from custom_components.carbon_meter.metering.dlt645.frames import take_frame
from custom_components.carbon_meter.metering.dlt645.profile import (
    Datum,
    Dlt645Profile,
    ImplausibleError,
)
from custom_components.carbon_meter.metering.dlt645.schema import DLT645
from custom_components.carbon_meter.metering.profile_library import load_profiles
from custom_components.carbon_meter.metering.profile_schema import load_profile

PROFILES = load_profiles().of(Dlt645Profile)
THREE = PROFILES["dlt645_three_phase"]
SINGLE = PROFILES["dlt645_single_phase"]


@pytest.mark.parametrize(
    ("raw", "quantity", "value"),
    [
        # A log of a real meter of 2017 with the values that its reader said, in public code.
        ("68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 16", "energy_import", 260.0),
        ("68 61 01 00 00 00 00 68 91 06 33 34 34 35 34 43 10 16", "voltage", 100.1),
        ("68 61 01 00 00 00 00 68 91 07 33 34 35 35 CC 7C 33 16 16", "current", 4.999),
        ("68 61 01 00 00 00 00 68 91 07 33 33 36 35 45 58 33 6B 16", "power", 251.2),
        ("68 61 01 00 00 00 00 68 91 07 33 33 37 35 64 76 33 A9 16", "reactive_power", 433.1),
        ("68 61 01 00 00 00 00 68 91 07 33 33 38 35 39 83 33 8C 16", "apparent_power", 500.6),
        ("68 61 01 00 00 00 00 68 91 06 33 33 39 35 34 38 09 16", "power_factor", 0.501),
    ],
)
def test_a_real_meter(raw, quantity, value) -> None:
    frame = take_frame(bytearray.fromhex(raw))
    datum = SINGLE.data[quantity]

    assert frame is not None
    assert int.from_bytes(frame.data[:4], "little") == datum.identifier
    assert datum.decode(frame.data[4:]) == value


def test_a_real_block_of_a_single_phase_meter() -> None:
    """225.6 V and twice not available: the remote end of a meter test in public code."""
    frame = take_frame(
        bytearray.fromhex("68 12 00 00 00 10 20 68 91 0A 33 32 34 35 89 55 32 32 32 32 21 16")
    )

    assert frame is not None
    assert int.from_bytes(frame.data[:4], "little") == THREE.blocks[0].identifier
    parts = [frame.data[place : place + 2] for place in (4, 6, 8)]
    assert [THREE.data[f"voltage_l{n + 1}"].decode(part) for n, part in enumerate(parts)] == [
        225.6,
        None,
        None,
    ]


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.id)
def test_every_datum_can_be_unavailable_and_garbled(profile) -> None:
    for datum in profile.data.values():
        assert datum.decode(b"\xff" * datum.length) is None
        assert datum.decode(bytes(datum.length)) == 0
        with pytest.raises(ImplausibleError, match="is not a decimal number"):
            datum.decode(b"\x0a" + bytes(datum.length - 1))


@pytest.mark.parametrize(
    ("quantity", "raw", "value"),
    [
        ("power", "000080", -0.0),
        ("power", "341283", -3123.4),
        ("power", "999979", 79999.9),
        ("current_l1", "010080", -0.001),
        ("power_factor", "0080", 0.0),
        ("power_factor", "0090", -1.0),
        ("energy_export", "99999999", 999_999_990.0),
        ("energy_total", "00100000", 10_000.0),
        ("voltage_l1", "9999", 999.9),
    ],
)
def test_the_highest_bit_is_the_direction_where_there_is_one(quantity, raw, value) -> None:
    assert THREE.data[quantity].decode(bytes.fromhex(raw)) == value


@pytest.mark.parametrize(
    ("quantity", "raw", "reason"),
    [
        ("energy_total", "00100080", "implausible value -10000"),
        ("power_factor", "0020", "implausible value 2"),
        ("energy_import", "000000a0", "0xA0000000 is not a decimal number"),
        ("voltage_l1", "ff22", "0x22FF is not a decimal number"),
    ],
)
def test_what_no_meter_can_truthfully_report(quantity, raw, reason) -> None:
    with pytest.raises(ImplausibleError, match=reason):
        THREE.data[quantity].decode(bytes.fromhex(raw))


@given(st.integers(1, 14), st.data())
def test_every_decimal_number_is_read_exactly(digits, data) -> None:
    decimals = data.draw(st.integers(0, digits))
    number = data.draw(st.integers(0, 10**digits - 1))
    signed = data.draw(st.booleans())
    datum = Datum(
        quantity="apparent_power",
        identifier=0,
        digits=digits,
        factor=Fraction(1, 10**decimals),
        signed=signed,
    )
    text = f"{number:0{2 * datum.length}d}"
    raw = bytes(reversed(bytes.fromhex(text)))
    exact = float(Decimal(number).scaleb(-decimals))
    if signed and text[0] in "89":
        exact = -float(Decimal(int(f"{int(text[0]) - 8}{text[1:]}")).scaleb(-decimals))

    if abs(exact) > 1e9:
        with pytest.raises(ImplausibleError):
            datum.decode(raw)
    else:
        assert datum.decode(raw) == exact


@given(st.binary(min_size=4, max_size=4))
def test_any_bytes_are_a_number_or_none(raw) -> None:
    for key in ("energy_import", "energy_total"):
        try:
            value = THREE.data[key].decode(raw)
        except ImplausibleError:
            continue
        assert value is None or 0 <= value < 1e9


def test_blocks_hold_what_single_identifiers_hold_too() -> None:
    for block in THREE.blocks:
        assert {THREE.data[key].identifier & 0xFFFF0000 for key in block.quantities} == {
            block.identifier & 0xFFFF0000
        }
    assert SINGLE.phases == 1
    identifiers = [datum.identifier for datum in THREE.data.values()]
    assert len(identifiers) == len(set(identifiers))


FILE = """\
id: own
vendor: V
name: Own
models: [M]
phases: 3
protocol: dlt645
data:
  - {quantity: power, identifier: 0x02030000, format: XX.XXXX, signed: true, unit: kW}
  - {quantity: power_l1, identifier: 0x02030100, format: XX.XXXX, signed: true, unit: kW}
blocks:
  - {identifier: 0x0203FF00, quantities: [power, power_l1]}
identity: {model: 0x0400040B}
"""


def built(tmp_path: Path, text: str) -> Dlt645Profile:
    path = tmp_path / "own.yaml"
    path.write_text(text)
    profile = load_profile(path, [DLT645])
    assert isinstance(profile, Dlt645Profile)
    return profile


def test_a_family_is_a_file(tmp_path) -> None:
    profile = built(tmp_path, FILE)

    assert profile.quantities == ("power", "power_l1")
    assert profile.data["power"].length == 3
    assert profile.data["power"].factor == Fraction(1, 10)
    assert profile.blocks[0].quantities == ("power", "power_l1")
    assert profile.identity == {"model": 0x0400040B}


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("XX.XXXX, signed: true, unit: kW}\nb", "1.5, unit: kW}\nb", 9, "as in the standard"),
        ("format: XX.XXXX, signed: true, unit: kW}\nb", "format: X., unit: kW}\nb", 9, "standard"),
        ("quantity: power_l1", "quantity: power", 9, "power has a data identifier already"),
        ("unit: kW}\nb", "unit: kV}\nb", 9, "the unit 'kV' does not fit power_l1"),
        ("[power, power_l1]", "[power, power_l2]", 11, "power_l2 has no data identifier"),
        ("0x0400040B", "-1", 12, "must be a whole number"),
    ],
)
def test_faults_of_a_file_are_named(tmp_path, old, new, line, message) -> None:
    assert old in FILE

    with pytest.raises(DataFileError) as caught:
        built(tmp_path, FILE.replace(old, new))

    (problem,) = caught.value.problems
    assert problem.line == line
    assert message in problem.message
