"""All profiles of an installation: a faulty file costs no other."""

from pathlib import Path

import pytest

from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from custom_components.carbon_meter.metering.modbus.registers import Confidence, Register
from custom_components.carbon_meter.metering.profile_library import PACKAGED, load_profiles
from custom_components.carbon_meter.metering.quantities import QUANTITIES

LIBRARY = load_profiles()
MODBUS = LIBRARY.of(ModbusProfile)
EACH = pytest.mark.parametrize("profile", MODBUS.values(), ids=lambda profile: profile.id)


def profile_text(profile_id: str = "own", name: str = "Own") -> str:
    return (
        f"id: {profile_id}\nvendor: V\nname: {name}\nmodels: [M]\nphases: 1\nprotocol: modbus\n"
        "function: holding\nregisters:\n  - {quantity: power, address: 0, unit: W}\n"
    )


def test_every_packaged_profile_can_be_used() -> None:
    assert LIBRARY.problems == ()
    assert {path.stem for path in PACKAGED.rglob("*.yaml")} == set(LIBRARY.profiles)


FAMILIES = [
    "eastron_sdm630",
    "eastron_sdm120",
    "eastron_sdm230",
    "eastron_sdm72_v1",
    "eastron_sdm72_v2",
    "cg_em24_rs485",
    "cg_em24_ethernet",
    "cg_em300",
    "cg_em100",
    "schneider_iem3000",
    "abb_b_series",
    "janitza_umg96",
    "janitza_umg604",
    "chint_dtsu666",
    "chint_ddsu666",
    "acrel_adl400",
    "acrel_adl400_primary",
    "acrel_adw300",
    "socomec_countis_e",
    "socomec_diris_a10",
    "socomec_diris_b30",
    "siemens_pac",
    "siemens_pac1600",
    "accuenergy_acuvim2",
    "inepro_pro380",
    "orno_we516",
    "orno_we514",
    "finder_7m",
    "phoenix_eem",
    "lovato_dmg610",
    "bernecker_mpm3pm",
    "eltako_dsz",
    "bgetech_ds100",
    "hager_ecr380d",
    "pqplus_umd96",
    "tq_bcontrol_em300",
    "mypv_iammeter_wem3080t",
    "shelly_modbus_tcp",
    "sma_homemanager_modbus",
    "eig_shark100",
    "sunspec_meter_integer",
    "sunspec_meter_float",
]

WITHOUT_IMPORT = {"orno_we514", "pqplus_umd96"}
"""Families whose sources have no import counter: a total one only, or none at all."""


def test_the_families_that_are_promised_are_there() -> None:
    assert set(FAMILIES) <= set(MODBUS)
    models = {model for profile in MODBUS.values() for model in profile.models}
    for wanted in ("SDM120", "SDM630", "iEM3255", "PM5300", "EM340", "B23", "DTSU666", "PAC3200"):
        assert any(wanted in model for model in models), wanted
    sunspec = {model for profile in MODBUS.values() for model in profile.sunspec_models}
    assert sunspec == {201, 202, 203, 204, 211, 212, 213, 214}


def every_register(profile: ModbusProfile) -> list[Register]:
    options = [option for choice in profile.choices for option in choice.options]
    chosen = [register for option in options for register in option.registers.values()]
    return [*profile.fixed_registers, *chosen, *profile.checks]


@EACH
def test_what_every_packaged_profile_has(profile: ModbusProfile) -> None:
    assert "power" in profile.registers
    assert "energy_import" in profile.registers or profile.id in WITHOUT_IMPORT
    assert profile.title
    assert set(profile.registers) <= set(QUANTITIES)
    assert set(profile.quantities) == set(profile.registers)
    if profile.is_chained:
        assert min(item.address for item in profile.registers.values()) >= 2  # behind the header
    assert not any("_l2" in key for key in profile.registers) or profile.phases == 3


@EACH
def test_no_two_quantities_share_a_register(profile: ModbusProfile) -> None:
    places = [
        (item.function, address + offset)
        for item in profile.registers.values()
        for address in (item.address, *item.plus, *item.minus)
        for offset in range(item.words)
    ]

    assert len(places) == len(set(places))


@EACH
def test_every_register_names_a_source_that_the_file_explains(profile: ModbusProfile) -> None:
    for register in every_register(profile):
        assert set(register.sources) <= set(profile.sources), register.quantity
        assert register.sources or register.doubt or profile.is_chained, register.quantity


@EACH
def test_a_map_of_a_single_source_is_not_confirmed(profile: ModbusProfile) -> None:
    if profile.is_chained:
        return
    twice = any(item.confidence is Confidence.CONFIRMED for item in every_register(profile))

    assert profile.confirmed is twice


def test_no_two_families_are_proved_by_the_same_content() -> None:
    claims = [
        (signature.function, signature.address, content)
        for profile in MODBUS.values()
        for signature in profile.signatures
        for content in (*signature.codes, *(text.lower() for text in signature.texts))
    ]

    assert len(claims) == len(set(claims))


@EACH
def test_nothing_proves_nothing(profile: ModbusProfile) -> None:
    for signature in profile.signatures:
        for word in (0, 0xFFFF):
            assert not signature.matches([word] * signature.length)


def test_a_faulty_file_is_named_and_costs_no_other(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(profile_text("good"))
    (tmp_path / "b.yaml").write_text("id: bad\nvendor: [\n")
    (tmp_path / "c.yaml").write_bytes(b"\xff\xfe")
    (tmp_path / "d.yaml").mkdir()
    (tmp_path / "e.yaml").write_text(profile_text("bad").replace("phases: 1", "phases: one"))
    (tmp_path / "readme.txt").write_text("no profile")

    library = load_profiles([PACKAGED, tmp_path])

    assert set(library.profiles) == {*LIBRARY.profiles, "good"}
    assert [(Path(problem.file).name, problem.line) for problem in library.problems] == [
        ("b.yaml", 3),
        ("c.yaml", 1),
        ("d.yaml", 1),
        ("e.yaml", 5),
    ]


def test_a_user_s_file_replaces_a_packaged_profile(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(profile_text("eastron_sdm630", "Mine"))

    library = load_profiles([PACKAGED, tmp_path])

    assert library["eastron_sdm630"].name == "Mine"
    assert library.problems == ()
    assert set(library.profiles) == set(LIBRARY.profiles)


def test_the_first_of_two_files_with_one_id_counts(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(profile_text(name="First"))
    (tmp_path / "b.yaml").write_text(profile_text(name="Second"))

    library = load_profiles([tmp_path])

    assert library["own"].name == "First"
    (problem,) = library.problems
    assert str(problem) == f"{tmp_path}/b.yaml:1: the id own is taken by a.yaml"


def test_a_directory_that_does_not_exist_has_no_profiles(tmp_path: Path) -> None:
    library = load_profiles([tmp_path / "none"])

    assert library.profiles == {}
    assert library.problems == ()
    with pytest.raises(KeyError):
        library["own"]


def test_a_faulty_file_does_not_give_its_meters_to_the_packaged_map(tmp_path: Path) -> None:
    (tmp_path / "mine.yml").write_text("id: eastron_sdm630\nvendor: [\n")
    library = load_profiles([PACKAGED, tmp_path])
    assert "eastron_sdm630" not in library.profiles
    assert "eastron_sdm120" in library.profiles
    assert library.problems[0].file == str(tmp_path / "mine.yml")
