"""Captured registers of real meters, served over Modbus TCP exactly as they were captured."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from custom_components.carbon_meter.metering.modbus.identification import Candidate, identify
from custom_components.carbon_meter.metering.modbus.meter import ModbusMeter
from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from custom_components.carbon_meter.metering.profile_library import load_profiles
from custom_components.carbon_meter.metering.readings import Reading

CAPTURES = Path(__file__).parents[1] / "fixtures" / "captures"
PROFILES = load_profiles().of(ModbusProfile)

FRAGMENTS = {
    "abb_b21",
    "eastron_sdm230_solax",
    "eastron_sdm630_energy",
    "eastron_sdm630_undefined_zero",
    "eastron_sdm72_one_phase",
}
"""Captures of too few registers to know the family by: nothing may be claimed of them."""

F32_PRINTED = 1e-8
"""The expected values have nine digits, which is one 32-bit float and no other."""


def known(values: dict[str, float], phases: int) -> dict[str, float]:
    """Return expected values by the names of a profile: one phase is the whole of such a meter."""
    if phases > 1:
        return values
    return {key.removesuffix("_l1"): value for key, value in values.items()}


def fitting(expect: dict[str, Any]) -> ModbusProfile:
    """Return the profile that a person would choose."""
    candidates = [
        profile
        for profile in PROFILES.values()
        if profile.vendor == expect["manufacturer"]
        and any((expect["model"] or "") in model for model in profile.models)
        and set(known(expect["values"], profile.phases)) <= set(profile.registers)
    ]
    return candidates[0]


def check(reading: Reading, profile: ModbusProfile, expect: dict[str, Any]) -> None:
    values = known(expect["values"], profile.phases)
    assert {key: reading.values.get(key) for key in values} == pytest.approx(
        values, rel=F32_PRINTED
    )
    assert not set(expect.get("absent", ())) & set(reading.values)
    assert reading.faults == ()


def check_identity(candidate: Candidate, expect: dict[str, Any]) -> None:
    if expect.get("manufacturer"):
        assert expect["manufacturer"] in (candidate.manufacturer, candidate.profile.vendor)
    if expect["model"]:
        assert expect["model"] in candidate.name
    if expect["serial"] is not None:
        # Nothing but zeros is a number that was never given.
        assert candidate.serial == (expect["serial"] if expect["serial"].strip("0") else "")
        assert candidate.certain
    if "sunspec_model" in expect:
        assert expect["sunspec_model"] in candidate.profile.sunspec_models
        assert candidate.settings["base"] > expect["sunspec_base"]


@pytest.mark.parametrize("name", sorted(path.stem for path in CAPTURES.glob("*.yaml")))
async def test_a_real_meter_is_identified_and_read_exactly(name, serve) -> None:
    capture = yaml.safe_load((CAPTURES / f"{name}.yaml").read_text())
    expect = capture["expect"]
    served = await serve(
        holding={block["start"]: block["words"] for block in capture["holding"]},
        input_={block["start"]: block["words"] for block in capture["input"]},
        unit_id=capture["unit"],
    )

    found = await identify(served.unit, PROFILES.values())

    if not expect["values"]:
        assert found.candidates == ()  # an inverter without a meter
        assert any(
            expect["manufacturer"] in seen and expect["model"] in seen for seen in found.seen
        )
    elif name in FRAGMENTS:
        assert not any(candidate.certain for candidate in found.candidates)
        assert found.seen
        profile = fitting(expect)
        check(await ModbusMeter(served.unit, profile).read(), profile, expect)
    else:
        best = found.candidates[0]
        check_identity(best, expect)
        check(best.reading, best.profile, expect)
        # What is polled from then on, request by request, is what was read for the identification.
        meter = ModbusMeter(served.unit, best.profile, base=best.settings["base"])
        assert (await meter.read()).values == best.reading.values
        served.requests.clear()
        assert (await meter.read()).values == best.reading.values
        assert len(served.requests) == len(meter.blocks)
