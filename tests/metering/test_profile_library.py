"""All profiles of an installation: a faulty file costs no other."""

from pathlib import Path

import pytest

from custom_components.carbon_meter.metering.profile_library import PACKAGED, load_profiles
from custom_components.carbon_meter.metering.quantities import QUANTITIES

LIBRARY = load_profiles()


def profile_text(profile_id: str = "own", name: str = "Own") -> str:
    return (
        f"id: {profile_id}\nvendor: V\nname: {name}\nmodels: [M]\nphases: 1\nprotocol: modbus\n"
        "function: holding\nregisters:\n  - {quantity: power, address: 0, unit: W}\n"
    )


def test_every_packaged_profile_can_be_used() -> None:
    assert LIBRARY.problems == ()
    assert {path.stem for path in PACKAGED.rglob("*.yaml")} == set(LIBRARY.profiles)


def test_the_families_that_are_promised_are_there() -> None:
    models = {model for profile in LIBRARY.profiles.values() for model in profile.models}
    for wanted in ("SDM120", "SDM630", "iEM3255", "PM5300"):
        assert any(wanted in model for model in models), wanted
    sunspec = {model for profile in LIBRARY.profiles.values() for model in profile.sunspec_models}
    assert sunspec == {201, 202, 203, 204, 211, 212, 213, 214}


@pytest.mark.parametrize("profile", LIBRARY.profiles.values(), ids=lambda profile: profile.id)
def test_what_every_packaged_profile_has(profile) -> None:
    assert "energy_import" in profile.registers
    assert "power" in profile.registers
    assert profile.title
    assert set(profile.registers) <= set(QUANTITIES)
    places = [
        (item.function, item.address + offset)
        for item in profile.registers.values()
        for offset in range(item.words)
    ]
    assert len(places) == len(set(places)), "two quantities share a register"
    if profile.is_chained:
        assert min(item.address for item in profile.registers.values()) >= 2  # behind the header
    assert not any("_l2" in key for key in profile.registers) or profile.phases == 3


def test_no_two_families_are_proved_by_the_same_content() -> None:
    claims = [
        (signature.function, signature.address, content)
        for profile in LIBRARY.profiles.values()
        for signature in profile.signatures
        for content in (*signature.codes, *filter(None, [signature.text.lower()]))
    ]

    assert len(claims) == len(set(claims))


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
